"""What flows back through a normalization, computed by the engine and in closed form.

A gradient goes back through x̂ = (x − μ)/σ on three paths: directly, through the mean, through the deviation.
:func:`normalized_by_paths` computes x̂ from one x for each path, so that each path has a gradient of its own, and a path
is cut by detaching its x. What these gradients and their sums must be is in :func:`paths_in_closed_form`,
:func:`closed_form_gaps`, :func:`theorem_gaps` (Santurkar et al. 2018) and :func:`row_gradient` (Xu et al. 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ... import functional as F
from ...engine.details.array import Array
from ...engine.tensor import Tensor
from ...transforms import gradients
from ..lecture.norm_formula import BATCH, LAYER, functional_norm


def normalized_by_paths(direct: Tensor, by_mean: Tensor, by_deviation: Tensor, axis: int, eps: float) -> Tensor:
    """Return (direct − mean(by_mean)) / √(var(by_deviation) + eps): x̂, if all three are x.

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
    """Return the largest difference, as a share of the largest entry of `size`, which is `wanted` unless given."""
    return float(np.abs(found - wanted).max() / np.abs(wanted if size is None else size).max())


EPS = 1e-5


@dataclass(frozen=True)
class Given:
    """A random input (row, feature) with its cotangent, gain and bias (feature)."""

    x: Array
    cotangent: Array
    weight: Array
    bias: Array


def given(rng: np.random.Generator) -> Given:
    """Return an input of random size and scale."""
    rows, features = (int(n) for n in rng.integers(3, 40, 2))
    scale, offset = 10.0 ** rng.uniform(-1, 1), rng.uniform(-2, 2)
    x = scale * (rng.standard_normal((rows, features)) + offset)
    return Given(x, rng.standard_normal(x.shape), rng.uniform(0.5, 2, features), rng.standard_normal(features))


def by_engine(layer: Callable[[Tensor], Tensor], x: Array, cotangent: Array) -> Array:
    """Return the gradient of a composed layer."""
    leaf = Tensor(x, requires_grad=True)
    return gradients(layer(leaf), leaf, cotangent).numpy()


def rms_norm_in_closed_form(x: Array, cotangent: Array, eps: float) -> Array:
    """Return (g − x̂·mean(g x̂))/√(mean(x²) + ε), with x̂ = x/√(mean(x²) + ε): there is no path through a mean."""
    size = np.sqrt((x**2).mean(1, keepdims=True) + eps)
    normalized = x / size
    result: Array = (cotangent - normalized * (cotangent * normalized).mean(1, keepdims=True)) / size
    return result


def closed_form_gaps(at: Given) -> dict[str, float]:
    """Return how far closed forms are from what the engine composes of its primitives, by norm.

    The gain γ enters the closed forms as ĝ = γ·g.
    """
    n, scaled = at.x.shape[1], at.cotangent * at.weight
    composed: dict[str, Callable[[Tensor], Tensor]] = {
        "layer norm": lambda x: F.layer_norm(x, n, at.weight, at.bias, EPS),
        "batch norm": lambda x: F.batch_norm(x, weight=at.weight, bias=at.bias, training=True, eps=EPS),
        "RMS norm": lambda x: F.rms_norm(x, n, at.weight, EPS),
    }
    closed = {
        "layer norm": paths_in_closed_form(at.x, scaled, 1, EPS).total,
        "batch norm": paths_in_closed_form(at.x, scaled, 0, EPS).total,
        "RMS norm": rms_norm_in_closed_form(at.x, scaled, EPS),
    }
    return {norm: relative_gap(by_engine(composed[norm], at.x, at.cotangent), closed[norm]) for norm in composed}


def path_gaps(at: Given) -> dict[str, float]:
    """Return how far each path is from its closed form, and their sum from the composed norm, by path.

    Along rows (layer norm) and along columns (batch norm); the larger gap counts. All are shares of the direct path.
    """
    found = dict.fromkeys(("direct", "by_mean", "by_deviation", "sum"), 0.0)
    for axis in (BATCH, LAYER):
        engine, formula = (way(at.x, at.cotangent, axis, EPS) for way in (paths, paths_in_closed_form))
        for name in ("direct", "by_mean", "by_deviation"):
            gap = relative_gap(getattr(engine, name), getattr(formula, name), formula.direct)
            found[name] = max(found[name], gap)
        composed = by_engine(partial(functional_norm, axis=axis, eps=EPS), at.x, at.cotangent)
        found["sum"] = max(found["sum"], relative_gap(engine.total, composed, formula.direct))
    return found


def squared_norms(at: Given, eps: float) -> tuple[Array, Array]:
    """Return both sides of Santurkar et al. 2018, theorem 4.1, for each column: a squared gradient, and its bound.

    ‖∇y‖² = γ²/σ² (‖g‖² − ⟨1, g⟩²/m − ⟨g, ŷ⟩²/m) for m rows. It is an equation without ε; with it, if σ² is the variance
    plus ε, the left side is smaller. Both are given as shares of γ²/σ² ‖g‖², that is of what the gradient would be if
    mean and deviation were constants.
    """
    gradient = by_engine(
        lambda x: F.batch_norm(x, weight=at.weight, bias=at.bias, training=True, eps=eps), at.x, at.cotangent
    )
    rows = len(at.x)
    deviation = np.sqrt(at.x.var(0) + eps)
    normalized = (at.x - at.x.mean(0)) / deviation
    whole = (at.cotangent**2).sum(0)
    rest = whole - at.cotangent.sum(0) ** 2 / rows - (at.cotangent * normalized).sum(0) ** 2 / rows
    detached = at.weight**2 / deviation**2 * whole
    return (gradient**2).sum(0) / detached, rest / whole


def theorem_gaps(at: Given) -> dict[str, float]:
    """Return how far the theorem is from an equation without ε, and the largest left minus right with it."""
    (exact, by_theorem), (smoothed, bound) = squared_norms(at, 0.0), squared_norms(at, EPS)
    return {"equation": float(np.abs(exact - by_theorem).max()), "excess": float((smoothed - bound).max())}


CASES = {"mean, deviation": (True, True), "neither": (False, False), "mean": (True, False), "deviation": (False, True)}
"""For each case of Xu et al. 2019, theorem 1, whether the mean and whether the deviation of layer norm is detached.

For layer norm without gain and bias, with D the variance of a row's cotangent g and σ the row's deviation:

    detached            mean of the gradient    variance of the gradient
    mean, deviation     mean(g)/σ               D/σ²
    neither             0                       at most D/σ²
    mean                mean(g)/σ               at most D/σ²
    deviation           0                       D/σ²

What is left out of the inequalities is known: it is C²/σ² with C the mean of g·x̂, so each is an equation.
"""


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
