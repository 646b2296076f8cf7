"""Normalization written out with the engine, so that every intermediate can be shown.

:func:`normalize` is the one formula of the lecture, down a column (batch norm, ``axis=0``) or along a
row (layer norm, ``axis=1``). ``functional.batch_norm`` and ``functional.layer_norm`` give the same
numbers for ``ddof=0``; the lecture says how closely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...engine.details.array import Array
from ...engine.tensor import Tensor
from ...functional import batch_norm, layer_norm
from ...ops.elementwise import where

BATCH, LAYER = 0, 1
"""The axis that is normalized away: rows for batch norm, features for layer norm."""


@dataclass(frozen=True)
class Normalization:
    """Every intermediate of one normalization, each a Tensor that broadcasts against the input.

    The statistics have the length 1 along the axis; the deviation is ``√variance``. ``centered`` is ``x − mean``,
    ``normalized`` is ``(x − mean)/√(variance + eps)``.
    """

    mean: Tensor
    centered: Tensor
    variance: Tensor
    deviation: Tensor
    normalized: Tensor


def normalize(
    x: Tensor, axis: int, ddof: int = 0, eps: float = 0.0, real: npt.NDArray[np.bool_] | None = None
) -> Normalization:
    """Normalize `x` ``(row, feature)``: ``(x − μ)/√(σ² + ε)``, with ``σ² = Σ(x − μ)²/(n − ddof)``.

    The axis is 0 for batch norm, 1 for layer norm. Where the variance and `eps` are 0, the result is NaN: 0/0. `real`
    says for each row whether it is real; the statistics of batch norm are then those of the real rows, and the others
    are centered and normalized to 0.

    >>> from tinygrad_norm.engine.tensor import Tensor
    >>> steps = normalize(Tensor([[7.0], [2.0], [1.0], [7.0], [3.0]]), axis=0)
    >>> steps.mean.item(), round(steps.variance.item(), 12), steps.centered.numpy().ravel().tolist()
    (4.0, 6.4, [3.0, -2.0, -3.0, 3.0, -1.0])
    """
    count = x.shape[axis] if real is None else int(real.sum())
    mean = real_only(x, real).sum(axis=axis, keepdims=True) / count
    centered = real_only(x - mean, real)
    variance = (centered * centered).sum(axis=axis, keepdims=True) / (count - ddof)
    # 0/0 is a result that the lecture shows, not an accident to warn of.
    with np.errstate(invalid="ignore"):
        normalized = centered / (variance + eps).sqrt()
    return Normalization(mean, centered, variance, variance.sqrt(), normalized)


def x_hat(x: Array, axis: int, eps: float = 0.0, ddof: int = 0) -> Array:
    """Return what :func:`normalize` makes of an array ``(row, feature)``, as an array.

    >>> x_hat(np.array([[1.0, 3.0]]), LAYER, eps=3.0).tolist()
    [[-0.5, 0.5]]
    """
    return normalize(Tensor(x), axis, ddof, eps).normalized.numpy()


def functional_norm(z: Tensor, axis: int, eps: float) -> Tensor:
    """Return what the layer of that kind makes of a table."""
    return batch_norm(z, eps=eps) if axis == BATCH else layer_norm(z, z.shape[1], eps=eps)


def real_only(values: Tensor, real: npt.NDArray[np.bool_] | None) -> Tensor:
    """Return the values with 0 in the rows that are not real."""
    return values if real is None else where(real[:, None], values, 0.0)


def difference_from_functional(x: Tensor, axis: int, eps: float) -> float:
    """Return how far :func:`normalize` is from the layer of the same kind: its largest difference.

    Rows that are 0/0 in both count as equal.
    """
    ours = normalize(x, axis, eps=eps).normalized.numpy()
    with np.errstate(invalid="ignore"):
        layer = functional_norm(x, axis, eps)
    gaps = np.abs(ours - layer.numpy())
    both = np.isnan(ours) & np.isnan(layer.numpy())
    return float(np.where(both, 0.0, gaps).max())


def smallest_largest(count: int, ddof: int = 0) -> float:
    """Return the least that the largest of `count` normalized numbers can be: ``1/√(n − 1)``.

    The values sum to 0 and their squares to ``n − ddof``. The largest is smallest when all others but
    one equal it: ``n − 1`` times M against one of ``−(n − 1)M``, whence ``M² n(n − 1) = n − ddof``.

    >>> smallest_largest(5), round(smallest_largest(3), 6), round(smallest_largest(5, ddof=1), 6)
    (0.5, 0.707107, 0.447214)
    """
    return float(np.sqrt((count - ddof) / (count * (count - 1))))


def columns_of(table: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    """Return the columns of a table given as rows."""
    return list(zip(*table, strict=True))
