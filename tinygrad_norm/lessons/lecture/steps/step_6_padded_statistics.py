"""Step 6: batch norm over the padded attention outputs, and the exact law of the pads."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ....engine.tensor import Tensor
from ....functional import batch_norm
from ...document.lesson import Chart, Claim, Fact, Fold, Formula, Paragraph, Plain, Row, Series, Step, Table
from ...document.numerals import closeness
from ..law_of_pads import Spread, exact_spread, pads_to_change_sign, with_zero_rows
from ..moving_pictures import among_pads
from ..norm_formula import BATCH, LAYER, columns_of, normalize
from ..notes import DIMENSION_NAMES, Token
from ..over_time import batch_norm_over_time
from ..settings import Settings
from ..slips import claim_on
from ..tensor_tables import attention_outputs, floats, token_table

SHOWN_PADS = (0, 4, 18)
"""Pad counts of the last table, beside that of the batch and those at which a sign changes."""


def padded_statistics_step(settings: Settings) -> Step:
    """Return step 6."""
    statistics, not_true = _statistics(settings)
    *over_time, sequential = batch_norm_over_time(settings)
    return Step(
        6,
        "Batch norm over the padded outputs",
        (
            Paragraph(
                "Batch norm takes each feature over all positions of the batch. Unless told "
                "otherwise it counts the pads as well."
            ),
            among_pads(settings),
            not_true,
            sequential,
            self_attention(settings),
            cannot_use_batch_norm(),
            Fold(
                "The statistics with pads and without, and what batch norm makes of them",
                (statistics, *_normalized(settings)),
            ),
            Fold("The exact law of the pads", _law(settings)),
            Fold("Where the word changes its signs", _company(settings)),
            Fold("Statistics for each time step", tuple(over_time)),
        ),
        take_away=(
            "Pads shrink every mean by the factor 1 − π; a deviation may rise or fall.",
            "Statistics of the words alone mend that; the company still matters.",
        ),
    )


def _pad_share(settings: Settings) -> Fraction:
    """Return the fraction of the positions that are pads."""
    tokens = settings.batch.tokens
    return Fraction(sum(token.is_pad for token in tokens), len(tokens))


def _features(tokens: Sequence[Token]) -> list[tuple[float, ...]]:
    return columns_of([token.output for token in tokens])


def _statistics(settings: Settings) -> tuple[Table, Claim]:
    both = settings.batch.tokens, settings.batch.words
    with_pads, without = (normalize(attention_outputs(some), BATCH, settings.ddof) for some in both)
    change = with_pads.deviation / without.deviation - 1
    parts = (with_pads.mean, without.mean, with_pads.deviation, without.deviation, change)
    rows = zip(DIMENSION_NAMES, zip(*map(floats, parts), strict=True), strict=True)
    table = Table(
        "statistics",
        "Each feature over the batch, with the pads and without",
        ("μ with pads", "μ without", "σ with pads", "σ without", "σ changes by"),
        tuple(Row(name, values) for name, values in rows),
        "feature",
        (*[".6f"] * 4, "+.2%"),
    )
    return table, statistics_not_true(_pad_share(settings), floats(change))


def _normalized(settings: Settings) -> tuple[Plain, ...]:
    batch, eps = settings.batch, settings.table_eps
    tokens, x, words = batch.tokens, attention_outputs(batch.tokens), attention_outputs(batch.words)
    real = np.array(batch.real)
    by_layer = batch_norm(x, mask=real, eps=eps).numpy()[real]
    gap = float(np.abs(by_layer - normalize(words, BATCH, eps=eps).normalized.numpy()).max())
    with_pads, masked = (settings.normalize(some, BATCH).normalized for some in (x, words))
    return (
        token_table("pads_in", "After batch norm, pads in the statistics", tokens, with_pads),
        token_table("masked", "After batch norm, statistics of the words only", tokens, masked),
        Fact(
            "mask",
            "The layer takes the mask as an argument, functional.batch_norm(x, mask=real); dividing "
            "by n it agrees with the formula over the words alone " + closeness(gap) + ".",
            {"gap": gap},
        ),
    )


def _law(settings: Settings) -> tuple[Plain, ...]:
    batch, share = settings.batch, _pad_share(settings)
    spreads = [exact_spread(numbers) for numbers in _features(batch.words)]
    measured = normalize(attention_outputs(batch.tokens), BATCH)
    columns = zip(DIMENSION_NAMES, spreads, floats(measured.mean), floats(measured.deviation), strict=True)
    rows = []
    for name, real, mean, deviation in columns:
        law = real.padded(share)
        rows.append(Row(name, (float(law.mean), mean, law.deviation, deviation, float(real.break_even))))
    return (
        Paragraph(
            "How wrong the statistics become follows an exact law. Let a fraction π of the rows be "
            "zeros, and μ, σ² be the mean and the population variance of the others. Then all rows "
            "together have"
        ),
        Formula("mean     = (1 − π) μ\nvariance = (1 − π)(σ² + π μ²)"),
        _exactly(batch.tokens, spreads, share),
        Table(
            "law",
            "The law and the engine's measurement; and the fraction π* at which σ is back at its own",
            ("μ by law", "μ measured", "σ by law", "σ measured", "π*"),
            tuple(rows),
            "feature",
            (*[".6f"] * 4, ".4f"),
            "σ here divides by n. π* = 1 − σ²/μ²; it is 0 where zeros never raise σ.",
        ),
        _break_even(spreads, share, settings),
        _deviation_chart(spreads),
    )


def _exactly(tokens: Sequence[Token], spreads: Sequence[Spread], share: Fraction) -> Fact:
    """Return whether the law holds in fractions for the numbers of this table."""
    gaps: list[Fraction] = []
    for real, numbers in zip(spreads, _features(tokens), strict=True):
        law, direct = real.padded(share), exact_spread(numbers)
        gaps += [abs(law.mean - direct.mean), abs(law.variance - direct.variance)]
    return Fact(
        "law_exact",
        "In fractions the law and the direct computation differ by {gap} in all {count} statistics of this "
        "table, with π = {share}: zeros change neither the sum nor the sum of squares, only the "
        "count.",
        {"gap": max(gaps), "count": len(gaps), "share": share},
    )


def _break_even(spreads: Sequence[Spread], share: Fraction, settings: Settings) -> Fact:
    """Return which feature's deviation the pads change least, and why."""
    changes = [real.padded(share).deviation / real.deviation - 1 for real in spreads]
    index = min(range(len(changes)), key=lambda i: abs(changes[i]))
    divisor = " (dividing by n)" if settings.ddof else ""
    return Fact(
        "break_even",
        f"The deviation of {{feature}}{divisor} changes least, by {{change:+.2%}}: its π* = "
        "{break_even:.4f}, and this batch has π = {share:.4g}.",
        {
            "feature": DIMENSION_NAMES[index],
            "change": changes[index],
            "break_even": float(spreads[index].break_even),
            "share": float(share),
        },
    )


