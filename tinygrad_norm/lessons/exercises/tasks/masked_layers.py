"""Exercises 11 and 12: batch norm that leaves the pads out, forward and backward; attention with both masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ....functional import batch_norm
from ....functional.attention import attention_weights
from ..cases import (
    PADDED,
    RANDOM,
    Case,
    Floats,
    Mask,
    embeddings,
    gamma_and_beta,
    padded_table,
    random_table,
    real_positions,
)
from ..checked_gradients import gradient_check
from ..checked_values import Slip, value_check
from ..exercise_parts import Exercise

_MASK = np.array([True, False, True, True, False, True, True])


def _padded_tables(generator: np.random.Generator) -> Sequence[Case]:
    return (
        # What stands in these pads is not zero: a mask must not count on that.
        Case(f"{RANDOM}, pads included", (random_table(generator, 7, 3), _MASK, *gamma_and_beta(generator, 3), 0.5)),
        Case(PADDED, (padded_table(), real_positions(), *gamma_and_beta(generator, 3), 1e-5)),
    )


def _without_pads(generator: np.random.Generator) -> Sequence[Case]:
    """Plain batch norm, whose mistakes have names."""
    plain = random_table(generator, 5, 3), np.ones(5, dtype=bool), *gamma_and_beta(generator, 3), 0.5
    return (Case("random data without pads", plain),)


def _batch_norm_tensor(x: Any, real: Any, gamma: Any, beta: Any, eps: float) -> Tensor:
    return batch_norm(Tensor(x), weight=gamma, bias=beta, eps=eps, mask=real)


def _batch_norm(x: Floats, real: Mask, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return _batch_norm_tensor(x, real, gamma, beta, eps).numpy()


def _at(real: Mask, values: Floats, pads: Any = 0.0) -> Floats:
    """Return values at the real positions and something else at the pads."""
    return np.where(real[:, None], values, pads)


def _normalized_with(
    statistics: Floats, x: Floats, gamma: Floats, beta: Floats, eps: float, ddof: int = 0, axis: int = 0
) -> Floats:
    """Return x normalized by the statistics of other rows."""
    mean, variance = statistics.mean(axis, keepdims=True), statistics.var(axis, ddof=ddof, keepdims=True)
    return np.asarray((x - mean) / np.sqrt(variance + eps) * gamma + beta)


_PADS_OUT = "pads must not enter μ and σ²: take them over x[real] only, and divide by the number of real rows"
_ZERO = "the output of a pad is 0: np.where(real[:, None], y, 0)"
_PADS_IN = "the pads enter the statistics"
_PADS_IN_AND_OUT = f"{_PADS_IN}, and their output is not 0"
_COUNTED = "the pads are set to 0 but still counted"
_IS_BETA, _BETA_FIRST = "the output of the pads is β", "set pads to 0 after β is added, not before"
_N_MINUS_ONE, _NUMBER = "the variance is divided by n − 1 in place of n", "divide by the number of real rows"
_INVERTED, _WORDS = "the mask is inverted: real is True at words", "x[real] are the words"
_ALONG_ROWS, _COLUMNS = "normalized along the rows: that is layer norm", "batch norm goes down the columns"
_LEFT_OUT, _SHAPE = "the pads are left out of the result", "the output has the shape of x, with 0 at the pads"
_FORWARD_SLIPS = (
    Slip("pads-in", _PADS_IN, _PADS_OUT, lambda x, m, *a: _at(m, _normalized_with(x, x, *a))),
    Slip("pads-in-and-out", _PADS_IN_AND_OUT, f"{_PADS_OUT}; {_ZERO}", lambda x, m, *a: _normalized_with(x, x, *a)),
    Slip("pads-as-zeros", _COUNTED, _PADS_OUT, lambda x, m, *a: _at(m, _normalized_with(_at(m, x), x, *a))),
    Slip("pads-not-zero", "the output of the pads is not 0", _ZERO, lambda x, m, *a: _normalized_with(x[m], x, *a)),
    Slip("pads-beta", _IS_BETA, _BETA_FIRST, lambda x, m, g, b, e: _at(m, _normalized_with(x[m], x, g, b, e), b)),
    Slip(
        "n-minus-one", _N_MINUS_ONE, _NUMBER, lambda x, m, g, b, e: _at(m, _normalized_with(x[m], x, g, b, e, ddof=1))
    ),
    Slip(
        "eps-missing",
        "ε is missing",
        "(x − μ)/√(σ² + ε)",
        lambda x, m, g, b, e: _at(m, _normalized_with(x[m], x, g, b, 0.0)),
    ),
    Slip("inverted-mask", _INVERTED, _WORDS, lambda x, m, *a: _at(~m, _normalized_with(x[~m], x, *a))),
    Slip("rows", _ALONG_ROWS, _COLUMNS, lambda x, m, g, b, e: _at(m, _normalized_with(x, x, g, b, e, axis=1))),
    Slip("words-only", _LEFT_OUT, _SHAPE, lambda x, m, *a: _normalized_with(x[m], x[m], *a)),
)


def _hat(x: Floats, rows: Mask, eps: float) -> Floats:
    """Return x normalized by the statistics of some rows."""
    return _normalized_with(x[rows], x, np.ones(1), np.zeros(1), eps)


def _dx(g: Floats, x: Floats, rows: Mask, gamma: Floats, eps: float, divisor: int | None = None) -> Floats:
    """Return the gradient of x when ``rows`` enter the statistics and the means of h divide by ``divisor``."""
    x_hat, h, n = _hat(x, rows, eps), g * gamma, divisor or int(rows.sum())
    means = h[rows].sum(axis=0) / n, (h * x_hat)[rows].sum(axis=0) / n
    return np.asarray((h - means[0] - x_hat * means[1]) / np.sqrt(x[rows].var(axis=0) + eps))


def _dgamma(g: Floats, x: Floats, statistics: Mask, rows: Mask, eps: float) -> Floats:
    return np.asarray((g * _hat(x, statistics, eps))[rows].sum(axis=0))


def _dgamma_of_all(g: Floats, x: Floats, real: Mask, gamma: Floats, beta: Floats, eps: float) -> Floats:
    return _dgamma(g, x, real | True, real | True, eps)


_NO_PADS_BACK = "statistics and sums on the way back run over the real rows only, and divide by their number"
_ALL_N = "the means divide by all positions, pads included"
_RECEIVE, _NOTHING = "the pads receive a gradient, which must be 0", "a pad's x enters nothing: its gradient is 0"
_SENT, _ALWAYS_0 = "the g of the pads is summed as well", "the output of a pad is always 0: its g does not count"
_SEND_BACK = "and send their g back"
_BY_X, _FACTOR = "multiplied by x, not by x̂", "y = γ x̂ + β: the factor beside γ is x̂"
_MEAN, _ADD_UP = "the mean of g, not its sum", "every real row sends its g back to the one β: they add up"
_BACKWARD_SLIPS = {
    "x": (
        Slip("pads-in", _PADS_IN, _NO_PADS_BACK, lambda g, x, m, w, b, e: _at(m, _dx(_at(m, g), x, m | True, w, e))),
        Slip("pads-in", f"{_PADS_IN} {_SEND_BACK}", _NO_PADS_BACK, lambda g, x, m, w, b, e: _dx(g, x, m | True, w, e)),
        Slip("wrong-n", _ALL_N, _NO_PADS_BACK, lambda g, x, m, w, b, e: _at(m, _dx(g, x, m, w, e, len(x)))),
        Slip("pads-receive", _RECEIVE, _NOTHING, lambda g, x, m, w, b, e: _dx(g, x, m, w, e)),
        Slip("inverted-mask", _INVERTED, _WORDS, lambda g, x, m, w, b, e: _at(~m, _dx(g, x, ~m, w, e))),
    ),
    "gamma": (
        Slip("pads-send", _SENT, _ALWAYS_0, lambda g, x, m, w, b, e: _dgamma(g, x, m, m | True, e)),
        Slip("pads-in", f"{_PADS_IN} of x̂", _NO_PADS_BACK, lambda g, x, m, w, b, e: _dgamma(g, x, m | True, m, e)),
        Slip("pads-in", f"{_PADS_IN} of x̂ {_SEND_BACK}", _NO_PADS_BACK, _dgamma_of_all),
        Slip("not-normalized", _BY_X, _FACTOR, lambda g, x, m, w, b, e: (g * x)[m].sum(axis=0)),
    ),
    "beta": (
        Slip("pads-send", _SENT, _ALWAYS_0, lambda g, x, m, w, b, e: g.sum(axis=0)),
        Slip("sum-as-mean", _MEAN, _ADD_UP, lambda g, x, m, w, b, e: g[m].mean(axis=0)),
    ),
}

MASKED_BATCH_NORM = Exercise(
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
    functions='''
def masked_batch_norm(x, real, gamma, beta, eps):
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
    """
    words = x[real]
    y = np.zeros_like(x)
    y[real] = gamma * (words - words.mean(axis=0)) / np.sqrt(words.var(axis=0) + eps) + beta
    return y


