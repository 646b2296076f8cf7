"""Rearranging, joining and cutting: NumPy's results at random shapes, exact adjoints, errors that name the axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_norm as tg
from tinygrad_norm.engine.primitives.shape import repeated

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def moves_entries(f: Callable[[Any], Any], shape: Any) -> None:
    """Check f, which only moves (or repeats, or drops) entries: its values, and its adjoint by counting."""
    x = np.arange(float(np.prod(shape))).reshape(shape)
    t = tg.Tensor(x, requires_grad=True)
    y, expected = f(t), f(x)
    assert y.shape == expected.shape
    assert np.array_equal(y, expected)
    u = np.cos(np.arange(y.size) + 1.0).reshape(y.shape)
    wanted = np.zeros(x.size)
    np.add.at(wanted, expected.astype(int).ravel(), u.ravel())
    np.testing.assert_allclose(np.asarray(tg.gradients(y, t, u)).ravel(), wanted, atol=1e-14)


@given(shape=shapes, data=st.data())
def test_reshape(shape: Any, data: st.DataObject) -> None:
    sizes = data.draw(st.permutations(shape))
    target: list[int] = [1] * data.draw(st.integers(0, 2)) + list(sizes)
    if target and 0 not in shape and data.draw(st.booleans()):
        target[data.draw(st.integers(0, len(target) - 1))] = -1
    moves_entries(lambda x: x.reshape(target), shape)
    if target:
        moves_entries(lambda x: x.reshape(*target), shape)
    moves_entries(lambda x: np.reshape(x, tuple(target)), shape)


@given(shape=shapes, data=st.data())
def test_transpose(shape: Any, data: st.DataObject) -> None:
    n = len(shape)
    axes = [a - n * data.draw(st.booleans()) for a in data.draw(st.permutations(range(n)))]
    moves_entries(lambda x: x.transpose(axes), shape)
    moves_entries(lambda x: x.transpose(*axes), shape)
    moves_entries(lambda x: x.T, shape)
    if n >= 2:
        moves_entries(lambda x: x.mT, shape)


@given(shape=hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4), data=st.data())
def test_moving_axes(shape: Any, data: st.DataObject) -> None:
    n = len(shape)
    axis = st.integers(-n, n - 1)
    a, b = data.draw(axis), data.draw(axis)
    moves_entries(lambda x: x.swapaxes(a, b), shape)
    moves_entries(lambda x: np.moveaxis(x, a, b), shape)
    some = data.draw(st.lists(st.integers(0, n - 1), unique=True))
    places = data.draw(st.permutations(range(n)))[: len(some)]
    moves_entries(lambda x: np.moveaxis(x, some, places), shape)
    new = data.draw(st.integers(-n - 1, n))
    moves_entries(lambda x: np.expand_dims(x, new), shape)
    moves_entries(lambda x: np.squeeze(np.expand_dims(x, new), new), shape)
    moves_entries(np.squeeze, shape)
    shift = data.draw(st.integers(-5, 5))
    moves_entries(lambda x: np.roll(x, shift, a), shape)
    moves_entries(lambda x: np.flip(x, some), shape) if some else moves_entries(np.flip, shape)


@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4), data=st.data())
def test_joining_and_cutting(shape: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    n = shape[axis]
    moves_entries(lambda x: np.concatenate([x, x[:1], x] if axis % len(shape) == 0 else [x, x], axis), shape)
    moves_entries(lambda x: np.stack([x, x], axis), shape)
    places = sorted(data.draw(st.lists(st.integers(0, n), max_size=3)))
    for k in range(len(places) + 1):
        moves_entries(lambda x, k=k: np.split(x, places, axis)[k], shape)
    sections = data.draw(st.integers(1, n))
    assert [p.shape for p in np.array_split(tg.ones(shape), sections, axis)] == [
        p.shape for p in np.array_split(np.ones(shape), sections, axis)
    ]
    repeats = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    moves_entries(lambda x: np.repeat(x, repeats, axis), shape)
    moves_entries(lambda x: np.repeat(x, 2), shape)
    moves_entries(lambda x: np.tile(x, (2, 1)), shape)


@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3), data=st.data())
def test_padding(shape: Any, data: st.DataObject) -> None:
    width = [(data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))) for _ in shape]
    x = np.arange(float(np.prod(shape))).reshape(shape)
    t = tg.Tensor(x, requires_grad=True)
    y = np.pad(t, width, constant_values=-1.5)
    assert np.array_equal(y, np.pad(x, width, constant_values=-1.5))
    inner = tuple(slice(a, a + n) for (a, _), n in zip(width, shape, strict=True))
    u = np.cos(np.arange(y.size)).reshape(y.shape)
    assert np.array_equal(tg.gradients(y, t, u), u[inner])


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=1, max_dims=3, min_side=1, max_side=3))
def test_broadcast_to(shapes: Any) -> None:
    moves_entries(lambda x: np.broadcast_to(x, shapes.result_shape), shapes.input_shapes[0])


def test_a_large_broadcast_takes_no_memory_and_still_cannot_be_written_to() -> None:
    x = tg.Tensor(np.ones((1, 1000)), requires_grad=True)
    y = tg.broadcast_to(x, (1000, 1000))
    assert y._array.strides[0] == 0
    y.sum().backward()
    assert x.grad is not None
    assert np.array_equal(x.grad, np.full((1, 1000), 1000.0))


def test_triangles_keep_their_dtype() -> None:
    for dtype in (np.bool_, np.int64, np.float32):
        for f in (np.tril, np.triu):
            assert f(tg.ones((2, 3, 3), dtype=dtype)).dtype == dtype
            assert np.array_equal(f(tg.ones((2, 3, 3), dtype=dtype), 1), f(np.ones((2, 3, 3), dtype), 1))


def test_astype_to_the_same_dtype_is_the_same_tensor() -> None:
    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    assert x.astype(float) is x
    y = x.astype(np.float32) * 2
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float64
    assert not x.astype(int).requires_grad


def test_a_small_array_is_filled_and_a_large_one_shown_as_a_view() -> None:
    for x in (np.ones(()), np.ones((64, 1))):
        small, large = repeated(x, (64, 64)), repeated(x, (64, 65))
        assert small.flags.c_contiguous
        assert small.flags.writeable
        assert 0 in large.strides
        assert np.all(large == 1)
    assert repeated(small, (64, 64)) is small


ERRORS: dict[type[Exception], list[tuple[Any, ...]]] = {
    tg.ShapeError: [
        (lambda x: tg.expand_dims(x, 4), r"expand_dims: the axes must fit the shape \(2, 3\); got 4: axis 4 is out"),
        (lambda x: tg.expand_dims(x, (0, 0)), "expand_dims: .*repeated axis"),
        (lambda x: x.squeeze(0), r"squeeze: the axes must fit the shape \(2, 3\); got 0: cannot select an axis"),
        (lambda x: x.squeeze(5), "squeeze: .*axis 5 is out of bounds.*Count axes from 0"),
        (lambda x: x.swapaxes(0, 2), r"swapaxes: the axis must lie in \[-2, 2\) for shape \(2, 3\); got 2"),
        (lambda x: tg.moveaxis(x, 0, 3), r"moveaxis: the axes must fit the shape \(2, 3\); got 0, 3: destination"),
        (lambda x: tg.moveaxis(x, [0, 1], 0), "moveaxis: .*same number of elements"),
        (lambda x: tg.split(x, 2, 1), "split: the axis of length 3 must divide into 2 equal parts.*np.array_split"),
        (lambda x: tg.split(x, 2, 2), r"split: the axis must lie in \[-2, 2\)"),
        (lambda x: tg.array_split(x, 2, -3), "array_split: the axis must lie in"),
        (lambda x: x.repeat(2, 2), "repeat: the axis must lie in"),
        (lambda x: x.repeat([1, 2], 1), "repeat: repeats must be one count or one for each of the 3 entries of axis 1"),
        (lambda x: x.repeat(-1), "repeat: repeats must be .*got -1"),
        (lambda x: tg.pad(x, ((1, 1), (1, 1), (1, 1))), r"pad: pad_width must be .* shape \(2, 3\).*Write \(\(before"),
        (lambda x: tg.pad(x, -1), "pad: .*negative"),
        (lambda x: tg.tril(x[0]), r"a triangle must be of a matrix or a stack of them; got shape \(3,\). Add an axis"),
        (lambda x: tg.triu(1.0), "a triangle must be"),
        (lambda x: tg.broadcast_to(x, (3, 3)), r"broadcast_to: .*shape=\(3, 3\)"),
        (
            lambda x: tg.broadcast_to(x[:1], (3,)),
            r"broadcast_to: .*at least the 2 axes of \(1, 3\); got \(3,\). Reshape",
        ),
    ],
    tg.OperandError: [
        (lambda x: tg.concatenate([]), "concatenate must get a sequence of at least one Tensor; got list. Write"),
        (lambda x: tg.concatenate(3.0), "concatenate must get a sequence .*got float"),
        (lambda x: tg.stack(tg.Tensor(1.0)), "stack must get a sequence .*got Tensor"),
        (lambda x: tg.vstack(()), "vstack must get a sequence .*got tuple"),
        (lambda x: tg.hstack(np.array(1.0)), "hstack must get a sequence .*got ndarray"),
        (lambda x: tg.pad(x, 1, constant_values=tg.Tensor(2.0, requires_grad=True)), "a fill value must be a"),
    ],
    tg.InputError: [
        (lambda x: tg.pad(x, 1, mode="edge"), "pad: a Tensor can be padded with one constant; got mode='edge'.*Use"),
        (lambda x: tg.pad(x, 1, constant_values=(1, 2)), r"pad: .*constant_values=\(1, 2\)"),
    ],
}


@pytest.mark.parametrize(
    ("error", "call", "message"), [(error, *row) for error, rows in ERRORS.items() for row in rows]
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(tg.ones((2, 3)))
