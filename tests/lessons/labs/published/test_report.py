from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tinygrad_norm.lessons.labs.published.report import LabReport, Outcome


def test_the_sentence_is_filled_in_from_the_values(report: LabReport) -> None:
    assert report.outcome.findings[0].sentence == "It is 0.2."


def test_every_question_must_be_answered_in_order(report: LabReport) -> None:
    with pytest.raises(ValueError, match=r"asked \['first', 'second'\], answered \['second', 'first'\]"):
        replace(report, outcome=Outcome(report.outcome.findings[::-1]))
    with pytest.raises(ValueError, match=r"answered \[\]"):
        replace(report, outcome=Outcome(()))


@pytest.mark.parametrize(("verdict", "broken"), [("exact", False), ("broken", True), ("not reproduced", False)])
def test_only_an_identity_can_break(
    report: LabReport, outcome_of: Callable[..., Outcome], verdict: str, broken: bool
) -> None:
    assert replace(report, outcome=outcome_of(verdict)).broken is broken


def test_verdicts_of_identities_and_experiments(report: LabReport) -> None:
    question = report.lab.questions[0]
    assert [question.identity(holds, "", {}).verdict for holds in (True, False)] == ["exact", "broken"]
    assert [question.experiment(holds, "", {}).verdict for holds in (True, False)] == ["reproduced", "not reproduced"]
    assert question.unfinished().verdict == "not finished"
