"""Exercises 21 to 24: what γ and β undo, running statistics, RMS norm backward, what evaluation never reaches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ....functional import batch_norm, rms_norm
from ....nn import BatchNorm1d
from ...lecture.norm_formula import BATCH, LAYER, normalize, x_hat
from ...lecture.steps.step_9_scale_and_shift import best_fit
from ..cases import LECTURE, RANDOM, Case, Floats, gamma_and_beta, outputs_table, random_table
from ..checked_gradients import gradient_check
from ..checked_values import Slip, value_check
from ..exercise_parts import Exercise


def _tables(generator: np.random.Generator) -> Sequence[Case]:
    """Return tables with an ε; the large one shows where it stands."""
    return (
        Case(LECTURE, (outputs_table(), 1e-5)),
        Case("random data with a large eps", (random_table(generator, 7, 5), 0.5)),
    )


def _undoing(z: Floats, eps: float) -> tuple[Floats, Floats]:
    steps = normalize(Tensor(z), BATCH)
    return (steps.variance + eps).sqrt().numpy().ravel(), steps.mean.numpy().ravel()


_UNDO = "γ x̂ must be x − μ, and x̂ is (x − μ)/√(σ² + ε)"
_DOWN = "batch norm has the statistics of the columns: axis 0"
_N = "the variance of the norm divides by n"
_SHIFT = "where x̂ is 0, x is μ: β = μ"
_EPS_OUT = "ε is left out: this undoes a norm without it"
_DEFAULTS = "this is where γ and β start: they change nothing"
_SCALED_SHIFT = "μ/√(σ² + ε): β is added after γ has multiplied"
_INVERSE = "one over the right γ: this divides a second time"
_UNDO_SLIPS = {
    "γ that undoes batch norm": (
        Slip("eps-missing", _EPS_OUT, _UNDO, lambda z, e: z.std(0)),
        Slip("root-missing", "the root is missing: σ² + ε", _UNDO, lambda z, e: z.var(0) + e),
        Slip("eps-outside", "ε stands outside the root", _UNDO, lambda z, e: z.std(0) + e),
        Slip("inverse", _INVERSE, _UNDO, lambda z, e: (z.var(0) + e) ** -0.5),
        Slip("n-minus-one", "σ² is divided by n − 1", _N, lambda z, e: np.sqrt(z.var(0, ddof=1) + e)),
        Slip("rows", "one γ for each row", _DOWN, lambda z, e: np.sqrt(z.var(1) + e)),
        Slip("defaults", _DEFAULTS, _UNDO, lambda z, e: np.ones(z.shape[1])),
    ),
    "β that undoes batch norm": (
        Slip("sign", "−μ: this subtracts the mean a second time", _SHIFT, lambda z, e: -z.mean(0)),
        Slip("scaled", _SCALED_SHIFT, _SHIFT, lambda z, e: z.mean(0) / np.sqrt(z.var(0) + e)),
        Slip("rows", "one β for each row", _DOWN, lambda z, e: z.mean(1)),
        Slip("defaults", _DEFAULTS, _SHIFT, lambda z, e: np.zeros(z.shape[1])),
    ),
}


def _fitted(of: Callable[[Floats, float], Floats]) -> Callable[[Floats, float], tuple[Floats, Floats, Floats]]:
    """Return what fits γ and β of each feature to the table, given what it is made from."""

    def fit(z: Floats, eps: float) -> tuple[Floats, Floats, Floats]:
        found = [best_fit(x, y) for x, y in zip(of(z, eps).T, z.T, strict=True)]
        return (
            np.array([one.scale for one in found]),
            np.array([one.shift for one in found]),
            np.array([one.r_squared for one in found]),
        )

    return fit


_best = _fitted(lambda z, eps: x_hat(z, LAYER, eps))
_best_of_columns = _fitted(lambda z, eps: x_hat(z, BATCH, eps))


def _through_origin(z: Floats, eps: float) -> Floats:
    x = x_hat(z, LAYER, eps)
    return np.asarray((x * z).sum(0) / (x * x).sum(0))


def _other_way(z: Floats, eps: float) -> Floats:
    """Return the slope of x̂ by z."""
    x, y = x_hat(z, LAYER, eps), z - z.mean(0)
    return np.asarray((y * x).sum(0) / (y * y).sum(0))


def _left(z: Floats, eps: float) -> Floats:
    gamma, beta, _ = _best(z, eps)
    return np.asarray(((x_hat(z, LAYER, eps) * gamma + beta - z) ** 2).sum(0))


_TWO = "fit γ and β together: a column of x̂ and a column of ones"
_ALONG = "x̂ is layer norm's: along each row"
_WHOLE = "the columns of x̂ do not have mean 0: layer norm gives that to the rows"
_R = "R² = 1 − Σ (γ x̂ + β − z)² / Σ (z − mean of the column)²"
_BY_COLUMNS = "fitted to batch norm's x̂"
_FIT_SLIPS = {
    "γ nearest to undoing layer norm": (
        Slip("no-shift", "fitted without β: through the origin", _TWO, _through_origin),
        Slip("columns", _BY_COLUMNS, _ALONG, lambda z, e: _best_of_columns(z, e)[0]),
        Slip("other-way", "x̂ is fitted to z, not z to x̂", "γ multiplies x̂, and gives z", _other_way),
        Slip("columns-sigma", "the deviation of each column, as for batch norm", _ALONG, lambda z, e: z.std(0)),
    ),
    "β nearest to undoing layer norm": (
        Slip("mean", "the mean of z", _WHOLE, lambda z, e: z.mean(0)),
        Slip("zero", "zero", _TWO, lambda z, e: np.zeros(z.shape[1])),
    ),
    "R² of each feature": (
        Slip("one-minus", "1 − R²: what is left, not what is explained", _R, lambda z, e: 1 - _best(z, e)[2]),
        Slip("r", "R, not R²", _R, lambda z, e: np.sqrt(_best(z, e)[2])),
        Slip("around-zero", "the total is taken around 0", _R, lambda z, e: 1 - _left(z, e) / (z**2).sum(0)),
        Slip("one", "1: all of it", "rows 2 and 3 of the table have become one row", lambda z, e: np.ones(z.shape[1])),
        Slip("squares", "the squared errors that are left", _R, _left),
    ),
}

UNDO_A_NORM = Exercise(
    number=21,
    slug="undo-a-norm",
    title="Undo a norm by γ and β",
    statement="""
