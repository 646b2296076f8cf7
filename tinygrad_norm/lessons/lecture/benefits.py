"""What the four claimed benefits come to on the lecture's own table, where a number can be had at once.

Each function computes one small effect; whether training networks profits is for an experiment to say:
:func:`labs_testing` names those that do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...engine.tensor import Tensor
from ...transforms import grad, hessian, value_and_grad
from ..labs.all_labs import labs_for
from .linear_layer import fit
from .normalizing import BATCH, LAYER, columns_of, normalize
from .settings import Settings
from .tables import FEATURES, OUTPUTS, WORKED_BIAS, WORKED_WEIGHT

MAX_STEPS = 1000
RATE = 0.02
"""Learning rate of :func:`drift`."""

SEED = 0


def labs_testing(benefit: str) -> str:
    """Return the names of the labs that test a benefit, as the command ``lab`` takes them.

    Examples
    --------
    >>> labs_testing("covariate_shift")
    'lr-ladder'
    """
    return ", ".join(lab.name for lab in labs_for(benefit))


@dataclass(frozen=True)
class Rescaling:
    """What scaling the input of layer norm does: to its output, and to the gradient that flows back."""

    factor: float
    output_change: float
    gradient_shrinks_by: float


def rescaling(factor: float, settings: Settings) -> Rescaling:
    """Scale the table before layer norm, with one fixed random cotangent."""
    x = Tensor(OUTPUTS).astype(float)
    cotangent = np.random.default_rng(SEED).standard_normal(x.shape)

    def output(t: Tensor) -> Tensor:
        return normalize(t, LAYER, settings.ddof, settings.table_eps).normalized

    def gradient_size(at: Tensor) -> float:
        return float(np.linalg.norm(grad(lambda t: (output(t) * cotangent).sum())(at).numpy()))

    change = np.abs(output(x * factor).numpy() - output(x).numpy()).max()
    return Rescaling(factor, float(change), gradient_size(x) / gradient_size(x * factor))


@dataclass(frozen=True)
class Descent:
    """Gradient descent for one neuron's least squares, at the best fixed learning rate.

    Attributes
    ----------
    least, largest : float
        The smallest and the largest eigenvalue of the Hessian of the loss.
    condition : float
        Their ratio: how much steeper the steepest direction is than the flattest.
    steps : int or None
        Steps until the loss has covered all but a millionth of its way; None if over ``MAX_STEPS``.
    """

    least: float
    largest: float
    condition: float
    steps: int | None


def descent(normalized: bool, settings: Settings) -> Descent:
    """Fit the first neuron from the raw or the normalized features, starting at zero."""
    features = Tensor(FEATURES).astype(float)
    if normalized:
        features = normalize(features, BATCH, settings.ddof, settings.table_eps).normalized
    rows = Tensor(np.hstack([features.numpy(), np.ones((len(FEATURES), 1))]))
    goal = Tensor(columns_of(OUTPUTS)[0])

    def loss(weights: Tensor) -> Tensor:
        error = rows @ weights - goal
        return (error * error).mean()

    loss_and_slope, weights = value_and_grad(loss), Tensor(np.zeros(rows.shape[1]))
    least, *_, largest = (float(v) for v in np.linalg.eigvalsh(hessian(loss)(weights).numpy()))
    if least <= 0:
        return Descent(least, largest, float("inf"), None)
    floor = fit(FEATURES, columns_of(OUTPUTS)[0]).loss
    enough = floor + 1e-6 * (loss(weights).item() - floor)
    for step in range(MAX_STEPS + 1):
        value, slope = loss_and_slope(weights)
        if value.item() <= enough:
            return Descent(least, largest, largest / least, step)
        weights = weights - slope * (2 / (least + largest))
    return Descent(least, largest, largest / least, None)


@dataclass(frozen=True)
class Drift:
    """Mean and deviation of the first neuron before and after batch norm, after so many steps."""

    step: int
    mean: float
    deviation: float
    normalized_mean: float
    normalized_deviation: float


def drift(steps: int, settings: Settings) -> tuple[Drift, ...]:
    """Train the layer that keeps the worked rows toward the table, and watch its first neuron."""
    features, goal = Tensor(FEATURES).astype(float), Tensor(OUTPUTS)
    weight, bias = Tensor(WORKED_WEIGHT).astype(float), Tensor(WORKED_BIAS).astype(float)

    def loss(w: Tensor, b: Tensor) -> Tensor:
        error = features @ w + b - goal
        return (error * error).mean()

    slope = grad(loss, argnums=(0, 1))
    history = []
    for step in range(steps + 1):
        before = normalize(features @ weight + bias, BATCH, settings.ddof, settings.table_eps)
        after = normalize(before.normalized, BATCH, settings.ddof)
        parts = (before.mean, before.deviation, after.mean, after.deviation)
        history.append(Drift(step, *(part[0, 0].item() for part in parts)))
        by_weight, by_bias = slope(weight, bias)
        weight, bias = weight - by_weight * RATE, bias - by_bias * RATE
    return tuple(history)


@dataclass(frozen=True)
class BatchNoise:
    """The first entry of the table, normalized within every mini-batch that holds its row."""

    size: int
    batches: int
    least: float
    most: float
    layer_norm_spread: float


def batch_noise(size: int, settings: Settings) -> BatchNoise:
    """Put row 1 into every mini-batch of `size` rows and normalize it there."""
    results = []
    for others in combinations(OUTPUTS[1:], size - 1):
        x = Tensor((OUTPUTS[0], *others)).astype(float)
        results.append(
            [normalize(x, axis, settings.ddof, settings.table_eps).normalized[0, 0].item() for axis in (BATCH, LAYER)]
        )
    by_batch, by_layer = columns_of(results)
    spread = max(by_layer) - min(by_layer)
    return BatchNoise(size, len(results), min(by_batch), max(by_batch), spread)
