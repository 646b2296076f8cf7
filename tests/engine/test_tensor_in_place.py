"""``w -= …``: a leaf under no_grad takes over the values; a tape recorded before keeps the old ones."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg

OPERATORS = [
    operator.iadd,
    operator.isub,
    operator.imul,
    operator.itruediv,
    operator.ifloordiv,
    operator.imod,
    operator.ipow,
]


@pytest.mark.parametrize("change", OPERATORS)
def test_a_leaf_under_no_grad_gets_new_values(change: Callable[..., Any]) -> None:
    w = tg.Tensor([3.0, 5.0], requires_grad=True)
    loss = (w * w).sum()
    same, array = w, w.data
    with tg.no_grad():
        w = change(w, 2.0)
    assert w is same
    assert w.is_leaf
    assert w.tolist() == change(np.array([3.0, 5.0]), 2.0).tolist()
    assert array.tolist() == [3.0, 5.0]
    loss.backward()
    assert w.grad is not None
    assert w.grad.tolist() == [6.0, 10.0]


def test_a_matrix_under_no_grad_gets_the_product() -> None:
    w = same = tg.Tensor(np.eye(2), requires_grad=True)
    with tg.no_grad():
        w @= np.array([[1.0, 2.0], [3.0, 4.0]])
    assert w is same
    assert w.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("change", OPERATORS)
def test_a_leaf_while_recording(change: Callable[..., Any]) -> None:
    w = tg.Tensor([3.0, 5.0], requires_grad=True)
    with pytest.raises(
        tg.GraphError, match=r"in-place operator must not change a leaf.*Write it inside with tg.no_grad"
    ):
        change(w, 2.0)
    assert w.tolist() == [3.0, 5.0]


def test_a_result_and_a_plain_tensor_are_bound_anew() -> None:
    w = tg.Tensor(3.0, requires_grad=True)
    total = w * 2
    total += w
    total.backward()
    assert w.grad is not None
    assert w.grad.item() == 3.0
    count = before = tg.Tensor([1.0])
    count += 1
    assert (count.tolist(), before.tolist()) == ([2.0], [1.0])


def test_shape_and_dtype_stay() -> None:
    w = tg.Tensor(np.ones(2, np.float32), requires_grad=True)
    with tg.no_grad():
        with pytest.raises(tg.ShapeError, match=r"have its shape \(2,\); got shape \(3, 2\)"):
            w += np.ones((3, 2), np.float32)
        w += np.ones(2)
        assert w.dtype == np.float32
        n = tg.Tensor([1, 2])
        with pytest.raises(tg.OperandError, match=r"must keep the dtype int64; got values of float64. Write x = x / y"):
            n /= 2
        assert n.tolist() == [1, 2]


def test_three_spellings_of_a_training_step() -> None:
    def trained(step: Callable[[tg.Tensor], tg.Tensor]) -> list[float]:
        w = tg.Tensor([1.0, -2.0], requires_grad=True)
        for _ in range(5):
            w.grad = None
            (w * w).sum().backward()
            w = step(w)
        return w.tolist()

    def anew(w: tg.Tensor) -> tg.Tensor:
        assert w.grad is not None
        return tg.Tensor(w.data - 0.1 * w.grad.data, requires_grad=True)

    def data(w: tg.Tensor) -> tg.Tensor:
        assert w.grad is not None
        w.data = w.data - 0.1 * w.grad.data
        return w

    def in_place(w: tg.Tensor) -> tg.Tensor:
        with tg.no_grad():
            w -= 0.1 * w.grad
        return w

    assert trained(anew) == trained(data) == trained(in_place) == pytest.approx([0.8**5, -2 * 0.8**5])
