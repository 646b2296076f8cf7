"""The three normalizations of a table, one step after the other, and the gradient of one output entry.

:func:`compute_steps` composes batch, layer or root-mean-square normalization from Tensor operations, so
that every intermediate can be shown, and asks the tape for the gradient. For ``ddof=0`` the output is
that of ``functional.batch_norm``, ``layer_norm`` and ``rms_norm``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ...engine.tensor import Tensor
from ...errors import TableError
from ...ops.elementwise import where
from ...transforms import gradients
from .choices import Choices
from .progress import Report, silent
from .table import OwnTable

Floats: TypeAlias = npt.NDArray[np.float64]
NamedTensor: TypeAlias = tuple[str, str, Tensor]
"""A step's name, formula and result."""


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
) -> list[NamedTensor]:
    """Return every step."""
    masked = real if choices.kind == "batch" else None
    if choices.kind == "rms":
        mean_square = (x * x).mean(axis=choices.axis, keepdims=True)
        before = [("mean_square", "mean of x² over each row", mean_square)]
        top, under = x, mean_square
    else:
        before = _centered_and_variance(x, choices, masked)
        top, under = before[1][2], before[2][2]
    normalized = top / (under + choices.eps).sqrt()
    names = ("x", "mean square") if choices.kind == "rms" else ("centered", "variance")
    root = f"√({names[1]} + {choices.eps:g})" if choices.eps else f"√({names[1]})"
    output = normalized if weight is None else normalized * weight
    if bias is not None:
        output = _real_only(output + bias, masked)  # the bias would leave a pad row other than 0
    formula = "normalized" + (" · weight" if weight is not None else "") + (" + bias" if bias is not None else "")
    return [
        ("x", "the table", x),
        *before,
        ("normalized", f"{names[0]} / {root}", normalized),
        ("output", formula, output),
    ]


def _centered_and_variance(x: Tensor, choices: Choices, real: npt.NDArray[np.bool_] | None) -> list[NamedTensor]:
    """Return the mean, the centered values and the variance, over the real rows if any are pads."""
    axis = choices.axis
    count = x.shape[axis] if real is None else int(real.sum())
    mean = _real_only(x, real).sum(axis=axis, keepdims=True) / count
    centered = _real_only(x - mean, real)
    variance = (centered * centered).sum(axis=axis, keepdims=True) / (count - choices.ddof)
    extent = f"over each {'column' if axis == 0 else 'row'}{'' if real is None else ' of real rows'}"
    divisor = "n" if choices.ddof == 0 else f"(n − {choices.ddof})"
    return [
        ("mean", f"Σ x / n {extent}", mean),
        ("centered", "x − mean", centered),
        ("variance", f"Σ centered² / {divisor} {extent}", variance),
    ]


def _real_only(values: Tensor, real: npt.NDArray[np.bool_] | None) -> Tensor:
    """Return the values with 0 in pad rows."""
    return values if real is None else where(real[:, None], values, 0.0)


def _refuse_undefined(
    table: OwnTable,
    choices: Choices,
    real: npt.NDArray[np.bool_] | None,
    steps: Sequence[Step],
) -> None:
    """Refuse a table whose output is not all finite numbers."""
    spread = next(s for s in steps if s.name in ("variance", "mean_square"))
    flat = spread.values.ravel()
    if not np.isfinite(flat).all():
        raise TableError(
            f"{_place(table, choices, int(np.argmin(np.isfinite(flat))))}: the {spread.words} is too large "
            "for a 64-bit float; divide the numbers by a constant, which changes no normalized value"
        )
    if choices.eps == 0:
        undefined = (flat == 0) | _is_constant(table, choices, real)
        if undefined.any():
            raise TableError(
                f"{_place(table, choices, int(np.argmax(undefined)))}: the {spread.words} is 0 and eps is 0, "
                "so the result would be 0/0; give --eps 1e-5"
            )
    output = steps[-1].values
    if not np.isfinite(output).all():
        row, column = np.argwhere(~np.isfinite(output))[0]
        raise TableError(
            f"{table.source}, line {table.lines[row]}, {table.number_columns[column].place}: the output is "
            "too large for a 64-bit float; give smaller weights"
        )


def _is_constant(
    table: OwnTable, choices: Choices, real: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.bool_] | np.bool_:
    """Return for each row or column whether its numbers, less their mean, are all 0.

    Their computed variance may still not be 0: the mean of 0.1, 0.1, 0.1 is rounded.
    """
    if choices.kind == "rms":
        return np.False_
    x = table.numbers if choices.kind == "layer" or real is None else table.numbers[real]
    largest, smallest = x.max(axis=choices.axis), x.min(axis=choices.axis)
    constant: npt.NDArray[np.bool_] = largest == smallest
    return constant


def _place(table: OwnTable, choices: Choices, index: int) -> str:
    """Return how to point at a column, in batch norm, or at a row."""
    if choices.kind == "batch":
        return f"{table.source}, {table.number_columns[index].place}"
    return f"{table.source}, line {table.lines[index]}"
