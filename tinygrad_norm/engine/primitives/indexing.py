"""Picking entries by index, and its adjoint: adding entries back to where they came from.

With repeated indices an entry is picked several times, so its cotangents add up; NumPy's ``z[i] += g`` would
keep only the last of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...samples import sample
from ..details.array import PLAIN, Array, Shape, refuse_unlike_arrays
from ..primitive import primitive


def is_basic(index: Any) -> bool:
    """Return whether an index is made of integers, slices, None and ``...`` only, so that no entry repeats."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is Ellipsis or isinstance(p, (slice, np.integer)) or type(p) is int for p in parts)


def frozen_index(index: Any) -> Any:
    """Return an index whose arrays are private copies; Tensors become their values."""
    if isinstance(index, tuple):
        return tuple(frozen_index(part) for part in index)
    if index is None or index is Ellipsis or isinstance(index, (slice, int, np.generic)):
        return index
    if isinstance(index, np.ndarray):
        refuse_unlike_arrays(index)
    array = index._array if hasattr(index, "_array") else np.array(index)  # a Tensor's is private already
    return array.astype(np.intp) if array.size == 0 and array.dtype.kind == "f" else array


def _getitem(x: Array, /, index: Any) -> Any:
    return x[index]


def _scatter_add(x: Array, /, index: Any, shape: Shape) -> Array:
    result = np.zeros(shape, x.dtype)
    if is_basic(index):
        result[index] += x  # 0 + x is never −0, as below
    else:
        np.add.at(result, index, x)
    return result


class Part:
    """A cotangent that is 0 but at an index without repeats: what picking entries sends back.

    It is an array to NumPy. The sweep adds it in place: whole arrays would make T² steps of ``x[t]`` over T rows.
    """

    __slots__ = ("dtype", "entries", "index", "whole")

    def __init__(self, entries: Any, index: Any, whole: Shape) -> None:
        self.entries, self.index, self.whole, self.dtype = entries, index, whole, entries.dtype

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(_scatter_add(self.entries, self.index, self.whole), dtype)


def _put_back(g: Any, x_shape: Shape, index: Any) -> Any:
    if isinstance(g, PLAIN) and x_shape and is_basic(index):
        return (Part(g, index, x_shape),)
    return (scatter_add.on(g, index=index, shape=x_shape),)


INDICES: list[tuple[Shape, Any]] = [
    ((5,), 2),
    ((5,), -1),
    ((3, 5), (slice(None), 1)),
    ((3, 5), (slice(None, None, -2), slice(1, 4))),
    ((3, 5), (Ellipsis, None, 0)),
    ((5,), np.array([0, 3, 3, 3])),
    ((3, 5), (np.array([[0, 2], [2, 2]]), np.array([1, 4]))),
    ((3, 5), np.array([True, False, True])),
    ((2, 3, 5), (slice(None), np.array([0, 0]), slice(1, 3))),
    ((2, 3, 5), (np.array([1, 1]), slice(None), np.array([4, 4]))),
    ((0, 4), slice(None)),
    ((3, 5), np.array([], dtype=np.intp)),
    ((), Ellipsis),
    ((), None),
]

take_index = primitive(
    _getitem,
    name="getitem",
    linear=True,
    vjp=_put_back,
    symbol="[ ]",
    formula="x[index]",
    rule=("ḡ added back at the index",),
    samples=[sample(shape, index=index) for shape, index in INDICES],
)
scatter_add = primitive(
    _scatter_add,
    linear=True,
    vjp=lambda g, index: (take_index.on(g, index=index),),
    symbol="[ ]ᵀ",
    formula="zeros, with x added at the index",
    rule=("ḡ[index]",),
    samples=[sample(np.empty(shape)[index].shape, index=index, shape=shape) for shape, index in INDICES],
)
