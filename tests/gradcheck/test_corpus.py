"""The corpus: every correct function accepted, every planted mistake rejected and named rightly or not at all.

The suite runs few seeds; ``publish_rates.py`` runs 20 and writes the rates to the docs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from corpus.accept import ACCEPT
from corpus.case import Case
from corpus.reject import LAYER_NORM, REJECT

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "reference" / "gradcheck-corpus.md"


def name_of(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", ACCEPT, ids=name_of)
def test_a_correct_function_is_accepted(case: Case, run_case: Callable[..., Any]) -> None:
    for seed in range(2):
        report = run_case(case, seed)
        assert report.ok, report


@pytest.mark.parametrize("case", REJECT, ids=name_of)
def test_a_planted_mistake_is_rejected_and_named(case: Case, run_case: Callable[..., Any]) -> None:
    report = run_case(case, 0)
    assert report.status == "wrong", report
    found = report.finding.code if report.finding is not None else "unnamed"
    assert found == case.expect, report


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(ACCEPT) >= 40
    assert len(REJECT) >= 70
    assert len({case.name for case in (*ACCEPT, *REJECT)}) == len(ACCEPT) + len(REJECT)
    named = [case for case in REJECT if case.expect != "unnamed"]
    assert len(named) / len(REJECT) > 60 / 70


def test_ten_wrong_layer_norms_get_ten_different_names(run_case: Callable[..., Any]) -> None:
    names = {run_case(case, 1).cause for case in LAYER_NORM}
    assert len(LAYER_NORM) == len(names) == 10
    assert None not in names


def test_the_published_page_lists_this_corpus() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for case in ACCEPT:
        assert f"* {case.name}\n" in text, f"run publish_rates.py: {case.name} is not on the page"
    for case in REJECT:
        code = "unnamed" if case.expect == "unnamed" else f"`{case.expect}`"
        assert f"| {case.name} | {code} |" in text, f"run publish_rates.py: {case.name} is not on the page"
    assert "| false alarms | 0 |" in text
    assert "| missed | 0 |" in text
    assert "| misnamed | 0 |" in text
    assert "| entries that three bars do not cover | 0 |" in text