def masked_batch_norm_backward(g, x, real, gamma, beta, eps):
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
    """
    words, g = x[real], g[real]
    r = 1 / np.sqrt(words.var(axis=0) + eps)
    x_hat = (words - words.mean(axis=0)) * r
    h = g * gamma
    dx = np.zeros_like(x)
    dx[real] = r * (h - h.mean(axis=0) - x_hat * (h * x_hat).mean(axis=0))
    return dx, (g * x_hat).sum(axis=0), g.sum(axis=0)
''',
    hints=(
        "x[real] is a smaller array with the words only: batch norm of it is exercise 2. y = np.zeros_like(x) and"
        " y[real] = … put the result back in its place.",
        "Backward does the same: h = g[real] and x[real] go through the backward pass of batch norm, the result "
        "is put into zeros at real. The g of a pad is never looked at.",
        "It is exercise 10 with axis=0: r (h − mean(h) − x̂ mean(h x̂)) with h = γ g, all over the real rows, and"
        " the means down the columns.",
    ),
    checks=(
        value_check("masked_batch_norm", _padded_tables, _batch_norm, {"forward": _FORWARD_SLIPS}),
        gradient_check(
            "masked_batch_norm_backward", _batch_norm_tensor, _BACKWARD_SLIPS, _padded_tables, simpler=_without_pads
        ),
    ),
)


def _sentences(generator: np.random.Generator) -> Sequence[Case]:
    first, second = embeddings()
    garbage = generator.standard_normal((7, 5))
    mask = np.array([True, False, True, True, False, True, False])
    return (
        Case("the lecture's first sentence", first),
        Case("its second sentence, without pads", second),
        Case(f"{RANDOM} with numbers in the pads", (garbage, mask)),
        Case("a sentence of pads only", (generator.standard_normal((3, 5)), np.zeros(3, dtype=bool))),
    )


def _attention(x: Floats, real: Mask) -> tuple[Floats, Floats]:
    # A query that may attend to no key gets zero weights: so both masks are one.
    weights = attention_weights(Tensor(x), Tensor(x), attn_mask=real[:, None] & real[None, :])
    return weights.numpy(), (weights @ Tensor(x)).numpy()


def _scores(x: Floats) -> Floats:
    return np.asarray(x @ x.T / np.sqrt(x.shape[1]))


def _over(keys: Mask, scores: Floats) -> Floats:
    """Return softmax weights over the keys that are allowed; rows without any are 0."""
    e = np.exp(scores - scores.max(-1, keepdims=True)) * keys
    total = e.sum(-1, keepdims=True)
    return np.asarray(np.divide(e, total, out=np.zeros_like(e), where=total > 0))


def _over_all(scores: Floats) -> Floats:
    return _over(np.ones(len(scores), dtype=bool), scores)


def _words_only(real: Mask, weights: Floats) -> Floats:
    """Return weights with the pads' own rows set to 0."""
    return np.asarray(weights * real[:, None])