After the norm comes y = γ x̂ + β, with a γ and a β for each feature. Can they give back what
the norm has taken?

For batch norm they can, exactly: find the γ and β. For layer norm they cannot, because each
row has lost a mean and a deviation of its own: rows 2 and 3 of the lecture's table come out
as one row. Then find the γ and β that come nearest, by least squares for each feature, and
tell by R² how much of the feature they give back (1 would be all of it).
""",
    functions='''
def undo_batch_norm(z, eps):
    """
    Return γ and β for which batch norm of z, with this eps, is z again.

    Given:  z    array (rows, features)
            eps  a number, at least 0
    Return: gamma, beta  arrays (features,)

    >>> undo_batch_norm(np.array([[1.0], [5.0]]), 5.0)
    (array([3.]), array([3.]))
    """
    return np.sqrt(z.var(axis=0) + eps), z.mean(axis=0)


def nearest_to_layer_norm(z, eps):
    """
    Return the γ and β that bring layer norm of z nearest to z, and how much that is.

    Given:  z    array (rows, features)
            eps  a number, at least 0
    Return: gamma, beta, r_squared  arrays (features,)

    >>> z = np.array([[1.0, 5.0], [5.0, 1.0], [1.0, 5.0]])
    >>> [part.round(6).tolist() for part in nearest_to_layer_norm(z, 0.0)]
    [[2.0, 2.0], [3.0, 3.0], [1.0, 1.0]]
    """
    x_hat = (z - z.mean(axis=1, keepdims=True)) / np.sqrt(z.var(axis=1, keepdims=True) + eps)
    x, y = x_hat - x_hat.mean(axis=0), z - z.mean(axis=0)
    gamma = (x * y).sum(axis=0) / (x * x).sum(axis=0)
    beta = z.mean(axis=0) - gamma * x_hat.mean(axis=0)
    left = ((gamma * x_hat + beta - z) ** 2).sum(axis=0)
    return gamma, beta, 1 - left / (y * y).sum(axis=0)
''',
    hints=(
        "Write x̂ = (z − μ)/√(σ² + ε) and solve γ x̂ + β = z for all z of the column: what must multiply x̂, and "
        "what must be added?",
        "For layer norm, take one feature: a column of x̂ and a column of z. The best line through the points "
        "(x̂, z) has the slope γ and the intercept β.",
        "With x = x̂ − its column's mean and y = z − its column's mean: γ = Σ x y / Σ x², β = mean(z) − γ mean(x̂), "
        "R² = 1 − Σ (γ x̂ + β − z)² / Σ y².",
    ),
    checks=(
        value_check("undo_batch_norm", _tables, _undoing, _UNDO_SLIPS),
        value_check("nearest_to_layer_norm", _tables, _best, _FIT_SLIPS),
    ),
)


def _batches(generator: np.random.Generator) -> Sequence[Case]:
    several = np.stack([random_table(generator, 7, 3) for _ in range(4)])
    return (
        Case("the lecture's table, once", (outputs_table()[None], 0.1)),
        Case("the lecture's table, ten times", (np.stack([outputs_table()] * 10), 0.1)),
        Case("random batches", (several, 0.3)),
    )


def _kept(batches: Floats, momentum: float) -> tuple[Floats, Floats]:
    layer = BatchNorm1d(batches.shape[-1], momentum=momentum)
    for batch in batches:
        layer(batch)
    assert layer.running_mean is not None
    assert layer.running_var is not None
    return layer.running_mean.numpy(), layer.running_var.numpy()


def _moved(values: Floats, momentum: float, start: float | None = None) -> Floats:
    """Return the running value of (batch, features), from a start; from the first batch if there is none."""
    kept = values[0] if start is None else np.full(values.shape[1:], start)
    for value in values:
        kept = (1 - momentum) * kept + momentum * value
    return np.asarray(kept)


def _variances(batches: Floats, ddof: int = 1) -> Floats:
    return np.asarray(batches.var(axis=1, ddof=ddof))


_RULE = "each batch moves them by a share: (1 − m) · old + m · new"
_START = "they start at mean 0 and variance 1, before any batch"
_UNBIASED = "the variance that is kept estimates that of all rows there may be: divide by n − 1"
_EXCHANGED = "m and 1 − m are exchanged"
_AVERAGE = "the average over the batches: each counts alike"
_LAST = "the statistics of the last batch alone"
_FROM_FIRST = "starts from the first batch"
_DEVIATION = "the deviation is kept, not the variance"
_RUNNING_SLIPS = {
    "running mean": (
        Slip("exchanged", _EXCHANGED, _RULE, lambda b, m: _moved(b.mean(1), 1 - m, 0.0)),
        Slip("average", _AVERAGE, _RULE, lambda b, m: b.mean((0, 1))),
        Slip("last", _LAST, _RULE, lambda b, m: b[-1].mean(0)),
        Slip("start", _FROM_FIRST, _START, lambda b, m: _moved(b.mean(1), m)),
        Slip("start-one", "starts at 1, which is for the variance", _START, lambda b, m: _moved(b.mean(1), m, 1.0)),
    ),
    "running variance": (
        Slip(
            "biased", "the batch's variance is divided by n", _UNBIASED, lambda b, m: _moved(_variances(b, 0), m, 1.0)
        ),
        Slip("exchanged", _EXCHANGED, _RULE, lambda b, m: _moved(_variances(b), 1 - m, 1.0)),
        Slip("start-zero", "starts at 0, which is for the mean", _START, lambda b, m: _moved(_variances(b), m, 0.0)),
        Slip("start", _FROM_FIRST, _START, lambda b, m: _moved(_variances(b), m)),
        Slip("average", _AVERAGE, _RULE, lambda b, m: _variances(b).mean(0)),
        Slip("last", _LAST, _RULE, lambda b, m: _variances(b)[-1]),
        Slip("deviation", _DEVIATION, "σ² is kept", lambda b, m: _moved(b.std(1, ddof=1), m, 1.0)),
    ),
}


def _in_use(generator: np.random.Generator) -> Sequence[Case]:
    x = random_table(generator, 5, 3)
    mean, variance = generator.uniform(-2, 2, 3), generator.uniform(1.5, 4.0, 3)
    return (
        Case("one row", (x[:1], mean, variance, *gamma_and_beta(generator, 3), 0.5)),
        Case("five rows", (x, mean, variance, *gamma_and_beta(generator, 3), 0.5)),
    )


def _evaluated(x: Floats, mean: Floats, variance: Floats, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return batch_norm(Tensor(x), Tensor(mean), Tensor(variance), gamma, beta, training=False, eps=eps).numpy()


_KEPT = "in evaluation nothing is taken from the rows at hand: use the running statistics"
_UNDER = "(x − mean)/√(variance + ε)"
_AFFINE = "y = γ x̂ + β"
_EVALUATION_SLIPS = (
    Slip("batch", "the statistics of the rows at hand", _KEPT, lambda x, m, v, g, b, e: x_hat(x, BATCH, e) * g + b),
    Slip("root-missing", "the root is missing", _UNDER, lambda x, m, v, g, b, e: (x - m) / (v + e) * g + b),
    Slip("eps-missing", "ε is missing", _UNDER, lambda x, m, v, g, b, e: (x - m) / np.sqrt(v) * g + b),
    Slip(
        "eps-outside", "ε stands outside the root", _UNDER, lambda x, m, v, g, b, e: (x - m) / (np.sqrt(v) + e) * g + b
    ),
    Slip("gamma-and-beta-missing", "γ and β are missing", _AFFINE, lambda x, m, v, g, b, e: (x - m) / np.sqrt(v + e)),
    Slip("swapped", "γ and β are exchanged", _AFFINE, lambda x, m, v, g, b, e: (x - m) / np.sqrt(v + e) * b + g),
)

RUNNING_STATISTICS = Exercise(
    number=22,
    slug="running-statistics",
    title="Running statistics by hand",
    statement="""
