"""Exercises 1 to 3: the statistics of columns, batch norm and layer norm of the lecture's table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ....functional import batch_norm, layer_norm
from ...lecture.norm_formula import BATCH, LAYER, normalize, x_hat
from ..cases import LECTURE, RANDOM, Case, Floats, gamma_and_beta, outputs_table, random_table
from ..checked_values import (
    CLOSE,
    RefusalError,
    Slip,
    as_numbers,
    choice_check,
    property_check,
    something,
    type_in_words,
    unfit,
    value_check,
)
from ..exercise_parts import Exercise


def _columns(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case(LECTURE, (outputs_table(),)),
        Case(RANDOM, (random_table(generator, 7, 5),)),
        Case("random data of two rows", (random_table(generator, 2, 3),)),
    )


def _statistics(table: Floats) -> tuple[Floats, ...]:
    steps = normalize(Tensor(table), BATCH)
    return tuple(t.numpy().ravel() for t in (steps.mean, steps.variance, steps.deviation))


def _mean_distance(z: Floats) -> Floats:
    return np.asarray(np.abs(z - z.mean(0)).mean(0))


_AXIS_0 = "batch norm goes down a column: the axis that disappears is axis 0, the rows"
_MEAN = "a mean is Σ x / n"
_SQUARES = "σ² = Σ (x − μ)²/n"
_ROOT = "square, take the mean, then the root"
_POPULATION_OF_ROWS = "the network normalizes with the population variance: divide by n, the number of rows"

_STATISTICS_SLIPS = {
    "mean": (
        Slip("rows", "the mean of each row, not of each column", _AXIS_0, lambda z: z.mean(1)),
        Slip("everything", "the mean of the whole table", _AXIS_0, np.mean),
        Slip("sum", "the sum: it is not divided by the number of rows", _MEAN, lambda z: z.sum(0)),
        Slip("wrong-n", "divided by the number of columns", _AXIS_0, lambda z: z.sum(0) / z.shape[1]),
        Slip("median", "the median, not the mean", _MEAN, lambda z: np.median(z, 0)),
    ),
    "variance": (
        Slip("n-minus-one", "divided by n − 1 in place of n", _POPULATION_OF_ROWS, lambda z: z.var(0, ddof=1)),
        Slip("rows", "the variance of each row, not of each column", _AXIS_0, lambda z: z.var(1)),
        Slip("root", "this is the deviation: one root too many", "σ² is the variance, σ its root", lambda z: z.std(0)),
        Slip("sum", "the sum of squares: it is not divided by n", _POPULATION_OF_ROWS, lambda z: z.var(0) * len(z)),
        Slip("not-centered", "the mean is not subtracted: the mean of x²", _SQUARES, lambda z: (z**2).mean(0)),
        Slip("absolute", "absolute distances from the mean where squares belong", _SQUARES, _mean_distance),
    ),
    "deviation": (
        Slip("n-minus-one", "divided by n − 1 in place of n", _POPULATION_OF_ROWS, lambda z: z.std(0, ddof=1)),
        Slip("rows", "the deviation of each row, not of each column", _AXIS_0, lambda z: z.std(1)),
        Slip("no-root", "this is the variance: the root is missing", "σ = √σ²", lambda z: z.var(0)),
        Slip("absolute", "the mean absolute distance, not the deviation", _ROOT, _mean_distance),
    ),
}

COLUMN_STATISTICS = Exercise(
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
    checks=(value_check("column_statistics", _columns, _statistics, _STATISTICS_SLIPS),),
)


def _tables(generator: np.random.Generator) -> Sequence[Case]:
    return Case(LECTURE, (outputs_table(),)), Case(RANDOM, (random_table(generator, 7, 5),))


def _layer_cases(generator: np.random.Generator) -> Sequence[Case]:
    """Return tables with γ, β and ε."""
    return (
        Case(LECTURE, (outputs_table(), *gamma_and_beta(generator, 3), 1e-5)),
        # An eps of this size shows where it stands.
        Case("random data with a large eps", (random_table(generator, 7, 5), *gamma_and_beta(generator, 5), 0.5)),
    )


def _batch_norm(z: Floats, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return batch_norm(Tensor(z), weight=gamma, bias=beta, eps=eps).numpy()


_EPS = "the formula is (x − μ)/√(σ² + ε): ε is added to the variance, under the root"
_COLUMN = "batch norm takes μ and σ down each column (axis 0); along a row it would be layer norm"
_POPULATION_OF_BATCH = "batch norm uses the population variance of the batch"
_DEVIATION = "divide by σ = √σ²"
_N_MINUS_ONE = "the variance is divided by n − 1 in place of n"
_ALONG_ROWS = "normalized along the rows: that is layer norm"

_TABLE_SLIPS = (
    Slip("n-minus-one", _N_MINUS_ONE, _POPULATION_OF_BATCH, lambda z: x_hat(z, BATCH, ddof=1)),
    Slip("rows", _ALONG_ROWS, _COLUMN, lambda z: x_hat(z, LAYER)),
    Slip("variance", "divided by the variance: the root is missing", _DEVIATION, lambda z: (z - z.mean(0)) / z.var(0)),
    Slip("not-divided", "the division by σ is missing", "(x − μ)/σ", lambda z: z - z.mean(0)),
    Slip("not-centered", "the mean is not subtracted", "(x − μ)/σ: subtract μ first", lambda z: z / z.std(0)),
    Slip("everything", "one mean and deviation for the whole table", _COLUMN, lambda z: (z - z.mean()) / z.std()),
    Slip("sign", "the sign is flipped: μ − x", "(x − μ)/σ is positive above the mean", lambda z: -x_hat(z, BATCH)),
)

_AFFINE = "y = γ x̂ + β"
_EXCHANGED = "y = γ x̂ + β: γ multiplies, β is added"
_BATCH_NORM_SLIPS = (
    Slip("eps-outside", "ε stands outside the root", _EPS, lambda z, g, b, e: (z - z.mean(0)) / (z.std(0) + e) * g + b),
    Slip("eps-missing", "ε is missing", _EPS, lambda z, g, b, e: x_hat(z, BATCH) * g + b),
    Slip("rows", _ALONG_ROWS, _COLUMN, lambda z, g, b, e: x_hat(z, LAYER, e) * g + b),
    Slip("n-minus-one", _N_MINUS_ONE, _POPULATION_OF_BATCH, lambda z, g, b, e: x_hat(z, BATCH, e, ddof=1) * g + b),
    Slip("beta-first", "β is added before γ multiplies", _AFFINE, lambda z, g, b, e: (x_hat(z, BATCH, e) + b) * g),
    Slip("swapped", "γ and β are exchanged", _EXCHANGED, lambda z, g, b, e: x_hat(z, BATCH, e) * b + g),
    Slip("beta-missing", "β is missing", _AFFINE, lambda z, g, b, e: x_hat(z, BATCH, e) * g),
    Slip("gamma-missing", "γ is missing", _AFFINE, lambda z, g, b, e: x_hat(z, BATCH, e) + b),
    Slip("gamma-and-beta-missing", "γ and β are missing", _AFFINE, lambda z, g, b, e: x_hat(z, BATCH, e)),
)

BATCH_NORM_TABLE = Exercise(
    number=2,
    slug="batch-norm-table",
    title="Batch norm of the 5×3 table",
    statement="""
