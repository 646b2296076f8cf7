"""Exercise 11: batch norm that leaves the pads out, forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ....engine.tensor import Tensor
from ....functional import batch_norm
from ..answers import Floats
from ..data import PADDED, RANDOM, factors, padded_table, real_positions, spread
from ..exercise import Asked, Case, Exercise, Slip
from ..gradients import gradient_check
from ..values import value_check

Mask = npt.NDArray[np.bool_]

_MASK = np.array([True, False, True, True, False, True, True])


def _cases(generator: np.random.Generator) -> Sequence[Case]:
    return (
        # What stands in these pads is not zero: a mask must not count on that.
        Case(
            f"{RANDOM}, pads included",
            (spread(generator, 7, 3), _MASK, factors(generator, 3), factors(generator, 3), 0.5),
        ),
        Case(PADDED, (padded_table(), real_positions(), factors(generator, 3), factors(generator, 3), 1e-5)),
    )


def _without_pads(generator: np.random.Generator) -> Sequence[Case]:
    """Plain batch norm, whose mistakes have names."""
    plain = spread(generator, 5, 3), np.ones(5, dtype=bool), factors(generator, 3), factors(generator, 3), 0.5
    return (Case("random data without pads", plain),)


def _tensor(x: Any, real: Any, gamma: Any, beta: Any, eps: float) -> Tensor:
    return batch_norm(Tensor(x), weight=gamma, bias=beta, eps=eps, mask=real)


def _expected(x: Floats, real: Mask, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return _tensor(x, real, gamma, beta, eps).numpy()


def _with(
    x: Floats, statistics: Floats, gamma: Floats, beta: Floats, eps: float, ddof: int = 0, axis: int = 0
) -> Floats:
    """Return x normalized by the statistics of other rows."""
    mean, variance = statistics.mean(axis, keepdims=True), statistics.var(axis, ddof=ddof, keepdims=True)
    return np.asarray((x - mean) / np.sqrt(variance + eps) * gamma + beta)


def _zeroed_sums(x: Floats, real: Mask, gamma: Floats, beta: Floats, eps: float) -> Floats:
    kept = np.where(real[:, None], x, 0.0)
    return np.where(real[:, None], _with(x, kept, gamma, beta, eps), 0.0)


_PADS_OUT = "pads must not enter μ and σ²: take them over x[real] only, and divide by the number of real rows"
_ZERO = "the output of a pad is 0: np.where(real[:, None], y, 0)"

_SLIPS = (
    Slip("pads-in", "the pads enter the statistics", _PADS_OUT,
         lambda x, m, g, b, e: np.where(m[:, None], _with(x, x, g, b, e), 0.0)),
    Slip("pads-in-and-out", "the pads enter the statistics, and their output is not 0", _PADS_OUT + "; " + _ZERO,
         lambda x, m, g, b, e: _with(x, x, g, b, e)),
    Slip("pads-as-zeros", "the pads are set to 0 but still counted", _PADS_OUT, _zeroed_sums),
    Slip("pads-not-zero", "the output of the pads is not 0", _ZERO,
         lambda x, m, g, b, e: _with(x, x[m], g, b, e)),
    Slip("pads-beta", "the output of the pads is β", "set pads to 0 after β is added, not before",
         lambda x, m, g, b, e: np.where(m[:, None], _with(x, x[m], g, b, e), b)),
    Slip("n-minus-one", "the variance is divided by n − 1 in place of n", "divide by the number of real rows",
         lambda x, m, g, b, e: np.where(m[:, None], _with(x, x[m], g, b, e, ddof=1), 0.0)),
    Slip("eps-missing", "ε is missing", "(x − μ)/√(σ² + ε)",
         lambda x, m, g, b, e: np.where(m[:, None], _with(x, x[m], g, b, 0.0), 0.0)),
    Slip("inverted-mask", "the mask is inverted: real is True at words", "x[real] are the words",
         lambda x, m, g, b, e: np.where(~m[:, None], _with(x, x[~m], g, b, e), 0.0)),
    Slip("rows", "normalized along the rows: that is layer norm", "batch norm goes down the columns",
         lambda x, m, g, b, e: np.where(m[:, None], _with(x, x, g, b, e, axis=1), 0.0)),
    Slip("words-only", "the pads are left out of the result", "the output has the shape of x, with 0 at the pads",
         lambda x, m, g, b, e: _with(x[m], x[m], g, b, e)),
)  # fmt: skip

_NO_PADS_BACK = "statistics and sums on the way back run over the real rows only, and divide by their number"


def _dx(g: Floats, x: Floats, gamma: Floats, eps: float, rows: Mask, divisor: int | None = None) -> Floats:
    """Return the gradient of x when ``rows`` enter the statistics and the means of h divide by ``divisor``."""
    r = 1 / np.sqrt(x[rows].var(axis=0) + eps)
    x_hat = (x - x[rows].mean(axis=0)) * r
    h = g * gamma
    n = divisor or int(rows.sum())
    return np.asarray(r * (h - h[rows].sum(axis=0) / n - x_hat * (h * x_hat)[rows].sum(axis=0) / n))


def _gamma_sum(g: Floats, x: Floats, statistics: Mask, rows: Mask, eps: float) -> Floats:
    x_hat = (x - x[statistics].mean(axis=0)) / np.sqrt(x[statistics].var(axis=0) + eps)
    return np.asarray((g * x_hat)[rows].sum(axis=0))


def _everywhere(real: Mask) -> Mask:
    return np.ones_like(real)


_X_SLIPS = (
    Slip("pads-in", "the pads enter the statistics", _NO_PADS_BACK,
         lambda g, x, m, gamma, beta, eps: np.where(
             m[:, None], _dx(np.where(m[:, None], g, 0.0), x, gamma, eps, _everywhere(m)), 0.0)),
    Slip("pads-in", "the pads enter the statistics and send their g back", _NO_PADS_BACK,
         lambda g, x, m, gamma, beta, eps: _dx(g, x, gamma, eps, _everywhere(m))),
    Slip("wrong-n", "the means divide by all positions, pads included", _NO_PADS_BACK,
         lambda g, x, m, gamma, beta, eps: np.where(m[:, None], _dx(g, x, gamma, eps, m, len(x)), 0.0)),
    Slip("pads-receive", "the pads receive a gradient, which must be 0", "a pad's x enters nothing: its gradient is 0",
         lambda g, x, m, gamma, beta, eps: _dx(g, x, gamma, eps, m)),
    Slip("inverted-mask", "the mask is inverted: real is True at words", "x[real] are the words",
         lambda g, x, m, gamma, beta, eps: np.where(~m[:, None], _dx(g, x, gamma, eps, ~m), 0.0)),
)  # fmt: skip
_GAMMA_SLIPS = (
    Slip("pads-send", "the g of the pads is summed as well", "the output of a pad is always 0: its g does not count",
         lambda g, x, m, gamma, beta, eps: _gamma_sum(g, x, m, _everywhere(m), eps)),
    Slip("pads-in", "the pads enter the statistics of x̂", _NO_PADS_BACK,
         lambda g, x, m, gamma, beta, eps: _gamma_sum(g, x, _everywhere(m), m, eps)),
    Slip("pads-in", "the pads enter the statistics of x̂ and send their g back", _NO_PADS_BACK,
         lambda g, x, m, gamma, beta, eps: _gamma_sum(g, x, _everywhere(m), _everywhere(m), eps)),
    Slip("not-normalized", "multiplied by x, not by x̂", "y = γ x̂ + β: the factor beside γ is x̂",
         lambda g, x, m, gamma, beta, eps: (g * x)[m].sum(axis=0)),
)  # fmt: skip
_BETA_SLIPS = (
    Slip("pads-send", "the g of the pads is summed as well", "the output of a pad is always 0: its g does not count",
         lambda g, x, m, gamma, beta, eps: g.sum(axis=0)),
    Slip("sum-as-mean", "the mean of g, not its sum", "every real row sends its g back to the one β: they add up",
         lambda g, x, m, gamma, beta, eps: g[m].mean(axis=0)),
)  # fmt: skip
_BACKWARD_SLIPS = {"gradient of x": _X_SLIPS, "gradient of gamma": _GAMMA_SLIPS, "gradient of beta": _BETA_SLIPS}

EXERCISE = Exercise(
    number=11,
    slug="masked-batch-norm",
    title="Masked batch norm, forward and backward",
    statement="""
