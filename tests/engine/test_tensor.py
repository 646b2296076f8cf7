"""What a Tensor is: values that never change, a dtype by NumPy's rules, a gradient, a leaf or a result."""

from __future__ import annotations

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
        (1, np.int64, ()),
        (1.5, np.float64, ()),
        (True, np.bool_, ()),
        ([1, 2], np.int64, (2,)),
        ([[1, 2.5]], np.float64, (1, 2)),
        (np.float32(2), np.float32, ()),
        (np.ones((2, 0), np.float16), np.float16, (2, 0)),
        ([], np.float64, (0,)),
        ((1.0, (2)), np.float64, (2,)),
        (np.uint8([3]), np.uint8, (1,)),
        ([np.float32(1), np.float32(2)], np.float32, (2,)),
    ],
)
def test_data_and_dtype_follow_numpy(data: Any, dtype: Any, shape: Any) -> None:
    t = tg.Tensor(data)
    assert t.dtype == dtype
    assert t.shape == shape
    assert (t.ndim, t.size) == (len(shape), int(np.prod(shape)))
    assert np.array_equal(t, np.array(data))
    assert tg.Tensor(data, dtype=np.float32).dtype == np.float32


def test_a_tensor_of_a_tensor_has_its_values() -> None:
    x = leaf([1.0, 2.0])
    assert tg.Tensor(x.detach()).tolist() == [1.0, 2.0]
    assert not tg.Tensor(x.detach()).requires_grad
    assert tg.tensor is tg.Tensor


@pytest.mark.parametrize("data", [[1, 2], [True, False], np.uint8([1]), 3])
def test_integers_become_floats_where_a_gradient_is_wanted(data: Any) -> None:
    assert leaf(data).dtype == np.float64
    assert leaf(data, dtype=np.int32).dtype == np.float64
    assert leaf(data, dtype=np.float32).dtype == np.float32


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
    assert x.grad is not None
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
        match=r"must start from a Tensor that depends on one with requires_grad=True; got Tensor.* was computed fr",
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
