"""Training a two-layer encoder to find the sentiment of reviews."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

import numpy as np

from ...random import manual_seed
from .batches import Batch, in_batches, padded
from .classifier import ReviewClassifier
from .fit import Settings, fit
from .outcome import Examples, Trained, judged
from .reviews import Review, make_reviews

TRAINING, HELD_OUT = 2000, 500


def train_on_reviews(norm: str, settings: Settings, stream: TextIO | None = None) -> Trained:
    """Return a trained :class:`.classifier.ReviewClassifier`; the held-out reviews are none of those it saw."""
    training, held_out = split_reviews(settings.seed)
    manual_seed(settings.seed)
    model = ReviewClassifier(norm, dtype=settings.dtype)
    epoch, steps = epochs_of(training, settings.batch)
    course = fit(model, epoch, steps, settings, norm, stream)
    batches = map(as_examples, in_batches(held_out, settings.batch))
    return judged(norm, model, course, as_examples(padded(training)), as_examples(padded(held_out)), batches)


def epochs_of(reviews: Sequence[Review], size: int) -> tuple[Callable[[np.random.Generator], Iterator[Examples]], int]:
    """Return what gives the batches of an epoch, in the order of a generator, and how many there are."""

    def epoch(rng: np.random.Generator) -> Iterator[Examples]:
        return map(as_examples, in_batches(reviews, size, rng))

    return epoch, len(list(in_batches(reviews, size)))


def split_reviews(seed: int) -> tuple[tuple[Review, ...], tuple[Review, ...]]:
    """Return reviews to train on and others to test with."""
    reviews = make_reviews(TRAINING + HELD_OUT, seed)
    return reviews[:TRAINING], reviews[TRAINING:]


def as_examples(batch: Batch) -> Examples:
    """Return a batch as what the classifier takes and should find."""
    return Examples((batch.ids, batch.pads), batch.labels)
