"""Exercise 8: the backward pass of the variance and of the deviation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ..cases import Floats, random_and_lecture
from ..checked_gradients import gradient_check
from ..checked_values import Slip
from ..exercise_parts import Exercise


def _variance(x: Any) -> Tensor:
    return Tensor(x).var(axis=1)


def _deviation(x: Any) -> Tensor:
    return Tensor(x).std(axis=1)


def variance_back(g: Floats, x: Floats, axis: int = 1, n: int | None = None, centered: bool = True) -> Floats:
    """Return what the gradient of the variance of each row sends to x, or what it would with a mistake."""
    distance = x - x.mean(axis=axis, keepdims=True) if centered else x
    return np.asarray(g[:, None] * 2 * distance / (n or x.shape[1]))


def _root_back(g: Floats, x: Floats, ddof: int = 0) -> Floats:
    return np.asarray(g / (2 * x.std(axis=1, ddof=ddof)))


NOT_CENTERED = "x stands where x − mean belongs"
_ROW = "mean and variance run over the features of a row: axis 1"
_COLUMN = "the mean of the column is subtracted, not of the row"
_ROWS = "divided by the number of rows, not of features"
_CENTERED = "the derivative of (x − m)² is 2 (x − m): subtract the mean of the row"
_VARIANCE_SLIPS = (
    Slip("not-centered", NOT_CENTERED, _CENTERED, lambda g, x: variance_back(g, x, centered=False)),
    Slip("wrong-axis", _COLUMN, _ROW, lambda g, x: variance_back(g, x, 0)),
    Slip("wrong-n", _ROWS, _ROW, lambda g, x: variance_back(g, x, n=len(x))),
)

_SIGMA, _BOTH = "σ is computed with n − 1", "computed with n − 1 in place of n"
_POPULATION = "the variance divides by n, so n belongs everywhere"
_NO_ROOT = "this is the gradient of the variance: the root is missing"
_BY_V = "divided by 2v where 2σ belongs"
_CHAIN = "dσ/dv = 1/(2 σ)"
_ROOT_OF_V = f"{_CHAIN}, and σ is the root of v"
_DEVIATION_SLIPS = (
    Slip("not-centered", NOT_CENTERED, _CENTERED, lambda g, x: variance_back(_root_back(g, x), x, centered=False)),
    Slip("n-minus-one", _SIGMA, _POPULATION, lambda g, x: variance_back(_root_back(g, x, 1), x)),
    Slip("n-minus-one", _BOTH, _POPULATION, lambda g, x: variance_back(_root_back(g, x, 1), x, n=x.shape[1] - 1)),
    Slip("root-missing", _NO_ROOT, _CHAIN, variance_back),
    Slip("variance-for-deviation", _BY_V, _ROOT_OF_V, lambda g, x: variance_back(g / (2 * x.var(axis=1)), x)),
)

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
    functions='''
def variance_backward(g, x):
    """
    Return the gradient of x for v = x.var(axis=1).

    Given:  g  array (rows,), the incoming gradient of v
            x  array (rows, features)
    Return: array (rows, features)

    >>> variance_backward(np.array([3.0]), np.array([[1.0, 2.0, 6.0]]))
    array([[-4., -2.,  6.]])
    """
    centered = x - x.mean(axis=1, keepdims=True)
    return g[:, None] * 2 * centered / x.shape[1]


def deviation_backward(g, x):
    """
    Return the gradient of x for σ = x.std(axis=1).

    Given:  g  array (rows,), the incoming gradient of σ
            x  array (rows, features); no row is constant
    Return: array (rows, features)

    >>> deviation_backward(np.array([2.0]), np.array([[1.0, 5.0]]))
    array([[-1.,  1.]])
    """
    return variance_backward(g / (2 * x.std(axis=1)), x)
''',
    hints=(
        "The derivative of (x − m)²/n, with m held fixed, is 2 (x − m)/n.",
        "Through the mean comes Σ 2 (x − m)/n times −1/n, and Σ (x − m) is 0. So nothing is to be added.",
        "Chain rule for the root: dσ/dv = 1/(2 σ). The 2 cancels: g (x − m)/(n σ).",
    ),
    checks=(
        gradient_check(
            "variance_backward",
            _variance,
            ("x",),
            random_and_lecture,
            label="through the variance",
            slips={"x": _VARIANCE_SLIPS},
        ),
        gradient_check(
            "deviation_backward",
            _deviation,
            ("x",),
            random_and_lecture,
            label="through the deviation",
            slips={"x": _DEVIATION_SLIPS},
        ),
    ),
)
