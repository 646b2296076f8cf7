from __future__ import annotations

from dataclasses import replace

import pytest

from tinygrad_norm.lessons.document.as_text import WIDTH, table_text
from tinygrad_norm.lessons.labs.published.catalog import CATALOG
from tinygrad_norm.lessons.labs.published.report import LabReport, Outcome
from tinygrad_norm.lessons.labs.published.report_text import report_text


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
    outcome = Outcome(tuple(question.unfinished() for question in lab.questions))
    text = report_text(LabReport(lab, 0, True, False, outcome))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert all(question.source.title.split()[0] in text for question in lab.questions)