In use there may be a single row, which has no deviation. So while it is trained, batch norm
keeps a mean and a variance for later. They start at 0 and 1, and each batch moves them by a
share, the momentum m:

    running mean     = (1 − m) running mean     + m μ
    running variance = (1 − m) running variance + m s²        s² = Σ (x − μ)²/(n − 1)

s² divides by n − 1, as one does to estimate from a sample; what normalizes the batch itself
divides by n. In evaluation the running statistics take the place of those of the batch.
""",
    functions='''
def running_statistics(batches, momentum):
    """
    Return running mean and running variance after these batches, in their order.

    Given:  batches   array (batches, rows, features)
            momentum  a number between 0 and 1
    Return: mean, variance  arrays (features,)

    >>> mean, variance = running_statistics(np.array([[[2.0], [6.0]]]), 0.5)
    >>> mean, variance
    (array([2.]), array([4.5]))
    """
    mean, variance = np.zeros(batches.shape[-1]), np.ones(batches.shape[-1])
    for batch in batches:
        mean = (1 - momentum) * mean + momentum * batch.mean(axis=0)
        variance = (1 - momentum) * variance + momentum * batch.var(axis=0, ddof=1)
    return mean, variance


def evaluate(x, mean, variance, gamma, beta, eps):
    """
    Return batch norm of x in evaluation.

    Given:  x            array (rows, features)
            mean, variance, gamma, beta  arrays (features,); the first two are the running ones
            eps          a number above 0
    Return: array (rows, features)

    >>> one = np.array([1.0])
    >>> evaluate(7 * one[None], mean=one, variance=3 * one, gamma=2 * one, beta=10 * one, eps=1.0)
    array([[16.]])
    """
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta
''',
    hints=(
        "Begin with np.zeros and np.ones of the length of a row, and go through the batches one by one.",
        "Of the new value a share m is taken, of the old one the rest: (1 - momentum) * mean + momentum * "
        "batch.mean(0).",
        "batch.var(axis=0, ddof=1) divides by n − 1. In evaluation x needs no statistic of its own: "
        "γ (x − mean)/√(variance + ε) + β.",
    ),
    checks=(
        value_check("running_statistics", _batches, _kept, _RUNNING_SLIPS),
        value_check("evaluate", _in_use, _evaluated, {"evaluation": _EVALUATION_SLIPS}),
    ),
)


def _rms_cases(generator: np.random.Generator) -> Sequence[Case]:
    gamma = gamma_and_beta(generator, 5)[0]
    return (
        Case("random data with a large eps", (random_table(generator, 7, 5), gamma, 0.5)),
        Case(LECTURE, (outputs_table(), gamma_and_beta(generator, 3)[0], 1e-5)),
    )


def _rms(x: Any, gamma: Any, eps: float) -> Tensor:
    return rms_norm(Tensor(x), x.shape[1], gamma, eps)


def _forward(x: Floats, gamma: Floats, eps: float) -> Floats:
    return _rms(x, gamma, eps).numpy()


def _over_root(x: Floats, eps: float, axis: int = 1) -> Floats:
    return np.asarray(x / np.sqrt((x**2).mean(axis, keepdims=True) + eps))


_MEAN_SQUARE = "y = γ x/√(mean(x²) + ε), with the mean over the features of the row"
_LAYER = "the mean is subtracted: that is layer norm"
_LENGTH = "divided by the length of the row, √(Σ x²): the 1/n is missing"
_MEAN_KEPT = "the deviation is divided by, not the root of the mean square"
_RMS_SLIPS = (
    Slip("centered", _LAYER, _MEAN_SQUARE, lambda x, g, e: x_hat(x, LAYER, e) * g),
    Slip("deviation", _MEAN_KEPT, _MEAN_SQUARE, lambda x, g, e: x / np.sqrt(x.var(1, keepdims=True) + e) * g),
    Slip("length", _LENGTH, _MEAN_SQUARE, lambda x, g, e: x / np.sqrt((x**2).sum(1, keepdims=True) + e) * g),
    Slip("columns", "the mean runs down the columns", _MEAN_SQUARE, lambda x, g, e: _over_root(x, e, 0) * g),
    Slip(
        "root-missing", "the root is missing", _MEAN_SQUARE, lambda x, g, e: x / ((x**2).mean(1, keepdims=True) + e) * g
    ),
    Slip("eps-missing", "ε is missing", _MEAN_SQUARE, lambda x, g, e: _over_root(x, 0.0) * g),
    Slip("gamma-missing", "γ is missing", _MEAN_SQUARE, lambda x, g, e: _over_root(x, e)),
)


def _back(c: Floats, x: Floats, gamma: Floats, eps: float, *, center: bool = False, total: bool = False) -> Floats:
    """Return the gradient of x from the cotangent c: right, with a mean that RMS norm lacks, or with a sum for one."""
    r, unit, h = 1 / np.sqrt((x**2).mean(1, keepdims=True) + eps), _over_root(x, eps), c * gamma
    along = (h * unit).sum(1, keepdims=True) / (1 if total else x.shape[1])
    return np.asarray(r * (h - unit * along - (h.mean(1, keepdims=True) if center else 0.0)))


def _layer_back(c: Floats, x: Floats, gamma: Floats, eps: float) -> Floats:
    r, unit, h = 1 / np.sqrt(x.var(1, keepdims=True) + eps), x_hat(x, LAYER, eps), c * gamma
    return np.asarray(r * (h - h.mean(1, keepdims=True) - unit * (h * unit).mean(1, keepdims=True)))


def _square_detached(c: Floats, x: Floats, gamma: Floats, eps: float) -> Floats:
    return np.asarray(c * gamma / np.sqrt((x**2).mean(1, keepdims=True) + eps))


_TWO_WAYS = "two ways lead from x: directly, and through the mean square; there is no mean to go through"
_CONSTANT = "the mean square is treated as a constant: what flows through it is missing"
_CENTERED_BACK = "the mean of h is subtracted, as in layer norm"
_SUMMED = "the sum of h x̂ is taken, not its mean"
_GRADIENT = "r (h − x̂ mean(h x̂)) with h = γ g, r = 1/√(mean(x²) + ε) and x̂ = x r"
_BACK_SLIPS = {
    "x": (
        Slip("constant", _CONSTANT, _TWO_WAYS, _square_detached),
        Slip("centered", _CENTERED_BACK, _TWO_WAYS, lambda c, *a: _back(c, *a, center=True)),
        Slip("layer-norm", "this is the gradient of layer norm", _TWO_WAYS, _layer_back),
        Slip("sum", _SUMMED, _GRADIENT, lambda c, *a: _back(c, *a, total=True)),
        Slip("gamma-missing", "γ is missing on the way to x", _GRADIENT, lambda c, x, w, e: _back(c, x, w**0, e)),
        Slip("eps-missing", "ε is missing", _GRADIENT, lambda c, x, w, e: _back(c, x, w, 0.0)),
    ),
    "gamma": (
        Slip("not-divided", "multiplied by x, not by x̂", _AFFINE, lambda c, x, w, e: (c * x).sum(0)),
        Slip("centered", "x̂ of layer norm", _MEAN_SQUARE, lambda c, x, w, e: (c * x_hat(x, LAYER, e)).sum(0)),
        Slip("gamma-twice", "multiplied by γ", _AFFINE, lambda c, x, w, e: (c * w * _over_root(x, e)).sum(0)),
        Slip("mean", "the mean over the rows, not the sum", _AFFINE, lambda c, x, w, e: (c * _over_root(x, e)).mean(0)),
    ),
}

RMS_NORM_BACKWARD = Exercise(
    number=23,
    slug="rms-norm-backward",
    title="RMS norm, forward and backward",
    statement="""
