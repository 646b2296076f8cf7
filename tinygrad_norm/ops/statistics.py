"""Variance, deviation, ranks, running products and sums without NaN, so that every derivative is exact."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.details.array import Shape, some, whole
from ..engine.details.summation import Axis, kept_shape, reduced_axes, reduced_count
from ..engine.primitive import composition
from ..engine.primitives.shape import broadcast_to, transpose
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, ShapeError
from . import elementwise as e
from .constants import constant
from .layout import atleast_1d, concatenate, expand_dims, moveaxis, ravel
from .picking import getitem, sort
from .reduction import cumsum, prod
from .shape import axis_of


def widened(x: Tensor) -> Tensor:
    """Return float16 as float32, since the square of 256 is no float16; other dtypes as they are."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def narrowed(result: Tensor, x: Tensor) -> Tensor:
    """Return a result computed from ``widened(x)`` in the dtype that x asks for."""
    return result.astype(np.float16) if x.dtype == np.float16 else result


def _axes_of(x: Tensor, axis: Axis, name: str) -> tuple[int, ...]:
    try:
        return reduced_axes(x.shape, whole(axis, name))
    except ValueError as error:
        raise ShapeError(
            f"{name}: the axes must be axes of shape {x.shape}; got {axis}: {error}. Count from 0, or from −1 "
            "backwards."
        ) from error


def freedom(name: str, ddof: float, correction: float | None) -> float:
    """Return the number that is subtracted from the count, by either of its names."""
    if correction is not None and ddof:
        raise InputError(
            f"{name}: what is subtracted from the count must be said once; got ddof={ddof} and "
            f"correction={correction}. Leave one of them out."
        )
    return ddof if correction is None else correction


@composition(np.var)
def var(
    x: Data,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    mean: Any = None,
    correction: float | None = None,
) -> Tensor:
    """Return the variance Σ(x − mean)² / (n − ddof), in two passes so that no digits cancel.

    ``correction`` is another name of ``ddof``; ``mean`` is the mean with ``keepdims=True``, if it is known.

    Raises
    ------
    InputError
        There are no more than ``ddof`` entries to average.
    """
    x = as_tensor(x)
    return narrowed(variance(widened(x), axis, freedom("var", ddof, correction), keepdims, mean), x)


def variance(x: Tensor, axis: Axis, ddof: float, keepdims: bool, mean: Any = None) -> Tensor:
    """Return the variance in x's own dtype."""
    _axes_of(x, axis, "var")
    n = reduced_count(x.shape, axis)
    if n - ddof <= 0:
        raise InputError(
            f"var: the {n} entries of axis {axis} (shape {x.shape}) must be more than ddof={ddof}; the variance of "
            "so few is not defined. Use ddof=0 or more data."
        )
    squares = (x - (x.mean(axis, keepdims=True) if mean is None else mean)).square()
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
def std(
    x: Data,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    mean: Any = None,
    correction: float | None = None,
) -> Tensor:
    """Return the standard deviation √var; its gradient where it is 0 is 0, as in PyTorch."""
    x = as_tensor(x)
    ddof = freedom("std", ddof, correction)
    return narrowed(root_or_zero(variance(widened(x), axis, ddof, keepdims, mean)), x)


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


@composition(np.cumulative_sum)
def cumulative_sum(x: Data, axis: int | None = None, include_initial: bool = False) -> Tensor:
    """Return running sums along an axis, on request with the empty sum 0 before them."""
    return _running(cumsum, 0, x, axis, include_initial)


@composition(np.cumulative_prod)
def cumulative_prod(x: Data, axis: int | None = None, include_initial: bool = False) -> Tensor:
    """Return running products along an axis, on request with the empty product 1 before them."""
    return _running(cumprod, 1, x, axis, include_initial)


def _running(accumulate: Any, initial: int, x: Data, axis: int | None, include_initial: bool) -> Tensor:
    values: Tensor = atleast_1d(x)
    name = "cumulative_prod" if initial else "cumulative_sum"
    if axis is None and values.ndim != 1:
        raise InputError(
            f"{name}: the axis must be named where there is not just one; got shape {values.shape}. Pass axis=0, say."
        )
    axis = axis_of(0 if axis is None else axis, values.shape, name)
    result: Tensor = accumulate(values, axis=axis)
    if not include_initial:
        return result
    first = np.full((*values.shape[:axis], 1, *values.shape[axis + 1 :]), initial, result.dtype)
    return concatenate([first, result], axis)


