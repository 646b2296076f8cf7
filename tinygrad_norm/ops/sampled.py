"""Functions of values sampled along an axis: differences, slopes, areas, convolution, interpolation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.primitive import composition
from ..engine.primitives.linalg import matmul
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, ShapeError
from . import elementwise as e
from .constants import plain
from .layout import astype, concatenate, moveaxis, pad, ravel
from .picking import getitem
from .shape import axis_of, flip


@composition(np.diff)
def diff(x: Data, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """Return the differences of neighbors, ``n`` times; values can be set before and behind first."""
    x = as_tensor(x)
    if n < 0:
        raise InputError(
            f"diff: the differences must be taken a number of times n >= 0; got {n}. Use np.cumsum to add."
        )
    before = (slice(None),) * axis_of(axis, x.shape, "diff")
    ends = [None if end is None else as_tensor(end) for end in (prepend, append)]
    if n and any(end is not None for end in ends):
        one = (*x.shape[: len(before)], 1, *x.shape[len(before) + 1 :])
        ends = [e.add(end, np.zeros(one, end.dtype)) if end is not None and not end.ndim else end for end in ends]
        x = concatenate([part for part in (ends[0], x, ends[1]) if part is not None], len(before))
    for _ in range(n):
        x = x[(*before, slice(1, None))] - x[(*before, slice(None, -1))]
    return x


@composition(np.ediff1d)
def ediff1d(x: Data, to_end: Any = None, to_begin: Any = None) -> Tensor:
    """Return the differences of neighbors of the flattened Tensor, between further values."""
    x = as_tensor(x)
    parts = [to_begin, diff(ravel(x)), to_end]
    return concatenate([astype(ravel(part), x.dtype) for part in parts if part is not None])


@composition(np.trapezoid)
def trapezoid(y: Data, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """Return the area below samples that straight lines join."""
    y = as_tensor(y)
    along = axis_of(axis, y.shape, "trapezoid")
    before = (slice(None),) * along
    if x is not None:
        x = as_tensor(x)
        behind = (1,) * (y.ndim - along - 1)
        dx = diff(x).reshape((-1, *behind)) if x.ndim == 1 else diff(x, axis=axis)
    heights = 0.5 * y[(*before, slice(1, None))] + 0.5 * y[(*before, slice(None, -1))]
    return as_tensor(dx * heights).sum(along)


@composition(np.gradient)
def gradient(f: Data, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Tensor | tuple[Tensor, ...]:
    """Return the slopes of sampled values along each axis: central differences inside, one-sided ones at the ends.

    ``spacing`` is a distance for all axes, or for each axis a distance or the places of the samples.
    """
    f = as_tensor(f)
    wanted = range(f.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = [axis_of(a, f.shape, "gradient") for a in wanted]
    steps = list(spacing) if len(spacing) > 1 else [spacing[0] if spacing else 1.0] * len(axes)
    if len(steps) != len(axes) or edge_order not in (1, 2) or any(f.shape[a] <= edge_order for a in axes):
        raise InputError(
            f"gradient: there must be one spacing for all axes or one for each, edge_order 1 or 2, and more samples "
            f"than that along each axis; got {len(spacing)} spacing(s), edge_order={edge_order}, axes {axes} of shape "
            f"{f.shape}. Correct what does not fit."
        )
    found = [_slopes(f, a, step, edge_order) for a, step in zip(axes, steps, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slopes(f: Tensor, axis: int, spacing: Any, edge_order: int) -> Tensor:
    values, h = moveaxis(f, axis, -1), spacing
    if not np.ndim(plain(spacing)):
        step, inner = diff(values) / h, (values[..., 2:] - values[..., :-2]) / (2.0 * h)
    else:
        places = as_tensor(spacing)
        if places.shape != (f.shape[axis],):
            raise ShapeError(
                f"gradient: the places of the samples must be one for each of the {f.shape[axis]} along axis {axis}; "
                f"got shape {places.shape}. Pass a vector, or one distance."
            )
        h = astype(diff(places), f.dtype if f.dtype.kind == "f" else np.float64)
        step, share = diff(values) / h, h[:-1] / (h[:-1] + h[1:])  # the share of the step to the right
        inner = step[..., 1:] * share + step[..., :-1] * (1 - share)
    first, last = step[..., :1], step[..., -1:]
    if edge_order == 2:
        first = first - (inner[..., :1] - first)
        last = last + (last - inner[..., -1:])
    return moveaxis(concatenate([first, inner, last], -1), -1, axis)


@composition(np.convolve)
def convolve(x: Data, y: Data, mode: str = "full") -> Tensor:
    """Return the convolution of two vectors: the sums Σ x[i] · y[k − i]."""
    x, y = _vector(x, "convolve"), _vector(y, "convolve")
    return _slid(x, flip(y), mode) if y.size <= x.size else _slid(y, flip(x), mode)


@composition(np.correlate)
def correlate(x: Data, y: Data, mode: str = "valid") -> Tensor:
    """Return the correlation of two vectors: the sums Σ x[i + k] · y[i]."""
    x, y = _vector(x, "correlate"), _vector(y, "correlate")
    return _slid(x, y, mode) if y.size <= x.size else flip(_slid(y, x, mode))


def _vector(x: Data, name: str) -> Tensor:
    x = as_tensor(x)
    if x.ndim > 1 or not x.size:
        raise ShapeError(f"{name}: both must be vectors with at least one entry; got shape {x.shape}. Use ravel().")
    return ravel(x)


def _slid(x: Tensor, y: Tensor, mode: str) -> Tensor:
    """Return the products of y with each part of x of its length: as many parts as the mode says."""
    m = y.size
    frames = {"full": (m - 1, m - 1), "same": (m // 2, m - m // 2 - 1), "valid": (0, 0)}
    if mode not in frames:
        raise InputError(f"the mode must be 'full', 'same' or 'valid'; got {mode!r}. Name one of them.")
    framed = pad(x, frames[mode])
    starts = np.arange(framed.size - m + 1)
    return matmul(getitem(framed, starts[:, None] + np.arange(m)), y)


@composition(np.interp)
def interp(x: Data, xp: Data, fp: Data, left: Any = None, right: Any = None, period: float | None = None) -> Tensor:
    """Return the values at x on the straight lines that join the points (xp, fp); at a point, the line to its right."""
    x, xp, fp = as_tensor(x), as_tensor(xp), as_tensor(fp)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size or (period is None and np.any(np.diff(xp.data) < 0)):
        raise ShapeError(
            f"interp: xp and fp must be vectors of one length above 0, and xp must increase; got shapes {xp.shape} and "
            f"{fp.shape}. Pass the places and the values of the points, sorted by place."
        )
    if period is not None:
        x, xp, period = x % period, xp % period, abs(period)
        order = np.argsort(xp.data, kind="stable")
        xp, fp = xp[order], fp[order]
        xp = concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = concatenate([fp[-1:], fp, fp[:1]])
        left = right = None
    n = xp.size
    below, above = x.data < xp.data[0], x.data > xp.data[-1]
    inside = e.where(below | above, xp.data[0], x)
    at = np.clip(np.searchsorted(xp.data, inside.data, "right") - 1, 0, max(n - 2, 0))
    if n > 1:
        slopes = (fp[1:] - fp[:-1]) / (xp[1:] - xp[:-1])
        result = slopes[at] * (inside - xp[at]) + fp[at]
    else:
        result = fp[at]
    result = e.where(below, fp[0] if left is None else left, result)
    return e.where(above, fp[-1] if right is None else right, result)
