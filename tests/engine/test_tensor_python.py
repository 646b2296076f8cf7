"""A Tensor among arrays and numbers, and what it becomes in Python: numbers, text, tables, copies."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


# Mixed operands


@pytest.mark.parametrize(
    "other", [np.array([3.0, 4.0]), np.float64(3.0), 3.0, 3, [3.0, 4.0], (3.0, 4.0), tg.Tensor([3.0, 4.0])]
)
def test_operands_of_other_kinds_on_both_sides(other: Any) -> None:
    x, plain = leaf([1.0, 2.0]), np.array([1.0, 2.0])
    value = np.asarray(other)
    for operator in ("__add__", "__sub__", "__mul__", "__truediv__", "__pow__"):
        left = getattr(x, operator)(other)
        assert np.array_equal(left, getattr(plain, operator)(value))
        right = getattr(x, f"__r{operator[2:]}")(other)
        assert np.array_equal(right, getattr(value, operator)(plain))
        assert left.requires_grad
        assert right.requires_grad


def test_arrays_and_numpy_numbers_on_the_left_record() -> None:
    x = leaf([1.0, 2.0])
    for left in (np.array([3.0, 4.0]), np.float64(3.0), np.int64(3), np.ones((2, 2))):
        for y in (left + x, left - x, left * x, left / x, left**x, left % x):
            assert isinstance(y, tg.Tensor)
            assert y.requires_grad
        for y in (left < x, left == x, left // x):
            assert isinstance(y, tg.Tensor)
            assert not y.requires_grad
    assert (np.ones((2, 2)) @ x).requires_grad
    assert ([[1.0, 1.0]] @ x).tolist() == [3.0]


@pytest.mark.parametrize("number", [2, 2.5, True, np.float32(2.5)])
def test_numbers_do_not_widen(number: Any) -> None:
    x = leaf([1.0, 2.0], dtype=np.float32)
    for y in (
        x + number,
        number * x,
        number / x,
        x**number,
        number - x,
        tg.maximum(x, number),
        tg.where([True, False], x, 0.0),
    ):
        assert y.dtype == np.float32


@pytest.mark.parametrize("other", [1j, "a", None, object(), {1: 2}])
def test_operands_that_are_not_numbers(other: Any) -> None:
    with pytest.raises(
        tg.OperandError, match=r"add must get numbers, arrays or Tensors; got \w+. (Wrap it in|Look whether)"
    ):
        leaf([1.0]) + other


# Turning into Python


def test_python_numbers_and_truth() -> None:
    t = tg.Tensor([[2.0]])
    assert (float(t), int(t), bool(t), t.item(), f"{t:.2f}") == (2.0, 2, True, 2.0, "2.00")
    assert f"{t}" == str(t) == repr(t)
    assert list(range(3))[tg.Tensor(1)] == 1
    assert len(tg.ones((4, 2))) == 4
    assert [row.tolist() for row in tg.Tensor([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]


ERRORS: dict[type[Exception], list[tuple[Any, ...]]] = {
    tg.ShapeError: [
        (lambda: bool(tg.ones(2)), r"truth value must come from one entry; got shape \(2,\). Use .any"),
        (lambda: tg.ones(2).item(), r"item\(\) must get a Tensor with one entry; got shape \(2,\). Index it"),
        (lambda: float(tg.ones(0)), r"item\(\) must get"),
    ],
    tg.OperandError: [
        (lambda: len(tg.Tensor(1.0)), r"len\(\) must get a Tensor with an axis; got one of shape \(\). Use .size"),
        (lambda: iter(tg.Tensor(1.0)), "a loop must get a Tensor with an axis.*Use .item"),
        (lambda: [1][tg.Tensor(0.0)], r"an index must be an integer of shape \(\); got float64.*Use int"),
        (lambda: [1][tg.Tensor([0])], "an index must be an integer"),
    ],
}


@pytest.mark.parametrize(("error", "use", "message"), [(error, *row) for error, rows in ERRORS.items() for row in rows])
def test_what_cannot_turn_into_python(use: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        use()


def test_repr() -> None:
    x = leaf([1.0, 2.0], name="x")
    assert repr(x) == "Tensor([1., 2.], shape=(2,), dtype=float64, name='x', requires_grad=True)"
    assert repr(x * 2) == "Tensor([2., 4.], shape=(2,), dtype=float64, op=multiply)"
    assert repr(tg.Tensor(3)) == "Tensor(3, shape=(), dtype=int64)"
    assert len(repr(tg.zeros((1000, 1000)))) < 500
    assert "shape=(0, 3)" in repr(tg.zeros((0, 3)))


def test_html() -> None:
    small = tg.Tensor([[1.0, 2.5]], name="<x>")._repr_html_()
    assert small.count("<td") == 2
    assert "&lt;x&gt; (1, 2) float64" in small
    assert "2.5" in small
    assert "multiply" in (leaf([1.0]) * 2)._repr_html_()
    large = tg.arange(1000.0)._repr_html_()
    assert "mean 499.5" in large
    assert "from 0 to 999" in large
    assert "<td" not in large
    assert "empty" in tg.zeros((0, 2))._repr_html_()
    assert "<td" in tg.Tensor(True)._repr_html_()


def test_html_of_more_axes_is_a_table_for_each_index() -> None:
    stacked = tg.arange(24.0).reshape(2, 3, 4)._repr_html_()
    assert stacked.count("<table") == 2
    assert stacked.count("<td") == 24
    assert stacked.index("[0]") < stacked.index(">11<") < stacked.index("[1]") < stacked.index(">23<")
    assert "[1, 0]" in tg.zeros((2, 1, 2, 2))._repr_html_()
    assert "<caption" not in stacked
    assert "<td" not in tg.zeros((5, 5, 2))._repr_html_()
    assert "mean 0" in tg.zeros((2, 2, 13))._repr_html_()


# Copies


PICKLED = b"""ctinygrad_norm.tensor\nTensor\np0\n(cnumpy._core.multiarray\n_reconstruct\np1\n(cnumpy\nndarray\np2
(I0\ntp3\nc_codecs\nencode\np4\n(Vb\np5\nVlatin1\np6\ntp7\nRp8\ntp9\nRp10\n(I1\n(I2\ntp11\ncnumpy\ndtype\np12\n(Vf8\np13
I00\nI01\ntp14\nRp15\n(I3\nV<\np16\nNNNI-1\nI-1\nI0\ntp17\nbI00\ng4\n(V\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\xf8?\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\x04@
p18\ng6\ntp19\nRp20\ntp21\nbI01\ng15\nVw\np22\ntp23\nRp24\n."""
"""``pickle.dumps(tg.Tensor([1.5, 2.5], requires_grad=True, name="w"), 0)`` of version 0.1.0."""


def test_a_leaf_that_an_earlier_version_pickled_loads() -> None:
    leaf = pickle.loads(PICKLED)
    assert type(leaf) is tg.Tensor
    assert (leaf.tolist(), leaf.requires_grad, leaf.name) == ([1.5, 2.5], True, "w")


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_a_leaf_can_be_copied_and_pickled(again: Any) -> None:
    x = leaf([1.0, 2.0], name="x", dtype=np.float32)
    (x * 2).sum().backward()
    y = again(x)
    assert y is not x
    assert (y.tolist(), y.requires_grad, y.name, y.dtype, y.grad) == ([1.0, 2.0], True, "x", np.float32, None)
    (y * 3).sum().backward()
    assert y.grad.tolist() == [3.0, 3.0]
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 2.0]
    plain = again(tg.Tensor([1, 2]))
    assert not plain.requires_grad
    assert plain.dtype == np.int64
    if again is copy.copy:
        return
    with pytest.raises(
        tg.GraphError, match=r"pickled or deep-copied must be a leaf; got the result of Tensor.*Use detach\(\)"
    ):
        again(x * 2)


def test_a_copy_of_a_result_is_the_same_result() -> None:
    x = leaf([1.0, 2.0])
    y = copy.copy(x * x)
    assert tg.gradients(y.sum(), x).tolist() == [2.0, 4.0]


def test_another_library_gets_a_copy() -> None:
    x = tg.Tensor([1.0, 2.0])
    taken = np.from_dlpack(x)
    assert taken.tolist() == [1.0, 2.0]
    assert not np.shares_memory(taken, x.data)
    with pytest.warns(tg.GraphEndsWarning, match="must not become an array of another library unseen"):
        np.from_dlpack(leaf([1.0]))


def test_copy_is_connected_and_detach_is_not() -> None:
    x = leaf([1.0, 2.0])
    assert x.copy().requires_grad
    assert tg.gradients(x.copy().sum(), x).tolist() == [1.0, 1.0]
    assert not x.detach().requires_grad
    assert tg.Tensor([True]).copy().tolist() == [True]
    assert tg.Tensor([1]).copy().dtype == np.int64


def test_tensors_are_hashed_by_identity_and_compared_by_entry() -> None:
    a, b = tg.Tensor([1.0, 2.0]), tg.Tensor([1.0, 2.0])
    assert len({a, b, a}) == 2
    assert (a == b).tolist() == [True, True]
    assert (a != [1.0, 3.0]).tolist() == [False, True]
