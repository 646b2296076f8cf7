"""Exercise 8: the backward pass of the variance and of the deviation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ..answers import Floats
from ..data import LECTURE, RANDOM, outputs_table, spread
from ..exercise import Asked, Case, Exercise, Slip
from ..gradients import gradient_check


def _tables(generator: np.random.Generator) -> Sequence[Case]:
    return (Case(RANDOM, (spread(generator, 5, 7),)), Case(LECTURE, (outputs_table(),)))


def _variance(x: Any) -> Tensor:
    return Tensor(x).var(axis=1)


def _deviation(x: Any) -> Tensor:
    return Tensor(x).std(axis=1)


def _centered(x: Floats, axis: int = 1) -> Floats:
    return np.asarray(x - x.mean(axis=axis, keepdims=True))


_VARIANCE, _DEVIATION = "through the variance", "through the deviation"
_ROW = "mean and variance run over the features of a row: axis 1"
_CENTERED = "the derivative of (x − m)² is 2 (x − m): subtract the mean of the row"
_POPULATION = "the variance divides by n, so n belongs everywhere"

_VARIANCE_SLIPS = (
    Slip("not-centered", "x stands where x − mean belongs", _CENTERED, lambda g, x: g[:, None] * 2 * x / x.shape[1]),
    Slip("wrong-axis", "the mean of the column is subtracted, not of the row", _ROW,
         lambda g, x: g[:, None] * 2 * _centered(x, 0) / x.shape[1]),
    Slip("wrong-n", "divided by the number of rows, not of features", _ROW,
         lambda g, x: g[:, None] * 2 * _centered(x) / len(x)),
)  # fmt: skip
_DEVIATION_SLIPS = (
    Slip("not-centered", "x stands where x − mean belongs", _CENTERED,
         lambda g, x: g[:, None] * x / x.shape[1] / x.std(axis=1, keepdims=True)),
    Slip("n-minus-one", "σ is computed with n − 1", _POPULATION,
         lambda g, x: g[:, None] * _centered(x) / x.shape[1] / x.std(axis=1, ddof=1, keepdims=True)),
    Slip("n-minus-one", "computed with n − 1 in place of n", _POPULATION,
         lambda g, x: g[:, None] * _centered(x) / (x.shape[1] - 1) / x.std(axis=1, ddof=1, keepdims=True)),
    Slip("root-missing", "this is the gradient of the variance: the root is missing", "dσ/dv = 1/(2 σ)",
         lambda g, x: g[:, None] * 2 * _centered(x) / x.shape[1]),
    Slip("variance-for-deviation", "divided by 2v where 2σ belongs", "dσ/dv = 1/(2 σ), and σ is the root of v",
         lambda g, x: g[:, None] * _centered(x) / x.shape[1] / x.var(axis=1, keepdims=True)),
)  # fmt: skip

EXERCISE = Exercise(
    number=8,
    slug="variance-backward",
    title="Backward: the variance",
    statement="""
The variance of a row is v = Σ (x − m)²/n over its n features, with m the mean of the row.
An entry matters in its own square, and in all the others through m.

The second of these ways turns out to carry nothing: work it out on paper, or measure it.
The deviation is σ = √v.
""",
    asked=(
        Asked(
            "variance_backward(g, x)",
            """
Return the gradient of x for v = x.var(axis=1).

Given:  g  array (rows,), the incoming gradient of v
        x  array (rows, features)
Return: array (rows, features)

>>> variance_backward(np.array([3.0]), np.array([[1.0, 2.0, 6.0]]))
array([[-4., -2.,  6.]])
""",
        ),
        Asked(
            "deviation_backward(g, x)",
            """
Return the gradient of x for σ = x.std(axis=1).

Given:  g  array (rows,), the incoming gradient of σ
        x  array (rows, features); no row is constant
Return: array (rows, features)

>>> deviation_backward(np.array([2.0]), np.array([[1.0, 5.0]]))
array([[-1.,  1.]])
""",
        ),
    ),
    hints=(
        "The derivative of (x − m)²/n, with m held fixed, is 2 (x − m)/n.",
        "Through the mean comes Σ 2 (x − m)/n times −1/n, and Σ (x − m) is 0. So nothing is to be added.",
        "Chain rule for the root: dσ/dv = 1/(2 σ). The 2 cancels: g (x − m)/(n σ).",
    ),
    solution="""
def variance_backward(g, x):
    centered = x - x.mean(axis=1, keepdims=True)
    return g[:, None] * 2 * centered / x.shape[1]


def deviation_backward(g, x):
    return variance_backward(g / (2 * x.std(axis=1)), x)
""",
    checks=(
        gradient_check(
            "variance_backward", _variance, ("x",), _tables, labels=(_VARIANCE,), slips={_VARIANCE: _VARIANCE_SLIPS}
        ),
        gradient_check(
            "deviation_backward",
            _deviation,
            ("x",),
            _tables,
            labels=(_DEVIATION,),
            slips={_DEVIATION: _DEVIATION_SLIPS},
        ),
    ),
)
