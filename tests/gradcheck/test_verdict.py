"""The rule that compares a gradient with measured slopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Report


def check(f: Callable[..., Any], slope: Callable[..., Any], x: Any, **options: Any) -> Report:
    """Check an elementwise function with the given slope."""
    return tg.check_vjp(f, lambda g, v: g * slope(v), np.asarray(x, dtype=float), **options)


POINT = np.array([0.3, -1.7, 2.2, 0.9, -0.4])


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


def test_kinks_that_cancel_along_a_direction_are_seen_one_by_one() -> None:
    """relu(t) − relu(−t) is smooth, so the direction alone would blame a gradient of zero."""
    for seed in range(20):
        assert check(lambda v: np.maximum(v, 0), lambda v: v > 0, np.zeros(4), seed=seed).status != "wrong"


def test_a_function_below_its_own_rounding_cannot_be_judged() -> None:
    report = check(lambda v: 1e8 + 1e-8 * v, lambda v: 2e-8 + 0 * v, POINT)
    assert report.status == "cannot tell"
    assert not report
    assert "CANNOT TELL" in str(report)
    assert "compute in float64" in str(report)


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


def test_empty_inputs_are_fine() -> None:
    report = check(np.square, lambda v: 2 * v, np.zeros((0, 3)))
    assert report.ok
    assert "x (0, 3): empty, nothing to check" in str(report).replace("v (0", "x (0")
    for coordinates in (True, False):
        assert check(np.square, lambda v: 2 * v, np.zeros((0, 3)), coordinates=coordinates).entries == report.entries


def test_large_inputs_are_sampled_only_after_a_failure(rng: np.random.Generator) -> None:
    x = rng.standard_normal((40, 41))
    fine = check(np.tanh, lambda v: 1 - np.tanh(v) ** 2, x)
    assert fine.ok
    assert fine.evaluations < 200
    wrong = check(np.tanh, lambda v: np.tanh(v), x)
    (entry,) = wrong.entries
    assert (entry.checked, entry.total) == (128, 1640)
    assert "sampled entries" in str(wrong)
    # A mistake that the sample does not happen to hit is still reported, along the directions that showed it.
    slope = np.ones((40, 41))
    slope[3, 4] = 2
    hidden = check(lambda v: 3 * v, lambda v: 3 * slope, x, seed=1)
    assert hidden.status == "wrong"
    assert hidden.entries[0].checked == 0
    assert check(lambda v: 3 * v, lambda v: 3 * slope, x, coordinates=False).status == "wrong"


def test_all_coordinates_on_request() -> None:
    report = check(np.sin, np.cos, POINT, coordinates=True)
    assert report.entries[0].checked == 5
    assert "5 of 5 entries agree" in str(report)
    assert "random directions agree" in str(check(np.sin, np.cos, POINT))


def test_the_same_seed_gives_the_same_report() -> None:
    once, again = (check(np.sin, np.cos, POINT, seed=5) for _ in range(2))
    assert once == again
    assert check(np.sin, np.cos, POINT, seed=6).entries != once.entries
