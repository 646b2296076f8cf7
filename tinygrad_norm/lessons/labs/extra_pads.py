"""The same reviews with more and more pads: by how much a trained network's scores change, and whether it still reads.

A review's scores should not depend on how long its neighbors are. :func:`pad_effects` reads a batch as it is and with
extra pads, in training mode by the statistics of the batch, in evaluation mode by the running ones. The functions
after it sum up what several networks with the same norm do.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from ... import nn
from ...context import no_grad
from ...engine.details.array import Array
from .evaluation import batch_norm_drift
from .reviews import Review, padded

EXTRA_PADS = (4, 16, 64)


@dataclass(frozen=True)
class PadEffect:
    """What so many `extra` pads at the end of each review did to a batch.

    The largest change of a score in each mode and the share of right answers in training mode; how far the statistics
    of the padded batch are from the running ones, None without batch norm.
    """

    extra: int
    padded_share: float
    training_change: float
    evaluation_change: float
    training_accuracy: float
    drift: float | None


@dataclass(frozen=True)
class Reader:
    """How a network reads that has learned reviews, and what pads do to it.

    In evaluation mode: right answers on the reviews that it learned (`known`); right answers and loss on held-out ones,
    and how far the statistics of their batches, as they come, are from the running ones. The first effect is that of no
    extra pads.
    """

    known: float
    accuracy: float
    loss: float
    drift: float | None
    effects: tuple[PadEffect, ...]


def pad_effects(model: nn.Module, reviews: Sequence[Review]) -> tuple[PadEffect, ...]:
    """Return what 0 and then each of :data:`EXTRA_PADS` extra pads do to a batch of reviews.

    The model itself is not changed, and left in evaluation mode.
    """
    effects: list[PadEffect] = []
    first: tuple[Array, Array] | None = None
    for extra in (0, *EXTRA_PADS):
        batch = padded(reviews, extra)
        now = scores(model.train(), batch.ids, batch.pads), scores(model.eval(), batch.ids, batch.pads)
        first = now if first is None else first
        training, evaluation = (float(np.abs(a - b).max()) for a, b in zip(now, first, strict=True))
        right = float((now[0].argmax(-1) == batch.labels).mean())
        moved = batch_norm_drift(model, [(batch.ids, batch.pads)])
        effects.append(PadEffect(extra, batch.padded_share, training, evaluation, right, moved))
    return tuple(effects)


@no_grad()
def scores(model: nn.Module, ids: Array, pads: Array) -> Array:
    """Return a copy's scores, so that the running statistics of the model stay as they are."""
    result: Array = deepcopy(model)(ids, pads).numpy()
    return result


def effects(readers: Sequence[Reader], extra: int) -> list[PadEffect]:
    """Return what so many extra pads did in each repeat."""
    return [effect for reader in readers for effect in reader.effects if effect.extra == extra]


def largest_change(readers: Sequence[Reader], extra: int) -> float:
    """Return the largest change of a score by so many extra pads, in training mode, over the repeats."""
    return max(effect.training_change for effect in effects(readers, extra))


def right_when_padded(readers: Sequence[Reader], extra: int) -> float:
    """Return the mean share of right answers with so many extra pads, in training mode."""
    return fmean(effect.training_accuracy for effect in effects(readers, extra))


def distance_when_padded(readers: Sequence[Reader], extra: int) -> float:
    """Return the mean distance of batches with so many extra pads from the running statistics of a batch norm."""
    return fmean(effect.drift for effect in effects(readers, extra) if effect.drift is not None)


def distance(readers: Sequence[Reader]) -> float:
    """Return the mean distance of batches as they come from the running statistics of a batch norm."""
    return fmean(reader.drift for reader in readers if reader.drift is not None)


def right(readers: Sequence[Reader]) -> float:
    """Return the mean share of right answers on held-out reviews, in evaluation mode."""
    return fmean(reader.accuracy for reader in readers)