The lecture's table z has 5 rows (the batch) and 3 columns (the neurons):

    7 5 4
    2 3 4
    1 2 3
    7 5 6
    3 3 4

Batch norm gives each column mean 0 and deviation 1, then scales it by γ and shifts it by β,
one pair a column:

    x̂ = (x − μ)/√(σ² + ε)        y = γ x̂ + β

μ and σ² are those of the column. ε keeps the root away from 0.
""",
    functions='''
def standardize_columns(z):
    """
    Return (z − μ)/σ with the statistics of each column: no γ, no β, no ε.

    Given:  z  array (rows, columns)
    Return: array (rows, columns)

    >>> standardize_columns(np.array([[1.0], [3.0]]))
    array([[-1.],
           [ 1.]])
    """
    return (z - z.mean(axis=0)) / z.std(axis=0)


def batch_norm(z, gamma, beta, eps):
    """
    Return γ (z − μ)/√(σ² + ε) + β with the statistics of each column.

    Given:  z            array (rows, columns)
            gamma, beta  arrays (columns,)
            eps          a number
    Return: array (rows, columns)

    >>> batch_norm(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([10.0]), 3.0)
    array([[ 9.],
           [11.]])
    """
    x_hat = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + eps)
    return gamma * x_hat + beta
''',
    hints=(
        "Exercise 1 gives you μ and σ of each column, arrays (columns,). They line up with z by themselves.",
        "ε is added to the variance before the root is taken: np.sqrt(z.var(axis=0) + eps).",
        "γ multiplies the normalized value, and β is added last: gamma * x_hat + beta.",
    ),
    checks=(
        value_check("standardize_columns", _tables, lambda z: x_hat(z, BATCH), {"normalized table": _TABLE_SLIPS}),
        value_check("batch_norm", _layer_cases, _batch_norm, {"batch norm": _BATCH_NORM_SLIPS}),
    ),
)


def _layer_norm(z: Floats, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return layer_norm(Tensor(z), z.shape[1], gamma, beta, eps).numpy()


def _eps_outside(z: Floats, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return np.asarray((z - z.mean(1, keepdims=True)) / (z.std(1, keepdims=True) + eps) * gamma + beta)


def _not_centered(z: Floats, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return np.asarray(z / np.sqrt(z.var(1, keepdims=True) + eps) * gamma + beta)


_ROW = "layer norm takes μ and σ along each row (axis 1); down a column it would be batch norm"
_COLUMNS = "normalized down the columns: that is batch norm"
_POPULATION_OF_FEATURES = "layer norm uses the population variance: divide by the number of features"

_LAYER_NORM_SLIPS = (
    Slip("columns", _COLUMNS, _ROW, lambda z, g, b, e: x_hat(z, BATCH, e) * g + b),
    Slip("n-minus-one", _N_MINUS_ONE, _POPULATION_OF_FEATURES, lambda z, g, b, e: x_hat(z, LAYER, e, ddof=1) * g + b),
    Slip("eps-outside", "ε stands outside the root", _EPS, _eps_outside),
    Slip("eps-missing", "ε is missing", _EPS, lambda z, g, b, e: x_hat(z, LAYER) * g + b),
    Slip("not-centered", "the mean is not subtracted", "(x − μ)/√(σ² + ε): subtract μ first", _not_centered),
    Slip("swapped", "γ and β are exchanged", _AFFINE, lambda z, g, b, e: x_hat(z, LAYER, e) * b + g),
    Slip("gamma-and-beta-missing", "γ and β are missing", _AFFINE, lambda z, g, b, e: x_hat(z, LAYER, e)),
)

Pairs = list[tuple[int, int]]


def _with_twins(generator: np.random.Generator) -> Sequence[Case]:
    table = generator.integers(-9, 10, (9, 4)).astype(np.float64)
    table[3] = table[2]
    table[5] = 3 * table[1] + 2
    table[7] = table[4] - 5
    table[8] = -2 * table[0]  # the opposite output, no twin
    return Case(LECTURE, (outputs_table(),)), Case(RANDOM, (table,)), Case("a table without twins", (table[:5],))


def _equal_rows(rows: Floats, sign: int = 1) -> Pairs:
    pairs = combinations(range(len(rows)), 2)
    return [(i, j) for i, j in pairs if np.allclose(rows[i], sign * rows[j], rtol=0, atol=CLOSE)]


def _twins(z: Floats, sign: int = 1) -> Pairs:
    return _equal_rows(x_hat(z, LAYER), sign)


def _as_pairs(result: Any) -> Pairs:
    something(result)
    try:
        return sorted((int(i), int(j)) for i, j in result)
    except (TypeError, ValueError):
        raise RefusalError(f"returns {type_in_words(result)} that is no list of pairs (i, j)", "wrong-type") from None


def _seen_pairs(case: Case, yours: Pairs, right: Pairs) -> str:
    return f"{yours or 'no pairs'} where {right or 'no pairs'} belong, on {case.name}"


def _centered_twins(z: Floats) -> Pairs:
    return _equal_rows(z - z.mean(1, keepdims=True))


_ONLY_EQUAL = "finds only rows that are equal before layer norm (or after batch norm)"
_FIRST = "normalize each row by its own μ and σ first"
_FACTOR = "rows that differ by a factor become equal too"
_FROM_0 = "row numbers begin at 0, as in z[0]"
_ONCE = "list a pair (i, j) once, with i < j"
_SIGN = "−x̂ is another output than x̂"
_TWIN_SLIPS = (
    Slip("not-normalized", _ONLY_EQUAL, _FIRST, _equal_rows),
    Slip("centered-only", "compares the rows without their mean, but not divided by σ", _FACTOR, _centered_twins),
    Slip("one-based", "counts the rows from 1", _FROM_0, lambda z: [(i + 1, j + 1) for i, j in _twins(z)]),
    Slip("both-orders", "lists each pair twice", _ONCE, lambda z: sorted([*_twins(z), *(p[::-1] for p in _twins(z))])),
    Slip("opposite", "takes opposite rows for equal ones", _SIGN, lambda z: sorted({*_twins(z), *_twins(z, -1)})),
)


def _rows(generator: np.random.Generator) -> Sequence[Case]:
    return Case(LECTURE, (outputs_table()[0],)), Case(RANDOM, (random_table(generator, 5),))


def _not_another(result: Any, row: Floats) -> tuple[str, str] | None:
    """Return code and name of what keeps an answer from being a different row with the same output."""
    other = as_numbers(result)
    found = unfit(other, row.shape)
    if found is not None:
        return found
    if np.allclose(row, other, rtol=0, atol=1e-6 * float(np.max(np.abs(row)))):
        return "same-row", "this is the same row: return a different one"
    if np.ptp(other) == 0:
        return "constant-row", "a constant row has σ = 0, and its output is 0/0"
    mine, right = x_hat(np.array([other, row]), LAYER)
    if np.allclose(mine, -right, rtol=0, atol=CLOSE):
        return "opposite", "the output is the opposite: a negative factor turns it around"
    if not np.allclose(mine, right, rtol=0, atol=1e-6):
        return "other-output", "its layer norm is another one"
    return None


def _about_another(case: Case, result: Any) -> tuple[str, ...]:
    seen = f"seen on {case.name}: {case.arguments[0]} gives {as_numbers(result)}"
    return seen, "(x − μ)/σ forgets a shift of the whole row and a positive factor"


LAYER_NORM_TABLE = Exercise(
    number=3,
    slug="layer-norm-table",
    title="Layer norm, and two rows that become one",
    statement="""
