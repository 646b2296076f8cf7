"""Exercise 3: layer norm of the 5×3 table, and its two rows that become one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ....functional import layer_norm
from ...lecture.norm_formula import BATCH, LAYER, x_hat
from ..cases import LECTURE, RANDOM, Case, Floats, outputs_table, random_table
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
from .batch_norm_table import EPS, layer_cases


def _layer(z: Floats, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return layer_norm(Tensor(z), z.shape[1], gamma, beta, eps).numpy()


def _eps_outside(z: Floats, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return np.asarray((z - z.mean(1, keepdims=True)) / (z.std(1, keepdims=True) + eps) * gamma + beta)


def _not_centered(z: Floats, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return np.asarray(z / np.sqrt(z.var(1, keepdims=True) + eps) * gamma + beta)


_ROW = "layer norm takes μ and σ along each row (axis 1); down a column it would be batch norm"
_COLUMNS = "normalized down the columns: that is batch norm"
_POPULATION = "layer norm uses the population variance: divide by the number of features"
_N_MINUS_ONE = "the variance is divided by n − 1 in place of n"
_AFFINE = "y = γ x̂ + β"

_LAYER_SLIPS = (
    Slip("columns", _COLUMNS, _ROW, lambda z, g, b, e: x_hat(z, BATCH, e) * g + b),
    Slip("n-minus-one", _N_MINUS_ONE, _POPULATION, lambda z, g, b, e: x_hat(z, LAYER, e, ddof=1) * g + b),
    Slip("eps-outside", "ε stands outside the root", EPS, _eps_outside),
    Slip("eps-missing", "ε is missing", EPS, lambda z, g, b, e: x_hat(z, LAYER) * g + b),
    Slip("not-centered", "the mean is not subtracted", "(x − μ)/√(σ² + ε): subtract μ first", _not_centered),
    Slip("swapped", "γ and β are exchanged", _AFFINE, lambda z, g, b, e: x_hat(z, LAYER, e) * b + g),
    Slip("gamma-and-beta-missing", "γ and β are missing", _AFFINE, lambda z, g, b, e: x_hat(z, LAYER, e)),
)

Pairs = list[tuple[int, int]]


def _tables(generator: np.random.Generator) -> Sequence[Case]:
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


EXERCISE = Exercise(
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
        value_check("layer_norm", layer_cases, _layer, {"layer norm": _LAYER_SLIPS}),
        choice_check("identical_rows", "rows that become one", _tables, _twins, _as_pairs, _seen_pairs, _TWIN_SLIPS),
        property_check("another_row", "another row, same output", _rows, _not_another, _about_another),
    ),
)
