"""Exercise 12: attention with a mask for the keys and one for the pads' own rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ....engine.tensor import Tensor
from ....functional.attention import attention_weights
from ..cases import RANDOM, Case, Floats, Mask, embeddings
from ..checked_values import Slip, value_check
from ..exercise_parts import Exercise


def _cases(generator: np.random.Generator) -> Sequence[Case]:
    first, second = embeddings()
    garbage = generator.standard_normal((7, 5))
    mask = np.array([True, False, True, True, False, True, False])
    return (
        Case("the lecture's first sentence", first),
        Case("its second sentence, without pads", second),
        Case(f"{RANDOM} with numbers in the pads", (garbage, mask)),
        Case("a sentence of pads only", (generator.standard_normal((3, 5)), np.zeros(3, dtype=bool))),
    )


def _expected(x: Floats, real: Mask) -> tuple[Floats, Floats]:
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


def _rows(real: Mask, weights: Floats) -> Floats:
    """Return weights with the pads' own rows set to 0."""
    return np.asarray(weights * real[:, None])


def _both(real: Mask, scores: Floats) -> Floats:
    return _rows(real, _over(real, scores))


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
_INVERTED = "the mask is inverted: real is True at words"
_WEIGHT_SLIPS = (
    Slip("no-mask", "no mask at all", _KEYS, lambda x, real: _over_all(_scores(x))),
    Slip("keys-unmasked", _ONLY_ROWS, _KEYS, lambda x, real: _rows(real, _over_all(_scores(x)))),
    Slip("rows-unmasked", _ONLY_KEYS, _PAD_ROWS, lambda x, real: _over(real, _scores(x))),
    Slip("rows-uniform", _CONSTANT, f"{_PAD_ROWS}. {_ALL_PADS}", lambda x, real: _over_all(_scores(x) - 1e9 * ~real)),
    Slip("masked-after", _AFTER, _KEYS, lambda x, real: _rows(real, _over_all(_scores(x)) * real)),
    Slip("scores-zero", _TO_0, _E_0, lambda x, real: _rows(real, _over_all(_scores(x) * real))),
    Slip("unscaled", _UNSCALED, f"{_ROOT_D}, d being the number of features", lambda x, real: _both(real, x @ x.T)),
    Slip("scaled-by-d", _SCALED, _ROOT_D, lambda x, real: _both(real, x @ x.T / x.shape[1])),
    Slip("wrong-axis", _DOWN, _LAST_AXIS, lambda x, real: _both(real, _scores(x)).T),
    Slip("inverted-mask", _INVERTED, "mask what is not real", lambda x, real: _both(~real, _scores(x))),
)


def _in_output(slip: Slip) -> Slip:
    """Return the slip in the output that follows from one in the weights."""
    return replace(slip, answer=lambda x, real: slip.answer(x, real) @ x)


EXERCISE = Exercise(
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
            _cases,
            _expected,
            {"weights": _WEIGHT_SLIPS, "output": tuple(map(_in_output, _WEIGHT_SLIPS))},
        ),
    ),
)
