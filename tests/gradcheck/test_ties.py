"""Kinks at the point: what they may not hide, and ties, of which each is right alone and all together are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg

ROUNDED = np.round(np.random.default_rng(0).standard_normal((4, 6)))


def first_of_ties(x: Any) -> Any:
    return np.eye(x.shape[1])[x.argmax(1)]


def every_tie(x: Any) -> Any:
    return x == x.max(1, keepdims=True)


def pooled(x: Any) -> Any:
    return x.reshape(len(x) // 2, 2, -1, 2).max((1, 3))


def pool_backward(g: Any, x: Any) -> Any:
    def up(a: Any) -> Any:
        return a.repeat(2, 0).repeat(2, 1)

    return up(g) * (x == up(pooled(x)))


@pytest.mark.parametrize("seed", range(3))
def test_each_tie_with_the_whole_gradient_is_wrong_and_told(seed: int) -> None:
    pool = np.maximum(np.random.default_rng(seed).standard_normal((40, 40)), 0)
    for forward, backward, x in (
        (lambda v: v.max(1), lambda g, v: g[:, None] * every_tie(v), ROUNDED),
        (lambda v: v.max(1).sum(), lambda g, v: g * every_tie(v), ROUNDED),
        (lambda v: v.min(1), lambda g, v: g[:, None] * (v == v.min(1, keepdims=True)), ROUNDED),
        (lambda v: v.max(), lambda g, v: g * (v == v.max()), np.array([2.0, 2.0, 1.0])),
        (pooled, pool_backward, pool),
    ):
        report = tg.check_vjp(forward, backward, x, seed=seed)
        assert report.status == "wrong"
        assert report.finding is not None
        assert report.finding.code == "gradient-to-every-tie"


@pytest.mark.parametrize("seed", range(3))
def test_what_one_of_them_gets_or_all_share_is_right(seed: int) -> None:
    for forward, backward, x in (
        (lambda v: v.max(1), lambda g, v: g[:, None] * first_of_ties(v), ROUNDED),
        (lambda v: v.max(1), lambda g, v: g[:, None] * every_tie(v) / every_tie(v).sum(1, keepdims=True), ROUNDED),
        (lambda v: np.maximum(v, 0).sum(), lambda g, v: g * (v > 0), ROUNDED),
        (lambda v: np.maximum(v, 0).sum(), lambda g, v: g * (v >= 0), ROUNDED),
        (lambda v: np.abs(v).sum(1), lambda g, v: g[:, None] * np.sign(v), ROUNDED),
    ):
        assert tg.check_vjp(forward, backward, x, seed=seed).ok
    assert tg.gradcheck(lambda v: v.max(1), ROUNDED, seed=seed).ok


@pytest.mark.parametrize("seed", range(6))
def test_a_kink_hides_no_mistake_beside_it(seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal(30)
    x[:24] = 0
    target = np.where(np.arange(30) < 15, x, x + 1)
    many = np.where(np.arange(2000) % 2, 0, np.random.default_rng(seed).standard_normal(2000))
    for forward, backward, point in (
        (lambda v: np.maximum(v, 0), lambda g, v: g / 2 * (v > 0), x),
        (lambda v: np.maximum(v, 0).sum(), lambda g, v: g / 2 * (v > 0), x),
        (lambda v: np.abs(v - target).mean(), lambda g, v: -g * np.sign(v - target) / 30, x),
        (lambda v: np.maximum(v, 0), lambda g, v: g / 2 * (v > 0), many),
    ):
        assert tg.check_vjp(forward, backward, point, seed=seed).status == "wrong"


def test_that_a_kink_was_met_is_said() -> None:
    report = tg.check_vjp(lambda v: np.maximum(v, 0), lambda g, v: g * (v > 0), np.array([0.0, 1.0, -2.0, 0.5]))
    assert report.ok
    assert report.entries[0].checked == 4
    assert any("random directions meet a kink in v" in note for note in report.notes)
