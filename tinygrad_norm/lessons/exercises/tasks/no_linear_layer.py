"""Exercise 5: least squares proves that no linear layer gives the notes' table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...lecture import exact_arithmetic as exact
from ..answers import Floats, RefusalError, as_numbers, call, first_not_finite
from ..data import LECTURE, RANDOM, features_table, outputs_table
from ..exercise import Answer, Asked, Case, Check, Exercise, Slip, Verdict
from ..values import CLOSE, value_check

_LINEAR = "a table that a linear layer does give"
_PROOF = "the proof"


def _features(generator: np.random.Generator) -> Floats:
    """Return whole numbers ``(7, 2)`` that determine a weight and a bias, whatever is drawn."""
    corner = np.array([[0, 0], [1, 0], [0, 1]])
    return np.concatenate([corner, generator.integers(-6, 7, (4, 2))]).astype(np.float64)


def _cases(generator: np.random.Generator) -> Sequence[Case]:
    f = _features(generator)
    z = generator.integers(-9, 10, (7, 3)).astype(np.float64)
    return (Case(LECTURE, (features_table(), outputs_table())), Case(RANDOM, (f, z)))


def _with_linear(generator: np.random.Generator) -> Sequence[Case]:
    f = _features(generator)
    weight, bias = generator.integers(1, 5, (2, 3)), generator.integers(-4, 5, 3)
    return (*_cases(generator), Case(_LINEAR, (f, f @ weight + bias)))


def _fits(f: Floats, z: Floats) -> list[exact.LeastSquares]:
    """Return the exact least squares of each neuron, in fractions."""
    rows = [exact.rationals([*row, 1.0]) for row in f.tolist()]
    return [exact.least_squares(rows, exact.rationals(column)) for column in z.T.tolist()]


def _best(f: Floats, z: Floats) -> tuple[Floats, Floats]:
    coefficients = np.array([[float(c) for c in fit.coefficients] for fit in _fits(f, z)])
    return coefficients[:, :-1].T, coefficients[:, -1]


def _r_squared(f: Floats, z: Floats) -> Floats:
    return np.array([float(fit.r_squared) for fit in _fits(f, z)])


def _through_origin(f: Floats, z: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(f, z, rcond=None)[0])


def _residual(f: Floats, z: Floats) -> Floats:
    weight, bias = _best(f, z)
    return np.asarray(z - f @ weight - bias)


_ONES = "append a column of ones to f: its coefficients are the bias"
_R = "R² = 1 − Σ residual² / Σ (z − mean of the column)²"

_FIT_SLIPS = {
    "weight": (
        Slip("no-bias", "the bias is left out: a fit through the origin", _ONES, _through_origin),
        Slip("transposed", "the weight is transposed", "weight (features, neurons): z ≈ f @ weight + bias",
             lambda f, z: _best(f, z)[0].T),
        Slip("first-rows", "an exact fit of the first rows only", "least squares uses every row",
             lambda f, z: np.linalg.solve(np.c_[f, np.ones(len(f))][:3], z[:3])[:2]),
        Slip("with-bias", "the bias is still in the weight", "the last row of the coefficients is the bias",
             lambda f, z: np.linalg.lstsq(np.c_[f, np.ones(len(f))], z, rcond=None)[0]),
    ),
    "bias": (
        Slip("mean", "the mean of z: the features are not taken into account", _ONES, lambda f, z: z.mean(0)),
        Slip("zero", "zero: the bias is left out", _ONES, lambda f, z: np.zeros(z.shape[1])),
        Slip("leftover", "what a fit through the origin leaves on average", "fit weight and bias together: " + _ONES,
             lambda f, z: (z - f @ _through_origin(f, z)).mean(0)),
    ),
}  # fmt: skip
_R_SLIPS = (
    Slip("one-minus", "1 − R²: the share that is left, not the share explained", _R, lambda f, z: 1 - _r_squared(f, z)),
    Slip("r", "R, not R²", _R, lambda f, z: np.sqrt(np.maximum(_r_squared(f, z), 0))),
    Slip("not-centered", "the total is taken around 0, not around the mean", _R,
         lambda f, z: 1 - (_residual(f, z) ** 2).sum(0) / (z**2).sum(0)),
    Slip("whole-table", "one number for the whole table", "one R² for each neuron, (neurons,)",
         lambda f, z: 1 - (_residual(f, z) ** 2).sum() / ((z - z.mean(0)) ** 2).sum()),
    Slip("squares", "the sum of the squared residuals", _R, lambda f, z: (_residual(f, z) ** 2).sum(0)),
    Slip("no-bias", "the fit leaves out the bias", _ONES,
         lambda f, z: 1 - ((z - f @ _through_origin(f, z)) ** 2).sum(0) / ((z - z.mean(0)) ** 2).sum(0)),
)  # fmt: skip


def _grade_proof(answer: Answer, seed: int) -> tuple[Verdict, ...]:
    for case in _with_linear(np.random.default_rng(seed)):
        f, z = case.arguments
        result = call(answer, case.arguments)
        try:
            fault = _fault_of(result, f, z)
        except RefusalError as refusal:
            fault = refusal.code, str(refusal)
        if fault is not None:
            return (Verdict(_PROOF, False, fault[1], (f"seen on {case.name}", _WHY), fault[0]),)
    return (Verdict(_PROOF, True, f"right on {LECTURE}, {RANDOM} and {_LINEAR}"),)


_WHY = "if z = f @ weight + bias, then whatever combination of rows makes [f, 1] vanish makes z vanish"


def _fault_of(result: Any, f: Floats, z: Floats) -> tuple[str, str] | None:
    """Return code and name of what keeps a result from being a proof, or the right refusal to give one."""
    linear = float(np.min(_r_squared(f, z))) > 1 - CLOSE
    if linear:
        return None if result is None else ("not-refused", "there is nothing to prove here: return None")
    if result is None:
        return "refused", "returns None, but no linear layer gives this table"
    weights = as_numbers(result)
    if weights.shape != (len(f),):
        return "wrong-shape", f"must have the shape {(len(f),)}, a weight for each row; yours has {weights.shape}"
    bad = first_not_finite(weights)
    if bad is not None:
        return "not-finite", f"is not finite: {bad}"
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


EXERCISE = Exercise(
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
    asked=(
        Asked(
            "best_layer(f, z)",
            """
