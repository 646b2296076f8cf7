"""Step 5: self-attention over the padded batch, with and without a key mask.

Queries, keys and values are the embeddings themselves, so every number can be followed by hand:
``weights = softmax(x xᵀ · scale)``, ``output = weights x``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....engine.tensor import Tensor
from ....functional import scaled_dot_product_attention
from ...document.lesson import Claim, Fold, Formula, Paragraph, Plain, Step, Table
from ..notes import Token
from ..settings import Settings
from ..slips import claim_on
from ..tensor_tables import attention_outputs, floats, tensor_rows, token_table


def self_attention_step(settings: Settings) -> Step:
    """Return step 5."""
    first, second = settings.batch.sentences
    return Step(
        5,
        "Self-attention over the padded batch",
        (
            Paragraph(
                "Every position asks every other how much it matters. To be able to follow each "
                "number, queries, keys and values are the embeddings themselves (identity "
                "projections). Softmax makes weights of a position's scores s: each eˢ, divided by their sum."
            ),
            Formula("weights = softmax(x xᵀ/√3)    output = weights · x"),
            pad_stays_zero(settings),
            Fold(
                "The weights and outputs of sentence 1, without a mask and with it",
                (
                    *_attention("unmasked", "Sentence 1, pads not masked", first, mask_pads=False),
                    *_attention("masked", "Sentence 1, keys masked and pad rows zeroed", first, mask_pads=True),
                    Paragraph(
                        "A mask is exact: a masked key gets the weight 0 itself, not e to some large negative "
                        "number. A pad still asks, and gets an average of the words; that row is zeroed "
                        "because nobody should use it."
                    ),
                ),
            ),
            Fold(
                "Sentence 2, and the outputs that the notes give",
                (
                    *_attention("second", "Sentence 2, no pads", second, mask_pads=False),
                    outputs_are_given(settings),
                    token_table(
                        "given_outputs",
                        "The attention outputs that the notes give",
                        settings.batch.tokens,
                        attention_outputs(settings.batch.tokens),
                        formats="",
                    ),
                ),
            ),
        ),
        take_away=(
            "Without a mask, pads take attention (e⁰ = 1) and get a mean of the values.",
            "A mask gives a key the weight 0, exactly; the pads' own rows are zeroed.",
        ),
    )


@dataclass(frozen=True)
class Attention:
    """One pass of attention: weights ``(query, key)`` and outputs ``(query, feature)``."""

    weights: Tensor
    outputs: Tensor


def attend(sentence: Sequence[Token], *, mask_pads: bool = False, scale: float | None = None) -> Attention:
    """Let every position of a sentence, pads included, attend to every other.

    If pads are masked, no position may attend to one, and they give zeros. The scores are multiplied by the scale,
    ``1/√features`` unless given.

    >>> from tinygrad_norm.lessons.lecture.notes import VARIANTS
    >>> sentence = VARIANTS["attention-page"].sentences[0]
    >>> attend(sentence, mask_pads=True).weights[0].numpy().round(4).tolist()
    [0.4947, 0.5053, 0.0, 0.0]
    """
    x = Tensor([token.embedding for token in sentence])
    real = np.array([not token.is_pad for token in sentence])
    mask = np.broadcast_to(real, (len(sentence), len(sentence))) if mask_pads else None
    # With the identity as values, the output of attention is its weights.
    weights = scaled_dot_product_attention(x, x, Tensor(np.eye(len(sentence))), attn_mask=mask, scale=scale)
    outputs = scaled_dot_product_attention(x, x, x, attn_mask=mask, scale=scale)
    if mask_pads:
        outputs = outputs * real[:, None]
    return Attention(weights, outputs)


def _attention(key: str, title: str, sentence: Sequence[Token], mask_pads: bool) -> tuple[Plain, ...]:
    result = attend(sentence, mask_pads=mask_pads)
    words = tuple(token.word for token in sentence)
    return (
        Table(
            f"{key}_weights",
            f"{title}: weights",
            words,
            tensor_rows(words, result.weights),
            "asks",
            ".4f",
            "A row asks, a column is asked; each row sums to 1.",
        ),
        token_table(f"{key}_outputs", f"{title}: outputs", sentence, result.outputs),
    )


def pad_stays_zero(settings: Settings) -> Claim:
    """Judge the zero rows that self-attention is said to give for pads."""
    sentence = settings.batch.sentences[0]
    attention, unscaled = attend(sentence), attend(sentence, scale=1.0)
    masked = attend(sentence, mask_pads=True)
    pad = [token.is_pad for token in sentence].index(True)
    return claim_on(
        "pad_stays_zero",
        "slip",
        "The pad's output is the mean of the values, {pad_output:.4f}; and each pad takes "
        "{share:.2%} of {word}'s attention ({unscaled_share:.2%} if the scores are not divided "
        "by √3).",
        "A zero query scores 0 with every key, so its weights are all {pad_weight:.4g}; a zero key "
        "scores 0, and softmax makes of that e⁰ = 1, not 0. The remedy is to mask the keys, exactly, "
        "and to zero the pads' rows: then {word}'s weights are {masked_weights:.4f}.",
        {
            "word": sentence[0].word,
            "pad_output": floats(attention.outputs[pad]),
            "pad_weight": attention.weights[pad, 0].item(),
            "share": attention.weights[0, pad].item(),
            "unscaled_share": unscaled.weights[0, pad].item(),
            "masked_weights": floats(masked.weights[0]),
        },
    )


def outputs_are_given(settings: Settings) -> Claim:
    """Judge the attention outputs of the notes as a function of the embeddings beside them."""
    tokens = settings.batch.tokens
    largest = max(max(token.embedding) for token in tokens)
    given = max(max(token.output) for token in tokens)
    computed = max(floats(attend(sentence).outputs.max())[0] for sentence in settings.batch.sentences)
    return claim_on(
        "outputs_are_given",
        "imprecise",
        "The outputs are an example, not computed from these embeddings. Here they are taken as given, from step 6 on.",
        "Each output of attention is a weighted average of the values. Without projections the "
        "values are the embeddings, none above {largest:g}: the largest output is {computed:.4f}. "
        "The notes give up to {given:g}. Their copies of the table change embeddings, and the "
        "outputs stay.",
        {"largest": largest, "computed": computed, "given": given},
    )
