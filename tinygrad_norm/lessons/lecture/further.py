"""Where each step of the lecture goes deeper: the exercises in which it is done by hand, the labs that test it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DEEPER: Mapping[int, tuple[tuple[int, ...], tuple[str, ...]]] = MappingProxyType(
    {
        1: ((1,), ()),
        2: ((2, 4, 5), ()),
        3: ((), ("lr-ladder", "landscape", "batch-noise")),
        4: ((), ("padding",)),
        5: ((12,), ()),
        6: ((11,), ("padding",)),
        7: ((), ("padding",)),
        8: ((3, 7, 8, 9, 10), ("backward", "invariance")),
        9: ((6, 21), ()),
        10: ((22, 24), ("batch-noise",)),
        11: ((), ("pre-post",)),
        12: ((23,), ()),
    }
)
"""Exercises and labs, by step."""


def further(step: int) -> dict[str, str]:
    """Return what goes deeper than a step, and the command that leads there.

    >>> further(6)
    {'Exercise 11, Masked batch norm, forward and backward': 'tinygrad-norm exercise start 11',
     'Lab: Which normalization minds how far a sentence is padded?': 'tinygrad-norm lab padding'}
    """
    # All exercises and labs are loaded for these titles, which nobody needs to read what a lecture can be asked for.
    from ..exercises.exercise_files import command
    from ..exercises.tasks import EXERCISES
    from ..labs.all_labs import CATALOG

    exercises, labs = DEEPER[step]
    return {
        f"Exercise {number}, {EXERCISES[number].title}": command(EXERCISES[number], "start", number)
        for number in exercises
    } | {f"Lab: {CATALOG[name].title}": f"tinygrad-norm lab {name}" for name in labs}
