"""Calls of functions of ``np.linalg`` and ``np.fft``, for ``test_numpy_dispatch``; "d" marks what has a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

X = np.array([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6]])
Y = np.array([0.5, -0.8, 1.1])
SQUARE = np.array([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6], [0.2, 0.9, -1.5]])
DEFINITE = SQUARE.T @ SQUARE + np.eye(3)
BATCH = np.stack([SQUARE + 2 * np.eye(3), DEFINITE])
MATRIX_NORMS = ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)

MATRICES: dict[Callable[..., Any], list[tuple[str, Callable[..., Any], tuple[Any, ...]]]] = {
    np.einsum: [
        ("d", lambda x, y: np.einsum(x, [0, 7], y, [7, 3]), (X, SQUARE)),
        ("d", lambda x: np.einsum(x, [..., 1, 1], [..., 1]), (BATCH,)),
        ("d", lambda x, y: np.einsum(x, [0, 1], y, [1], [1, 0]), (X, Y)),
    ],
    np.linalg.norm: [
        *[("d", lambda x, p=p: np.linalg.norm(x, p), (Y,)) for p in (3, -2, 0.5, -np.inf, 2.5, 1, -1)],
        *[("d", lambda x, p=p: np.linalg.norm(x, p, keepdims=True), (X,)) for p in MATRIX_NORMS],
        *[("d", lambda x, p=p: np.linalg.norm(x, p, (2, 0)), (BATCH,)) for p in MATRIX_NORMS],
        ("", lambda x: np.linalg.norm(x, 0), (Y,)),
        ("", lambda x: np.linalg.norm(x, 0, 1), (X,)),
    ],
    np.linalg.vector_norm: [
        ("d", np.linalg.vector_norm, (X,)),
        ("d", lambda x: np.linalg.vector_norm(x, axis=(0, 2), keepdims=True, ord=3), (BATCH,)),
    ],
    np.linalg.matrix_norm: [
        ("d", np.linalg.matrix_norm, (BATCH,)),
        ("d", lambda x: np.linalg.matrix_norm(x, keepdims=True, ord="nuc"), (BATCH,)),
    ],
    np.linalg.cond: [("d", lambda x, p=p: np.linalg.cond(x, p), (BATCH,)) for p in (None, 2, -2, 1, -1, "fro", np.inf)],
    **{f: [("d", f, (DEFINITE,)), ("d", f, (BATCH,))] for f in (np.linalg.inv, np.linalg.det, np.linalg.pinv)},
    np.linalg.solve: [
        ("d", np.linalg.solve, (DEFINITE, Y)),
        ("d", np.linalg.solve, (BATCH, SQUARE)),
        ("d", lambda x: np.linalg.solve(SQUARE, x), (Y,)),
        ("d", lambda x: np.linalg.solve(x, BATCH), (SQUARE,)),
    ],
    np.linalg.slogdet: [
        ("", lambda x: np.linalg.slogdet(x)[0], (BATCH,)),
        ("d", lambda x: np.linalg.slogdet(x).logabsdet, (-BATCH,)),
    ],
    np.linalg.cholesky: [
        ("d", np.linalg.cholesky, (DEFINITE,)),
        ("d", lambda x: np.linalg.cholesky(x, upper=True), (DEFINITE,)),
    ],
    np.linalg.eigh: [
        ("d", lambda x: np.linalg.eigh(x)[0], (BATCH,)),
        ("d", lambda x: np.linalg.eigh(x, UPLO="U").eigenvectors, (BATCH,)),
    ],
    np.linalg.eigvalsh: [("d", np.linalg.eigvalsh, (BATCH,)), ("d", lambda x: np.linalg.eigvalsh(x, "U"), (SQUARE,))],
    np.linalg.svd: [
        ("d", lambda x: np.linalg.svd(x, full_matrices=False).U, (X.T,)),
        ("d", lambda x: np.linalg.svd(x)[2], (SQUARE,)),
        ("d", lambda x: np.linalg.svd(x, compute_uv=False), (X,)),
    ],
    np.linalg.svdvals: [("d", np.linalg.svdvals, (BATCH,))],
    np.linalg.qr: [
        ("d", lambda x: np.linalg.qr(x).Q, (X.T,)),
        ("d", lambda x: np.linalg.qr(x, "complete")[1], (X,)),
        ("d", lambda x: np.linalg.qr(x, mode="r"), (BATCH,)),
    ],
    np.linalg.lstsq: [
        *[("d", lambda x, y, k=k: np.linalg.lstsq(x, y)[k], (X.T, Y)) for k in (0, 1)],
        ("d", lambda x: np.linalg.lstsq(x, Y, rcond=None)[3], (X.T,)),
        ("d", lambda x: np.linalg.lstsq(X.T, x)[1], (SQUARE,)),
        ("d", lambda x: np.linalg.lstsq(x, Y[:2])[0], (X,)),
    ],
    np.linalg.matrix_power: [("d", lambda x, n=n: np.linalg.matrix_power(x, n), (BATCH,)) for n in (1, 2, 3, 7, -3)]
    + [("", lambda x: np.linalg.matrix_power(x, 0), (BATCH,))],
    np.linalg.multi_dot: [
        ("d", lambda x, y: np.linalg.multi_dot([y, x, x, y]), (SQUARE, Y)),
        ("d", lambda x: np.linalg.multi_dot([x, SQUARE, x.T]), (X,)),
    ],
    **{
        f: [("d", f, (X, Y)), ("d", lambda x, y, f=f: f(x, y, axis=0), (X[..., None], X))]
        for f in (np.vecdot, np.linalg.vecdot)
    },
    **{
        getattr(np, name): [("d", getattr(np, name), call) for call in calls]
        for name, calls in {"matvec": [(X, Y), (BATCH, X)], "vecmat": [(Y, X.T), (X, BATCH)]}.items()
        if hasattr(np, name)
    },
    np.linalg.cross: [("d", np.linalg.cross, (X, Y)), ("d", lambda x: np.linalg.cross(x, SQUARE, axis=0), (SQUARE,))],
    np.linalg.matmul: [("d", np.linalg.matmul, (X, BATCH))],
    np.linalg.matrix_transpose: [("d", np.linalg.matrix_transpose, (BATCH[:1],))],
    np.linalg.tensordot: [("d", lambda x, y: np.linalg.tensordot(x, y, axes=1), (X, SQUARE))],
    np.linalg.outer: [("d", np.linalg.outer, (Y, X[0]))],
    np.linalg.diagonal: [("d", np.linalg.diagonal, (BATCH,)), ("d", lambda x: np.linalg.diagonal(x, offset=1), (X,))],
    np.linalg.trace: [("d", np.linalg.trace, (BATCH,)), ("d", lambda x: np.linalg.trace(x, offset=-1), (BATCH,))],
    np.linalg.tensorsolve: [
        ("d", np.linalg.tensorsolve, (SQUARE.reshape(3, 3, 1), Y)),
        ("d", lambda x: np.linalg.tensorsolve(x, Y, axes=(0,)), (SQUARE[None],)),
    ],
    np.linalg.tensorinv: [("d", lambda x: np.linalg.tensorinv(x, ind=1), (SQUARE.reshape(3, 1, 3),))],
    np.linalg.matrix_rank: [("", np.linalg.matrix_rank, (BATCH,)), ("", np.linalg.matrix_rank, (X,))],
    **{
        f: [("d", f, (X,)), ("d", lambda x, f=f: f(x, axes=1), (X,)), ("d", lambda x, f=f: f(x, (0, -1)), (X,))]
        for f in (np.fft.fftshift, np.fft.ifftshift)
    },
    np.fft.irfft: [("d", np.fft.irfft, (X,)), ("d", lambda x: np.fft.irfft(x, 3, axis=0), (X,))],
    np.fft.hfft: [("d", np.fft.hfft, (X,)), ("d", lambda x: np.fft.hfft(x, n=5), (X,))],
    np.einsum_path: [("", lambda x: np.einsum_path("ij,jk->ik", x, SQUARE)[0], (X,))],
}
