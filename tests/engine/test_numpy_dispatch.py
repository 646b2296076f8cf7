"""``np.f(tensor)``: NumPy's values for every supported function, recorded; for every other an error that helps."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tests.engine.linalg_calls import MATRICES
from tests.engine.numpy_calls import OF_OPS
from tinygrad_norm.engine.primitive import NUMPY
from tinygrad_norm.ops.constants import PLAIN_RESULTS

X = np.array([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6]])
POSITIVE = np.array([[0.3, 1.2, 0.7], [1.9, 0.4, 0.6]])
Y = np.array([0.5, -0.8, 1.1])
SQUARE = np.array([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6], [0.2, 0.9, -1.5]])
BITS = np.array([True, False, True])

Function = Callable[..., Any]
Call = Callable[[Function], tuple[Function, tuple[Any, ...]]]
COMPARISONS = (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal)


def at(*arguments: Any, **options: Any) -> Call:
    """Return the call of a function with these arguments, where arrays also stand for Tensors."""
    return lambda f: (partial(f, **options), arguments)


def by(call: Function, *arguments: Any) -> Call:
    """Return a call whose arguments stand within a sequence, or beside arrays that stay arrays."""
    return lambda f: (call, arguments)


def each(functions: tuple[Function, ...], *calls: Call) -> dict[Function, Sequence[Call]]:
    return dict.fromkeys(functions, calls)


def written(x: Any) -> Any:
    """What np.save and its like write, read again."""
    save, text = io.BytesIO(), io.StringIO()
    np.save(save, x)
    np.savetxt(text, x)
    save.seek(0)
    text.seek(0)
    same = np.array_equal(np.load(save), np.loadtxt(text))
    for zipped in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        zipped(file, x=x)
        file.seek(0)
        same = same and np.load(file)["x"].shape == (2, 3)
    return same


# Every call is made with arrays and with Tensors in their place. These have a gradient,
RECORDED: dict[Function, Sequence[Call]] = {
    **each((np.negative, np.positive, np.absolute, np.sign, np.floor, np.reciprocal, np.copy), at(X)),
    **each((np.square, np.exp, np.expm1), at(X)),
    **each((np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh, np.arctan), at(X)),
    **each((np.sqrt, np.log, np.log1p), at(POSITIVE)),
    **each(
        (np.add, np.subtract, np.multiply, np.divide, np.remainder, np.maximum, np.minimum, np.logaddexp),
        *(at(X, Y), at(X, 1.5), at(-0.3, Y), at(X, Y[:, None, None])),
    ),
    np.power: [at(POSITIVE, Y), at(POSITIVE, -2), at(2.0, Y)],
    np.matmul: [at(X, SQUARE), at(X, Y)],
    np.where: [by(lambda x, y: np.where(X > 0, x, y), X, Y), by(lambda x: np.where(X > 0, x, 0.0), X)],
    np.transpose: [at(X), at(X, (1, 0)), at(Y, 0)],
    np.broadcast_to: [at(Y, (2, 3)), at(np.array(2.0), 4)],
    np.flip: [at(X), at(X, axis=1)],
    np.roll: [at(X, 1), at(X, 2, axis=1)],
    **each(
        (np.sum, np.mean, np.prod, np.max, np.amax, np.min, np.amin, np.var, np.std, np.ptp),
        *(at(X), at(X, 0), at(X, axis=(0, 1), keepdims=True), at(X, axis=-1)),
    ),
    np.cumsum: [at(X), at(X, axis=1)],
    np.cumprod: [at(X), at(X, axis=0)],
    np.take: [at(X, [3, 3, -1]), at(X, [[0, 0]], axis=1)],
    np.take_along_axis: [
        by(lambda x: np.take_along_axis(x, np.array([[0, 2], [1, 1]]), axis=1), X),
        by(lambda x: np.take_along_axis(x, np.array([0, 5]), axis=None), X),
    ],
    np.sort: [at(X), at(X, axis=0), at(X, axis=None)],
    np.diagonal: [at(SQUARE), at(X, 1), at(SQUARE[None] * Y[:, None, None], -1, 0, 2), at(X, 5)],
    np.trace: [at(SQUARE), at(X, -1)],
    np.diag: [at(X), at(Y), at(Y, -2), at(Y[:0])],
    np.reshape: [at(X, (3, 2)), at(X, -1)],
    np.ravel: [at(X)],
    np.expand_dims: [at(X, 1), at(X, (0, -1))],
    np.squeeze: [at(X[None, :1]), at(X[None, :1], axis=0)],
    np.atleast_1d: [at(np.array(2.0)), at(X)],
    np.atleast_2d: [at(np.array(2.0)), at(Y)],
    np.swapaxes: [at(X[None], 0, -1)],
    np.matrix_transpose: [at(X[None])],
    np.moveaxis: [at(X[None], 0, -1), at(X[None], [0, 1], [2, 0])],
    np.concatenate: [
        by(lambda x, y: np.concatenate([x, y[None], X]), X, Y),
        by(lambda x: np.concatenate((x, x), axis=1), X),
        by(lambda x, y: np.concatenate([x, y], axis=None), X, Y),
    ],
    np.stack: [by(lambda x, y: np.stack([x, y, Y]), Y, Y + 1), by(lambda x: np.stack([x, x], axis=-1), X)],
    np.vstack: [by(lambda x, y: np.vstack([x, y]), X, Y)],
    np.hstack: [by(lambda x, y: np.hstack([x, y]), Y, Y + 1), by(lambda x: np.hstack([x, X]), X)],
    np.split: [
        by(lambda x: np.split(x, 3, axis=1)[1], X),
        by(lambda x: np.split(x, [1, 1, 9], axis=-1)[2], X),
        by(lambda x: np.split(x, [1, 1], axis=1)[1], X),
    ],
    np.array_split: [by(lambda x: np.array_split(x, 2, axis=1)[0], X)],
    np.repeat: [at(X, 2), at(X, [0, 3], axis=0)],
    np.tile: [at(X, 2), at(X, (2, 1, 3))],
    np.pad: [at(X, 1), at(X, ((1, 0), (0, 2)), constant_values=3.0), at(X, (1, 2), mode="constant")],
    np.tril: [at(SQUARE), at(X, -1)],
    np.triu: [at(SQUARE), at(X, k=1)],
    np.astype: [at(X, np.float64)],
    np.clip: [
        *(at(X, -0.5, 0.5), at(X, a_min=0.0, a_max=None), at(X, min=0.0, max=1.0)),
        *(by(lambda x, y: np.clip(x, y - 1, y + 1), X, Y), at(X, None, Y), at(X, Y, None)),
    ],
    np.dot: [at(X, SQUARE), at(Y, Y), at(X, 2.0), at(X, SQUARE[None] * [[[2.0]]])],
    np.inner: [at(X, SQUARE), at(Y, 2.0)],
    np.vdot: [at(X, X + 1)],
    np.outer: [at(X, Y)],
    np.tensordot: [at(X, X + 1), at(X, SQUARE, 1), at(X, X.T, ([1, 0], [0, 1])), at(X, Y, 0)],
    np.einsum: [at("ij,jk->ik", X, SQUARE), at("ij,jk", X, SQUARE, optimize=True)],
    np.linalg.norm: [
        at(X),
        at(X, axis=1),
        at(X, 1, 0, True),
        at(Y, np.inf),
        at(X, "fro"),
        at(Y, 2),
        at(X, axis=(0, 1)),
    ],
}
# and these have none.
PLAIN: dict[Function, Sequence[Call]] = {
    **each((*COMPARISONS, np.isclose, np.floor_divide), at(X, Y), at(X, 0.4), at(0.4, X)),
    **each((np.logical_and, np.logical_or, np.logical_xor), at(BITS, ~BITS[::-1]), at(BITS, True)),
    **each((np.bitwise_and, np.bitwise_or, np.bitwise_xor), at(BITS, ~BITS[::-1]), at(BITS, True)),
    **each((np.logical_not, np.invert), at(BITS)),
    **each((np.isnan, np.isinf, np.isfinite, np.signbit), at(np.array([1.0, -np.inf, np.nan]))),
    **each(
        (np.argmax, np.argmin, np.all, np.any, np.count_nonzero),
        *(at(X), at(X, 1), at(X, axis=0, keepdims=True)),
    ),
    np.argsort: [at(X), at(X, axis=0)],
    **each((np.zeros_like, np.ones_like), at(X), at(X, np.float32), at(X, shape=(2,))),
    np.empty_like: [by(lambda x: np.zeros_like(np.empty_like(x)), X)],
    np.full_like: [at(X, 2.5), at(X, 2, dtype=int)],
    **each((np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj), at(X)),
    **each((np.array2string, np.array_repr, np.array_str), at(X)),
    **each((np.allclose, np.array_equal, np.array_equiv, np.shares_memory, np.may_share_memory), at(X, X.copy())),
    np.result_type: [at(X, np.float32)],
    np.can_cast: [at(np.float32([1]), np.float64)],
    np.where: [by(lambda x: np.where(x > 0)[1], X)],
    np.tril: [at(SQUARE > 0)],
    np.triu: [at(SQUARE > 0)],
    np.astype: [at(X, np.int64)],
    **each((np.save, np.savetxt, np.savez, np.savez_compressed), by(written, X)),
}
REFUSED = (np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis)
for _function, _calls in MATRICES.items():
    for _kind, _call, _arguments in _calls:
        _table = RECORDED if _kind == "d" else PLAIN
        _table[_function] = [*_table.get(_function, []), by(_call, *_arguments)]
EVERY = [
    (f.__name__, records, *call(f))
    for records, table in ((True, RECORDED), (False, PLAIN))
    for f, calls in table.items()
    for call in calls
] + [(f.__name__, kind == "d", call, arguments) for f, calls in OF_OPS for kind, call, arguments in calls]
CALLS = {name: [each[1:] for each in EVERY if each[0] == name] for name in dict.fromkeys(each[0] for each in EVERY)}


def test_every_supported_function_is_called() -> None:
    assert set(RECORDED) | set(PLAIN) | set(REFUSED) | {f for f, _ in OF_OPS} == set(NUMPY)


def tensors(arguments: Any, requires_grad: bool) -> list[Any]:
    return [
        tg.Tensor(a, requires_grad=requires_grad and a.dtype.kind == "f") if isinstance(a, np.ndarray) else a
        for a in arguments
    ]


@pytest.mark.parametrize("name", CALLS)
def test_the_values_are_numpys(name: str) -> None:
    for _, call, arguments in CALLS[name]:
        expected = call(*arguments)
        result = call(*tensors(arguments, requires_grad=False))
        if name not in {f.__name__ for f in PLAIN_RESULTS}:
            expected = np.asarray(expected)
            assert isinstance(result, tg.Tensor)
            assert result.shape == expected.shape
            assert result.dtype == expected.dtype
            assert not result.requires_grad
            np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-14, atol=1e-14)
        else:
            assert type(result) is type(expected)
            assert result == expected


@pytest.mark.parametrize("name", CALLS)
def test_what_has_a_gradient_records_and_it_is_right(
    name: str, derivative: Any, close: Any, rng: np.random.Generator
) -> None:
    for records, call, arguments in CALLS[name]:
        leaves = tensors(arguments, requires_grad=True)
        y = call(*leaves)
        assert getattr(y, "requires_grad", False) == records
        if not records:
            continue
        u = rng.standard_normal(y.shape)
        free = [t for t in leaves if isinstance(t, tg.Tensor)]
        vs = [rng.standard_normal(np.shape(a)) if isinstance(a, np.ndarray) else None for a in arguments]
        found = tg.gradients(y, free, u)
        mine = sum(np.sum(np.asarray(g) * v) for g, v in zip(found, [v for v in vs if v is not None], strict=True))
        close(mine, np.sum(u * derivative(call, arguments, vs)))


@pytest.mark.parametrize(
    ("method", "ours"),
    [
        (lambda x: np.add.reduce(x), lambda x: np.sum(x, 0)),
        (lambda x: np.add.reduce(x, 1), lambda x: np.sum(x, 1)),
        (lambda x: np.add.reduce(x, axis=None), np.sum),
        (lambda x: np.multiply.reduce(x, keepdims=True), None),
        (lambda x: np.maximum.reduce(x, axis=1), lambda x: np.max(x, 1)),
        (np.minimum.reduce, None),
        (np.add.accumulate, None),
        (lambda x: np.multiply.accumulate(x, axis=1), None),
        (lambda x: np.logical_and.reduce(x > 0), None),
        (lambda x: np.logical_or.reduce(x > 0, axis=1), None),
        (lambda x: np.multiply.outer(x, X), None),
        (lambda x: np.subtract.outer(Y, x), None),
    ],
)
def test_methods_of_ufuncs(method: Any, ours: Any) -> None:
    result = method(tg.Tensor(X))
    assert isinstance(result, tg.Tensor)
    np.testing.assert_allclose(np.asarray(result), method(X), rtol=1e-14)
    if ours is not None:
        assert np.array_equal(result, ours(tg.Tensor(X)))


def test_outer_of_a_ufunc_records() -> None:
    x = tg.Tensor(Y, requires_grad=True)
    np.multiply.outer(x, X).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(np.asarray(x.grad), np.full(3, X.sum()))


# Numbers and arrays beside Tensors


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.maximum(x, 0.0),
        lambda x: np.where(x > 0, x, 0.5),
        lambda x: np.clip(x, -0.1, 0.1),
        lambda x: np.pad(x, 1),
        lambda x: np.power(2.0, x),
        lambda x: np.add(1, x),
        lambda x: np.logaddexp(x, 0.0),
        lambda x: np.remainder(x, 0.3),
        lambda x: np.var(x, axis=0),
        lambda x: np.std(x, ddof=1),
        lambda x: np.linalg.norm(x),
        lambda x: np.tril(x),
        lambda x: np.diag(x),
        lambda x: np.cumprod(x),
        lambda x: np.sinh(x),
        lambda x: np.reciprocal(x),
        lambda x: np.tan(x),
    ],
)
def test_python_numbers_never_widen(call: Any) -> None:
    x = tg.Tensor(X.astype(np.float32), requires_grad=True)
    y = call(x)
    assert y.dtype == np.float32
    assert tg.gradients(y, x, np.ones(y.shape, np.float32), create_graph=True).dtype == np.float32


def test_asarray_gives_values_that_cannot_be_written_to() -> None:
    t = tg.Tensor(X)
    for a in (np.asarray(t), np.asanyarray(t), t.data):
        assert type(a) is np.ndarray
        assert not a.flags.writeable
        assert np.array_equal(a, X)
    assert np.array(t).flags.writeable


def test_numpys_own_test_functions_take_tensors() -> None:
    np.testing.assert_allclose(tg.Tensor(X), X)
    np.testing.assert_array_equal(tg.Tensor(X), X)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(tg.Tensor(X), X + 1)
