"""Picking entries: by index, in order, along a diagonal. Composed of indexing and its adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.details.array import Array
from ..engine.primitive import NUMPY, composition
from ..engine.primitives.indexing import frozen_index, scatter_add, take_index
from ..engine.primitives.piecewise import where
from ..engine.primitives.reduction import sum
from ..engine.primitives.shape import broadcast_to, reshape, transpose
from ..engine.tensor import Data, Tensor, as_tensor, wrap
from ..errors import IndexRangeError, InputError, ShapeError
from .shape import axis_of


def check_indices(indices: Any, length: int, axis: int) -> Array:
    """Return integer indices as an array; raise if one lies outside ``[-length, length)``."""
    array = indices if hasattr(indices, "__array_function__") else np.asarray(indices)
    if array.dtype.kind not in "iub" and array.size:
        raise IndexRangeError(f"indices must be integers; got dtype {array.dtype}. Convert them with astype(int).")
    bad = (array < -length) | (array >= length)
    if np.any(bad):
        raise IndexRangeError(
            f"indices into axis {axis} must lie in [{-length}, {length}); got {np.asarray(array[bad]).flat[0]}."
            " Check where the indices come from."
        )
    return array.astype(np.intp)


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


def _where(condition: Any, *choices: Any) -> Any:
    """Return the places where the condition holds, or there one value and elsewhere another."""
    return where(condition, *choices) if choices else NUMPY[np.nonzero](condition)


NUMPY[np.where] = _where


def _common(result: Any, parts: Any) -> Tensor:
    """Return what was chosen from parts in the dtype that NumPy gives them together."""
    return as_tensor(result).astype(
        np.result_type(*(p if type(p) in (int, float) else as_tensor(p).dtype for p in parts))
    )


@composition(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Tensor:
    """Return for each entry the choice of the first condition that holds, else the default."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise InputError(
            f"select: there must be one choice for each condition, and at least one; got {len(condlist)} and "
            f"{len(choicelist)}. Pass lists of one length."
        )
    result = default
    for condition, choice in zip(reversed(list(condlist)), reversed(list(choicelist)), strict=True):
        result = where(condition, choice, result)
    return _common(result, [*choicelist, default])


@composition(np.choose)
def choose(a: Any, choices: Any) -> Tensor:
    """Return for each entry the choice that its number names."""
    number, (*_, result) = as_tensor(a).data, choices
    check_indices(np.where(number < 0, len(choices), number), len(choices), 0)
    for i, choice in reversed(list(enumerate(choices))):
        result = where(number == i, choice, result)
    return _common(result, choices)


@composition(np.compress)
def compress(condition: Any, x: Data, axis: int | None = None) -> Tensor:
    """Return the entries along an axis (or of the flattened Tensor) where a vector of conditions holds."""
    return take(x, np.flatnonzero(as_tensor(condition).data), axis)


@composition(np.extract)
def extract(condition: Any, x: Data) -> Tensor:
    """Return the entries where the condition holds, as one axis."""
    return take(x, np.flatnonzero(as_tensor(condition).data))


@composition(np.partition)
def partition(x: Data, kth: Any, axis: int | None = -1) -> Tensor:
    """Return the values with the k-th in the order at its place, smaller ones before and larger ones behind it."""
    x = reshape(x, shape=-1) if axis is None else as_tensor(x)
    axis = axis_of(-1 if axis is None else axis, x.shape, "partition")
    if x.size:
        check_indices(kth, x.shape[axis], axis)
    return take_along_axis(x, np.argpartition(x.data, kth, axis), axis)


@composition(np.unique)
def unique(
    x: Data, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, **how: Any
) -> Any:
    """Return the values in order, each once; the gradient goes to where each stood first."""
    x = as_tensor(x)
    _, first, inverse, counts = np.unique(x.data, True, True, True, **how)
    values = take(x, first, how.get("axis"))
    wanted = ((return_index, first), (return_inverse, inverse), (return_counts, counts))
    further = [wrap(plain_values, None) for asked, plain_values in wanted if asked]
    return (values, *further) if further else values


@composition()
def topk(x: Data, k: int, axis: int = -1, largest: bool = True) -> tuple[Tensor, Tensor]:
    """Return the k largest (or smallest) values along an axis in order, and their indices; of equals the first.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> values, indices = tg.topk(tg.Tensor([3.0, 1.0, 4.0, 1.0, 5.0]), 2)
    >>> values.tolist(), indices.tolist()
    ([5.0, 4.0], [4, 2])
    """
    x = as_tensor(x)
    axis = axis_of(axis, x.shape, "topk")
    n = x.shape[axis]
    if not isinstance(k, (int, np.integer)) or not 0 <= k <= n:
        raise InputError(f"topk: k must be a whole number from 0 to the axis's length {n}; got {k}. Use a smaller one.")
    if largest:  # of the reversed axis, so that the order of equals is kept
        order = np.flip(n - 1 - np.argsort(np.flip(x.data, axis), axis, kind="stable"), axis)
    else:
        order = np.argsort(x.data, axis, kind="stable")
    indices = np.take(order, np.arange(k), axis)
    return take_along_axis(x, indices, axis), wrap(indices, None)


@composition()
def index_add(x: Data, indices: Any, values: Data, axis: int = 0) -> Tensor:
    """Return x with values added at integer indices along an axis; what falls on one index adds up.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.index_add(tg.zeros(3), [0, 2, 2], [1.0, 10.0, 100.0])
    Tensor([  1.,   0., 110.], shape=(3,), dtype=float64)
    """
    x = as_tensor(x)
    before = (slice(None),) * axis_of(axis, x.shape, "index_add")
    index = (*before, check_indices(indices, x.shape[len(before)], len(before)))
    spread = broadcast_to(values, shape=getitem(x.data, index).shape)
    return x + scatter_add(spread, index=frozen_index(index), shape=x.shape)


@composition(np.bincount)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """Return how often each number from 0 up occurs, or the sums of the weights that stand beside it."""
    number = as_tensor(x).data
    if weights is None:
        return wrap(np.bincount(number, minlength=minlength), None)
    length = max(int(number.max(initial=-1)) + 1, minlength)
    check_indices(np.where(number < 0, length, number), length, 0)
    if number.shape != as_tensor(weights).shape or number.ndim != 1:
        raise ShapeError(
            f"bincount: numbers and weights must be vectors of one length; got shapes {number.shape} and "
            f"{as_tensor(weights).shape}. Use ravel()."
        )
    return scatter_add(weights, index=number.astype(np.intp), shape=(length,))
