"""How an input is examined: along directions, entry by entry when those disagree, by a sample when it is large."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Report
from tinygrad_norm.gradcheck.measure.numeric import slopes_along_coordinates
from tinygrad_norm.gradcheck.measure.step_ladder import DIRECTION_BITS, levels
from tinygrad_norm.gradcheck.verdict import COVERAGE

POINT = np.array([0.3, -1.7, 2.2, 0.9, -0.4])


def check(f: Callable[..., Any], slope: Callable[..., Any], x: Any, **options: Any) -> Report:
    """Check an elementwise function with the given slope."""
    return tg.check_vjp(f, lambda g, v: g * slope(v), np.asarray(x, dtype=float), **options)


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
    # A mistake that the sample does not happen to hit is looked for by halving the directions that showed it.
    slope = np.ones((40, 41))
    slope[3, 4] = 2
    hidden = check(lambda v: 3 * v, lambda v: 3 * slope, x, seed=1)
    assert hidden.status == "wrong"
    assert (hidden.entries[0].checked, hidden.entries[0].index) == (1, (3, 4))
    assert "halving directions leads to v[3, 4]" in str(hidden)
    assert check(lambda v: 3 * v, lambda v: 3 * slope, x, coordinates=False).status == "wrong"


@pytest.mark.parametrize(
    ("f", "slope", "code"),
    [
        (np.sin, lambda v: 0 * v, "zero"),
        (np.sin, lambda v: -np.cos(v), "sign-flipped"),
        (np.sin, lambda v: 3.7 * np.cos(v), "constant-factor"),
        (np.exp, lambda v: np.exp(v).astype(np.float32), "float32"),
        (lambda v: v**3, lambda v: 3 * v, "power-rule"),
        (np.sin, lambda v: np.cos(v) + 0.1 * np.sin(1.7 * v), None),
        (np.sin, lambda v: np.cos(v) + 0.1 * np.sin(v) ** 3, "term-missing"),
    ],
)
def test_a_mistake_is_named_from_a_sample(
    f: Callable[..., Any], slope: Callable[..., Any], code: str | None, rng: np.random.Generator
) -> None:
    report = check(f, slope, rng.standard_normal((40, 41)))
    assert report.status == "wrong"
    assert (report.finding.code if report.finding else None) == code


def test_a_wrong_shape_is_told_from_a_sample(rng: np.random.Generator) -> None:
    x = rng.standard_normal((40, 41))
    for forward, backward, code in (
        (np.sin, lambda g, v: (g * np.cos(v)).T, "transposed"),
        (lambda v: v.sum(0), lambda g, v: g, "not-broadcast-back"),
        (np.sin, lambda g, v: (2 * g * np.cos(v)).T, "wrong-shape"),
    ):
        report = tg.check_vjp(forward, backward, x)
        assert report.finding is not None
        assert report.finding.code == code


def test_all_coordinates_on_request() -> None:
    report = check(np.sin, np.cos, POINT, coordinates=True)
    assert report.entries[0].checked == 5
    assert "5 of 5 entries agree" in str(report)
    assert "random directions agree" in str(check(np.sin, np.cos, POINT))


def test_the_same_seed_gives_the_same_report() -> None:
    once, again = (check(np.sin, np.cos, POINT, seed=5) for _ in range(2))
    assert once == again
    assert check(np.sin, np.cos, POINT, seed=6).entries != once.entries


def test_kinks_that_cancel_along_a_direction_are_seen_one_by_one() -> None:
    """relu(t) − relu(−t) is smooth, so the direction alone would blame a gradient of zero."""
    for seed in range(20):
        assert check(lambda v: np.maximum(v, 0), lambda v: v > 0, np.zeros(4), seed=seed).status != "wrong"


def test_three_entries_are_checked_one_by_one_and_four_along_three_directions() -> None:
    few, more = (check(np.sin, np.cos, POINT[:count]) for count in (3, 4))
    assert few.entries[0].checked == 3
    assert more.entries[0].checked == 0
    wrong = check(np.sin, np.tan, POINT[:4], coordinates=False)
    # Two evaluations of the function for itself, one at the point, then two a step and direction.
    every = 2 * levels(POINT[:4], finest_ulps=2.0 ** (DIRECTION_BITS + 3))
    assert wrong.evaluations - 3 >= 3 * every
    # Along the other two directions a right one takes the steps that the first has shown to matter.
    assert every < more.evaluations - 3 < 2 * every


def test_above_1024_entries_a_sample_is_looked_at(rng: np.random.Generator) -> None:
    for size, checked in ((1024, 1024), (1025, 128)):
        report = check(np.sin, lambda v: 2 * np.cos(v), rng.standard_normal(size))
        assert report.entries[0].checked == checked


@pytest.mark.parametrize(("outputs", "code"), [(600, "contributions-overwritten"), (605, None)])
def test_the_jacobian_is_measured_for_600_outputs_at_most(outputs: int, code: str | None) -> None:
    """Without it nobody can tell that one row of outputs sends nothing back."""
    many = np.random.default_rng(1).standard_normal((outputs // 5, 1))
    sent = many * (np.arange(outputs // 5) != 7)[:, None]
    report = tg.check_vjp(lambda v: np.sin(v) * many, lambda g, v: (g * np.cos(v) * sent).sum(0), POINT)
    assert report.status == "wrong"
    assert (report.finding.code if report.finding else None) == code


def test_the_entry_that_is_shown_is_the_one_that_is_furthest_off() -> None:
    off = np.array([0.0, 1e-3, 0.0, -0.5, 1e-2])
    (entry,) = check(np.sin, lambda v: np.cos(v) + off, POINT, cotangent=np.ones(5)).entries
    assert entry.index == (3,)
    assert entry.wrong == 3
    assert entry.yours - entry.numeric == pytest.approx(-0.5)


def test_the_uncertainty_of_an_input_is_that_of_its_least_certain_entry() -> None:
    g = np.array([[1.0, -2.0, 0.5, 3.0, 1.0]])
    (entry,) = check(np.sin, np.cos, POINT, coordinates=True, cotangent=g[0]).entries
    bars = slopes_along_coordinates(np.sin, POINT, g).bar
    assert bars.max() > 1.5 * bars.min()
    assert entry.uncertainty == COVERAGE * bars.max()


def test_a_gradient_of_what_does_not_move_is_wrong_along_directions_too() -> None:
    for f in (lambda v: 0 * v, lambda v: 1 + 1e-20 * v):
        assert check(f, lambda v: 0.5 + 0 * v, POINT, coordinates=False).status == "wrong"
