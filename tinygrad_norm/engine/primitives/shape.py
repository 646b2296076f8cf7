"""Operations that move entries without changing them; each stands beside its adjoint.

All are linear: reshaping undoes reshaping, a permutation its inverse, broadcasting is undone by summing,
concatenation by slicing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod as product
from typing import Any

import numpy as np

from ...errors import ShapeError
from ..details.array import Array, Shape
from ..details.samples import sample, samples_at
from ..details.summation import sum_to
from ..primitive import primitive


def axis_of(axis: int, shape: Shape, name: str) -> int:
    """Return an axis counted from 0; raise if the shape has no such axis."""
    n = len(shape)
    if not -n <= axis < n:
        raise ShapeError(
            f"{name}: the axis must lie in [{-n}, {n}) for shape {shape}; got {axis}. Count from 0, or from −1 "
            f"backwards."
        )
    return axis % n


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
    axes = (axes,) if isinstance(axes, int) else axes
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


def _concatenate(*xs: Array, axis: int = 0) -> Array:
    return np.concatenate(xs, axis)


def _concatenate_rule(g: Any, xs_shape: tuple[Shape, ...], axis: int) -> Any:
    axis %= g.ndim
    ends = list(accumulate(shape[axis] for shape in xs_shape))
    before = (slice(None),) * axis
    return tuple(g[(*before, slice(end - shape[axis], end))] for shape, end in zip(xs_shape, ends, strict=True))


concatenate_all = primitive(
    _concatenate,
    linear=True,
    vjp=_concatenate_rule,
    formula="x₁ | x₂ | …",
    rule=("the input's slice of ḡ",),
    samples=[
        *samples_at("3x5 2x5, 5, 0x4 3x4"),
        *samples_at("3x5 3x1 3x2", axis=1),
        *samples_at("2x3x5 2x3x1", axis=-1),
    ],
)


def _stack(*xs: Array, axis: int = 0) -> Array:
    return np.stack(xs, axis)


def _stack_rule(g: Any, xs_shape: tuple[Shape, ...], axis: int) -> Any:
    before = (slice(None),) * (axis % g.ndim)
    return tuple(g[(*before, i)] for i in range(len(xs_shape)))


stack_all = primitive(
    _stack,
    linear=True,
    vjp=_stack_rule,
    formula="x₁ | x₂ | … along a new axis",
    rule=("the input's slice of ḡ",),
    samples=[
        *samples_at("3x5 3x5, (), () (), 0x4 0x4"),
        *samples_at("3x5 3x5 3x5", axis=1),
        *samples_at("3x5 3x5", axis=-1),
    ],
)


def _flip(x: Array, /, axis: int | tuple[int, ...] | None = None) -> Array:
    return np.flip(x, axis)


flip = primitive(
    _flip,
    numpy=(np.flip,),
    linear=True,
    vjp=lambda g, axis: (np.flip(g, axis),),
    formula="x in reverse order",
    rule=("ḡ in reverse order",),
    samples=[
        *samples_at("(), 3x5, 0x4"),
        *samples_at("3x5", axis=0),
        *samples_at("2x3x5", axis=(0, -1)),
    ],
)


def _roll(x: Array, /, shift: Any, axis: Any = None) -> Array:
    return np.roll(x, shift, axis)


def _roll_rule(g: Any, shift: Any, axis: Any) -> Any:
    back = tuple(-s for s in shift) if isinstance(shift, (tuple, list)) else -shift
    return (np.roll(g, back, axis),)


roll = primitive(
    _roll,
    numpy=(np.roll,),
    linear=True,
    vjp=_roll_rule,
    formula="x shifted round",
    rule=("ḡ shifted back",),
    samples=[
        sample((5,), shift=2),
        sample((3, 5), shift=-1, axis=1),
        sample((3, 5), shift=4),
        sample((3, 5), shift=(1, 2), axis=(0, 1)),
        sample((0, 4), shift=1),
    ],
)


def _pad(x: Array, /, width: tuple[tuple[int, int], ...], value: float = 0.0) -> Array:
    return np.pad(x, width, constant_values=value)


pad_with = primitive(
    _pad,
    vjp=lambda g, x_shape, width: (
        g[tuple(slice(before, before + n) for (before, _), n in zip(width, x_shape, strict=True))],
    ),
    formula="x in a frame of constants",
    rule=("ḡ without the frame",),
    samples=[
        sample((5,), width=((1, 2),)),
        sample((3, 5), width=((0, 1), (2, 0)), value=0.5),
        sample((0, 4), width=((1, 1), (0, 0))),
    ],
)


def _cast(x: Array, /, dtype: Any, origin: Any) -> Array:
    result: Array = x.astype(dtype)
    return result


cast = primitive(
    _cast,
    name="astype",
    vjp=lambda g, origin: (g.astype(origin),),
    formula="x in another dtype",
    rule=("ḡ in the dtype of x",),
    samples=[sample((3, 5), dtype="float64", origin="float64"), sample((), dtype="float32", origin="float64")],
    note="Rounding to a narrower type is taken as the identity.",
)
