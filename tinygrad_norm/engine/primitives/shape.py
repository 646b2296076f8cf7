"""Other shapes of the same entries; each operation stands beside its adjoint.

All are linear: reshaping undoes reshaping, a permutation its inverse, broadcasting is undone by summing.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod as product
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...samples import samples_at
from ..details.array import Array, Shape
from ..details.summation import sum_to
from ..primitive import primitive


def _reshape(x: Array, /, shape: int | Sequence[int]) -> Array:
    return np.reshape(x, shape)


reshape = primitive(
    _reshape,
    linear=True,
    vjp=lambda g, x_shape: (g.reshape(x_shape),),
    formula="x in another shape",
    rule=("ḡ in the shape of x",),
    samples=[
        *samples_at("(), 1x1", shape=(1,)),
        *samples_at("3x5", shape=(5, 3)),
        *samples_at("3x5, ()", shape=-1),
        *samples_at("2x3x5", shape=(6, -1)),
        *samples_at("0x4", shape=(2, 0)),
        *samples_at("1", shape=()),
    ],
)


def _transpose(x: Array, /, axes: int | Sequence[int] | None = None) -> Array:
    return np.transpose(x, axes)


def _transpose_rule(g: Any, axes: int | Sequence[int] | None) -> Any:
    if axes is None:
        return (np.transpose(g),)
    axes = (axes,) if isinstance(axes, (int, np.integer)) else axes
    inverse = [0] * len(axes)
    for to, source in enumerate(axes):
        inverse[source % len(axes)] = to
    return (np.transpose(g, inverse),)


transpose = primitive(
    _transpose,
    numpy=(np.transpose, np.permute_dims),
    linear=True,
    vjp=_transpose_rule,
    symbol="ᵀ",
    formula="x with its axes permuted",
    rule=("ḡ permuted back",),
    samples=[
        *samples_at("(), 3x5, 2x3x5, 0x4"),
        *samples_at("2x3x5", axes=(1, 2, 0)),
        *samples_at("2x3x5", axes=(-1, 0, 1)),
        *samples_at("5", axes=0),
    ],
)


SMALL = 4096


def repeated(x: Any, shape: Shape) -> Any:
    """Return ``x`` broadcast to a shape: a filled array where that is small, a view without memory where it is large.

    NumPy takes four microseconds to make the view; a small array is filled in half of one.
    """
    if x.shape == shape:
        return x
    if product(shape) > SMALL:
        return np.broadcast_to(x, shape)
    result: Array = np.empty(shape, x.dtype)
    if x.ndim:
        result[...] = x
    else:
        result.fill(x)
    return result


def _broadcast_to(x: Array, /, shape: Shape) -> Array:
    target = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if x.ndim > len(target):  # filling would drop leading axes of length one in silence
        raise ShapeError(f"the shape must have at least the {x.ndim} axes of {x.shape}; got {target}. Reshape instead.")
    result: Array = repeated(x, target)
    return result


broadcast_to = primitive(
    _broadcast_to,
    numpy=(np.broadcast_to,),
    linear=True,
    vjp=lambda g, x_shape: (sum_to(g, x_shape),),
    symbol="broadcast",
    formula="x repeated along new or stretched axes",
    rule=("ḡ summed back",),
    samples=[
        *samples_at("3x5, 5, 1x5, 3x1", shape=(3, 5)),
        *samples_at("(), 3x1", shape=(2, 3, 5)),
        *samples_at("1x4", shape=(0, 4)),
    ],
)
