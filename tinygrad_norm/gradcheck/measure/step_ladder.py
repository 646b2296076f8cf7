"""Where a function is evaluated: a ladder of steps around a point, on lines whose points are exact.

A line is ``x + t v`` with the same dimensionless steps ``t = ½, ⅛, …`` for all; v is so rounded that ``x ± t v`` is
exact in floating point unless it crosses a power of two, and no error is made by moving to another point than intended.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

UNIT_ROUNDOFF = 2.0**-53
STEP_RATIO = 4.0
#: The finest step relative to the scale: below it a smooth function shows only noise.
FINEST = UNIT_ROUNDOFF**0.62
#: Directions are rounded to this many binary digits after the point so that ``x ± t v`` stays exact.
DIRECTION_BITS = 8


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
    found: Array = np.where(s > 0, s, 1.0)
    return found


def power_of_two(s: Array) -> Array:
    """Return the largest power of two that is at most ``s``: adding it and its fractions is exact.

    >>> power_of_two(np.array([3.0, 4.0, 0.3]))
    array([2.  , 4.  , 0.25])
    """
    _, exponent = np.frexp(s)
    power: Array = np.ldexp(1.0, exponent - 1)
    return power


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


def random_directions(x: Array, count: int, generator: np.random.Generator) -> list[Array]:
    """Return Gaussian directions in units of the scale of ``x``, rounded so that ``x ± t v`` is exact.

    They are Gaussian and not ±1: two equal errors of opposite sign would cancel in half of those.
    """
    unit = power_of_two(scale(x))
    grid = 2.0**DIRECTION_BITS
    return [np.rint(np.clip(generator.standard_normal(x.shape), -4, 4) * grid) / grid * unit for _ in range(count)]
