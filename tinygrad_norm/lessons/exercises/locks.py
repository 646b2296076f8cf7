"""Which reference solutions may be shown: a teacher can lock those of a class.

An exercise says so itself, or the environment does: ``TINYGRAD_NORM_LOCKED=all`` or ``1-6,10`` for those of the course.
A lock keeps honest people from looking too early. It hides nothing from whoever opens the file that holds the solution.
"""

from __future__ import annotations

import os
import re

from .exercise_parts import Exercise

VARIABLE = "TINYGRAD_NORM_LOCKED"


def is_locked(exercise: Exercise) -> bool:
    """Tell whether the solution of an exercise is locked. What cannot be read as numbers locks all of the course."""
    if exercise.locked or exercise.source:
        return exercise.locked
    given = re.sub(r"\s", "", os.environ.get(VARIABLE, ""))
    ranges = re.fullmatch(r"(\d+(-\d+)?)(,\d+(-\d+)?)*", given)
    if ranges is None:
        return bool(given)
    pairs = [part.split("-") for part in given.split(",")]
    return any(int(pair[0]) <= exercise.number <= int(pair[-1]) for pair in pairs)
