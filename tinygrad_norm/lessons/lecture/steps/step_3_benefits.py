"""Step 3: the four benefits that the notes list, and what of each can be shown on five rows.

Each benefit is one small effect, computed at once, and the claim that it judges. Whether training networks profits is
for an experiment to say: :func:`labs_testing` names those that do.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np

from ....engine.tensor import Tensor
from ....functional import mse_loss
from ....transforms import grad, hessian, value_and_grad
from ...document.lesson import Claim, Fold, Paragraph, Row, Step, Table
from ...labs.all_labs import labs_for
from ..linear_layer import fit_neuron
from ..norm_formula import BATCH, LAYER, columns_of, normalize
from ..notes import FEATURES, OUTPUTS, WORKED_BIAS, WORKED_WEIGHT
from ..settings import Settings
from ..slips import claim_on
from ..tensor_tables import NEURONS

STRETCH = 1000.0
SEED = 0
MAX_STEPS = 1000
DRIFT_STEPS = 3
RATE = 0.02
"""Learning rate of :func:`neuron_drift`."""

MINI_BATCH = 3


def benefits_step(settings: Settings) -> Step:
    """Return step 3."""
    convergence, descents = _convergence(settings)
    shift, drift = _covariate_shift(settings)
    return Step(
        3,
        "Four benefits, and what can be shown of them here",
        (
            Paragraph(
                "The notes list four benefits. A small table cannot prove that networks train better; "
                "that takes a controlled experiment, and for each benefit there are labs: tinygrad-norm lab "
                "NAME. But each has a kernel that can be computed at once, now that batch norm has been defined."
            ),
            _stability(settings),
            convergence,
            shift,
            _regularization(settings),
            Fold("The two experiments behind them", (descents, drift)),
        ),
        take_away=(
            "Each benefit has a kernel that can be computed; the labs test the rest.",
            "Why batch norm helps is disputed: less covariate shift, or a smoother loss.",
        ),
    )


def labs_testing(benefit: str) -> str:
    """Return the names of the labs that test a benefit, as the command ``lab`` takes them.

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
    cotangent = np.random.default_rng(SEED).standard_normal(NEURONS.shape)

    def output(t: Tensor) -> Tensor:
        return settings.normalize(t, LAYER).normalized

    def gradient_size(at: Tensor) -> float:
        return float(np.linalg.norm(grad(lambda t: (output(t) * cotangent).sum())(at).numpy()))

    change = np.abs(output(NEURONS * factor).numpy() - output(NEURONS).numpy()).max()
    return Rescaling(factor, float(change), gradient_size(NEURONS) / gradient_size(NEURONS * factor))


def _stability(settings: Settings) -> Claim:
    why = "Without ε, layer norm does not see the scale of its input, so extreme values stop there."
    if settings.table_eps:
        why = "The more the spread exceeds √ε, the less layer norm sees of the scale of its input."
    return claim_on(
        "stability",
        "partly shown",
        "Multiply the whole table by {factor:g}: the outputs of layer norm change by at most "
        "{output_change:.1g}, and the gradient that flows back is divided by "
        "{gradient_shrinks_by:.6g}.",
        f"{why} How much deep networks gain from that is for experiments: the labs {{labs}}.",
        {"labs": labs_testing("stability"), **asdict(rescaling(STRETCH, settings))},
    )


@dataclass(frozen=True)
class Descent:
    """Gradient descent for one neuron's least squares, at the best fixed learning rate.

    The smallest and the largest eigenvalue of the loss's Hessian; their ratio: how much steeper the steepest direction
    is than the flattest; the steps until all but a millionth of the way is covered, None if over ``MAX_STEPS``.
    """

    least: float
    largest: float
    condition: float
    steps: int | None


def descent(normalized: bool, settings: Settings) -> Descent:
    """Fit the first neuron from the raw or the normalized features, starting at zero."""
    features = Tensor(FEATURES).astype(float)
    if normalized:
        features = settings.normalize(features, BATCH).normalized
    rows = Tensor(np.hstack([features.numpy(), np.ones((len(FEATURES), 1))]))
    goal = Tensor(columns_of(OUTPUTS)[0])

    def loss(weights: Tensor) -> Tensor:
        return mse_loss(rows @ weights, goal)

    loss_and_slope, weights = value_and_grad(loss), Tensor(np.zeros(rows.shape[1]))
    least, *_, largest = (float(v) for v in np.linalg.eigvalsh(hessian(loss)(weights).numpy()))
    if least <= 0:
        return Descent(least, largest, float("inf"), None)
    floor = fit_neuron(FEATURES, columns_of(OUTPUTS)[0]).loss
    enough = floor + 1e-6 * (loss(weights).item() - floor)
    for step in range(MAX_STEPS + 1):
        value, slope = loss_and_slope(weights)
        if value.item() <= enough:
            return Descent(least, largest, largest / least, step)
        weights = weights - slope * (2 / (least + largest))
    return Descent(least, largest, largest / least, None)


