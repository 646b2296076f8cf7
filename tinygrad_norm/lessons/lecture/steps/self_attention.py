"""Step 5: self-attention over the padded batch, with and without a key mask."""

from __future__ import annotations

from collections.abc import Sequence

from ....engine.tensor import Tensor
from ...document.lesson import Block, Formula, Paragraph, Step, Table
from ..attending import attend
from ..settings import Settings
from ..slips.pads import outputs_are_given, pad_stays_zero
from ..tables import Token
from ..tensor_tables import rows_of, token_table


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
                "projections)."
            ),
            Formula("weights = softmax(x xᵀ/√3)    output = weights · x"),
            *_attention("unmasked", "Sentence 1, pads not masked", first, mask_pads=False),
            pad_stays_zero(settings),
            *_attention("masked", "Sentence 1, keys masked and pad rows zeroed", first, mask_pads=True),
            Paragraph(
                "A mask is exact: a masked key gets the weight 0 itself, not e to some large negative "
                "number. A pad still asks, and gets an average of the words; that row is zeroed "
                "because nobody should use it."
            ),
            *_attention("second", "Sentence 2, no pads", second, mask_pads=False),
            outputs_are_given(settings),
            token_table(
                "given_outputs",
                "The attention outputs that the notes give",
                settings.batch.tokens,
                Tensor([token.output for token in settings.batch.tokens]),
                formats="",
            ),
        ),
    )


def _attention(key: str, title: str, sentence: Sequence[Token], mask_pads: bool) -> tuple[Block, ...]:
    result = attend(sentence, mask_pads=mask_pads)
    words = tuple(token.word for token in sentence)
    return (
        Table(
            f"{key}_weights",
            f"{title}: weights",
            words,
            rows_of(words, result.weights),
            "asks",
            ".4f",
            "A row asks, a column is asked; each row sums to 1.",
        ),
        token_table(f"{key}_outputs", f"{title}: outputs", sentence, result.outputs),
    )
