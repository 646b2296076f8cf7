from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tinygrad_norm.lessons.document.as_text import WIDTH, table_text
from tinygrad_norm.lessons.labs.all_labs import CATALOG
from tinygrad_norm.lessons.labs.experiment import LabOutcome, LabReport
from tinygrad_norm.lessons.labs.written_report import report_data, report_text


def test_the_whole_report(report: LabReport) -> None:
    assert report_text(report) == (
        "Is it so?\n═════════\nlab made-up, seed 7, the quick version\n\n"
        "  It is tried.\n\n"
        f"{table_text(report.outcome.tables[0])}\n\n"
        "  │ Published  It was published that p. (Bjorck et al. 2018)\n"
        "  │ Test       p holds.\n"
        "  │ Ours       It is 0.2.\n"
        "  │ Verdict    EXACT\n\n"
        "  │ Published  It was published that q. (Ba et al. 2016)\n"
        "  │ Test       q holds.\n"
        "  │ Ours       The run was cut short before this was measured.\n"
        "  │ Verdict    NOT FINISHED\n\n"
        "  Limits\n  · It is made up.\n\n"
        "  Sources\n"
        "  · Ba, Kiros & Hinton 2016, “Layer Normalization”, arXiv 1607.06450\n"
        "  · Bjorck, Gomes, Selman & Weinberger 2018, “Understanding Batch Normalization”, NeurIPS\n"
    )


def test_a_full_run_and_one_that_was_cut_short_say_so(report: LabReport) -> None:
    text = report_text(replace(report, quick=False, complete=False))
    assert "seed 7, the full version, cut short\n" in text


@pytest.mark.parametrize("name", CATALOG)
def test_every_lab_fits_the_width(name: str) -> None:
    lab = CATALOG[name]
    outcome = LabOutcome(tuple(question.unfinished() for question in lab.questions))
    text = report_text(LabReport(lab, 0, True, False, outcome))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert all(question.source.title.split()[0] in text for question in lab.questions)


def test_the_layout_of_the_data(report: LabReport) -> None:
    data = report_data(report)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    names = ("lab", "title", "seed", "quick", "complete", "benefits", "limits")
    expected = ("made-up", "Is it so?", 7, True, True, ["stability"], ["It is made up."])
    assert tuple(data[name] for name in names) == expected
    assert data["findings"]["first"] == {
        "source": "Bjorck, Gomes, Selman & Weinberger 2018, “Understanding Batch Normalization”, NeurIPS",
        "published": "It was published that p.",
        "test": "p holds.",
        "ours": "It is 0.2.",
        "values": {"size": 0.25},
        "verdict": "exact",
    }
    assert data["tables"]["sizes"]["rows"] == [{"label": "a", "pad": False, "values": [0.5, None]}]
    assert data["panels"]["names"] == {
        "title": "Names",
        "x": "feature",
        "y": "gradient",
        "names": ["z₁", "z₂"],
        "lines": [
            {"label": "a", "points": [[0.0, -1.0], [1.0, 2.0]]},
            {"label": "b", "points": [[0.0, 0.5], [1.0, 0.5]]},
        ],
    }
