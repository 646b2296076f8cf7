"""The lecture on a small table of one's own: the steps about numbers, not those about the words of the notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ...errors import TableError
from ..document.author_mistakes import LARGEST
from ..document.lesson import Block, Fact, Formula, Lesson, Paragraph, Row, Step, Table
from ..document.moving import Moving
from ..lecture.moving_pictures import swept
from ..lecture.norm_formula import BATCH, LAYER, smallest_largest
from .normalize_table import Floats, NormalizedTable, NormChoices, normalize_table
from .own_table import OwnTable

MOST_ROWS, MOST_COLUMNS = 20, 12
"""What can be read; for more there is ``tinygrad-norm norm``."""

MOST_SWEPT = 8
"""Rows or columns whose dots can be told apart."""

LONGEST_NAME = 6
"""Of a row or column, in letters, that stands in a dot."""

ALPHA = 0.5
"""Of DyT, where training begins (Zhu et al. 2025)."""

SAME = 1e-9
"""Normalized rows that are closer are called the same."""


def own_lecture(table: OwnTable, ddof: int = 0, eps: float = 0.0) -> Lesson:
    """Return a lesson on a table: what normalization is, batch norm, layer norm, their gradients, what came after.

    TableError if it is too small or too large for that, or a result is no finite number.
    """
    rows, columns = table.numbers.shape
    if not (2 <= rows <= MOST_ROWS and 2 <= columns <= MOST_COLUMNS):
        raise TableError(
            f"{table.source}: a table for the lecture must have 2 to {MOST_ROWS} rows and 2 to {MOST_COLUMNS} columns "
            f"of numbers; got {rows}×{columns}. Use: tinygrad-norm norm"
        )
    batch, layer = (normalize_table(table, NormChoices(kind, ddof, eps)) for kind in ("batch", "layer"))
    lesson = _Walk(table, ddof, eps)
    return Lesson(
        f"Layer normalization of {table.source}, step by step",
        (
            lesson.normalization(batch, layer),
            lesson.batch_norm(batch),
            lesson.layer_norm(layer),
            lesson.backward(batch, layer),
            lesson.after_layer_norm(),
        ),
        (
            f"The lecture on a table of your own: {rows} rows and {columns} columns of numbers. The notes say nothing "
            "about it, so their verdicts are not here: none of them would apply. Left out are the steps about the "
            "notes' own words, from the benefits to padding and attention.",
            f"Variances divide by {'n' if ddof == 0 else 'n − 1'}; ε = {eps:g}.",
        ),
        {"source": table.source, "ddof": ddof, "eps": eps},
        overview=lesson.table("overview", "The table", table.numbers, ""),
    )


class _Walk:
    """One table, how its rows and columns are called, and the steps of the lesson on it."""

    def __init__(self, table: OwnTable, ddof: int, eps: float) -> None:
        self._x = table.numbers
        self._ddof, self._eps = ddof, eps
        self._columns = tuple(column.title for column in table.number_columns)
        names = table.labels[0] if table.labels else [str(i + 1) for i in range(len(self._x))]
        self._rows = tuple(name.strip() or str(i + 1) for i, name in enumerate(names))
        self._divisor = "n" if ddof == 0 else "(n − 1)"

    def table(self, key: str, title: str, values: Floats, formats: str = ".6f", note: str = "") -> Table:
        """Return numbers in the shape of the table under its names."""
        rows = tuple(Row(name, tuple(row)) for name, row in zip(self._rows, values.tolist(), strict=True))
        return Table(key, title, self._columns, rows, "row", formats, note)

    def _swept(self, axis: int) -> Iterator[Moving]:
        """Yield the table swept down its columns or along its rows, if it is small and its numbers can be drawn."""
        rows, columns = self._x.shape
        if rows <= MOST_SWEPT and columns <= MOST_SWEPT and np.abs(self._x).max() <= LARGEST:
            named = dict(zip(_short(self._rows), self._x.tolist(), strict=True))
            yield swept(axis, named, _short(self._columns), self._ddof, self._eps)

    def normalization(self, batch: NormalizedTable, layer: NormalizedTable) -> Step:
        """Return step 1: one column and one row with every intermediate."""
        first, top = self._columns[0], self._rows[0]
        return Step(
            1,
            "What normalization is",
            (
                Formula(
                    f"μ  = (x₁ + … + xₙ)/n\nσ² = ((x₁ − μ)² + … + (xₙ − μ)²)/{self._divisor}\nx̂  = (x − μ)/√(σ² + ε)"
                ),
                _worked("column", f"Down a column: {first}", self._rows, batch, np.s_[:, 0]),
                _worked("row", f"Along a row: {top}", self._columns, layer, np.s_[0, :]),
            ),
            (
                "To normalize numbers is to give them mean 0 and variance 1.",
                "What matters is which numbers belong together: a column, or a row.",
            ),
        )

    def batch_norm(self, batch: NormalizedTable) -> Step:
        """Return step 2: every column, its statistics, and the bound on the largest."""
        n = len(self._x)
        largest = batch.output.max(axis=0)
        blocks: list[Block] = [
            *self._swept(BATCH),
            _statistics("Statistics of each column", "column", self._columns, batch),
            self.table("batch_norm", "After batch norm, down each column", batch.output),
        ]
        if not self._eps:
            blocks.append(
                Fact(
                    "bound",
                    "The largest of {n} numbers normalizes to at least {least:.6f}, whatever they are: here to "
                    "{smallest:.6f} or more.",
                    {"n": n, "least": smallest_largest(n, self._ddof), "smallest": float(largest.min())},
                )
            )
        return Step(
            2,
            "Batch norm, down the columns",
            tuple(blocks),
            (
                "Batch norm goes down a column, and each column has its own γ and β.",
                "Above the mean is positive, below it negative: many a slip shows at sight.",
            ),
        )

    def layer_norm(self, layer: NormalizedTable) -> Step:
        """Return step 3: every row, its statistics, and the rows that become one."""
        pairs = [
            (self._rows[i], self._rows[j])
            for i, j in combinations(range(len(self._x)), 2)
            if np.abs(layer.output[i] - layer.output[j]).max() <= SAME and (self._x[i] != self._x[j]).any()
        ]
        blocks: list[Block] = [
            *self._swept(LAYER),
            _statistics("Statistics of each row", "row", self._rows, layer),
            self.table("layer_norm", "After layer norm, along each row", layer.output),
        ]
        if pairs:
            names = "; ".join(f"{a} and {b}" for a, b in pairs)
            text = (
                "Rows that differ and come out the same: {names}. Layer norm does not see what is added to a whole row"
            )
            blocks.append(Fact("pairs", text + (", nor its scale." if not self._eps else "."), {"names": names}))
        if not self._eps:
            radius = float(np.sqrt((layer.output**2).sum(axis=1)).max())
            text = "The values of a row sum to 0, their squares to {squares}: each lies on a sphere of radius {r:.4f}."
            blocks.append(Fact("sphere", text, {"squares": len(self._columns) - self._ddof, "r": radius}))
        return Step(
            3,
            "Layer norm, along the rows",
            tuple(blocks),
            (
                "Layer norm goes along a row: no other row can change it.",
                "It does not see what is added to a whole row, nor, but for ε, its scale.",
            ),
        )

    def backward(self, batch: NormalizedTable, layer: NormalizedTable) -> Step:
        """Return step 4: the gradient of the first entry under both norms, and what it sums to."""
        entry = f"{self._rows[0]}, {self._columns[0]}"
        slopes = [result.gradient["x"] for result in (batch, layer)]
        titles = [f"The gradient of x̂ in {entry} under {norm} norm, by every entry" for norm in ("batch", "layer")]
        return Step(
            4,
            "Backward",
            (
                self.table("batch_gradient", titles[0], slopes[0]),
                self.table("layer_gradient", titles[1], slopes[1]),
                Fact(
                    "sums",
                    "Each sums to 0, but for {batch:.1g} and {layer:.1g} of its largest entry: adding a constant to a "
                    "column, or to a row, moves nothing.",
                    {"batch": _left_over(slopes[0]), "layer": _left_over(slopes[1])},
                ),
            ),
            (
                "Under batch norm an entry depends on its column, under layer norm on its row.",
                "There are three paths back: the entry itself, the variance, the mean.",
            ),
        )

    def after_layer_norm(self) -> Step:
        """Return step 5: RMSNorm, and DyT, which has no statistics."""
        squares = np.sqrt((self._x**2).mean(axis=1, keepdims=True) + self._eps)
        with np.errstate(invalid="ignore"):
            rms = self._x / squares
        return Step(
            5,
            "After layer norm",
            (
                Paragraph("RMSNorm leaves out the mean, DyT the statistics altogether: tanh(αx), entry by entry."),
                self.table("rms_norm", "After RMSNorm, x/√(mean of x² + ε) along each row", rms),
                self.table("dyt", f"After DyT, tanh(αx) with α = {ALPHA}", np.tanh(ALPHA * self._x)),
            ),
            (
                "RMSNorm divides a row by its root mean square; the mean stays in it.",
                "DyT squashes each entry by itself: nothing in a batch can change it.",
            ),
        )


def _short(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that fit into a dot: numbers where they are long, or not different."""
    if max(map(len, names)) <= LONGEST_NAME and len(set(names)) == len(names):
        return tuple(names)
    return tuple(str(i + 1) for i in range(len(names)))


