"""Exercise 3: layer norm of the 5×3 table, and its two rows that become one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ....functional import layer_norm
from ...lecture.norm_formula import LAYER, normalize
from ..answers import Floats, RefusalError, as_numbers, call, first_not_finite, kind_of, something
from ..data import LECTURE, RANDOM, factors, outputs_table, spread
from ..exercise import Answer, Asked, Case, Check, Exercise, Slip, Verdict
from ..values import CLOSE, listed, value_check


def _cases(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case(LECTURE, (outputs_table(), factors(generator, 3), factors(generator, 3), 1e-5)),
        Case(
            "random data with a large eps", (spread(generator, 7, 5), factors(generator, 5), factors(generator, 5), 0.5)
        ),
    )


def _layer(z: Floats, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return layer_norm(Tensor(z), z.shape[1], gamma, beta, eps).numpy()


def _norm(z: Floats, eps: float = 0.0, axis: int = 1, ddof: int = 0) -> Floats:
    return np.asarray((z - z.mean(axis, keepdims=True)) / np.sqrt(z.var(axis, ddof=ddof, keepdims=True) + eps))


_ROW = "layer norm takes μ and σ along each row (axis 1); down a column it would be batch norm"
_EPS = "the formula is (x − μ)/√(σ² + ε): ε is added to the variance, under the root"
_POPULATION = "layer norm uses the population variance: divide by the number of features"

_LAYER_SLIPS = (
    Slip("columns", "normalized down the columns: that is batch norm", _ROW, lambda z, g, b, e: _norm(z, e, 0) * g + b),
    Slip("n-minus-one", "the variance is divided by n − 1 in place of n", _POPULATION,
         lambda z, g, b, e: _norm(z, e, ddof=1) * g + b),
    Slip("eps-outside", "ε stands outside the root", _EPS,
         lambda z, g, b, e: (z - z.mean(1, keepdims=True)) / (z.std(1, keepdims=True) + e) * g + b),
    Slip("eps-missing", "ε is missing", _EPS, lambda z, g, b, e: _norm(z) * g + b),
    Slip("not-centered", "the mean is not subtracted", "(x − μ)/√(σ² + ε): subtract μ first",
         lambda z, g, b, e: z / np.sqrt(z.var(1, keepdims=True) + e) * g + b),
    Slip("swapped", "γ and β are exchanged", "y = γ x̂ + β", lambda z, g, b, e: _norm(z, e) * b + g),
    Slip("gamma-and-beta-missing", "γ and β are missing", "y = γ x̂ + β", lambda z, g, b, e: _norm(z, e)),
)  # fmt: skip


def _twin_cases(generator: np.random.Generator) -> Sequence[Case]:
    table = generator.integers(-9, 10, (9, 4)).astype(np.float64)
    table[3] = table[2]
    table[5] = 3 * table[1] + 2
    table[7] = table[4] - 5
    table[8] = -2 * table[0]  # the opposite output, no twin
    return (Case(LECTURE, (outputs_table(),)), Case(RANDOM, (table,)), Case("a table without twins", (table[:5],)))


def _equal_rows(rows: Floats) -> list[tuple[int, int]]:
    return [(i, j) for i, j in combinations(range(len(rows)), 2) if np.allclose(rows[i], rows[j], rtol=0, atol=CLOSE)]


def _twins(z: Floats) -> list[tuple[int, int]]:
    return _equal_rows(normalize(Tensor(z), LAYER).normalized.numpy())


_TWIN_SLIPS = (
    Slip("not-normalized", "finds only rows that are equal before layer norm (or after batch norm)",
         "normalize each row by its own μ and σ first", _equal_rows),
    Slip("centered-only", "compares the rows without their mean, but not divided by σ",
         "rows that differ by a factor become equal too", lambda z: _equal_rows(z - z.mean(1, keepdims=True))),
    Slip("one-based", "counts the rows from 1", "row numbers begin at 0, as in z[0]",
         lambda z: [(i + 1, j + 1) for i, j in _twins(z)]),
    Slip("both-orders", "lists each pair twice", "list a pair (i, j) once, with i < j",
         lambda z: sorted([*_twins(z), *((j, i) for i, j in _twins(z))])),
    Slip("opposite", "takes opposite rows for equal ones", "−x̂ is another output than x̂",
         lambda z: sorted({*_twins(z), *_opposite(z)})),
)  # fmt: skip


def _opposite(z: Floats) -> list[tuple[int, int]]:
    rows = _norm(z)
    return [(i, j) for i, j in combinations(range(len(rows)), 2) if np.allclose(rows[i], -rows[j], rtol=0, atol=CLOSE)]


def _grade_twins(answer: Answer, seed: int) -> tuple[Verdict, ...]:
    tried = []
    for case in _twin_cases(np.random.default_rng(seed)):
        try:
            yours = _as_pairs(call(answer, case.arguments))
        except RefusalError as refusal:
            return (Verdict(_TWINS, False, str(refusal), code=refusal.code),)
        tried.append((case.name, case.arguments[0], yours))
    wrong = [(name, z, yours) for name, z, yours in tried if yours != _twins(z)]
    if not wrong:
        return (Verdict(_TWINS, True, f"right on {listed([name for name, _, _ in tried])}"),)
    name, z, yours = wrong[0]
    seen = f"{yours or 'no pairs'} where {_twins(z) or 'no pairs'} belong, on {name}"
    for slip in _TWIN_SLIPS:
        if all(yours == slip.answer(z) for _, z, yours in tried):
            return (Verdict(_TWINS, False, slip.name, (seen, slip.why), slip.code),)
    return (Verdict(_TWINS, False, seen),)


def _as_pairs(result: Any) -> list[tuple[int, int]]:
    something(result)
    try:
        return sorted((int(i), int(j)) for i, j in result)
    except (TypeError, ValueError):
        raise RefusalError(f"returns {kind_of(result)} that is no list of pairs (i, j)", "wrong-type") from None


def _grade_other(answer: Answer, seed: int) -> tuple[Verdict, ...]:
    generator = np.random.default_rng(seed)
    for name, row in ((LECTURE, outputs_table()[0]), (RANDOM, spread(generator, 5))):
        try:
            other = as_numbers(call(answer, (row,)))
        except RefusalError as refusal:
            return (Verdict(_OTHER, False, str(refusal), code=refusal.code),)
        fault = _fault_of(row, other)
        if fault is not None:
            return (Verdict(_OTHER, False, fault[1], (f"seen on {name}: {row} gives {other}", _AFFINE), fault[0]),)
    return (Verdict(_OTHER, True, f"right on {LECTURE} and {RANDOM}"),)


_TWINS = "rows that become one"
_OTHER = "another row, same output"
_AFFINE = "(x − μ)/σ forgets a shift of the whole row and a positive factor"


def _fault_of(row: Floats, other: Floats) -> tuple[str, str] | None:
    """Return code and name of what keeps ``other`` from being a different row with the same output."""
    if other.shape != row.shape:
        return "wrong-shape", f"must have the shape {row.shape}; yours has {other.shape}"
    bad = first_not_finite(other)
    if bad is not None:
        return "not-finite", f"is not finite: {bad}"
    if np.allclose(row, other, rtol=0, atol=1e-6 * float(np.max(np.abs(row)))):
        return "same-row", "this is the same row: return a different one"
    if np.ptp(other) == 0:
        return "constant-row", "a constant row has σ = 0, and its output is 0/0"
    (mine, right) = (normalize(Tensor(x[None]), LAYER).normalized.numpy() for x in (other, row))
    if np.allclose(mine, -right, rtol=0, atol=CLOSE):
        return "opposite", "the output is the opposite: a negative factor turns it around"
    if not np.allclose(mine, right, rtol=0, atol=1e-6):
        return "other-output", "its layer norm is another one"
    return None


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
    asked=(
        Asked(
            "layer_norm(z, gamma, beta, eps)",
            """
