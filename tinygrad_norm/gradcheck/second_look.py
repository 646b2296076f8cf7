"""Looks again before a gradient is called wrong or undecidable: where kinks meet, where a function jumps, and why.

Where several kinks meet at an entry its one-sided slopes are not all that a gradient may be there: of three equal
numbers the middle one moves with none of them alone, and still its gradient has to go to one. And the program of an
iteration that stops at a tolerance has another slope than the limit which its backward pass is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .digits import short
from .measure.clock import current_clock
from .measure.jumps import FarJump, far_jump
from .measure.numeric import Slopes
from .measure.one_line import finite_or_nan, last_digit
from .measure.patience import Patience
from .measure.step_ladder import UNIT_ROUNDOFF, Array, ladder, power_of_two, scale
from .verdict import LEAST_MOVEMENT, WIDEST_BAR, Judgment
from .vjp_problem import Probe, flatten, gradients_for, one_ulp_away

Indices = NDArray[np.intp]

#: So many points around a meeting of kinks are tried, so far away, with steps so much smaller.
NEARBY = 32
OFF = 2.0**-12
STEP = 2.0**-20
#: So many more perturbations of the point are tried.
SHAKES = 8
#: What is left of an iteration falls from step to step, and its slope is some times its size over its range.
STEEPNESS = 16.0
NEARLY = 1e-3
REACHES = (0.5, 0.125, 0.5, 1.0, 0.5, 2.0)


def where_kinks_meet(
    p: Probe, position: int, v: Judgment, indices: Indices, generator: np.random.Generator
) -> Judgment:
    """Return the judgement with those entries right that lie among the slopes beside a point where kinks meet.

    It is as it was unless every wrong entry is found to be right.
    """
    if not v.wrong.any() or np.any(v.wrong & ~v.kinked):
        return v
    x, unit = p.problem.inputs[position], power_of_two(scale(p.problem.inputs[position]))
    near = [x + OFF * unit * generator.standard_normal(x.shape) for _ in range(NEARBY)]
    for column in np.flatnonzero(v.wrong.any(axis=0)):
        step = np.zeros(x.shape)
        step.reshape(-1)[indices[column]] = STEP * unit.reshape(-1)[indices[column]]
        with _looking(p, position) as look:
            ends = [[look(z + side * step) for side in (1, -1)] for z in near]
        slopes = np.array([p.cotangents @ (a - b) for a, b in ends]) / (2 * np.max(step))
        room = v.uncertainty[:, column] + 4 * OFF * np.nanmax(np.abs(slopes))
        low, high = np.nanmin(slopes, axis=0) - room, np.nanmax(slopes, axis=0) + room
        if np.any(v.wrong[:, column] & ~((low <= v.yours[:, column]) & (v.yours[:, column] <= high))):
            return v
    return replace(v, right=v.right | v.wrong)


def nearly(v: Judgment) -> float:
    """Return of which multiple of the numeric gradient yours is a thousandth off at most, 0 if of none."""
    if not (np.isfinite(v.yours).all() and np.isfinite(v.numeric).all()) or not (v.yours.any() and v.numeric.any()):
        return 0.0
    size = float(np.max(np.abs(v.yours)))
    yours, numeric = v.yours / size, v.numeric / float(np.max(np.abs(v.numeric)))
    factor = float(np.sum(yours * numeric) / np.sum(numeric**2))
    off = float(np.max(np.abs(yours - factor * numeric)))
    return factor * size / float(np.max(np.abs(v.numeric))) if off <= NEARLY else 0.0


def shaken_again(p: Probe, position: int, v: Judgment, indices: Indices, generator: np.random.Generator) -> Judgment:
    """Return the judgement after more perturbations of the point by one ulp, where yours is nearly right.

    In an ill-conditioned problem the first two may change the gradient far less than another would.
    """
    if not v.wrong.any() or abs(nearly(v) - 1) >= NEARLY:
        return v
    change = np.zeros_like(v.yours)
    for _ in range(SHAKES):
        nearby = p.problem.at(tuple(one_ulp_away(x, generator) for x in p.problem.inputs))
        other = gradients_for(nearby, p.outputs, p.cotangents)[position]
        change = np.fmax(change, np.abs(other.reshape(len(other), -1)[:, indices] - v.yours))
    allowed = np.where(v.kinked, v.allowed, np.maximum(v.allowed, v.uncertainty + 4 * change))
    within = np.abs(v.yours - v.numeric) <= allowed
    return replace(v, right=v.right | (within & ~v.unsure), allowed=allowed)


def allowing_for_a_jump(p: Probe, position: int, slopes: Slopes, generator: np.random.Generator) -> tuple[Slopes, str]:
    """Return the slopes with bars that allow for a jump of the function near the point, and what is to be said of it.

    The text is empty, and the slopes are as they were, if none is found, or one that is too large to leave a digit.
    ``slopes`` are those of the random cotangents and perhaps of every single output after them, along every entry.
    """
    x, unit = p.problem.inputs[position], power_of_two(scale(p.problem.inputs[position]))

    def on_a_line(reach: float) -> FarJump | None:
        way = generator.uniform(-1, 1, x.shape) * unit
        with _looking(p, position) as look:
            return far_jump(lambda t: look(x + t * way), reach)

    jump = next((found for found in map(on_a_line, REACHES) if found is not None), None)
    if jump is None:
        return slopes, ""
    rows = np.concatenate([p.cotangents, np.eye(p.cotangents.shape[1])])[: slopes.bar.shape[1]]
    # What any output has not yet reached may be as much as one jumps by.
    more = STEEPNESS * jump.height * np.abs(rows).sum(axis=1) / (jump.distance * unit.reshape(-1, 1))
    if np.max(more[:, : len(p.cotangents)]) > WIDEST_BAR * np.max(np.abs(slopes.value), initial=0.0):
        return slopes, ""
    what = (
        f"the function jumps by {short(jump.height)} near the point, as a loop does that stops "
        "at a tolerance; its slope differs by so much from that of its limit: run the loop until nothing changes, or a "
        "fixed number of times"
    )
    return replace(slopes, bar=slopes.bar + more), what


def why_undecided(p: Probe, position: int, v: Judgment, slopes: Slopes, line: int, index: int | None) -> str:
    """Return why nothing can be told about one line, and what to do; ``index`` is its entry, None for a direction."""
    finite, count = np.isfinite(v.numeric), len(p.cotangents)
    seen = _on_a_line(p, position, index)
    if not finite[:, line].all():
        return CUSP if np.isfinite(seen).all() else OUTSIDE
    shake, outputs = p.shakes[position], np.abs(flatten(p.outputs))
    if 4 * shake > WIDEST_BAR * float(np.max(np.abs([v.numeric[finite], v.yours[finite]]), initial=0.0)):
        return SHAKEN.format(short(shake))
    noise = slopes.noise[:, :count].max(axis=0)
    last_place = UNIT_ROUNDOFF * np.max(np.abs(p.cotangents) * outputs, axis=1, initial=0.0)
    there = np.isfinite(seen).all(axis=0)
    moving = there & np.any(seen != flatten(p.outputs), axis=0)
    grid = float(np.max(last_digit(seen[:, moving if moving.any() else there]), initial=0.0))
    if grid > COARSE * UNIT_ROUNDOFF * np.max(outputs, initial=0.0):
        return GRID.format(short(grid))
    if np.any((noise > COARSE * last_place) & (noise < WIDEST_BAR / UNIT_ROUNDOFF * last_place)):
        return UNCERTAIN.format(short(float(np.max(noise))))
    unit = float(np.max(power_of_two(scale(p.problem.inputs[position])), initial=0.0))
    moves = np.minimum(np.max(slopes.moved[:, :count], axis=0), unit * np.max(np.abs(v.yours), axis=1))
    if np.any(moves < LEAST_MOVEMENT * last_place):
        return STILL.format(short(float(np.min(moves))))
    return ROUGH if slopes.rough[line].any() else NOISY.format(short(float(np.max(noise))))


#: So many units in the last place are more than rounding at the end leaves.
COARSE = 2.0**8
CUSP = "the slope is infinite here, as that of a root at 0: choose another point"
OUTSIDE = (
    "the function is not finite, or raises, a little way off: choose a point farther inside its domain, or smaller "
    "numbers"
)
SHAKEN = (
    "your gradient changes by {} when the inputs change in their last digit, so it has hardly a digit: the formula "
    "subtracts numbers that are nearly equal, or the problem is ill-conditioned"
)
GRID = (
    "its values are multiples of {}, so it stands still and jumps: compute in float64, round nothing inside, and "
    "subtract a large constant that takes the digits"
)
UNCERTAIN = (
    "its values are known to {} only: it rounds inside, subtracts numbers that are nearly equal, or is "
    "ill-conditioned; compute in float64, rewrite the difference, or choose another point"
)
STILL = (
    "it moves by about {} when the input moves by its own size, which is hardly more than the last place of its "
    "values: it is saturated here, or lost in a large constant; choose another point, or subtract the constant"
)
ROUGH = (
    "finer and coarser steps do not agree, so it changes faster than any of them: an iteration that runs off, a matrix "
    "that is nearly singular, a wave that is too short; choose another point"
)
NOISY = (
    "its rounding noise of {} leaves no digit of so small a slope: rewrite it without differences of numbers that are "
    "nearly equal, or choose another point"
)


def _on_a_line(p: Probe, position: int, index: int | None) -> Array:
    """Return the outputs (places, outputs) on a line through an entry, or through all."""
    x = p.problem.inputs[position]
    step = power_of_two(scale(x)) * 4 / 3
    if index is not None:
        step = np.where(np.arange(x.size).reshape(x.shape) == index, step, 0.0)
    with _looking(p, position) as look:
        return np.array([look(x + t * step) for t in (*ladder(8), *-ladder(8))])


@contextmanager
def _looking(p: Probe, position: int) -> Iterator[Callable[[Array], Array]]:
    """Give the function of one input, with NaN where it raises or does not come back."""
    function, center, clock = p.problem.along(position), flatten(p.outputs), current_clock()
    with np.errstate(all="ignore"), Patience() as patience:

        def look(x: Array) -> Array:
            clock.tick()
            value = patience.call(lambda z: finite_or_nan(function, z, center), x)
            return np.full_like(center, np.nan) if value is None else value

        patience.call(function, p.problem.inputs[position].copy())  # how long it takes where it comes back
        yield look
