"""Where a function is evaluated: how fine the steps are, and that every point is exact."""

from __future__ import annotations

import numpy as np

from tinygrad_norm.gradcheck.measure.step_ladder import ladder, levels, power_of_two, random_directions, scale


def test_the_scale_of_huge_and_of_zero_data() -> None:
    assert scale(np.array([1e200, -1e200])).tolist() == [1e200, 1e200]
    assert scale(np.zeros(2)).tolist() == [1.0, 1.0]
    assert levels(np.zeros((0, 3))) == 0


def test_at_the_finest_step_rounding_leaves_six_digits_of_a_slope(rng: np.random.Generator) -> None:
    for size in (1e-8, 1.0, 1e8):
        x = size * rng.standard_normal(50)
        assert 1e-7 < 2.0**-53 / ladder(levels(x))[-1] < 1e-6


def test_no_step_is_finer_than_four_units_in_the_last_place() -> None:
    for value in (1.0, 1.5, 1e8):
        x = np.full(3, value)  # no deviation: nothing but the grid of the numbers ends the ladder
        finest = ladder(levels(x))[-1] * power_of_two(scale(x))
        assert np.all(finest >= 4 * np.spacing(x))
        assert np.all(finest < 16 * np.spacing(x))


def test_every_point_on_a_line_is_exact_within_a_binade(rng: np.random.Generator) -> None:
    x = 700 + rng.standard_normal(50)
    for direction in random_directions(x, 3, rng):
        assert np.any(direction != 0)
        for k in range(5, 20):
            t = 0.5 * 4.0**-k
            assert np.array_equal((x + t * direction) - x, t * direction)
    assert np.all(power_of_two(scale(x)) <= scale(x))


def test_two_equal_errors_of_opposite_sign_do_not_cancel_along_a_direction(rng: np.random.Generator) -> None:
    """They would in half of the directions of ±1, or of numbers cut off at 1."""
    pairs = np.abs(np.array(random_directions(np.ones(2000), 1, rng)[0])).reshape(-1, 2)
    assert np.mean(pairs[:, 0] == pairs[:, 1]) < 0.02
