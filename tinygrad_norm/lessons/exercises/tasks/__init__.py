"""The twelve exercises, a file each, in the order of the lecture; and how to find one.

A file holds the text, the hints, the reference solution, and what is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ....errors import InputError
from ..exercise_parts import Exercise
from . import (
    batch_norm_table,
    broadcast_backward,
    column_statistics,
    impossible_value,
    inverse_root_backward,
    layer_norm_backward,
    layer_norm_table,
    masked_attention,
    masked_batch_norm,
    mean_backward,
    no_linear_layer,
    variance_backward,
)

EXERCISES: Mapping[int, Exercise] = MappingProxyType(
    {
        module.EXERCISE.number: module.EXERCISE
        for module in (
            column_statistics,
            batch_norm_table,
            layer_norm_table,
            impossible_value,
            no_linear_layer,
            broadcast_backward,
            mean_backward,
            variance_backward,
            inverse_root_backward,
            layer_norm_backward,
            masked_batch_norm,
            masked_attention,
        )
    }
)
"""The exercises by number."""


def find_exercise(name: str) -> Exercise:
    """Return the exercise with this number or name.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> find_exercise("7").slug, find_exercise("mean-backward").number
    ('mean-backward', 7)
    """
    for exercise in EXERCISES.values():
        if name in (str(exercise.number), exercise.slug):
            return exercise
    raise InputError(
        f"the exercise must be a number from 1 to {max(EXERCISES)} or its name; got {name!r}. "
        "See tinygrad-norm exercise list."
    )
