"""Gradients of composed normalizations beside their closed forms, at random inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .... import functional as F
from ....engine.details.array import Array
from ....engine.tensor import Tensor
from ....transforms import gradients
from .separate_paths import paths, paths_in_closed_form, relative_gap

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


def layer_norm_in_closed_form(at: Given) -> Array:
    """Return (ĝ − mean(ĝ) − x̂·mean(ĝ x̂))/σ along a row, with ĝ = γ·g."""
    return paths_in_closed_form(at.x, at.cotangent * at.weight, 1, EPS).total


def batch_norm_in_closed_form(at: Given) -> Array:
    """Return the same along a column."""
    return paths_in_closed_form(at.x, at.cotangent * at.weight, 0, EPS).total


def rms_norm_in_closed_form(at: Given) -> Array:
    """Return (ĝ − x̂·mean(ĝ x̂))/√(mean(x²) + ε), with x̂ = x/√(mean(x²) + ε): there is no path through a mean."""
    g = at.cotangent * at.weight
    size = np.sqrt((at.x**2).mean(1, keepdims=True) + EPS)
    normalized = at.x / size
    result: Array = (g - normalized * (g * normalized).mean(1, keepdims=True)) / size
    return result


def closed_form_gaps(at: Given) -> dict[str, float]:
    """Return how far closed forms are from what the engine composes of its primitives, by norm."""
    n = at.x.shape[1]
    return {
        "layer norm": relative_gap(
            by_engine(lambda x: F.layer_norm(x, n, at.weight, at.bias, EPS), at.x, at.cotangent),
            layer_norm_in_closed_form(at),
        ),
        "batch norm": relative_gap(
            by_engine(
                lambda x: F.batch_norm(x, weight=at.weight, bias=at.bias, training=True, eps=EPS), at.x, at.cotangent
            ),
            batch_norm_in_closed_form(at),
        ),
        "RMS norm": relative_gap(
            by_engine(lambda x: F.rms_norm(x, n, at.weight, EPS), at.x, at.cotangent), rms_norm_in_closed_form(at)
        ),
    }


def path_gaps(at: Given) -> dict[str, float]:
    """Return how far each path is from its closed form, and their sum from the composed norm, by path.

    Along rows (layer norm) and along columns (batch norm); the larger gap counts. All are shares of the direct path.
    """
    found = dict.fromkeys(("direct", "by_mean", "by_deviation", "sum"), 0.0)
    for axis, norm in NORMS_BY_AXIS.items():
        engine, formula = (way(at.x, at.cotangent, axis, EPS) for way in (paths, paths_in_closed_form))
        for name in ("direct", "by_mean", "by_deviation"):
            gap = relative_gap(getattr(engine, name), getattr(formula, name), formula.direct)
            found[name] = max(found[name], gap)
        composed = by_engine(norm, at.x, at.cotangent)
        found["sum"] = max(found["sum"], relative_gap(engine.total, composed, formula.direct))
    return found


NORMS_BY_AXIS: Mapping[int, Callable[[Tensor], Tensor]] = {
    0: lambda x: F.batch_norm(x, training=True, eps=EPS),
    1: lambda x: F.layer_norm(x, x.shape[1], eps=EPS),
}


@dataclass(frozen=True)
class SquaredNorms:
    """Of a column's gradient through batch norm: its squared length, and what theorem 4.1 makes of it.

    All (column), as shares of γ²/σ² times the squared length of the column's cotangent, that is of what the gradient
    would be if mean and deviation were constants.
    """

    found: Array
    by_theorem: Array


def squared_norms(at: Given, eps: float) -> SquaredNorms:
    """Return both sides of Santurkar et al. 2018, theorem 4.1, for each column.

    ‖∇y‖² = γ²/σ² (‖g‖² − ⟨1, g⟩²/m − ⟨g, ŷ⟩²/m) for m rows. It is an equation without ε; with it, if σ² is the variance
    plus ε, the left side is smaller.
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
    return SquaredNorms((gradient**2).sum(0) / detached, rest / whole)


def theorem_gaps(at: Given) -> dict[str, float]:
    """Return how far the theorem is from an equation without ε, and the largest left minus right with it."""
    exact, smoothed = squared_norms(at, 0.0), squared_norms(at, EPS)
    return {
        "equation": float(np.abs(exact.found - exact.by_theorem).max()),
        "excess": float((smoothed.found - smoothed.by_theorem).max()),
        "share": float(exact.found.mean()),
    }
