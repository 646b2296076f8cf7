"""What a Tensor is: values that never change, a dtype by NumPy's rules, a gradient, a leaf or a result."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


# Making one


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1, np.int64, ()), (1.5, np.float64, ()), (True, np.bool_, ()), ([1, 2], np.int64, (2,)), ([[1, 2.5]],
         np.float64, (1, 2)),
        (np.float32(2), np.float32, ()), (np.ones((2, 0), np.float16), np.float16, (2, 0)), ([], np.float64, (0,)),
        ((1.0, (2)), np.float64, (2,)), (np.uint8([3]), np.uint8, (1,)), ([np.float32(1), np.float32(2)], np.float32,
         (2,)),
    ],
)  # fmt: skip
def test_data_and_dtype_follow_numpy(data: Any, dtype: Any, shape: Any) -> None:
    t = tg.Tensor(data)
    assert t.dtype == dtype
    assert t.shape == shape
    assert (t.ndim, t.size) == (len(shape), int(np.prod(shape)))
    assert np.array_equal(t, np.array(data))
    assert tg.Tensor(data, dtype=np.float32).dtype == np.float32


def test_a_tensor_of_a_tensor_has_its_values() -> None:
    x = leaf([1.0, 2.0])
    assert tg.Tensor(x).tolist() == [1.0, 2.0]
    assert not tg.Tensor(x).requires_grad
    assert tg.tensor is tg.Tensor


@pytest.mark.parametrize("data", [[1, 2], [True, False], np.uint8([1]), 3])
def test_integers_become_floats_where_a_gradient_is_wanted(data: Any) -> None:
    assert leaf(data).dtype == np.float64
    assert leaf(data, dtype=np.int32).dtype == np.float64
    assert leaf(data, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    "data", [[[1, 2], [3]], "text", None, 1j, np.array([1 + 2j]), {"a": 1}, np.array(["a"]), 10**30]
)
def test_data_that_are_not_real_numbers(data: Any) -> None:
    with pytest.raises(tg.OperandError, match=r"a Tensor's data must be .*; got .*\. (Give every row|Convert them)"):
        tg.Tensor(data)


def test_a_list_of_tracked_tensors_is_refused() -> None:
    x = leaf(1.0)
    with pytest.raises(tg.OperandError, match=r"got a list with a Tensor that requires a gradient.*Use tg.stack"):
        tg.Tensor([1.0, [2.0, x]])
    with pytest.raises(tg.OperandError, match="got a list with a Tensor"):
        tg.add(tg.ones(2), [x, 1.0])
    assert tg.Tensor([tg.Tensor(1.0), 2.0]).tolist() == [1.0, 2.0]


# Values never change


def test_the_data_given_are_copied() -> None:
    a = np.ones(3)
    t, y = tg.Tensor(a), tg.ones(3) * a
    x = leaf(np.full(3, 2.0))
    product = x * a
    a[:] = 9.0
    assert t.tolist() == y.tolist() == [1.0] * 3
    product.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0] * 3


def test_a_given_gradient_is_copied() -> None:
    x, g = leaf(np.ones(3)), np.ones(3)
    (x + 0.0).backward(g)
    g[:] = 9.0
    assert x.grad is not None
    assert x.grad.tolist() == [1.0] * 3


def test_an_index_given_is_copied() -> None:
    x, i = leaf(np.arange(3.0)), np.array([0, 0])
    y = x[i]
    i[:] = 2
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 0.0, 0.0]


def test_every_way_to_change_values_is_closed() -> None:
    t, a = leaf([1.0, 2.0]), np.zeros(2)
    with pytest.raises(tg.OperandError, match=r"must stay as the tape saw them; got an assignment.*Write tg.where"):
        t[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        t.data[...] = 1
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(t)[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        (t * 2).data[0] = 1
    with pytest.raises(tg.OperandError, match="in-place operator on an array"):
        a += t
    with pytest.raises(tg.OperandError, match="out="):
        np.exp(a, out=t)
    with pytest.raises(tg.OperandError, match="out="):
        np.any(a, out=t)
    with pytest.raises(tg.OperandError, match="out="):
        np.argmax(a, 0, t)
    mask = [True, False]
    writes: list[Callable[[], Any]] = [
        lambda: np.copyto(a, t), lambda: np.copyto(t, a), lambda: np.put(a, [0], t), lambda: np.place(a, mask, t),
        lambda: np.putmask(t, mask, a), lambda: np.fill_diagonal(t, 1.0),
    ]  # fmt: skip
    for write in writes:
        with pytest.raises(tg.OperandError, match="to be written into must be a plain array"):
            write()
    for name in ("sort", "fill", "resize", "put", "itemset", "setflags"):
        assert not hasattr(t, name)
    assert t.tolist() == [1.0, 2.0]
    assert a.tolist() == [0.0, 0.0]


def test_an_in_place_operator_makes_a_new_tensor() -> None:
    t = leaf([1.0, 2.0])
    before = t
    t += 1
    t *= 2
    assert t is not before
    assert before.tolist() == [1.0, 2.0]
    assert t.tolist() == [4.0, 6.0]
    t.sum().backward()
    assert before.grad is not None
    assert before.grad.tolist() == [2.0, 2.0]


def test_numpy_gives_a_copy_of_ones_own() -> None:
    t = tg.Tensor([1.0, 2.0])
    mine = t.numpy()
    mine[0] = 9.0
    assert t.tolist() == [1.0, 2.0]
    assert np.array(t, copy=True).flags.writeable
    assert np.asarray(t, dtype=np.float32).dtype == np.float32
    assert not np.asarray(t).flags.writeable


def test_new_data_and_a_tape_recorded_before() -> None:
    w, x = leaf([2.0, 3.0]), tg.Tensor([5.0, 7.0])
    y = (w * w * x).sum()
    slope = tg.gradients(y, w, create_graph=True)
    w.data = [100.0, 100.0]
    assert w.tolist() == [100.0, 100.0]
    assert tg.gradients(slope.sum(), w).tolist() == [10.0, 14.0]
    y.backward()
    assert w.grad is not None
    assert w.grad.tolist() == [2 * 2.0 * 5.0, 2 * 3.0 * 7.0]
    assert (w * 1.0).sum().item() == 200.0


def test_new_data_must_fit() -> None:
    w = leaf([1.0, 2.0], dtype=np.float32)
    w.data = np.array([3.0, 4.0])
    assert w.dtype == np.float32
    with pytest.raises(
        tg.ShapeError, match=r"go to a leaf and have its shape \(2,\); got shape \(3,\) for a leaf. Make a new"
    ):
        w.data = [1.0, 2.0, 3.0]
    with pytest.raises(tg.ShapeError, match=r"got shape \(2,\) for the result of an operation"):
        (w * 2).data = [1.0, 2.0]


# Being a leaf, requiring a gradient


def test_leaves_and_results() -> None:
    x, c = leaf([1.0]), tg.Tensor([1.0])
    assert x.is_leaf
    assert c.is_leaf
    assert (c * 2).is_leaf
    assert not (x * 2).is_leaf
    assert (x * 2).detach().is_leaf
    assert not (x * 2).detach().requires_grad
    assert c.node is None


def test_requires_grad_can_be_set_on_a_float_leaf() -> None:
    x = tg.Tensor([1.0, 2.0], name="x")
    x.requires_grad = True
    (x * x).sum().backward()
    assert x.grad is not None
    assert x.node is not None
    assert x.node.name == "x"
    x.requires_grad = True
    assert x.grad is not None
    x.requires_grad = False
    assert x.grad is None
    for other in (leaf([1.0]) * 2, tg.Tensor([1, 2])):
        with pytest.raises(
            tg.GraphError, match=r"can be set on a leaf of floating-point numbers; got Tensor.*Use detach"
        ):
            other.requires_grad = not other.requires_grad


def test_a_name_reaches_the_tape() -> None:
    x = leaf([1.0], name="x")
    x.name = "input"
    assert x.name == "input"
    assert x.node is not None
    assert x.node.name == "input"
    plain = tg.Tensor([1.0])
    plain.name = "plain"
    assert "name='plain'" in repr(plain)


# The gradient


def test_the_gradient_is_a_tensor_or_none() -> None:
    x = leaf([1.0, 2.0])
    assert x.grad is None
    (x * 3).sum().backward()
    assert isinstance(x.grad, tg.Tensor)
    assert not x.grad.requires_grad
    x.grad = None
    assert x.grad is None
    x.grad = tg.Tensor([5.0, 5.0])
    (x * 3).sum().backward()
    assert x.grad.tolist() == [8.0, 8.0]
    plain = tg.Tensor([1.0])
    plain.grad = None
    assert plain.grad is None


@pytest.mark.parametrize("value", [tg.Tensor([1.0]), [1.0, 2.0], 3.0])
def test_a_gradient_of_the_wrong_kind_is_refused(value: Any) -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(
        tg.ShapeError, match=r"grad must be None or a Tensor of shape \(2,\) on a Tensor that requires a grad"
    ):
        x.grad = value
    with pytest.raises(tg.ShapeError, match="grad must be None"):
        tg.Tensor([1.0, 2.0]).grad = tg.Tensor([1.0, 2.0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_gradient_has_the_dtype_of_its_leaf(dtype: Any) -> None:
    x = leaf([1.0, 2.0], dtype=dtype)
    (x.astype(np.float64) * np.array([1.0, 2.0]) * x).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == dtype


def test_retain_grad() -> None:
    x = leaf(2.0)
    h = x * x
    h.retain_grad()
    (h * h).backward()
    assert h.grad is not None
    assert h.grad.item() == 8.0
    with pytest.raises(
        tg.GraphError, match=r"retain_grad\(\) must be called on a Tensor that requires a gradient; got Tensor"
    ):
        tg.Tensor(1.0).retain_grad()


def test_a_gradient_given_as_numbers_keeps_a_narrow_graph_narrow() -> None:
    x = leaf([1.0, 2.0], dtype=np.float32)
    h = x * 2
    h.retain_grad()
    h.backward([1.0, 2.0])
    assert h.grad is not None
    assert h.grad.dtype == np.float32


# Errors of backward


def test_backward_without_a_graph() -> None:
    with pytest.raises(
        tg.GraphError,
        match=r"must start from a Tensor that depends on one with requires_grad=True; got Tensor.*Was it computed un",
    ):
        (tg.Tensor([1.0]) * 2).backward()


def test_backward_of_a_non_scalar() -> None:
    x = leaf([[1.0, 2.0]])
    with pytest.raises(
        tg.GraphError, match=r"must start from a single number; got shape \(1, 2\). Sum or average it.*gradient="
    ):
        (x * x).backward()
    (x * x).backward([[1.0, 10.0]])
    assert x.grad is not None
    assert x.grad.tolist() == [[2.0, 40.0]]


def test_a_single_number_may_have_axes() -> None:
    x = leaf([[3.0]])
    (x * x).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[6.0]]


@pytest.mark.parametrize("gradient", [1.0, [1.0], [[1.0, 2.0]], np.ones((2, 1))])
def test_a_cotangent_of_the_wrong_shape(gradient: Any) -> None:
    y = leaf([1.0, 2.0]) * 2
    with pytest.raises(
        tg.ShapeError, match=r"cotangent of a result must have its shape \(2,\); got \(.*\). Reshape or broadcast"
    ):
        y.backward(gradient)


def test_create_graph_gives_gradients_that_record() -> None:
    x = leaf([1.0, 2.0])
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    assert first is not None
    assert first.requires_grad
    x.grad = None
    first.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [6.0, 12.0]


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
        tg.OperandError, match=r"add must get numbers, arrays or Tensors; got \w+. Wrap it in tg.Tensor"
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


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: bool(tg.ones(2)), tg.ShapeError, r"truth value must come from one entry; got shape \(2,\). Use .any"),
        (lambda: tg.ones(2).item(), tg.ShapeError, r"item\(\) must get a Tensor with one entry; got shape \(2,\). "
         r"Index it"),
        (lambda: float(tg.ones(0)), tg.ShapeError, r"item\(\) must get"),
        (lambda: len(tg.Tensor(1.0)), tg.OperandError, r"len\(\) must get a Tensor with an axis; got one of shape "
         r"\(\). Use .size"),
        (lambda: iter(tg.Tensor(1.0)), tg.OperandError, r"a loop must get a Tensor with an axis.*Use .item"),
        (lambda: [1][tg.Tensor(0.0)], tg.OperandError, r"an index must be an integer of shape \(\); got float64.*Use "
         r"int"),
        (lambda: [1][tg.Tensor([0])], tg.OperandError, r"an index must be an integer"),
    ],
)  # fmt: skip
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


# Copies


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
    with pytest.raises(
        tg.GraphError, match=r"pickled or deep-copied must be a leaf; got the result of Tensor.*Use detach\(\)"
    ):
        again(x * 2)


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
