"""Exercise 1: mean, variance and deviation of each column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....engine.tensor import Tensor
from ...lecture.norm_formula import BATCH, normalize
from ..cases import LECTURE, RANDOM, Case, Floats, outputs_table, random_table
from ..checked_values import Slip, value_check
from ..exercise_parts import Exercise


def _cases(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case(LECTURE, (outputs_table(),)),
        Case(RANDOM, (random_table(generator, 7, 5),)),
        Case("random data of two rows", (random_table(generator, 2, 3),)),
    )


def _expected(table: Floats) -> tuple[Floats, ...]:
    steps = normalize(Tensor(table), BATCH)
    return tuple(t.numpy().ravel() for t in (steps.mean, steps.variance, steps.deviation))


def _mean_distance(z: Floats) -> Floats:
    return np.asarray(np.abs(z - z.mean(0)).mean(0))


_ROWS = "batch norm goes down a column: the axis that disappears is axis 0, the rows"
_MEAN = "a mean is Σ x / n"
_SQUARES = "σ² = Σ (x − μ)²/n"
_ROOT = "square, take the mean, then the root"
_POPULATION = "the network normalizes with the population variance: divide by n, the number of rows"

_SLIPS = {
    "mean": (
        Slip("rows", "the mean of each row, not of each column", _ROWS, lambda z: z.mean(1)),
        Slip("everything", "the mean of the whole table", _ROWS, np.mean),
        Slip("sum", "the sum: it is not divided by the number of rows", _MEAN, lambda z: z.sum(0)),
        Slip("wrong-n", "divided by the number of columns", _ROWS, lambda z: z.sum(0) / z.shape[1]),
        Slip("median", "the median, not the mean", _MEAN, lambda z: np.median(z, 0)),
    ),
    "variance": (
        Slip("n-minus-one", "divided by n − 1 in place of n", _POPULATION, lambda z: z.var(0, ddof=1)),
        Slip("rows", "the variance of each row, not of each column", _ROWS, lambda z: z.var(1)),
        Slip("root", "this is the deviation: one root too many", "σ² is the variance, σ its root", lambda z: z.std(0)),
        Slip("sum", "the sum of squares: it is not divided by n", _POPULATION, lambda z: z.var(0) * len(z)),
        Slip("not-centered", "the mean is not subtracted: the mean of x²", _SQUARES, lambda z: (z**2).mean(0)),
        Slip("absolute", "absolute distances from the mean where squares belong", _SQUARES, _mean_distance),
    ),
    "deviation": (
        Slip("n-minus-one", "divided by n − 1 in place of n", _POPULATION, lambda z: z.std(0, ddof=1)),
        Slip("rows", "the deviation of each row, not of each column", _ROWS, lambda z: z.std(1)),
        Slip("no-root", "this is the variance: the root is missing", "σ = √σ²", lambda z: z.var(0)),
        Slip("absolute", "the mean absolute distance, not the deviation", _ROOT, _mean_distance),
    ),
}

EXERCISE = Exercise(
    number=1,
    slug="column-statistics",
    title="Statistics of a column",
    statement="""
Batch norm begins with three numbers for each column of a table: the mean μ, the variance σ²
and the deviation σ.

    μ = Σ x / n        σ² = Σ (x − μ)² / n        σ = √σ²

The sums run down a column over its n rows. Networks divide by n, not by n − 1.
""",
    functions='''
def column_statistics(table):
    """
    Return mean, variance and deviation of each column.

    Given:  table  array (rows, columns)
    Return: three arrays (columns,): mean, variance, deviation

    >>> column_statistics(np.array([[1.0, 10.0], [3.0, 10.0]]))
    (array([ 2., 10.]), array([1., 0.]), array([1., 0.]))
    """
    mean = table.mean(axis=0)
    variance = ((table - mean) ** 2).mean(axis=0)
    return mean, variance, np.sqrt(variance)
''',
    hints=(
        "table.mean(axis=0) makes the rows disappear and leaves one number for each column.",
        "Subtract the mean from the table: NumPy lines up (rows, columns) − (columns,) by the last axis. Square, "
        "and take the mean of that down the columns again.",
        "variance = ((table - mean) ** 2).mean(axis=0), and the deviation is its np.sqrt. (table.var(axis=0) is "
        "the same; its ddof=0 means: divide by n.)",
    ),
    checks=(value_check("column_statistics", _cases, _expected, _SLIPS),),
)
