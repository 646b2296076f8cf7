"""The lab ``invariance``: what each normalization does not notice, all 24 cells of the published tables.

A layer computes the summed inputs a = x Wᵀ for weights W (unit, input) and a data set x (case, input), and normalizes
them without ε, gain or bias. A norm is invariant to a change of weights or data if its outputs are the same before and
after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ... import functional as F
from ...engine.details.array import Array
from ...engine.tensor import Tensor, as_tensor
from ...ops import elementwise as e
from ...transforms import grad
from ..document.lesson import Row, Table
from .experiment import Answer, Lab, LabOutcome, Line, Panel, Question, Session, unfinished
from .papers import BA, IOFFE_SZEGEDY, ZHANG_SENNRICH

Layer = Callable[[Tensor, Tensor], Tensor]
"""From weights (unit, input) and data (case, input) to outputs (case, unit)."""


def weight_normalized(weight: Tensor, x: Tensor) -> Tensor:
    """Return the summed inputs with every unit's weights divided by their length (Salimans & Kingma 2016)."""
    lengths = as_tensor(e.sqrt(weight.square().sum(1)))
    return x @ weight.T / lengths


LAYERS: Mapping[str, Layer] = {
    "batch norm": lambda weight, x: F.batch_norm(x @ weight.T, training=True, eps=0.0),
    "weight norm": weight_normalized,
    "layer norm": lambda weight, x: F.layer_norm(x @ weight.T, weight.shape[0], eps=0.0),
    "RMS norm": lambda weight, x: F.rms_norm(x @ weight.T, weight.shape[0], eps=0.0),
}


@dataclass(frozen=True)
class Point:
    """Weights (unit, input) and data (case, input)."""

    weight: Array
    x: Array


def rescaled(values: Array, rng: np.random.Generator) -> Array:
    """Multiply all by one factor: positive, as a negative one would turn the sign of all outputs, and not near 1."""
    return values * float(rng.uniform(2.0, 5.0))


def recentered(values: Array, rng: np.random.Generator) -> Array:
    """Add one vector to every row."""
    moved: Array = values + rng.standard_normal(values.shape[1])
    return moved


def rescaled_in_one_row(values: Array, rng: np.random.Generator) -> Array:
    """Multiply one row by a factor."""
    factors = np.ones((len(values), 1))
    factors[rng.integers(len(factors))] = rng.uniform(2.0, 5.0)
    return values * factors


Change = Callable[[Point, np.random.Generator], Point]

CHANGES: Mapping[str, Change] = {
    "weight matrix rescaled": lambda at, rng: Point(rescaled(at.weight, rng), at.x),
    "weight matrix recentered": lambda at, rng: Point(recentered(at.weight, rng), at.x),
    "weight vector rescaled": lambda at, rng: Point(rescaled_in_one_row(at.weight, rng), at.x),
    "data set rescaled": lambda at, rng: Point(at.weight, rescaled(at.x, rng)),
    "data set recentered": lambda at, rng: Point(at.weight, recentered(at.x, rng)),
    "single case rescaled": lambda at, rng: Point(at.weight, rescaled_in_one_row(at.x, rng)),
}
"""What is done to all weights, to those of one unit, to all data, to one case."""


def range_of_changes(layer: Layer, change: Change, points: int, rng: np.random.Generator) -> tuple[float, float]:
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

    The gap between the gradient at the larger weights, times the factor, and the gradient before, as a share of its
    size; the largest cosine between gradient and weights: of the whole matrix, and of each unit's.
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


SAME = 1e-11
"""Up to here a change of outputs of size 1 is rounding: a few hundred operations of 1e-16 each, made larger where a
deviation is small…"""
NOTICED = 1e-2
"""…and from here on it is not. Nothing lies between: that is checked."""

PUBLISHED: Mapping[str, tuple[bool, ...]] = {
    "batch norm": (True, False, True, True, True, False),
    "weight norm": (True, False, True, False, False, False),
    "layer norm": (True, True, False, True, False, True),
    "RMS norm": (True, False, False, True, False, True),
}
"""For each norm whether it is invariant to each of the six changes, in their order."""

FACTOR = 8.0
POINTS = {True: 100, False: 2000}
"""Random points for each cell, in a quick run and in a full one."""


@dataclass(frozen=True)
class Cell:
    """The smallest and the largest change of the outputs that one change of weights or data made."""

    least: float
    most: float

    @property
    def invariant(self) -> bool | None:
        """Whether the outputs stayed the same; None if that cannot be said."""
        if self.most <= SAME:
            return True
        return False if self.least >= NOTICED else None


def _row(norm: str) -> Question:
    source = ZHANG_SENNRICH if norm == "RMS norm" else BA
    invariant = [change for change, is_so in zip(CHANGES, PUBLISHED[norm], strict=True) if is_so]
    return Question(
        norm.replace(" ", "_"),
        source,
        f"{norm[0].upper()}{norm[1:]} does not notice: {', '.join(invariant)}. It notices the other "
        f"{6 - len(invariant)}.",
        f"Outputs change by at most {SAME:g} there, by at least {NOTICED:g} elsewhere, at every random point.",
    )


