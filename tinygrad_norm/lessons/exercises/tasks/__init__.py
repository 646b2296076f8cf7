"""The exercises: the lecture in its order, then an engine of one's own, a file for each part; and how to find one.

A file holds the text, the hints, the reference solution, and what is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ....errors import InputError
from ....terminal.spelling import did_you_mean
from ..exercise_parts import Exercise
from . import (
    after_the_norm,
    backward_passes,
    impossible_value,
    masked_layers,
    no_linear_layer,
    normalized_tables,
    own_network,
    tensor_engine,
    value_engine,
    value_functions,
)

EXERCISES: Mapping[int, Exercise] = MappingProxyType(
    {
        exercise.number: exercise
        for exercise in (
            normalized_tables.COLUMN_STATISTICS,
            normalized_tables.BATCH_NORM_TABLE,
            normalized_tables.LAYER_NORM_TABLE,
            impossible_value.IMPOSSIBLE_VALUE,
            no_linear_layer.NO_LINEAR_LAYER,
            backward_passes.BROADCAST_BACKWARD,
            backward_passes.MEAN_BACKWARD,
            backward_passes.VARIANCE_BACKWARD,
            backward_passes.INVERSE_ROOT_BACKWARD,
            backward_passes.LAYER_NORM_BACKWARD,
            masked_layers.MASKED_BATCH_NORM,
            masked_layers.MASKED_ATTENTION,
            value_engine.OPERATIONS,
            value_engine.BACKWARD,
            value_engine.USED_TWICE,
            value_functions.FUNCTIONS,
            tensor_engine.TENSORS,
            tensor_engine.REDUCED,
            own_network.TRAINING,
            own_network.OWN_LAYER_NORM,
            after_the_norm.UNDO_A_NORM,
            after_the_norm.RUNNING_STATISTICS,
            after_the_norm.RMS_NORM_BACKWARD,
            after_the_norm.EVALUATION_GAP,
        )
    }
)
"""The exercises by number."""


def find_exercise(name: str, exercises: Mapping[int, Exercise] = EXERCISES) -> Exercise:
    """Return the exercise with this number or name.

    InputError if there is none.

    >>> find_exercise("7").slug, find_exercise("mean-backward").number
    ('mean-backward', 7)
    """
    for exercise in exercises.values():
        if name in (str(exercise.number), exercise.slug):
            return exercise
    raise InputError(
        f"the exercise must be a number from {min(exercises)} to {max(exercises)} or its name; got {name!r}."
        f"{did_you_mean(name, [e.slug for e in exercises.values()])} See tinygrad-norm exercise list."
    )
