"""``np.f(tensor)``: NumPy's values for every supported function, recorded; for every other an error that helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.engine.primitive import NUMPY
from tinygrad_norm.ops.constants import PLAIN_RESULTS

X = np.array([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6]])
POSITIVE = np.array([[0.3, 1.2, 0.7], [1.9, 0.4, 0.6]])
Y = np.array([0.5, -0.8, 1.1])
SQUARE = np.array([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6], [0.2, 0.9, -1.5]])
DEFINITE = SQUARE.T @ SQUARE + np.eye(3)
BATCH = np.stack([SQUARE + 2 * np.eye(3), DEFINITE])
MATRIX_NORMS = ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
BITS = np.array([True, False, True])

# Every call is made with arrays and with Tensors in the place of x (and y); "d" marks those with a gradient.
CALLS: dict[Callable[..., Any], list[tuple[str, Callable[..., Any], tuple[Any, ...]]]] = {
    **{f: [("d", f, (X,))] for f in (
        np.negative, np.positive, np.square, np.exp, np.expm1, np.sin, np.cos, np.tanh, np.tan, np.sinh, np.cosh,
        np.arctan,
        np.absolute, np.sign, np.floor, np.reciprocal, np.copy)},
    **{f: [("d", f, (POSITIVE,))] for f in (np.sqrt, np.log, np.log1p)},
    **{f: [("d", f, (X, Y)), ("d", f, (X, 1.5)), ("d", f, (-0.3, Y)), ("d", f, (X, Y[:, None, None]))] for f in (
        np.add, np.subtract, np.multiply, np.divide, np.remainder, np.maximum, np.minimum, np.logaddexp)},
    np.power: [("d", np.power, (POSITIVE, Y)), ("d", np.power, (POSITIVE, -2)), ("d", np.power, (2.0, Y))],
    np.matmul: [("d", np.matmul, (X, SQUARE)), ("d", np.matmul, (X, Y))],
    **{f: [("", f, (X, Y)), ("", f, (X, 0.4)), ("", f, (0.4, X))] for f in (
        np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.isclose, np.floor_divide)},
    **{f: [("", f, (BITS, ~BITS[::-1])), ("", f, (BITS, True))] for f in (
        np.logical_and, np.logical_or, np.logical_xor, np.bitwise_and, np.bitwise_or, np.bitwise_xor)},
    **{f: [("", f, (BITS,))] for f in (np.logical_not, np.invert)},
    **{f: [("", f, (np.array([1.0, -np.inf, np.nan]),))] for f in (np.isnan, np.isinf, np.isfinite, np.signbit)},
    **{f: [("", f, (X,)), ("", lambda x, f=f: f(x, 1), (X,)), ("", lambda x, f=f: f(x, axis=0, keepdims=True), (X,
        ))] for f in (
        np.argmax, np.argmin, np.all, np.any, np.count_nonzero)},
    np.argsort: [("", np.argsort, (X,)), ("", lambda x: np.argsort(x, axis=0), (X,))],
    **{f: [("", f, (X,)), ("", lambda x, f=f: f(x, np.float32), (X,)), ("", lambda x, f=f: f(x, shape=(2,)), (X,
        ))] for f in (
        np.zeros_like, np.ones_like)},
    np.empty_like: [("", lambda x: np.zeros_like(np.empty_like(x)), (X,))],
    np.full_like: [("", lambda x: np.full_like(x, 2.5), (X,)), ("", lambda x: np.full_like(x, 2, dtype=int), (X,))],
    **{f: [("", f, (X,))] for f in (
        np.shape, np.ndim, np.size, np.array2string, np.array_repr, np.array_str, np.iscomplexobj, np.isrealobj)},
    **{f: [("", f, (X, X.copy()))] for f in (np.allclose, np.array_equal, np.shares_memory, np.may_share_memory)},
    np.result_type: [("", lambda x: np.result_type(x, np.float32), (X,))],
    np.can_cast: [("", lambda x: np.can_cast(x, np.float64), (np.float32([1]),))],
    np.rint: [("", np.rint, (X * 3,))],
    np.round: [("", np.round, (X,)), ("", lambda x: np.round(x, 1), (X,)), ("", lambda x: np.round(x, decimals=-1), (X,
    ))],
    np.where: [("d", lambda x, y: np.where(np.asarray(x) > 0, x, y), (X, Y)), ("d", lambda x: np.where(X > 0, x, 0.0),
    (X,))],
    np.transpose: [("d", np.transpose, (X,)), ("d", lambda x: np.transpose(x, (1, 0)), (X,)),
                   ("d", lambda x: np.transpose(x, 0), (Y,))],
    np.broadcast_to: [("d", lambda x: np.broadcast_to(x, (2, 3)), (Y,)), ("d", lambda x: np.broadcast_to(x, 4),
    (np.array(2.0),))],
    np.flip: [("d", np.flip, (X,)), ("d", lambda x: np.flip(x, axis=1), (X,))],
    np.roll: [("d", lambda x: np.roll(x, 1), (X,)), ("d", lambda x: np.roll(x, 2, axis=1), (X,))],
    **{f: [("d", f, (X,)), ("d", lambda x, f=f: f(x, 0), (X,)), ("d", lambda x, f=f: f(x, axis=(0, 1), keepdims=True),
    (X,)),
           ("d", lambda x, f=f: f(x, axis=-1), (X,))] for f in (
        np.sum, np.mean, np.prod, np.max, np.amax, np.min, np.amin, np.var, np.std, np.ptp)},
    np.cumsum: [("d", np.cumsum, (X,)), ("d", lambda x: np.cumsum(x, axis=1), (X,))],
    np.cumprod: [("d", np.cumprod, (X,)), ("d", lambda x: np.cumprod(x, axis=0), (X,))],
    np.take: [("d", lambda x: np.take(x, [3, 3, -1]), (X,)), ("d", lambda x: np.take(x, [[0, 0]], axis=1), (X,))],
    np.take_along_axis: [("d", lambda x: np.take_along_axis(x, np.array([[0, 2], [1, 1]]), axis=1), (X,)),
                         ("d", lambda x: np.take_along_axis(x, np.array([0, 5]), axis=None), (X,))],
    np.sort: [("d", np.sort, (X,)), ("d", lambda x: np.sort(x, axis=0), (X,)), ("d", lambda x: np.sort(x, axis=None),
    (X,))],
    np.diagonal: [("d", np.diagonal, (SQUARE,)), ("d", lambda x: np.diagonal(x, 1), (X,)),
                  ("d", lambda x: np.diagonal(x, -1, 0, 2), (SQUARE[None] * Y[:, None, None],)),
                  ("d", lambda x: np.diagonal(x, 5), (X,))],
    np.trace: [("d", np.trace, (SQUARE,)), ("d", lambda x: np.trace(x, -1), (X,))],
    np.diag: [("d", np.diag, (X,)), ("d", np.diag, (Y,)), ("d", lambda x: np.diag(x, -2), (Y,)), ("d", np.diag, (Y[:0],
    ))],
    np.reshape: [("d", lambda x: np.reshape(x, (3, 2)), (X,)), ("d", lambda x: np.reshape(x, -1), (X,))],
    np.ravel: [("d", np.ravel, (X,))],
    np.expand_dims: [("d", lambda x: np.expand_dims(x, 1), (X,)), ("d", lambda x: np.expand_dims(x, (0, -1)), (X,))],
    np.squeeze: [("d", np.squeeze, (X[None, :1],)), ("d", lambda x: np.squeeze(x, axis=0), (X[None, :1],))],
    np.atleast_1d: [("d", np.atleast_1d, (np.array(2.0),)), ("d", np.atleast_1d, (X,))],
    np.atleast_2d: [("d", np.atleast_2d, (np.array(2.0),)), ("d", np.atleast_2d, (Y,))],
    np.swapaxes: [("d", lambda x: np.swapaxes(x, 0, -1), (X[None],))],
    np.matrix_transpose: [("d", np.matrix_transpose, (X[None],))],
    np.moveaxis: [("d", lambda x: np.moveaxis(x, 0, -1), (X[None],)), ("d", lambda x: np.moveaxis(x, [0, 1], [2, 0]),
    (X[None],))],
    np.concatenate: [("d", lambda x, y: np.concatenate([x, y[None], X]), (X, Y)),
                     ("d", lambda x: np.concatenate((x, x), axis=1), (X,)),
                     ("d", lambda x, y: np.concatenate([x, y], axis=None), (X, Y))],
    np.stack: [("d", lambda x, y: np.stack([x, y, Y]), (Y, Y + 1)), ("d", lambda x: np.stack([x, x], axis=-1), (X,))],
    np.vstack: [("d", lambda x, y: np.vstack([x, y]), (X, Y))],
    np.hstack: [("d", lambda x, y: np.hstack([x, y]), (Y, Y + 1)), ("d", lambda x: np.hstack([x, X]), (X,))],
    np.split: [("d", lambda x: np.split(x, 3, axis=1)[1], (X,)), ("d", lambda x: np.split(x, [1, 1, 9], axis=-1)[2], (X,
    )),
               ("d", lambda x: np.split(x, [1, 1], axis=1)[1], (X,))],
    np.array_split: [("d", lambda x: np.array_split(x, 2, axis=1)[0], (X,))],
    np.repeat: [("d", lambda x: np.repeat(x, 2), (X,)), ("d", lambda x: np.repeat(x, [0, 3], axis=0), (X,))],
    np.tile: [("d", lambda x: np.tile(x, 2), (X,)), ("d", lambda x: np.tile(x, (2, 1, 3)), (X,))],
    np.pad: [("d", lambda x: np.pad(x, 1), (X,)), ("d", lambda x: np.pad(x, ((1, 0), (0, 2)), constant_values=3.0), (X,
    )),
             ("d", lambda x: np.pad(x, (1, 2), mode="constant"), (X,))],
    np.tril: [("d", np.tril, (SQUARE,)), ("d", lambda x: np.tril(x, -1), (X,)), ("", np.tril, (SQUARE > 0,))],
    np.triu: [("d", np.triu, (SQUARE,)), ("d", lambda x: np.triu(x, k=1), (X,)), ("", np.triu, (SQUARE > 0,))],
    np.astype: [("d", lambda x: np.astype(x, np.float64), (X,)), ("", lambda x: np.astype(x, np.int64), (X,))],
    np.clip: [("d", lambda x: np.clip(x, -0.5, 0.5), (X,)), ("d", lambda x, y: np.clip(x, y - 1, y + 1), (X, Y)),
              ("d", lambda x: np.clip(x, a_min=0.0, a_max=None), (X,)), ("d", lambda x: np.clip(x, min=0.0, max=1.0),
               (X,)),
              ("d", lambda x, y: np.clip(x, None, y), (X, Y)), ("d", lambda x, y: np.clip(x, y, None), (X, Y))],
    np.dot: [("d", np.dot, (X, SQUARE)), ("d", np.dot, (Y, Y)), ("d", np.dot, (X, 2.0)), ("d", np.dot, (X,
    SQUARE[None] * [[[2.0]]]))],
    np.inner: [("d", np.inner, (X, SQUARE)), ("d", np.inner, (Y, 2.0))],
    np.vdot: [("d", np.vdot, (X, X + 1))],
    np.outer: [("d", np.outer, (X, Y))],
    np.tensordot: [("d", np.tensordot, (X, X + 1)), ("d", lambda x, y: np.tensordot(x, y, 1), (X, SQUARE)),
                   ("d", lambda x, y: np.tensordot(x, y, ([1, 0], [0, 1])), (X, X.T)),
                   ("d", lambda x, y: np.tensordot(x, y, 0), (X, Y))],
    np.einsum: [("d", lambda x, y: np.einsum("ij,jk->ik", x, y), (X, SQUARE)),
                ("d", lambda x, y: np.einsum("ij,jk", x, y, optimize=True), (X, SQUARE)),
                ("d", lambda x, y: np.einsum(x, [0, 7], y, [7, 3]), (X, SQUARE)),
                ("d", lambda x: np.einsum(x, [..., 1, 1], [..., 1]), (BATCH,)),
                ("d", lambda x, y: np.einsum(x, [0, 1], y, [1], [1, 0]), (X, Y))],
    np.linalg.norm: [("d", np.linalg.norm, (X,)), ("d", lambda x: np.linalg.norm(x, axis=1), (X,)),
                     ("d", lambda x: np.linalg.norm(x, 1, 0, True), (X,)), ("d", lambda x: np.linalg.norm(x, np.inf),
                      (Y,)),
                     ("d", lambda x: np.linalg.norm(x, "fro"), (X,)), ("d", lambda x: np.linalg.norm(x, 2), (Y,)),
                     ("d", lambda x: np.linalg.norm(x, axis=(0, 1)), (X,)),
                     *[("d", lambda x, p=p: np.linalg.norm(x, p), (Y,)) for p in (3, -2, 0.5, -np.inf, 2.5, 1, -1)],
                     *[("d", lambda x, p=p: np.linalg.norm(x, p, keepdims=True), (X,)) for p in MATRIX_NORMS],
                     *[("d", lambda x, p=p: np.linalg.norm(x, p, (2, 0)), (BATCH,)) for p in MATRIX_NORMS],
                     ("", lambda x: np.linalg.norm(x, 0), (Y,)), ("", lambda x: np.linalg.norm(x, 0, 1), (X,))],
    np.linalg.vector_norm: [("d", np.linalg.vector_norm, (X,)),
                            ("d", lambda x: np.linalg.vector_norm(x, axis=(0, 2), keepdims=True, ord=3), (BATCH,))],
    np.linalg.matrix_norm: [("d", np.linalg.matrix_norm, (BATCH,)),
                            ("d", lambda x: np.linalg.matrix_norm(x, keepdims=True, ord="nuc"), (BATCH,))],
    np.linalg.cond: [("d", lambda x, p=p: np.linalg.cond(x, p), (BATCH,)) for p in (None, 2, -2, 1, -1, "fro", np.inf)],
    **{f: [("d", f, (DEFINITE,)), ("d", f, (BATCH,))] for f in (np.linalg.inv, np.linalg.det, np.linalg.pinv)},
    np.linalg.solve: [("d", np.linalg.solve, (DEFINITE, Y)), ("d", np.linalg.solve, (BATCH, SQUARE)),
                      ("d", lambda x: np.linalg.solve(SQUARE, x), (Y,)),
                      ("d", lambda x: np.linalg.solve(x, BATCH), (SQUARE,))],
    np.linalg.slogdet: [("", lambda x: np.linalg.slogdet(x)[0], (BATCH,)),
                        ("d", lambda x: np.linalg.slogdet(x).logabsdet, (-BATCH,))],
    np.linalg.cholesky: [("d", np.linalg.cholesky, (DEFINITE,)),
                         ("d", lambda x: np.linalg.cholesky(x, upper=True), (DEFINITE,))],
    np.linalg.eigh: [("d", lambda x: np.linalg.eigh(x)[0], (BATCH,)),
                     ("d", lambda x: np.linalg.eigh(x, UPLO="U").eigenvectors, (BATCH,))],
    np.linalg.eigvalsh: [("d", np.linalg.eigvalsh, (BATCH,)), ("d", lambda x: np.linalg.eigvalsh(x, "U"), (SQUARE,))],
    np.linalg.svd: [("d", lambda x: np.linalg.svd(x, full_matrices=False).U, (X.T,)),
                    ("d", lambda x: np.linalg.svd(x)[2], (SQUARE,)),
                    ("d", lambda x: np.linalg.svd(x, compute_uv=False), (X,))],
    np.linalg.svdvals: [("d", np.linalg.svdvals, (BATCH,))],
    np.linalg.qr: [("d", lambda x: np.linalg.qr(x).Q, (X.T,)), ("d", lambda x: np.linalg.qr(x, "complete")[1], (X,)),
                   ("d", lambda x: np.linalg.qr(x, mode="r"), (BATCH,))],
    np.linalg.lstsq: [*[("d", lambda x, y, k=k: np.linalg.lstsq(x, y)[k], (X.T, Y)) for k in (0, 1)],
                      ("d", lambda x: np.linalg.lstsq(x, Y, rcond=None)[3], (X.T,)),
                      ("d", lambda x: np.linalg.lstsq(X.T, x)[1], (SQUARE,)),
                      ("d", lambda x: np.linalg.lstsq(x, Y[:2])[0], (X,))],
    np.linalg.matrix_power: [("d", lambda x, n=n: np.linalg.matrix_power(x, n), (BATCH,)) for n in (1, 2, 3, 7, -3)]
    + [("", lambda x: np.linalg.matrix_power(x, 0), (BATCH,))],
    np.linalg.multi_dot: [("d", lambda x, y: np.linalg.multi_dot([y, x, x, y]), (SQUARE, Y)),
                          ("d", lambda x: np.linalg.multi_dot([x, SQUARE, x.T]), (X,))],
    **{f: [("d", f, (X, Y)), ("d", lambda x, y, f=f: f(x, y, axis=0), (X[..., None], X))] for f in (
        np.vecdot, np.linalg.vecdot)},
    **{getattr(np, name): [("d", getattr(np, name), call) for call in calls] for name, calls in {
        "matvec": [(X, Y), (BATCH, X)], "vecmat": [(Y, X.T), (X, BATCH)]}.items() if hasattr(np, name)},
    np.linalg.cross: [("d", np.linalg.cross, (X, Y)), ("d", lambda x: np.linalg.cross(x, SQUARE, axis=0), (SQUARE,))],
    np.linalg.matmul: [("d", np.linalg.matmul, (X, BATCH))],
    np.linalg.matrix_transpose: [("d", np.linalg.matrix_transpose, (BATCH[:1],))],
    np.linalg.tensordot: [("d", lambda x, y: np.linalg.tensordot(x, y, axes=1), (X, SQUARE))],
    np.linalg.outer: [("d", np.linalg.outer, (Y, X[0]))],
    np.linalg.diagonal: [("d", np.linalg.diagonal, (BATCH,)), ("d", lambda x: np.linalg.diagonal(x, offset=1), (X,))],
    np.linalg.trace: [("d", np.linalg.trace, (BATCH,)), ("d", lambda x: np.linalg.trace(x, offset=-1), (BATCH,))],
    np.linalg.tensorsolve: [("d", np.linalg.tensorsolve, (SQUARE.reshape(3, 3, 1), Y)),
                            ("d", lambda x: np.linalg.tensorsolve(x, Y, axes=(0,)), (SQUARE[None],))],
    np.linalg.tensorinv: [("d", lambda x: np.linalg.tensorinv(x, ind=1), (SQUARE.reshape(3, 1, 3),))],
    np.linalg.matrix_rank: [("", np.linalg.matrix_rank, (BATCH,)), ("", np.linalg.matrix_rank, (X,))],
    **{f: [("d", f, (X,)), ("d", lambda x, f=f: f(x, axes=1), (X,)), ("d", lambda x, f=f: f(x, (0, -1)), (X,))]
       for f in (np.fft.fftshift, np.fft.ifftshift)},
    np.fft.irfft: [("d", np.fft.irfft, (X,)), ("d", lambda x: np.fft.irfft(x, 3, axis=0), (X,))],
    np.fft.hfft: [("d", np.fft.hfft, (X,)), ("d", lambda x: np.fft.hfft(x, n=5), (X,))],
    np.einsum_path: [("", lambda x: np.einsum_path("ij,jk->ik", x, SQUARE)[0], (X,))],
    np.diff: [("d", np.diff, (X,)), ("d", lambda x: np.diff(x, 2, axis=1), (X,)), ("d", lambda x: np.diff(x, axis=0),
    (X,))],
}  # fmt: skip
REFUSED = (np.copyto, np.put, np.place, np.putmask, np.fill_diagonal)
EVERY = [(f.__name__, *call) for f, calls in CALLS.items() for call in calls]


def test_every_supported_function_is_called() -> None:
    assert set(CALLS) | set(REFUSED) == set(NUMPY)


def tensors(arguments: Any, requires_grad: bool) -> list[Any]:
    return [
        tg.Tensor(a, requires_grad=requires_grad and a.dtype.kind == "f") if isinstance(a, np.ndarray) else a
        for a in arguments
    ]


@pytest.mark.parametrize(("name", "kind", "call", "arguments"), EVERY)
def test_the_values_are_numpys(name: str, kind: str, call: Any, arguments: Any) -> None:
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


@pytest.mark.parametrize(("name", "kind", "call", "arguments"), EVERY)
def test_what_has_a_gradient_records_and_it_is_right(
    name: str, kind: str, call: Any, arguments: Any, derivative: Any, close: Any, rng: np.random.Generator
) -> None:
    leaves = tensors(arguments, requires_grad=True)
    y = call(*leaves)
    assert getattr(y, "requires_grad", False) == (kind == "d")
    if kind == "d":
        u = rng.standard_normal(y.shape)
        free = [t for t in leaves if isinstance(t, tg.Tensor)]
        vs = [rng.standard_normal(np.shape(a)) if isinstance(a, np.ndarray) else None for a in arguments]
        found = tg.gradients(y, free, u)
        mine = sum(np.sum(np.asarray(g) * v) for g, v in zip(found, [v for v in vs if v is not None], strict=True))
        close(mine, np.sum(u * derivative(call, arguments, vs)))


@pytest.mark.parametrize(
    ("method", "ours"),
    [
        (lambda x: np.add.reduce(x), lambda x: np.sum(x, 0)), (lambda x: np.add.reduce(x, 1), lambda x: np.sum(x, 1)),
        (lambda x: np.add.reduce(x, axis=None), np.sum), (lambda x: np.multiply.reduce(x, keepdims=True), None),
        (lambda x: np.maximum.reduce(x, axis=1), lambda x: np.max(x, 1)), (np.minimum.reduce, None),
        (np.add.accumulate, None), (lambda x: np.multiply.accumulate(x, axis=1), None),
        (lambda x: np.logical_and.reduce(x > 0), None), (lambda x: np.logical_or.reduce(x > 0, axis=1), None),
        (lambda x: np.multiply.outer(x, X), None), (lambda x: np.subtract.outer(Y, x), None),
    ],
)  # fmt: skip
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
        lambda x: np.maximum(x, 0.0), lambda x: np.where(x > 0, x, 0.5), lambda x: np.clip(x, -0.1, 0.1),
        lambda x: np.pad(x, 1),
        lambda x: np.power(2.0, x), lambda x: np.add(1, x), lambda x: np.logaddexp(x, 0.0), lambda x: np.remainder(x,
        0.3),
        lambda x: np.var(x, axis=0), lambda x: np.std(x, ddof=1), lambda x: np.linalg.norm(x), lambda x: np.tril(x),
        lambda x: np.diag(x), lambda x: np.cumprod(x), lambda x: np.sinh(x), lambda x: np.reciprocal(x),
        lambda x: np.tan(x),
    ],
)  # fmt: skip
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
