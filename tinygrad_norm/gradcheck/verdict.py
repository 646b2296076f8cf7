"""Is a gradient right? Compares it with the measured slopes, entry by entry, without a tolerance of its own.

:func:`judge_gradient` is the rule: right when ``|yours − numeric| ≤ 3·bar + doubt``. The *bar* is the numeric side's
(:mod:`.numeric`), the *doubt* (:func:`doubt`) is what rounding does to the gradient under test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .measure.numeric import Slopes
from .measure.step_ladder import UNIT_ROUNDOFF, Array

Flags = NDArray[np.bool_]

COVERAGE = 3.0
#: A function that moves by less than this many times its own noise cannot be differentiated numerically.
LEAST_MOVEMENT = 1000.0
#: A bar of more than this fraction of the largest entry says nothing useful.
WIDEST_BAR = 0.1
#: Outside a bar that steps make which do not agree a difference must be so many times as large.
UNCLEAR = 8.0


@dataclass(frozen=True)
class Doubt:
    """What rounding does to the gradient under test, per cotangent and entry ``(cotangents, entries)``.

    ``change`` is the largest change under one-ulp perturbations of the point, ``rounding`` is 32 u × the
    largest entry. The verdict allows for ``4 · change + rounding``.
    """

    change: Array
    rounding: Array

    @property
    def total(self) -> Array:
        """What the verdict allows for at an ordinary point."""
        return 4 * self.change + self.rounding


def doubt(gradient: Array, perturbed: Sequence[Array], size: Array | None = None) -> Doubt:
    """Return the doubt of a gradient, ``perturbed`` being the same at points moved by one unit in the last place.

    ``size`` is the magnitude of what was added up to ``gradient``; the gradient itself unless given.

    >>> float(doubt(np.array([[1.0]]), [np.array([[1.5]])]).change[0, 0])
    0.5
    """
    change = np.zeros_like(gradient)
    magnitude = np.abs(gradient if size is None else size)
    with np.errstate(all="ignore"):
        for other in perturbed:
            change = np.fmax(change, np.abs(other - gradient))
        largest = np.max(np.where(np.isfinite(magnitude), magnitude, 0.0), axis=1, keepdims=True, initial=0.0)
    rounding = np.broadcast_to(32 * UNIT_ROUNDOFF * largest, gradient.shape)
    return Doubt(np.where(np.isfinite(change), change, 0.0), rounding)


@dataclass(frozen=True)
class Judgment:
    """The judgement of every entry; all arrays are ``(cotangents, entries)``.

    ``allowed`` is the largest difference that still counts as right; ``vacuous`` says that both sides are
    zero everywhere as far as rounding lets one see, so that nothing has been checked. It is called *flat* when they are
    exactly zero: a plateau rather than a cancellation.
    """

    right: Flags
    unsure: Flags
    kinked: Flags
    yours: Array
    numeric: Array
    uncertainty: Array
    allowed: Array
    vacuous: bool

    @property
    def wrong(self) -> Flags:
        """Entries that are neither right nor undecidable."""
        return ~self.right & ~self.unsure

    @property
    def status(self) -> str:
        """``right``, ``wrong``, ``cannot tell``, ``vacuous``, ``flat`` or ``empty``."""
        if self.right.size == 0:
            return "empty"
        if self.wrong.any():
            return "wrong"
        if self.unsure.any():
            return "cannot tell"
        if self.vacuous:
            exact = np.all(self.yours == 0) and np.all(self.numeric == 0)
            return "flat" if exact else "vacuous"
        return "right"


def judge_gradient(yours: Array, slopes: Slopes, doubts: Doubt, reach: Array, rtol: float | None) -> Judgment:
    """Compare a gradient, or its product with each direction, with the slopes measured along them.

    ``reach`` (entries,) is how far the ladder moved each entry: slope × reach is a change of the function. Differences
    up to ``rtol`` of the largest entry are accepted too.
    """
    numeric, bar, gap = slopes.value.T, slopes.bar.T, slopes.gap.T
    kinked = gap > 0
    # At a kink the gradient's own jump under a perturbation is expected, and no reason to doubt it.
    spare = np.where(kinked, doubts.rounding, doubts.rounding + 4 * doubts.change)
    with np.errstate(all="ignore"):
        allowed = COVERAGE * bar + spare + gap / 2
        largest = max(_largest(yours), _largest(numeric))
        if rtol is not None:
            allowed = allowed + rtol * largest
        right = np.abs(yours - numeric) <= allowed
        # Steps that do not agree may all be too coarse: what is so little outside their bar is not condemned by them.
        # A kink at the point is no such case: the slopes around it are looked at before anything is condemned.
        unclear = slopes.rough.T & ~kinked & ~right & (np.abs(yours - numeric) <= UNCLEAR * allowed)
        too_wide = ~np.isfinite(numeric) | (bar + spare / COVERAGE > WIDEST_BAR * largest)
        # Yours may be the largest by far and be wrong; but a slope that was never reached says nothing about it.
        too_wide |= slopes.rough.T & (bar > WIDEST_BAR * _largest(numeric))
        expected = np.max(np.abs(yours) * reach, axis=1, initial=0.0)
        moved = np.max(slopes.moved.T, axis=1, initial=0.0)
        # How far yours would have moved it counts as well, but not where it moves a great deal and all over the place.
        moved = np.where(slopes.rough.T.any(axis=1), moved, np.maximum(moved, expected))
        still = moved[:, None] < LEAST_MOVEMENT * slopes.noise.T
    vacuous = _vacuous(yours, numeric, bar, doubts, reach)
    unsure = np.isfinite(yours) & (too_wide | still | unclear) & ~np.bool_(vacuous)
    right = (right & ~unsure) | np.bool_(vacuous)
    return Judgment(right, unsure, kinked, yours, numeric, COVERAGE * bar, allowed, vacuous)


def _largest(values: Array) -> float:
    return float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0))


def _vacuous(yours: Array, numeric: Array, bar: Array, doubts: Doubt, reach: Array) -> bool:
    """Tell whether both sides are zero as far as rounding lets one see."""
    if yours.size == 0 or not np.isfinite(yours).all() or not np.isfinite(bar).all():
        return False
    if np.any(np.abs(numeric) > COVERAGE * bar):
        return False
    rounding = np.max(8 * doubts.change, initial=0.0)
    # Relative to a cotangent of ordinary size (a standard Gaussian) and the length moved.
    return bool(np.all((np.abs(yours) <= rounding) | (np.abs(yours) * reach <= 64 * UNIT_ROUNDOFF)))
