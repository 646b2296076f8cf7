"""The three normalizations of a table, one step after the other, and the gradient of one output entry.

:func:`normalize_table` composes batch, layer or root-mean-square normalization from Tensor operations, so
that every intermediate can be shown, and asks the tape for the gradient. For ``ddof=0`` the output is
that of ``functional.batch_norm``, ``layer_norm`` and ``rms_norm``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ...engine.tensor import Tensor
from ...errors import InputError, TableError
from ...terminal.progress import OnProgress, silent
from ...transforms import gradients
from ..lecture.normalizing import BATCH, LAYER, normalize, real_only
from .own_table import OwnTable

Floats: TypeAlias = npt.NDArray[np.float64]
Real: TypeAlias = "npt.NDArray[np.bool_] | None"
"""For each row whether it is real; None if no row is a pad."""

KINDS = ("batch", "layer", "rms")


@dataclass(frozen=True)
class NormChoices:
    """Which normalization.

    Attributes
    ----------
    kind
        "batch" normalizes each column over the rows, "layer" each row over the columns, "rms" divides
        each row by its root mean square.
    ddof
        The variance divides by ``n − ddof``.
    eps
        Added to the variance or mean square, not negative.
    weight, bias
        One number for each column, or None for 1 and 0.
    """

    kind: str = "layer"
    ddof: int = 0
    eps: float = 1e-5
    weight: tuple[float, ...] | None = None
    bias: tuple[float, ...] | None = None

    @property
    def axis(self) -> int:
        """The axis that the statistics are taken over: 0 for the rows of a column, else 1."""
        return BATCH if self.kind == "batch" else LAYER

    def check(self, rows: int, columns: int) -> None:
        """Raise InputError if they do not fit a table of that many real rows and columns."""
        if not (math.isfinite(self.eps) and self.eps >= 0):
            raise InputError(f"eps must be a finite number of at least 0; got {self.eps:g}; try 1e-5")
        if self.kind == "rms" and (self.ddof or self.bias is not None):
            wrong = "a ddof: it has no mean" if self.ddof else "a bias"
            raise InputError(f"rms norm must be used without {wrong}; leave it out or use layer norm")
        for name, values in (("weight", self.weight), ("bias", self.bias)):
            if values is not None and len(values) != columns:
                raise InputError(
                    f"{name} must have one number for each of the {columns} columns of numbers; got {len(values)}"
                )
            if values is not None and not all(map(math.isfinite, values)):
                raise InputError(f"{name} must be of finite numbers; got {values}")
        if self.kind == "batch" and rows < 2:
            raise InputError(
                "batch norm must have at least two real rows: with one, every value is its own mean; "
                f"got {rows}; use layer norm, or add rows"
            )
        if self.kind == "layer" and self.ddof >= columns:
            raise InputError(
                f"layer norm with ddof {self.ddof} must have more columns of numbers than that; "
                f"got {columns}; use ddof 0"
            )


@dataclass(frozen=True, eq=False)
class Intermediate:
    """One intermediate result.

    Attributes
    ----------
    name
        "x", "mean", "centered", "variance", "mean_square", "normalized" or "output".
    formula
        How it comes from those before it.
    values
        ``(row, column)``; statistics have length 1 along the axis they are taken over.
    """

    name: str
    formula: str
    values: Floats = field(repr=False)

    @property
    def words(self) -> str:
        """The name as a reader should see it."""
        return self.name.replace("_", " ")

    @property
    def is_statistic(self) -> bool:
        """Whether it has one number for each row or column."""
        return self.name in ("mean", "variance", "mean_square")


@dataclass(frozen=True, eq=False)
class EntryGradient:
    """The derivatives of ``output[row, column]``, counted from 0, by every x, weight and bias.

    ``x`` is ``(row, column)``; ``weight`` and ``bias`` are ``(column,)``, or None where there are none.
    """

    row: int
    column: int
    x: Floats = field(repr=False)
    weight: Floats | None
    bias: Floats | None


@dataclass(frozen=True, eq=False)
class NormalizedTable:
    """A table's normalization: what was chosen, every step from "x" to "output", the gradient of one output entry."""

    choices: NormChoices
    real: Real = field(repr=False)
    steps: tuple[Intermediate, ...]
    gradient: EntryGradient

    @property
    def output(self) -> Floats:
        """The last step, ``(row, column)``."""
        return self.steps[-1].values


