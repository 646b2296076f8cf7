"""Step 12: what came after layer norm: RMS norm without a mean, dynamic tanh without statistics, norms of queries."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ....context import no_grad
from ....engine.details.array import Array
from ....engine.tensor import Tensor
from ....functional import rms_norm
from ....functional.attention import attention_weights
from ....nn import DyT
from ...document.lesson import PAD, Fact, Fold, Formula, Paragraph, Plain, Row, Step, Table
from ...document.numerals import closeness
from ...labs.papers import HENRY, ZHANG_SENNRICH, ZHU
from .. import exact_arithmetic as exact
from ..norm_formula import LAYER
from ..notes import NEURON_NAMES, OUTPUTS, Token
from ..settings import Settings
from ..tensor_tables import NEURONS, ROW_LABELS, floats

LARGER = 10
"""How many times larger embeddings are tried in attention."""

WITH_PAD = (*ROW_LABELS, PAD)


def after_layer_norm_step(settings: Settings) -> Step:
    """Return step 12."""
    words = settings.batch.sentences[1]
    return Step(
        12,
        "After layer norm",
        (
            Paragraph(
                "Layer norm does two things to a row: it takes away the mean and divides by the deviation. What came "
                "after it asks which of them are needed. RMS norm keeps the division only, by the root of the mean "
                f"square ({ZHANG_SENNRICH.cited}):"
            ),
            Formula("y = γ x/√((x₁² + … + xₙ²)/n + ε)"),
            Fold("The table after RMS norm", _rms(settings)),
            Paragraph(
                "Dynamic tanh (DyT) asks whether statistics are needed at all. Each number goes through a curve by "
                f"itself, which bounds large ones as a norm does; α is learned ({ZHU.cited}):"
            ),
            Formula("y = γ tanh(α x) + β"),
            Fold("The table after DyT", _squashed()),
            Paragraph(
                "QK norm is a norm inside attention. The scores are products of queries and keys, and grow with their "
                "lengths, until softmax gives all weight to one key and sends no gradient back. So each query and key "
                f"is divided by its length, and the scores are cosines times a learned number ({HENRY.cited}):"
            ),
            Formula("scores = g · q/‖q‖ · k/‖k‖        in place of  q · k/√d"),
            Fold("Attention with large embeddings, and its cosines", _cosines(words)),
        ),
        take_away=(
            "RMS norm keeps the mean of a row, DyT has no statistics at all.",
            "QK norm makes attention's scores cosines: their size no longer matters.",
        ),
    )


def _with_pad() -> Tensor:
    return Tensor(np.vstack([NEURONS.numpy(), np.zeros(len(NEURON_NAMES))]))


def _rows(values: Tensor) -> tuple[Row, ...]:
    return tuple(Row(name, tuple(row), name == PAD) for name, row in zip(WITH_PAD, values.tolist(), strict=True))


def _rms(settings: Settings) -> tuple[Plain, ...]:
    with np.errstate(invalid="ignore"):
        result = rms_norm(_with_pad(), len(NEURON_NAMES), eps=settings.table_eps)
    values = result.numpy()
    squares = [sum(x * x for x in exact.rationals(row)) / len(row) for row in OUTPUTS]
    eps = exact.rational(settings.table_eps)
    right = [[x / math.sqrt(square + eps) for x in row] for row, square in zip(OUTPUTS, squares, strict=True)]
    gap = float(np.abs(values[:-1] - np.array(right)).max())
    by_layer = settings.normalize(NEURONS, LAYER).normalized.numpy()
    return (
        Table(
            "rms",
            "The table of step 2, and a pad, after RMS norm",
            NEURON_NAMES,
            _rows(result),
            "row",
            ".6f",
            "" if settings.table_eps else "Without ε a row of zeros is 0/0; with any it stays 0, whatever γ is.",
        ),
        Fact(
            "rms_keeps_the_mean",
            "The mean squares of the rows are {squares}; divided by their roots, the numbers agree with the layer "
            f"{closeness(gap)}. Rows 2 and 3, which layer norm makes one (they differ by {{by_layer:.1g}}), now differ "
            "by up to {by_rms:.6f}: what is added to a row is seen.",
            {
                "squares": tuple(squares),
                "gap": gap,
                "by_layer": float(np.abs(by_layer[1] - by_layer[2]).max()),
                "by_rms": float(np.abs(values[1] - values[2]).max()),
            },
        ),
    )


@no_grad()
def _squashed() -> tuple[Plain, ...]:
    layer = DyT(len(NEURON_NAMES))
    result = layer(_with_pad())
    alone = layer(NEURONS[:1]).numpy()
    return (
        Table(
            "dyt",
            f"The table of step 2, and a pad, after DyT with its first values, α = {layer.initial_alpha:g}, γ = 1, β = "
            "0",
            NEURON_NAMES,
            _rows(result),
            "row",
        ),
        Fact(
            "dyt_has_no_statistics",
            "Each number is by itself: 7 becomes {seven:.6f} wherever it stands, and row 1 alone differs from row 1 in "
            "the table by {gap:g}. A pad stays {pad:g} until β is learned. Nothing has mean 0 or variance 1: the mean "
            "of row 1 is {mean:.6f}.",
            {
                "alpha": layer.initial_alpha,
                "seven": result[0, 0].item(),
                "gap": float(np.abs(alone - result.numpy()[:1]).max()),
                "pad": float(np.abs(result.numpy()[-1]).max()),
                "mean": float(result.numpy()[0].mean()),
            },
        ),
    )


def attention_of_first(x: Array) -> tuple[float, ...]:
    """Return the weights of the first position's attention over embeddings ``(position, feature)``.

    >>> attention_of_first(np.zeros((4, 3)))
    (0.25, 0.25, 0.25, 0.25)
    """
    return floats(attention_weights(Tensor(x), Tensor(x))[0])


def cosines_of_first(x: Array) -> tuple[float, ...]:
    """Return the cosines of the first embedding with each, its scores under QK norm with g = 1.

    >>> cosines_of_first(np.array([[3.0, 4.0], [4.0, 3.0]]))
    (1.0, 0.96)
    """
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return tuple(map(float, unit @ unit[0]))


def _cosines(words: Sequence[Token]) -> tuple[Plain, ...]:
    x = np.array([word.embedding for word in words])
    plain, larger = attention_of_first(x), attention_of_first(LARGER * x)
    cosines, of_larger = cosines_of_first(x), cosines_of_first(LARGER * x)
    rows = (
        Row("weights", plain),
        Row(f"weights, embeddings · {LARGER}", larger),
        Row("cosines", cosines),
        Row(f"cosines, embeddings · {LARGER}", of_larger),
    )
    return (
        Table(
            "qk_norm",
            f"{words[0].word}'s attention to sentence 2 (identity projections), and what QK norm makes of its scores",
            tuple(word.word for word in words),
            rows,
            words[0].word,
            ".4f",
        ),
        Fact(
            "qk_norm_is_blind_to_size",
            "Embeddings {larger} times as large turn the weights {plain:.4f} into {saturated:.5f}: all of it goes to "
            "{word}. The cosines move by {gap:.1g}, which is rounding.",
            {
                "larger": LARGER,
                "plain": plain,
                "saturated": larger,
                "word": words[int(np.argmax(larger))].word,
                "gap": max(abs(a - b) for a, b in zip(cosines, of_larger, strict=True)),
            },
        ),
    )
