"""Norms, powers, least squares and the other functions of ``np.linalg``, composed of products and decompositions."""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any

import numpy as np

from ..engine.details.summation import Axis
from ..engine.primitive import NUMPY, composition
from ..engine.primitives.linalg import matmul
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, OperandError, ShapeError
from . import elementwise as e
from .decompositions import inv, lapack, pinv, solve, svdvals
from .layout import expand_dims, moveaxis, parts_of, ravel, swapaxes
from .linalg import einsum_all
from .picking import diagonal, trace
from .products import outer, tensordot
from .statistics import root_or_zero

# Norms


def numbers(x: Data) -> Tensor:
    """Return x as floating-point numbers."""
    x = as_tensor(x)
    return x if x.dtype.kind == "f" else x.astype(float)


def vector_norms(x: Tensor, ord: Any, axis: Axis, keepdims: bool) -> Tensor:
    """Return the norms along an axis (all axes where there are several)."""
    if ord in (None, 2):
        return root_or_zero(x.square().sum(axis, keepdims))
    size = x.abs()
    if ord == 0:
        return (x != 0).astype(size.dtype).sum(axis, keepdims)
    if np.isinf(ord):
        return size.max(axis, keepdims) if ord > 0 else size.min(axis, keepdims)
    total = (size if ord == 1 else size**ord).sum(axis, keepdims)
    if ord == 1:
        return total
    zero = total.data == 0
    return e.where(zero, 0, e.where(zero, 1, total) ** (1 / ord))


