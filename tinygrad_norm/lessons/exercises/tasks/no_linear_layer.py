"""Exercise 5: least squares proves that no linear layer gives the notes' table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...lecture import exact_arithmetic as exact
from ...lecture.linear_layer import with_constant
from ..cases import LECTURE, RANDOM, Case, Floats, features_table, outputs_table
from ..checked_values import CLOSE, RefusalError, Slip, as_numbers, property_check, unfit, value_check
from ..exercise_parts import Exercise


def _features(generator: np.random.Generator) -> Floats:
    """Return whole numbers ``(7, 2)`` that determine a weight and a bias, whatever is drawn."""
    corner = np.array([[0, 0], [1, 0], [0, 1]])
    return np.concatenate([corner, generator.integers(-6, 7, (4, 2))]).astype(np.float64)


def _cases(generator: np.random.Generator) -> Sequence[Case]:
    f = _features(generator)
    z = generator.integers(-9, 10, (7, 3)).astype(np.float64)
    return Case(LECTURE, (features_table(), outputs_table())), Case(RANDOM, (f, z))


def _with_linear(generator: np.random.Generator) -> Sequence[Case]:
    f = _features(generator)
    weight, bias = generator.integers(1, 5, (2, 3)), generator.integers(-4, 5, 3)
    return *_cases(generator), Case("a table that a linear layer does give", (f, f @ weight + bias))


def _fits(f: Floats, z: Floats) -> list[exact.LeastSquares]:
    """Return the exact least squares of each neuron, in fractions."""
    rows = with_constant(f.tolist())
    return [exact.least_squares(rows, exact.rationals(column)) for column in z.T.tolist()]


def _best(f: Floats, z: Floats) -> tuple[Floats, Floats]:
    coefficients = np.array([[float(c) for c in fit.coefficients] for fit in _fits(f, z)])
    return coefficients[:, :-1].T, coefficients[:, -1]


def _r_squared(f: Floats, z: Floats) -> Floats:
    return np.array([float(fit.r_squared) for fit in _fits(f, z)])


def _solved(f: Floats, z: Floats, rows: int | None = None) -> Floats:
    """Return weight and bias one below the other, fitted to the first rows."""
    return np.asarray(np.linalg.lstsq(np.c_[f, np.ones(len(f))][:rows], z[:rows], rcond=None)[0])


def _through_origin(f: Floats, z: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(f, z, rcond=None)[0])


def _by_origin(f: Floats, z: Floats) -> Floats:
    return np.asarray(z - f @ _through_origin(f, z))


def _squares(f: Floats, z: Floats) -> Floats:
    """Return the squares of what the best layer leaves."""
    weight, bias = _best(f, z)
    return np.asarray((z - f @ weight - bias) ** 2)


def _total(z: Floats) -> Floats:
    return np.asarray(((z - z.mean(0)) ** 2).sum(0))


_ONES = "append a column of ones to f: its coefficients are the bias"
_TOGETHER = f"fit weight and bias together: {_ONES}"
_LEFTOVER = "what a fit through the origin leaves on average"
_SHAPE = "weight (features, neurons): z ≈ f @ weight + bias"
_EVERY = "least squares uses every row"
_LAST = "the last row of the coefficients is the bias"
_FIT_SLIPS = {
    "weight": (
        Slip("no-bias", "the bias is left out: a fit through the origin", _ONES, _through_origin),
        Slip("transposed", "the weight is transposed", _SHAPE, lambda f, z: _best(f, z)[0].T),
        Slip("first-rows", "an exact fit of the first rows only", _EVERY, lambda f, z: _solved(f, z, 3)[:2]),
        Slip("with-bias", "the bias is still in the weight", _LAST, _solved),
    ),
    "bias": (
        Slip("mean", "the mean of z: the features are not taken into account", _ONES, lambda f, z: z.mean(0)),
        Slip("zero", "zero: the bias is left out", _ONES, lambda f, z: np.zeros(z.shape[1])),
        Slip("leftover", _LEFTOVER, _TOGETHER, lambda f, z: _by_origin(f, z).mean(0)),
    ),
}

_R = "R² = 1 − Σ residual² / Σ (z − mean of the column)²"
_EACH = "one R² for each neuron, (neurons,)"
_ONE_NUMBER = "one number for the whole table"
_AROUND_0 = "the total is taken around 0, not around the mean"
_R_SLIPS = (
    Slip("one-minus", "1 − R²: the share that is left, not the share explained", _R, lambda f, z: 1 - _r_squared(f, z)),
    Slip("r", "R, not R²", _R, lambda f, z: np.sqrt(np.maximum(_r_squared(f, z), 0))),
    Slip("not-centered", _AROUND_0, _R, lambda f, z: 1 - _squares(f, z).sum(0) / (z**2).sum(0)),
    Slip("whole-table", _ONE_NUMBER, _EACH, lambda f, z: 1 - _squares(f, z).sum() / sum(_total(z))),
    Slip("squares", "the sum of the squared residuals", _R, lambda f, z: _squares(f, z).sum(0)),
    Slip("no-bias", "the fit leaves out the bias", _ONES, lambda f, z: 1 - (_by_origin(f, z) ** 2).sum(0) / _total(z)),
)


def _no_proof(result: Any, f: Floats, z: Floats) -> tuple[str, str] | None:
    """Return code and name of what keeps an answer from being a proof, or the right refusal to give one."""
    if np.min(_r_squared(f, z)) > 1 - CLOSE:
        return None if result is None else ("not-refused", "there is nothing to prove here: return None")
    if result is None:
        return "refused", "returns None, but no linear layer gives this table"
    try:
        weights = as_numbers(result)
    except RefusalError as refusal:
        return refusal.code, str(refusal)
    found = unfit(weights, (len(f),), ", a weight for each row")
    if found is not None:
        return found
    if not weights.any():
        return "zero", "all weights are 0: that combines nothing"
    size = float(np.abs(weights).max())
    if np.any(np.abs(weights @ f) > CLOSE * size * np.abs(f).sum()):
        return "features-remain", "the combination of the rows of f does not vanish"
    if abs(weights.sum()) > CLOSE * size * len(f):
        return "ones-remain", "the weights do not sum to 0: the bias would not vanish"
    if np.all(np.abs(weights @ z) <= 1e-6 * size):
        return "outputs-vanish", "the combination of the rows of z vanishes as well: that proves nothing"
    return None


def _about_proof(case: Case, result: Any) -> tuple[str, ...]:
    why = "if z = f @ weight + bias, then whatever combination of rows makes [f, 1] vanish makes z vanish"
    return f"seen on {case.name}", why


NO_LINEAR_LAYER = Exercise(
    number=5,
    slug="no-linear-layer",
    title="No linear layer gives the table",
    statement="""
