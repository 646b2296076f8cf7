"""Finds a gradient that goes to every one of several equal entries, of which the function takes one.

At a tie each entry alone has a kink, and anything from nothing to the whole gradient is right. Moved together, the
entries are as smooth as one of them: then the sum of what they receive must be what one would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .diagnose import Finding
from .diagnose.evidence import Indices
from .measure.numeric import Slopes, slopes_along_directions
from .measure.step_ladder import Array, power_of_two, scale
from .verdict import COVERAGE
from .vjp_problem import Probe

#: So many outputs, and groups of equal entries, are looked at.
MOST = 16
#: A kink bends in proportion to the step and is seen at a fine one; a smooth function bends with its square.
FINE = 2.0**-20


@dataclass(frozen=True)
class Tie:
    """Equal entries that each receive the whole gradient of one output: their sum, and the slope of all together."""

    yours: float
    slopes: Slopes
    finding: Finding


def shared_by_none(p: Probe, position: int) -> Tie | None:
    """Return the first tie of which every entry receives the whole gradient."""
    x = p.problem.inputs[position]
    function, unit = p.problem.along(position), float(np.max(power_of_two(scale(x)), initial=0.0))
    values, counts = np.unique(x, return_counts=True)
    tied = [np.flatnonzero(x == value) for value in values[counts > 1]]
    if not tied:
        return None
    center = function(x.copy())

    def bend(direction: Array) -> Array:
        result: Array = function(x + FINE * direction) - 2 * center + function(x - FINE * direction)
        return result

    together = np.isin(x, [x.flat[group[0]] for group in tied]) * np.linspace(1, 2, x.size).reshape(x.shape) * unit
    kinked = np.flatnonzero(np.abs(bend(together)) > FINE**1.5 * unit)
    for output in kinked[:MOST]:
        row = np.eye(1, center.size, output)
        gradient = p.ask(row)[position].ravel()
        for equal in list(_alike(tied, gradient))[:MOST]:
            alone = np.array([bend(_along(x, equal[i : i + 1], unit))[output] for i in range(min(len(equal), MOST))])
            up = alone > FINE**1.5 * unit
            group = equal[: len(alone)][up if up.any() else alone < -(FINE**1.5) * unit]
            if len(group) < 2:
                continue
            slopes = slopes_along_directions(function, x, [_along(x, group, unit)], row)
            one, whole = float(slopes.value[0, 0]), float(gradient[group[0]] * unit * len(group))
            room = COVERAGE * float(slopes.bar[0, 0]) + 1e-9 * abs(whole)
            if slopes.gap[0, 0] == 0 and abs(one - whole) > room and abs(one) > room:
                return Tie(whole, slopes, _finding(len(group), float(x.flat[group[0]]), whole / one))
    return None


def _alike(tied: list[Indices], gradient: Array) -> Iterator[Indices]:
    """Yield the equal entries that receive the same, and more than nothing."""
    for group in tied:
        for value in np.unique(gradient[group]):
            same = group[gradient[group] == value]
            if value != 0 and len(same) > 1:
                yield same


def _along(x: Array, entries: Indices, unit: float) -> Array:
    """Return the direction in which these entries move together."""
    direction = np.zeros(x.shape)
    direction.reshape(-1)[entries] = unit
    return direction


def _finding(count: int, value: float, times: float) -> Finding:
    return Finding(
        "gradient-to-every-tie",
        "each of several equal entries receives the whole gradient",
        f"{count} entries are {value:.6g}; moved together they move the output by a slope of which yours adds up to "
        f"{times:.6g} times",
        "a maximum takes one of its equal entries: send the gradient to the first (argmax), or divide it by their "
        "number",
    )
