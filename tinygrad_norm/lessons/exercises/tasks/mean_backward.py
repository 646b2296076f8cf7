"""Exercise 7: the backward pass of the mean, and of subtracting it."""

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


def _mean(x: Any) -> Tensor:
    return Tensor(x).mean(axis=1)


def _centered(x: Any) -> Tensor:
    return Tensor(x) - Tensor(x).mean(axis=1, keepdims=True)


def _row_mean(g: Floats) -> Floats:
    return np.asarray(g.mean(axis=1, keepdims=True))


_MEAN, _CENTER = "through the mean", "through x − mean"
_ROW = "the mean runs over the features of a row: axis 1"
_SUBTRACTED = "the mean of g over the row is subtracted: dx = g − mean(g)"

_MEAN_SLIPS = (
    Slip("wrong-n", "divided by the number of rows, not of features", _ROW,
         lambda g, x: np.ones_like(x) * g[:, None] / len(x)),
    Slip("times-x", "multiplied by x", "m grows by 1/n when an entry grows by 1, whatever its value",
         lambda g, x: x * g[:, None] / x.shape[1]),
)  # fmt: skip
_CENTER_SLIPS = (
    Slip("direct-path-missing", "the direct way is missing: only what comes through the mean is there",
         "c = x − m: x matters as itself, too", lambda g, x: np.zeros_like(x) - _row_mean(g)),
    Slip("mean-path-sign", "what comes through the mean has the wrong sign", _SUBTRACTED,
         lambda g, x: g + _row_mean(g)),
    Slip("mean-as-sum", "the sum of g is subtracted, not its mean", _SUBTRACTED,
         lambda g, x: g - g.sum(axis=1, keepdims=True)),
    Slip("wrong-axis", "the mean of g is taken down the columns", _ROW, lambda g, x: g - g.mean(axis=0)),
    Slip("everything", "the mean of g is taken over the whole table", _ROW, lambda g, x: g - g.mean()),
)  # fmt: skip

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
    asked=(
        Asked(
            "mean_backward(g, x)",
            """
Return the gradient of x for m = x.mean(axis=1).

Given:  g  array (rows,), the incoming gradient of m
        x  array (rows, features)
Return: array (rows, features)

>>> mean_backward(np.array([6.0, 9.0]), np.array([[1.0, 2.0, 4.0], [0.0, 5.0, 5.0]]))
array([[2., 2., 2.],
       [3., 3., 3.]])
""",
        ),
        Asked(
            "center_backward(g, x)",
            """
Return the gradient of x for c = x − x.mean(axis=1, keepdims=True).

Given:  g  array (rows, features), the incoming gradient of c
        x  array (rows, features)
Return: array (rows, features)

>>> center_backward(np.array([[3.0, 0.0, 0.0]]), np.array([[1.0, 2.0, 4.0]]))
array([[ 2., -1., -1.]])
""",
        ),
    ),
    hints=(
        "How much does m change when a single entry of its row grows by 1? By 1/n. So each entry receives g/n.",
        "g has the shape (rows,), the result (rows, features): g[:, None] makes it (rows, 1), and "
        "np.broadcast_to(…, x.shape) or a product with np.ones_like(x) spreads it.",
        "For c = x − m: the direct way gives g. Through the mean comes −(sum of g over the row)/n for every entry"
        " of the row, which is minus the mean of g.",
    ),
    solution="""
def mean_backward(g, x):
    return np.ones_like(x) * g[:, None] / x.shape[1]


def center_backward(g, x):
    return g - g.mean(axis=1, keepdims=True)
""",
    checks=(
        gradient_check("mean_backward", _mean, ("x",), _tables, labels=(_MEAN,), slips={_MEAN: _MEAN_SLIPS}),
        gradient_check(
            "center_backward", _centered, ("x",), _tables, labels=(_CENTER,), slips={_CENTER: _CENTER_SLIPS}
        ),
    ),
)
