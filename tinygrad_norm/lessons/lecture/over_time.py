"""Batch norm with statistics for each time step: what is left of two sentences, and where there are none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...engine.tensor import Tensor
from ..document.lesson import Claim, Fact, Paragraph, Plain, Row, Table
from ..document.numerals import CellValue
from .norm_formula import BATCH, columns_of
from .notes import DIMENSION_NAMES, STEP_7_LENGTH, STEP_7_LONGEST, Token
from .settings import Settings
from .slips import claim_on
from .tensor_tables import attention_outputs


@dataclass(frozen=True)
class TimeStep:
    """What stands at one time step of the batch, one token a sentence, and what batch norm over its words makes of it.

    The normalized rows are in the order of the words; NaN where they have no deviation.
    """

    number: int
    tokens: tuple[Token, ...]
    normalized: tuple[tuple[float, ...], ...]

    @property
    def words(self) -> tuple[Token, ...]:
        """The tokens without the pads."""
        return tuple(token for token in self.tokens if not token.is_pad)


def time_steps(settings: Settings) -> tuple[TimeStep, ...]:
    """Return the time steps of the padded batch, each normalized over its own words.

    >>> [len(step.words) for step in time_steps(Settings())], time_steps(Settings())[0].normalized
    ([2, 2, 1, 1], ((-1.0, -1.0, 1.0), (1.0, 1.0, -1.0)))
    """
    steps = []
    for number, tokens in enumerate(zip(*settings.batch.sentences, strict=True), start=1):
        words = [token for token in tokens if not token.is_pad]
        if len(words) > settings.ddof:
            normalized = settings.normalize(attention_outputs(words), BATCH).normalized
        else:
            normalized = Tensor(np.full((len(words), len(DIMENSION_NAMES)), math.nan))
        steps.append(TimeStep(number, tokens, tuple(map(tuple, normalized.tolist()))))
    return tuple(steps)


def batch_norm_over_time(settings: Settings) -> tuple[Plain, ...]:
    """Return the table of the time steps, its closest pair, its lonely words, and the verdict on the notes' line."""
    steps = time_steps(settings)
    return (
        Paragraph(
            "The notes have a second reason, sequential data. A network that reads a sentence word by word normalizes "
            "at each time step, and the obvious batch norm has statistics for each: those of one column, over as many "
            "words as there are sentences that are long enough."
        ),
        Table(
            "over_time",
            "The attention outputs step by step, and after batch norm over the words of each step",
            (*DIMENSION_NAMES, *(f"x̂ {name}" for name in DIMENSION_NAMES)),
            tuple(_rows(steps)),
            "step",
            (*[""] * 3, *[".4f"] * 3),
        ),
        _closest(steps),
        sequential_data(steps),
    )


def _rows(steps: tuple[TimeStep, ...]) -> Iterator[Row]:
    empty: tuple[CellValue, ...] = (None,) * len(DIMENSION_NAMES)
    for step in steps:
        results = iter(step.normalized)
        for token in step.tokens:
            after = empty if token.is_pad else next(results)
            yield Row(f"{step.number} {token.word}", (*token.output, *after), token.is_pad)


def _closest(steps: tuple[TimeStep, ...]) -> Fact:
    """Return what becomes of the two numbers that are closest without being equal."""
    pairs = [
        (abs(a - b), (a, b), results, step)
        for step in steps
        if len(step.words) == 2
        for (a, b), results in zip(
            columns_of([word.output for word in step.words]), columns_of(step.normalized), strict=True
        )
        if a != b
    ]
    gap, numbers, results, step = min(pairs)
    widest = max(pairs)
    sizes = {round(abs(results[0]), 12) for _, _, results, _ in pairs}
    conclusion = (
        "Two words leave two values and no others: how far apart they were is gone."
        if len(sizes) == 1
        else "Only because of ε something of the distance is left."
    )
    return Fact(
        "closest",
        "At step {step} the two numbers {numbers}, {gap:.2g} apart, become {results:.4f}; at step {far_step} the two "
        f"numbers {{far}}, {{far_gap:.2g}} apart, become {{far_results:.4f}}. {conclusion}",
        {
            "step": step.number,
            "numbers": numbers,
            "gap": gap,
            "results": results,
            "far_step": widest[3].number,
            "far": widest[1],
            "far_gap": widest[0],
            "far_results": widest[2],
        },
    )


def sequential_data(steps: tuple[TimeStep, ...]) -> Claim:
    """Judge "batch normalization is not good with sequential data", which is right where time steps are apart."""
    lonely = [step.number for step in steps if len(step.words) == 1]
    result = next(step.normalized[0][0] for step in steps if len(step.words) == 1)
    return claim_on(
        "sequential_data",
        "right",
        "With statistics for each time step, yes: at steps {lonely} one word is left, and one value has no deviation: "
        "it becomes {result}, whatever it was. In the batch of step 7, {alone} of {longest} time steps have one word.",
        "And a sentence longer than any in training, here of {longer} words, meets a step that has no statistics. "
        "Layer norm needs none of it: its mean and deviation are those of the word at hand (Ba, Kiros and Hinton, "
        "Layer Normalization, 2016, section 3.1). Taking all time steps together, as above, avoids both, and "
        "is open to what has been said of pads and company.",
        {
            "lonely": tuple(lonely),
            "result": result,
            "alone": STEP_7_LONGEST - STEP_7_LENGTH,
            "longest": STEP_7_LONGEST,
            "longer": len(steps) + 1,
        },
    )
