"""Exercises 6 to 10: backward over a broadcast, the mean, the variance, 1/√(v + eps), and layer norm as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....engine.primitives.shape import broadcast_to
from ....engine.tensor import Tensor
from ....functional import layer_norm
from ...lecture.norm_formula import BATCH, LAYER, x_hat
from ..cases import (
    LECTURE,
    PADDED,
    RANDOM,
    Case,
    Floats,
    gamma_and_beta,
    outputs_table,
    padded_table,
    random_and_lecture,
    random_table,
)
from ..checked_gradients import Backward, gradient_check
from ..checked_values import Slip
from ..exercise_parts import Answer, Exercise


def _grown(x: Any, shape: tuple[int, ...]) -> Tensor:
    grown: Tensor = broadcast_to(Tensor(x), shape=shape)
    return grown


def _adapted(answer: Answer) -> Backward:
    """Return the learner's function, which takes the shape of x, as one of x."""
    return lambda g, x, shape: answer(g, x.shape)


def _in_front(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case("(7,) → (5, 7)", (generator.standard_normal(7), (5, 7))),
        Case("(3, 5) → (2, 3, 5)", (generator.standard_normal((3, 5)), (2, 3, 5))),
        Case("() → (3, 5)", (np.array(generator.standard_normal()), (3, 5))),
        Case("(5, 7), which stays as it is", (generator.standard_normal((5, 7)), (5, 7))),
    )


def _from_one(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case("(5, 1) → (5, 7)", (generator.standard_normal((5, 1)), (5, 7))),
        Case("(1, 3, 1) → (2, 3, 5)", (generator.standard_normal((1, 3, 1)), (2, 3, 5))),
        Case("(3, 1) → (2, 3, 5)", (generator.standard_normal((3, 1)), (2, 3, 5))),
    )


def _scaled(x: Any, gamma: Any, beta: Any) -> Tensor:
    return Tensor(x) * Tensor(gamma) + Tensor(beta)


def _scaled_tables(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case(RANDOM, (random_table(generator, 5, 7), *gamma_and_beta(generator, 7))),
        Case(LECTURE, (outputs_table(), *gamma_and_beta(generator, 3))),
    )


BROADCAST_BACKWARD = Exercise(
    number=6,
    slug="broadcast-backward",
    title="Back over a broadcast",
    statement="""
NumPy repeats a smaller array so that it fits a larger one: in x̂ + β the same β, of shape
(features,), is added to every row of x̂, of shape (rows, features). NumPy lines shapes up
from the right, puts axes in front where there are too few, and stretches axes of length 1.

On the way back there is a gradient g for every copy. An entry that was used many times
receives the sum of all that comes back to its copies, so g must be summed until it has the
shape of the small array again.
""",
    functions='''
def sum_back(g, shape):
    """
    Return the gradient of an array of this shape that was broadcast to the shape of g.

    Given:  g      array, the incoming gradient of the large array
            shape  tuple, the shape of the small array, such as (7,), (5, 1) or ()
    Return: array of that shape

    >>> sum_back(np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]), (3,))
    array([11., 22., 33.])
    >>> sum_back(np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]), (2, 1))
    array([[ 6.],
           [60.]])
    """
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def scale_and_shift_backward(g, x, gamma, beta):
    """
    Return the gradients of x, gamma and beta for y = x * gamma + beta.

    Given:  g            array (rows, features), the incoming gradient of y
            x            array (rows, features)
            gamma, beta  arrays (features,)
    Return: three arrays of the shapes of x, gamma and beta

    >>> ones = np.ones((2, 1))
    >>> scale_and_shift_backward(ones, np.array([[3.0], [4.0]]), np.array([5.0]), np.array([6.0]))
    (array([[5.],
           [5.]]), array([7.]), array([2.]))
    """
    return g * gamma, sum_back(g * x, gamma.shape), sum_back(g, beta.shape)
''',
    hints=(
        "Two things may have happened to the small array: axes were put in front of its shape, and axes of length"
        " 1 were stretched. Undo them one after the other.",
        "g.ndim - len(shape) axes were put in front: sum over axis 0 that many times.",
        "Then, for each axis with shape[axis] == 1: g = g.sum(axis=axis, keepdims=True). In the second function "
        "each factor of a product receives g times the other factor, then goes through sum_back.",
    ),
    checks=(
        gradient_check("sum_back", _grown, {"x": ()}, _in_front, "axes put in front", adapt=_adapted),
        gradient_check("sum_back", _grown, {"x": ()}, _from_one, "axes stretched from 1", adapt=_adapted),
        gradient_check("scale_and_shift_backward", _scaled, {"x": (), "gamma": (), "beta": ()}, _scaled_tables),
    ),
)


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

MEAN_BACKWARD = Exercise(
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
        gradient_check("mean_backward", _mean, {"x": _MEAN_SLIPS}, random_and_lecture, "through the mean"),
        gradient_check("center_backward", _centered, {"x": _CENTER_SLIPS}, random_and_lecture, "through x − mean"),
    ),
)


def _variance(x: Any) -> Tensor:
    return Tensor(x).var(axis=1)


