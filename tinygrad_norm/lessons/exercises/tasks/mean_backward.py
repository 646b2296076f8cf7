"""Exercise 7: the backward pass of the mean, and of subtracting it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ..cases import Floats, random_and_lecture
from ..checked_gradients import gradient_check
from ..checked_values import Slip
from ..exercise_parts import Exercise


def _mean(x: Any) -> Tensor:
    return Tensor(x).mean(axis=1)


def _centered(x: Any) -> Tensor:
    return Tensor(x) - Tensor(x).mean(axis=1, keepdims=True)


def _row_mean(g: Floats) -> Floats:
    return np.asarray(g.mean(axis=1, keepdims=True))


_ROW = "the mean runs over the features of a row: axis 1"
_ROWS = "divided by the number of rows, not of features"
_GROWS = "m grows by 1/n when an entry grows by 1, whatever its value"
_MEAN_SLIPS = (
    Slip("wrong-n", _ROWS, _ROW, lambda g, x: np.ones_like(x) * g[:, None] / len(x)),
    Slip("times-x", "multiplied by x", _GROWS, lambda g, x: x * g[:, None] / x.shape[1]),
)

_ONLY_MEAN = "the direct way is missing: only what comes through the mean is there"
_ITSELF = "c = x − m: x matters as itself, too"
_SUBTRACTED = "the mean of g over the row is subtracted: dx = g − mean(g)"
_SIGN = "what comes through the mean has the wrong sign"
_SUM = "the sum of g is subtracted, not its mean"
_CENTER_SLIPS = (
    Slip("direct-path-missing", _ONLY_MEAN, _ITSELF, lambda g, x: np.zeros_like(x) - _row_mean(g)),
    Slip("mean-path-sign", _SIGN, _SUBTRACTED, lambda g, x: g + _row_mean(g)),
    Slip("mean-as-sum", _SUM, _SUBTRACTED, lambda g, x: g - g.sum(axis=1, keepdims=True)),
    Slip("wrong-axis", "the mean of g is taken down the columns", _ROW, lambda g, x: g - g.mean(axis=0)),
    Slip("everything", "the mean of g is taken over the whole table", _ROW, lambda g, x: g - g.mean()),
)

EXERCISE = Exercise(
    number=7,
    slug="mean-backward",
    title="Backward: the mean",
    statement="""
Layer norm takes the mean of each row, m = Σ x / n over the n features of the row. One m
comes from n entries, so on the way back its gradient goes to all n of them.

Then layer norm subtracts it: c = x − m. Now every entry of x matters twice: once as itself,
once through the mean that is taken off its whole row. The gradients of both ways add up.
""",
    functions='''
def mean_backward(g, x):
    """
    Return the gradient of x for m = x.mean(axis=1).

    Given:  g  array (rows,), the incoming gradient of m
            x  array (rows, features)
    Return: array (rows, features)

    >>> mean_backward(np.array([6.0, 9.0]), np.array([[1.0, 2.0, 4.0], [0.0, 5.0, 5.0]]))
    array([[2., 2., 2.],
           [3., 3., 3.]])
    """
    return np.ones_like(x) * g[:, None] / x.shape[1]


def center_backward(g, x):
    """
    Return the gradient of x for c = x − x.mean(axis=1, keepdims=True).

    Given:  g  array (rows, features), the incoming gradient of c
            x  array (rows, features)
    Return: array (rows, features)

    >>> center_backward(np.array([[3.0, 0.0, 0.0]]), np.array([[1.0, 2.0, 4.0]]))
    array([[ 2., -1., -1.]])
    """
    return g - g.mean(axis=1, keepdims=True)
''',
    hints=(
        "How much does m change when a single entry of its row grows by 1? By 1/n. So each entry receives g/n.",
        "g has the shape (rows,), the result (rows, features): g[:, None] makes it (rows, 1), and "
        "np.broadcast_to(…, x.shape) or a product with np.ones_like(x) spreads it.",
        "For c = x − m: the direct way gives g. Through the mean comes −(sum of g over the row)/n for every entry"
        " of the row, which is minus the mean of g.",
    ),
    checks=(
        gradient_check(
            "mean_backward", _mean, ("x",), random_and_lecture, label="through the mean", slips={"x": _MEAN_SLIPS}
        ),
        gradient_check(
            "center_backward",
            _centered,
            ("x",),
            random_and_lecture,
            label="through x − mean",
            slips={"x": _CENTER_SLIPS},
        ),
    ),
)
