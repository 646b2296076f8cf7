"""The three normalizations of a table, one step after the other, and the gradient of one output entry.

:func:`compute_steps` composes batch, layer or root-mean-square normalization from Tensor operations, so
that every intermediate can be shown, and asks the tape for the gradient. For ``ddof=0`` the output is
that of ``functional.batch_norm``, ``layer_norm`` and ``rms_norm``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ...errors import InputError, TableError
from ...ops.elementwise import where
from ...tensor import Tensor
from ...transforms import gradients
from .progress import Report, silent
from .table import OwnTable

Kind: TypeAlias = Literal["batch", "layer", "rms"]
Floats: TypeAlias = npt.NDArray[np.float64]

KINDS: tuple[Kind, ...] = ("batch", "layer", "rms")


@dataclass(frozen=True)
class Choices:
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

    kind: Kind = "layer"
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


@dataclass(frozen=True, eq=False)
class Step:
    """One intermediate result.

    Attributes
    ----------
    name
        "x", "mean", "centered", "variance", "mean_square", "normalized" or "output".
    formula
        How it comes from the steps before it.
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
    """The gradient of ``output[row, column]``.

    Attributes
    ----------
    row, column
        Which entry, counted from 0.
    x
        Its derivative by every entry of the table, ``(row, column)``.
    weight, bias
        By every weight and bias, ``(column,)``; None where there are none.
    """

    row: int
    column: int
    x: Floats = field(repr=False)
    weight: Floats | None
    bias: Floats | None


@dataclass(frozen=True, eq=False)
class Normalized:
    """A table's normalization: what was chosen, every step, one gradient.

    Attributes
    ----------
    choices
        Which normalization.
    real
        For each row whether it is real; None if no row is a pad.
    steps
        From "x" to "output".
    gradient
        That of one entry of the output.
    """

    choices: Choices
    real: npt.NDArray[np.bool_] | None = field(repr=False)
    steps: tuple[Step, ...]
    gradient: EntryGradient

    @property
    def output(self) -> Floats:
        """The last step, ``(row, column)``."""
        return self.steps[-1].values


def compute_steps(
    table: OwnTable,
    choices: Choices,
    real: npt.NDArray[np.bool_] | None = None,
    entry: tuple[int, int] = (0, 0),
    report: Report = silent,
) -> Normalized:
    """Normalize a table with every intermediate, and differentiate one entry of the output.

    Parameters
    ----------
    table
        Its numbers are x, ``(row, column)``.
    choices
        Which normalization.
    real
        For each row whether it is real. Batch norm takes its statistics over the real rows and makes
        pad rows 0; the others treat each row by itself and leave pad rows as they come out.
    entry
        Row and column, from 0, of the output entry to differentiate.
    report
        Told how much was done.

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
    weight = _parameter(choices.weight, "weight")
    bias = _parameter(choices.bias, "bias")
    # What overflows is refused with its place instead of being warned of.
    with np.errstate(all="ignore"):
        report("normalizing", 0.0)
        composed = _compose(x, choices, real, weight, bias)
        steps = tuple(Step(name, formula, np.asarray(value)) for name, formula, value in composed)
        _refuse_undefined(table, choices, real, steps)
        report("differentiating", 0.5)
        given = [tensor for tensor in (weight, bias) if tensor is not None]
        by_x, *by_given = map(np.asarray, gradients(composed[-1][2][entry], [x, *given]))
    rest = iter(by_given)
    gradient = EntryGradient(
        row=entry[0],
        column=entry[1],
        x=by_x,
        weight=None if weight is None else next(rest),
        bias=None if bias is None else next(rest),
    )
    if not np.isfinite(gradient.x).all():
        raise TableError(
            f"{table.source}: the gradient of the entry in line {table.lines[entry[0]]}, "
            f"{table.number_columns[entry[1]].place} is not finite; give a larger --eps"
        )
    return Normalized(choices, real, steps, gradient)


def _parameter(values: Sequence[float] | None, name: str) -> Tensor | None:
    return None if values is None else Tensor(values, requires_grad=True, dtype=float, name=name)


def _compose(
    x: Tensor,
    choices: Choices,
    real: npt.NDArray[np.bool_] | None,
    weight: Tensor | None,
    bias: Tensor | None,
) -> list[tuple[str, str, Tensor]]:
    """Return every step as its name, formula and Tensor."""
    batch = choices.kind == "batch"
    axis = 0 if batch else 1
    over = "column" if batch else "row"
    mask = real[:, None] if batch and real is not None else None
    count = x.shape[axis] if mask is None else int(mask.sum())

    def keep(values: Tensor) -> Tensor:
        return values if mask is None else where(mask, values, 0.0)

    steps = [("x", "the table", x)]
    if choices.kind == "rms":
        spread = (x * x).mean(axis=1, keepdims=True)
        steps.append(("mean_square", "mean of x² over each row", spread))
        numerator = x
    else:
        extent = f"over each {over}" + (" of real rows" if mask is not None else "")
        mean = keep(x).sum(axis=axis, keepdims=True) / count
        numerator = keep(x - mean)
        spread = (numerator * numerator).sum(axis=axis, keepdims=True) / (count - choices.ddof)
        divisor = "n" if choices.ddof == 0 else f"(n − {choices.ddof})"
        steps += [
            ("mean", f"Σ x / n {extent}", mean),
            ("centered", "x − mean", numerator),
            ("variance", f"Σ centered² / {divisor} {extent}", spread),
        ]
    top, under = ("x", "mean square") if choices.kind == "rms" else ("centered", "variance")
    root = f"√({under} + {choices.eps:g})" if choices.eps else f"√({under})"
    output = numerator / (spread + choices.eps).sqrt()
    steps.append(("normalized", f"{top} / {root}", output))
    if weight is not None:
        output = output * weight
    if bias is not None:
        output = keep(output + bias)  # the bias would leave a pad row other than 0
    formula = " + ".join(["normalized" + (" · weight" if weight is not None else "")] + ["bias"] * (bias is not None))
    return [*steps, ("output", formula, output)]


def _refuse_undefined(
    table: OwnTable,
    choices: Choices,
    real: npt.NDArray[np.bool_] | None,
    steps: Sequence[Step],
) -> None:
    """Refuse a row or column whose result is no finite number."""
    batch = choices.kind == "batch"
    spread = next(s for s in steps if s.name in ("variance", "mean_square"))

    def place(index: int) -> str:
        column = table.number_columns[index].place
        return f"{table.source}, {column if batch else f'line {table.lines[index]}'}"

    flat = spread.values.ravel()
    if not np.isfinite(flat).all():
        index = int(np.argmin(np.isfinite(flat)))
        raise TableError(
            f"{place(index)}: the {spread.words} is too large for a 64-bit float; divide the numbers by a "
            "constant, which changes no normalized value"
        )
    if choices.eps == 0:
        x = table.numbers if not batch or real is None else table.numbers[real]
        # Rounding can leave a tiny variance where all values are equal: 0/0 all the same.
        equal = np.ptp(x, axis=0 if batch else 1) == 0 if choices.kind != "rms" else flat == 0
        undefined = equal | (flat == 0)
        if undefined.any():
            raise TableError(
                f"{place(int(np.argmax(undefined)))}: the {spread.words} is 0 and eps is 0, so the "
                "result would be 0/0; give --eps 1e-5"
            )
    output = steps[-1].values
    if not np.isfinite(output).all():
        row, column = np.argwhere(~np.isfinite(output))[0]
        raise TableError(
            f"{table.source}, line {table.lines[row]}, {table.number_columns[column].place}: the output "
            "is too large for a 64-bit float; give smaller weights"
        )