def _deviation(x: Any) -> Tensor:
    return Tensor(x).std(axis=1)


def _variance_back(g: Floats, x: Floats, axis: int = 1, n: int | None = None, centered: bool = True) -> Floats:
    """Return what the gradient of the variance of each row sends to x, or what it would with a mistake."""
    distance = x - x.mean(axis=axis, keepdims=True) if centered else x
    return np.asarray(g[:, None] * 2 * distance / (n or x.shape[1]))


def _root_back(g: Floats, x: Floats, ddof: int = 0) -> Floats:
    return np.asarray(g / (2 * x.std(axis=1, ddof=ddof)))


_NOT_CENTERED = "x stands where x − mean belongs"
_ROW_STATISTICS = "mean and variance run over the features of a row: axis 1"
_COLUMN = "the mean of the column is subtracted, not of the row"
_CENTERED = "the derivative of (x − m)² is 2 (x − m): subtract the mean of the row"
_VARIANCE_SLIPS = (
    Slip("not-centered", _NOT_CENTERED, _CENTERED, lambda g, x: _variance_back(g, x, centered=False)),
    Slip("wrong-axis", _COLUMN, _ROW_STATISTICS, lambda g, x: _variance_back(g, x, 0)),
    Slip("wrong-n", _ROWS, _ROW_STATISTICS, lambda g, x: _variance_back(g, x, n=len(x))),
)

_SIGMA, _BOTH = "σ is computed with n − 1", "computed with n − 1 in place of n"
_POPULATION = "the variance divides by n, so n belongs everywhere"
_NO_ROOT = "this is the gradient of the variance: the root is missing"
_BY_V = "divided by 2v where 2σ belongs"
_ROOT_CHAIN = "dσ/dv = 1/(2 σ)"
_ROOT_OF_V = f"{_ROOT_CHAIN}, and σ is the root of v"
_DEVIATION_SLIPS = (
    Slip("not-centered", _NOT_CENTERED, _CENTERED, lambda g, x: _variance_back(_root_back(g, x), x, centered=False)),
    Slip("n-minus-one", _SIGMA, _POPULATION, lambda g, x: _variance_back(_root_back(g, x, 1), x)),
    Slip("n-minus-one", _BOTH, _POPULATION, lambda g, x: _variance_back(_root_back(g, x, 1), x, n=x.shape[1] - 1)),
    Slip("root-missing", _NO_ROOT, _ROOT_CHAIN, _variance_back),
    Slip("variance-for-deviation", _BY_V, _ROOT_OF_V, lambda g, x: _variance_back(g / (2 * x.var(axis=1)), x)),
)

VARIANCE_BACKWARD = Exercise(
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
            "variance_backward", _variance, {"x": _VARIANCE_SLIPS}, random_and_lecture, "through the variance"
        ),
        gradient_check(
            "deviation_backward", _deviation, {"x": _DEVIATION_SLIPS}, random_and_lecture, "through the deviation"
        ),
    ),
)


def _variances(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case(RANDOM, (generator.uniform(0.5, 4.0, 7), 0.3)),
        Case(f"the variances of {PADDED}, two of them 0", (padded_table().var(axis=1), 1e-5)),
        Case("nothing but zeros", (np.zeros(3), 1e-3)),
    )


def _padded_tables(generator: np.random.Generator) -> Sequence[Case]:
    pads = Case(f"{PADDED}, two rows of zeros", (padded_table(), 1e-5))
    return Case(RANDOM, (random_table(generator, 5, 7), 0.3)), pads


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
    return _variance_back(_slope(g, x.var(axis=1), eps, power), x, centered=centered)


def _to_every_entry(g: Floats, x: Floats, eps: float) -> Floats:
    return np.asarray(np.ones_like(x) * _slope(g, x.var(axis=1), eps)[:, None])


_X_SLIPS = (
    Slip("not-centered", _NOT_CENTERED, _VARIANCE, lambda g, x, eps: _through_v(g, x, eps, centered=False)),
    Slip("eps-missing", "ε is forgotten on the way back", _EPS, lambda g, x, eps: _through_v(g, x, 0.0)),
    Slip("local-derivative-missing", _STRAIGHT, _CHAIN, lambda g, x, eps: _variance_back(g, x)),
    Slip("power-unchanged", _UNCHANGED, _POWER, lambda g, x, eps: _through_v(g, x, eps, -0.5)),
    Slip("variance-path-missing", _HANDED_ON, _VARIANCE, _to_every_entry),
)

INVERSE_ROOT_BACKWARD = Exercise(
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
        gradient_check("inverse_root_backward", _inverse_root, {"v": _ROOT_SLIPS}, _variances),
        gradient_check("inverse_deviation_backward", _inverse_deviation, {"x": _X_SLIPS}, _padded_tables),
    ),
)


def _layer_cases(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case(RANDOM, (random_table(generator, 3, 5), *gamma_and_beta(generator, 5), 0.3)),
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

LAYER_NORM_BACKWARD = Exercise(
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
        gradient_check("layer_norm_backward", _layer_norm, {"x": (), "gamma": _GAMMA_SLIPS, "beta": ()}, _layer_cases),
    ),
)
