"""The numeric derivative and its bar: coverage of the true error, and the traps that other rules fall into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from corpus.known import GRIDS, KNOWN, Known, gelu, gelu_slope

from tinygrad_norm.gradcheck.measure.numeric import (
    Slopes,
    richardson,
    slopes_along_coordinates,
    slopes_along_directions,
)
from tinygrad_norm.gradcheck.measure.step_ladder import ladder, levels, power_of_two, random_directions, scale
from tinygrad_norm.gradcheck.verdict import COVERAGE


def slopes_of(f: Callable[[Any], Any], x: Any) -> Slopes:
    """The slopes of all outputs of f along all entries of x."""
    x = np.asarray(x, dtype=float)
    return slopes_along_coordinates(lambda v: np.ravel(f(v)), x, np.eye(np.size(f(x))))


@pytest.mark.parametrize("known", KNOWN, ids=lambda k: k.name)
def test_three_bars_cover_the_true_error_in_every_entry(known: Known, coverage: Callable[..., Any]) -> None:
    found = coverage(known, range(2))
    assert found.uncovered == 0


def test_the_bars_are_narrow_and_few_entries_are_refused(coverage: Callable[..., Any]) -> None:
    assert len(KNOWN) >= 25
    found = [coverage(known, range(1)) for known in KNOWN]
    assert np.median(np.concatenate([f.relative for f in found])) < 1e-10
    judged = sum(f.error.size for f in found)
    assert sum(f.refused for f in found) < judged / 5


def noise(v: np.ndarray) -> np.ndarray:
    """Numbers between −½ and ½ that look random but belong to v: a hash of its bits (the end of MurmurHash3)."""
    bits = np.ascontiguousarray(v).view(np.uint64)
    for multiplier in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        bits = (bits ^ (bits >> np.uint64(33))) * np.uint64(multiplier)
    mixed: np.ndarray = (bits ^ (bits >> np.uint64(33))).astype(float) / 2.0**64 - 0.5
    return mixed


@pytest.mark.parametrize("size", [1e-6, 1e-9, 1e-12])
def test_the_noise_of_a_function_is_measured_and_makes_an_error_of_half_a_bar_at_most(size: float) -> None:
    """Two values that are each η off make the quotient (η + η)/2h off, and the bar has 2η/h for that."""
    for seed in range(10):
        x = np.random.default_rng(seed).standard_normal(11)
        slopes = slopes_of(lambda v: np.sin(v) + size * noise(v), x)
        value, bar = np.diag(slopes.value), np.diag(slopes.bar)
        assert np.all(np.abs(value - np.cos(x)) <= bar / 2)
        assert np.all(bar < 1e4 * size)


def test_so_does_the_rounding_of_every_function_with_a_known_derivative(coverage: Callable[..., Any]) -> None:
    for known in KNOWN:
        found = coverage(known, range(2))
        assert np.all(COVERAGE * found.error <= found.bar / 2)


@pytest.mark.parametrize("p", np.linspace(0.5, 1.0, 26))
def test_a_bend_that_slows_the_convergence_is_covered(p: float) -> None:
    """x¹⁺ᵖ to the right of 0, nothing to the left: the slope is hᵖ off at the step h, not h²."""
    slopes = slopes_of(lambda v: np.maximum(v, 0) ** (1 + p), [0.0, 1.0, -2.0])
    assert slopes.value[0, 0] <= COVERAGE * slopes.bar[0, 0]


def test_noise_is_looked_for_at_every_step_finer_than_the_chosen_one(coverage: Callable[..., Any]) -> None:
    """1 + 2⁻⁴¹ sin x moves by a few units of its rounding, and not at all at the six finest steps."""
    points = ((1e-3, 0.0), (1.0, 0.0), (1.0, 100.0))
    faint = Known("faint", lambda x: 1 + 2.0**-41 * np.sin(x), lambda x: 2.0**-41 * np.cos(x), points)
    assert coverage(faint, range(12)).uncovered == 0


def test_a_kink_near_one_entry_does_not_spoil_another() -> None:
    """Noise is equally large at all steps; what grows with the step is no noise."""

    def f(v: np.ndarray) -> np.ndarray:
        return np.array([np.abs(v[0]) + np.sin(v[1])])

    for distance in (1e-9, 1e-8, 1e-7):
        slopes = slopes_along_coordinates(f, np.array([distance, 0.7]), np.eye(1))
        assert slopes.bar[1, 0] < 1e-9
        assert abs(slopes.value[0, 0] - 1) <= COVERAGE * slopes.bar[0, 0]


def test_a_bar_without_noise_would_not_cover() -> None:
    """The trap of a plateau: near x = 10⁻³ the logistic function gives exactly ¼ at the finest steps."""
    x = np.array([6.404226504432821e-4])
    slopes = slopes_of(lambda v: 1 / (1 + np.exp(-v)), x)
    truth = 0.25 - x[0] ** 2 / 16
    assert slopes.value[0, 0] != 0.25
    assert abs(slopes.value[0, 0] - truth) <= 3 * slopes.bar[0, 0] + x[0] ** 4
    assert slopes.bar[0, 0] < 1e-10


def table_of(f: Callable[[Any], Any], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps and Richardson's table for an elementwise function, as (columns, levels, entries)."""
    h = ladder(levels(x))[:, None] * power_of_two(scale(x))
    return h, richardson((f(x + h) - f(x - h)) / (2 * h))