RMS norm (Zhang & Sennrich 2019) divides each row by the root of its mean square, subtracts
nothing and adds nothing:

    x̂ = x/√(mean(x²) + ε)        y = γ x̂

Backward there is one way less than in layer norm: an entry of x matters as itself, and
through the mean square of its row. In one line it looks like exercise 10 with something
left out. Test it without a difference quotient: each row of the gradient of x is (almost)
orthogonal to x, but it need not sum to 0.
""",
    functions='''
def rms_norm(x, gamma, eps):
    """
    Return RMS norm of each row.

    Given:  x      array (rows, features)
            gamma  array (features,)
            eps    a number above 0
    Return: array (rows, features)

    >>> rms_norm(np.array([[1.0, 7.0]]), np.array([1.0, 2.0]), 11.0).round(6)
    array([[0.166667, 2.333333]])
    """
    return gamma * x / np.sqrt((x**2).mean(axis=1, keepdims=True) + eps)


def rms_norm_backward(g, x, gamma, eps):
    """
    Return the gradients of x and gamma.

    Given:  g      array (rows, features), the incoming gradient of the output
            x, gamma, eps  as above
    Return: two arrays of the shapes of x and gamma

    >>> g, x = np.array([[6.0, 0.0]]), np.array([[1.0, 7.0]])
    >>> dx, dgamma = rms_norm_backward(g, x, np.ones(2), 11.0)
    >>> dx.round(6), dgamma
    (array([[ 0.986111, -0.097222]]), array([1., 0.]))
    """
    r = 1 / np.sqrt((x**2).mean(axis=1, keepdims=True) + eps)
    x_hat, h = x * r, g * gamma
    return r * (h - x_hat * (h * x_hat).mean(axis=1, keepdims=True)), (g * x_hat).sum(axis=0)
''',
    hints=(
        "γ is exercise 6 again: it receives g x̂, summed over the rows. What flows back to x̂ is h = γ g.",
        "With r = 1/√(mean(x²) + ε): directly comes r h. Through r comes, for each entry, x/n times −r³ Σ (h x): the "
        "derivative of v^(−1/2) is −1/2 v^(−3/2), and of the mean square 2 x/n.",
        "Together r (h − x̂ mean(h x̂)), which is exercise 10 without mean(h).",
    ),
    checks=(
        value_check("rms_norm", _rms_cases, _forward, {"forward": _RMS_SLIPS}),
        gradient_check("rms_norm_backward", _rms, _BACK_SLIPS, _rms_cases),
    ),
)


def _whole_tables(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case(LECTURE, (outputs_table(),)),
        Case(RANDOM, (random_table(generator, 7, 5),)),
        Case("random data of two rows", (random_table(generator, 2, 3),)),
    )


def _limit(z: Floats) -> Floats:
    return x_hat(z, BATCH, ddof=1)


def _first_batch(z: Floats) -> Floats:
    mean, variance = _kept(z[None], 0.1)
    return np.asarray((z - mean) / np.sqrt(variance))


_SAMPLE = "the running variance is made of s², which divides by n − 1"
_ENDLESS = "of the start (0, 1) nothing is left after batches without end"
_LIMIT_SLIPS = (
    Slip("training", "this is what training gives: σ² divides by n", _SAMPLE, lambda z: x_hat(z, BATCH)),
    Slip("first", "this is evaluation after one batch", _ENDLESS, _first_batch),
    Slip("rows", "normalized along the rows", _DOWN, lambda z: x_hat(z, LAYER, ddof=1)),
    Slip("not-centered", "the mean is not subtracted", "(x − μ)/s", lambda z: z / z.std(0, ddof=1)),
    Slip("variance", "divided by s²: the root is missing", "(x − μ)/s", lambda z: (z - z.mean(0)) / z.var(0, ddof=1)),
)


def _counts(_: np.random.Generator) -> Sequence[Case]:
    return tuple(Case(f"n = {n}", (n,)) for n in (2, 5, 32, 1000))


def _factor(n: int) -> float:
    return math.sqrt(n / (n - 1))


_RATIO = "training divides by σ = √(Σ/n), evaluation by s = √(Σ/(n − 1)): s/σ = √(n/(n − 1))"
_FACTOR_SLIPS = (
    Slip("inverse", "one over it: evaluation by training", "asked is training by evaluation", lambda n: 1 / _factor(n)),
    Slip("root-missing", "n/(n − 1): the root is missing", _RATIO, lambda n: n / (n - 1)),
    Slip("n-plus-one", "√((n + 1)/n)", _RATIO, lambda n: math.sqrt((n + 1) / n)),
    Slip("none", "1: no gap at all", _RATIO, lambda n: 1.0),
)


def _shares(generator: np.random.Generator) -> Sequence[Case]:
    # The middle between two counts: rounding decides nothing.
    counts = (2, 51, *map(int, generator.integers(60, 900, 3)))
    shares = [(_factor(n) + (_factor(n - 1) if n > 2 else 2.0)) / 2 - 1 for n in counts]
    return tuple(Case(f"a gap of {share:.3%}", (share,)) for share in shares)


def _enough(share: float) -> int:
    most = (1 + share) ** 2
    return math.ceil(most / (most - 1))


_SQUARED = "√(n/(n − 1)) ≤ 1 + gap, squared: n ≥ (1 + gap)²/((1 + gap)² − 1)"
_ENOUGH_SLIPS = (
    Slip("too-many", "one row too many", "the smallest number that is enough", lambda s: _enough(s) + 1),
    Slip("too-few", "one row too few: rounded down", "with it the gap is still larger", lambda s: _enough(s) - 1),
    Slip("root-missing", "enough for n/(n − 1): the root is missing", _SQUARED, lambda s: math.ceil((1 + s) / s)),
    Slip("not-rounded", "not a whole number of rows", "round up", lambda s: (1 + s) ** 2 / ((1 + s) ** 2 - 1)),
)

EVALUATION_GAP = Exercise(
    number=24,
    slug="evaluation-gap",
    title="What evaluation can never reach",
    statement="""