def matrix_norms(x: Tensor, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Return the norms of the matrices in two axes."""
    if len({a % x.ndim for a in axes if -x.ndim <= a < x.ndim}) != 2:
        raise ShapeError(f"norm: the axes must be two of shape {x.shape}; got {axes}. Name two axes, as in (-2, -1).")
    if ord in (None, "fro"):
        return root_or_zero(x.square().sum(axes, keepdims))
    last = moveaxis(x, axes, (-2, -1))
    if ord in ("nuc", 2, -2):
        values = svdvals(last)
        found = values.sum(-1) if ord == "nuc" else values.max(-1) if ord == 2 else values.min(-1)
    else:
        sums = last.abs().sum(-2 if abs(ord) == 1 else -1)
        found = sums.max(-1) if ord > 0 else sums.min(-1)
    return expand_dims(found, tuple(a % x.ndim for a in axes)) if keepdims else found


@composition(np.linalg.norm)
def norm(x: Data, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return a vector norm (any number, ±∞) or, of two axes, a matrix norm ("fro", "nuc", ±1, ±2, ±∞).

    As in NumPy, ``axis=None`` takes vectors and matrices as such, and without ``ord`` all entries as one vector. The
    gradient at 0 is 0; the largest of tied values share it.
    """
    x = numbers(x)
    axes = axis if axis is None or isinstance(axis, (tuple, list)) else (axis,)
    if axes is None and ord is not None:
        axes = tuple(range(x.ndim))
    if axes is None or (len(axes) == 1 and not isinstance(ord, str)):
        return vector_norms(x, ord, axes, keepdims)
    if len(axes) == 2 and ord in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        return matrix_norms(x, ord, axes, keepdims)
    raise InputError(
        "norm: ord must be a number for a vector, or 'fro', 'nuc', ±1, ±2 or ±inf for a matrix; got "
        f"ord={ord!r} for shape {x.shape}, axis={axis}. Name the axis, or the two axes, of the norm."
    )


@composition(np.linalg.vector_norm)
def vector_norm(x: Data, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """Return the norm of the entries along one axis, several, or all, taken as one vector."""
    return vector_norms(numbers(x), ord, axis, keepdims)


@composition(np.linalg.matrix_norm)
def matrix_norm(x: Data, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Return the norms of the matrices in the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


@composition(np.linalg.cond)
def cond(x: Data, p: Any = None) -> Tensor:
    """Return the condition number, by the singular values or by a norm of x and one of its inverse."""
    if p in (None, 2, -2):
        values = svdvals(x)
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)


# Products


@composition(np.vecdot, np.linalg.vecdot)
def vecdot(x: Data, y: Data, axis: int = -1) -> Tensor:
    """Return the products of the vectors along an axis."""
    return matmul(expand_dims(moveaxis(x, axis, -1), -2), expand_dims(moveaxis(y, axis, -1), -1))[..., 0, 0]


@composition(*[getattr(np, name) for name in ["matvec"] if hasattr(np, name)])  # from NumPy 2.2 on
def matvec(x: Data, y: Data) -> Tensor:
    """Return the products of the matrices of x with the vectors of y."""
    return matmul(x, expand_dims(y, -1))[..., 0]


@composition(*[getattr(np, name) for name in ["vecmat"] if hasattr(np, name)])
def vecmat(x: Data, y: Data) -> Tensor:
    """Return the products of the vectors of x with the matrices of y."""
    return matmul(expand_dims(x, -2), y)[..., 0, :]


@composition(np.linalg.multi_dot)
def multi_dot(xs: Any) -> Tensor:
    """Return the product of several matrices, the first and the last perhaps vectors, from left to right."""
    product: Tensor = reduce(matmul, parts_of(xs, "multi_dot"))
    return product


@composition(np.linalg.matrix_power)
def matrix_power(x: Data, n: int) -> Tensor:
    """Return the n-th power of square matrices by repeated squaring; of the inverse where n is negative."""
    if not isinstance(n, (int, np.integer)):
        raise OperandError(f"matrix_power: the exponent must be a whole number; got {n!r}. Use an int.")
    power: Tensor = as_tensor(inv(x) if n < 0 else x)
    n = abs(int(n))
    result = None if n else as_tensor(np.zeros_like(power.data) + np.eye(power.shape[-1], dtype=power.dtype))
    while n:
        if n % 2:
            result = power if result is None else result @ power
        n //= 2
        power = power @ power if n else power
    assert result is not None
    return result


LEVI_CIVITA = np.zeros((3, 3, 3))
LEVI_CIVITA[[0, 1, 2], [1, 2, 0], [2, 0, 1]] = 1
LEVI_CIVITA[[0, 1, 2], [2, 0, 1], [1, 2, 0]] = -1


@composition(np.linalg.cross)
def cross_of_three(x: Data, y: Data, axis: int = -1) -> Tensor:
    """Return the vectors at right angles to those of x and y, all of three entries."""
    x, y = moveaxis(x, axis, -1), moveaxis(y, axis, -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ShapeError(f"cross: the vectors must have three entries; got {x.shape} and {y.shape}. Name their axis.")
    sign = LEVI_CIVITA.astype(np.result_type(x.dtype, y.dtype))
    return moveaxis(einsum_all(sign, x, y, subscripts="ijk,...i,...j->...k"), -1, axis)


NUMPY[np.linalg.matmul], NUMPY[np.linalg.matrix_transpose] = matmul, swapaxes
NUMPY[np.linalg.tensordot], NUMPY[np.linalg.outer] = tensordot, outer
NUMPY[np.linalg.diagonal] = lambda x, offset=0: diagonal(x, offset, -2, -1)
NUMPY[np.linalg.trace] = lambda x, offset=0: trace(x, offset, -2, -1)


# Equations


@composition(np.linalg.lstsq)
def lstsq(a: Data, b: Data, rcond: Any = None) -> Any:
    """Return the least-squares solution of ``a @ x = b``, the residuals, the rank and the singular values of a.

    All but the rank have gradients. That of the solution is right where the rank stays the same.
    """
    a, b = numbers(a), numbers(b)
    if not 0 < b.ndim < 3 or a.ndim != 2 or len(a) != len(b):
        raise ShapeError(
            f"lstsq: a must be a matrix and b a vector or a matrix with as many rows; got {a.shape} and {b.shape}. "
            "Solve a stack one by one, or with np.linalg.pinv(a) @ b."
        )
    rank = int(lapack(np.linalg.lstsq, a.data, b.data, rcond, square=False)[2])
    m, n = a.shape
    cutoff = np.finfo(a.dtype).eps * max(m, n) if rcond is None else rcond
    solution: Tensor = matmul(pinv(a, rcond=cutoff), b)
    residuals = (b - a @ solution).square().sum(0, keepdims=b.ndim == 1)
    return solution, residuals if rank == n < m else residuals[:0], rank, svdvals(a)


@composition(np.linalg.tensorsolve)
def tensorsolve(a: Data, b: Data, axes: Any = None) -> Tensor:
    """Return x with ``tensordot(a, x, x.ndim) = b``."""
    a, b = as_tensor(a), as_tensor(b)
    if axes is not None:
        a = moveaxis(a, axes, range(a.ndim - len(axes), a.ndim))
    shape = a.shape[b.ndim :]
    return solve(a.reshape(b.size, prod(shape)), ravel(b)).reshape(shape)


@composition(np.linalg.tensorinv)
def tensorinv(a: Data, ind: int = 2) -> Tensor:
    """Return the inverse of ``tensordot(a, x, ind)``."""
    a = as_tensor(a)
    first, last = a.shape[:ind], a.shape[ind:]
    return inv(a.reshape(prod(first), prod(last))).reshape((*last, *first))