def test_ridders_estimate_is_no_bar() -> None:
    """He takes the entry that differs least from its two coarser neighbors, and that difference as its error."""
    beyond = total = 0
    for known in KNOWN:
        for scale_, offset in known.points:
            x = offset + scale_ * np.random.default_rng(0).standard_normal(11)
            _, table = table_of(known.function, x)
            change = np.full_like(table, np.inf)
            change[1:, 1:] = np.fmax(abs(table[1:, 1:] - table[:-1, 1:]), abs(table[1:, 1:] - table[:-1, :-1]))
            change = np.where(np.isnan(change), np.inf, change).reshape(-1, 11)
            best = np.argmin(change, axis=0)[None]
            value = np.take_along_axis(table.reshape(-1, 11), best, 0)[0]
            error = np.abs(value - known.derivative(x.astype(np.longdouble))).astype(float)
            beyond += int(np.sum(error > np.take_along_axis(change, best, 0)[0]))
            total += 11
    assert beyond / total > 0.2


def test_a_complex_step_is_silently_wrong_where_ours_is_not() -> None:
    x = np.array([1.3, -1.7, 2.2])
    for f, slope in (
        (lambda v: np.array([np.abs(v[0])]), 1.0),
        (lambda v: np.array([np.var(v)]), 2 * (x[0] - x.mean()) / 3),
        (lambda v: np.array([np.linalg.norm(v)]), x[0] / np.linalg.norm(x)),
    ):
        step = np.imag(f(x + 1e-30j * np.array([1, 0, 0])))[0] / 1e-30
        assert abs(step - slope) > 0.1
        slopes = slopes_along_coordinates(f, x, np.eye(1))
        assert abs(slopes.value[0, 0] - slope) <= 3 * slopes.bar[0, 0] + 1e-15


def test_offset_data_are_stepped_by_their_deviation() -> None:
    x = 1e8 + np.array([0.3, -1.1, 0.4, 2.0])
    slopes = slopes_of(lambda v: np.sin(v - 1e8), x)
    np.testing.assert_allclose(np.diag(slopes.value), np.cos(x - 1e8), rtol=1e-7)
    # Steps down to the deviation times u^0.62, not to the scale times that.
    assert levels(x) > levels(np.array([0.3, -1.1, 0.4, 2.0])) + 5


