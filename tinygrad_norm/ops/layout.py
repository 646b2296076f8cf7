"""Rearranging axes, joining and cutting: NumPy's names for reshape, transpose, concatenate and slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.details.array import Array
from ..engine.details.summation import Axis
from ..engine.primitive import composition
from ..engine.primitives.shape import broadcast_to, reshape, transpose
from ..engine.tensor import Data, Tensor, as_tensor, wrap
from ..errors import IndexRangeError, InputError, OperandError, ShapeError
from ..pytorch_names import kind_of
from . import elementwise as e
from .constants import constant, plain
from .picking import getitem, take
from .shape import axis_of, cast, concatenate_all, flip, pad_with, stack_all


def row_by_row(order: str, name: str) -> None:
    """Raise unless entries are to be read in C's order."""
    if order != "C":
        raise OperandError(
            f"{name}: the entries of a Tensor must be read row by row, order='C'; got {order!r}. Transpose it first."
        )


@composition(np.reshape)
def _reshape(x: Data, shape: Any, order: str = "C") -> Tensor:
    """Return the same entries in another shape."""
    row_by_row(order, "reshape")
    return reshape(x, shape=shape)


@composition(np.ravel)
def ravel(x: Data, order: str = "C") -> Tensor:
    """Return the entries as one axis."""
    row_by_row(order, "ravel")
    return reshape(x, shape=-1)


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
def atleast_1d(*xs: Data) -> Any:
    """Return each ``x`` with at least one axis."""
    return _at_least(np.atleast_1d, xs)


@composition(np.atleast_2d)
def atleast_2d(*xs: Data) -> Any:
    """Return each ``x`` with at least two axes."""
    return _at_least(np.atleast_2d, xs)


@composition(np.atleast_3d)
def atleast_3d(*xs: Data) -> Any:
    """Return each ``x`` with at least three axes."""
    return _at_least(np.atleast_3d, xs)


def _at_least(function: Callable[..., Any], xs: tuple[Any, ...]) -> Any:
    found = tuple(_reshape(x, function(x.data).shape) for x in map(as_tensor, xs))
    return found[0] if len(found) == 1 else found


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


@composition(np.rollaxis)
def rollaxis(x: Data, axis: int, start: int = 0) -> Tensor:
    """Move an axis before another one."""
    x = as_tensor(x)
    axis = axis_of(axis, x.shape, "rollaxis")
    start = axis_of(start, (*x.shape, 1), "rollaxis") if start >= 0 else axis_of(start, x.shape, "rollaxis")
    return moveaxis(x, axis, start - (axis < start))


