"""Step 9: why γ and β: what they give back of the table, feature by feature, and what they cannot."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ....engine.tensor import Tensor
from ....functional import mse_loss
from ....transforms import grad
from ...document.lesson import Fact, Fold, Formula, Paragraph, Row, Step, Table
from ...document.numerals import closeness
from .. import exact_arithmetic as exact
from ..norm_formula import BATCH, LAYER, columns_of
from ..notes import NEURON_NAMES, OUTPUTS
from ..settings import Settings
from ..tensor_tables import NEURONS, ROW_LABELS, floats, tensor_rows


def scale_and_shift_step(settings: Settings) -> Step:
    """Return step 9."""
    return Step(
        9,
        "Why γ and β",
        (
            Paragraph(
                "Normalization takes a mean and a deviation away, and what comes next may need them: a sigmoid fed "
                "with values of variance 1 only is almost a straight line. So each feature gets a γ and a β, to be "
                "learned like weights. They can undo batch norm, if that is best (Ioffe and Szegedy, Batch "
                "Normalization, 2015, section 3)."
            ),
            Formula("y = γ x̂ + β        γ = √(σ² + ε) and β = μ give y = x"),
            Fold("Batch norm undone", _batch_norm_undone(settings)),
            Paragraph(
                "In layer norm γ and β belong to the feature as well, but μ and σ to the row. One γ and one β for all "
                "rows cannot give each row its own back. How near can they come? The best are those of least squares."
            ),
            Fold("Layer norm, as nearly undone as can be", (_layer_norm_undone(settings), _merged())),
            Paragraph(
                "So after layer norm a token's own mean and length are gone for good, unless they reach the next layer "
                "on another way: step 11 shows it."
            ),
        ),
        take_away=(
            "γ = √(σ² + ε) and β = μ undo batch norm: normalizing costs no freedom there.",
            "No γ and β undo layer norm: rows 2 and 3 of the table have become one.",
        ),
    )


def _batch_norm_undone(settings: Settings) -> tuple[Table, Fact]:
    steps = settings.normalize(NEURONS, BATCH)
    scale, shift = (steps.variance + settings.table_eps).sqrt(), steps.mean
    undone = steps.normalized * scale + shift
    table = Table(
        "batch_norm_undone",
        "γ and β that undo batch norm, and what they make of its table",
        NEURON_NAMES,
        (Row("γ", floats(scale)), Row("β", floats(shift)), *tensor_rows([f"row {i}" for i in ROW_LABELS], undone)),
    )
    gap = float(np.abs(undone.numpy() - NEURONS.numpy()).max())
    fact = Fact(
        "batch_norm_undone",
        "In exact arithmetic the table comes back with a difference of {exact}; the engine's floats reach it "
        f"{closeness(gap)}.",
        {"exact": max(difference_when_undone(numbers, settings) for numbers in columns_of(OUTPUTS)), "gap": gap},
    )
    return table, fact


def difference_when_undone(numbers: tuple[float, ...], settings: Settings) -> Fraction:
    """Return how far γ x̂ is from x − μ with γ = √(σ² + ε), as the largest difference of their squares: exactly.

    x̂ is whole numbers over a root, and γ another root, so that the squares are fractions.

    >>> difference_when_undone((7, 2, 1, 7, 3), Settings())
    Fraction(0, 1)
    """
    given, form = exact.rationals(numbers), settings.closed_form(numbers)
    eps = exact.rational(settings.table_eps)
    scale = exact.variance(given, settings.ddof) + eps
    under = form.radicand + form.eps_factor * eps
    pairs = zip(form.numerators, given, strict=True)
    return max(abs(p * p * scale / under - (x - exact.mean(given)) ** 2) for p, x in pairs)


@dataclass(frozen=True)
class BestFit:
    """The γ and β that bring one feature nearest to what it was, the share of its variance that they give back (R²).

    The gradient is the largest entry of the engine's gradient of the mean squared error there.
    """

    scale: float
    shift: float
    r_squared: float
    gradient: float


def best_fit(normalized: np.ndarray, target: np.ndarray) -> BestFit:
    """Fit ``γ · normalized + β`` to the target by least squares.

    >>> fit = best_fit(np.array([-1.0, 0.0, 1.0]), np.array([1.0, 2.0, 6.0]))
    >>> round(fit.scale, 6), round(fit.shift, 6), round(fit.r_squared, 6), abs(fit.gradient) < 1e-12
    (2.5, 3.0, 0.892857, True)
    """
    # A tiny x̂, of a large ε, would be lost when it is squared.
    unit = float(np.abs(normalized).max())
    x, y = normalized / unit, target - target.mean()
    centered = x - x.mean()
    slope = float(centered @ y / (centered @ centered))
    shift = float(target.mean() - slope * x.mean())

    def loss(parameters: Tensor) -> Tensor:
        return mse_loss(Tensor(x) * parameters[0] + parameters[1], Tensor(target))

    gradient = grad(loss)(Tensor([slope, shift])).numpy()
    return BestFit(
        slope / unit,
        shift,
        float((centered @ y) ** 2 / ((centered @ centered) * (y @ y))),
        float(np.abs(gradient).max()),
    )


def _layer_norm_undone(settings: Settings) -> Table:
    normalized = settings.normalize(NEURONS, LAYER).normalized.numpy()
    fits = [best_fit(normalized[:, i], NEURONS.numpy()[:, i]) for i in range(len(NEURON_NAMES))]
    return Table(
        "layer_norm_undone",
        "The γ and β per feature that bring layer norm's output nearest to the table",
        ("γ", "β", "R²", "gradient"),
        tuple(
            Row(name, (fit.scale, fit.shift, fit.r_squared, fit.gradient))
            for name, fit in zip(NEURON_NAMES, fits, strict=True)
        ),
        "feature",
        (".4f", ".4f", ".3f", ".1g"),
        "R² is 1 where a feature comes back whole. Gradient: of the mean squared error, at these values.",
    )


def _merged() -> Fact:
    """Return what two rows that layer norm has made one cost any γ and β."""
    one, other = OUTPUTS[1], OUTPUTS[2]
    least = tuple(Fraction((a - b) ** 2, 2) for a, b in zip(one, other, strict=True))
    return Fact(
        "merged",
        "No γ and β can: rows 2 and 3, {one} and {other}, have become one row, and one row becomes one, whatever γ "
        "and β are. The nearest to both is halfway, and leaves squared errors of {least}. The other rows have lost "
        "theirs too: there are as many means and deviations as rows, and one γ and β to stand for them.",
        {"one": one, "other": other, "least": least},
    )
