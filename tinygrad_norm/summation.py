"""How arrays are summed: without losing digits, and as fast as the memory layout allows.

NumPy sums the last axis pairwise, whose rounding error hardly grows with its length, but takes time for every
row; other axes it sums one row after the other, whose error grows with their number: 1e-4 for 10,000 rows of
float32. :func:`total` gives small arrays to NumPy (in float64 where digits would be lost) and large ones to the
kernel that suits their layout.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np

from .primitive import Array, Shape

Axis: TypeAlias = int | tuple[int, ...] | None

# The ufunc's own reduction: np.sum spends more time on its arguments than on a small array.
add_reduce: Callable[..., Any] = np.add.reduce

LARGE = 16384
"""From this many entries on, a matrix product with ones pays."""
SHORTEST_ROW = 32
"""From this length on, NumPy's work for each row costs more than adding in one loop."""
LONGEST_ROW = 1024
"""A row of this length summed in order has an error below 3e-7 in float32; longer ones are summed pairwise."""
BLOCK = 64
"""So many rows are added in the array's own type before the blocks are added in float64."""


@lru_cache(maxsize=4096)
def reduced_axes(shape: Shape, axis: Axis) -> tuple[int, ...]:
    """Return the axes that a reduction removes, as non-negative numbers in order."""
    if axis is None:
        return tuple(range(len(shape)))
    axes = axis if isinstance(axis, tuple) else (axis,)
    wrong = [a for a in axes if not -len(shape) <= a < len(shape)]
    # NumPy lets axis 0 and −1 of a single number pass.
    if wrong and (shape or axes not in ((0,), (-1,))):
        raise np.exceptions.AxisError(wrong[0], len(shape))
    found = tuple(sorted(a % len(shape) for a in axes)) if shape else ()
    if len(set(found)) < len(found):
        raise ValueError("duplicate value in 'axis'")
    return found


@lru_cache(maxsize=4096)
def kept_shape(shape: Shape, axis: Axis) -> Shape:
    """Return the shape that a reduction with ``keepdims=True`` gives."""
    axes = reduced_axes(shape, axis)
    return tuple([1 if i in axes else n for i, n in enumerate(shape)])


@lru_cache(maxsize=4096)
def removed_shape(shape: Shape, axis: Axis) -> Shape:
    """Return the shape that a reduction gives."""
    axes = reduced_axes(shape, axis)
    return tuple([n for i, n in enumerate(shape) if i not in axes])


@lru_cache(maxsize=4096)
def reduced_count(shape: Shape, axis: Axis) -> int:
    """Return how many entries a reduction takes together."""
    return prod(shape[a] for a in reduced_axes(shape, axis))


@lru_cache(maxsize=4096)
def loses_digits(shape: Shape, axis: Axis) -> bool:
    """Return whether NumPy would sum many rows one after the other."""
    return reduced_axes(shape, axis) != (len(shape) - 1,) and reduced_count(shape, axis) > BLOCK


@lru_cache(maxsize=4096)
def layout(shape: Shape, axis: Axis) -> str:
    """Return what a reduction of a C-contiguous array runs over: whole ``rows``, ``columns``, or something ``else``.

    For rows this depends on their length only: the sum of a row, and so its layer norm, must be the same to the last
    bit in any company. (A product with ones would be faster still, but BLAS rounds a row according to its place.)
    """
    axes = reduced_axes(shape, axis)
    n = reduced_count(shape, axis)
    if not axes:
        return "else"
    if axes == tuple(range(len(shape) - len(axes), len(shape))) and SHORTEST_ROW <= n <= LONGEST_ROW:
        return "rows"
    if axes == tuple(range(len(axes))) and len(axes) < len(shape) and n > BLOCK and prod(shape) >= LARGE:
        return "columns"
    return "else"


def total(x: Array, axis: Axis, keepdims: bool = False) -> Any:
    """Return the sum over an axis, several, or all."""
    if x.size >= SHORTEST_ROW and x.dtype.char in "fd" and x.flags.c_contiguous:
        kind = layout(x.shape, axis)
        if kind != "else":
            shape = (kept_shape if keepdims else removed_shape)(x.shape, axis)
            n = reduced_count(x.shape, axis)
            if kind == "rows":
                return np.einsum("ij->i", x.reshape(-1, n)).reshape(shape)
            return sum_columns(x.reshape(n, -1)).reshape(shape)
    if x.dtype.itemsize < 8 and x.dtype.kind == "f" and x.ndim and loses_digits(x.shape, axis):
        return add_reduce(x, axis, np.float64, keepdims=keepdims).astype(x.dtype)
    return add_reduce(x, axis, keepdims=keepdims)


def sum_columns(x: Array) -> Array:
    """Return the sums of a matrix's columns: blocks of rows as products with ones, the blocks in float64."""
    rows, columns = x.shape
    whole = rows - rows % BLOCK
    blocks = ones(BLOCK, x.dtype) @ x[:whole].reshape(-1, BLOCK, columns)
    result: Array = add_reduce(blocks, 0, np.float64)
    if whole < rows:
        result += add_reduce(x[whole:], 0, np.float64)
    return result.astype(x.dtype, copy=False)


@lru_cache(maxsize=16)
def ones(n: int, dtype: Any) -> Array:
    """Return a vector of ones."""
    return np.ones(n, dtype)
