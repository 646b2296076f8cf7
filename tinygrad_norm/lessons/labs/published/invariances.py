"""Six changes of weights or data, four normalizations: which outputs notice which change.

A layer computes the summed inputs a = x Wᵀ for weights W (unit, input) and a data set x (case, input), and normalizes
them without ε, gain or bias. A norm is invariant to a change if its outputs are the same before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from .... import functional as F
from ....engine.details.array import Array
from ....engine.tensor import Tensor, as_tensor
from ....ops import elementwise as e
from ....transforms import grad

Layer = Callable[[Tensor, Tensor], Tensor]
"""From weights (unit, input) and data (case, input) to outputs (case, unit)."""


def batch_normalized(weight: Tensor, x: Tensor) -> Tensor:
    """Return batch norm of the summed inputs."""
    return F.batch_norm(x @ weight.T, training=True, eps=0.0)


def weight_normalized(weight: Tensor, x: Tensor) -> Tensor:
    """Return the summed inputs with every unit's weights divided by their length (Salimans & Kingma 2016)."""
    lengths = as_tensor(e.sqrt(weight.square().sum(1)))
    return x @ weight.T / lengths


def layer_normalized(weight: Tensor, x: Tensor) -> Tensor:
    """Return layer norm of the summed inputs."""
    return F.layer_norm(x @ weight.T, weight.shape[0], eps=0.0)


def rms_normalized(weight: Tensor, x: Tensor) -> Tensor:
    """Return RMS norm of the summed inputs."""
    return F.rms_norm(x @ weight.T, weight.shape[0], eps=0.0)


LAYERS: Mapping[str, Layer] = MappingProxyType(
    {
        "batch norm": batch_normalized,
        "weight norm": weight_normalized,
        "layer norm": layer_normalized,
        "RMS norm": rms_normalized,
    }
)


@dataclass(frozen=True)
class Point:
    """Weights (unit, input) and data (case, input)."""

    weight: Array
    x: Array


Change = Callable[[Point, np.random.Generator], Point]


def _factor(rng: np.random.Generator) -> float:
    """Return a positive factor that is not near 1: a negative one would turn the sign of all outputs."""
    return float(rng.uniform(2.0, 5.0))


def rescale_weight_matrix(at: Point, rng: np.random.Generator) -> Point:
    """Multiply all weights by one factor."""
    return Point(at.weight * _factor(rng), at.x)


def recenter_weight_matrix(at: Point, rng: np.random.Generator) -> Point:
    """Add one vector to the weights of every unit."""
    return Point(at.weight + rng.standard_normal(at.weight.shape[1]), at.x)


def rescale_weight_vector(at: Point, rng: np.random.Generator) -> Point:
    """Multiply the weights of one unit by a factor."""
    factors = np.ones((len(at.weight), 1))
    factors[rng.integers(len(factors))] = _factor(rng)
    return Point(at.weight * factors, at.x)


def rescale_data_set(at: Point, rng: np.random.Generator) -> Point:
    """Multiply all data by one factor."""
    return Point(at.weight, at.x * _factor(rng))


def recenter_data_set(at: Point, rng: np.random.Generator) -> Point:
    """Add one vector to every case."""
    return Point(at.weight, at.x + rng.standard_normal(at.x.shape[1]))


def rescale_single_case(at: Point, rng: np.random.Generator) -> Point:
    """Multiply one case by a factor."""
    factors = np.ones((len(at.x), 1))
    factors[rng.integers(len(factors))] = _factor(rng)
    return Point(at.weight, at.x * factors)


CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        "weight matrix rescaled": rescale_weight_matrix,
        "weight matrix recentered": recenter_weight_matrix,
        "weight vector rescaled": rescale_weight_vector,
        "data set rescaled": rescale_data_set,
        "data set recentered": recenter_data_set,
        "single case rescaled": rescale_single_case,
    }
)


def largest_change(layer: Layer, change: Change, points: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return the smallest and the largest change of an output among random points.

    Of each point the largest difference of an entry counts; outputs are about 1 in size.
    """
    found = []
    for _ in range(points):
        at = Point(rng.standard_normal((5, 7)), rng.standard_normal((6, 7)))
        after = change(at, rng)
        outputs = [layer(as_tensor(p.weight), as_tensor(p.x)).numpy() for p in (at, after)]
        found.append(float(np.abs(outputs[0] - outputs[1]).max()))
    return min(found), max(found)


@dataclass(frozen=True)
class ScaledGradient:
    """What multiplying all weights by a factor does to the gradient of a loss by them.

    Attributes
    ----------
    gap : float
        Between the gradient at the larger weights, times the factor, and the gradient before; as a share of its size.
    along_weights : float
        The largest cosine between the gradient and the weights: of the whole matrix, and of each unit's.
    along_each_unit : float
    """

    gap: float
    along_weights: float
    along_each_unit: float


def scaled_gradient(layer: Layer, factor: float, rng: np.random.Generator) -> ScaledGradient:
    """Compare the gradients of a random loss at weights W and at `factor` · W."""
    weight, x = rng.standard_normal((5, 7)), as_tensor(rng.standard_normal((6, 7)))
    cotangent = rng.standard_normal((6, 5))
    slope = grad(lambda w: (layer(w, x) * cotangent).sum())
    before, after = slope(weight).numpy(), slope(weight * factor).numpy()
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(weight, axis=1)
    return ScaledGradient(
        float(np.abs(after * factor - before).max() / np.abs(before).max()),
        float(abs((before * weight).sum()) / (np.linalg.norm(before) * np.linalg.norm(weight))),
        float((np.abs((before * weight).sum(1)) / lengths).max()),
    )