def _deviation_chart(spreads: Sequence[Spread]) -> Chart:
    shares = [Fraction(i, 50) for i in range(50)]
    return Chart(
        "deviation_chart",
        "How pads change the deviation",
        "π, the fraction of pads",
        "σ with pads / σ without",
        tuple(
            Series(name, tuple((float(p), real.padded(p).deviation / real.deviation) for p in shares), style)
            for style, (name, real) in enumerate(zip(DIMENSION_NAMES, spreads, strict=True))
        ),
        level=1.0,
        level_label="On the level line the deviation is unchanged; a curve comes back to it at π*.",
    )


def _company(settings: Settings) -> tuple[Table, Fact]:
    """Return what becomes of the first word as pads are added to its batch."""
    words = settings.batch.words
    first, real = words[0], attention_outputs(words)
    changes = list(map(pads_to_change_sign, first.output, _features(words)))
    pads = len(settings.batch.tokens) - len(words)
    counts = sorted({*SHOWN_PADS, pads, *(count for count in changes if count is not None)})
    rows = tuple(Row(str(count), _first_row(real, count, settings)) for count in counts)
    flips = [
        f"{name} from {count} pads on"
        for name, count in zip(DIMENSION_NAMES, changes, strict=True)
        if count is not None
    ]
    names = tuple(f"{kind} {name}" for kind in ("BN", "LN") for name in DIMENSION_NAMES)
    title = f"The word {first.word} among ever more pads, under batch norm and layer norm"
    table = Table("company", title, names, rows, "pads", ".3f")
    fact = Fact(
        "sign_changes",
        f"Under batch norm {{word}} changes sign in {len(flips)} of 3 features"
        + (f": {', '.join(flips)}" if flips else "")
        + ". Under layer norm it is the same in any company.",
        {"word": first.word, "pads": tuple(changes)},
    )
    return table, fact


def _first_row(real: Tensor, pads: int, settings: Settings) -> tuple[float, ...]:
    """Return the first row under batch norm, then under layer norm, with that many zero rows."""
    table = with_zero_rows(real, pads)
    by_batch = settings.normalize(table, BATCH).normalized[0]
    by_layer = normalize(table, LAYER, settings.ddof, settings.layer_eps).normalized[0]
    return (*floats(by_batch), *floats(by_layer))


def statistics_not_true(share: Fraction, changes: tuple[float, ...]) -> Claim:
    """Judge "after padding, mean and std are not true".

    Given are the fraction of pads, and for each feature by what fraction they change its deviation.
    """
    rising = sum(change > 0 for change in changes)
    return claim_on(
        "statistics_not_true",
        "imprecise",
        "The mean shrinks, always, and by one factor: 1 − π = {kept:g}. The deviation may rise, stay or "
        f"fall; here it rises in {{rising}} of {len(changes)} features, by {{changes:+.2%}}.",
        "Zeros leave the sum as it is and raise the count, so the same sum is divided by more. To the "
        "deviation they do two things: they are a group away from the mean, which spreads the numbers, "
        "and all alike, which narrows them.",
        {"kept": float(1 - share), "changes": changes, "rising": rising, "falling": len(changes) - rising},
    )


def self_attention(settings: Settings) -> Claim:
    """Judge "batch normalization does not work well with self attention"."""
    words = settings.normalize(attention_outputs(settings.batch.words), BATCH).normalized
    after = normalize(words, BATCH, settings.ddof)
    return claim_on(
        "self_attention",
        "imprecise",
        "It is not attention that batch norm stumbles over: what attention gives for the words is normalized like any "
        "other table, to mean 0 (up to {mean:.1g}) and variance {variance:.6g} or more. It is pads and company.",
        "Attention is where they meet, because it reads whole sentences, and sentences differ in length.",
        {
            "mean": float(np.abs(after.mean.numpy()).max()),
            "variance": min(floats(after.variance)),
        },
    )


def cannot_use_batch_norm() -> Claim:
    """Judge "we can not use batch norm"."""
    return claim_on(
        "cannot_use",
        "too strong",
        "With statistics of the words only, the pads no longer matter.",
        "What remains is reason enough to prefer layer norm: a word's output depends on which other "
        "sentences are in the batch, training and evaluation use different statistics, and those of "
        "a small batch are noisy.",
    )
