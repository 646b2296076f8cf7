"""Before anything is timed: do all peers compute the same numbers?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from .declaration import Array, BenchmarkError, Step, Workload


def check_agreement(
    workload: Workload, steps: Mapping[str, Step], tolerance: float, only: Collection[str] | None = None
) -> None:
    """Compare the numbers of every peer, whose step has run once, with the first peer's that has them.

    In float64 all numbers are compared, in float32 ``only`` the result: where a number goes into a relu within rounding
    of 0, its gradient is the one or the other, and both are right.

    Arrays agree when no entry differs by more than ``tolerance`` times the largest entry of that array: what an entry
    may lose by another order of summation goes with the size of what was summed, not with its own. An array that is
    zero but for rounding (the gradient of the bias of attention's keys) is measured by a hundredth of the largest entry
    of all.

    Raises
    ------
    BenchmarkError
        Two peers differ, a number is not finite, or the same number has another shape.
    """
    reference: dict[str, tuple[str, Array]] = {}
    largest = 0.0
    for name, step in steps.items():
        for what, array in step.numbers().items():
            if only is not None and what not in only:
                continue
            if not np.all(np.isfinite(array)):
                raise BenchmarkError(f"{workload.id}: the {what} of {name} must be finite; it is not. Mend the peer.")
            if what in reference:
                first, expected = reference[what]
                compare(workload, what, (first, name), (expected, np.asarray(array)), tolerance, largest / 100)
            else:
                reference[what] = (name, np.array(array))
                largest = max(largest, largest_of(array))


def largest_of(array: Array) -> float:
    """Return the largest magnitude; 0 of an empty array."""
    return float(np.max(np.abs(array), initial=0.0))


def compare(
    workload: Workload, what: str, names: tuple[str, str], arrays: tuple[Array, Array], tolerance: float, least: float
) -> None:
    """Raise unless two peers' arrays agree to the tolerance times their largest entry, or ``least``."""
    (first, name), (expected, array) = names, arrays
    if expected.shape != array.shape:
        raise BenchmarkError(
            f"{workload.id}: the {what} of {name} must have the shape {expected.shape}, as that of {first}; "
            f"got {array.shape}. Mend the peer."
        )
    scale = max(largest_of(expected), least)
    worst = largest_of(expected.astype(float) - array.astype(float))
    if worst > tolerance * scale:
        raise BenchmarkError(
            f"{workload.id}: the {what} of {name} must be that of {first} within {tolerance:g} × {scale:.3g}; "
            f"it differs by {worst:.3g}. Nothing was timed: mend the peer."
        )
