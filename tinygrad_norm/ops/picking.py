"""Picking entries: by index, in order, along a diagonal. Composed of indexing and its adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.primitive import composition
from ..engine.primitives.indexing import check_indices, frozen_index, scatter_add, take_index
from ..engine.primitives.reduction import sum
from ..engine.primitives.shape import axis_of, reshape, transpose
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import ShapeError


@composition()
def getitem(x: Data, index: Any) -> Tensor:
    """Return ``x[index]`` for any NumPy index; cotangents of repeated entries add up."""
    return take_index(x, index=frozen_index(index))


@composition(np.take)
def take(x: Data, indices: Any, axis: int | None = None) -> Tensor:
    """Return the entries at integer indices along an axis; ``axis=None`` takes from the flattened Tensor."""
    x = reshape(x, shape=-1) if axis is None else as_tensor(x)
    axis = 0 if axis is None else axis_of(axis, x.shape, "take")
    picked = check_indices(indices, x.shape[axis], axis)
    return getitem(x, (slice(None),) * axis + (picked,))


@composition(np.take_along_axis)
def take_along_axis(arr: Data, indices: Any, axis: int | None = -1) -> Tensor:
    """Return ``arr`` picked by indices of matching shape along one axis, as ``argsort`` gives them."""
    x: Tensor = as_tensor(arr) if axis is not None else reshape(arr, shape=-1)
    axis = 0 if axis is None else axis_of(axis, x.shape, "take_along_axis")
    picked = check_indices(indices, x.shape[axis], axis)
    if picked.ndim != x.ndim:
        raise ShapeError(
            f"take_along_axis: the indices must have as many axes as the data ({x.ndim}); got {picked.ndim}."
            " Use np.expand_dims on the indices."
        )
    grid = list(np.ogrid[tuple(slice(n) for n in x.shape)])
    grid[axis] = picked
    return getitem(x, tuple(grid))


@composition(np.sort)
def sort(x: Data, axis: int | None = -1) -> Tensor:
    """Return the values in ascending order along an axis; each cotangent goes back to where its value was."""
    x = reshape(x, shape=-1) if axis is None else as_tensor(x)
    axis = axis_of(-1 if axis is None else axis, x.shape, "sort")
    return take_along_axis(x, np.argsort(x.data, axis=axis, kind="stable"), axis)


@composition(np.diagonal)
def diagonal(x: Data, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the diagonal of two axes, as the last axis of the result."""
    x = as_tensor(x)
    first, second = axis_of(axis1, x.shape, "diagonal"), axis_of(axis2, x.shape, "diagonal")
    if first == second:
        raise ShapeError(
            f"diagonal: axis1 and axis2 must differ; got {axis1} and {axis2} for shape {x.shape}. Name two axes."
        )
    rest = [a for a in range(x.ndim) if a not in (first, second)]
    last: Tensor = transpose(x, axes=(*rest, first, second))
    n = max(0, min(last.shape[-2] + min(offset, 0), last.shape[-1] - max(offset, 0)))
    steps = np.arange(n)
    return getitem(last, (Ellipsis, steps - min(offset, 0), steps + max(offset, 0)))


@composition(np.trace)
def trace(x: Data, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the sum of a diagonal."""
    return sum(diagonal(x, offset, axis1, axis2), axis=-1)


@composition(np.diag)
def diag(x: Data, k: int = 0) -> Tensor:
    """Return the diagonal of a matrix, or the matrix with this diagonal."""
    x = as_tensor(x)
    if x.ndim not in (1, 2):
        raise ShapeError(
            f"diag: x must be a vector or a matrix; got shape {x.shape}. Use diagonal for a stack of them."
        )
    if x.ndim == 1:
        n, steps = x.size + abs(k), np.arange(x.size)
        return scatter_add(x, index=(steps - min(k, 0), steps + max(k, 0)), shape=(n, n))
    return diagonal(x, k)