@composition(np.average)
def average(
    x: Data, axis: Axis = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Return the mean, or with weights Σwx / Σw; ``returned`` adds Σw. The weights have a gradient too."""
    x, axis = as_tensor(x), tuple(axis) if isinstance(axis, list) else axis
    _axes_of(x, axis, "average")
    if weights is None:
        result, weight = x.mean(axis, keepdims), as_tensor(float(reduced_count(x.shape, axis)))
    else:
        w = _spread_weights(as_tensor(weights), x.shape, axis)
        weight = widened(w).sum(axis, keepdims)
        if np.any(weight.data == 0):
            raise InputError("average: the weights must not add up to 0; they do. Leave out what has no weight.")
        result = (widened(x) * widened(w)).sum(axis, keepdims) / weight
        result = narrowed(result, x) if w.dtype == np.float16 else result
    return (result, broadcast_to(weight.astype(result.dtype), shape=result.shape)) if returned else result


def _spread_weights(w: Tensor, shape: Shape, axis: Axis) -> Tensor:
    """Return weights of the data's shape, from such or from one for each entry along the axes."""
    axes = [] if axis is None else [a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))]
    if w.shape != shape and w.shape == tuple(shape[a] for a in axes):
        w = transpose(w, axes=tuple(np.argsort(axes))).reshape(
            tuple(n if a in axes else 1 for a, n in enumerate(shape))
        )
    elif w.shape != shape:
        raise ShapeError(
            f"average: the weights must have the shape {shape} of the data or that of axis {axis}; got {w.shape}."
            " Name the axis, or broadcast the weights."
        )
    return broadcast_to(w, shape=shape)


# Ranks


@composition(np.median)
def median(x: Data, axis: Axis = None, overwrite_input: bool = False, keepdims: bool = False) -> Tensor:
    """Return the middle value, or the mean of the middle two; the gradient goes to where they were."""
    return _at_rank("median", x, 0.5, axis, keepdims)


