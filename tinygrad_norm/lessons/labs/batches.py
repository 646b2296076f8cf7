"""From reviews of different lengths to rectangles of ids: padding, and the order in which batches come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...engine.details.array import Array
from .reviews import IDS, Review


@dataclass(frozen=True)
class Batch:
    """Ids (review, position), where the pads are, and the sentiments (review)."""

    ids: Array
    pads: Array
    labels: Array

    @property
    def padded_share(self) -> float:
        """The share of positions that are pads, π in the lecture."""
        return float(self.pads.mean())


def padded(reviews: Sequence[Review], extra: int = 0) -> Batch:
    """Return reviews as one batch, padded to the longest and by ``extra`` more.

    Examples
    --------
    >>> from tinygrad_norm.lessons.labs.reviews import Review
    >>> padded([Review(("Hi", "Nitish"), 1), Review(("How", "are", "you", "today"), 0)]).pads.astype(int)
    array([[0, 0, 1, 1],
           [0, 0, 0, 0]])
    """
    length = max(len(review.words) for review in reviews) + extra
    ids = np.zeros((len(reviews), length), np.intp)
    pads = np.ones((len(reviews), length), bool)
    for i, review in enumerate(reviews):
        ids[i, : len(review.words)] = [IDS[word] for word in review.words]
        pads[i, : len(review.words)] = False
    return Batch(ids, pads, np.array([review.sentiment for review in reviews]))


def in_batches(reviews: Sequence[Review], size: int, rng: np.random.Generator | None = None) -> Iterator[Batch]:
    """Yield all reviews in batches, in a random order if there is a generator.

    A last batch of one review is left out: it has no deviation for a batch norm to divide by.
    """
    order = np.arange(len(reviews)) if rng is None else rng.permutation(len(reviews))
    for start in range(0, len(order), size):
        chosen = [reviews[i] for i in order[start : start + size]]
        if len(chosen) > 1 or len(order) == 1:
            yield padded(chosen)
