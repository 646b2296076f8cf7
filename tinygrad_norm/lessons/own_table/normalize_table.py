"""The three normalizations of a table, one step after the other, and the gradient of one output entry.

:func:`normalize_table` composes batch, layer or root-mean-square normalization from Tensor operations, so
that every intermediate can be shown, and asks the tape for the gradient. For ``ddof=0`` the output is
that of ``functional.batch_norm``, ``layer_norm`` and ``rms_norm``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ...engine.tensor import Tensor
from ...errors import InputError, TableError
from ...terminal.progress import OnProgress, silent
from ...transforms import gradients
from ..lecture.norm_formula import BATCH, LAYER, normalize, real_only
from .own_table import OwnTable

Floats: TypeAlias = npt.NDArray[np.float64]

AXES = {"batch": BATCH, "layer": LAYER, "rms": LAYER}
"""The axis that the statistics of each kind of normalization are taken over."""


@dataclass(frozen=True)
class NormChoices:
    """Which normalization: "batch" is of each column over the rows, "layer" and "rms" are of each row over the columns.

    The variance divides by ``n − ddof``; ``eps`` is added to it or to the mean square. ``weight`` and ``bias`` are one
    number for each column, or None for 1 and 0.
    """

    kind: str = "layer"
    ddof: int = 0
    eps: float = 1e-5
    weight: tuple[float, ...] | None = None
    bias: tuple[float, ...] | None = None

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


class Intermediate(NamedTuple):
    """One of "x", "mean", "centered", "variance", "mean square", "normalized", "output", and how it is computed.

    The values are ``(row, column)``; statistics have length 1 along the axis they are taken over.
    """

    name: str
    formula: str
    values: Floats

    @property
    def is_statistic(self) -> bool:
        """Whether it has one number for each row or column."""
        return self.name in ("mean", "variance", "mean square")


@dataclass(frozen=True, eq=False)
class NormalizedTable:
    """What was chosen, every step from "x" to "output", and the gradient of one entry of the output.

    ``gradient`` holds the derivatives of ``output[entry]``, places counted from 0, by "x", ``(row, column)``, and by
    "weight" and "bias", ``(column,)``, where they were given.
    """

    choices: NormChoices
    steps: tuple[Intermediate, ...] = field(repr=False)
    entry: tuple[int, int]
    gradient: dict[str, Floats] = field(repr=False)

    @property
    def output(self) -> Floats:
        """The last step, ``(row, column)``."""
        return self.steps[-1].values


def normalize_table(
    table: OwnTable, choices: NormChoices, entry: tuple[int, int] = (0, 0), on_progress: OnProgress = silent
) -> NormalizedTable:
    """Normalize a table with every intermediate, and differentiate the entry (row, column) of the output.

    Batch norm takes its statistics over the real rows and makes pad rows 0; the others treat each row by itself and
    leave pad rows as they come out. InputError if the choices do not fit the table, TableError if a result is not a
    finite number: 0/0 where eps is 0, or an overflow.
    """
    rows, columns = table.numbers.shape
    choices.check(rows if table.real is None else int(table.real.sum()), columns)
    x = Tensor(table.numbers, requires_grad=True, name="x")
    given = {
        name: Tensor(values, requires_grad=True, dtype=float, name=name)
        for name, values in (("weight", choices.weight), ("bias", choices.bias))
        if values is not None
    }
    # What overflows is refused with its place instead of being warned of.
    with np.errstate(all="ignore"):
        on_progress("normalizing", 0.0)
        composed = _compose(x, choices, table.real if choices.kind == "batch" else None, given)
        steps = tuple(Intermediate(name, formula, value.data) for name, formula, value in composed)
        _refuse_undefined(table, choices, steps)
        on_progress("differentiating", 0.5)
        slopes = gradients(composed[-1][2][entry], [x, *given.values()])
    gradient = dict(zip(["x", *given], map(np.asarray, slopes), strict=True))
    if not np.isfinite(gradient["x"]).all():
        raise TableError(
            f"{table.source}: the gradient of the entry in line {table.lines[entry[0]]}, "
            f"{table.number_columns[entry[1]].place} is not finite; give a larger --eps"
        )
    return NormalizedTable(choices, steps, entry, gradient)


def _compose(
    x: Tensor, choices: NormChoices, real: npt.NDArray[np.bool_] | None, given: dict[str, Tensor]
) -> list[tuple[str, str, Tensor]]:
    """Return every step's name, formula and result."""
    extent = f"over each {'column' if choices.kind == 'batch' else 'row'}{'' if real is None else ' of real rows'}"
    plus_eps = f" + {choices.eps:g}" if choices.eps else ""
    if choices.kind == "rms":
        square = (x * x).mean(axis=LAYER, keepdims=True)
        normalized = x / (square + choices.eps).sqrt()
        steps = [
            ("x", "the table", x),
            ("mean square", f"mean of x² {extent}", square),
            ("normalized", f"x / √(mean square{plus_eps})", normalized),
        ]
    else:
        parts = normalize(x, AXES[choices.kind], choices.ddof, choices.eps, real)
        normalized = parts.normalized
        divisor = "n" if choices.ddof == 0 else f"(n − {choices.ddof})"
        steps = [
            ("x", "the table", x),
            ("mean", f"Σ x / n {extent}", parts.mean),
            ("centered", "x − mean", parts.centered),
            ("variance", f"Σ centered² / {divisor} {extent}", parts.variance),
            ("normalized", f"centered / √(variance{plus_eps})", normalized),
        ]
    output, formula = normalized, "normalized"
    if "weight" in given:
        output, formula = output * given["weight"], f"{formula} · weight"
    if "bias" in given:  # it would leave a pad row other than 0
        output, formula = real_only(output + given["bias"], real), f"{formula} + bias"
    return [*steps, ("output", formula, output)]


def _refuse_undefined(table: OwnTable, choices: NormChoices, steps: Sequence[Intermediate]) -> None:
    """Refuse a table whose output is not all finite numbers."""
    spread = next(s for s in steps if s.name in ("variance", "mean square"))
    flat = spread.values.ravel()
    undefined = (flat == 0) & (choices.eps == 0)
    if choices.eps == 0 and choices.kind != "rms":
        # The computed variance of 0.1, 0.1, 0.1 is not 0: their mean is rounded.
        x = table.numbers if choices.kind == "layer" or table.real is None else table.numbers[table.real]
        undefined |= x.max(axis=AXES[choices.kind]) == x.min(axis=AXES[choices.kind])
    too_large = "too large for a 64-bit float; divide the numbers by a constant, which changes no normalized value"
    zero = "0 and eps is 0, so the result would be 0/0; give --eps 1e-5"
    for wrong, problem in ((~np.isfinite(flat), too_large), (undefined, zero)):
        if wrong.any():
            i = int(np.argmax(wrong))
            place = table.number_columns[i].place if choices.kind == "batch" else f"line {table.lines[i]}"
            raise TableError(f"{table.source}, {place}: the {spread.name} is {problem}")
    finite = np.isfinite(steps[-1].values)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise TableError(
            f"{table.source}, line {table.lines[row]}, {table.number_columns[column].place}: the output is "
            "too large for a 64-bit float; give smaller weights"
        )
