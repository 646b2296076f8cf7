from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tinygrad_norm.lessons.labs.batch_noise import (
    GROUPS,
    BatchNoisePlan,
    hidden_values,
    layer_norm_spread,
    learned,
    run,
    verdicts,
)
from tinygrad_norm.lessons.labs.experiment import Session
from tinygrad_norm.lessons.labs.noise_law import Noise, Population
from tinygrad_norm.lessons.labs.training import WatchedTraining

TINY = BatchNoisePlan(draws=50, batches=(4, 16), places=(0.0,), steps=2, repeats=2, depth=1, width=4)
COIN = Population("coin", np.array([-1.0, 1.0]))


def test_the_mechanics() -> None:
    outcome = run(Session(0), TINY)
    assert [answer.key for answer in outcome.answers][:2] == ["noise_law", "layer_norm_has_none"]
    assert outcome.answers[1].verdict == "exact"
    noise, training = outcome.tables
    assert len(noise.rows) == 4 * 2
    assert [row.label for row in training.rows] == ["none", "layer", *(f"batch of {size}" for size in GROUPS)]
    assert [line.label for line in outcome.panels[0].lines][-1] == "the law"
    assert len(outcome.panels[1].names) == 7


def test_cut_short_while_measuring_and_while_training(interrupted_after: Callable[[int], Session]) -> None:
    early = run(interrupted_after(3), TINY)
    assert len(early.tables[0].rows) == 3
    assert early.tables[1].rows == ()
    late = run(interrupted_after(10), TINY)
    assert len(late.tables[0].rows) == 8
    assert [row.label for row in late.tables[1].rows] == ["none", "layer"]
    assert {a.verdict for outcome in (early, late) for a in outcome.answers} == {"not finished"}
    nothing = run(interrupted_after(0), TINY)
    assert nothing.panels[0].lines == ()


def test_layer_norm_knows_no_company() -> None:
    assert layer_norm_spread(np.random.default_rng(0)) == 0


def test_a_hidden_unit_sees_every_digit() -> None:
    values = hidden_values(0)
    assert values.shape == (1797,)
    assert values.std() > 0


def fit(reached: int | None, held_out_loss: float) -> WatchedTraining:
    return WatchedTraining(reached, 0.9, held_out_loss, 0.01, ())


def noises(ratios: Mapping[int, Sequence[float]]) -> tuple[Noise, ...]:
    return tuple(Noise(COIN, 1.0, size, ratio / size, 1.0 / size) for size, some in ratios.items() for ratio in some)


FITS = {
    "none": [fit(40, 0.5)],
    "layer": [fit(40, 0.4)],
    "batch of 64": [fit(30, 0.30)],
    "batch of 16": [fit(30, 0.23)],
    "batch of 8": [fit(30, 0.25)],
    "batch of 4": [fit(30, 0.4)],
    "batch of 2": [fit(None, 1.0)],
}
RATIOS = {64: (0.8, 1.1), 256: (0.95, 1.02)}


def judged(
    ratios: Mapping[int, Sequence[float]] = RATIOS, spread: float = 0.0, **fits: WatchedTraining
) -> dict[str, str]:
    changed = FITS | {name.replace("_", " "): [one] for name, one in fits.items()}
    return {
        answer.key: answer.verdict
        for answer in verdicts(noises(ratios), spread, {norm: learned(some) for norm, some in changed.items()})
    }


def test_measurements_on_which_everything_reproduces() -> None:
    assert list(judged().values()) == ["reproduced", "exact", *["reproduced"] * 3]


def test_each_test_can_fail() -> None:
    assert judged({64: (0.8, 1.1), 256: (0.95, 1.2)})["noise_law"] == "not reproduced"
    assert judged({64: (0.99, 1.01), 256: (0.95, 1.05)})["noise_law"] == "not reproduced"
    assert judged(spread=1e-16)["layer_norm_has_none"] == "broken"
    assert judged(none=fit(40, 0.35))["regularizes"] == "not reproduced"
    assert judged(batch_of_16=fit(30, 0.28))["more_noise_generalizes"] == "in part"
    assert judged(batch_of_16=fit(9, 0.3), batch_of_8=fit(9, 0.4))["more_noise_generalizes"] == "not reproduced"
    assert judged(batch_of_2=fit(90, 1.0))["too_much_noise"] == "not reproduced"
    assert judged(batch_of_2=fit(None, 0.5))["too_much_noise"] == "not reproduced"


def test_averages_of_several_trainings() -> None:
    found = learned([fit(10, 0.1), fit(20, 0.3), fit(None, 0.2)])
    assert (found.steps, found.held_out_loss) == (20, pytest.approx(0.2))
    assert learned([fit(None, 0.1), fit(None, 0.1), replace(fit(3, 0.1))]).steps == float("inf")
