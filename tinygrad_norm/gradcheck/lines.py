"""What the function gives along one line, and what is irregular there: a kink, a cusp, a grid of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ladder import UNIT_ROUNDOFF, Array

FLOAT32_ROUNDOFF = 2.0**-24

#: A function of one array that gives all of its outputs as one flat vector.
FlatFunction = Callable[[Array], Array]


@dataclass(frozen=True)
class Line:
    """What one line gave: projected differences, the gap of its kinks, the biggest movement."""

    difference: Array  # (levels, columns): f(x + t v) − f(x − t v)
    gap: Array  # (columns,)
    rounding: Array  # (columns,)
    evaluations: int


def sample(
    function: FlatFunction,
    point: Callable[[float], Array],
    steps: Array,
    center: Array,
    projection: Array,
    stretch: Callable[[float], float] = lambda t: 1.0,
) -> Line:
    """Evaluate a function at ``point(±t)`` for every step; return the projected differences and what is irregular.

    ``stretch(t)`` is how far apart the two points really are, in units of the 2t v that they should be: a step that
    crosses a power of two is rounded.
    """
    plus, minus = (np.empty((len(steps), len(center))) for _ in range(2))
    with np.errstate(all="ignore"):
        for level, t in enumerate(steps):
            plus[level] = _finite_or_nan(function, point(t), center)
            minus[level] = _finite_or_nan(function, point(-t), center)
        # Differences first, projection after: a common offset of the outputs then cancels exactly.
        difference = (plus - minus) / np.array([stretch(t) for t in steps])[:, None]
        bend = (plus - center) - (center - minus)
        gap = kink_gap(bend, steps, np.abs(center))
        projected = _project(difference, projection)
        cusp = np.isinf(gap)
        if cusp.any():
            projected[:, np.any(projection[:, cusp] != 0, axis=1)] = np.nan
            gap = np.where(cusp, 0.0, gap)
        rounding = _rounding(np.vstack([plus, minus]), difference, steps, projection)
        return Line(projected, np.abs(projection) @ gap, rounding, 2 * len(steps))


def _rounding(values: Array, difference: Array, steps: Array, projection: Array) -> Array:
    """Return the least noise that the outputs which move along this line can have: their own grid.

    Values on a grid can agree with each other exactly, level after level, on a wrong slope; measured noise is then zero
    and has to be kept from falling below this.
    """
    size = np.max(np.where(np.isfinite(values), np.abs(values), 0.0), axis=0)
    moves = np.any(difference != 0, axis=0)
    # Where nothing moves at all, the movement may be lost in the rounding of any output.
    grid = np.where(moves | ~moves.any(), UNIT_ROUNDOFF * size, 0.0)
    uneven = np.flatnonzero(unproportional(difference, steps))
    grid[uneven] = np.maximum(grid[uneven], hidden_grid(difference[:, uneven], size[uneven]))
    with np.errstate(over="ignore"):
        single = uneven[np.all(values[:, uneven].astype(np.float32) == values[:, uneven], axis=0)]
    grid[single] = np.maximum(grid[single], FLOAT32_ROUNDOFF * size[single])
    largest = float(np.max(grid, initial=0.0)) or 1.0  # the square of 1e200 is not a number we can use
    noise: Array = largest * np.sqrt(projection**2 @ (grid / largest) ** 2)
    return noise


def unproportional(difference: Array, steps: Array) -> NDArray[np.bool_]:
    """Tell which outputs move, but not exactly in proportion to the step: the others are linear, not on a grid."""
    with np.errstate(all="ignore"):
        rate = difference / steps[:, None]
        top, bottom = np.fmax.reduce(rate, axis=0), np.fmin.reduce(rate, axis=0)
        uneven: NDArray[np.bool_] = top - bottom > 1e-12 * np.fmax(np.abs(top), np.abs(bottom))
    return uneven


def hidden_grid(difference: Array, size: Array) -> Array:
    """Return the spacing of each output's values where it is coarser than the output's own rounding, 0 elsewhere.

    ``(1 + x) − 1`` is a multiple of 2⁻⁵² however small it is. At fine steps it moves by a few whole multiples, which do
    not grow in proportion to the step. Too coarse a grid (more than 2⁻⁴⁴) is a staircase, not rounding.

    Parameters
    ----------
    difference : array (levels, outputs)
    size : array (outputs,)
        The largest value seen.
    """
    spacing = np.zeros(difference.shape[1])
    magnitude = np.where(np.isfinite(difference), np.abs(difference), 0.0)
    moves = magnitude > 0
    smallest = np.min(np.where(moves, magnitude, np.inf), axis=0, initial=np.inf)
    few = moves & (magnitude <= 2.0**26 * smallest)
    fine = smallest <= 2.0**-44 * np.maximum(1.0, size)
    for output in np.flatnonzero(fine & (few.sum(axis=0) >= 3)):
        multiples = magnitude[few[:, output], output] / smallest[output]
        parts = np.arange(1.0, 513.0)[:, None] * multiples
        whole = np.all(np.abs(parts - np.rint(parts)) < 1e-6, axis=1)
        if whole.any():
            spacing[output] = smallest[output] / (1 + int(np.argmax(whole)))
    return spacing


def _project(difference: Array, projection: Array) -> Array:
    """Return ``difference @ projectionᵀ``, where an output that is nowhere asked for may be NaN."""
    finite = np.isfinite(difference)
    if finite.all():
        return difference @ projection.T
    out = np.where(finite, difference, 0.0) @ projection.T
    touched = (~finite).astype(np.float64) @ (projection != 0).astype(np.float64).T
    return np.where(touched > 0, np.nan, out)


def _finite_or_nan(function: FlatFunction, x: Array, like: Array) -> Array:
    """Evaluate away from the point: outside its domain a function may give NaN or raise, both mean 'not here'."""
    try:
        value = function(x)
    except (ArithmeticError, ValueError):
        return np.full_like(like, np.nan)
    return value if value.shape == like.shape else np.full_like(like, np.nan)


def kink_gap(bend: Array, steps: Array, size: Array) -> Array:
    """Return the jump of the slope at the point: 0 where the function is smooth, inf at a cusp.

    ``bend = f₊ − 2 f₀ + f₋`` shrinks by 16 from step to step for a smooth function, by 4 at a kink, by 2 at
    a cusp like √|x|. A kink needs five such steps, and must not vanish at finer ones: that would show that it
    was only near.

    Parameters
    ----------
    bend : array (levels, outputs)
    steps : array (levels,)
    size : array (outputs,)
        ``|f₀|``; what is within rounding of it is ignored.

    Examples
    --------
    >>> t = ladder(12)
    >>> bend = np.stack([np.abs(t) * 2, t**2], axis=1)  # |x| and x² at zero
    >>> kink_gap(bend, t, np.zeros(2))
    array([2., 0.])
    """
    gap = np.zeros(bend.shape[1])
    magnitude = np.abs(bend)
    floor = 16 * UNIT_ROUNDOFF * size
    visible = magnitude > floor
    candidates = np.flatnonzero(visible.sum(axis=0) >= 5)
    if candidates.size == 0:
        return gap
    magnitude, floor, visible = magnitude[:, candidates], floor[candidates], visible[:, candidates]
    with np.errstate(all="ignore"):
        ratio = np.where(visible[1:] & visible[:-1], magnitude[1:] / magnitude[:-1], 0.0)
    as_kink = (ratio > 0.2) & (ratio < 0.3)
    as_cusp = (ratio > 0.4) & (ratio < 0.6)
    suspects = np.flatnonzero((as_kink.sum(axis=0) >= 4) | (as_cusp.sum(axis=0) >= 6))
    for column in suspects:
        output = candidates[column]
        end = _end_of_run(as_kink[:, column], 4)
        if end is not None:
            jump = magnitude[end, column] / steps[end]
            expected = jump * steps[end + 1 :]
            # Two steps of grace: a kink between two steps of the ladder fades over them.
            still = (magnitude[end + 1 :, column] > expected / 2)[expected > 8 * floor[column]][2:]
            if not still.size or np.any(still):
                gap[output] = jump
        end = _end_of_run(as_cusp[:, column], 6)
        if end is not None and not np.any(visible[end + 1 :, column]):
            gap[output] = np.inf
    return gap


def _end_of_run(flags: NDArray[np.bool_], length: int) -> int | None:
    """Return the index just past the last run of at least ``length`` true flags."""
    run = 0
    end = None
    for index, flag in enumerate(flags):
        run = run + 1 if flag else 0
        if run >= length:
            end = index + 1
    return end
