from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tinygrad_norm.lessons.labs import backward
from tinygrad_norm.lessons.labs.backward import example_paths, run
from tinygrad_norm.lessons.labs.experiment import Session


def test_everything_is_exact() -> None:
    outcome = run(Session(3), inputs=5)
    assert [answer.verdict for answer in outcome.answers] == ["exact"] * 4
    assert max(value for answer in outcome.answers[:2] for value in answer.values.values()) < 1e-12
    example, cases = outcome.tables
    assert [row.label for row in cases.rows] == ["mean, deviation", "neither", "mean", "deviation"]
    # ḡ is the gradient that arrives, everywhere: a mean of it must not be called so.
    assert [row.values[0] for row in cases.rows] == ["mean(g)/σ", "0", "mean(g)/σ", "0"]
    rows = {row.label: np.array(row.values, dtype=float) for row in example.rows}
    added = rows["direct"] + rows["through the mean"] + rows["through the deviation"]
    np.testing.assert_allclose(added, rows["gradient"], atol=1e-15)
    assert rows["gradient"][3] == pytest.approx(0, abs=1e-14)


def test_the_gradient_of_the_example_is_orthogonal_to_the_output() -> None:
    found = example_paths(0).total[0]
    assert found @ np.array([5.0, -1.0, -4.0]) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize(
    ("function", "key"),
    [
        ("path_gaps", "three_paths"),
        ("closed_form_gaps", "closed_form"),
        ("theorem_gaps", "theorem_4_1"),
        ("case_gaps", "four_cases"),
    ],
)
def test_a_gap_breaks_its_own_finding(monkeypatch: pytest.MonkeyPatch, function: str, key: str) -> None:
    real = getattr(backward, function)
    monkeypatch.setattr(backward, function, lambda at: {name: value + 1e-6 for name, value in real(at).items()})
    verdicts = {answer.key: answer.verdict for answer in run(Session(), inputs=2).answers}
    assert [name for name, verdict in verdicts.items() if verdict == "broken"] == [key]


def test_cut_short(interrupted_after: Callable[[int], Session]) -> None:
    outcome = run(interrupted_after(5), inputs=3)
    assert [answer.verdict for answer in outcome.answers] == ["exact", *["not finished"] * 3]
    assert outcome.tables[1].rows == ()
