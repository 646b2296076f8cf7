"""Sums, means and extremes.

The adjoint of summing is spreading the cotangent over what was summed: :func:`spread`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...samples import samples_at
from ..details.array import PLAIN, Array, Shape, some, whole
from ..details.summation import Axis, average, kept_shape, reduced_count, total
from ..primitive import primitive
from .shape import broadcast_to, repeated

# The ufuncs' own reductions: np.max and its like spend more time on their arguments than on small arrays.
maximum_reduce: Callable[..., Any] = np.maximum.reduce
minimum_reduce: Callable[..., Any] = np.minimum.reduce


def reductions(domain: str = "any") -> list[Any]:
    """Return the usual samples of a reduction: every kind of axis argument, size one, 0-d."""
    return [
        *samples_at("(), 3x5", domain),
        *samples_at("3x5", domain, axis=0),
        *samples_at("3x5", domain, axis=-1, keepdims=True),
        *samples_at("2x3x5", domain, axis=(0, 2)),
        *samples_at("2x3x5", domain, axis=(-1, 0), keepdims=True),
        *samples_at("3x1", domain, axis=1),
    ]


def spread(g: Any, x_shape: Shape, axis: Axis) -> Any:
    """Return a reduction's cotangent spread over the entries that were reduced."""
    if 0 < g.ndim < len(x_shape):
        g = g.reshape(kept_shape(x_shape, axis))
    return repeated(g, x_shape) if isinstance(g, PLAIN) else broadcast_to(g, shape=x_shape)


def shared(g: Any, count: int) -> Any:
    """Return ḡ / count; no float16 holds a count above 65,504."""
    return g / count if g.dtype.char != "e" else (g.astype(np.float32) / count).astype(np.float16)


sum = primitive(
    total,
    name="sum",
    numpy=(np.sum,),
    linear=True,
    vjp=lambda g, x_shape, axis: (spread(g, x_shape, axis),),
    symbol="Σ",
    formula="Σ x",
    rule=("ḡ spread over the summed axes",),
    samples=[*reductions(), *samples_at("0x4"), *samples_at("0x4", axis=0)],
)


mean = primitive(
    average,
    name="mean",
    numpy=(np.mean,),
    linear=True,
    vjp=lambda g, x_shape, axis: (spread(shared(g, reduced_count(x_shape, axis)), x_shape, axis),),
    formula="Σ x / n",
    rule=("ḡ / n spread over the averaged axes",),
    samples=reductions(),
)


def _share_of_extreme(g: Any, out: Any, x: Any, axis: Axis) -> Any:
    shape = x.shape
    ties = x == spread(out, shape, axis)
    if some(np.isnan(out)):  # NaN is the extreme and equals nothing
        ties = ties | np.isnan(x)
    count = np.sum(ties, axis=axis, keepdims=True)
    if g.ndim != len(shape):
        g = g.reshape(kept_shape(shape, axis))
    return (ties * (g / count).astype(g.dtype),)


def _max(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Any:
    return maximum_reduce(x, whole(axis), keepdims=keepdims)


max = primitive(
    _max,
    numpy=(np.max, np.amax),
    vjp=_share_of_extreme,
    formula="max x",
    rule=("ḡ to the largest entry",),
    samples=reductions("distinct"),
    note="Tied entries share the cotangent equally.",
)


def _min(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Any:
    return minimum_reduce(x, whole(axis), keepdims=keepdims)


min = primitive(
    _min,
    numpy=(np.min, np.amin),
    vjp=_share_of_extreme,
    formula="min x",
    rule=("ḡ to the smallest entry",),
    samples=reductions("distinct"),
    note="Tied entries share the cotangent equally.",
)
