"""Reductions: those of the engine, products, and running sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.details.array import PLAIN, Array, Shape, some, whole
from ..engine.details.summation import Axis, reduced_axes, reduced_count
from ..engine.primitive import primitive
from ..engine.primitives.reduction import *  # noqa: F403  # this room offers all of them
from ..engine.primitives.reduction import reductions, spread
from ..samples import samples_at

multiply_reduce: Callable[..., Any] = np.multiply.reduce


def _prod(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Any:
    return multiply_reduce(x, whole(axis), keepdims=keepdims)


def _prod_rule(g: Any, out: Any, x: Any, axis: Axis) -> Any:
    shape = x.shape
    g = spread(g, shape, axis)
    # A division by a tiny number loses digits when it is itself differentiated, and one by 0 all of them.
    tiny = np.finfo(g.dtype).tiny
    if getattr(x, "only_once", isinstance(x, PLAIN)) and not some(~(np.abs(out) >= tiny) | np.isinf(out)):
        return (g * spread(out, shape, axis) / x,)
    axes = reduced_axes(shape, axis)
    kept = tuple(a for a in range(len(shape)) if a not in axes)
    rows = np.transpose(x, kept + axes).reshape((*(shape[a] for a in kept), reduced_count(shape, axis)))
    others = _others(rows).reshape(tuple(shape[a] for a in kept + axes))
    back = tuple(int(i) for i in np.argsort(kept + axes))
    return (g * np.transpose(others, back),)


def _others(rows: Any) -> Any:
    """Return the product of the other entries of its row for each entry, without dividing, in O(n).

    Halves are multiplied until one number is left; on the way back each half takes what the other one has.
    """
    n = rows.shape[-1]
    missing = (1 << (n - 1).bit_length()) - n
    level = np.concatenate([rows, np.ones((*rows.shape[:-1], missing), rows.dtype)], axis=-1)
    halves = []
    while level.shape[-1] > 1:
        half = level.shape[-1] // 2
        left, right = level[..., :half], level[..., half:]
        halves.append((left, right))
        level = left * right
    others = np.ones(level.shape, rows.dtype)
    for left, right in reversed(halves):
        others = np.concatenate([others * right, others * left], axis=-1)
    return others[..., :n]


prod = primitive(
    _prod,
    numpy=(np.prod,),
    vjp=_prod_rule,
    symbol="Π",
    formula="Π x",
    rule=("ḡ · Π of the others",),
    samples=[
        *reductions("nonzero"),
        *reductions("with zeros"),
        *samples_at("0x4", axis=0),
        *samples_at("2x3", "zero"),
    ],
    note="Right where entries are 0 or tiny: the others' product is formed without dividing.",
)


def _cumsum(x: Array, /, axis: int | None = None) -> Array:
    return np.cumsum(x, whole(axis))


def _cumsum_rule(g: Any, x_shape: Shape, axis: int | None) -> Any:
    along = 0 if axis is None else axis
    if not g.ndim or not x_shape:
        return (g.reshape(x_shape),)
    return (np.flip(np.cumsum(np.flip(g, along), along), along).reshape(x_shape),)


cumsum = primitive(
    _cumsum,
    numpy=(np.cumsum,),
    linear=True,
    vjp=_cumsum_rule,
    formula="Σ_{j ≤ i} xⱼ",
    rule=("Σ_{j ≥ i} ḡⱼ",),
    samples=[*samples_at("(), 5, 3x5"), *samples_at("3x5, 0x4", axis=0), *samples_at("2x3x5", axis=-2)],
)