def test_a_zero_row_of_a_layer_norm_is_not_stepped_over() -> None:
    """A step h misjudges it by h²/(9 eps) with three features: 10⁻² with h = 10⁻³ and eps = 10⁻⁵."""

    def norm(x: np.ndarray) -> np.ndarray:
        c = x - x.mean()
        result: np.ndarray = c / np.sqrt((c * c).mean() + 1e-5)
        return result

    slopes = slopes_of(norm, np.zeros(3))
    exact = (np.eye(3) - 1 / 3) / np.sqrt(1e-5)
    np.testing.assert_allclose(slopes.value, exact, rtol=1e-10)


def test_values_on_a_hidden_grid_are_known_to_be_coarse() -> None:
    """(1 + x) − 1 is a multiple of 2⁻⁵²: finer steps see no movement at all, or whole multiples."""
    for size in (1e-3, 1e-8):
        x = size * np.array([0.7, -1.3, 0.4])
        slopes = slopes_of(lambda v: (1 + 2.0**-20 * v) - 1, x)
        value, bar = np.diag(slopes.value), np.diag(slopes.bar)
        assert np.all(np.abs(value - 2.0**-20) <= 3 * bar)


def test_a_function_that_rounds_to_float32_has_the_noise_of_float32() -> None:
    x = np.array([0.3, -1.7, 2.2])
    slopes = slopes_of(lambda v: v.astype(np.float32).astype(np.float64), x)
    assert np.all(np.abs(np.diag(slopes.value) - 1) <= 3 * np.diag(slopes.bar))
    assert np.all(np.diag(slopes.bar) > 1e-9)


@pytest.mark.parametrize("known", GRIDS, ids=lambda k: k.name)
def test_stairs_are_no_slope(known: Known, coverage: Callable[..., Any]) -> None:
    found = coverage(known, range(3))
    assert found.uncovered == 0
    assert found.error.size > found.refused / 4


def test_a_stair_that_looks_like_a_line_is_found_by_where_it_ends() -> None:
    """½ x (1 + erf(x/√2)) below −8 is x times a few units of 2⁻⁵³, or 0: the finest steps see an exact line."""
    for x in np.linspace(-8.8, -7.4, 30):
        slopes = slopes_of(gelu, [x])
        off = abs(slopes.value[0, 0] - float(gelu_slope(np.longdouble(x))))
        assert off <= COVERAGE * slopes.bar[0, 0] or slopes.rough[0, 0]


@pytest.mark.parametrize(
    ("name", "point", "seeds"),
    [
        ("gelu", (0.3, -5.0), (6, 47, 55)),  # the two finest steps stay within one stair
        ("gelu", (0.3, -5.0), (95,)),  # four steps agree
        ("log(1 + exp)", (1.0, -33.0), (8, 12, 33)),  # nothing moves at the finest steps
        ("sin(x to eight decimals)", (30.0, 0.0), (21, 32, 56)),  # two steps agree
    ],
)
def test_stairs_that_agree_by_chance_are_no_slope(
    name: str, point: tuple[float, float], seeds: tuple[int, ...], coverage: Callable[..., Any]
) -> None:
    known = next(known for known in GRIDS if known.name == name)
    assert coverage(replace(known, points=(point,)), seeds).uncovered == 0


@pytest.mark.parametrize("decimals", [5, 7, 9, 10, 11])
@pytest.mark.parametrize(
    ("outside", "slope"),
    [
        (lambda v, x: v, np.cos),
        (lambda v, x: np.exp(v), lambda x: np.exp(np.sin(x)) * np.cos(x)),
        (lambda v, x: v * x, lambda x: np.sin(x) + x * np.cos(x)),
    ],
    ids=["bare", "exp", "product"],
)
def test_a_grid_of_any_size_under_a_smooth_function_is_covered(
    decimals: int, outside: Callable[..., Any], slope: Callable[..., Any], coverage: Callable[..., Any]
) -> None:
    """The values are multiples of no common unit then, and none of them shows where it comes from."""
    points = ((1.0, 0.0), (30.0, 0.0))
    found = coverage(Known("grid", lambda x: outside(np.round(np.sin(x), decimals), x), slope, points), range(3))
    assert found.uncovered == 0
    assert found.error.size > found.refused


