"""What the function gives along one line, and what is irregular there: a kink, a cusp, a grid of values."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .clock import TimeIsUpError, current_clock
from .patience import Patience
from .step_ladder import STEP_RATIO, UNIT_ROUNDOFF, Array

FLOAT32_ROUNDOFF = 2.0**-24

#: A function of one array that gives all of its outputs as one flat vector.
FlatFunction = Callable[[Array], Array]
#: ``moved(line, output, t)`` is how far an output has moved at a step.
Moved = Callable[[int, int, float], float]


class Lines(NamedTuple):
    """What a number of lines gave; ``columns`` are those of the projection."""

    difference: Array  # (levels, lines, columns): f(x + t v) − f(x − t v), projected
    gap: Array  # (lines, columns): the jump of the slope at kinks
    rounding: Array  # (lines, columns): the least noise of the values
    uneven: Array  # (finest levels, lines, columns): f(x + t v) − 2 f(x) + f(x − t v) without its curvature, projected
    looks: Array  # (lines, 1): how often it was evaluated beside the steps
    #: (levels, lines, columns): how far it is off, in slope, where it first leaves an exact line. Few ever ask.
    leaving: Callable[[], Array]


class Walk(NamedTuple):
    """The values of outputs at all steps to both sides of the point, (levels, lines, outputs)."""

    plus: Array
    minus: Array
    center: Array
    steps: Array
    projection: Array
    largest: float  # of all outputs at the point, those that stand still included
    moved: Moved


#: So many values of an output are asked for its last digit before the others.
A_FEW = 4
#: So many of the finest steps show that an output moves exactly in proportion to the step.
EXACT = 4
#: So many of the finest steps show the noise of a function.
NOISE_LEVELS = 6
#: A jump of so small a part of the values, or of 1, is rounding.
MINUTE = 2.0**-40
#: What becomes so many times as large from one step to the next has run off.
RUN_OFF = 2.0**32
#: So many units of rounding are no stair worth a look.
A_FEW_ROUNDINGS = 16.0
#: The interval in which a plateau ends is halved so often; of a bend there is at most so large a part left then.
HALVINGS, LEAST_PART = 20, 2.0**-10
#: So many function values are kept at a time.
MOST_VALUES = 2_000_000


def sample_lines(
    function: FlatFunction,
    point: Callable[[int, float], Array],
    lines: range,
    steps: Array,
    center: Array,
    projection: Array,
    stretch: Array | None = None,
) -> Lines:
    """Evaluate a function at ``point(line, ±t)`` for all of these lines and steps; return what the lines gave.

    When the time is up these are fewer lines, of which there is at least one.

    ``stretch`` (levels, lines) is how far apart the two points really are, in units of the 2t v that they should be: a
    step that crosses a power of two is rounded.
    """
    if stretch is None:
        stretch = np.ones((len(steps), len(lines)))
    at_once = max(1, MOST_VALUES // max(1, len(steps) * len(center)))
    parts: list[Lines] = []
    clock = current_clock()
    clock.lines = len(lines)

    def answer(x: Array) -> Array:
        return finite_or_nan(function, x, center)

    looks, start, largest = np.zeros((len(lines), 1)), 0, float(np.max(np.abs(center), initial=0.0))

    def moved(line: int, output: int, t: float) -> float:
        clock.tick()
        looks[start + line] += 1
        value = patience.call(answer, point(lines[start + line], t))
        return np.nan if value is None else float(np.abs(value - center)[output])

    def walk(line: int, side: float, values: Array) -> None:
        # Numbers of Python's, by which an array is multiplied twice as fast.
        for level, t in reversed(list(enumerate((side * steps).tolist()))):
            clock.tick()
            value = patience.call(answer, point(line, t))
            if value is None:
                break  # nor would it come back from farther out
            values[level] = value

    with np.errstate(all="ignore"), Patience() as patience:
        for start in range(0, len(lines), at_once):
            chunk = lines[start : start + at_once]
            plus, minus = (np.full((len(steps), len(chunk), len(center)), np.nan) for _ in range(2))
            done = 0
            try:
                for done, line in enumerate(chunk):
                    clock.line = start + done + 1
                    walk(line, 1.0, plus[:, done])
                    walk(line, -1.0, minus[:, done])
                done = len(chunk)
            except TimeIsUpError:
                if not parts and not done:
                    raise
            if done:
                lengths = stretch[:, start : start + done]
                walked = Walk(plus[:, :done], minus[:, :done], center, steps, projection, largest, moved)
                found = _digest(walked, lengths)._replace(looks=looks[start : start + done])
                if len(lines) > at_once:  # so many values are not kept
                    found = found._replace(leaving=partial(np.asarray, found.leaving()))
                parts.append(found)
            if done < len(chunk):
                break
    return joined(*parts)


def joined(*parts: Lines) -> Lines:
    """Return all lines of several parts."""
    if len(parts) == 1:
        return parts[0]
    arrays = zip(*(part[:-1] for part in parts), strict=True)
    difference, gap, rounding, uneven, looks = (np.concatenate(several, axis=-2) for several in arrays)

    def leaving() -> Array:
        return np.concatenate([part.leaving() for part in parts], axis=1)

    return Lines(difference, gap, rounding, uneven, looks, leaving)


def _digest(w: Walk, stretch: Array) -> Lines:
    """Return the projected differences of function values (levels, lines, outputs), and what is irregular."""
    moving = np.any((w.plus != w.center) | (w.minus != w.center), axis=0)
    if moving.any(axis=1).all() and not moving.any(axis=0).all():
        # What stands still adds nothing, unless nothing moves.
        some, moved = np.flatnonzero(moving.any(axis=0)), w.moved
        plus, minus, center, projection = (v[..., some] for v in (w.plus, w.minus, w.center, w.projection))
        w = Walk(plus, minus, center, w.steps, projection, w.largest, lambda line, k, t: moved(line, int(some[k]), t))
    plus, minus, center, steps, projection, *_ = w
    count, lines, outputs = plus.shape
    # Differences first, projection after: a common offset of the outputs then cancels exactly.
    difference = (plus - minus) / stretch[:, :, None]
    bend = (plus - center) - (center - minus)
    sizes = np.broadcast_to(np.abs(center), (lines, outputs)).ravel()
    gap = kink_gap(bend.reshape(count, -1), steps, sizes).reshape(lines, outputs)
    projected = _project(difference, projection)
    cusp = np.isinf(gap)
    if cusp.any():
        projected[:, cusp.astype(np.float64) @ (projection != 0).T > 0] = np.nan
        gap = np.where(cusp, 0.0, gap)
    uneven = _uneven(np.where(gap > 0, 0.0, bend[-NOISE_LEVELS - 1 :]), projection)
    leaving = partial(_leaving, plus, minus, center, steps, projection)
    rounding, looks = _rounding(w, difference), np.zeros((lines, 1))
    return Lines(projected, gap @ np.abs(projection).T, rounding, uneven, looks, leaving)


def _uneven(bend: Array, projection: Array) -> Array:
    """Return what is left of ``f₊ − 2 f₀ + f₋`` without the curvature that the step before shows.

    It is noise like the disagreement of two difference quotients, but not the same one: on a grid of values either of
    them may vanish by chance, level after level.
    """
    uneven: Array = np.abs(np.nan_to_num(bend[1:] - bend[:-1] / STEP_RATIO**2, posinf=0.0, neginf=0.0) @ projection.T)
    return uneven


def _leaving(plus: Array, minus: Array, center: Array, steps: Array, projection: Array) -> Array:
    """Return how far off (levels, lines, columns) outputs are where they leave an exact line by a minute amount.

    ``x (1 + erf x)`` at −8 is x times a few units of 2⁻⁵³, hence a line at the finest steps, and no part of its own
    values shows that this line is a stair.
    """
    ahead, behind = plus - center, minus - center
    leaving = np.zeros((*ahead.shape[:2], len(projection)))
    finest = np.stack([ahead[-EXACT:], behind[-EXACT:]]) / steps[-EXACT:, None, None]
    exact = np.all(np.abs(finest - finest[:, -1:]) <= 1e-12 * np.abs(finest[:, -1:]), axis=(0, 1))
    line, output = np.nonzero(exact & (np.any(ahead != 0, axis=0) | np.any(behind != 0, axis=0)))
    if line.size:
        sides = np.stack([ahead[:, line, output], behind[:, line, output]]) / steps[:, None]
        off = np.nan_to_num(np.max(np.abs(sides - sides[:, -1:]), axis=0))
        gone = off > 1e-9 * np.max(np.abs(sides[:, -1]), axis=0)
        level = len(steps) - 1 - np.argmax(gone[::-1], axis=0)
        off = off[level, np.arange(len(line))]
        minute = gone.any(axis=0) & (off * steps[level] <= MINUTE * np.maximum(1.0, np.abs(center[output])))
        line, output, level, off = line[minute], output[minute], level[minute], off[minute]
        np.maximum.at(leaving, (level, line), off[:, None] * np.abs(projection[:, output]).T)
    return leaving


def _rounding(w: Walk, difference: Array) -> Array:
    """Return the least noise (lines, columns) that the outputs which move along a line can have: their own grid.

    Values on a grid can agree with each other exactly, level after level, on a wrong slope; measured noise is then zero
    and has to be kept from falling below this.
    """
    plus, minus, center, steps, *_ = w
    values = np.concatenate([plus, minus])
    size = _size(values.reshape(2, *plus.shape), w.largest)
    moves = np.any(difference != 0, axis=0)
    # Where nothing moves at all, the movement may be lost in the rounding of any output.
    grid = np.where(moves | ~moves.any(axis=1, keepdims=True), UNIT_ROUNDOFF * size, 0.0)
    uneven = np.nonzero(unproportional(difference, steps))
    if uneven[0].size:
        every_level: tuple[Any, ...] = (slice(None), *uneven)
        coarse = last_digit(values[every_level])
        ahead, behind = plus[every_level] - center[uneven[1]], minus[every_level] - center[uneven[1]]
        stairs = staircase(ahead, behind)
        # All outputs that do not depend on the input have stairs of a few units in the last place.
        for k in np.flatnonzero(stairs > A_FEW_ROUNDINGS * UNIT_ROUNDOFF * size[uneven]):
            go = partial(w.moved, *(int(place[k]) for place in uneven))
            if ends_in_a_bend(go, steps, ahead[:, k]) or ends_in_a_bend(go, -steps, behind[:, k]):
                stairs[k] = 0.0
        grid[uneven] = np.maximum(grid[uneven], np.maximum(coarse, stairs))
    return combined(grid, w.projection)


def _size(values: Array, largest: float) -> Array:
    """Return the greatest magnitude (lines, outputs) on the way out (sides, levels, lines, outputs).

    What runs off, like an iteration outside its domain, says nothing about the rounding of what comes before. It leaves
    behind what it was a step before, and the ``largest`` output at the point.
    """
    levels = np.max(np.where(np.isfinite(values), np.abs(values), 0.0), axis=0)
    size: Array = np.max(levels, axis=0)
    away = np.nonzero(size > RUN_OFF * np.maximum(levels[-1], largest))
    if away[0].size and largest:
        out = levels[(slice(None), *away)][::-1]
        before = np.maximum(np.maximum.accumulate(out, axis=0)[:-1], largest)
        gone = np.cumsum(out[1:] > RUN_OFF * before, axis=0) > 0
        size[away] = np.max(np.where(gone, 0.0, out[1:]), axis=0)
    return size


def combined(grid: Array, projection: Array) -> Array:
    """Return the noise (lines, columns) of a projection of outputs that each have a noise of their own."""
    largest = float(np.max(grid, initial=0.0)) or 1.0  # the square of 1e200 is not a number we can use
    noise: Array = largest * np.sqrt((grid / largest) ** 2 @ (projection**2).T)
    return noise


def last_digit(values: Array) -> Array:
    """Return for each column the largest power of two of which all values are multiples.

    It is the values' own last place as a rule, but a coarser one where they were computed in float32, or are what a
    difference of larger numbers left.

    >>> float(last_digit(np.array([[0.75, 0.1], [2.0, 0.3]]))[0])
    0.25
    """
    found: Array = _lowest_bit(values[:A_FEW])
    # Nothing is finer than the last place of the smallest, where most are after a few values.
    _, exponent = np.frexp(np.fmin.reduce(np.where(values == 0, np.inf, np.abs(values)), axis=0, initial=np.inf))
    coarser = np.flatnonzero(~(found <= np.ldexp(1.0, exponent - 53)))
    if coarser.size:
        found[coarser] = np.minimum(found[coarser], _lowest_bit(values[A_FEW:, coarser]))
    return np.where(np.isfinite(found), found, 0.0)


def _lowest_bit(values: Array) -> Array:
    """Return for each column the least of what the lowest bits that are set are worth, infinity if none is."""
    mantissa, exponent = np.frexp(np.where(np.isfinite(values), values, 0.0))
    whole = (mantissa * 2.0**53).astype(np.int64)
    lowest = np.ldexp((whole & -whole).astype(np.float64), exponent - 53)
    least: Array = np.min(np.where(lowest > 0, lowest, np.inf), axis=0, initial=np.inf)
    return least


def staircase(ahead: Array, behind: Array) -> Array:
    """Return the height of a step where a function stands still at some levels and moves to both sides at others.

    ``ahead`` and ``behind`` are its movements (levels, columns). What moves to one side only is a plateau with an end.
    """
    # The finest step may take one stair by chance, but hardly one on either side.
    still = np.any((ahead == 0) & (behind == 0), axis=0) | (ahead[-1] == 0) | (behind[-1] == 0)
    height = np.zeros(still.shape)
    if not still.any():
        return height
    ahead, behind = np.nan_to_num(ahead[:, still]), np.nan_to_num(behind[:, still])
    both = np.any(ahead != 0, axis=0) & np.any(behind != 0, axis=0)
    moved = np.abs(np.concatenate([ahead, behind]))
    height[still] = np.where(both, np.min(np.where(moved > 0, moved, np.inf), axis=0, initial=np.inf), 0.0)
    return height


def ends_in_a_bend(moved: Callable[[float], float], steps: Array, seen: Array) -> bool:
    """Tell whether a plateau that ends between two of the steps, which moved a function as ``seen``, ends in a bend.

    >>> steps = np.array([0.5, 0.125])
    >>> bend, jump = lambda t: max(t - 0.3, 0), lambda t: float(t > 0.3)
    >>> [ends_in_a_bend(f, steps, np.array([f(t) for t in steps])) for f in (bend, jump)]
    [True, False]
    """
    ends = np.flatnonzero((seen[1:] == 0) & (np.abs(seen[:-1]) > 0))
    if not ends.size:
        return False
    outer, inner, rise = steps[ends[-1]], steps[ends[-1] + 1], abs(seen[ends[-1]])
    left = rise
    with suppress(TimeIsUpError):
        for _ in range(HALVINGS):
            middle = (outer + inner) / 2
            there = moved(middle)
            if there > 0:
                outer, left = middle, there
            else:
                inner = middle
    return bool(left <= LEAST_PART * rise)


def unproportional(difference: Array, steps: Array) -> NDArray[np.bool_]:
    """Tell which outputs (lines, outputs) move, but not in proportion to the step: only those can be on a grid."""
    with np.errstate(all="ignore"):
        rate = np.where(np.isfinite(difference), difference, np.nan) / steps[:, None, None]
        top, bottom = np.fmax.reduce(rate, axis=0), np.fmin.reduce(rate, axis=0)
        uneven: NDArray[np.bool_] = top - bottom > 1e-12 * np.fmax(np.abs(top), np.abs(bottom))
    return uneven


def _project(difference: Array, projection: Array) -> Array:
    """Return ``difference @ projectionᵀ``, where an output that is nowhere asked for may be NaN."""
    finite = np.isfinite(difference)
    if finite.all():
        return difference @ projection.T
    out = np.where(finite, difference, 0.0) @ projection.T
    touched = (~finite).astype(np.float64) @ (projection != 0).astype(np.float64).T
    return np.where(touched > 0, np.nan, out)


def finite_or_nan(function: FlatFunction, x: Array, like: Array) -> Array:
    """Evaluate away from the point: outside its domain a function may give NaN or raise, both mean 'not here'."""
    try:
        value = function(x)
    except Exception:  # a function of somebody else's: whatever it raises there, it does not answer
        return np.full_like(like, np.nan)
    return value if value.shape == like.shape else np.full_like(like, np.nan)


def kink_gap(bend: Array, steps: Array, size: Array) -> Array:
    """Return the jump of the slope at the point: 0 where the function is smooth, inf at a cusp.

    ``bend = f₊ − 2 f₀ + f₋`` shrinks by 16 from step to step for a smooth function, by 4 at a kink, by 2 at
    a cusp like √|x|. A kink needs five such steps, and must not vanish at finer ones: that would show that it
    was only near. ``bend`` is (levels, outputs), ``steps`` (levels,); what is within rounding of ``size``, which is
    |f₀| of each output, is ignored.

    >>> t = 0.5 * 4.0 ** -np.arange(12)
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
            # A kink a little beside the point fades at the last steps of the run, in proportion to 1/h.
            seen = magnitude[end - 3 : end + 1, column] / steps[end - 3 : end + 1]
            jump = float(np.max((STEP_RATIO * seen[:-1] - seen[1:]) / (STEP_RATIO - 1)))
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
    run, end = 0, None
    for index, flag in enumerate(flags):
        run = run + 1 if flag else 0
        if run >= length:
            end = index + 1
    return end
