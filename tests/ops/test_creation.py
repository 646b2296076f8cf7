"""Constructors are NumPy's, and rounding and comparing give plain values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.ops.constants import untracked


@pytest.mark.parametrize(
    ("ours", "numpys"),
    [
        (lambda: tg.zeros((2, 3)), lambda: np.zeros((2, 3))),
        (lambda: tg.zeros(2, dtype=int), lambda: np.zeros(2, int)),
        (lambda: tg.ones(()), lambda: np.ones(())),
        (lambda: tg.ones((0, 2), "float32"), lambda: np.ones((0, 2), "float32")),
        (lambda: tg.full((2,), 7), lambda: np.full((2,), 7)),
        (lambda: tg.full(2, 7, float), lambda: np.full(2, 7, float)),
        (lambda: tg.full((2, 2), tg.Tensor([1.0, 2.0])), lambda: np.full((2, 2), [1.0, 2.0])),
        (lambda: tg.arange(5), lambda: np.arange(5)),
        (lambda: tg.arange(1.0, 2.0, 0.25), lambda: np.arange(1.0, 2.0, 0.25)),
        (lambda: tg.arange(3, dtype=float), lambda: np.arange(3, dtype=float)),
        (lambda: tg.linspace(0, 1, 5), lambda: np.linspace(0, 1, 5)),
        (lambda: tg.eye(2, 3, 1), lambda: np.eye(2, 3, 1)),
        (lambda: tg.zeros_like(tg.ones(2)), lambda: np.zeros(2)),
        (lambda: tg.ones_like([1, 2]), lambda: np.ones_like([1, 2])),
        (lambda: tg.full_like(tg.ones(2), 3.0, dtype=int), lambda: np.full_like(np.ones(2), 3.0, dtype=int)),
        (lambda: tg.full_like(tg.ones(2), tg.Tensor(3.0)), lambda: np.full(2, 3.0)),
        (lambda: tg.round([1.25, -0.5], 1), lambda: np.round([1.25, -0.5], 1)),
        (lambda: tg.Tensor(2.7).round(), lambda: np.round(2.7)),
    ],
)
def test_constructors(ours: Any, numpys: Any) -> None:
    result, expected = ours(), numpys()
    assert type(result) is tg.Tensor
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    assert np.array_equal(result, expected)
    assert not result.requires_grad
    assert not np.asarray(result).flags.writeable


@pytest.mark.parametrize(
    "make",
    [
        lambda **how: tg.zeros(2, **how),
        lambda **how: tg.ones(2, dtype=int, **how),
        lambda **how: tg.full(2, 7, **how),
        lambda **how: tg.arange(2, **how),
        lambda **how: tg.linspace(0, 1, 2, **how),
        lambda **how: tg.eye(2, **how),
    ],
)
def test_constructors_of_leaves(make: Any) -> None:
    t = make(requires_grad=True)
    assert t.requires_grad
    assert t.is_leaf
    assert t.dtype == np.float64
    (t * 2).sum().backward()
    assert t.grad is not None


def test_a_plain_number_becomes_a_tensor_too() -> None:
    count = untracked(lambda x: int(np.count_nonzero(x)))(tg.ones(3))
    assert isinstance(count, tg.Tensor)
    assert count.item() == 3


def test_plain_results_have_no_gradient() -> None:
    x = tg.Tensor([1.5, -2.5], requires_grad=True)
    for y in (
        x > 0,
        x == x,
        np.isnan(x),
        x.argmax(),
        x.argsort(),
        tg.zeros_like(x),
        x // 2,
        (x > 0).any(),
        (x > 0).all(),
    ):
        assert isinstance(y, tg.Tensor)
        assert not y.requires_grad
        assert y.node is None
