"""Moving and joining entries without changing them: the engine's shapes, and what stands here with its adjoint.

Concatenation is undone by slicing, a shift by a shift back, a frame by cutting it off.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from ..engine.details.array import Array, Shape, whole
from ..engine.primitive import primitive
from ..engine.primitives.shape import *  # noqa: F403  # this room offers all of them
from ..errors import ShapeError
from ..samples import sample, samples_at


def axis_of(axis: int, shape: Shape, name: str) -> int:
    """Return an axis counted from 0; raise if the shape has no such axis."""
    n = len(shape)
    whole((axis,), name)
    if not -n <= axis < n:
        raise ShapeError(
            f"{name}: the axis must lie in [{-n}, {n}) for shape {shape}; got {axis}. Count from 0, or from −1 "
            f"backwards."
        )
    return axis % n


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
