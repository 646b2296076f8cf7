"""Exercise 2: batch norm of the 5×3 table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....engine.tensor import Tensor
from ....functional import batch_norm
from ...lecture.norm_formula import BATCH, normalize
from ..answers import Floats
from ..data import LECTURE, RANDOM, factors, outputs_table, spread
from ..exercise import Asked, Case, Exercise, Slip
from ..values import value_check


def _standardize_cases(generator: np.random.Generator) -> Sequence[Case]:
    return (Case(LECTURE, (outputs_table(),)), Case(RANDOM, (spread(generator, 7, 5),)))


def _standardized(z: Floats) -> Floats:
    return normalize(Tensor(z), BATCH).normalized.numpy()


def _layer_cases(generator: np.random.Generator) -> Sequence[Case]:
    z = outputs_table()
    return (
        Case(LECTURE, (z, factors(generator, 3), factors(generator, 3), 1e-5)),
        # An eps of this size shows where it stands.
        Case(
            "random data with a large eps", (spread(generator, 7, 5), factors(generator, 5), factors(generator, 5), 0.5)
        ),
    )


def _layer(z: Floats, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return batch_norm(Tensor(z), weight=gamma, bias=beta, eps=eps).numpy()


def _norm(z: Floats, eps: float = 0.0, axis: int = 0, ddof: int = 0) -> Floats:
    return np.asarray((z - z.mean(axis, keepdims=True)) / np.sqrt(z.var(axis, ddof=ddof, keepdims=True) + eps))


_COLUMN = "batch norm takes μ and σ down each column (axis 0); along a row it would be layer norm"
_EPS = "the formula is (x − μ)/√(σ² + ε): ε is added to the variance, under the root"

_STANDARDIZE_SLIPS = (
    Slip(
        "n-minus-one",
        "the variance is divided by n − 1 in place of n",
        "batch norm uses the population variance of the batch",
        lambda z: _norm(z, ddof=1),
    ),
    Slip("rows", "normalized along the rows: that is layer norm", _COLUMN, lambda z: _norm(z, axis=1)),
    Slip(
        "variance",
        "divided by the variance: the root is missing",
        "divide by σ = √σ²",
        lambda z: (z - z.mean(0)) / z.var(0),
    ),
    Slip("not-divided", "the division by σ is missing", "(x − μ)/σ", lambda z: z - z.mean(0)),
    Slip("not-centered", "the mean is not subtracted", "(x − μ)/σ: subtract μ first", lambda z: z / z.std(0)),
    Slip("everything", "one mean and deviation for the whole table", _COLUMN, lambda z: (z - z.mean()) / z.std()),
    Slip("sign", "the sign is flipped: μ − x", "(x − μ)/σ is positive above the mean", lambda z: -_norm(z)),
)
_LAYER_SLIPS = (
    Slip("eps-outside", "ε stands outside the root", _EPS, lambda z, g, b, e: (z - z.mean(0)) / (z.std(0) + e) * g + b),
    Slip("eps-missing", "ε is missing", _EPS, lambda z, g, b, e: _norm(z) * g + b),
    Slip(
        "rows", "normalized along the rows: that is layer norm", _COLUMN, lambda z, g, b, e: _norm(z, e, axis=1) * g + b
    ),
    Slip(
        "n-minus-one",
        "the variance is divided by n − 1 in place of n",
        "batch norm uses the population variance of the batch",
        lambda z, g, b, e: _norm(z, e, ddof=1) * g + b,
    ),
    Slip("beta-first", "β is added before γ multiplies", "y = γ x̂ + β", lambda z, g, b, e: (_norm(z, e) + b) * g),
    Slip(
        "swapped",
        "γ and β are exchanged",
        "y = γ x̂ + β: γ multiplies, β is added",
        lambda z, g, b, e: _norm(z, e) * b + g,
    ),
    Slip("beta-missing", "β is missing", "y = γ x̂ + β", lambda z, g, b, e: _norm(z, e) * g),
    Slip("gamma-missing", "γ is missing", "y = γ x̂ + β", lambda z, g, b, e: _norm(z, e) + b),
    Slip("gamma-and-beta-missing", "γ and β are missing", "y = γ x̂ + β", lambda z, g, b, e: _norm(z, e)),
)

EXERCISE = Exercise(
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
    asked=(
        Asked(
            "standardize_columns(z)",
            """
Return (z − μ)/σ with the statistics of each column: no γ, no β, no ε.

Given:  z  array (rows, columns)
Return: array (rows, columns)

>>> standardize_columns(np.array([[1.0], [3.0]]))
array([[-1.],
       [ 1.]])
""",
        ),
        Asked(
            "batch_norm(z, gamma, beta, eps)",
            """
Return γ (z − μ)/√(σ² + ε) + β with the statistics of each column.

Given:  z            array (rows, columns)
        gamma, beta  arrays (columns,)
        eps          a number
Return: array (rows, columns)

>>> batch_norm(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([10.0]), 3.0)
array([[ 9.],
       [11.]])
""",
        ),
    ),
    hints=(
        "Exercise 1 gives you μ and σ of each column, arrays (columns,). They line up with z by themselves.",
        "ε is added to the variance before the root is taken: np.sqrt(z.var(axis=0) + eps).",
        "γ multiplies the normalized value, and β is added last: gamma * x_hat + beta.",
    ),
    solution="""
def standardize_columns(z):
    return (z - z.mean(axis=0)) / z.std(axis=0)


def batch_norm(z, gamma, beta, eps):
    x_hat = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + eps)
    return gamma * x_hat + beta
""",
    checks=(
        value_check(
            "standardize_columns",
            ("normalized table",),
            _standardize_cases,
            _standardized,
            {"normalized table": _STANDARDIZE_SLIPS},
        ),
        value_check("batch_norm", ("batch norm",), _layer_cases, _layer, {"batch norm": _LAYER_SLIPS}),
    ),
)
