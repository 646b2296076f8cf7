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
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .clock import TimeIsUpError
from .jumps import Jumps
from .one_line import NOISE_LEVELS, FlatFunction, Lines, joined, sample_lines
from .step_ladder import DIRECTION_BITS, STEP_RATIO, UNIT_ROUNDOFF, Array, ladder, levels, power_of_two, scale

DEPTH = 4
TINY = float(np.finfo(np.float64).tiny)
#: So many of the finest steps for what is left beside fine structure.
OWN_LEVELS = 3
#: Two values that are each η off make a difference quotient η/h off; measured noise is rather too large than too small.
NOISE_WEIGHT = 1.3
#: Noise of more than this many units of rounding is the function's own doing.
MOST_ROUNDING = 2.0**16
#: Of more than this many it may be, such as |σ| near 0 for the smallest singular value of another line.
SUSPICIOUS = 2.0**12
#: Fine structure is resolved when the bar is at most so large a part of its slope.
WIDEST = 0.1
#: Coarser steps contradict finer ones when so many of them differ by so many bars of both.
CONTRADICTION = 3.0
AGREEING = 2
#: Few steps do for further directions when their bars are at most so many times as wide as that of the first.
WIDER = 10.0
#: The first of some steps, and the first beyond them.
Span: TypeAlias = tuple[int, int | None]
EVERY: Span = (0, None)


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
    noise: Array  # the measured noise η of the function values
    rough: NDArray[np.bool_]  # whether steps that do not agree make the bar or the noise, and not rounding
    evaluations: int  # how often the function was called
    near: Span = EVERY  # the steps around those that were chosen