Return the weight and bias that minimize Σ (f @ weight + bias − z)².

Given:  f  array (rows, features)
        z  array (rows, neurons)
Return: weight  array (features, neurons)
        bias    array (neurons,)

>>> weight, bias = best_layer(np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [0.0], [2.0]]))
>>> weight.round(6), bias.round(6)
(array([[0.5]]), array([0.5]))
""",
        ),
        Asked(
            "r_squared(f, z)",
            """
Return R² of the best layer, for each neuron.

Given:  f, z  as above
Return: array (neurons,)

>>> r_squared(np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [0.0], [2.0]])).round(6)
array([0.25])
""",
        ),
        Asked(
            "proof(f, z)",
            """
Return weights of the rows that prove that no linear layer gives z, or None if one does.

Given:  f, z  as above
Return: array (rows,) with weights @ f = 0, weights.sum() = 0 and weights @ z not 0;
        None if a linear layer gives z exactly (up to rounding)

>>> proof(np.array([[0.0], [1.0]]), np.array([[3.0], [5.0]])) is None
True
""",
        ),
    ),
    hints=(
        "A bias is the weight of a feature that is always 1: np.column_stack([f, np.ones(len(f))]).",
        "np.linalg.lstsq(a, z, rcond=None)[0] gives the coefficients (features + 1, neurons); the last row is the"
        " bias.",
        "For the proof, look at what least squares leaves over, z − (f @ weight + bias): each column of it is "
        "orthogonal to the columns of f and to the ones. And to its column of z?",
    ),
    solution="""
def best_layer(f, z):
    inputs = np.column_stack([f, np.ones(len(f))])
    coefficients = np.linalg.lstsq(inputs, z, rcond=None)[0]
    return coefficients[:-1], coefficients[-1]


def r_squared(f, z):
    weight, bias = best_layer(f, z)
    left = z - (f @ weight + bias)
    return 1 - (left**2).sum(axis=0) / ((z - z.mean(axis=0)) ** 2).sum(axis=0)


def proof(f, z):
    weight, bias = best_layer(f, z)
    left = z - (f @ weight + bias)
    worst = np.argmin(r_squared(f, z))
    return None if np.abs(left).max() < 1e-9 else left[:, worst]
""",
    checks=(
        value_check("best_layer", ("weight", "bias"), _cases, _best, _FIT_SLIPS),
        value_check("r_squared", ("R²",), _with_linear, _r_squared, {"R²": _R_SLIPS}),
        Check("proof", (_PROOF,), _grade_proof),
    ),
)
