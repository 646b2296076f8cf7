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


@given(shape=hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4), data=st.data())
def test_turning_and_cutting(shape: Any, data: st.DataObject) -> None:
    n = len(shape)
    axis = data.draw(st.integers(-n, n - 1))
    start = data.draw(st.integers(-n, n))
    moves_entries(lambda x: np.rollaxis(x, axis, start), shape)
    moves_entries(np.flipud, shape)
    moves_entries(np.atleast_3d, shape)
    moves_entries(lambda x: np.resize(x, (2, 3)), shape) if 0 not in shape else None
    if n > 1:
        plane = data.draw(st.permutations(range(n)))[:2]
        turns = data.draw(st.integers(-5, 5))
        moves_entries(lambda x: np.rot90(x, turns, plane), shape)
        moves_entries(np.fliplr, shape)
        moves_entries(lambda x: np.dstack([x, x]), shape) if n > 2 else None
    for i in range(shape[axis]):
        moves_entries(lambda x, i=i: np.unstack(x, axis=axis)[i], shape)
    for a, f in enumerate((np.vsplit, np.hsplit, np.dsplit)):
        if n > max(a, 1):
            moves_entries(lambda x, a=a, f=f: f(x, [shape[a] // 2])[1], shape)


@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4), data=st.data())
def test_inserting_and_deleting(shape: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    n = shape[axis]
    places = data.draw(st.lists(st.integers(-n, n - 1), max_size=3))
    moves_entries(lambda x: np.delete(x, places, axis), shape)
    moves_entries(lambda x: np.delete(x, slice(0, n, 2), axis), shape)
    moves_entries(lambda x: np.delete(x, np.int64(0), np.int64(axis)), shape)
    moves_entries(lambda x: np.append(x, x, axis), shape)
    moves_entries(lambda x: np.append(x, x), shape)
    moves_entries(lambda x: np.insert(x, n, np.take(x, 0, axis), axis), shape)
    flat = data.draw(st.lists(st.integers(0, int(np.prod(shape))), min_size=2, max_size=2))
    moves_entries(lambda x: np.insert(x, flat, x.ravel()[[0, -1]]), shape)


def test_what_is_inserted_takes_the_dtype_of_the_data() -> None:
    x = tg.Tensor([1.0, 2.0], dtype=np.float32, requires_grad=True)
    v = tg.Tensor([8.0, 9.0], requires_grad=True)
    y = tg.insert(x, [0, 2], v)
    assert y.dtype == np.float32
    assert y.tolist() == [8.0, 1.0, 2.0, 9.0]
    assert [g.tolist() for g in tg.gradients(y, [x, v], [1.0, 2.0, 3.0, 4.0])] == [[2.0, 3.0], [1.0, 4.0]]


def test_a_matrix_of_blocks() -> None:
    a, b = tg.Tensor(np.eye(2), requires_grad=True), tg.Tensor([[3.0], [4.0]], requires_grad=True)
    y = np.block([[a, b], [tg.ones(3)]])
    assert y.tolist() == [[1.0, 0.0, 3.0], [0.0, 1.0, 4.0], [1.0, 1.0, 1.0]]
    assert [g.tolist() for g in tg.gradients(y.sum(), [a, b])] == [[[1.0, 1.0], [1.0, 1.0]], [[1.0], [1.0]]]


def test_joining_with_a_dtype_that_changes_nothing() -> None:
    x, i = tg.Tensor(np.ones((2, 2)), requires_grad=True), tg.Tensor(np.ones((2, 2), int))
    for join in (np.concatenate, np.stack, np.vstack, np.hstack):
        assert join([x, i], dtype=np.float64, casting="same_kind").requires_grad
        assert join([x, x], casting="no").requires_grad
        assert join([i, i], dtype="int64").dtype == np.int64
        with pytest.raises(
            tg.OperandError, match=r"dtype must be that of the result, float64, on Tensors; got float32"
        ):
            join([x, x], dtype=np.float32)
        with pytest.raises(tg.OperandError, match=r"casting='no' must allow float64, int64 to become float64; it does"):
            join([x, i], casting="no")


def test_sizes_and_axes_may_be_numpys_integers() -> None:
    one, two, x = np.int64(1), np.int8(2), np.arange(24.0).reshape(2, 3, 4)
    for call in (
        lambda x: np.reshape(x, (two, np.int64(-1))),
        lambda x: np.broadcast_to(x[0, 0], (two, np.int64(4))),
        lambda x: np.transpose(x[0, 0], np.int64(0)),
        lambda x: np.swapaxes(x, one, two),
        lambda x: np.repeat(x, two, one),
        lambda x: np.moveaxis(x, one, two),
        lambda x: np.expand_dims(x, one),
        lambda x: np.split(x, two, two)[1],
        lambda x: np.array_split(x, two, one)[1],
        lambda x: np.concatenate([x, x], one),
        lambda x: np.stack([x, x], two),
        lambda x: np.roll(x, two, one),
        lambda x: np.flip(x, one),
        lambda x: np.tile(x, two),
        lambda x: np.pad(x, two),
        lambda x: np.tril(x, one),
        lambda x: np.diag(x[0, 0], one),
        lambda x: np.diagonal(x, one, one, two),
        lambda x: np.take(x, one, two),
        lambda x: np.sort(x, one),
        lambda x: np.cumsum(x, one),
        lambda x: np.cumprod(x, one),
        lambda x: np.sum(x, (one, two)),
        lambda x: np.var(x, one, ddof=one),
        lambda x: np.diff(x, two, two),
        lambda x: np.tensordot(x, x[0], two),
        lambda x: np.squeeze(x[:, :1], one),
        lambda x: np.linalg.norm(x, axis=one),
        lambda x: np.delete(x, one, two),
        lambda x: np.rot90(x, one),
        lambda x: np.unstack(x, axis=one)[0],
        lambda x: np.median(x, one),
        lambda x: np.resize(x, (two, two)),
        lambda x: np.round(x, one),
        lambda x: np.partition(x, one, one),
        lambda x: np.cumulative_sum(x, axis=one),
        lambda x: np.trapezoid(x, axis=one),
        lambda x: np.average(x, one),
        lambda x: np.gradient(x, two, axis=one),
        lambda x: np.rollaxis(x, two, one),
    ):
        t = tg.Tensor(x, requires_grad=True)
        y = call(t)
        np.testing.assert_allclose(np.asarray(y.detach()), call(x), rtol=1e-13)
        assert tg.gradients(y, t, np.ones(y.shape)).shape == x.shape
    for made in (tg.zeros(two), tg.ones((two, one)), tg.full(two, 1.0), tg.arange(two), tg.eye(two, two, one)):
        assert made.shape[0] == 2
    assert tg.linspace(0.0, 1.0, two).tolist() == [0.0, 1.0]


ERRORS: dict[type[Exception], list[tuple[Any, ...]]] = {
    tg.ShapeError: [
        (lambda x: tg.rot90(x, 1, (0, 0)), r"rot90: the axes must fit the shape \(2, 3\); got 1, \(0, 0\)"),
        (lambda x: tg.fliplr(x[0]), r"fliplr: the axis must lie in \[-1, 1\)"),
        (lambda x: tg.rollaxis(x, 2), r"rollaxis: the axis must lie in \[-2, 2\)"),
        (lambda x: tg.rollaxis(x, 1, 3), r"rollaxis: the axis must lie in"),
        (lambda x: tg.broadcast_arrays(x, [1.0, 2.0]), r"the shapes must broadcast; got \(2, 3\) and \(2,"),
        (lambda x: tg.insert(x, 9, 1.0, 0), r"insert: the places must lie along axis 0 of shape \(2, 3\)"),
        (lambda x: tg.insert(x, 0, [1.0, 2.0], 0), r"insert: .*the values, of shape \(2,\), must fit"),
        (lambda x: tg.delete(x, 0, 2), r"delete: the axis must lie in"),
        (lambda x: tg.hsplit(x, 2), r"split: the axis of length 3 must divide into 2 equal parts"),
        (lambda x: tg.vsplit(x[0], 3), r"vsplit: the axis must lie in"),
        (lambda x: tg.resize(x, -1), r"resize: the axes must fit"),
        (lambda x: tg.dsplit(x, 1), r"dsplit: the axis must lie in"),
        (lambda x: tg.unstack(x, axis=2), r"unstack: the axis must lie in"),
        (lambda x: tg.cross(x[:, :2], x), r"cross: the vectors must have three entries; got 2 and 3"),
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
        (lambda x: tg.dstack([]), r"dstack must get a sequence of at least one Tensor"),
        (lambda x: tg.column_stack(1.0), r"column_stack must get a sequence"),
        (lambda x: tg.kron(x, None), None),
        (lambda x: tg.concatenate([]), "concatenate must get a sequence of at least one Tensor; got list. Write"),
        (lambda x: tg.concatenate(3.0), "concatenate must get a sequence .*got float"),
        (lambda x: tg.stack(tg.Tensor(1.0)), "stack must get a sequence .*got Tensor"),
        (lambda x: tg.vstack(()), "vstack must get a sequence .*got tuple"),
        (lambda x: tg.hstack(np.array(1.0)), "hstack must get a sequence .*got ndarray"),
        (lambda x: tg.pad(x, 1, constant_values=tg.Tensor(2.0, requires_grad=True)), "a fill value must be a"),
    ],
    tg.InputError: [
        (lambda x: tg.meshgrid(x[0], x[0], indexing="yx"), r"indexing must be 'xy' or 'ij'; got 'yx'"),
        (np.trim_zeros, r"trim_zeros must get a vector, and 'f', 'b' or 'fb'; got shape \(2, 3\) and 'fb'"),
        (lambda x: np.trim_zeros(x[0], "x"), r"trim_zeros must get a vector"),
        (lambda x: tg.pad(x, 1, mode="edge"), "pad: a Tensor can be padded with one constant; got mode='edge'.*Use"),
        (lambda x: tg.pad(x, 1, constant_values=(1, 2)), r"pad: .*constant_values=\(1, 2\)"),
    ],
    tg.IndexRangeError: [
        (lambda x: tg.delete(x, 6), r"delete: the places must lie along axis 0 of shape \(6,\); got 6"),
    ],
}


@pytest.mark.parametrize(
    ("error", "call", "message"), [(error, *row) for error, rows in ERRORS.items() for row in rows]
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(tg.ones((2, 3)))