def slopes_along_coordinates(
    function: FlatFunction,
    x: Array,
    projection: Array,
    indices: Sequence[int] | None = None,
    expected: Array | None = None,
) -> Slopes:
    """Measure ``∂(projection · f)/∂xᵢ`` for the flat ``indices`` (all entries unless given).

    Each row of ``projection`` (columns, outputs) is a cotangent; a one-hot row gives one row of the Jacobian. Where a
    slope is as ``expected`` (lines, columns), contradictions between fine and coarse steps are not looked into. When
    the time is up there are fewer lines.

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
    units = unit[where].reshape(-1, 1)
    if not len(where):
        return _nothing(units, projection)
    lines = sample_lines(function, point, range(len(where)), steps, center, projection, stretch)
    units = units[: len(lines.gap)]
    expected = None if expected is None else expected[: len(units)]
    jumps = Jumps(function, point, center, projection, None if expected is None else expected * units)
    return _measure(lines, steps, units, jumps)


def slopes_along_directions(
    function: FlatFunction,
    x: Array,
    directions: Sequence[Array],
    projection: Array,
    expected: Array | None = None,
    near: Span = EVERY,
) -> Slopes:
    """Measure ``d(projection · f(x + t v))/dt`` at 0 for each direction ``v`` of :func:`random_directions`.

    Where every step along the first shows what is ``expected``, the others take only the steps around those that were
    chosen there, and every step if these do not show it. ``near`` are the only steps to take, if given.
    """
    steps = ladder(levels(x, finest_ulps=2.0 ** (DIRECTION_BITS + 3)))[slice(*near)]
    center = function(x.copy())
    units = np.ones((len(directions), 1))
    if not len(steps):
        return _nothing(units, projection)

    def point(line: int, t: float) -> Array:
        moved: Array = x + t * directions[line]
        return moved

    def sampled(some: range, steps: Array) -> Lines:
        found = sample_lines(function, point, some, steps, center, projection)
        if len(found.gap) < len(some):
            raise TimeIsUpError
        return found

    lines, rest, in_vain = sampled(range(1), steps), range(1, len(directions)), 0
    if rest and expected is not None:
        first = _measure(lines, steps, units[:1])
        if _settled(first, expected[:1]):
            some = steps[slice(*first.near)]
            others = _measure(sampled(rest, some), some, units[1:], noise=first.noise)
            if _settled(others, expected[1:]) and np.all(others.bar <= WIDER * first.bar):
                return _joined(first, others)
            in_vain = others.evaluations - 1
    if rest:
        lines = joined(lines, sampled(rest, steps))
    found = _measure(lines, steps, units, Jumps(function, point, center, projection, expected))
    return replace(found, evaluations=found.evaluations + in_vain)


def _settled(slopes: Slopes, expected: Array) -> bool:
    """Tell whether slopes are as expected and nothing about them asks for another look."""
    odd = slopes.rough | (slopes.gap > 0) | ~np.isfinite(slopes.bar)
    return not np.any(odd | (np.abs(expected - slopes.value) > 3 * slopes.bar))


def _joined(first: Slopes, others: Slopes) -> Slopes:
    """Return the slopes along all lines together."""
    return Slopes(
        value=np.concatenate([first.value, others.value]),
        bar=np.concatenate([first.bar, others.bar]),
        gap=np.concatenate([first.gap, others.gap]),
        moved=np.concatenate([first.moved, others.moved]),
        noise=np.concatenate([first.noise, others.noise]),
        rough=np.concatenate([first.rough, others.rough]),
        evaluations=first.evaluations + others.evaluations - 1,  # the point itself was evaluated once
    )


def _nothing(units: Array, projection: Array) -> Slopes:
    none = np.zeros((len(units), len(projection)))
    return Slopes(none, none, none, none, none, none > 0, 1)


def _measure(
    lines: Lines, steps: Array, units: Array, jumps: Jumps | None = None, noise: Array | None = None
) -> Slopes:
    """Extrapolate, measure the noise unless it is known, and choose for each entry the value with the smallest bar.

    Contradictions of fine and coarse steps are not looked into without ``jumps``.
    """
    difference, rounding = lines.difference, lines.rounding
    h = steps.reshape(-1, 1, 1)
    with np.errstate(all="ignore"):
        table = richardson(difference / (2 * h))
        if noise is None:
            best, noise = _quietest(table, h, rounding, lines.uneven)
        else:
            noise = np.maximum(noise, rounding)
            best = _choose(table, h, noise)
        if jumps is not None:
            best, noise = _reconsidered(table, steps, lines, best, noise, jumps)
        # Stairs so coarse that they tell nothing: the function stands still here. The slope that was seen may be true.
        plateau = np.all(difference[-3:] == 0, axis=0) & ~(np.abs(best.value) > 3 * best.bar)
        given_up = np.where(plateau, best.value, 0.0)
        best = best._replace(value=best.value - given_up, bar=best.bar + np.abs(given_up) / 3)
        moved = np.nanmax(np.where(np.isfinite(difference), np.abs(difference), 0.0), axis=0, initial=0.0)
    # What is left when the steps do not agree is no error of rounding, and may be far too small.
    rough = best.bar > 4 * (NOISE_WEIGHT * noise + TINY) / steps[best.level]
    rough |= noise > MOST_ROUNDING * rounding
    looks = int(lines.looks.sum()) + (jumps.evaluations if jumps is not None else 0)
    return Slopes(
        value=best.value / units,
        bar=best.bar / units,
        gap=lines.gap / units,
        moved=moved,
        noise=np.where(np.isfinite(noise), noise, 0.0),
        rough=rough,
        evaluations=1 + 2 * len(steps) * len(units) + looks,
        near=(max(0, int(best.level.min()) - DEPTH + 2), int(best.level.max()) + 2),
    )


def _reconsidered(
    table: Array, steps: Array, lines: Lines, best: Choice, noise: Array, jumps: Jumps
) -> tuple[Choice, Array]:
    """Settle contradictions of fine and coarse steps: where the function jumps the coarse are right, else the fine.

    What was chosen may be the fine slope, or a coarse one because fine structure was taken for noise.
    """
    if not jumps.worth_a_look(np.ones_like(best.bar), best.value, 3 * best.bar).any():
        return best, noise
    h, rounding = steps.reshape(-1, 1, 1), lines.rounding
    level = np.arange(table.shape[1]).reshape(-1, 1, 1)
    coarse, apart = _contradiction(table, _plain_bar(table, h, noise), best, level < best.level)
    leaving = lines.leaving()
    left = leaving.max(axis=0)
    farthest = np.where(apart == 0, leaving.argmax(axis=0), coarse.level)
    apart = jumps.worth_a_look(np.where(apart == 0, left, apart), best.value, 3 * best.bar)
    if apart.any():
        found = jumps.noise(best.value, apart, np.full_like(apart, steps[-1]), steps[farthest], rounding)
        # One jump alone, as in ⌊x⌋ + x, explains the other slope: then the fine steps are right.
        bar = _plain_bar(table, h, np.maximum(noise, found.noise))
        stands = _contradiction(table, bar, best, level < best.level)[1] > 0
        rounding = np.maximum(rounding, np.where(stands | found.minute, found.noise, 0.0))
        best, noise = _quietest(table, h, rounding, lines.uneven)
        # Neither a bend nor a jump: either slope may be true.
        unclear = stands & ~found.bends & (found.noise == 0)
        best = best._replace(bar=np.where(unclear, np.maximum(best.bar, apart), best.bar))
    finer = (level > best.level) & (noise > SUSPICIOUS * rounding)
    fine, apart = _contradiction(table, _plain_bar(table, h, rounding), best, finer, steps=1)
    apart = jumps.worth_a_look(np.where(apart > 1 / WIDEST * fine.bar, apart, 0.0), best.value, 3 * best.bar)
    if apart.any():
        found = jumps.noise(fine.value, apart, steps[fine.level], steps[best.level], rounding)
        bends = (apart > 0) & found.bends
        # Neither a bend nor a jump: either slope may be true.
        best = best._replace(bar=np.where(bends | (found.noise > 0), best.bar, np.maximum(best.bar, apart)))
        # The last pair of levels may agree by chance; of more, the structure itself would count as noise.
        gaps = _gaps(table) * h[:-1]
        own = _wobble(gaps, rounding, lines.uneven)[-OWN_LEVELS:].max(axis=0, initial=0.0)
        rounding = np.maximum(rounding, gaps[-1])
        quiet = _choose(table, h, rounding)
        quiet = quiet._replace(bar=np.maximum(quiet.bar, NOISE_WEIGHT * own / steps[quiet.level]))
        best = Choice(*(np.where(bends, q, b) for q, b in zip(quiet, best, strict=True)))
        noise = np.where(bends, rounding, noise)
    return best, noise


def _quietest(table: Array, h: Array, rounding: Array, uneven: Array) -> tuple[Choice, Array]:
    """Choose from the table with the noise measured on it (lines, columns), which is returned as well."""
    gaps = _gaps(table) * h[:-1]
    wobble = _wobble(gaps, rounding, uneven)
    noise = np.maximum(_loudest(wobble[-NOISE_LEVELS:]), rounding)
    best = _choose(table, h, noise)
    # Once more with every level finer than the chosen one: six levels alone may be quantized.
    finer = np.arange(len(h) - 1).reshape(-1, 1, 1) >= best.level
    own = np.where(finer, gaps, 0.0).max(axis=0, initial=0.0)
    noise = np.maximum(np.maximum(noise, _loudest(np.where(finer, wobble, 0.0))), own)
    return _choose(table, h, noise), noise


def _contradiction(
    table: Array, bar: Array, best: Choice, where: NDArray[np.bool_], steps: int = AGREEING
) -> tuple[Choice, Array]:
    """Return the surest entry of the table that contradicts the chosen one, and how far apart they are.

    They are 0 apart where not so many ``steps`` contradict it.
    """
    apart = np.abs(table - best.value)
    ratio = np.nan_to_num(np.where(where & np.isfinite(apart), apart / (bar + best.bar), 0.0))
    flat = ratio.reshape(-1, *best.value.shape)
    place = np.argmin(np.where(flat > CONTRADICTION, bar.reshape(flat.shape), np.inf), axis=0)[None]
    other = [np.take_along_axis(part.reshape(flat.shape), place, axis=0)[0] for part in (table, bar, apart)]
    # One step may contradict the others by chance, having too small a bar.
    sure = np.sum(ratio.max(axis=0) > CONTRADICTION, axis=0) >= steps
    return Choice(other[0], other[1], (place % table.shape[1])[0]), np.where(sure, other[2], 0.0)


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


def _gaps(table: Array) -> Array:
    """Return the least disagreement of any column between each pair of neighboring levels; 0 where unknown."""
    gaps = np.abs(table[:, :-1] - table[:, 1:])
    least = np.min(np.where(np.isnan(gaps), np.inf, gaps), axis=0)
    return np.where(np.isfinite(least), least, 0.0)


def _wobble(gaps: Array, rounding: Array, uneven: Array) -> Array:
    """Return how much of the disagreement of neighboring levels, as a function value, may be noise.

    At the finest levels it is at least how ``uneven`` the two sides of the point are.

    Noise is equally large at all levels. What is larger than four times everything at finer levels is curvature, a kink
    or the edge of the domain, and does not count as noise: it would spoil every other entry.
    """
    wobble = gaps.copy()
    wobble[-len(uneven) :] = np.maximum(wobble[-len(uneven) :], uneven)
    seen = np.maximum(wobble[-1], rounding)
    for level in range(len(wobble) - 2, -1, -1):
        wobble[level] = np.minimum(wobble[level], 4 * seen)
        seen = np.maximum(seen, wobble[level])
    return wobble


def _loudest(wobble: Array) -> Array:
    """Return the maximum over levels and lines: one column's noise is the same along every line."""
    largest: Array = wobble.max(axis=(0, 1), initial=0.0)
    return largest


