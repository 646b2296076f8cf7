"""Step 7: a batch in which one long sentence makes most positions pads."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ....engine.tensor import Tensor
from ...document.lesson import Fact, Fold, Paragraph, Row, Step, Table
from ..law_of_pads import Spread, with_zero_rows
from ..norm_formula import BATCH, normalize
from ..notes import STEP_7_BATCH, STEP_7_LENGTH, STEP_7_LONGEST
from ..settings import Settings

RATIOS = (0, 1, 2)
"""How far the mean of the words is from zero, in deviations."""

SEED = 7


def mostly_padding_step(settings: Settings) -> Step:
    """Return step 7. It depends on no setting: the law is one of the population variance, without ε."""
    words = (STEP_7_BATCH - 1) * STEP_7_LENGTH + STEP_7_LONGEST
    positions = STEP_7_BATCH * STEP_7_LONGEST
    share = Fraction(positions - words, positions)
    return Step(
        7,
        "A batch that is mostly padding",
        (
            Paragraph(
                f"The notes imagine a batch of {STEP_7_BATCH} sentences. Most have {STEP_7_LENGTH} "
                f"words, the longest has {STEP_7_LONGEST}, and all are filled up to its length. Say "
                "it is one long sentence."
            ),
            Fact(
                "share",
                "{words} of {positions} positions are words; {share:.1%} are pads. So the mean "
                "becomes {kept:.3f} of what it is for the words alone.",
                {
                    "words": words,
                    "positions": positions,
                    "pads": positions - words,
                    "share": float(share),
                    "kept": float(1 - share),
                },
            ),
            Paragraph(
                "What becomes of the deviation depends on where the words' mean is. Near zero the "
                "pads narrow the numbers, far from zero they spread them. What that does to a "
                "Transformer that has learned, each normalization in turn, is for an experiment: "
                "tinygrad-norm lab padding."
            ),
            Fold("By how much, for three means", (_factors(words, positions, share),)),
        ),
        take_away=(
            "In a batch that is mostly padding, the statistics are mostly the pads'.",
            "Pads narrow words whose mean is near 0, and spread those far from it.",
        ),
    )


def _factors(words: int, positions: int, share: Fraction) -> Table:
    rows = []
    for ratio in RATIOS:
        law = Spread(Fraction(ratio), Fraction(1)).padded(share)
        mean, deviation = _measured(ratio, words, positions)
        name = "0" if ratio == 0 else "σ" if ratio == 1 else f"{ratio}σ"
        rows.append(Row(name, (float(law.mean), mean, law.deviation, deviation)))
    return Table(
        "factors",
        "Words with mean μ and deviation 1, and the same with the pads",
        ("μ by law", "μ measured", "σ by law", "σ measured"),
        tuple(rows),
        "μ of the words",
        ".6f",
        f"Measured: by the engine over {positions:,} positions with random words.",
    )


def _measured(ratio: int, words: int, positions: int) -> tuple[float, float]:
    """Return mean and deviation of random words of mean `ratio` and deviation 1, with the pads."""
    draw = Tensor(np.random.default_rng(SEED).standard_normal((words, 1)))
    real = normalize(draw, BATCH).normalized + float(ratio)
    statistics = normalize(with_zero_rows(real, positions - words), BATCH)
    return statistics.mean.item(), statistics.deviation.item()