The notes say that a linear layer turns the features f (5×2) into the table z (5×3):

    f: 2 3      z: 7 5 4
       1 1         2 3 4
       5 4         1 2 3
       6 1         7 5 6
       7 1         3 3 4

A linear layer is z = f @ weight + bias. Least squares finds the weight and bias that come
closest. If even these leave something over, no linear layer gives the table. R² tells how
much of a column they explain (1 would be all of it).

A proof without decimals is a weight for each row such that the combination of the rows of f
vanishes, the weights sum to 0, and the combination of the rows of z does not vanish.
""",
    functions='''
def best_layer(f, z):
    """
    Return the weight and bias that minimize Σ (f @ weight + bias − z)².

    Given:  f  array (rows, features)
            z  array (rows, neurons)
    Return: weight  array (features, neurons)
            bias    array (neurons,)

    >>> weight, bias = best_layer(np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [0.0], [2.0]]))
    >>> weight.round(6), bias.round(6)
    (array([[0.5]]), array([0.5]))
    """
    inputs = np.column_stack([f, np.ones(len(f))])
    coefficients = np.linalg.lstsq(inputs, z, rcond=None)[0]
    return coefficients[:-1], coefficients[-1]


def r_squared(f, z):
    """
    Return R² of the best layer, for each neuron.

    Given:  f, z  as above
    Return: array (neurons,)

    >>> r_squared(np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [0.0], [2.0]])).round(6)
    array([0.25])
    """
    weight, bias = best_layer(f, z)
    left = z - (f @ weight + bias)
    return 1 - (left**2).sum(axis=0) / ((z - z.mean(axis=0)) ** 2).sum(axis=0)


def proof(f, z):
    """
    Return weights of the rows that prove that no linear layer gives z, or None if one does.

    Given:  f, z  as above
    Return: array (rows,) with weights @ f = 0, weights.sum() = 0 and weights @ z not 0;
            None if a linear layer gives z exactly (up to rounding)

    >>> proof(np.array([[0.0], [1.0]]), np.array([[3.0], [5.0]])) is None
    True
    """
    weight, bias = best_layer(f, z)
    left = z - (f @ weight + bias)
    worst = np.argmin(r_squared(f, z))
    return None if np.abs(left).max() < 1e-9 else left[:, worst]
''',
    hints=(
        "A bias is the weight of a feature that is always 1: np.column_stack([f, np.ones(len(f))]).",
        "np.linalg.lstsq(a, z, rcond=None)[0] gives the coefficients (features + 1, neurons); the last row is the"
        " bias.",
        "For the proof, look at what least squares leaves over, z − (f @ weight + bias): each column of it is "
        "orthogonal to the columns of f and to the ones. And to its column of z?",
    ),
    checks=(
        value_check("best_layer", _cases, _best, _FIT_SLIPS),
        value_check("r_squared", _with_linear, _r_squared, {"R²": _R_SLIPS}),
        property_check("proof", "the proof", _with_linear, _no_proof, _about_proof),
    ),
)