Return γ (z − μ)/√(σ² + ε) + β with the statistics of each row.

Given:  z            array (rows, features)
        gamma, beta  arrays (features,)
        eps          a number
Return: array (rows, features)

>>> layer_norm(np.array([[1.0, 3.0]]), np.array([1.0, 2.0]), np.array([0.0, 10.0]), 3.0)
array([[-0.5, 11. ]])
""",
        ),
        Asked(
            "identical_rows(z)",
            """
Return the pairs of rows that have the same (z − μ)/σ, up to rounding (1e-9).

Given:  z  array (rows, features); no row is constant
Return: a list of pairs (i, j) of row numbers from 0, with i < j

>>> identical_rows(np.array([[0.0, 1.0, 5.0], [7.0, 7.0, 8.0], [7.0, 8.0, 12.0]]))
[(0, 2)]
""",
        ),
        Asked(
            "another_row(row)",
            """
Return a different row with the same (row − μ)/σ.

Given:  row  array (features,), not constant
Return: array (features,)

>>> other = another_row(np.array([7.0, 5.0, 4.0]))
>>> (other - other.mean()) / other.std()
array([ 1.33630621, -0.26726124, -1.06904497])
""",
        ),
    ),
    hints=(
        "z.mean(axis=1) has the shape (rows,) and does not line up with (rows, features); keepdims=True leaves "
        "(rows, 1), which does.",
        "For the pairs: normalize all rows, then compare each row i with each j > i by np.allclose(…, atol=1e-9).",
        "What does μ do when 10 is added to the whole row? And σ, when the row is doubled?",
    ),
    solution="""
def layer_norm(z, gamma, beta, eps):
    centered = z - z.mean(axis=1, keepdims=True)
    return gamma * centered / np.sqrt(z.var(axis=1, keepdims=True) + eps) + beta


def identical_rows(z):
    rows = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)
    pairs = [(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows))]
    return [(i, j) for i, j in pairs if np.allclose(rows[i], rows[j], rtol=0, atol=1e-9)]


def another_row(row):
    return 2 * row + 1
""",
    checks=(
        value_check("layer_norm", ("layer norm",), _cases, _layer, {"layer norm": _LAYER_SLIPS}),
        Check("identical_rows", (_TWINS,), _grade_twins),
        Check("another_row", (_OTHER,), _grade_other),
    ),
)
