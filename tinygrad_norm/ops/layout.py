"""Rearranging axes, joining and cutting: NumPy's names for reshape, transpose, concatenate and slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.details.array import Array
from ..engine.details.summation import Axis
from ..engine.primitive import composition
from ..engine.primitives.shape import axis_of, reshape, transpose
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, OperandError, ShapeError
from . import elementwise as e
from .constants import constant
from .picking import getitem, take
from .shape import cast, concatenate_all, pad_with, stack_all


@composition(np.reshape)
def _reshape(x: Data, shape: Any) -> Tensor:
    """Return the same entries in another shape."""
    return reshape(x, shape=shape)


@composition(np.ravel)
def ravel(x: Data) -> Tensor:
    """Return the entries as one axis."""
    return _reshape(x, -1)


def rearranged(function: Callable[..., Array], x: Tensor, *arguments: Any) -> Array:
    """Apply a NumPy function that only moves axes, to learn the result's shape; its error becomes ours."""
    try:
        return function(x.data, *arguments)
    except (ValueError, TypeError) as error:
        given = ", ".join(map(repr, arguments))
        raise ShapeError(
            f"{function.__name__}: the axes must fit the shape {x.shape}; got {given}: {error}. Count axes from 0, or "
            "from −1 backwards."
        ) from error


@composition(np.expand_dims)
def expand_dims(x: Data, axis: int | tuple[int, ...]) -> Tensor:
    """Insert axes of length one."""
    x = as_tensor(x)
    return _reshape(x, rearranged(np.expand_dims, x, axis).shape)


@composition(np.squeeze)
def squeeze(x: Data, axis: Axis = None) -> Tensor:
    """Drop axes of length one."""
    x = as_tensor(x)
    return _reshape(x, rearranged(np.squeeze, x, axis).shape)


@composition(np.atleast_1d)
def atleast_1d(x: Data) -> Tensor:
    """Return ``x`` with at least one axis."""
    return _reshape(x, np.atleast_1d(as_tensor(x).data).shape)


@composition(np.atleast_2d)
def atleast_2d(x: Data) -> Tensor:
    """Return ``x`` with at least two axes."""
    return _reshape(x, np.atleast_2d(as_tensor(x).data).shape)


@composition(np.swapaxes, np.matrix_transpose)
def swapaxes(x: Data, axis1: int = -1, axis2: int = -2) -> Tensor:
    """Exchange two axes."""
    x = as_tensor(x)
    axes = list(range(x.ndim))
    first, second = axis_of(axis1, x.shape, "swapaxes"), axis_of(axis2, x.shape, "swapaxes")
    axes[first], axes[second] = second, first
    return transpose(x, axes=tuple(axes))


@composition(np.moveaxis)
def moveaxis(x: Data, source: Any, destination: Any) -> Tensor:
    """Move axes to new places."""
    x = as_tensor(x)
    rearranged(np.moveaxis, x, source, destination)
    sources = [s % x.ndim for s in np.atleast_1d(source)]
    targets = [d % x.ndim for d in np.atleast_1d(destination)]
    order = [a for a in range(x.ndim) if a not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return transpose(x, axes=tuple(int(a) for a in order))


def parts_of(xs: Any, name: str) -> list[Any]:
    """Return a sequence of operands as a list; raise where it is empty or a single operand."""
    several = isinstance(xs, (list, tuple)) or (isinstance(xs, (Tensor, np.ndarray)) and xs.ndim)
    parts = list(xs) if several else []
    if not parts:
        raise OperandError(f"{name} must get a sequence of at least one Tensor; got {type(xs).__name__}. Write [a, b].")
    return parts


@composition(np.concatenate)
def concatenate(xs: Any, axis: int | None = 0) -> Tensor:
    """Join Tensors along an existing axis; ``axis=None`` flattens them first."""
    parts = parts_of(xs, "concatenate")
    if axis is None:
        parts, axis = [ravel(x) for x in parts], 0
    return concatenate_all(*parts, axis=axis)


@composition(np.stack)
def stack(xs: Any, axis: int = 0) -> Tensor:
    """Join Tensors of one shape along a new axis."""
    return stack_all(*parts_of(xs, "stack"), axis=axis)


@composition(np.vstack)
def vstack(xs: Any) -> Tensor:
    """Join Tensors as rows."""
    return concatenate([atleast_2d(x) for x in parts_of(xs, "vstack")], 0)


@composition(np.hstack)
def hstack(xs: Any) -> Tensor:
    """Join Tensors as columns (one-dimensional ones end to end)."""
    parts = [atleast_1d(x) for x in parts_of(xs, "hstack")]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1)