@pytest.mark.parametrize("f", [lambda v: np.maximum(v - 1, 0), lambda v: v * (v > -3), lambda v: 3 * v])
def test_a_line_that_ends_far_off_or_never_is_one(f: Callable[..., Any]) -> None:
    for x in (0.25, 0.75, -1.5):
        slopes = slopes_of(f, [x])
        assert slopes.bar[0, 0] < 1e-12


def test_half_of_the_bars_are_at_most_fifty_times_the_true_error(coverage: Callable[..., Any]) -> None:
    found = [coverage(known, range(1)) for known in (*KNOWN, *GRIDS)]
    ratios = np.concatenate([f.bar[f.error > 0] / f.error[f.error > 0] for f in found])
    assert np.median(ratios) <= 50


def test_a_jump_elsewhere_is_no_stair() -> None:
    """⌊x⌋ + x has the slope 1, however near its jumps are."""
    for x in np.linspace(-1.9, 1.9, 20):
        slopes = slopes_of(lambda v: np.floor(v) + v, [x, 0.5])
        assert abs(slopes.value[0, 0] - 1) <= 3 * slopes.bar[0, 0] < 1e-6


def test_singular_values_near_zero_have_a_slope_or_a_kink() -> None:
    rng = np.random.default_rng(0)
    (u, _), (v, _) = (np.linalg.qr(rng.standard_normal((3, 3))) for _ in range(2))
    for smallest in (1e-6, 1e-9, 1e-10, 1e-11, 1e-12):
        x = u @ np.diag([2.0, 1.0, smallest]) @ v
        slopes = slopes_of(lambda a: np.linalg.svd(a, compute_uv=False), x)
        off = np.abs(slopes.value[:, 2] - np.outer(u[:, 2], v[2]).ravel())
        assert np.all((off <= 3 * slopes.bar[:, 2] + slopes.gap[:, 2] / 2 * (1 + 1e-6)) | slopes.rough[:, 2])


def test_a_second_derivative_that_jumps_is_covered() -> None:
    """Huber at its joint converges with the step, not with its square."""
    slopes = slopes_of(lambda v: np.where(np.abs(v) < 1, v**2 / 2, np.abs(v) - 0.5), [1.0, 0.2])
    assert abs(slopes.value[0, 0] - 1) <= 3 * slopes.bar[0, 0]


@pytest.mark.parametrize(
    ("f", "x", "gap"),
    [
        (np.abs, 0.0, 2.0),
        (lambda v: np.maximum(v, 0), 0.0, 1.0),
        (lambda v: np.abs(v - 1e8), 1e8, 2.0),
        (lambda v: np.abs(v) + 3 * v**2 + np.exp(v), 0.0, 2.0),
        (np.abs, 1e-3, 0.0),
        (lambda v: np.abs(v - 1e8), 1e8 + 1, 0.0),
        (np.square, 0.0, 0.0),
        (lambda v: np.abs(v) ** 1.5, 0.0, 0.0),
    ],
)
def test_a_kink_at_the_point_and_only_there(f: Callable[..., Any], x: float, gap: float) -> None:
    slopes = slopes_of(f, [x, 1.0 + x])
    assert slopes.gap[0, 0] == pytest.approx(gap, rel=1e-6)


def test_a_cusp_and_the_edge_of_the_domain_have_no_slope() -> None:
    for f in (lambda v: np.sqrt(np.abs(v)), np.sqrt):
        slopes = slopes_of(f, [0.0, 1.0])
        assert np.isnan(slopes.value[0, 0])
        assert np.isinf(slopes.bar[0, 0])
        assert slopes.value[1, 1] == pytest.approx(0.5)


