"""What a function gives along a line, and what is irregular there."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_norm.gradcheck.measure import one_line
from tinygrad_norm.gradcheck.measure.numeric import slopes_along_coordinates
from tinygrad_norm.gradcheck.measure.one_line import kink_gap, last_digit, sample_lines, staircase
from tinygrad_norm.gradcheck.measure.step_ladder import ladder

STEPS = 0.5 * 4.0 ** -np.arange(12)


def test_lines_are_the_same_however_many_values_are_kept_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each entry crosses a power of two at steps of its own.
    x = np.nextafter([1024.0, 512.0, 2048.0, 700.0, 256.0, 900.0, 300.0], 0.0)

    def slopes() -> np.ndarray:
        measured = slopes_along_coordinates(np.sin, x, np.eye(7))
        return np.stack([measured.value, measured.bar, measured.gap])

    whole = slopes()
    monkeypatch.setattr(one_line, "MOST_VALUES", 3 * 7 * 30)
    assert np.array_equal(slopes(), whole)


def test_the_last_digit_of_values_is_that_of_their_computation(rng: np.random.Generator) -> None:
    x = rng.standard_normal((12, 3))
    assert np.all(last_digit(np.sin(x)) <= 2.0**-52)
    assert np.all(last_digit((1e4 + np.sin(x)) - 1e4) == 2.0**-39)
    assert np.all(last_digit(np.sin(x).astype(np.float16).astype(float)) >= 2.0**-24)
    assert last_digit(np.array([[np.nan], [0.75], [0.0]])) == 0.25
    assert last_digit(np.zeros((2, 1))) == 0


def test_a_function_that_stands_still_and_then_moves_to_both_sides_climbs_stairs() -> None:
    stairs = np.floor(STEPS * 100)[:, None] * 0.5
    assert staircase(stairs, -stairs) == 1.5
    assert staircase(stairs, 0 * stairs) == 0  # the end of a plateau
    assert staircase(STEPS[:, None], -STEPS[:, None]) == 0
    # One stair at the finest step of one side.
    lucky = np.floor(STEPS * 100)[:, None] + 1
    assert staircase(lucky, -(lucky - 1)) == 1


def test_a_kink_beside_the_point_has_the_whole_jump() -> None:
    """It fades at the finest steps: |t + d| bends by 2(h − d)."""
    for distance in (0.0, 1e-9, 1e-8):
        bend = 2 * np.maximum(STEPS - distance, 0)[:, None]
        assert kink_gap(bend, STEPS, np.zeros(1))[0] == pytest.approx(2.0, rel=1e-3)


@pytest.mark.parametrize(("visible", "gap"), [(4, 0.0), (5, 2.0), (12, 2.0)])
def test_a_kink_needs_five_steps_that_can_be_seen(visible: int, gap: float) -> None:
    size = 2 * STEPS[visible - 1] / (17 * 2.0**-53)  # what is below 16 units of its rounding cannot be seen
    assert kink_gap(2 * STEPS[:, None], STEPS, np.full(1, size)) == pytest.approx(gap)


def test_a_run_that_is_broken_is_no_kink() -> None:
    ratios = np.array([0.25, 0.25, 0.25, 0.06, 0.25, 0.25, 0.25, 0.06, 0.25, 0.25, 0.25])
    bend = np.cumprod([1.0, *ratios])[:, None]
    assert kink_gap(bend, STEPS, np.zeros(1)) == 0


def test_a_kink_that_rounding_disturbs_at_the_finest_steps_is_one_and_one_that_vanishes_is_none() -> None:
    disturbed = 2 * STEPS * np.where(np.arange(12) >= 8, 0.9 * np.where(np.arange(12) % 2, 1.0, 1.4), 1.0)
    vanishing = 2 * STEPS * np.where(np.arange(12) >= 7, 0.01 * np.where(np.arange(12) % 2, 1.0, 1.4), 1.0)
    found = kink_gap(np.stack([disturbed, vanishing], axis=1), STEPS, np.zeros(2))
    assert found[0] == pytest.approx(2.0)
    assert found[1] == 0


def test_outputs_that_move_by_rounding_alone_are_not_looked_at_closely() -> None:
    """A bias that cancels out of softmax leaves a few units in the last place of every output."""
    x = np.random.default_rng(0).standard_normal(5)

    def cancelling(v: np.ndarray) -> np.ndarray:
        return (np.linspace(1, 4, 30) + v.sum()) - v.sum()

    lines = sample_lines(cancelling, lambda _, t: x + t, range(1), ladder(17), cancelling(x), np.eye(30))
    assert np.any(lines.difference != 0)
    assert lines.looks.sum() == 0
