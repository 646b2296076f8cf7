"""What a function gives along a line, and what is irregular there."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_norm.gradcheck.measure import one_line
from tinygrad_norm.gradcheck.measure.numeric import slopes_along_coordinates
from tinygrad_norm.gradcheck.measure.one_line import hidden_grid, kink_gap

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


def of_one_output(*differences: float) -> np.ndarray:
    return np.array(differences)[:, None]


def test_a_grid_is_read_off_a_few_whole_multiples() -> None:
    spacing = 2.0**-50
    assert hidden_grid(spacing * of_one_output(35, 14, 6, 0), np.ones(1)) == pytest.approx(spacing)
    # Numbers that are no multiples of anything are no grid, however near some multiple is to a whole number.
    assert hidden_grid(spacing * of_one_output(1, 1.501, 2.499), np.ones(1)) == 0


def test_a_coarse_grid_is_a_staircase_and_two_values_are_no_grid() -> None:
    assert hidden_grid(2.0**-40 * of_one_output(35, 14, 6), np.ones(1)) == 0
    assert hidden_grid(2.0**-50 * of_one_output(14, 6), np.ones(1)) == 0


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
