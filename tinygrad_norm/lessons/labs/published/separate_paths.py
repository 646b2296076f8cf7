"""The paths on which a gradient flows back through x̂ = (x − μ)/σ: directly, through the mean, through the deviation.

:func:`normalized_by_paths` computes x̂ from one x for each path, so that each path has a gradient of its own, and
a path is cut by detaching its x. :func:`paths_in_closed_form` says what these gradients must be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....engine.details.array import Array
from ....engine.tensor import Tensor
from ....transforms import gradients


def normalized_by_paths(direct: Tensor, by_mean: Tensor, by_deviation: Tensor, axis: int, eps: float) -> Tensor:
    """Return (direct − mean(by_mean)) / √(var(by_deviation) + eps): x̂, if all three are x.

    Examples
    --------
    >>> x = Tensor([7.0, 5.0, 4.0])
    >>> bool(np.allclose(normalized_by_paths(x, x, x, 0, 0.0), np.array([5, -1, -4]) / np.sqrt(14)))
    True
    """
    centered = direct - by_mean.mean(axis, keepdims=True)
    spread = by_deviation - by_deviation.mean(axis, keepdims=True)
    variance = spread.square().mean(axis, keepdims=True)
    return centered / (variance + eps).sqrt()


@dataclass(frozen=True)
class Paths:
    """What arrives at x on each path; all have the shape of x."""

    direct: Array
    by_mean: Array
    by_deviation: Array

    @property
    def total(self) -> Array:
        """Their sum: the gradient."""
        return self.direct + self.by_mean + self.by_deviation


def paths(x: Array, cotangent: Array, axis: int, eps: float) -> Paths:
    """Return the three gradients, computed by the engine."""
    direct, by_mean, by_deviation = (Tensor(x, requires_grad=True) for _ in range(3))
    output = normalized_by_paths(direct, by_mean, by_deviation, axis, eps)
    return Paths(*(found.numpy() for found in gradients(output, (direct, by_mean, by_deviation), cotangent)))


def paths_in_closed_form(x: Array, cotangent: Array, axis: int, eps: float) -> Paths:
    """Return g/σ, −mean(g)/σ and −x̂·mean(g x̂)/σ, with means along the axis and σ = √(var + eps).

    These are the terms of Ioffe & Szegedy 2015, section 3, per entry of x instead of per statistic. The mean inside
    the variance adds nothing: the deviations from a mean sum to zero.
    """
    deviation = np.sqrt(x.var(axis, keepdims=True) + eps)
    normalized = (x - x.mean(axis, keepdims=True)) / deviation
    return Paths(
        cotangent / deviation,
        -cotangent.mean(axis, keepdims=True) / deviation * np.ones_like(x),
        -normalized * (cotangent * normalized).mean(axis, keepdims=True) / deviation,
    )


def relative_gap(found: Array, wanted: Array, size: Array | None = None) -> float:
    """Return the largest difference, as a share of the largest entry of `size`, which is `wanted` unless given.

    Examples
    --------
    >>> relative_gap(np.array([1.0, 2.5]), np.array([1.0, 2.0]))
    0.25
    """
    return float(np.abs(found - wanted).max() / np.abs(wanted if size is None else size).max())
