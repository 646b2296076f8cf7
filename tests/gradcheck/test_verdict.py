"""The rule that compares a gradient with measured slopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from corpus.known import KNOWN
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Report
from tinygrad_norm.gradcheck.measure.numeric import Slopes, slopes_along_coordinates
from tinygrad_norm.gradcheck.verdict import COVERAGE, Judgment, doubt, judge_gradient


def check(f: Callable[..., Any], slope: Callable[..., Any], x: Any, **options: Any) -> Report:
    """Check an elementwise function with the given slope."""
    return tg.check_vjp(f, lambda g, v: g * slope(v), np.asarray(x, dtype=float), **options)


POINT = np.array([0.3, -1.7, 2.2, 0.9, -0.4])


def judged(
    yours: float,
    numeric: float = 1.0,
    bar: float = 0.0,
    gap: float = 0.0,
    moved: float = 1.0,
    noise: float = 0.0,
    change: float = 0.0,
) -> Judgment:
    """The judgment of one entry whose gradient and slope are these numbers."""
    slopes = Slopes(*(np.full((1, 1), v) for v in (numeric, bar, gap, moved, noise)), np.zeros((1, 1), bool), 0)
    gradient = np.full((1, 1), yours)
    return judge_gradient(gradient, slopes, doubt(gradient, [gradient + change]), np.full(1, 0.5), None)


def joint(p: float) -> Callable[..., Any]:
    """A function that is 0 to the left and x¹⁺ᵖ to the right: differentiable at 0, the sooner bent the smaller p."""
    return lambda v: np.maximum(v, 0) ** (1 + p)


#: Between a corner (0) and a parabola's joint (1). A slope that is hᵖ off at the step h is hᵖ/4ᵖ off at the next one:
#: they differ by 4ᵖ − 1 errors, of which the bar takes a third, so at ½ the error is three bars.
BENDS = np.linspace(0.5, 1.0, 26)


@pytest.mark.parametrize("p", BENDS[::5])
def test_the_right_gradient_of_a_function_with_a_bend_is_accepted(p: float) -> None:
    for scale in (1.0, 1e-3, 1e3):
        x = scale * np.array([0.0, 1.0, -2.0])
        assert check(joint(p), lambda v: (1 + p) * np.maximum(v, 0) ** p, x, coordinates=True).ok


def test_the_coverage_factor_is_needed_and_twice_as_much_is_not(coverage: Callable[..., Any]) -> None:
    """The largest true error, in bars, over functions with a known derivative and over all bends."""
    needed = [COVERAGE * np.max(f.error[f.bar > 0] / f.bar[f.bar > 0]) for f in (coverage(k, range(1)) for k in KNOWN)]
    for p in BENDS:
        slopes = slopes_along_coordinates(joint(p), np.array([0.0, 1.0, -2.0]), np.eye(3))
        needed.append(abs(slopes.value[0, 0]) / slopes.bar[0, 0])
    assert COVERAGE / 2 < max(needed) <= COVERAGE


def test_a_gradient_half_as_large_is_never_accepted_however_wide_the_bar() -> None:
    for bar in np.geomspace(1e-4, 10, 300):
        assert judged(0.5, bar=bar).status in ("wrong", "cannot tell")
        assert judged(1.0, numeric=0.5, bar=bar).status in ("wrong", "cannot tell")
        assert judged(1.0, bar=bar).status in ("right", "cannot tell")


def test_nothing_is_refused_that_tells_it_from_its_half_twice_over() -> None:
    for bar in np.geomspace(1e-4, 0.5 / COVERAGE / 2, 300, endpoint=False):
        assert judged(0.5, bar=bar).status == "wrong"
        assert judged(1.0, bar=bar).status == "right"


def test_a_function_is_judged_from_three_digits_of_movement_on() -> None:
    noise = 1e-6
    for slope, status in ((1.9e3 * noise, "cannot tell"), (2.1e3 * noise, "right")):
        # Half of the slope is how far yours would move the function over the ladder, which counts as movement too.
        assert judged(slope, slope, moved=slope / 2, noise=noise).status == status
        assert judged(slope, slope, moved=slope / 20, noise=noise).status == status
        assert judged(slope / 20, slope, bar=slope / 11, moved=slope / 2, noise=noise).status != "right"


def test_a_bar_of_a_tenth_of_the_largest_entry_is_the_widest() -> None:
    assert judged(1.0, bar=0.0999).status == "right"
    assert judged(1.0, bar=0.1001).status == "cannot tell"
    # Of the largest entry, yours or numeric; a small entry beside it may have a bar as wide as itself.
    slopes = Slopes(
        *(np.array([[a], [b]]) for a, b in ((1.0, 0.05), (0.0, 0.09), (0, 0), (1.0, 1.0))),
        np.zeros(1),
        np.zeros((2, 1), bool),
        0,
    )
    pair = np.array([[1.0, 0.05]])
    assert judge_gradient(pair, slopes, doubt(pair, []), np.full(2, 0.5), None).status == "right"


def test_a_difference_just_outside_the_bars_is_wrong_and_inside_is_right() -> None:
    honest = check(np.sin, np.cos, POINT, coordinates=True)
    (entry,) = honest.entries
    assert honest.ok
    assert entry.uncertainty < 1e-9
    assert check(np.sin, lambda v: np.cos(v) * (1 + 1e-13), POINT, coordinates=True).ok
    assert check(np.sin, lambda v: np.cos(v) * (1 + 1e-8), POINT, coordinates=True).status == "wrong"


def test_rtol_is_added_for_those_who_want_one() -> None:
    assert check(np.sin, lambda v: np.cos(v) + 1e-4, POINT, rtol=1e-3).ok
    report = check(np.sin, lambda v: np.cos(v) + 1e-4, POINT, rtol=1e-6)
    assert not report.ok
    assert "rtol 1e-06 was added to the ±" in str(report)


@pytest.mark.parametrize("slope", [0.0, 0.25, 1.0])
def test_anything_between_the_one_sided_slopes_is_right_at_a_kink(slope: float) -> None:
    x = np.array([0.0, 1.5, -0.7, 0.2])
    report = check(lambda v: np.maximum(v, 0), lambda v: np.where(v == 0, slope, v > 0), x, coordinates=True)
    assert report.ok
    assert report.entries[0].kinks == 1
    assert "1 entry sits at a kink: anything between the one-sided slopes is accepted there" in str(report)


@pytest.mark.parametrize("slope", [-0.1, 1.1])
def test_nothing_else_is(slope: float) -> None:
    x = np.array([0.0, 0.0, -0.7, 0.2])
    report = check(lambda v: np.maximum(v, 0), lambda v: np.where(v == 0, slope, v > 0), x)
    assert report.status == "wrong"
    assert report.entries[0].wrong == 2
    assert "2 entries sit at a kink" in str(report)


def test_a_function_below_its_own_rounding_cannot_be_judged() -> None:
    report = check(lambda v: 1e8 + 1e-8 * v, lambda v: 2e-8 + 0 * v, POINT)
    assert report.status == "cannot tell"
    assert not report
    assert "CANNOT TELL" in str(report)
    assert "subtract the constant" in str(report)


def test_a_gradient_that_should_have_moved_the_function_is_wrong_not_undecidable() -> None:
    assert check(lambda v: 1e-20 * v + 1, lambda v: 0.5 + 0 * v, POINT).status == "wrong"
    assert check(lambda v: 0 * v, lambda v: 0.5 + 0 * v, POINT).status == "wrong"


def test_an_infinite_slope_cannot_be_judged() -> None:
    report = check(lambda v: np.sqrt(np.abs(v)), lambda v: np.where(v == 0, 0, 0.5), [0.0, 1.0, 1.0], coordinates=True)
    assert report.status == "cannot tell"


def test_a_sum_that_cancels_is_vacuous(rng: np.random.Generator) -> None:
    def softmax_sum(x: np.ndarray) -> Any:
        e = np.exp(x - x.max())
        return (e / e.sum()).sum()

    def backward(g: Any, x: np.ndarray) -> Any:
        y = np.exp(x - x.max())
        y = y / y.sum()
        return y * (g - np.sum(g * y))

    report = tg.check_vjp(softmax_sum, backward, rng.standard_normal(7))
    assert report.vacuous
    assert not report
    assert report.status == "vacuous"
    assert "Return the whole output instead of a sum" in report.refused


def test_the_users_own_cotangent_of_ones_is_blind_too(rng: np.random.Generator) -> None:
    f, backward = (lambda x: x - x.mean()), (lambda g, x: g - g.mean())
    x = rng.standard_normal(7)
    report = tg.check_vjp(f, backward, x, cotangent=np.ones(7))
    assert report.vacuous
    assert "Leave cotangent out" in report.refused
    assert tg.check_vjp(f, backward, x).ok
    assert tg.check_vjp(f, backward, x, cotangent=rng.standard_normal(7)).cotangents == 1


def test_one_input_that_cancels_is_refused_when_the_function_returns_one_number(rng: np.random.Generator) -> None:
    def f(x: np.ndarray, b: np.ndarray) -> Any:
        return (x - x.mean()).sum() + (b * b).sum()

    inputs = rng.standard_normal(5), rng.standard_normal(3)
    report = tg.check_vjp(f, lambda g, x, b: (g * (1 - np.ones_like(x)), 2 * g * b), inputs)
    assert report.refused.startswith("the check is vacuous for x")
    # With the whole output a zero gradient is a fact, not a blind spot.
    whole = tg.check_vjp(
        lambda x, b: np.array([(x - x.mean()).sum(), (b * b).sum()]),
        lambda g, x, b: (0 * x, 2 * g[1] * b),
        inputs,
    )
    assert whole.ok
    assert whole.entries[0].status in ("vacuous", "flat")


def test_a_plateau_is_flat_and_nothing_but_plateaus_is_refused() -> None:
    x = np.array([0.3, 1.4, -2.2])
    report = check(np.floor, lambda v: 0 * v, x)
    assert report.entries[0].status == "flat"
    assert "Choose a point where the output depends on the input" in report.refused


def test_rounding_is_allowed_for_and_four_times_what_one_ulp_changes() -> None:
    assert judged(1 + 2e-15).status == "right"
    assert judged(1 + 1e-14).status == "wrong"
    assert judged(1 + 3e-10, change=1e-10).status == "right"
    assert judged(1 + 5e-10, change=1e-10).status == "wrong"


def test_at_a_kink_the_gradient_may_jump_but_not_leave_the_one_sided_slopes() -> None:
    assert judged(0.0, numeric=0.5, gap=1.0, change=1.0).status == "right"
    assert judged(-0.1, numeric=0.5, gap=1.0, change=1.0).status == "wrong"


def test_vacuous_is_what_rounding_cannot_tell_from_zero() -> None:
    assert judged(1e-15, numeric=0.0, bar=1e-15).status == "vacuous"
    assert judged(0.0, numeric=0.0, bar=1e-15).status == "flat"
    assert judged(1e-12, numeric=0.0, bar=1e-11, change=1e-12).status == "vacuous"
    assert judged(1e-12, numeric=0.0, bar=1e-11).status == "cannot tell"
    assert judged(1e-9, numeric=0.0, bar=1e-8).status == "cannot tell"
    assert judged(1e-12, numeric=1e-10, bar=1e-11, change=1e-12).status != "vacuous"


def ill_conditioned(smallest: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    (u, _), (v, _) = (np.linalg.qr(rng.standard_normal((4, 4))) for _ in range(2))
    result: np.ndarray = u @ np.diag([3.0, 2.0, 1.0, smallest]) @ v
    return result


def transposed_inverse(x: Any) -> Any:
    return np.linalg.inv(x).T


#: Right functions whose steps are coarser than they are, or whose values stand on a grid.
HARD = {
    "log det": (lambda x: np.linalg.slogdet(x)[1], lambda g, x: g * transposed_inverse(x)),
    "inverse": (np.linalg.inv, lambda g, x: -transposed_inverse(x) @ g @ transposed_inverse(x)),
    "singular values": (
        lambda x: np.linalg.svd(x, compute_uv=False),
        lambda g, x: (lambda u, s, v: u * g @ v)(*np.linalg.svd(x)),
    ),
}


@pytest.mark.parametrize("smallest", [1e-6, 1e-9, 3e-10, 1e-10, 3e-11, 1e-11, 1e-12, 1e-14])
@pytest.mark.parametrize("name", HARD)
def test_an_ill_conditioned_matrix_accuses_nobody(name: str, smallest: float) -> None:
    forward, backward = HARD[name]
    for seed in range(2):
        report = tg.check_vjp(forward, backward, ill_conditioned(smallest), seed=seed)
        assert report.status in (("right",) if smallest > 1e-8 else ("right", "cannot tell"))
        wrong = tg.check_vjp(forward, lambda g, x: backward(g, x) / 2, ill_conditioned(smallest), seed=seed)
        assert wrong.status != "right"


@pytest.mark.parametrize(
    ("f", "slope", "x", "answers"),
    [
        (lambda x: np.log(1 - np.tanh(x) ** 2), lambda x: -2 * np.tanh(x), [13.0], "right"),
        (lambda x: np.log(1 - np.tanh(x) ** 2), lambda x: -2 * np.tanh(x), [13.0, 0.3, -0.5, 1.2], "right"),
        (lambda x: np.log(1 + np.exp(x)), lambda x: 1 / (1 + np.exp(-x)), [-30.0], "right, cannot tell"),
        (lambda x: np.round(np.sin(x), 8), np.cos, POINT, "right"),
        (lambda x: np.round(np.sin(x), 3), np.cos, POINT, "right, cannot tell"),
        (lambda x: np.tanh(x.astype(np.float16)), lambda x: 1 - np.tanh(x) ** 2, POINT, "right, cannot tell"),
        (lambda x: np.float64(np.sum(np.float16(x) ** 2)), lambda x: 2 * x, POINT, "right, cannot tell"),
    ],
)
def test_a_function_on_a_grid_is_right_or_undecided_and_never_of_slope_zero(
    f: Any, slope: Any, x: Any, answers: str
) -> None:
    for seed in range(3):
        assert check(f, slope, x, seed=seed).status in answers.split(", ")
        assert check(f, lambda v: 3 * slope(v), x, seed=seed).status in ("wrong", "cannot tell")
        assert check(f, lambda v: 0 * v, x, seed=seed).status != "right"


def test_a_gradient_that_leaks_into_a_dead_zone_is_wrong() -> None:
    def shrink(v: np.ndarray) -> np.ndarray:
        result: np.ndarray = np.sign(v) * np.maximum(np.abs(v) - 0.5, 0)
        return result

    for x in ([0.1, 0.2, -0.3], [0.1, 0.2, -0.3, 0.8, -1.4]):
        assert check(shrink, lambda v: np.ones_like(v), x).status == "wrong"


def test_a_plateau_that_ends_in_bends_on_either_side_is_no_stair(rng: np.random.Generator) -> None:
    """Of a sum of distances a number between its neighbors moves nothing; it says nothing of the others, either."""

    def variation(v: np.ndarray) -> Any:
        return np.abs(np.diff(v)).sum()

    def rule(g: Any, v: np.ndarray) -> Any:
        return g * (np.append(0, np.sign(np.diff(v))) - np.append(np.sign(np.diff(v)), 0))

    for x in (
        np.array([-0.4, -0.1, 0.0, 0.1, 0.4, 1.0, -1.0]),
        np.append(rng.standard_normal(20).cumsum(), [3.0, 3.0]),
    ):
        assert tg.check_vjp(variation, rule, x).ok
        report = tg.check_vjp(variation, lambda g, v: rule(g, v) * np.where(v > 0, 1, 1.1), x)
        assert report.status == "wrong"


@given(st.integers(1, 24), st.floats(3.4, 4.0), st.integers(0, 2**32 - 1))
@settings(max_examples=8)
def test_an_iterated_map_is_never_wrong_and_twice_its_gradient_never_right(steps: int, r: float, seed: int) -> None:
    """Its steps are coarser than it is, and run off to infinity where they leave [0, 1]."""

    def logistic(x: Any) -> Any:
        for _ in range(steps):
            x = r * x * (1 - x)
        return x

    def rule(g: Any, x: Any) -> Any:
        for _ in range(steps):
            g, x = g * r * (1 - 2 * x), r * x * (1 - x)
        return g

    x = np.random.default_rng(seed).uniform(0.02, 0.98, (3, 4))
    with np.errstate(all="ignore"):
        assert tg.check_vjp(logistic, rule, x, seed=seed).status in ("right", "cannot tell")
        assert tg.check_vjp(logistic, lambda g, v: 2 * rule(g, v), x, seed=seed).status in ("wrong", "cannot tell")