@composition(np.rot90)
def rot90(x: Data, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Turn the plane of two axes by 90 degrees, ``k`` times, from the first towards the second."""
    x = as_tensor(x)
    rearranged(np.rot90, x, k, axes)
    if k % 4 in (0, 2):
        return flip(x, axis=tuple(axes)) if k % 4 else e.copy(x)
    return flip(swapaxes(x, *axes), axis=axes[0 if k % 4 == 1 else 1])


@composition(np.fliplr)
def fliplr(x: Data) -> Tensor:
    """Reverse the columns: the second axis."""
    x = as_tensor(x)
    return flip(x, axis=axis_of(1, x.shape, "fliplr"))


@composition(np.flipud)
def flipud(x: Data) -> Tensor:
    """Reverse the rows: the first axis."""
    x = as_tensor(x)
    return flip(x, axis=axis_of(0, x.shape, "flipud"))


@composition(np.broadcast_arrays)
def broadcast_arrays(*xs: Data) -> tuple[Tensor, ...]:
    """Return all Tensors in the shape that they broadcast to."""
    parts = [as_tensor(x) for x in xs]
    try:
        shape = np.broadcast_shapes(*(x.shape for x in parts))
    except ValueError as error:
        raise ShapeError(
            f"broadcast_arrays: the shapes must broadcast; got {' and '.join(str(x.shape) for x in parts)}. Shapes "
            "broadcast when they are equal, or 1, counted from the last axis."
        ) from error
    return tuple(broadcast_to(x, shape=shape) for x in parts)


@composition(np.meshgrid)
def meshgrid(*xs: Data, indexing: str = "xy", sparse: bool = False, copy: bool = True) -> tuple[Tensor, ...]:
    """Return the coordinates of every point of a grid, from the places along each axis."""
    if indexing not in ("xy", "ij"):
        raise InputError(f"meshgrid: indexing must be 'xy' or 'ij'; got {indexing!r}. Name one of them.")
    n = len(xs)
    grids = [_reshape(x, tuple(-1 if a == i else 1 for a in range(n))) for i, x in enumerate(xs)]
    if indexing == "xy" and n > 1:
        grids = [swapaxes(x, 0, 1) for x in grids]
    return tuple(grids) if sparse else broadcast_arrays(*grids)


def parts_of(xs: Any, name: str) -> list[Any]:
    """Return a sequence of operands as a list; raise where it is empty or a single operand."""
    several = isinstance(xs, (list, tuple)) or (isinstance(xs, (Tensor, np.ndarray)) and xs.ndim)
    parts = list(xs) if several else []
    if not parts:
        raise OperandError(f"{name} must get a sequence of at least one Tensor; got {kind_of(xs)}. Write [a, b].")
    return parts


def unchanged(result: Tensor, parts: Any, name: str, dtype: Any, casting: Any) -> Tensor:
    """Return a joined Tensor; raise if NumPy would have made another dtype of it, or would have refused to."""
    parts = [as_tensor(x) for x in parts]
    if dtype is not None and result.dtype != dtype:
        raise OperandError(
            f"{name}: dtype must be that of the result, {result.dtype}, on Tensors; got {np.dtype(dtype)}. "
            "Leave it out and use astype."
        )
    if not all(np.can_cast(x.dtype, result.dtype, casting) for x in parts):
        raise OperandError(
            f"{name}: casting={casting!r} must allow {', '.join(str(x.dtype) for x in parts)} to become "
            f"{result.dtype}; it does not. Use astype first."
        )
    return result


@composition(np.concatenate)
def concatenate(xs: Any, axis: int | None = 0, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Join Tensors along an existing axis; ``axis=None`` flattens them first."""
    parts = parts_of(xs, "concatenate")
    if axis is None:
        parts, axis = [ravel(x) for x in parts], 0
    return unchanged(concatenate_all(*parts, axis=axis), parts, "concatenate", dtype, casting)


@composition(np.stack)
def stack(xs: Any, axis: int = 0, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Join Tensors along a new axis."""
    parts = parts_of(xs, "stack")
    return unchanged(stack_all(*parts, axis=axis), parts, "stack", dtype, casting)


@composition(np.vstack)
def vstack(xs: Any, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Join Tensors as rows."""
    return concatenate([atleast_2d(x) for x in parts_of(xs, "vstack")], 0, dtype, casting)


@composition(np.hstack)
def hstack(xs: Any, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Join Tensors as columns (one-dimensional ones end to end)."""
    parts = [atleast_1d(x) for x in parts_of(xs, "hstack")]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1, dtype, casting)


@composition(np.dstack)
def dstack(xs: Any) -> Tensor:
    """Join Tensors along the third axis."""
    return concatenate([atleast_3d(x) for x in parts_of(xs, "dstack")], 2)


@composition(np.column_stack)
def column_stack(xs: Any) -> Tensor:
    """Join vectors and matrices as columns."""
    parts = [as_tensor(x) for x in parts_of(xs, "column_stack")]
    return concatenate([x if x.ndim > 1 else _reshape(x, (-1, 1)) for x in parts], 1)


@composition(np.block)
def block(xs: Any) -> Tensor:
    """Put a matrix together from nested lists of blocks: the innermost along the last axis, and so on outwards."""

    def depth(part: Any) -> int:
        return 1 + max(map(depth, part), default=0) if isinstance(part, list) else 0

    def axes(part: Any) -> int:
        return max(map(axes, part), default=0) if isinstance(part, list) else as_tensor(part).ndim

    def joined(part: Any, level: int) -> Any:
        if isinstance(part, list):
            return concatenate([joined(p, level - 1) for p in part], -level)
        part = as_tensor(part)
        return _reshape(part, (1,) * (most - part.ndim) + part.shape)

    most = max(depth(xs), axes(xs))
    return joined(xs, depth(xs)) if isinstance(xs, list) else e.copy(xs)


@composition(np.append)
def append(x: Data, values: Data, axis: int | None = None) -> Tensor:
    """Join values to the end along an axis; ``axis=None`` flattens both."""
    return concatenate([x, values], axis)


@composition(np.insert)
def insert(x: Data, obj: Any, values: Data, axis: int | None = None) -> Tensor:
    """Put values before the entries at ``obj`` along an axis; ``axis=None`` flattens."""
    x = ravel(x) if axis is None else as_tensor(x)
    values = astype(values, x.dtype)
    places = np.arange(x.size).reshape(x.shape)
    new = np.arange(x.size, x.size + values.size).reshape(values.shape)
    try:
        order = np.insert(places, plain(obj), new, 0 if axis is None else axis)
    except (ValueError, IndexError) as error:
        raise ShapeError(
            f"insert: the places must lie along axis {axis} of shape {x.shape} and the values, of shape "
            f"{values.shape}, must fit there; got places {obj!r}: {error}. Correct them, or use np.concatenate."
        ) from error
    return getitem(concatenate([ravel(x), ravel(values)]), order)


@composition(np.delete)
def delete(x: Data, obj: Any, axis: int | None = None) -> Tensor:
    """Leave out the entries at ``obj`` along an axis; ``axis=None`` flattens."""
    x = ravel(x) if axis is None else as_tensor(x)
    axis = 0 if axis is None else axis_of(axis, x.shape, "delete")
    try:
        kept = np.delete(np.arange(x.shape[axis]), plain(obj))
    except (ValueError, IndexError) as error:
        raise IndexRangeError(
            f"delete: the places must lie along axis {axis} of shape {x.shape}; got {obj!r}: {error}. Correct them."
        ) from error
    return take(x, kept, axis)


@composition(np.resize)
def resize(x: Data, new_shape: Any) -> Tensor:
    """Fill a new shape with the entries, again from the first one where they do not suffice."""
    x = as_tensor(x)
    if not x.size:
        return wrap(np.resize(x.data, new_shape), None)
    return getitem(ravel(x), rearranged(np.resize, as_tensor(np.arange(x.size)), new_shape))


@composition(np.trim_zeros)
def trim_zeros(x: Data, trim: str = "fb") -> Tensor:
    """Leave out the zeros at the front (``f``) and the back (``b``) of a vector."""
    x = as_tensor(x)
    if x.ndim != 1 or not trim or set(trim.lower()) - {"f", "b"}:
        raise InputError(f"trim_zeros must get a vector, and 'f', 'b' or 'fb'; got shape {x.shape} and {trim!r}.")
    found = np.flatnonzero(x.data)
    first, last = (found[0], found[-1] + 1) if found.size else (x.size, x.size)
    return getitem(x, slice(int(first) if "f" in trim.lower() else 0, int(last) if "b" in trim.lower() else x.size))


@composition(np.unstack)
def unstack(x: Data, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the parts along an axis, without that axis: stack undoes it."""
    x = as_tensor(x)
    before = (slice(None),) * axis_of(axis, x.shape, "unstack")
    return tuple(getitem(x, (*before, i)) for i in range(x.shape[len(before)]))


@composition(np.hsplit)
def hsplit(x: Data, indices_or_sections: Any) -> list[Tensor]:
    """Cut along the columns, or a vector along its only axis."""
    x = as_tensor(x)
    return split(x, indices_or_sections, 0 if x.ndim == 1 else axis_of(1, x.shape, "hsplit"))


@composition(np.vsplit)
def vsplit(x: Data, indices_or_sections: Any) -> list[Tensor]:
    """Cut along the rows of what has at least two axes."""
    x = as_tensor(x)
    return split(x, indices_or_sections, axis_of(1, x.shape, "vsplit") - 1)


@composition(np.dsplit)
def dsplit(x: Data, indices_or_sections: Any) -> list[Tensor]:
    """Cut along the third axis."""
    x = as_tensor(x)
    return split(x, indices_or_sections, axis_of(2, x.shape, "dsplit"))


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
