"""Variance, deviation and running products, composed so that every order of derivative is exact."""

from __future__ import annotations

import numpy as np

from ..engine.details.summation import Axis, reduced_count
from ..engine.primitive import composition
from ..engine.primitives.reduction import prod
from ..engine.primitives.shape import axis_of
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, ShapeError
from . import elementwise as e
from .layout import expand_dims, moveaxis, ravel


def widened(x: Tensor) -> Tensor:
    """Return float16 as float32, since the square of 256 is no float16; other dtypes as they are."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def narrowed(result: Tensor, x: Tensor) -> Tensor:
    """Return a result computed from ``widened(x)`` in the dtype that x asks for."""
    return result.astype(np.float16) if x.dtype == np.float16 else result


@composition(np.var)
def var(x: Data, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Return the variance Σ(x − mean)² / (n − ddof), in two passes so that no digits cancel.

    Raises
    ------
    InputError
        There are no more than ``ddof`` entries to average.
    """
    x = as_tensor(x)
    return narrowed(variance(widened(x), axis, ddof, keepdims), x)


def variance(x: Tensor, axis: Axis, ddof: int, keepdims: bool) -> Tensor:
    """Return the variance in x's own dtype."""
    try:
        n = reduced_count(x.shape, axis)
    except ValueError as error:
        raise ShapeError(
            f"var: the axes must be axes of shape {x.shape}; got {axis}: {error}. Count from 0, or from −1 backwards."
        ) from error
    if n - ddof <= 0:
        raise InputError(
            f"var: the {n} entries of axis {axis} (shape {x.shape}) must be more than ddof={ddof}; the variance of "
            "so few is not defined. Use ddof=0 or more data."
        )
    squares = (x - x.mean(axis, keepdims=True)).square()
    if ddof == 0:
        return squares.mean(axis, keepdims)
    return squares.sum(axis, keepdims) / (n - ddof)


def root_or_zero(x: Tensor) -> Tensor:
    """Return √x with derivative 0, not ∞, where x is 0: the convention for deviations and norms."""
    zero = x.data == 0
    if not np.any(zero):
        return x.sqrt()
    return e.where(zero, 0, e.where(zero, 1, x).sqrt())


@composition(np.std)
def std(x: Data, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation √var; its gradient where it is 0 is 0, as in PyTorch."""
    x = as_tensor(x)
    return narrowed(root_or_zero(variance(widened(x), axis, ddof, keepdims)), x)


@composition(np.cumprod)
def cumprod(x: Data, axis: int | None = None) -> Tensor:
    """Return running products; right where entries are 0, at the price of n² entries along the axis."""
    x = ravel(x) if axis is None else as_tensor(x)
    axis = 0 if axis is None else axis_of(axis, x.shape, "cumprod")
    last = moveaxis(x, axis, -1)
    lower = np.tri(last.shape[-1], dtype=bool)
    result = prod(e.where(lower, expand_dims(last, -2), 1), axis=-1)
    return moveaxis(result, -1, axis)


@composition(np.ptp)
def ptp(x: Data, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the range, maximum minus minimum."""
    x = as_tensor(x)
    return x.max(axis, keepdims) - x.min(axis, keepdims)


@composition(np.diff)
def diff(x: Data, n: int = 1, axis: int = -1) -> Tensor:
    """Return the differences of neighbors, ``n`` times."""
    x = as_tensor(x)
    if n < 0:
        raise InputError(
            f"diff: the differences must be taken a number of times n >= 0; got {n}. Use np.cumsum to add."
        )
    before = (slice(None),) * axis_of(axis, x.shape, "diff")
    for _ in range(n):
        x = x[(*before, slice(1, None))] - x[(*before, slice(None, -1))]
    return x