@composition(np.quantile)
def quantile(
    x: Data, q: Any, axis: Axis = None, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return what a share q of the values lies below, by linear interpolation between the two nearest."""
    return _at_rank("quantile", x, q, axis, keepdims, method)


@composition(np.percentile)
def percentile(
    x: Data, q: Any, axis: Axis = None, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return what q percent of the values lie below, by linear interpolation between the two nearest."""
    return _at_rank("percentile", x, np.divide(constant(q, "q", "Pass"), 100), axis, keepdims, method)


@composition(np.nanmedian)
def nanmedian(x: Data, axis: Axis = None, overwrite_input: bool = False, keepdims: bool = False) -> Tensor:
    """Return the median of what is not NaN."""
    return _at_rank("nanmedian", x, 0.5, axis, keepdims, skip_nan=True)


@composition(np.nanquantile)
def nanquantile(
    x: Data, q: Any, axis: Axis = None, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return the quantile of what is not NaN."""
    return _at_rank("nanquantile", x, q, axis, keepdims, method, skip_nan=True)


@composition(np.nanpercentile)
def nanpercentile(
    x: Data, q: Any, axis: Axis = None, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return the percentile of what is not NaN."""
    return _at_rank("nanpercentile", x, np.divide(constant(q, "q", "Pass"), 100), axis, keepdims, method, skip_nan=True)


def _at_rank(
    name: str, x: Data, q: Any, axis: Axis, keepdims: bool, method: str = "linear", skip_nan: bool = False
) -> Tensor:
    """Return the values at a share q of the ranks. NaN is sorted to the end; unless skipped, it is the result."""
    x, share = as_tensor(x), constant(q, "q", "Pass")
    share = share.astype(float) if hasattr(share, "astype") else np.asarray(share, float)
    axis = tuple(axis) if isinstance(axis, list) else axis
    axes = _axes_of(x, axis, name)
    if not reduced_count(x.shape, axis):
        raise InputError(f"{name}: there must be an entry along axis {axis}; got shape {x.shape}. Use more data.")
    if method != "linear" or not np.all((share >= 0) & (share <= 1)):
        raise InputError(
            f"{name}: q must lie from 0 to 1 (in percent, to 100), and what lies between two entries is interpolated "
            f"linearly; got q={q}, method={method!r}. Correct q, or use np.sort and indices for another method."
        )
    kept = tuple(a for a in range(x.ndim) if a not in axes)
    lengths = tuple(x.shape[a] for a in kept)
    rows = sort(widened(transpose(x, axes=(*kept, *axes))).reshape((*lengths, reduced_count(x.shape, axis))))
    last = rows.shape[-1] - 1
    missing = np.isnan(rows.data).sum(-1)
    place = share.reshape(share.shape + (1,) * len(kept)) * np.maximum(last - missing if skip_nan else last, 0)
    if not skip_nan:
        place = np.where(missing, last, place)
    low, grid = np.floor(place), np.ogrid[tuple(slice(n) for n in lengths)]
    below, above = (getitem(rows, (*grid, at.astype(np.intp))) for at in (low, np.ceil(place)))
    t = (place - low).astype(below.dtype if below.dtype.kind == "f" else float)
    same = np.isinf(below.data) & (below.data == above.data)
    lower, upper = e.where(same, 0, below), e.where(same, 0, above)
    step = upper - lower
    between = e.where(same, above, e.where(t < 0.5, lower + step * t, upper - step * (1 - t)))
    if keepdims:
        between = between.reshape((*share.shape, *kept_shape(x.shape, axis)))
    return narrowed(between, x)


# Without NaN


def without_nan(x: Data, value: float) -> Tensor:
    """Return x with a value in the place of NaN."""
    x = as_tensor(x)
    found = np.isnan(x.data)
    return e.where(found, value, x) if some(found) else x


@composition(np.nansum)
def nansum(x: Data, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the sum of what is not NaN."""
    return without_nan(x, 0).sum(axis, keepdims)


@composition(np.nanprod)
def nanprod(x: Data, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the product of what is not NaN."""
    return without_nan(x, 1).prod(axis, keepdims)


@composition(np.nancumsum)
def nancumsum(x: Data, axis: int | None = None) -> Tensor:
    """Return running sums of what is not NaN."""
    return without_nan(x, 0).cumsum(axis)


@composition(np.nancumprod)
def nancumprod(x: Data, axis: int | None = None) -> Tensor:
    """Return running products of what is not NaN."""
    return cumprod(without_nan(x, 1), axis)


@composition(np.nanmax)
def nanmax(x: Data, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest of what is not NaN, and NaN where there is nothing else."""
    return _with_some(x, -np.inf, axis).max(axis, keepdims)


@composition(np.nanmin)
def nanmin(x: Data, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest of what is not NaN, and NaN where there is nothing else."""
    return _with_some(x, np.inf, axis).min(axis, keepdims)


def _with_some(x: Data, value: float, axis: Axis) -> Tensor:
    x = as_tensor(x)
    missing = np.isnan(x.data)
    return e.where(missing & ~missing.all(axis, keepdims=True), value, x) if some(missing) else x


def _counted(x: Tensor, axis: Axis, keepdims: bool) -> Any:
    return np.sum(~np.isnan(x.data), axis, keepdims=keepdims)


def _divided(total: Tensor, count: Any) -> Tensor:
    """Return a sum by a count; NaN where nothing is counted."""
    dtype = total.dtype if total.dtype.kind == "f" else np.float64
    return total / np.where(count > 0, count, np.nan).astype(dtype)


@composition(np.nanmean)
def nanmean(x: Data, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean of what is not NaN."""
    x = as_tensor(x)
    return narrowed(_divided(nansum(widened(x), axis, keepdims), _counted(x, axis, keepdims)), x)


@composition(np.nanvar)
def nanvar(
    x: Data,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    mean: Any = None,
    correction: float | None = None,
) -> Tensor:
    """Return the variance of what is not NaN, and NaN where there is no more of it than ``ddof``."""
    x = as_tensor(x)
    return narrowed(_nan_variance(widened(x), axis, freedom("nanvar", ddof, correction), keepdims, mean), x)


@composition(np.nanstd)
def nanstd(
    x: Data,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    mean: Any = None,
    correction: float | None = None,
) -> Tensor:
    """Return the deviation of what is not NaN; its gradient where it is 0 is 0."""
    x = as_tensor(x)
    ddof = freedom("nanstd", ddof, correction)
    return narrowed(root_or_zero(_nan_variance(widened(x), axis, ddof, keepdims, mean)), x)


def _nan_variance(x: Tensor, axis: Axis, ddof: float, keepdims: bool, mean: Any) -> Tensor:
    centered = x - (nanmean(x, axis, True) if mean is None else mean)
    squares = e.where(np.isnan(x.data), 0, centered).square()
    return _divided(squares.sum(axis, keepdims), _counted(x, axis, keepdims) - ddof)