Train batch norm on one table, the same batch again and again. Its running statistics come
nearer and nearer to something, and evaluation to something with them, but not to what
training gives: the running variance divides by n − 1, training by n.

For the lecture's table the 7 in the first row is 1.185854 in training and tends to 1.060660
in evaluation. Find the limit for any table (γ = 1, β = 0, ε = 0), the factor that stays
between the two, and the number of rows from which on the factor is as near to 1 as asked.
""",
    functions='''
def limit_of_evaluation(z):
    """
    Return what evaluation makes of z after z itself has been the batch without end.

    Given:  z  array (rows, features); no column is constant
    Return: array (rows, features)

    >>> limit_of_evaluation(np.array([[1.0], [3.0]])).round(6)
    array([[-0.707107],
           [ 0.707107]])
    """
    return (z - z.mean(axis=0)) / z.std(axis=0, ddof=1)


def factor_between(n):
    """
    Return how many times larger the values of training are than those of that limit.

    Given:  n  how many rows, at least 2
    Return: a number

    >>> print(round(factor_between(5), 6))
    1.118034
    """
    return np.sqrt(n / (n - 1))


def rows_needed(gap):
    """
    Return the smallest number of rows for which the factor is at most 1 + gap.

    Given:  gap  a number above 0, such as 0.01
    Return: a whole number, at least 2

    >>> rows_needed(0.12)
    5
    """
    most = (1 + gap) ** 2
    return int(np.ceil(most / (most - 1)))
''',
    hints=(
        "After many batches nothing of the start is left: the running mean is μ, the running variance s² = Σ (x − μ)²/"
        "(n − 1).",
        "Training: (x − μ)/σ with n. Evaluation: (x − μ)/s with n − 1. Divide the one by the other: the sums cancel.",
        "√(n/(n − 1)) ≤ 1 + gap. Square both sides and solve for n; then round up with np.ceil.",
    ),
    checks=(
        value_check("limit_of_evaluation", _whole_tables, _limit, {"limit": _LIMIT_SLIPS}),
        value_check("factor_between", _counts, _factor, {"factor": _FACTOR_SLIPS}),
        value_check("rows_needed", _shares, _enough, {"rows": _ENOUGH_SLIPS}),
    ),
)
