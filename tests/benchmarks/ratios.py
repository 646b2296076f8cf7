"""What is said about samples: medians, minima, quartiles, and ratios of one peer to another with their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Summary:
    """Samples in four numbers."""

    median: float
    minimum: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Ratio:
    """One peer's samples over another's: of the medians, of the minima, and the quartiles of the rounds' own ratios."""

    medians: float
    minima: float
    lower: float
    upper: float


def summary(samples: Sequence[float]) -> Summary:
    """Return median, minimum and quartiles."""
    lower, median, upper = (float(q) for q in np.quantile(samples, [0.25, 0.5, 0.75]))
    return Summary(median, float(min(samples)), lower, upper)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio | None:
    """Return how ours compare to theirs, round by round; None where theirs are zero or below."""
    if min(theirs) <= 0:
        return None
    mine, other = summary(ours), summary(theirs)
    lower, upper = (float(q) for q in np.quantile(np.divide(ours, theirs), [0.25, 0.75]))
    return Ratio(mine.median / other.median, mine.minimum / other.minimum, lower, upper)