def _convergence(settings: Settings) -> tuple[Claim, Table]:
    raw, normalized = (descent(choice, settings) for choice in (False, True))
    table = Table(
        "descent",
        "Least squares for z₁ by gradient descent, at the best fixed learning rate",
        ("flattest", "steepest", "ratio", "steps"),
        (_descent_row("raw", raw), _descent_row("normalized", normalized)),
        "features",
        ".3f",
        "Flattest and steepest: the least and the largest curvature of the loss in any direction, which are the "
        "extreme eigenvalues of its matrix of second derivatives, the Hessian. Steps: until all but a millionth of the "
        "way down is done.",
    )
    faster = normalized.condition < raw.condition
    claim = claim_on(
        "convergence",
        "partly shown",
        "Normalizing the two features f brings the ratio of steepest to flattest direction from "
        "{raw:.4g} to {normalized:.4g}." + ("" if faster else " With so large an ε it is worse."),
        "A learning rate must be small enough for the steepest direction, and then creeps along the "
        "flattest; the number of steps grows with their ratio. For a deep network this is one "
        "reason among several; the experiments are the labs {labs}.",
        {"labs": labs_testing("convergence"), "raw": raw.condition, "normalized": normalized.condition},
    )
    return claim, table


def _descent_row(name: str, run: Descent) -> Row:
    steps = f"over {MAX_STEPS}" if run.steps is None else run.steps
    return Row(name, (run.least, run.largest, run.condition, steps))


@dataclass(frozen=True)
class Drift:
    """Mean and deviation of the first neuron before and after batch norm, after so many steps."""

    step: int
    mean: float
    deviation: float
    normalized_mean: float
    normalized_deviation: float


def neuron_drift(steps: int, settings: Settings) -> tuple[Drift, ...]:
    """Train the layer that keeps the worked rows toward the table, and watch its first neuron."""
    features, goal = Tensor(FEATURES).astype(float), Tensor(OUTPUTS)
    weight, bias = Tensor(WORKED_WEIGHT).astype(float), Tensor(WORKED_BIAS).astype(float)

    def loss(w: Tensor, b: Tensor) -> Tensor:
        return mse_loss(features @ w + b, goal)

    slope = grad(loss, argnums=(0, 1))
    history = []
    for step in range(steps + 1):
        before = settings.normalize(features @ weight + bias, BATCH)
        after = normalize(before.normalized, BATCH, settings.ddof)
        parts = (before.mean, before.deviation, after.mean, after.deviation)
        history.append(Drift(step, *(part[0, 0].item() for part in parts)))
        by_weight, by_bias = slope(weight, bias)
        weight, bias = weight - by_weight * RATE, bias - by_bias * RATE
    return tuple(history)


def _covariate_shift(settings: Settings) -> tuple[Claim, Table]:
    history = neuron_drift(DRIFT_STEPS, settings)
    table = Table(
        "drift",
        f"The first neuron of a layer under gradient descent (rate {RATE:g}), before and after batch norm",
        ("μ before", "σ before", "μ after", "σ after"),
        tuple(
            Row(str(at.step), (at.mean, at.deviation, at.normalized_mean, at.normalized_deviation)) for at in history
        ),
        "step",
        ".4f",
    )
    claim = claim_on(
        "covariate_shift",
        "disputed",
        "Over {steps} steps of training the mean before batch norm moves by {mean_moves:.4f}, after "
        "it by {normalized_mean_moves:.1g}. So much holds by construction.",
        "Whether it is why batch norm helps is disputed. Ioffe and Szegedy (Batch Normalization: "
        "Accelerating Deep Network Training by Reducing Internal Covariate Shift, ICML 2015) proposed "
        "it; Santurkar, Tsipras, Ilyas and Madry (How Does Batch Normalization Help Optimization?, "
        "NeurIPS 2018) put noise after batch norm, so that the shift came back, and training was "
        "as good: they credit a smoother loss. To repeat that: the lab {labs}.",
        {
            "labs": labs_testing("covariate_shift"),
            "steps": DRIFT_STEPS,
            "mean_moves": max(abs(at.mean - history[0].mean) for at in history),
            "normalized_mean_moves": max(abs(at.normalized_mean) for at in history),
        },
    )
    return claim, table


@dataclass(frozen=True)
class BatchNoise:
    """The first entry of the table, normalized within every mini-batch that holds its row."""

    batches: int
    size: int
    least: float
    most: float
    layer_norm_spread: float


def batch_noise(size: int, settings: Settings) -> BatchNoise:
    """Put row 1 into every mini-batch of `size` rows and normalize it there."""
    results = []
    for others in combinations(OUTPUTS[1:], size - 1):
        x = Tensor((OUTPUTS[0], *others)).astype(float)
        results.append([settings.normalize(x, axis).normalized[0, 0].item() for axis in (BATCH, LAYER)])
    by_batch, by_layer = columns_of(results)
    return BatchNoise(len(results), size, min(by_batch), max(by_batch), max(by_layer) - min(by_layer))


def _regularization(settings: Settings) -> Claim:
    return claim_on(
        "regularization",
        "partly shown",
        "Put row 1 into each of the {batches} mini-batches of {size} rows that hold it: batch norm "
        "makes its 7 anything from {least:.4f} to {most:.4f}. Layer norm gives it the same value in "
        "all of them (spread {layer_norm_spread:g}).",
        "The statistics are those of the company. Whether this noise reduces overfitting depends on "
        "batch size, data and network; the lab is {labs}. It is also why batch norm needs other "
        "statistics for evaluation: see step 10.",
        {"labs": labs_testing("regularization"), **asdict(batch_noise(MINI_BATCH, settings))},
    )
