"""A derivative from function values alone, together with its own error bar.

:func:`slopes_along_coordinates` and :func:`slopes_along_directions` evaluate a function on a ladder of
steps, extrapolate, *measure* the noise that the function itself makes, and return for every entry the value
and a bar. Three times the bar covers the true error; nothing is set by hand.

All lines use the same dimensionless steps ``t = ½, ⅛, …``; a line is ``x + t v`` with ``v`` so rounded that
``x ± t v`` is exact in floating point. A coordinate is the line ``v = 2^⌊log₂ s⌋ eᵢ``.

Sources: L. F. Richardson, *Phil. Trans. R. Soc. A* 210 (1911), for the extrapolation; C. Ridders, *Adv. Eng.
Software* 4 (1982), for choosing the entry of the table by its own error estimate; J. J. Moré and S. M. Wild,
*SIAM J. Sci. Comput.* 33 (2011), for measuring noise from function values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: A function of one array that gives all of its outputs as one flat vector.
FlatFunction = Callable[[Array], Array]

UNIT_ROUNDOFF = 2.0**-53
STEP_RATIO = 4.0
DEPTH = 4
NOISE_LEVELS = 6
#: The finest step relative to the scale: below it a smooth function shows only noise.
FINEST = UNIT_ROUNDOFF**0.62
#: Directions are rounded to this many binary digits after the point so that ``x ± t v`` stays exact.
DIRECTION_BITS = 8


@dataclass(frozen=True)
class Slopes:
    """Measured slopes of every column of a projection along every line.

    Attributes
    ----------
    value, bar : arrays (lines, columns)
        The slope and its error bar; the bar is infinite where no slope could be measured.
    gap : array (lines, columns)
        At a kink, right-hand slope minus left-hand slope (in magnitude); 0 where the function is smooth.
        Every number within ``gap / 2`` of ``value`` lies between the one-sided slopes.
    moved : array (lines, columns)
        The largest difference of function values seen on the ladder.
    noise : array (columns,)
        The measured noise η of the function values.
    evaluations : int
        How often the function was called.
    """

    value: Array
    bar: Array
    gap: Array
    moved: Array
    noise: Array
    evaluations: int


def scale(x: Array) -> Array:
    """Return the length over which each entry of ``x`` may move: ``max(|xᵢ|, rms(x))``, 1 if zero.

    Offset data are the reason that the finest step looks at the deviation as well: see :func:`levels`.

    >>> scale(np.array([3.0, -4.0, 0.0]))
    array([3.        , 4.        , 2.88675135])
    """
    if x.size == 0:
        return np.ones_like(x)
    largest = np.max(np.abs(x))
    # Divide by the largest first: the square of 1e200 is not a number we can use.
    rms = largest * np.sqrt(np.mean((x / largest) ** 2)) if largest > 0 else 0.0
    s = np.maximum(np.abs(x), rms)
    return np.where(s > 0, s, 1.0)


def power_of_two(s: Array) -> Array:
    """Return the largest power of two that is at most ``s``: adding it and its fractions is exact.

    >>> power_of_two(np.array([3.0, 4.0, 0.3]))
    array([2.  , 4.  , 0.25])
    """
    _, exponent = np.frexp(s)
    return np.ldexp(1.0, exponent - 1)


def levels(x: Array, finest_ulps: float = 4.0) -> int:
    """Return how many steps ``½ · 4⁻ᵏ`` the ladder at ``x`` has.

    The last is about ``max(min(s, std(x)) · u^0.62, 4 ulp)`` for the largest scale ``s`` of the array. The
    deviation is what matters for data that sit far from zero: 10⁸ ± 1 must be stepped by less than 1.
    """
    if x.size == 0:
        return 0
    spread = float(np.std(x / np.max(power_of_two(scale(x)))))
    finest = max(min(1.0, spread) * FINEST, finest_ulps * 2 * UNIT_ROUNDOFF)
    return int(np.floor(np.log(0.5 / finest) / np.log(STEP_RATIO))) + 1


def ladder(count: int) -> Array:
    """Return ``count`` steps, coarse to fine.

    >>> ladder(3)
    array([0.5    , 0.125  , 0.03125])
    """
    return 0.5 * STEP_RATIO ** -np.arange(count, dtype=np.float64)


def slopes_along_coordinates(
    function: FlatFunction, x: Array, projection: Array, indices: Sequence[int] | None = None
) -> Slopes:
    """Measure ``∂(projection · f)/∂xᵢ`` for the flat ``indices`` (all entries unless given).

    Parameters
    ----------
    function : callable
        Takes an array like ``x``, gives a flat vector ``(outputs,)``.
    x : array of any shape
        The point. It is not changed.
    projection : array (columns, outputs)
        Each row a cotangent; a one-hot row gives one row of the Jacobian.

    Examples
    --------
    >>> slopes = slopes_along_coordinates(np.ravel, np.array([2.0, 5.0]), np.eye(2))
    >>> slopes.value
    array([[1., 0.],
           [0., 1.]])
    """
    unit = power_of_two(scale(x)).ravel()
    chosen = range(x.size) if indices is None else indices
    steps = ladder(levels(x))
    center = function(x.copy())
    lines = []
    for index in chosen:

        def point(t: float, index: int = index) -> Array:
            moved = x.copy()
            moved.reshape(-1)[index] += t * unit[index]
            return moved

        lines.append(_sample(function, point, steps, center, projection))
    units = unit[np.asarray(chosen, dtype=np.intp)].reshape(-1, 1)
    return _measure(lines, steps, units, projection.shape[0])


def slopes_along_directions(
    function: FlatFunction, x: Array, directions: Sequence[Array], projection: Array
) -> Slopes:
    """Measure ``d(projection · f(x + t v))/dt`` at 0 for each direction ``v`` of :func:`random_directions`."""
    steps = ladder(levels(x, finest_ulps=2.0 ** (DIRECTION_BITS + 3)))
    center = function(x.copy())
    lines = [
        _sample(function, lambda t, v=v: x + t * v, steps, center, projection)  # type: ignore[misc]
        for v in directions
    ]
    return _measure(lines, steps, np.ones((len(lines), 1)), projection.shape[0])


def random_directions(x: Array, count: int, generator: np.random.Generator) -> list[Array]:
    """Return Gaussian directions in units of the scale of ``x``, rounded so that ``x ± t v`` is exact.

    They are Gaussian and not ±1: two equal errors of opposite sign would cancel in half of those.
    """
    unit = power_of_two(scale(x))
    grid = 2.0**DIRECTION_BITS
    return [
        np.rint(np.clip(generator.standard_normal(x.shape), -4, 4) * grid) / grid * unit
        for _ in range(count)
    ]


@dataclass(frozen=True)
class _Line:
    """What one line gave: projected differences, the gap of its kinks, the biggest movement."""

    difference: Array  # (levels, columns): f(x + t v) − f(x − t v)
    gap: Array  # (columns,)
    rounding: Array  # (columns,)
    evaluations: int


def _sample(
    function: FlatFunction,
    point: Callable[[float], Array],
    steps: Array,
    center: Array,
    projection: Array,
) -> _Line:
    plus, minus = (np.empty((len(steps), len(center))) for _ in range(2))
    with np.errstate(all="ignore"):
        for level, t in enumerate(steps):
            plus[level] = _finite_or_nan(function, point(t), center)
            minus[level] = _finite_or_nan(function, point(-t), center)
        # Differences first, projection after: a common offset of the outputs then cancels exactly.
        difference = plus - minus
        bend = (plus - center) - (center - minus)
        gap = kink_gap(bend, steps, np.abs(center))
        projected = _project(difference, projection)
        cusp = np.isinf(gap)
        if cusp.any():
            projected[:, np.any(projection[:, cusp] != 0, axis=1)] = np.nan
            gap = np.where(cusp, 0.0, gap)
        rounding = _rounding(np.vstack([plus, minus]), difference, steps, projection)
        return _Line(projected, np.abs(projection) @ gap, rounding, 2 * len(steps))


def _rounding(values: Array, difference: Array, steps: Array, projection: Array) -> Array:
    """Return the least noise that the outputs which move along this line can have: their own grid.

    Values on a grid can agree with each other exactly, level after level, on a wrong slope; measured noise is then zero
    and has to be kept from falling below this.
    """
    size = np.max(np.where(np.isfinite(values), np.abs(values), 0.0), axis=0)
    grid = np.where(np.any(difference != 0, axis=0), UNIT_ROUNDOFF * size, 0.0)
    grid = np.maximum(grid, hidden_grid(difference, steps, size))
    largest = float(np.max(grid, initial=0.0)) or 1.0  # the square of 1e200 is not a number we can use
    noise: Array = largest * np.sqrt(projection**2 @ (grid / largest) ** 2)
    return noise


def hidden_grid(difference: Array, steps: Array, size: Array) -> Array:
    """Return the spacing of each output's values where it is coarser than the output's own rounding, 0 elsewhere.

    ``(1 + x) − 1`` is a multiple of 2⁻⁵² however small it is. At fine steps it moves by a few whole multiples, which do
    not grow in proportion to the step. Too coarse a grid (more than 2⁻⁴⁴) is a staircase, not rounding.

    Parameters
    ----------
    difference : array (levels, outputs)
    steps : array (levels,)
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
        rate = multiples / steps[few[:, output]]
        if np.max(rate) - np.min(rate) <= 1e-6 * np.max(rate):
            continue  # in proportion to the step: exactly linear, not on a grid
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


