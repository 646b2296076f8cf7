from __future__ import annotations

from collections.abc import Callable
from math import inf

import numpy as np
import pytest

from tinygrad_norm.lessons.labs import lr_ladder
from tinygrad_norm.lessons.labs.digits import digits
from tinygrad_norm.lessons.labs.experiment import Session
from tinygrad_norm.lessons.labs.lr_ladder import LadderPlan, Rung, middle, run, shift_of, trained, verdicts
from tinygrad_norm.lessons.labs.networks import NORMS
from tinygrad_norm.lessons.labs.training import WatchedTraining

TINY = LadderPlan((0.1, 1e30), steps=3, repeats=2, depth=1, width=8)
RATES = (0.01, 0.1, 1.0)


def test_the_mechanics() -> None:
    outcome = run(Session(0), TINY)
    assert len(outcome.answers) == 6
    assert {answer.verdict for answer in outcome.answers} <= {"reproduced", "in part", "not reproduced"}
    steps, loss = outcome.tables
    assert [row.label for row in loss.rows] == list(NORMS)
    without = next(row.values for row in loss.rows if row.label == "none")
    assert without[0] is not None
    assert without[1] == inf
    assert all(value is None for row in steps.rows for value in row.values)
    # A training that diverged has no point, and breaks its line.
    first = next(line for line in outcome.panels[0].lines if line.label == "none")
    assert [np.isnan(y) for _, y in first.points] == [False, True]
    assert not any(np.isinf(y) for line in outcome.panels[0].lines for _, y in line.points)


def test_what_diverges_has_not_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived_and_lost = WatchedTraining(20, 0.0, inf, inf, ())
    monkeypatch.setattr(lr_ladder, "train_watched", lambda *args, **kwargs: arrived_and_lost)
    assert trained(("none", 1.0, 0), digits(0, 100, 200), 0, TINY).reached is None


def test_the_same_seed_gives_the_same_training() -> None:
    data = digits(0, 100, 200)
    first, again, other = (trained(("batch", 0.1, repeat), data, 0, TINY) for repeat in (0, 0, 1))
    assert first == again != other


def test_cut_short(interrupted_after: Callable[[int], Session]) -> None:
    outcome = run(interrupted_after(3), LadderPlan((0.1, 0.2), steps=1, repeats=1, depth=1, width=4))
    assert {answer.verdict for answer in outcome.answers} == {"not finished"}
    loss = outcome.tables[1]
    assert [value is None for row in loss.rows[:2] for value in row.values] == [False, False, False, True]


def test_the_middle_of_repeats_counts_what_failed_as_infinitely_bad() -> None:
    good, bad = Rung(10, 0.5, 0.1), Rung(None, inf, 0.3)
    assert middle([good, bad, good]) == Rung(10, 0.5, 0.1)
    assert middle([good, bad, bad]) == Rung(None, inf, 0.3)


def test_a_shift_is_measured_in_deviations() -> None:
    steps = [(np.array([0.0, 1.0]), np.array([2.0, 2.0])), (np.array([0.5, 0.5]), np.array([2.0, 2.0]))]
    assert shift_of(steps) == 0.25
    assert shift_of(steps[:1]) == 0


def ladder(**changes: dict[float, Rung]) -> dict[tuple[str, float], Rung]:
    """A ladder on which everything reproduces, except for the changes."""

    def rung(reached: int | None, loss: float, shift: float = 0.1) -> Rung:
        return Rung(reached, loss, shift)

    rungs = {
        "none": (rung(None, 0.2), rung(100, 0.1, 0.3), rung(None, inf)),
        "batch": (rung(None, 0.29), rung(50, 0.1, 0.0), rung(10, 0.1)),
        "noisy batch": (rung(None, 0.6), rung(90, 0.3, 0.5), rung(20, 0.1)),
        "layer": (rung(None, 0.4), rung(60, 0.1), rung(None, 2.0)),
        "rms": (rung(None, 0.4), rung(70, 0.1), rung(None, 2.0)),
        "detached layer": (rung(None, 1.5), rung(None, 1.0), rung(None, 2.0)),
    }
    found = {(norm, rate): one for norm, row in rungs.items() for rate, one in zip(RATES, row, strict=True)}
    for norm, by_rate in changes.items():
        found |= {(norm.replace("_", " "), rate): one for rate, one in by_rate.items()}
    return found


def judged(**changes: dict[float, Rung]) -> dict[str, str]:
    return {answer.key: answer.verdict for answer in verdicts(ladder(**changes), RATES)}


def test_a_ladder_on_which_everything_reproduces() -> None:
    assert set(judged().values()) == {"reproduced"}


@pytest.mark.parametrize(
    ("changes", "key", "verdict"),
    [
        ({"none": {1.0: Rung(30, 0.1, 0.1)}}, "larger_rates", "not reproduced"),
        ({"batch": {0.01: Rung(None, 0.1, 0.1)}}, "same_small_rate", "not reproduced"),
        ({"batch": {0.01: Rung(None, 0.31, 0.1)}}, "same_small_rate", "in part"),
        ({"batch": {0.01: Rung(None, inf, 0.1)}}, "same_small_rate", "in part"),
        ({"batch": {1.0: Rung(20, 0.1, 0.1)}}, "fewer_steps", "in part"),
        ({"batch": {0.1: Rung(90, 0.1, 0.1), 1.0: Rung(95, 0.1, 0.1)}}, "fewer_steps", "not reproduced"),
        ({"noisy_batch": {0.1: Rung(90, 0.3, 0.2)}}, "noise_after_batch_norm", "not reproduced"),
        ({"noisy_batch": {1.0: Rung(26, 0.3, 0.2)}}, "noise_after_batch_norm", "not reproduced"),
        ({"noisy_batch": {1.0: Rung(None, 0.3, 0.2)}}, "noise_after_batch_norm", "not reproduced"),
        ({"rms": {0.1: Rung(200, 0.1, 0.1)}}, "rms_is_enough", "not reproduced"),
        ({"rms": {0.1: Rung(None, 0.1, 0.1)}}, "rms_is_enough", "not reproduced"),
        ({"detached_layer": {0.1: Rung(50, 0.05, 0.1)}}, "derivatives_of_statistics", "not reproduced"),
        ({"none": {0.01: Rung(None, 9.0, 0.1)}}, "derivatives_of_statistics", "not reproduced"),
    ],
)
def test_each_test_can_fail(changes: dict[str, dict[float, Rung]], key: str, verdict: str) -> None:
    assert judged(**changes)[key] == verdict


def test_a_ladder_that_nobody_climbs_is_judged_too() -> None:
    never = {key: Rung(None, 2.3, 0.1) for key in ladder()}
    found = verdicts(never, RATES)
    assert found[0].values["factor"] == inf
    assert [answer.verdict for answer in found] == ["not reproduced", "reproduced", *["not reproduced"] * 4]