def test_outside_the_domain_a_function_may_raise_or_change_its_shape() -> None:
    def root(v: np.ndarray) -> np.ndarray:
        if v.min() < 0:
            raise ValueError("negative")
        return np.sqrt(v) if v.max() < 3 else np.zeros(1)

    slopes = slopes_of(root, [0.01, 2.0])
    np.testing.assert_allclose(np.diag(slopes.value), [5.0, 0.5 / np.sqrt(2)], rtol=1e-8)


def test_a_step_across_a_power_of_two_is_divided_by_its_real_length() -> None:
    x = np.nextafter(1024.0, 0.0)
    slopes = slopes_of(lambda v: 3 * v, [x])
    assert abs(slopes.value[0, 0] - 3) <= 3 * slopes.bar[0, 0]
    assert slopes.bar[0, 0] < 1e-13


def test_directions_and_coordinates_agree(rng: np.random.Generator) -> None:
    x, projection = rng.standard_normal(5), rng.standard_normal((2, 5))

    def f(v: np.ndarray) -> np.ndarray:
        result: np.ndarray = np.tanh(v) * v[::-1]
        return result

    directions = random_directions(x, 3, rng)
    along = slopes_along_directions(f, x, directions, projection)
    single = slopes_along_coordinates(f, x, projection)
    assert np.all(np.abs(along.value - np.array(directions) @ single.value) <= 3 * along.bar + 1e-9)
    # Whatever the size: two evaluations a step and direction, and one at the point.
    assert along.evaluations == 1 + 3 * 2 * levels(x)


def test_nothing_is_changed_by_measuring(rng: np.random.Generator) -> None:
    x = rng.standard_normal((3, 5))
    before = x.copy()
    slopes_of(np.exp, x)
    assert np.array_equal(x, before)


def test_an_empty_input_costs_one_evaluation() -> None:
    slopes = slopes_of(np.square, np.zeros((0, 3)))
    assert slopes.value.shape == (0, 0)
    assert slopes.evaluations == 1


def test_directions_after_the_first_take_fewer_steps_where_all_is_as_expected(rng: np.random.Generator) -> None:
    x, projection = rng.standard_normal(5), rng.standard_normal((2, 5))
    directions = random_directions(x, 3, rng)
    true = np.array([projection @ (np.cos(x) * v) for v in directions])
    whole = slopes_along_directions(np.sin, x, directions, projection)
    quick = slopes_along_directions(np.sin, x, directions, projection, true)
    assert quick.evaluations < 0.6 * whole.evaluations
    assert np.all(np.abs(quick.value - true) <= COVERAGE * quick.bar)
    assert np.all(quick.bar <= 30 * whole.bar)
    assert np.array_equal(quick.value[0], whole.value[0])
    for line in range(3):
        other = true.copy()
        other[line] *= 1.01
        slopes = slopes_along_directions(np.sin, x, directions, projection, other)
        assert slopes.evaluations >= whole.evaluations
        assert np.array_equal(slopes.value, whole.value)
        assert np.array_equal(slopes.bar, whole.bar)


@pytest.mark.parametrize("f", [np.abs, np.floor, lambda v: np.sqrt(np.abs(v))])
def test_every_step_is_taken_where_the_first_direction_shows_something_odd(
    f: Callable[..., Any], rng: np.random.Generator
) -> None:
    """A kink, a jump and a cusp at the point, whatever is expected there."""
    x = np.array([0.0, 1.5, -0.7, 2.2])
    directions = random_directions(x, 3, rng)
    whole = slopes_along_directions(f, x, directions, np.eye(4))
    quick = slopes_along_directions(f, x, directions, np.eye(4), whole.value)
    np.testing.assert_array_equal(quick.value, whole.value)
    np.testing.assert_array_equal(quick.gap, whole.gap)
