"""A derivative from function values alone, together with its own error bar.

:func:`slopes_along_coordinates` and :func:`slopes_along_directions` evaluate a function on a ladder of steps,
extrapolate, *measure* the noise that the function itself makes, and return for every entry the value and a bar.
Three times the bar covers the true error; nothing is set by hand.

Sources: L. F. Richardson, *Phil. Trans. R. Soc. A* 210 (1911), for the extrapolation; C. Ridders, *Adv. Eng.
Software* 4 (1982), for choosing the entry of the table by its own error estimate; J. J. Moré and S. M. Wild, *SIAM
J. Sci. Comput.* 33 (2011), for measuring noise from function values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .one_line import FlatFunction, Lines, sample_lines
from .step_ladder import DIRECTION_BITS, STEP_RATIO, UNIT_ROUNDOFF, Array, ladder, levels, power_of_two, scale

DEPTH = 4
NOISE_LEVELS = 6


@dataclass(frozen=True)
class Slopes:
    """Measured slopes of every column of a projection along every line; arrays are (lines, columns).

    At a kink, ``gap`` is right-hand slope minus left-hand slope in magnitude, 0 where the function is smooth. Every
    number within ``gap / 2`` of ``value`` lies between the one-sided slopes.
    """

    value: Array
    bar: Array  # infinite where no slope could be measured
    gap: Array
    moved: Array  # the largest difference of function values seen on the ladder
    noise: Array  # (columns,): the measured noise η of the function values
    evaluations: int  # how often the function was called


def slopes_along_coordinates(
    function: FlatFunction, x: Array, projection: Array, indices: Sequence[int] | None = None
) -> Slopes:
    """Measure ``∂(projection · f)/∂xᵢ`` for the flat ``indices`` (all entries unless given).

    Each row of ``projection`` (columns, outputs) is a cotangent; a one-hot row gives one row of the Jacobian.

    >>> slopes = slopes_along_coordinates(np.ravel, np.array([2.0, 5.0]), np.eye(2))
    >>> slopes.value
    array([[1., 0.],
           [0., 1.]])
    """
    unit = power_of_two(scale(x)).ravel()
    steps = ladder(levels(x))
    center = function(x.copy())
    where = np.arange(x.size) if indices is None else np.asarray(indices, dtype=np.intp)

    def point(line: int, t: float) -> Array:
        moved = x.copy()
        moved.reshape(-1)[where[line]] += t * unit[where[line]]
        return moved

    at, h = x.reshape(-1)[where], steps[:, None] * unit[where]
    stretch = ((at + h) - (at - h)) / (2 * h)
    lines = sample_lines(function, point, len(where), steps, center, projection, stretch) if len(where) else None
    return _measure(lines, steps, unit[where].reshape(-1, 1), projection.shape[0])


def slopes_along_directions(function: FlatFunction, x: Array, directions: Sequence[Array], projection: Array) -> Slopes:
    """Measure ``d(projection · f(x + t v))/dt`` at 0 for each direction ``v`` of :func:`random_directions`."""
    steps = ladder(levels(x, finest_ulps=2.0 ** (DIRECTION_BITS + 3)))
    center = function(x.copy())

    def point(line: int, t: float) -> Array:
        moved: Array = x + t * directions[line]
        return moved

    lines = sample_lines(function, point, len(directions), steps, center, projection) if len(steps) else None
    return _measure(lines, steps, np.ones((len(directions), 1)), projection.shape[0])


def _measure(lines: Lines | None, steps: Array, units: Array, columns: int) -> Slopes:
    """Extrapolate, measure the noise, and choose for each entry the table value with the smallest bar."""
    if lines is None:
        none = np.zeros((len(units), columns))
        return Slopes(none, none, none, none, np.zeros(columns), 1)
    difference, rounding = lines.difference, lines.rounding
    h = steps.reshape(-1, 1, 1)
    with np.errstate(all="ignore"):
        table = richardson(difference / (2 * h))
        wobble = _wobble(table, h, rounding)
        noise = np.maximum(_loudest(wobble[-NOISE_LEVELS:]), rounding)
        value, bar, level = _choose(table, h, noise)
        # Once more with every level finer than the chosen one: six levels alone may be quantized.
        finer = np.arange(len(steps) - 1).reshape(-1, 1, 1) >= level
        noise = np.maximum(noise, _loudest(np.where(finer, wobble, 0.0)))
        value, bar, _ = _choose(table, h, noise)
        moved = np.nanmax(np.where(np.isfinite(difference), np.abs(difference), 0.0), axis=0, initial=0.0)
    evaluations = 1 + 2 * len(steps) * len(units)
    return Slopes(value / units, bar / units, lines.gap / units, moved, noise.max(axis=0), evaluations)


def richardson(differences: Array) -> Array:
    """Return the table ``T[j, k]``: column ``j`` has the errors ``h², …, h²ʲ`` removed; NaN where undefined.

    ``T[j, k] = T[j−1, k] + (T[j−1, k] − T[j−1, k−1]) / (16ʲ − 1)``
    """
    table = np.full((DEPTH, *differences.shape), np.nan)
    table[0] = differences
    for j in range(1, DEPTH):
        fine, coarse = table[j - 1, 1:], table[j - 1, :-1]
        table[j, 1:] = fine + (fine - coarse) / (STEP_RATIO ** (2 * j) - 1)
    return table


def _wobble(table: Array, h: Array, rounding: Array) -> Array:
    """Return for each pair of neighboring levels the least disagreement of any column, as a function value.

    Noise is equally large at all levels. What is larger than four times everything at finer levels is curvature, a kink
    or the edge of the domain, and does not count as noise: it would spoil every other entry.
    """
    gaps = np.abs(table[:, :-1] - table[:, 1:])
    least = np.nanmin(np.where(np.isnan(gaps), np.inf, gaps), axis=0)
    wobble: Array = np.where(np.isfinite(least), least * h[:-1], 0.0)
    seen = np.maximum(wobble[-1], rounding)
    for level in range(len(wobble) - 2, -1, -1):
        wobble[level] = np.minimum(wobble[level], 4 * seen)
        seen = np.maximum(seen, wobble[level])
    return wobble


def _loudest(wobble: Array) -> Array:
    """Return the maximum over levels and lines: one column's noise is the same along every line."""
    largest: Array = wobble.max(axis=(0, 1), initial=0.0)
    return largest


