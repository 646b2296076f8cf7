"""Exercise 12: attention with a mask for the keys and one for the pads' own rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ....engine.tensor import Tensor
from ....functional.attention import attention_weights
from ..answers import Floats
from ..data import RANDOM, embeddings
from ..exercise import Asked, Case, Exercise, Slip
from ..values import value_check

Mask = npt.NDArray[np.bool_]


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


def _softmax(scores: Floats, axis: int = -1) -> Floats:
    e = np.exp(scores - scores.max(axis, keepdims=True))
    return np.asarray(e / e.sum(axis, keepdims=True))


def _masked(scores: Floats, keys: Mask) -> Floats:
    """Return softmax weights over the keys that are allowed; rows without any are 0."""
    e = np.exp(scores - scores.max(-1, keepdims=True)) * keys
    total = e.sum(-1, keepdims=True)
    return np.asarray(np.divide(e, total, out=np.zeros_like(e), where=total > 0))


def _plus_constant(x: Floats, real: Mask) -> Floats:
    return _softmax(_scores(x) + np.where(real, 0.0, -1e9))


_KEYS = "no position may look at a pad: set the scores of the pads' columns to −∞ before the softmax"
_ROWS = "the rows of the pads are 0: they are no words, and whatever they say would be noise"
_ALL_PADS = "−1e9 is a large number, not a mask: if every key has it, softmax subtracts the maximum and it is gone"


def _both(code: str, name: str, why: str, weights: object) -> tuple[Slip, Slip]:
    """Return the slip in the weights, and in the output that follows from them."""
    assert callable(weights)
    return (
        Slip(code, name, why, weights),
        Slip(code, name, why, lambda x, real: weights(x, real) @ x),
    )


_PAIRS = (
    _both("no-mask", "no mask at all", _KEYS, lambda x, real: _softmax(_scores(x))),
    _both("keys-unmasked", "the pads' rows are 0, but words still attend to pads", _KEYS,
          lambda x, real: _softmax(_scores(x)) * real[:, None]),
    _both("rows-unmasked", "the keys are masked, but the pads' own rows are not 0", _ROWS,
          lambda x, real: _masked(_scores(x), real)),
    _both("rows-uniform", "the keys are masked by −1e9, and the pads' own rows are not 0", f"{_ROWS}. {_ALL_PADS}",
          _plus_constant),
    _both("masked-after", "weights of pads are set to 0 after the softmax, and no longer sum to 1", _KEYS,
          lambda x, real: _softmax(_scores(x)) * real * real[:, None]),
    _both("scores-zero", "scores of pads are set to 0, not to −∞", "e⁰ is 1: a score of 0 is not no attention",
          lambda x, real: _softmax(_scores(x) * real) * real[:, None]),
    _both("unscaled", "the scores are not divided by √d", "scores are x xᵀ/√d, d being the number of features",
          lambda x, real: _masked(x @ x.T, real) * real[:, None]),
    _both("scaled-by-d", "the scores are divided by d, not by √d", "scores are x xᵀ/√d",
          lambda x, real: _masked(x @ x.T / x.shape[1], real) * real[:, None]),
    _both("wrong-axis", "the softmax runs down the columns",
          "each query's weights sum to 1: softmax along the last axis",
          lambda x, real: _masked(_scores(x), real).T * real),
    _both("inverted-mask", "the mask is inverted: real is True at words", "mask what is not real",
          lambda x, real: _masked(_scores(x), ~real) * ~real[:, None]),
)  # fmt: skip

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
    asked=(
        Asked(
            "masked_attention(x, real)",
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
""",
        ),
    ),
    hints=(
        "scores[:, ~real] = -np.inf masks the keys. np.exp(-np.inf) is exactly 0, and the rest of the softmax "
        "stays as it is.",
        "weights[~real] = 0 masks the rows of the pads. Do it last.",
        "A sentence of pads only has rows of −∞, and softmax would give 0/0. Compute with the words alone: "
        "weights = np.zeros((n, n)), then weights[np.ix_(real, real)] = softmax of the scores of x[real], if "
        "there are any.",
    ),
    solution="""
def masked_attention(x, real):
    weights = np.zeros((len(x), len(x)))
    if real.any():
        words = x[real]
        scores = words @ words.T / np.sqrt(x.shape[1])
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights[np.ix_(real, real)] = e / e.sum(axis=1, keepdims=True)
    return weights, weights @ x
""",
    checks=(
        value_check(
            "masked_attention",
            ("weights", "output"),
            _cases,
            _expected,
            {"weights": tuple(p[0] for p in _PAIRS), "output": tuple(p[1] for p in _PAIRS)},
        ),
    ),
)
