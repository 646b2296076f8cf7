"""Step 10: training and evaluation: the running statistics of batch norm, after one batch, ten, and without end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ....context import no_grad
from ....nn import BatchNorm1d, LayerNorm
from ...document.lesson import Fact, Fold, Formula, Paragraph, Row, Step, Table
from ...document.numerals import closeness
from .. import exact_arithmetic as exact
from ..norm_formula import columns_of
from ..notes import NEURON_NAMES, OUTPUTS, STEP_7_BATCH
from ..settings import Settings
from ..tensor_tables import NEURONS, floats

BATCHES = (1, 10, 100)
"""After how many batches the running statistics are shown."""

MOMENTUM = exact.rational(BatchNorm1d(1).momentum or 0)
"""That of the layer, unless another is asked for."""


def evaluation_step(settings: Settings) -> Step:
    """Return step 10."""
    after = {count: running_statistics(count, settings) for count in BATCHES}
    return Step(
        10,
        "Training and evaluation",
        (
            Paragraph(
                "In use there may be one row and no batch, and a row's result should not depend on its company. So in "
                "training batch norm keeps running statistics beside those of the batch, and in evaluation it takes "
                "them. They start at mean 0 and variance 1, and each batch moves them by a share, the momentum m:"
            ),
            Formula(
                "running mean     = (1 − m) running mean     + m μ\nrunning variance = (1 − m) running variance + m s²"
            ),
            _limit(settings),
            _one_mode(settings),
            Fold(
                "The running statistics, and row 1 in evaluation",
                (_running(after), _fractions(after), _evaluated(after, settings)),
            ),
        ),
        take_away=(
            "Batch norm evaluates with running statistics, and never quite as it trained.",
            "Layer norm has one mode: a row is the same alone, in training and in use.",
        ),
    )


@dataclass(frozen=True)
class Running:
    """Running statistics after some batches, each the whole table; and row 1 in evaluation, each by neuron.

    The gap is the largest difference of the layer's own from those in fractions.
    """

    mean: tuple[float, ...]
    variance: tuple[float, ...]
    evaluated: tuple[float, ...]
    gap: float


def exact_running(count: int, momentum: Fraction) -> tuple[list[Fraction], list[Fraction]]:
    """Return running mean and variance of each neuron after so many batches of the table, in fractions.

    >>> [str(part[0]) for part in exact_running(1, Fraction(1, 10))]
    ['2/5', '17/10']
    """
    kept = (1 - momentum) ** count
    columns = [exact.rationals(column) for column in columns_of(OUTPUTS)]
    means = [(1 - kept) * exact.mean(column) for column in columns]
    return means, [kept + (1 - kept) * exact.variance(column, ddof=1) for column in columns]


@no_grad()
def running_statistics(count: int, settings: Settings) -> Running:
    """Give the layer the table so many times in training, then row 1 in evaluation."""
    layer = BatchNorm1d(len(NEURON_NAMES), eps=settings.table_eps)
    for _ in range(count):
        layer(NEURONS)
    assert layer.running_mean is not None
    assert layer.running_var is not None
    mean, variance = floats(layer.running_mean), floats(layer.running_var)
    wanted = exact_running(count, MOMENTUM)
    pairs = zip((*mean, *variance), (*wanted[0], *wanted[1]), strict=True)
    evaluated = floats(layer.eval()(NEURONS[:1]))
    return Running(mean, variance, evaluated, max(abs(found - float(right)) for found, right in pairs))


def _running(after: dict[int, Running]) -> Table:
    columns = [exact.rationals(column) for column in columns_of(OUTPUTS)]
    limit = [*map(exact.mean, columns), *(exact.variance(column, ddof=1) for column in columns)]
    rows = [Row(str(count), (*found.mean, *found.variance)) for count, found in after.items()]
    return Table(
        "running",
        "Running statistics of the layer after so many batches, each of them the table of step 2",
        (*(f"mean {name}" for name in NEURON_NAMES), *(f"variance {name}" for name in NEURON_NAMES)),
        (*rows, Row("the limit", tuple(map(float, limit)))),
        "batches",
        ".6f",
        "The variance that is kept divides by n − 1 (s²), as one does to estimate that of all rows there may be.",
    )


def _fractions(after: dict[int, Running]) -> Fact:
    first = exact_running(1, MOMENTUM)
    gap = max(found.gap for found in after.values())
    return Fact(
        "fractions",
        "With m = {momentum:g}, after the first batch they are {means} and {variances}. After k batches (1 − m)ᵏ of "
        f"the start is left; in fractions that agrees with the layer {closeness(gap)}.",
        {"momentum": float(MOMENTUM), "means": tuple(first[0]), "variances": tuple(first[1]), "gap": gap},
    )


@no_grad()
def in_training(settings: Settings) -> tuple[float, ...]:
    """Return what the layer makes of row 1 in training."""
    return floats(BatchNorm1d(len(NEURON_NAMES), eps=settings.table_eps)(NEURONS)[0])


def in_the_limit(settings: Settings) -> tuple[float, ...]:
    """Return what row 1 comes to in evaluation after batches without end: (x − μ)/√(s² + ε)."""
    forms = [exact.normalized(exact.rationals(c), 1, settings.table_eps) for c in columns_of(OUTPUTS)]
    return tuple(form.values[0] for form in forms)


def _evaluated(after: dict[int, Running], settings: Settings) -> Table:
    return Table(
        "evaluated",
        "Row 1, (7, 5, 4), in training and in evaluation",
        NEURON_NAMES,
        (
            Row("in training", in_training(settings)),
            *(Row(f"in evaluation, after {count}", found.evaluated) for count, found in after.items()),
            Row("in the limit", in_the_limit(settings)),
        ),
        "row 1",
        ".6f",
        "In training the layer divides by n, whatever else is chosen for these pages.",
    )


def _limit(settings: Settings) -> Fact:
    count = len(OUTPUTS)
    trained, limit = in_training(settings), in_the_limit(settings)
    ratios = tuple(a / b for a, b in zip(trained, limit, strict=True))
    between = (
        "in all three features" if not settings.table_eps else "without ε; with this one the ratios are {ratios:.6f}"
    )
    return Fact(
        "limit",
        "Evaluation comes near to what it tends to, and never to training: between them stays a factor of "
        f"√(n/(n − 1)) = √({{n}}/{{less}}) = {{factor:.6f}}, {between}. With {{large}} rows it would be "
        "{large_factor:.6f}.",
        {
            "n": count,
            "less": count - 1,
            "factor": math.sqrt(Fraction(count, count - 1)),
            "ratios": ratios,
            "large": STEP_7_BATCH,
            "large_factor": math.sqrt(Fraction(STEP_7_BATCH, STEP_7_BATCH - 1)),
        },
    )


@no_grad()
def _one_mode(settings: Settings) -> Fact:
    layer = LayerNorm(len(NEURON_NAMES), eps=settings.table_eps)
    gap = float(np.abs(layer(NEURONS).numpy() - layer.eval()(NEURONS).numpy()).max())
    alone = float(np.abs(layer(NEURONS[:1]).numpy() - layer(NEURONS).numpy()[:1]).max())
    return Fact(
        "one_mode",
        "Layer norm keeps nothing and has one mode: training and evaluation differ by {gap:g}, and row 1 by itself "
        "differs from row 1 in the table by {alone:g}. Batch norm in training must refuse a batch of one row.",
        {"gap": gap, "alone": alone},
    )
