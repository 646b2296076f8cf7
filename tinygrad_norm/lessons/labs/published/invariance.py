"""The lab ``invariance``: what each normalization does not notice, all 24 cells of the published tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ...document.lesson import Row, Table
from .invariances import CHANGES, LAYERS, Layer, largest_change, scaled_gradient
from .papers import BA, IOFFE_SZEGEDY, ZHANG_SENNRICH
from .report import Finding, Lab, Line, Outcome, Panel, Question
from .session import Session

SAME = 1e-11
"""Up to here a change of outputs of size 1 is rounding: a few hundred operations of 1e-16 each, made larger where a
deviation is small…"""
NOTICED = 1e-2
"""…and from here on it is not. Nothing lies between: that is checked."""

PUBLISHED: Mapping[str, tuple[bool, ...]] = MappingProxyType(
    {
        "batch norm": (True, False, True, True, True, False),
        "weight norm": (True, False, True, False, False, False),
        "layer norm": (True, True, False, True, False, True),
        "RMS norm": (True, False, False, True, False, True),
    }
)
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


def run(session: Session, layers: Mapping[str, Layer] = LAYERS, points: int | None = None) -> Outcome:
    """Fill the table and compare."""
    points = points or POINTS[session.quick]
    rng = np.random.default_rng(session.seed)
    jobs = [(norm, change) for norm in layers for change in CHANGES]
    cells = session.each("cells", jobs, lambda job: Cell(*largest_change(layers[job[0]], CHANGES[job[1]], points, rng)))
    if len(cells) == len(jobs):
        findings = (*(row_finding(norm, cells) for norm in PUBLISHED), gradient_finding(layers, rng))
    else:
        findings = tuple(question.unfinished() for question in QUESTIONS)
    return Outcome(findings, (_table(cells, points),), (_panel(cells),))


def row_finding(norm: str, cells: Mapping[CellJob, Cell]) -> Finding:
    """Compare one row of the table with the published one."""
    right = [cells[norm, change].invariant is is_so for change, is_so in zip(CHANGES, PUBLISHED[norm], strict=True)]
    same = [cells[norm, change].most for change, is_so in zip(CHANGES, PUBLISHED[norm], strict=True) if is_so]
    noticed = [cells[norm, change].least for change, is_so in zip(CHANGES, PUBLISHED[norm], strict=True) if not is_so]
    return ROWS[norm].identity(
        all(right),
        "{right} of {cells} cells agree: outputs change by at most {same:.1g} where they must not, and by at least "
        "{noticed:.2f} where they must.",
        {"right": sum(right), "cells": len(right), "same": max(same), "noticed": min(noticed)},
    )


def gradient_finding(layers: Mapping[str, Layer], rng: np.random.Generator) -> Finding:
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
    def shown(norm: str, change: str) -> str | None:
        cell = cells.get((norm, change))
        if cell is None:
            return None
        return {True: "invariant", False: "no", None: "unclear"}[cell.invariant]

    norms = tuple(dict.fromkeys(norm for norm, _ in cells))
    return Table(
        "invariance",
        f"Which outputs stay the same, at {points} random points each",
        norms,
        tuple(Row(change, tuple(shown(norm, change) for norm in norms)) for change in CHANGES) if norms else (),
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
