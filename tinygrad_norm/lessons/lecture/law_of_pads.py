"""What rows of zeros do to a mean and a deviation: the exact law, and its consequences.

Let a fraction π of the rows be zeros and μ, σ² be the mean and the population variance of the others.
Together they have mean ``(1 − π)μ`` and variance ``(1 − π)(σ² + πμ²)``: the sum and the sum of squares
do not change, only the count does. So the mean always shrinks by exactly ``1 − π``; the deviation may rise,
stay or fall.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...engine.tensor import Tensor
from . import exact_arithmetic as exact


@dataclass(frozen=True)
class Spread:
    """Mean and population variance of some numbers, exactly."""

    mean: Fraction
    variance: Fraction

    @property
    def deviation(self) -> float:
        """The square root of the variance."""
        return math.sqrt(self.variance)

    def padded(self, share: Fraction) -> Spread:
        """Return mean and variance when a fraction `share` of all rows are zeros.

        >>> Spread(Fraction(4), Fraction(1)).padded(Fraction(1, 4))
        Spread(mean=Fraction(3, 1), variance=Fraction(15, 4))
        """
        kept = 1 - share
        return Spread(kept * self.mean, kept * (self.variance + share * self.mean**2))

    @property
    def break_even(self) -> Fraction:
        """The fraction of zeros at which the deviation is back at its own value: ``1 − σ²/μ²``.

        Below it the zeros raise the deviation, above it they lower it. It is 0 if they never raise it.

        >>> Spread(Fraction(2), Fraction(1)).break_even, Spread(Fraction(1), Fraction(2)).break_even
        (Fraction(3, 4), Fraction(0, 1))
        """
        if self.variance >= self.mean**2:
            return Fraction(0)
        return 1 - self.variance / self.mean**2


def exact_spread(numbers: Sequence[float]) -> Spread:
    """Return the exact mean and population variance of decimal numbers."""
    given = exact.rationals(numbers)
    return Spread(exact.mean(given), exact.variance(given))


def pads_to_change_sign(value: float, numbers: Sequence[float]) -> int | None:
    """Return how many zero rows it takes until `value`, normalized, has the other sign.

    The sign is that of ``value − (1 − π)μ``, and ``(1 − π)μ`` runs from μ toward 0 as zeros are added.
    So it can change only for a value between 0 and μ, and then once ``n/(n + k) < value/μ``. None if it never changes.

    >>> pads_to_change_sign(2.0, [2.0, 4.0]), pads_to_change_sign(4.0, [2.0, 4.0])
    (2, None)
    """
    center = exact.mean(exact.rationals(numbers))
    given = exact.rational(value)
    if given == center or given * center <= 0 or abs(given) > abs(center):
        return None
    # At n(μ/value − 1) zeros the value is the mean itself; one more is needed, rounded down.
    return math.floor(len(numbers) * (center / given - 1)) + 1


def with_zero_rows(real: Tensor, count: int) -> Tensor:
    """Return the rows of `real` followed by `count` rows of zeros."""
    return Tensor(np.vstack([real.numpy(), np.zeros((count, real.shape[1]))]))