def _measure(lines: Sequence[_Line], steps: Array, units: Array, columns: int) -> Slopes:
    """Extrapolate, measure the noise, and choose for each entry the table value with the smallest bar."""
    if not lines or not len(steps):
        none = np.zeros((len(lines), columns))
        return Slopes(none, none, none, none, np.zeros(columns), 1)
    # (levels, lines, columns)
    difference = np.stack([line.difference for line in lines], axis=1)
    h = steps.reshape(-1, 1, 1)
    with np.errstate(all="ignore"):
        table = richardson(difference / (2 * h))
        rounding = np.stack([line.rounding for line in lines])
        wobble = _wobble(table, h, rounding)
        noise = np.maximum(_largest(wobble[-NOISE_LEVELS:]), rounding)
        value, bar, level = _choose(table, h, noise)
        # Once more with every level finer than the chosen one: six levels alone may be quantized.
        finer = np.arange(len(steps) - 1).reshape(-1, 1, 1) >= level
        noise = np.maximum(noise, _largest(np.where(finer, wobble, 0.0)))
        value, bar, _ = _choose(table, h, noise)
        moved = np.nanmax(
            np.where(np.isfinite(difference), np.abs(difference), 0.0), axis=0, initial=0.0
        )
    gap = np.stack([line.gap for line in lines])
    evaluations = 1 + sum(line.evaluations for line in lines)
    return Slopes(value / units, bar / units, gap / units, moved, noise.max(axis=0), evaluations)


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


def _largest(wobble: Array) -> Array:
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
    if len(out) > 1:
        out[:-1] = extreme.accumulate(levels_first[:0:-1], axis=0)[::-1]
    return out
