"""The experiment ``lab padding``: the same reviews with more and more pads, under each normalization.

A review's scores should not depend on how long its neighbors are. With layer norm, RMS norm, no norm or masked batch
norm they do not, to rounding. With batch norm over all positions they do: pads are part of its mean and deviation. In
evaluation mode the running statistics are constants and no norm minds pads, but what they remember is the padding of
the batches that were trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TextIO

import numpy as np

from ... import nn
from ...context import no_grad
from ...primitive import Array
from .batches import padded
from .drift import drift
from .fit import Settings
from .outcome import Outcome
from .reviews import Review
from .train_reviews import split_reviews, train_on_reviews

EXTRA_PADS = (4, 16, 64)
BATCH = 64
INDIFFERENT = 1e-12


@dataclass(frozen=True)
class PadEffect:
    """What so many extra pads did: the largest change of a score, and the share of right answers, in each mode.

    ``drift`` is how far the padded batch's statistics are from the running ones; see :func:`.drift.drift`.
    """

    extra: int
    padded_share: float
    training_change: float
    training_accuracy: float
    evaluation_change: float
    evaluation_accuracy: float
    drift: float | None


@dataclass(frozen=True)
class PaddingOutcome:
    """A trained model and what pads do to it; ``effects[0]`` is the batch as it is, without extra pads."""

    outcome: Outcome
    effects: tuple[PadEffect, ...]

    @property
    def indifferent(self) -> bool:
        """Whether no number of pads changed a score by more than rounding, in training mode."""
        return all(effect.training_change <= INDIFFERENT for effect in self.effects)


def pad_a_trained_model(norm: str, settings: Settings, stream: TextIO | None = None) -> PaddingOutcome:
    """Train on reviews with this norm, then pad a batch of held-out reviews further and further.

    In training mode the statistics are those of the batch, as during training; the model itself is not changed.
    """
    trained = train_on_reviews(norm, settings, stream)
    _, held_out = split_reviews(settings.seed)
    return PaddingOutcome(trained.outcome, pad_effects(trained.model, held_out[:BATCH]))


def pad_effects(model: nn.Module, reviews: Sequence[Review]) -> tuple[PadEffect, ...]:
    """Return what 0 and then each of :data:`EXTRA_PADS` extra pads do to a batch of reviews."""
    effects: list[PadEffect] = []
    first: tuple[Array, Array] | None = None
    for extra in (0, *EXTRA_PADS):
        batch = padded(reviews, extra)
        now = scores(model.train(), batch.ids, batch.pads), scores(model.eval(), batch.ids, batch.pads)
        first = now if first is None else first
        changes = [float(np.abs(a - b).max()) for a, b in zip(now, first, strict=True)]
        right = [float((s.argmax(-1) == batch.labels).mean()) for s in now]
        moved = drift(model, [(batch.ids, batch.pads)])
        effects.append(PadEffect(extra, batch.padded_share, changes[0], right[0], changes[1], right[1], moved))
    return tuple(effects)


@no_grad()
def scores(model: nn.Module, ids: Array, pads: Array) -> Array:
    """Return a copy's scores, so that the running statistics of the model stay as they are."""
    result: Array = deepcopy(model)(ids, pads).numpy()
    return result
