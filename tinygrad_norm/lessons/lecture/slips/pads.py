"""What the notes claim about pads and about batch norm's use of rows, judged by computation."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ....engine.tensor import Tensor
from ....transforms import jacobian
from ...document.lesson import Claim, Values
from ..attending import attend
from ..normalizing import BATCH, LAYER, normalize
from ..quotations import SAYS
from ..settings import Settings
from ..tables import OUTPUTS, PAD, Token
from ..tensor_tables import floats


def pad_stays_zero(settings: Settings) -> Claim:
    """Judge the zero rows that self-attention is said to give for pads."""
    sentence = settings.batch.sentences[0]
    words = [token.word for token in sentence]
    attention, unscaled = attend(sentence), attend(sentence, scale=1.0)
    masked = attend(sentence, mask_pads=True)
    pad = words.index(PAD)
    return Claim(
        "pad_stays_zero",
        SAYS["pad_stays_zero"],
        "slip",
        "The pad's output is the mean of the values, {pad_output:.4f}; and each pad takes "
        "{share:.2%} of {word}'s attention ({unscaled_share:.2%} if the scores are not divided "
        "by √3).",
        "A zero query scores 0 with every key, so its weights are all {pad_weight:.4g}; a zero key "
        "scores 0, and softmax makes of that e⁰ = 1, not 0. The remedy is to mask the keys, exactly, "
        "and to zero the pads' rows: then {word}'s weights are {masked_weights:.4f}.",
        {
            "word": words[0],
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
    return Claim(
        "outputs_are_given",
        SAYS["outputs_are_given"],
        "imprecise",
        "The outputs are an example, not computed from these embeddings. Here they are taken as given, from step 6 on.",
        "Each output of attention is a weighted average of the values. Without projections the "
        "values are the embeddings, none above {largest:g}: the largest output is {computed:.4f}. "
        "The notes give up to {given:g}. Their copies of the table change embeddings, and the "
        "outputs stay.",
        {"largest": largest, "computed": computed, "given": given},
    )


def statistics_not_true(share: Fraction, changes: tuple[float, ...]) -> Claim:
    """Judge "after padding, mean and std are not true".

    Parameters
    ----------
    share : Fraction
        The fraction of the positions that are pads.
    changes : tuple of float
        For each feature, by what fraction the pads change its deviation.
    """
    rising = sum(change > 0 for change in changes)
    values: Values = {
        "kept": float(1 - share),
        "changes": changes,
        "rising": rising,
        "falling": len(changes) - rising,
    }
    return Claim(
        "statistics_not_true",
        SAYS["statistics_not_true"],
        "imprecise",
        "The mean shrinks, always, and by one factor: 1 − π = {kept:g}. The deviation may rise, stay or "
        f"fall; here it rises in {{rising}} of {len(changes)} features, by {{changes:+.2%}}.",
        "Zeros leave the sum as it is and raise the count, so the same sum is divided by more. To the "
        "deviation they do two things: they are a group away from the mean, which spreads the numbers, "
        "and all alike, which narrows them.",
        values,
    )


def pad_share(tokens: Sequence[Token]) -> Fraction:
    """Return the fraction of the positions that are pads."""
    return Fraction(sum(token.word == PAD for token in tokens), len(tokens))


def direction(settings: Settings) -> Claim:
    """Judge "batch norm … we calculate horizontally"."""
    x = Tensor(OUTPUTS).astype(float)
    values = {}
    for name, axis in (("batch", BATCH), ("layer", LAYER)):
        slopes = jacobian(lambda t, a=axis: _first_output(t, a, settings))(x).numpy()
        values[f"{name}_other_rows"] = float(np.abs(slopes[1:]).max())
        values[f"{name}_other_columns"] = float(np.abs(slopes[:, 1:]).max())
    return Claim(
        "direction",
        SAYS["direction"],
        "slip",
        "It does affect them, but because it goes down a column, over the rows. It is layer norm "
        "that goes horizontally, along one row.",
        "Take the derivatives of the first output, row 1 and neuron 1, by every entry of the table. "
        "For batch norm the largest in another row is {batch_other_rows:.4f}, in another column "
        "{batch_other_columns:g}; for layer norm {layer_other_rows:g} and "
        "{layer_other_columns:.4f}.",
        values,
    )


def _first_output(x: Tensor, axis: int, settings: Settings) -> Tensor:
    return normalize(x, axis, settings.ddof, settings.table_eps).normalized[0, 0]


def cannot_use_batch_norm() -> Claim:
    """Judge "we can not use batch norm"."""
    return Claim(
        "cannot_use",
        SAYS["cannot_use"],
        "too strong",
        "With statistics of the words only, as in the table above, the pads no longer matter.",
        "What remains is reason enough to prefer layer norm: a word's output depends on which other "
        "sentences are in the batch, training and evaluation use different statistics, and those of "
        "a small batch are noisy.",
    )