def _choose(table: Array, h: Array, noise: Array) -> tuple[Array, Array, NDArray[np.intp]]:
    """Return value, bar and level of the table entry with the smallest bar."""
    count = table.shape[1]
    last_column = np.full_like(table, np.nan)
    last_column[1:] = np.abs(table[1:] - table[:-1])
    last_level = np.full_like(table, np.nan)
    # An error that shrinks with the step itself leaves a third of the difference. (With the square, a fifteenth;
    # but a function whose second derivative jumps at the point converges no faster.)
    last_level[:, 1:] = np.abs(table[:, 1:] - table[:, :-1]) / (STEP_RATIO - 1)
    truncation = np.fmax(last_column, last_level)
    tiny = np.finfo(np.float64).tiny
    bar = truncation + (2 * noise + tiny) / h + UNIT_ROUNDOFF * np.abs(table)
    # Any finer level that disagrees by more than its own noise raises the bar. Written with running
    # extremes: max over l of |D_l − T| − w_l is the larger of max(D_l − w_l) − T and T − min(D_l + w_l).
    width = 4 * noise / h
    low = _running(np.fmax, table[0] - width)
    high = _running(np.fmin, table[0] + width)
    raised = np.fmax(low - table, table - high)
    bar = np.where(np.isnan(raised), bar, np.maximum(bar, raised))
    bar = np.where(np.isnan(bar) | np.isnan(table), np.inf, bar)
    flat = bar.reshape(DEPTH * count, *bar.shape[2:])
    best = np.argmin(flat, axis=0)[None]
    value = np.take_along_axis(table.reshape(flat.shape), best, axis=0)[0]
    bar = np.take_along_axis(flat, best, axis=0)[0]
    return np.where(np.isfinite(bar), value, np.nan), bar, (best % count)[0]


def _running(extreme: np.ufunc, levels_first: Array) -> Array:
    """Return for each level the extreme over all strictly finer ones (NaN at the finest)."""
    out = np.full_like(levels_first, np.nan)
    out[:-1] = extreme.accumulate(levels_first[:0:-1], axis=0)[::-1]
    return out
