"""Tells a function that jumps from one that bends: where fine and coarse steps contradict each other, one of both does.

``½ x (1 + erf(x/√2))`` at −7 is x times a few units of 2⁻⁵³: fine steps agree on the slope of that, coarse steps on the
true one. :class:`Jumps` goes to the place where the function leaves the line that the fine steps see. A bend is left
without a jump, however closely one looks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .clock import TimeIsUpError, current_clock
from .one_line import MINUTE, FlatFunction, combined, finite_or_nan
from .step_ladder import UNIT_ROUNDOFF, Array

TINY = float(np.finfo(np.float64).tiny)

#: A sixth difference takes polynomials of degree five away and leaves ten times a jump.
ORDER, OF_A_JUMP = 6, 10.0
#: Where a function leaves a line it is looked at so often, each time so much more closely, at so many points.
CLOSER, CLOSENESS, POINTS = 6, 4.0, 13
#: Four looks leave a jump, a staircase or noise as they are, of a cusp like √|x| 1/16 (two looks ¼), of a bend 1/256.
KEPT, BENT = ((5, 0.12), (3, 0.4)), 0.02
#: What is left of a bend may be so many times the rounding of the values.
ROUNDINGS = 16.0

#: A step on a line, how the projected function has moved there, and how all outputs have.
Seen: TypeAlias = tuple[float, float, Array]


class Found(NamedTuple):
    """What was found on the lines that were looked at."""

    noise: Array  # (lines, columns): what jumps make
    minute: NDArray[np.bool_]  # (lines, 1): whether they can be nothing but rounding
    bends: NDArray[np.bool_]  # (lines, 1): whether there is none, not even of many small ones


@dataclass
class Jumps:
    """Looks for jumps of ``projection · function`` on the lines ``point(line, t)``; counts its evaluations."""

    function: FlatFunction
    point: Callable[[int, float], Array]
    center: Array
    projection: Array
    expected: Array | None = None  # (lines, columns): slopes that need no further proof
    evaluations: int = field(default=0, init=False)

    def worth_a_look(self, apart: Array, slopes: Array, room: Array) -> Array:
        """Return ``apart`` where the slopes are not as expected, 0 elsewhere."""
        if self.expected is None:
            return apart
        return np.where(np.abs(self.expected - slopes) > room, apart, 0.0)

    def noise(self, slopes: Array, apart: Array, fine: Array, coarse: Array, rounding: Array) -> Found:
        """Look where the function leaves its ``slopes`` at ``fine`` steps for others, so far ``apart``, at ``coarse``.

        There is nothing to look for where ``apart`` is 0.
        """
        noise, minute, bends = np.zeros(apart.shape), *np.zeros((2, len(apart), 1), dtype=bool)
        largest = float(np.max(np.abs(self.center), initial=0.0))
        size = MINUTE * max(1.0, largest)
        for line in np.flatnonzero(apart.any(axis=1)):
            column = int(np.argmax(apart[line]))
            here = self._where(int(line), column, slopes, apart)
            # That of the largest output, too, from which a small one may be computed: a singular value near 0.
            own = UNIT_ROUNDOFF * largest * float(np.max(np.abs(self.projection[column])))
            here.least = ROUNDINGS * max(own, float(rounding[line, column]))
            try:
                jump = here.jump(float(fine[line, column]), float(coarse[line, column]))
            except TimeIsUpError:  # then nothing is known of this line
                noise[line], minute[line] = np.inf, True
                continue
            finally:
                self.evaluations += here.evaluations
            bends[line] = here.bends
            if jump is not None:
                noise[line] = combined(np.abs(jump)[None], self.projection)[0]
                minute[line] = np.max(np.abs(jump)) <= size
        return Found(noise, minute, bends)

    def _where(self, line: int, column: int, slopes: Array, apart: Array) -> Departure:
        def moved(t: float) -> Array:
            return finite_or_nan(self.function, self.point(line, t), self.center) - self.center

        return Departure(moved, self.projection[column], float(slopes[line, column]), float(apart[line, column]))


@dataclass
class Departure:
    """The place where a function leaves a line of the slope that fine steps see for one that is ``apart`` from it."""

    moved: Callable[[float], Array]
    row: Array
    slope: float
    apart: float
    least: float = 0.0  # what rounding leaves of a bend
    evaluations: int = field(default=0, init=False)
    bends: bool = field(default=False, init=False)
    kinked: bool = field(default=False, init=False)  # at the point itself, where the slope is that of both sides

    def _look(self, t: float) -> Seen:
        """Return t, how the function has moved there, and how all outputs have; at a kink half of what both ways do."""
        current_clock().tick()
        self.evaluations += 1 + self.kinked
        moved = (self.moved(t) - self.moved(-t)) / 2 if self.kinked else self.moved(t)
        return t, float(self.row @ moved), moved

    def _off(self, seen: Seen) -> float:
        return float(np.nan_to_num(abs(seen[1] - self.slope * seen[0])))

    def jump(self, fine: float, coarse: float) -> Array | None:
        """Return the jump of all outputs at the first departure between two steps, None if there is none.

        There is none where the function ``bends``, and where it does what is neither.
        """
        even = abs(self._look(fine)[1] + self._look(-fine)[1]) / 2
        self.kinked = even > max(self.least, self.apart * fine / 4)
        inner, outer = self._between(fine, coarse)
        # What does not follow the line at the fine step either says nothing about where it ends.
        followed = self._off(inner) <= max(self.least, self.apart * abs(inner[0]) / 4)
        at, width = (inner[0] + outer[0]) / 2, abs(outer[0] - inner[0])
        seen: list[float] = []
        for _ in range(CLOSER):
            places = at + np.linspace(-width, width, POINTS)
            left = np.nan_to_num(np.diff([self._look(float(t))[2] for t in places], ORDER, axis=0)) / OF_A_JUMP
            off = np.abs(left @ self.row)
            seen.append(float(np.max(off)))
            at, width = float(places[np.argmax(off) + ORDER // 2]), width / CLOSENESS
        # A jump that puts the fine slope so far off is as high as that makes at the fine step.
        accounts = seen[-1] > self.apart * fine / 2
        jumps = accounts and any(seen[-1] > share * seen[-looks] for looks, share in KEPT)
        small = seen[-1] <= max(self.least, BENT * seen[-5])
        self.bends = followed and not jumps and (small or not accounts)
        return np.max(np.abs(left), axis=0) if jumps else None

    def _between(self, fine: float, coarse: float) -> tuple[Seen, Seen]:
        """Return where it still follows the line, and where it has left it."""
        outer = max(self._look(coarse), self._look(-coarse), key=self._off)
        inner = self._look(fine if outer[0] > 0 else -fine)
        while abs(outer[0]) > 4 * abs(inner[0]):
            middle = self._look(np.sign(outer[0]) * float(np.sqrt(outer[0] * inner[0])))
            if self._off(middle) > self.apart * abs(middle[0]) / 4:
                outer = middle
            else:
                inner = middle
        return inner, outer


class FarJump(NamedTuple):
    """A jump away from the point: of the output that it stands out from most, and how far away on the line."""

    height: float
    distance: float


def far_jump(function: Callable[[float], Array], reach: float, points: int = 65) -> FarJump | None:
    """Return a jump of ``function(t)`` for t in ±reach, None if it is smooth, bends only, or is not defined there.

    >>> jump = far_jump(lambda t: np.array([np.sin(t) + 1e-9 * (t > 0.1)]), 0.5)
    >>> round(jump.distance, 2), round(jump.height / 1e-9, 2)
    (0.1, 1.0)
    >>> far_jump(lambda t: np.array([np.exp(t) + abs(t - 0.1)]), 0.5)
    """
    seen: list[float] = []
    middle, width = 0.0, reach
    for _ in range(3):
        places = middle + np.linspace(-width, width, points)
        values = np.array([function(float(t)) for t in places])
        if not np.isfinite(values).all():
            return None
        left = np.diff(values, ORDER, axis=0)
        size = np.abs(left) + UNIT_ROUNDOFF * np.max(np.abs(values), axis=0) + TINY
        # What stands out from both sides: a smooth function may be steep at one end.
        sharp = size[ORDER:-ORDER] / np.maximum(size[: -2 * ORDER], size[2 * ORDER :])
        start, output = np.unravel_index(int(np.argmax(sharp)), sharp.shape)
        seen.append(float(np.max(np.abs(left[start + ORDER // 2 : start + 2 * ORDER, output]))) / OF_A_JUMP)
        middle, width = float(places[start + ORDER + ORDER // 2]), ORDER * float(places[1] - places[0])
    if seen[2] < seen[1] / 2 or seen[2] <= MINUTE * np.max(np.abs(values[:, output])):
        return None
    return FarJump(seen[2], max(abs(middle), 2 * reach / points))
