"""Exercise 10: the backward pass of layer norm in closed form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ....functional import layer_norm
from ...lecture.norm_formula import BATCH, LAYER, x_hat
from ..cases import LECTURE, PADDED, RANDOM, Case, Floats, gamma_and_beta, outputs_table, padded_table, random_table
from ..checked_gradients import gradient_check
from ..checked_values import Slip
from ..exercise_parts import Exercise


def _tables(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case(RANDOM, (random_table(generator, 3, 5), *gamma_and_beta(generator, 5), 0.5)),
        Case(LECTURE, (outputs_table(), *gamma_and_beta(generator, 3), 1e-5)),
        Case(f"{PADDED}, two rows of zeros", (padded_table(), *gamma_and_beta(generator, 3), 1e-5)),
    )


def _layer_norm(x: Any, gamma: Any, beta: Any, eps: float) -> Tensor:
    return layer_norm(Tensor(x), x.shape[1], gamma, beta, eps)


def _factor_slip(code: str, name: str, factor: Callable[[Floats, Floats, float], Floats]) -> Slip:
    """Return the slip in which the gradient of γ has another factor than x̂: one of x, γ and ε."""
    why = "y = γ x̂ + β: the factor beside γ is x̂ = (x − μ)/√(v + ε), with the statistics of the row"
    return Slip(code, name, why, lambda g, x, gamma, beta, eps: (g * factor(x, gamma, eps)).sum(axis=0))


def _not_centered(x: Floats, _: Floats, eps: float) -> Floats:
    return np.asarray(x / np.sqrt(x.var(axis=1, keepdims=True) + eps))


_NO_SIGMA = "multiplied by x − μ: the division by √(v + ε) is missing"
_DOWN = "x̂ is normalized down the columns, not along the rows"
_TWICE = "multiplied by γ, which is only for the way to x"
_OF_BETA = "this is the gradient of β: the factor x̂ is missing"
_GAMMA_SLIPS = (
    _factor_slip("not-normalized", "multiplied by x, not by x̂", lambda x, gamma, eps: x),
    _factor_slip("sigma-missing", _NO_SIGMA, lambda x, gamma, eps: x - x.mean(axis=1, keepdims=True)),
    _factor_slip("wrong-axis", _DOWN, lambda x, gamma, eps: x_hat(x, BATCH, eps)),
    _factor_slip("gamma-twice", _TWICE, lambda x, gamma, eps: gamma * x_hat(x, LAYER, eps)),
    _factor_slip("beta-for-gamma", _OF_BETA, lambda x, gamma, eps: np.ones_like(x)),
    _factor_slip("not-centered", "the mean is not subtracted in x̂", _not_centered),
)

EXERCISE = Exercise(
    number=10,
    slug="layer-norm-backward",
    title="Backward: layer norm in closed form",
    statement="""
Now the pieces of exercises 6 to 9 are put together, for each row of x:

    x̂ = (x − μ)/√(v + ε)        y = γ x̂ + β

An entry of x reaches y in three ways: as itself, through the mean μ, through the variance
v. Three gradients add up, and the sum can be simplified to one line with x̂, one deviation
and two means over the row.

You can test your result without any difference quotient: shifting a row changes nothing, so
each row of the gradient of x sums to 0; stretching a row changes (almost) nothing, so each
row is orthogonal to x̂.
""",
    functions='''
def layer_norm_backward(g, x, gamma, beta, eps):
    """
    Return the gradients of x, gamma and beta for y = γ (x − μ)/√(v + eps) + β.

    Given:  g            array (rows, features), the incoming gradient of y
            x            array (rows, features)
            gamma, beta  arrays (features,)
            eps          a number above 0
    Return: three arrays of the shapes of x, gamma and beta

    >>> g, x = np.array([[4.0, 0.0]]), np.array([[1.0, 3.0]])
    >>> layer_norm_backward(g, x, np.array([1.0, 1.0]), np.array([0.0, 0.0]), 3.0)
    (array([[ 0.75, -0.75]]), array([-2.,  0.]), array([4., 0.]))
    """
    r = 1 / np.sqrt(x.var(axis=1, keepdims=True) + eps)
    x_hat = (x - x.mean(axis=1, keepdims=True)) * r
    h = g * gamma
    dx = r * (h - h.mean(axis=1, keepdims=True) - x_hat * (h * x_hat).mean(axis=1, keepdims=True))
    return dx, (g * x_hat).sum(axis=0), g.sum(axis=0)
''',
    hints=(
        "Begin with γ and β, which are exercise 6: β receives g summed over the rows, γ receives g x̂ summed over"
        " the rows. What flows back to x̂ is h = γ g.",
        "With r = 1/√(v + ε) the three ways give: directly h r; through the mean −(mean of h) r; through the "
        "variance −x̂ (mean of h x̂) r. The means are taken over the row, with keepdims=True.",
        "Together: r (h − mean(h) − x̂ mean(h x̂)).",
    ),
    checks=(
        gradient_check(
            "layer_norm_backward", _layer_norm, ("x", "gamma", "beta"), _tables, slips={"gamma": _GAMMA_SLIPS}
        ),
    ),
)
