"""Self-attention over one padded sentence, with identity projections, weights and outputs apart.

Queries, keys and values are the embeddings themselves, so every number can be followed by hand:
``weights = softmax(x xᵀ · scale)``, ``output = weights x``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...engine.tensor import Tensor
from ...functional import scaled_dot_product_attention
from .tables import PAD, Token


@dataclass(frozen=True)
class Attention:
    """One pass of attention: weights ``(query, key)`` and outputs ``(query, feature)``."""

    weights: Tensor
    outputs: Tensor


def attend(sentence: Sequence[Token], *, mask_pads: bool = False, scale: float | None = None) -> Attention:
    """Let every position of a sentence attend to every other.

    Parameters
    ----------
    sentence : sequence of Token
        The positions, pads included.
    mask_pads : bool
        Whether no position may attend to a pad, and pads give zeros.
    scale : float, optional
        What the scores are multiplied by; ``1/√features`` unless given.

    Returns
    -------
    Attention

    Examples
    --------
    >>> from tinygrad_norm.lessons.lecture.tables import VARIANTS
    >>> sentence = VARIANTS["attention-page"].sentences[0]
    >>> attend(sentence, mask_pads=True).weights[0].numpy().round(4).tolist()
    [0.4947, 0.5053, 0.0, 0.0]
    """
    x = Tensor([token.embedding for token in sentence])
    real = np.array([token.word != PAD for token in sentence])
    mask = np.broadcast_to(real, (len(sentence), len(sentence))) if mask_pads else None
    # With the identity as values, the output of attention is its weights.
    weights = scaled_dot_product_attention(x, x, Tensor(np.eye(len(sentence))), attn_mask=mask, scale=scale)
    outputs = scaled_dot_product_attention(x, x, x, attn_mask=mask, scale=scale)
    if mask_pads:
        outputs = outputs * real[:, None]
    return Attention(weights, outputs)