def normalize_table(
    table: OwnTable,
    choices: NormChoices,
    real: Real = None,
    entry: tuple[int, int] = (0, 0),
    on_progress: OnProgress = silent,
) -> NormalizedTable:
    """Normalize a table with every intermediate, and differentiate the entry (row, column) of the output.

    Batch norm takes its statistics over the real rows and makes pad rows 0; the others treat each row by itself and
    leave pad rows as they come out.

    Raises
    ------
    InputError
        The choices do not fit the table.
    TableError
        A result is not a finite number: 0/0 where eps is 0, or an overflow.
    """
    rows, columns = table.numbers.shape
    choices.check(rows if real is None else int(real.sum()), columns)
    x = Tensor(table.numbers, requires_grad=True, name="x")
    given = {
        name: Tensor(values, requires_grad=True, dtype=float, name=name)
        for name, values in (("weight", choices.weight), ("bias", choices.bias))
        if values is not None
    }
    # What overflows is refused with its place instead of being warned of.
    with np.errstate(all="ignore"):
        on_progress("normalizing", 0.0)
        composed = _compose(x, choices, real if choices.kind == "batch" else None, given)
        steps = tuple(Intermediate(name, formula, np.asarray(value)) for name, formula, value in composed)
        _refuse_undefined(table, choices, real, steps)
        on_progress("differentiating", 0.5)
        by_x, *by_given = map(np.asarray, gradients(composed[-1][2][entry], [x, *given.values()]))
    if not np.isfinite(by_x).all():
        raise TableError(
            f"{table.source}: the gradient of the entry in line {table.lines[entry[0]]}, "
            f"{table.number_columns[entry[1]].place} is not finite; give a larger --eps"
        )
    found = dict(zip(given, by_given, strict=True))
    gradient = EntryGradient(*entry, by_x, found.get("weight"), found.get("bias"))
    return NormalizedTable(choices, real, steps, gradient)


def _compose(
    x: Tensor, choices: NormChoices, masked: Real, given: dict[str, Tensor]
) -> list[tuple[str, str, Tensor]]:
    """Return every step's name, formula and result."""
    extent = f"over each {'column' if choices.axis == BATCH else 'row'}{'' if masked is None else ' of real rows'}"
    if choices.kind == "rms":
        square = (x * x).mean(axis=LAYER, keepdims=True)
        normalized = x / (square + choices.eps).sqrt()
        before = [("mean_square", f"mean of x² {extent}", square)]
        top, under = "x", "mean square"
    else:
        parts = normalize(x, choices.axis, choices.ddof, choices.eps, masked)
        normalized = parts.normalized
        divisor = "n" if choices.ddof == 0 else f"(n − {choices.ddof})"
        before = [
            ("mean", f"Σ x / n {extent}", parts.mean),
            ("centered", "x − mean", parts.centered),
            ("variance", f"Σ centered² / {divisor} {extent}", parts.variance),
        ]
        top, under = "centered", "variance"
    root = f"√({under} + {choices.eps:g})" if choices.eps else f"√({under})"
    output, formula = normalized, "normalized"
    if "weight" in given:
        output, formula = output * given["weight"], f"{formula} · weight"
    if "bias" in given:  # it would leave a pad row other than 0
        output, formula = real_only(output + given["bias"], masked), f"{formula} + bias"
    return [
        ("x", "the table", x), *before, ("normalized", f"{top} / {root}", normalized), ("output", formula, output)
    ]


def _refuse_undefined(table: OwnTable, choices: NormChoices, real: Real, steps: Sequence[Intermediate]) -> None:
    """Refuse a table whose output is not all finite numbers."""

    def place(index: int) -> str:
        column = f", {table.number_columns[index].place}" if choices.kind == "batch" else f", line {table.lines[index]}"
        return table.source + column

    spread = next(s for s in steps if s.name in ("variance", "mean_square"))
    flat = spread.values.ravel()
    if not np.isfinite(flat).all():
        raise TableError(
            f"{place(int(np.argmin(np.isfinite(flat))))}: the {spread.words} is too large for a 64-bit float; divide "
            "the numbers by a constant, which changes no normalized value"
        )
    if choices.eps == 0:
        undefined = (flat == 0) | _is_constant(table, choices, real)
        if undefined.any():
            raise TableError(
                f"{place(int(np.argmax(undefined)))}: the {spread.words} is 0 and eps is 0, so the result would be "
                "0/0; give --eps 1e-5"
            )
    output = steps[-1].values
    if not np.isfinite(output).all():
        row, column = np.argwhere(~np.isfinite(output))[0]
        raise TableError(
            f"{table.source}, line {table.lines[row]}, {table.number_columns[column].place}: the output is "
            "too large for a 64-bit float; give smaller weights"
        )


def _is_constant(table: OwnTable, choices: NormChoices, real: Real) -> npt.NDArray[np.bool_] | np.bool_:
    """Return for each row or column whether its numbers, less their mean, are all 0.

    Their computed variance may still not be 0: the mean of 0.1, 0.1, 0.1 is rounded.
    """
    if choices.kind == "rms":
        return np.False_
    x = table.numbers if choices.kind == "layer" or real is None else table.numbers[real]
    constant: npt.NDArray[np.bool_] = x.max(axis=choices.axis) == x.min(axis=choices.axis)
    return constant
