"""Exercise 9: the backward pass of 1/√(v + eps), where v is 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ..cases import PADDED, RANDOM, Case, Floats, padded_table, random_table
from ..checked_gradients import gradient_check
from ..checked_values import Slip
from ..exercise_parts import Exercise
from .variance_backward import NOT_CENTERED, variance_back


def _variances(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case(RANDOM, (generator.uniform(0.5, 4.0, 7), 0.5)),
        Case(f"the variances of {PADDED}, two of them 0", (padded_table().var(axis=1), 1e-5)),
        Case("nothing but zeros", (np.zeros(3), 1e-3)),
    )


def _tables(generator: np.random.Generator) -> Sequence[Case]:
    pads = Case(f"{PADDED}, two rows of zeros", (padded_table(), 1e-5))
    return Case(RANDOM, (random_table(generator, 5, 7), 0.5)), pads


def _inverse_root(v: Any, eps: float) -> Tensor:
    return 1 / (Tensor(v) + eps).sqrt()


def _inverse_deviation(x: Any, eps: float) -> Tensor:
    return 1 / (Tensor(x).var(axis=1) + eps).sqrt()


def _slope(g: Floats, v: Floats, eps: float = 0.0, power: float = -1.5) -> Floats:
    """Return the gradient of v, or what it would be with another power."""
    return np.asarray(-0.5 * g * (v + eps) ** power)


_POWER = "(v + ε)^(−1/2) has the derivative −1/2 (v + ε)^(−3/2)"
_EPS = "r = 1/√(v + ε): ε is added to v, under the root, also on the way back"
_AT_ZERO = "with ε the slope at v = 0 is finite: −1/2 divided by ε√ε. No special case is needed"
_UNCHANGED = "the power is still −1/2: it must go down by one"
_MINUS_2 = "the power is −2 where −3/2 belongs: the root is missing"
_ROOT_OF = "this is the derivative of √(v + ε), not of 1 over it"
_INVERSE_OF = "this is the derivative of 1/(v + ε): the root is missing"
_OUTSIDE = "ε stands outside the root: √v + ε where √(v + ε) belongs"
_SET_TO_0 = "the gradient is set to 0 where v is 0"
_ROOT_SLIPS = (
    Slip("power-unchanged", _UNCHANGED, _POWER, lambda g, v, eps: _slope(g, v, eps, -0.5)),
    Slip("power", "the power is −1 where −3/2 belongs", _POWER, lambda g, v, eps: _slope(g, v, eps, -1)),
    Slip("power", _MINUS_2, _POWER, lambda g, v, eps: _slope(g, v, eps, -2)),
    Slip("one-over-missing", _ROOT_OF, _POWER, lambda g, v, eps: -_slope(g, v, eps, -0.5)),
    Slip("root-missing", _INVERSE_OF, _POWER, lambda g, v, eps: 2 * _slope(g, v, eps, -2)),
    Slip("eps-missing", "ε is forgotten on the way back", _EPS, lambda g, v, eps: _slope(g, v)),
    Slip("eps-outside", _OUTSIDE, _EPS, lambda g, v, eps: _slope(g, np.sqrt(v), eps, -3)),
    Slip("zero-at-zero", _SET_TO_0, _AT_ZERO, lambda g, v, eps: np.where(v > 0, _slope(g, v, eps), 0.0)),
)

_VARIANCE = "the variance has the derivative 2 (x − mean)/n"
_CHAIN = "chain rule: first the gradient of v, then that of x"
_STRAIGHT = "the slope of 1/√(v + ε) is missing: g goes straight into the variance"
_HANDED_ON = "the gradient of v is handed to every entry as it is"


def _through_v(g: Floats, x: Floats, eps: float, power: float = -1.5, centered: bool = True) -> Floats:
    return variance_back(_slope(g, x.var(axis=1), eps, power), x, centered=centered)


def _to_every_entry(g: Floats, x: Floats, eps: float) -> Floats:
    return np.asarray(np.ones_like(x) * _slope(g, x.var(axis=1), eps)[:, None])


_X_SLIPS = (
    Slip("not-centered", NOT_CENTERED, _VARIANCE, lambda g, x, eps: _through_v(g, x, eps, centered=False)),
    Slip("eps-missing", "ε is forgotten on the way back", _EPS, lambda g, x, eps: _through_v(g, x, 0.0)),
    Slip("local-derivative-missing", _STRAIGHT, _CHAIN, lambda g, x, eps: variance_back(g, x)),
    Slip("power-unchanged", _UNCHANGED, _POWER, lambda g, x, eps: _through_v(g, x, eps, -0.5)),
    Slip("variance-path-missing", _HANDED_ON, _VARIANCE, _to_every_entry),
)

EXERCISE = Exercise(
    number=9,
    slug="inverse-root-backward",
    title="Backward: 1/√(v + eps) at 0",
    statement="""
Layer norm divides by the deviation, that is, it multiplies by r = 1/√(v + ε), where v is
the variance of a row. A pad is a row of zeros with v = 0, and there everything hangs on ε:
r is 1/√ε = 316 for ε = 1e-5, and its slope is larger still.

The second function goes all the way from x to r. Take the direct road through v. A detour
over σ = √v meets 1/(2σ), which is 1/0 at a row of zeros, although the gradient there is
simply 0.
""",
    functions='''
def inverse_root_backward(g, v, eps):
    """
    Return the gradient of v for r = 1/√(v + eps).

    Given:  g    array (rows,), the incoming gradient of r
            v    array (rows,), at least 0; it may be 0
            eps  a number above 0
    Return: array (rows,)

    >>> inverse_root_backward(np.array([1.0, 1.0]), np.array([0.0, 3.0]), 1.0)
    array([-0.5   , -0.0625])
    """
    return -0.5 * g * (v + eps) ** -1.5


def inverse_deviation_backward(g, x, eps):
    """
    Return the gradient of x for r = 1/√(x.var(axis=1) + eps).

    Given:  g    array (rows,), the incoming gradient of r
            x    array (rows, features); rows may be constant
            eps  a number above 0
    Return: array (rows, features)

    >>> x = np.array([[1.0, 3.0], [0.0, 0.0]])
    >>> inverse_deviation_backward(np.array([8.0, 8.0]), x, 3.0) + 0.0
    array([[ 0.5, -0.5],
           [ 0. ,  0. ]])
    """
    centered = x - x.mean(axis=1, keepdims=True)
    through_v = inverse_root_backward(g, x.var(axis=1), eps)
    return through_v[:, None] * 2 * centered / x.shape[1]
''',
    hints=(
        "Write r as (v + ε) to the power −1/2 and use the power rule. ε stays where it is.",
        "dr/dv = −1/2 (v + ε) to the power −3/2. At v = 0 that is −1/2 divided by ε√ε: large, and finite.",
        "For x: hand the gradient of v to exercise 8, which sends 2 (x − mean)/n times it to each entry.",
    ),
    checks=(
        gradient_check("inverse_root_backward", _inverse_root, ("v",), _variances, slips={"v": _ROOT_SLIPS}),
        gradient_check("inverse_deviation_backward", _inverse_deviation, ("x",), _tables, slips={"x": _X_SLIPS}),
    ),
)
