"""How arrays are summed: without losing digits, and as fast as the memory layout allows.

NumPy sums the innermost axis in memory pairwise, whose rounding error hardly grows with its length, but takes time for
every row; other axes it sums one row after the other, whose error grows with their number: 1e-4 for 10,000 rows of
float32. :func:`total` picks the kernel that suits a shape, once, and remembers it; the kernel looks at the layout.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np

from ...errors import VJPError
from .array import Array, Shape, whole

Axis: TypeAlias = int | tuple[int, ...] | None
Kernel: TypeAlias = Callable[[Array], Any]

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
def reduced_count(shape: Shape, axis: Axis) -> int:
    """Return how many entries a reduction takes together."""
    return prod(shape[a] for a in reduced_axes(shape, axis))


def total(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the sum over an axis, several, or all."""
    if axis is not None and type(axis) is not int:  # the memory of kernels takes 1.0 and True for 1
        whole(axis)
    return kernel(x.shape, axis, keepdims, x.dtype)(x)


def average(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the mean over an axis, several, or all."""
    if axis is not None and type(axis) is not int:
        whole(axis)
    return averaging_kernel(x.shape, axis, keepdims, x.dtype)(x)


@lru_cache(maxsize=4096)
def kernel(shape: Shape, axis: Axis, keepdims: bool, dtype: np.dtype[Any]) -> Kernel:
    """Return the function that sums arrays of this shape and dtype.

    For rows the choice depends on their length only: the sum of a row, and so its layer norm, must be the same to the
    last bit in any company. (A product with ones would be faster still, but BLAS rounds a row according to its place.)
    """
    axes = reduced_axes(shape, axis)
    n, kept = reduced_count(shape, axis), len(shape) - len(axes)

    def by_numpy(x: Array) -> Any:
        return add_reduce(x, axis, None, None, keepdims)

    def by_numpy_wide(x: Array) -> Any:
        return add_reduce(x, axis, np.float64, None, keepdims).astype(dtype)

    def by_layout(x: Array) -> Any:
        return by_numpy(x) if x.flags.c_contiguous else by_numpy_wide(x)

    usual: Kernel = by_numpy
    if dtype.kind == "f" and dtype.itemsize < 8 and n > BLOCK:
        # NumPy adds in the order of memory. Only where the last axis is the innermost one there, its sum is pairwise;
        # any other is made row after row, in their own type.
        usual = by_layout if axes == (len(shape) - 1,) else by_numpy_wide
    if dtype.char not in "fd" or not axes:
        return usual
    if over_columns(shape, axes) and SHORTEST_ROW <= n <= LONGEST_ROW:
        result = kept_shape(shape, axis) if keepdims else shape[:kept]
        return lambda x: np.einsum("ij->i", x.reshape(-1, n)).reshape(result) if x.flags.c_contiguous else usual(x)
    if adds_blocks(shape, axes, dtype):
        result = kept_shape(shape, axis) if keepdims else shape[len(axes) :]
        return lambda x: sum_rows(x.reshape(n, -1)).reshape(result) if x.flags.c_contiguous else usual(x)
    # Over few entries a product takes a third of the time of NumPy's sum and is no less exact.
    if axes == (0,) and kept == 1 and n <= BLOCK:
        times: Kernel = ones((1, n) if keepdims else n, dtype).dot
        return times
    if not kept and len(shape) > 1 and n <= BLOCK and not keepdims:
        whole_times: Kernel = ones(n, dtype).dot
        return lambda x: whole_times(x.reshape(n))
    return usual


def adds_blocks(shape: Shape, axes: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Return whether whole rows of a matrix are added to each other, so many that it is done in blocks."""
    over_rows = axes == tuple(range(len(axes))) and 0 < len(axes) < len(shape) and dtype.char in "fd"
    return over_rows and prod(shape[: len(axes)]) > BLOCK and prod(shape) >= LARGE


def over_columns(shape: Shape, axes: tuple[int, ...]) -> bool:
    """Return whether these are the last axes, so that the entries of each row of a matrix are added."""
    return axes == tuple(range(len(shape) - len(axes), len(shape)))


@lru_cache(maxsize=4096)
def averaging_kernel(shape: Shape, axis: Axis, keepdims: bool, dtype: np.dtype[Any]) -> Kernel:
    """Return the function that averages arrays of this shape and dtype."""
    n = reduced_count(shape, axis)
    if dtype == np.float16:  # whose largest number, 65504, a sum soon passes
        wide = kernel(shape, axis, keepdims, np.dtype(np.float64))
        return lambda x: (wide(x.astype(np.float64)) / n).astype(np.float16)
    adding = kernel(shape, axis, keepdims, dtype)
    # NumPy divides by an array of its own type faster than by a Python number.
    divisor = np.array(n, dtype) if dtype.kind == "f" else n
    return lambda x: adding(x) / divisor


def sum_rows(x: Array) -> Array:
    """Return the sum of many rows: blocks of rows as products with ones, the blocks in float64."""
    whole = len(x) - len(x) % BLOCK
    result: Array = add_reduce(row_blocks(x[:whole], x.shape[1]), 0, np.float64)
    if whole < len(x):
        result += add_reduce(x[whole:], 0, np.float64)
    return result.astype(x.dtype, copy=False)


def row_blocks(x: Array, columns: int) -> Any:
    """Return the sum of each block of rows."""
    return ones(BLOCK, x.dtype) @ x.reshape(-1, BLOCK, columns)


@lru_cache(maxsize=256)
def ones(shape: int | Shape, dtype: Any) -> Array:
    """Return an array of ones."""
    return np.ones(shape, dtype)


@lru_cache(maxsize=4096)
def broadcast_axes(shape: Shape, target: Shape) -> tuple[int, ...] | None:
    """Return the axes over which ``shape`` must be summed to give ``target``; None if it cannot."""
    extra = len(shape) - len(target)
    if extra < 0:
        return None
    axes = list(range(extra))
    for axis, (have, want) in enumerate(zip(shape[extra:], target, strict=True), extra):
        if have != want:
            if want != 1:
                return None
            axes.append(axis)
    return tuple(axes)


def sum_to(cotangent: Any, shape: Shape) -> Any:
    """Sum a cotangent back over the axes that a broadcast added or stretched: the adjoint of broadcasting."""
    if cotangent.shape == shape:
        return cotangent
    if isinstance(cotangent, np.ndarray):
        return kernel_to(cotangent.shape, shape, cotangent.dtype)(cotangent)
    summed = np.add.reduce(cotangent, axis=checked_axes(cotangent.shape, shape))
    return summed if summed.shape == shape else summed.reshape(shape)


@lru_cache(maxsize=4096)
def kernel_to(shape: Shape, target: Shape, dtype: np.dtype[Any]) -> Kernel:
    """Return the function that sums arrays of this shape back to one that was broadcast to it."""
    axes = checked_axes(shape, target)
    adding = kernel(shape, axes, len(shape) == len(target), dtype)
    in_shape = len(target) in (len(shape), len(shape) - len(axes))
    return adding if in_shape else lambda x: adding(x).reshape(target)


def checked_axes(shape: Shape, target: Shape) -> tuple[int, ...]:
    """Return :func:`broadcast_axes`; raise where there are none."""
    axes = broadcast_axes(shape, target)
    if axes is None:
        raise VJPError(
            f"a cotangent must have a shape that {target} broadcasts to; got {shape}. Correct the rule that made it."
        )
    return axes


def sum_product_to(x: Any, y: Any, /, shape: Shape) -> Any:
    """Return :func:`sum_to` of x · y; without forming the product where whole rows are summed."""
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and x.shape == y.shape and x.dtype == y.dtype:
        adding = product_kernel_to(x.shape, shape, x.dtype)
        if adding is not None and x.flags.c_contiguous and y.flags.c_contiguous:
            return adding(x, y)
    return sum_to(x * y, shape)


@lru_cache(maxsize=4096)
def product_kernel_to(shape: Shape, target: Shape, dtype: np.dtype[Any]) -> Callable[[Array, Array], Array] | None:
    """Return the function that sums the products of whole rows, None where something else is summed."""
    axes = checked_axes(shape, target)
    n = reduced_count(shape, axes)
    if dtype.char not in "fd" or not over_columns(shape, axes) or not 0 < n <= LONGEST_ROW:
        return None
    # BLAS multiplies and adds each row in one pass.
    return lambda x, y: np.vecdot(x.reshape(-1, n), y.reshape(-1, n)).reshape(target)
