"""The lecture: its steps, each a function from settings to plain data, computed as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ...errors import InputError
from ..document.lesson import Lesson, Row, Step, Table
from ..document.numerals import write
from .further import further
from .norm_formula import BATCH, LAYER
from .notes import NEURON_NAMES
from .settings import Settings
from .steps.step_1_normalization import normalization_step
from .steps.step_2_batch_norm import batch_norm_step
from .steps.step_3_benefits import benefits_step
from .steps.step_4_padded_batch import padded_batch_step
from .steps.step_5_self_attention import self_attention_step
from .steps.step_6_padded_statistics import padded_statistics_step
from .steps.step_7_mostly_padding import mostly_padding_step
from .steps.step_8_layer_norm import layer_norm_step
from .steps.step_9_scale_and_shift import scale_and_shift_step
from .steps.step_10_evaluation import evaluation_step
from .steps.step_11_in_a_transformer import in_a_transformer_step
from .steps.step_12_after_layer_norm import after_layer_norm_step
from .tensor_tables import NEURONS, ROW_LABELS

STEPS: Mapping[int, Callable[[Settings], Step]] = MappingProxyType(
    {
        1: normalization_step,
        2: batch_norm_step,
        3: benefits_step,
        4: padded_batch_step,
        5: self_attention_step,
        6: padded_statistics_step,
        7: mostly_padding_step,
        8: layer_norm_step,
        9: scale_and_shift_step,
        10: evaluation_step,
        11: in_a_transformer_step,
        12: after_layer_norm_step,
    }
)


def lecture(settings: Settings | None = None, step: int | None = None) -> Lesson:
    """Compute the lecture, or one step of it, with the page of the notes, the divisor and the epsilon of the settings.

    The result is plain data; :mod:`~tinygrad_norm.lessons.document.as_text` and its neighbors turn it into text.

    InputError if there is no such step.

    >>> [block.sentence for block in lecture(step=7).steps[0].blocks if hasattr(block, "sentence")]
    ['1,092 of 3,200 positions are words; 65.9% are pads. So the mean becomes 0.341 of what it is
    for the words alone.']
    """
    settings = settings or Settings()
    if step is not None and step not in STEPS:
        raise InputError(f"the step must be one of {min(STEPS)} to {max(STEPS)}; got {step}.")
    chosen = STEPS if step is None else {step: STEPS[step]}
    return Lesson(
        "Layer normalization, step by step",
        tuple(replace(build(settings), further=further(number)) for number, build in chosen.items()),
        _introduction(settings),
        {
            "variant": settings.variant,
            "ddof": settings.ddof,
            "eps": settings.table_eps,
            "padded_layer_norm_eps": settings.layer_eps,
        },
        overview=_overview(settings) if step is None else None,
    )


def _overview(settings: Settings) -> Table:
    """Return the notes' table beside what each norm makes of it."""
    norms = [settings.normalize(NEURONS, axis).normalized.numpy() for axis in (BATCH, LAYER)]
    rows = np.hstack([NEURONS.numpy(), *norms]).tolist()
    return Table(
        "overview",
        "The table z, after batch norm (BN, down its columns) and after layer norm (LN, along its rows)",
        tuple(f"{norm}{name}" for norm in ("", "BN ", "LN ") for name in NEURON_NAMES),
        tuple(Row(label, tuple(row)) for label, row in zip(ROW_LABELS, rows, strict=True)),
        "row",
        ("",) * len(NEURON_NAMES) + (".3f",) * (2 * len(NEURON_NAMES)),
    )


def _introduction(settings: Settings) -> tuple[str, ...]:
    eps = f"ε = {write(settings.table_eps)}"
    if settings.table_eps != settings.layer_eps:
        eps += f", and {write(settings.layer_eps)} for layer norm over a table with pads"
    return (
        "A handwritten lecture, computed. The tables that the notes give are taken from them; every "
        "other number is computed as you read, and where the notes slip, it says so and why.",
        f"Variances divide by {settings.divisor}; {eps}. The padded table is that of "
        f"{settings.batch.page} ({settings.variant}).",
    )