def _both(real: Mask, scores: Floats) -> Floats:
    return _words_only(real, _over(real, scores))


_KEYS = "no position may look at a pad: set the scores of the pads' columns to −∞ before the softmax"
_PAD_ROWS = "the rows of the pads are 0: they are no words, and whatever they say would be noise"
_ALL_PADS = "−1e9 is a large number, not a mask: if every key has it, softmax subtracts the maximum and it is gone"

_ONLY_ROWS = "the pads' rows are 0, but words still attend to pads"
_ONLY_KEYS = "the keys are masked, but the pads' own rows are not 0"
_CONSTANT = "the keys are masked by −1e9, and the pads' own rows are not 0"
_AFTER = "weights of pads are set to 0 after the softmax, and no longer sum to 1"
_TO_0, _E_0 = "scores of pads are set to 0, not to −∞", "e⁰ is 1: a score of 0 is not no attention"
_UNSCALED, _SCALED = "the scores are not divided by √d", "the scores are divided by d, not by √d"
_ROOT_D = "scores are x xᵀ/√d"
_DOWN, _LAST_AXIS = "the softmax runs down the columns", "each query's weights sum to 1: softmax along the last axis"
_BY_N, _FEATURES = (
    "the scores are divided by √n, n being the number of positions",
    "d is the number of features: x.shape[1]",
)


def _down(real: Mask, scores: Floats) -> Floats:
    """Return a softmax over the queries, after which the pads' columns are 0/0 if their scores are −∞."""
    with np.errstate(invalid="ignore"):
        e = np.exp(scores - scores.max(0))
        return np.where(real[:, None], e / e.sum(0), 0.0)


def _without(real: Mask, scores: Floats, lowest: float = -np.inf) -> Floats:
    """Return scores in which the pads' columns are as low as can be."""
    return np.where(real, scores, lowest)