@composition(np.split)
def split(x: Data, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut a Tensor along an axis into equal parts, or at the given places."""
    x = as_tensor(x)
    axis = axis_of(axis, x.shape, "split")
    try:
        pieces = np.split(np.arange(x.shape[axis]), indices_or_sections)
    except ValueError as error:
        raise ShapeError(
            f"split: the axis of length {x.shape[axis]} must divide into {indices_or_sections} equal parts; it does "
            "not. Use np.array_split, or pass the places to cut at."
        ) from error
    return _cut(x, pieces, axis)


@composition(np.array_split)
def array_split(x: Data, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut a Tensor along an axis into nearly equal parts, or at the given places."""
    x = as_tensor(x)
    axis = axis_of(axis, x.shape, "array_split")
    return _cut(x, np.array_split(np.arange(x.shape[axis]), indices_or_sections), axis)


def _cut(x: Tensor, pieces: Sequence[Any], axis: int) -> list[Tensor]:
    before = (slice(None),) * axis
    return [getitem(x, (*before, slice(int(p[0]), int(p[-1]) + 1) if len(p) else slice(0, 0))) for p in pieces]


@composition(np.repeat)
def repeat(x: Data, repeats: Any, axis: int | None = None) -> Tensor:
    """Repeat each entry along an axis."""
    x = ravel(x) if axis is None else as_tensor(x)
    axis = 0 if axis is None else axis_of(axis, x.shape, "repeat")
    try:
        picked = np.repeat(np.arange(x.shape[axis]), np.asarray(repeats))
    except (ValueError, TypeError) as error:
        raise ShapeError(
            f"repeat: repeats must be one count or one for each of the {x.shape[axis]} entries of axis {axis}; got "
            f"{repeats!r}: {error}. Pass whole numbers from 0 up."
        ) from error
    return take(x, picked, axis)


@composition(np.tile)
def tile(x: Data, reps: Any) -> Tensor:
    """Repeat the whole Tensor along its axes."""
    x = as_tensor(x)
    return getitem(ravel(x), np.tile(np.arange(x.size).reshape(x.shape), reps))


@composition(np.pad)
def pad(x: Data, pad_width: Any, mode: str = "constant", constant_values: float = 0.0) -> Tensor:
    """Put a frame of one constant around a Tensor."""
    if mode != "constant" or np.ndim(constant_values):
        raise InputError(
            f"pad: a Tensor can be padded with one constant; got mode={mode!r}, constant_values={constant_values!r}."
            " Use mode='constant', or np.concatenate for other frames."
        )
    x = as_tensor(x)
    try:
        width = tuple((int(a), int(b)) for a, b in np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist())
    except (ValueError, TypeError) as error:
        raise ShapeError(
            f"pad: pad_width must be a number, a pair, or a pair for each axis of shape {x.shape}; got {pad_width!r}. "
            "Write ((before, after), ...)."
        ) from error
    return pad_with(x, width=width, value=constant(constant_values))


def triangle(x: Tensor, k: int) -> Array:
    """Return True on and below the k-th diagonal of the last two axes."""
    if x.ndim < 2:
        raise ShapeError(f"a triangle must be of a matrix or a stack of them; got shape {x.shape}. Add an axis.")
    return np.tri(x.shape[-2], x.shape[-1], k, dtype=bool)


@composition(np.tril)
def tril(x: Data, k: int = 0) -> Tensor:
    """Return the lower triangle, zeros above it."""
    x = as_tensor(x)
    return e.where(triangle(x, k), x, np.zeros((), x.dtype))


@composition(np.triu)
def triu(x: Data, k: int = 0) -> Tensor:
    """Return the upper triangle, zeros below it."""
    x = as_tensor(x)
    return e.where(triangle(x, k - 1), np.zeros((), x.dtype), x)


@composition(np.astype)
def astype(x: Data, dtype: Any) -> Tensor:
    """Convert to another dtype; the gradient comes back in the original one."""
    x = as_tensor(x)
    if x.dtype == np.dtype(dtype):
        return x
    return cast(x, dtype=np.dtype(dtype), origin=x.dtype)