ROWS = {norm: _row(norm) for norm in PUBLISHED}
GRADIENT = Question(
    "larger_weights_smaller_gradients",
    IOFFE_SZEGEDY,
    "Multiplying the weights before batch norm by a leaves its output as it is and divides the gradient by the "
    "weights by a: larger weights learn more slowly, and their growth stabilizes.",
    f"a times the gradient is the gradient before, and the gradient is orthogonal to the weights, both to {SAME:g}, "
    "for each norm.",
)
QUESTIONS = (*ROWS.values(), GRADIENT)

CellJob = tuple[str, str]


def run(session: Session, layers: Mapping[str, Layer] = LAYERS, points: int | None = None) -> LabOutcome:
    """Fill the table and compare."""
    points = points or POINTS[session.quick]
    rng = np.random.default_rng(session.seed)
    jobs = [(norm, change) for norm in layers for change in CHANGES]
    cells = session.each(
        "cells", jobs, lambda job: Cell(*range_of_changes(layers[job[0]], CHANGES[job[1]], points, rng))
    )
    if len(cells) < len(jobs):
        answers = unfinished(QUESTIONS)
    else:
        answers = (*(row_answer(norm, cells) for norm in PUBLISHED), gradient_answer(layers, rng))
    return LabOutcome(answers, (_table(cells, points),), (_panel(cells),))


def row_answer(norm: str, cells: Mapping[CellJob, Cell]) -> Answer:
    """Compare one row of the table with the published one."""
    compared = [(cells[norm, change], is_so) for change, is_so in zip(CHANGES, PUBLISHED[norm], strict=True)]
    right = [cell.invariant is is_so for cell, is_so in compared]
    return ROWS[norm].identity(
        all(right),
        "{right} of {cells} cells agree: outputs change by at most {same:.1g} where they must not, and by at least "
        "{noticed:.2f} where they must.",
        {
            "right": sum(right),
            "cells": len(right),
            "same": max(cell.most for cell, is_so in compared if is_so),
            "noticed": min(cell.least for cell, is_so in compared if not is_so),
        },
    )


def gradient_answer(layers: Mapping[str, Layer], rng: np.random.Generator) -> Answer:
    """Multiply weights and look at gradients, with each norm."""
    found = {norm: scaled_gradient(layer, FACTOR, rng) for norm, layer in layers.items()}
    # Where a single unit's weights may be rescaled unnoticed, its own gradient is orthogonal to them, too.
    by_unit = [found[norm].along_each_unit for norm, published in PUBLISHED.items() if published[2]]
    gap = max(one.gap for one in found.values())
    cosine = max(*(one.along_weights for one in found.values()), *by_unit)
    return GRADIENT.identity(
        gap <= SAME and cosine <= SAME,
        "With a = {factor:g} the gradients agree to {gap:.1g} of their size; the cosine between gradient and "
        "weights is at most {cosine:.1g}.",
        {"factor": FACTOR, "gap": gap, "cosine": cosine},
    )


def _table(cells: Mapping[CellJob, Cell], points: int) -> Table:
    words = {True: "invariant", False: "no", None: "unclear"}
    shown = {job: words[cell.invariant] for job, cell in cells.items()}
    norms = tuple(dict.fromkeys(norm for norm, _ in cells))
    return Table(
        "invariance",
        f"Which outputs stay the same, at {points} random points each",
        norms,
        tuple(Row(change, tuple(shown.get((norm, change)) for norm in norms)) for change in CHANGES if norms),
        "change",
    )


def _panel(cells: Mapping[CellJob, Cell]) -> Panel:
    norms = tuple(dict.fromkeys(norm for norm, _ in cells))
    changes = list(CHANGES)
    lines = []
    for style, norm in enumerate(norms):
        # Side by side, so that equal values do not hide each other.
        offset = 0.12 * (style - (len(norms) - 1) / 2)
        places = [(changes.index(change) + offset, cell) for (at, change), cell in cells.items() if at == norm]
        lines.append(Line(norm, tuple((x, max(cell.most, 1e-17)) for x, cell in places), style, "marks"))
    return Panel(
        "invariance",
        "Largest change of an output of size 1",
        "what was changed",
        "change of the output",
        tuple(lines),
        log_y=True,
        names=tuple(change.replace(" re", "\nre") for change in changes),
    )


LAB = Lab(
    "invariance",
    "Which changes of weights or data does each normalization not notice?",
    ("stability",),
    "A layer of five units is given random weights and six random cases. Weights or data are changed in six ways, "
    "and the normalized outputs before and after are compared.",
    QUESTIONS,
    (
        "ε is 0, and gain and bias are left out: with ε, rescaling is invisible only while the variance is far "
        "above ε.",
        "Factors are positive: a negative one turns the sign of all outputs.",
        "That larger weights get smaller gradients is exact; that this helps training is for the lab lr-ladder.",
    ),
    run,
)