The notes' case against batch norm is that pads spoil its statistics. A mask answers it:
take μ and σ² of each column over the real rows only, n of them, normalize those, and give
the pads 0.

    y = γ (x − μ)/√(σ² + ε) + β  at real rows,        y = 0  at pads

Backward, a pad neither sends nor receives anything: its y is always 0, whatever its
gradient g says, and its x enters nothing.
""",
    asked=(
        Asked(
            "masked_batch_norm(x, real, gamma, beta, eps)",
            """
Return batch norm of the real rows, 0 at the pads.

Given:  x            array (positions, features); anything may stand in the pads
        real         boolean array (positions,), True at words, False at pads
        gamma, beta  arrays (features,)
        eps          a number above 0
Return: array (positions, features)

>>> x, real = np.array([[1.0], [3.0], [99.0]]), np.array([True, True, False])
>>> masked_batch_norm(x, real, np.array([2.0]), np.array([10.0]), 3.0)
array([[ 9.],
       [11.],
       [ 0.]])
""",
        ),
        Asked(
            "masked_batch_norm_backward(g, x, real, gamma, beta, eps)",
            """
Return the gradients of x, gamma and beta.

Given:  g        array (positions, features), the incoming gradient of the output, not 0 at pads
        x, real, gamma, beta, eps  as above
