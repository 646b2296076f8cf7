"""What is looked at again before anything is called wrong: kinks that meet, jumps; and why nothing can be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm.gradcheck.measure.jumps import far_jump

X = np.random.default_rng(8).standard_normal((3, 5))


def sorted_rule(factor: float) -> Callable[..., Any]:
    def rule(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        out = np.zeros_like(x)
        out[np.argsort(x, kind="stable")] = factor * g
        return out

    return rule


@pytest.mark.parametrize("equal", [2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_sorting_equal_entries_may_send_each_cotangent_to_any_of_them(equal: int, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal(7)
    x[:equal] = 0.5
    assert tg.check_vjp(np.sort, sorted_rule(1), x, seed=seed).ok
    for factor in (-1, 2):
        assert tg.check_vjp(np.sort, sorted_rule(factor), x, seed=seed).status == "wrong"


@settings(max_examples=6)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-4, 1e-6, 1e-8, 1e-10]))
def test_a_system_that_is_ill_conditioned_is_never_wrong(seed: int, smallest: float) -> None:
    """Its gradient and its slope differ by the condition number, of which one perturbation shows more, another less."""
    rng = np.random.default_rng(seed)
    u, _, v = np.linalg.svd(rng.standard_normal((4, 4)))
    a, b = u @ np.diag([2.0, 1.0, 0.5, smallest]) @ v, rng.standard_normal((4, 3))

    def rule(g: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        s = np.linalg.solve(a.T, g)
        return -s @ y.T, s

    assert tg.check_vjp(np.linalg.solve, rule, (a, b), seed=seed).status in ("right", "cannot tell")
    off = tg.check_vjp(np.linalg.solve, lambda g, y, a, b: [1.01 * v for v in rule(g, y, a, b)], (a, b), seed=seed)
    assert off.status == "wrong"


def fixed_point(tolerance: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return y = tanh(y/2 + x), iterated until it changes by less than a tolerance."""

    def forward(x: np.ndarray) -> np.ndarray:
        y, change = np.zeros_like(x), 1.0
        while change > tolerance:
            before, y = y, np.tanh(y / 2 + x)
            change = float(np.max(np.abs(y - before)))
        return y

    return forward


@pytest.mark.parametrize("tolerance", [1e-9, 1e-6])
def test_a_loop_that_stops_at_a_tolerance_is_not_called_wrong_for_it(tolerance: float) -> None:
    def rule(g: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        result: np.ndarray = g / (1 / (1 - y * y) - 0.5)
        return result

    report = tg.check_vjp(fixed_point(tolerance), rule, X[0])
    assert report.status == "cannot tell", report
    assert "as a loop does that stops at a tolerance" in str(report)
    triple = tg.check_vjp(fixed_point(tolerance), lambda g, y, x: 3 * rule(g, y, x), X[0])
    assert triple.status == "wrong"
    if tolerance < 1e-8:  # else the slope is not known well enough to read a number from
        assert triple.finding is not None, triple
        assert triple.finding.code == "constant-factor"


@pytest.mark.parametrize("off", [1e-2, 1e-5])
def test_what_a_jump_does_not_explain_stays_wrong(off: float) -> None:
    def forward(x: np.ndarray) -> np.ndarray:
        return np.tanh(x) + 1e-9 * np.floor(8 * x)

    assert tg.check_vjp(forward, lambda g, x: (1 + off) * g * (1 - np.tanh(x) ** 2), X).status == "wrong"
    assert tg.check_vjp(forward, lambda g, x: g * (1 - np.tanh(x) ** 2), X).ok


@settings(max_examples=12)
@given(st.floats(-0.2, 0.2), st.floats(-8, -2))
def test_a_jump_is_told_from_a_bend_however_small_it_is(place: float, size: float) -> None:
    height = 10.0**size
    jump = far_jump(lambda t: np.array([np.sin(3 * t) + height * (t > place)]), 0.5)
    assert jump is not None
    assert abs(jump.height - height) < 0.02 * height
    assert abs(jump.distance - abs(place)) < 0.02
    assert far_jump(lambda t: np.array([np.sin(3 * t) + height * abs(t - place)]), 0.5) is None
    assert far_jump(lambda t: np.array([np.sin(3 * t)]), 0.5) is None
    assert far_jump(lambda t: np.array([t if t > 0 else np.nan]), 0.5) is None


def orbit(x: np.ndarray) -> np.ndarray:
    for _ in range(60):
        x = 4 * x * (1 - x)
    return x


@pytest.mark.parametrize(
    ("f", "slope", "x", "reason"),
    [
        (lambda x: np.sqrt(np.abs(x)), lambda x: x / 2, [0.0, 1.0], "the slope is infinite here"),
        (np.sqrt, lambda x: 0.5 / np.sqrt(x), [1e-300, 1.0], "not finite, or raises"),
        (lambda x: (1e15 + x) - 1e15, np.ones_like, [0.5, 1.0], "are multiples of"),
        (lambda x: (1 - np.cos(x)) / x**2, lambda x: -x / 12, [1e-5, -3e-5], "are known to"),
        (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x), [34.0, 35.0], "last place of its values"),
        (orbit, np.ones_like, [0.3, 0.6], "finer and coarser steps"),
    ],
)
def test_why_nothing_can_be_told(f: Any, slope: Any, x: list[float], reason: str) -> None:
    report = tg.check_vjp(f, lambda g, v: g * slope(v), np.array(x))
    assert report.status == "cannot tell", report
    assert reason in report.entries[0].reason
    assert report.entries[0].reason in str(report)
    assert report.to_json()["entries"][0]["reason"] == report.entries[0].reason


@pytest.mark.parametrize("seed", [5, 9, 17, 18])
def test_ties_with_other_numbers_close_by_are_seen(seed: int) -> None:
    """Where the function is kinked at the point, only both sides together tell where it leaves its slope."""
    x = np.array([1.0, 1.0, 1.0, *np.random.default_rng(seed).uniform(0.9, 1.1, 3)])

    def rule(g: Any, v: Any) -> Any:
        d = np.zeros_like(v)
        d[np.argsort(-v, kind="stable")] = g
        return d

    assert tg.check_vjp(lambda v: -np.sort(-v), rule, x, seed=seed).status == "right"
    assert tg.check_vjp(lambda v: -np.sort(-v), lambda g, v: 1.5 * rule(g, v), x, seed=seed).status == "wrong"