_WEIGHT_SLIPS = (
    Slip("no-mask", "no mask at all", _KEYS, lambda x, real: _over_all(_scores(x))),
    Slip("keys-unmasked", _ONLY_ROWS, _KEYS, lambda x, real: _words_only(real, _over_all(_scores(x)))),
    Slip("rows-unmasked", _ONLY_KEYS, _PAD_ROWS, lambda x, real: _over(real, _scores(x))),
    Slip("rows-uniform", _CONSTANT, f"{_PAD_ROWS}. {_ALL_PADS}", lambda x, real: _over_all(_scores(x) - 1e9 * ~real)),
    Slip("masked-after", _AFTER, _KEYS, lambda x, real: _words_only(real, _over_all(_scores(x)) * real)),
    Slip("scores-zero", _TO_0, _E_0, lambda x, real: _words_only(real, _over_all(_scores(x) * real))),
    Slip("unscaled", _UNSCALED, f"{_ROOT_D}, d being the number of features", lambda x, real: _both(real, x @ x.T)),
    Slip("scaled-by-d", _SCALED, _ROOT_D, lambda x, real: _both(real, x @ x.T / x.shape[1])),
    Slip("scaled-by-n", _BY_N, _FEATURES, lambda x, real: _both(real, x @ x.T / np.sqrt(len(x)))),
    Slip("wrong-axis", _DOWN, _LAST_AXIS, lambda x, real: _both(real, _scores(x)).T),
    Slip("wrong-axis", _DOWN, _LAST_AXIS, lambda x, real: _down(real, _without(real, _scores(x)))),
    Slip("wrong-axis", _DOWN, _LAST_AXIS, lambda x, real: np.nan_to_num(_down(real, _without(real, _scores(x))))),
    Slip("wrong-axis", _DOWN, _LAST_AXIS, lambda x, real: _down(real, _without(real, _scores(x), -1e9))),
    Slip("wrong-axis", _DOWN, _LAST_AXIS, lambda x, real: _down(real, _scores(x) - 1e9 * ~real)),
    Slip("inverted-mask", _INVERTED, "mask what is not real", lambda x, real: _both(~real, _scores(x))),
)


def _in_output(slip: Slip) -> Slip:
    """Return the slip in the output that follows from one in the weights."""
    return replace(slip, answer=lambda x, real: slip.answer(x, real) @ x)


MASKED_ATTENTION = Exercise(
    number=12,
    slug="masked-attention",
    title="Attention with both masks",
    statement="""
The notes send a padded sentence through self-attention and expect a pad, a row of zeros, to
stay 0. It does not: a zero query has equal scores with all keys, so it comes out as the
mean of the sentence. And every word spends a part of its attention on the pads.

Two masks mend it. The key mask lets no position look at a pad: its score is −∞ before the
softmax, its weight exactly 0. The row mask sets the pads' own rows to 0.

Queries, keys and values are x itself, with d features:

    weights = softmax(x xᵀ/√d) along the last axis        output = weights @ x
""",
    functions='''
def masked_attention(x, real):
    """
    Return the attention weights and the output, with both masks.

    Given:  x     array (positions, features); anything may stand in the pads
            real  boolean array (positions,), True at words, False at pads; all may be pads
    Return: weights  array (queries, keys) = (positions, positions)
            output   array (positions, features)

    >>> x, real = np.array([[1.0], [1.0], [5.0]]), np.array([True, True, False])
    >>> weights, output = masked_attention(x, real)
    >>> weights
    array([[0.5, 0.5, 0. ],
           [0.5, 0.5, 0. ],
           [0. , 0. , 0. ]])
    >>> output.ravel()
    array([1., 1., 0.])
    """
    weights = np.zeros((len(x), len(x)))
    if real.any():
        words = x[real]
        scores = words @ words.T / np.sqrt(x.shape[1])
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights[np.ix_(real, real)] = e / e.sum(axis=1, keepdims=True)
    return weights, weights @ x
''',
    hints=(
        "scores[:, ~real] = -np.inf masks the keys. np.exp(-np.inf) is exactly 0, and the rest of the softmax "
        "stays as it is.",
        "weights[~real] = 0 masks the rows of the pads. Do it last.",
        "A sentence of pads only has rows of −∞, and softmax would give 0/0. Compute with the words alone: "
        "weights = np.zeros((n, n)), then weights[np.ix_(real, real)] = softmax of the scores of x[real], if "
        "there are any.",
    ),
    checks=(
        value_check(
            "masked_attention",
            _sentences,
            _attention,
            {"weights": _WEIGHT_SLIPS, "output": tuple(map(_in_output, _WEIGHT_SLIPS))},
        ),
    ),
)