class Choice(NamedTuple):
    """The entry of a table that was chosen for each line and column."""

    value: Array
    bar: Array
    level: NDArray[np.intp]


def _choose(table: Array, h: Array, noise: Array) -> Choice:
    """Return the table entry with the smallest bar, where no finer level disagrees."""
    bar = _plain_bar(table, h, noise)
    # Any finer level that disagrees by more than its own noise raises the bar. Written with running
    # extremes: max over l of |D_l − T| − w_l is the larger of max(D_l − w_l) − T and T − min(D_l + w_l).
    width = 4 * noise / h
    low = _running(np.fmax, table[0] - width)
    high = _running(np.fmin, table[0] + width)
    raised = np.fmax(low - table, table - high)
    return _smallest(table, np.where(raised > bar, raised, bar))


def _plain_bar(table: Array, h: Array, noise: Array) -> Array:
    """Return the bar of each table entry by its own neighbors: truncation, noise and rounding."""
    last_column, last_level = np.full((2, *table.shape), np.nan)
    last_column[1:] = np.abs(table[1:] - table[:-1])
    # An error that shrinks with the step itself leaves a third of the difference. (With the square, a fifteenth;
    # but a function whose second derivative jumps at the point converges no faster.)
    last_level[:, 1:] = np.abs(table[:, 1:] - table[:, :-1]) / (STEP_RATIO - 1)
    # The first of a column has no neighbor but those that it was made of.
    made_of = np.abs(table[1:, 1:] - table[:-1, :-1]) / (STEP_RATIO - 1)
    last_level[1:, 1:] = np.where(np.isnan(last_level[1:, 1:]), made_of, last_level[1:, 1:])
    bar: Array = np.fmax(last_column, last_level) + (NOISE_WEIGHT * noise + TINY) / h + UNIT_ROUNDOFF * np.abs(table)
    return bar


def _smallest(table: Array, bar: Array) -> Choice:
    """Return the table entry with the smallest bar."""
    count, shape = table.shape[1], table.shape[2:]
    flat = np.where(np.isnan(bar), np.inf, bar).reshape(DEPTH * count, -1)  # as is that of an entry that is not there
    best = np.argmin(flat, axis=0)
    here = best, np.arange(flat.shape[1])
    bar = flat[here].reshape(shape)
    value = table.reshape(flat.shape)[here].reshape(shape)
    return Choice(np.where(np.isfinite(bar), value, np.nan), bar, (best % count).reshape(shape))


def _running(extreme: np.ufunc, levels_first: Array) -> Array:
    """Return for each level the extreme over all strictly finer ones (NaN at the finest)."""
    out = np.full_like(levels_first, np.nan)
    out[:-1] = extreme.accumulate(levels_first[:0:-1], axis=0)[::-1]
    return out
