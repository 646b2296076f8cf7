"""Exercise 2: batch norm of the 5×3 table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....engine.tensor import Tensor
from ....functional import batch_norm
from ...lecture.norm_formula import BATCH, LAYER, x_hat
from ..cases import LECTURE, RANDOM, Case, Floats, gamma_and_beta, outputs_table, random_table
from ..checked_values import Slip, value_check
from ..exercise_parts import Exercise


def _tables(generator: np.random.Generator) -> Sequence[Case]:
    return Case(LECTURE, (outputs_table(),)), Case(RANDOM, (random_table(generator, 7, 5),))


def layer_cases(generator: np.random.Generator) -> Sequence[Case]:
    """Return tables with γ, β and ε."""
    return (
        Case(LECTURE, (outputs_table(), *gamma_and_beta(generator, 3), 1e-5)),
        # An eps of this size shows where it stands.
        Case("random data with a large eps", (random_table(generator, 7, 5), *gamma_and_beta(generator, 5), 0.5)),
    )


def _layer(z: Floats, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return batch_norm(Tensor(z), weight=gamma, bias=beta, eps=eps).numpy()


EPS = "the formula is (x − μ)/√(σ² + ε): ε is added to the variance, under the root"
_COLUMN = "batch norm takes μ and σ down each column (axis 0); along a row it would be layer norm"
_POPULATION = "batch norm uses the population variance of the batch"
_DEVIATION = "divide by σ = √σ²"
_N_MINUS_ONE = "the variance is divided by n − 1 in place of n"
_ROWS = "normalized along the rows: that is layer norm"

_TABLE_SLIPS = (
    Slip("n-minus-one", _N_MINUS_ONE, _POPULATION, lambda z: x_hat(z, BATCH, ddof=1)),
    Slip("rows", _ROWS, _COLUMN, lambda z: x_hat(z, LAYER)),
    Slip("variance", "divided by the variance: the root is missing", _DEVIATION, lambda z: (z - z.mean(0)) / z.var(0)),
    Slip("not-divided", "the division by σ is missing", "(x − μ)/σ", lambda z: z - z.mean(0)),
    Slip("not-centered", "the mean is not subtracted", "(x − μ)/σ: subtract μ first", lambda z: z / z.std(0)),
    Slip("everything", "one mean and deviation for the whole table", _COLUMN, lambda z: (z - z.mean()) / z.std()),
    Slip("sign", "the sign is flipped: μ − x", "(x − μ)/σ is positive above the mean", lambda z: -x_hat(z, BATCH)),
)

_AFFINE = "y = γ x̂ + β"
_EXCHANGED = "y = γ x̂ + β: γ multiplies, β is added"
_LAYER_SLIPS = (
    Slip("eps-outside", "ε stands outside the root", EPS, lambda z, g, b, e: (z - z.mean(0)) / (z.std(0) + e) * g + b),
    Slip("eps-missing", "ε is missing", EPS, lambda z, g, b, e: x_hat(z, BATCH) * g + b),
    Slip("rows", _ROWS, _COLUMN, lambda z, g, b, e: x_hat(z, LAYER, e) * g + b),
    Slip("n-minus-one", _N_MINUS_ONE, _POPULATION, lambda z, g, b, e: x_hat(z, BATCH, e, ddof=1) * g + b),
    Slip("beta-first", "β is added before γ multiplies", _AFFINE, lambda z, g, b, e: (x_hat(z, BATCH, e) + b) * g),
    Slip("swapped", "γ and β are exchanged", _EXCHANGED, lambda z, g, b, e: x_hat(z, BATCH, e) * b + g),
    Slip("beta-missing", "β is missing", _AFFINE, lambda z, g, b, e: x_hat(z, BATCH, e) * g),
    Slip("gamma-missing", "γ is missing", _AFFINE, lambda z, g, b, e: x_hat(z, BATCH, e) + b),
    Slip("gamma-and-beta-missing", "γ and β are missing", _AFFINE, lambda z, g, b, e: x_hat(z, BATCH, e)),
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
        value_check("batch_norm", layer_cases, _layer, {"batch norm": _LAYER_SLIPS}),
    ),
)