def _left_over(slopes: Floats) -> float:
    """Return what a sum that should be 0 is, in units of its largest entry."""
    largest = np.abs(slopes).max()
    return float(np.abs((slopes / largest).sum())) if largest else 0.0


def _worked(key: str, title: str, labels: Sequence[str], result: NormalizedTable, place: Any) -> Table:
    """Return one column or row with every intermediate."""
    named = {step.name: step.values for step in result.steps}
    parts = [named["x"][place], named["centered"][place], named["centered"][place] ** 2, result.output[place]]
    rows = tuple(Row(label, tuple(row)) for label, row in zip(labels, np.stack(parts, axis=1).tolist(), strict=True))
    return Table(key, title, ("x", "x − μ", "(x − μ)²", "x̂"), rows, formats=("", ".4f", ".4f", ".6f"))


def _statistics(title: str, corner: str, labels: Sequence[str], result: NormalizedTable) -> Table:
    named = {step.name: step.values.ravel() for step in result.steps if step.is_statistic}
    parts = [named["mean"], named["variance"], np.sqrt(named["variance"])]
    rows = tuple(Row(label, tuple(row)) for label, row in zip(labels, np.stack(parts, axis=1).tolist(), strict=True))
    return Table(f"{corner}_statistics", title, ("μ", "σ²", "σ"), rows, corner)
