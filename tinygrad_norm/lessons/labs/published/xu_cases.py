"""Layer norm with some of its statistics detached: the mean and the variance of the gradient in each of four cases.

Xu et al. 2019, theorem 1, for layer norm without gain and bias: with ḡ and D the mean and variance of a row's cotangent
and σ its deviation,

    detached            mean of the gradient    variance of the gradient
    mean, deviation     ḡ/σ                     D/σ²
    neither             0                       at most D/σ²
    mean                ḡ/σ                     at most D/σ²
    deviation           0                       D/σ²

What is left out of the inequalities is known: it is C²/σ² with C the mean of g·x̂, so each is an equation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....engine.details.array import Array
from ....engine.tensor import Tensor
from ....transforms import gradients
from .separate_paths import normalized_by_paths

CASES = {"mean, deviation": (True, True), "neither": (False, False), "mean": (True, False), "deviation": (False, True)}
"""For each case whether the mean and whether the deviation is detached."""


@dataclass(frozen=True)
class RowGradient:
    """Mean and variance (row) of the gradient at the inputs of layer norm, computed and by the theorem.

    ``bound`` is D/σ², which the variance must not exceed.
    """

    mean: Array
    variance: Array
    mean_by_theorem: Array
    variance_by_theorem: Array
    bound: Array

    @property
    def gap(self) -> float:
        """The largest difference from the theorem, as a share of the root of the bound and of the bound."""
        of_mean = np.abs(self.mean - self.mean_by_theorem) / np.sqrt(self.bound)
        of_variance = np.abs(self.variance - self.variance_by_theorem) / self.bound
        return float(max(of_mean.max(), of_variance.max()))

    @property
    def share(self) -> float:
        """The variance as a share of the bound, in the mean over the rows."""
        return float((self.variance / self.bound).mean())


def row_gradient(x: Array, cotangent: Array, detach_mean: bool, detach_deviation: bool) -> RowGradient:
    """Return the statistics of each row's gradient, for x and cotangent (row, feature), without ε."""
    leaf = Tensor(x, requires_grad=True)
    by_mean = leaf.detach() if detach_mean else leaf
    by_deviation = leaf.detach() if detach_deviation else leaf
    output = normalized_by_paths(leaf, by_mean, by_deviation, axis=1, eps=0.0)
    gradient = gradients(output, leaf, cotangent).numpy()
    deviation, normalized = x.std(1), output.numpy()
    bound = cotangent.var(1) / deviation**2
    along = (cotangent * normalized).mean(1)
    return RowGradient(
        gradient.mean(1),
        gradient.var(1),
        cotangent.mean(1) / deviation if detach_mean else np.zeros(len(x)),
        bound if detach_deviation else bound - along**2 / deviation**2,
        bound,
    )