Layer norm is batch norm turned by 90 degrees: μ and σ² are those of a row, over its
features. γ and β still belong to the columns.

    x̂ = (x − μ)/√(σ² + ε)        y = γ x̂ + β

In the lecture's table the rows (2, 3, 4) and (1, 2, 3) differ, and yet layer norm gives
both the same output. The exercise is to write layer norm, to find such rows, and to see why
they exist.
""",
    functions='''
def layer_norm(z, gamma, beta, eps):
    """
    Return γ (z − μ)/√(σ² + ε) + β with the statistics of each row.

    Given:  z            array (rows, features)
            gamma, beta  arrays (features,)
            eps          a number
    Return: array (rows, features)

    >>> layer_norm(np.array([[1.0, 3.0]]), np.array([1.0, 2.0]), np.array([0.0, 10.0]), 3.0)
    array([[-0.5, 11. ]])
    """
    centered = z - z.mean(axis=1, keepdims=True)
    return gamma * centered / np.sqrt(z.var(axis=1, keepdims=True) + eps) + beta


def identical_rows(z):
    """
    Return the pairs of rows that have the same (z − μ)/σ, up to rounding (1e-9).

    Given:  z  array (rows, features); no row is constant
    Return: a list of pairs (i, j) of row numbers from 0, with i < j

    >>> identical_rows(np.array([[0.0, 1.0, 5.0], [7.0, 7.0, 8.0], [7.0, 8.0, 12.0]]))
    [(0, 2)]
    """
    rows = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)
    pairs = [(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows))]
    return [(i, j) for i, j in pairs if np.allclose(rows[i], rows[j], rtol=0, atol=1e-9)]


def another_row(row):
    """
    Return a different row with the same (row − μ)/σ.

    Given:  row  array (features,), not constant
    Return: array (features,)

    >>> other = another_row(np.array([7.0, 5.0, 4.0]))
    >>> (other - other.mean()) / other.std()
    array([ 1.33630621, -0.26726124, -1.06904497])
    """
    return 2 * row + 1
''',
    hints=(
        "z.mean(axis=1) has the shape (rows,) and does not line up with (rows, features); keepdims=True leaves "
        "(rows, 1), which does.",
        "For the pairs: normalize all rows, then compare each row i with each j > i by np.allclose(…, atol=1e-9).",
        "What does μ do when 10 is added to the whole row? And σ, when the row is doubled?",
    ),
    checks=(
        value_check("layer_norm", _layer_cases, _layer_norm, {"layer norm": _LAYER_NORM_SLIPS}),
        choice_check(
            "identical_rows", "rows that become one", _with_twins, _twins, _as_pairs, _seen_pairs, _TWIN_SLIPS
        ),
        property_check("another_row", "another row, same output", _rows, _not_another, _about_another),
    ),
)