Return: three arrays of the shapes of x, gamma and beta

>>> x, real = np.array([[1.0], [3.0], [99.0]]), np.array([True, True, False])
>>> g = np.array([[4.0], [0.0], [7.0]])
>>> dx, *others = masked_batch_norm_backward(g, x, real, np.array([1.0]), np.array([0.0]), 3.0)
>>> dx.ravel() + 0.0, *others
(array([ 0.75, -0.75,  0.  ]), array([-2.]), array([4.]))
""",
        ),
    ),
    hints=(
        "x[real] is a smaller array with the words only: batch norm of it is exercise 2. y = np.zeros_like(x) and"
        " y[real] = … put the result back in its place.",
        "Backward does the same: h = g[real] and x[real] go through the backward pass of batch norm, the result "
        "is put into zeros at real. The g of a pad is never looked at.",
        "It is exercise 10 with axis=0: r (h − mean(h) − x̂ mean(h x̂)) with h = γ g, all over the real rows, and"
        " the means down the columns.",
    ),
    solution="""
def masked_batch_norm(x, real, gamma, beta, eps):
    words = x[real]
    y = np.zeros_like(x)
    y[real] = gamma * (words - words.mean(axis=0)) / np.sqrt(words.var(axis=0) + eps) + beta
    return y


def masked_batch_norm_backward(g, x, real, gamma, beta, eps):
    words, g = x[real], g[real]
    r = 1 / np.sqrt(words.var(axis=0) + eps)
    x_hat = (words - words.mean(axis=0)) * r
    h = g * gamma
    dx = np.zeros_like(x)
    dx[real] = r * (h - h.mean(axis=0) - x_hat * (h * x_hat).mean(axis=0))
    return dx, (g * x_hat).sum(axis=0), g.sum(axis=0)
""",
    checks=(
        value_check("masked_batch_norm", ("forward",), _cases, _expected, {"forward": _SLIPS}),
        gradient_check(
            "masked_batch_norm_backward",
            _tensor,
            ("x", "gamma", "beta"),
            _cases,
            slips=_BACKWARD_SLIPS,
            simpler=_without_pads,
        ),
    ),
)
