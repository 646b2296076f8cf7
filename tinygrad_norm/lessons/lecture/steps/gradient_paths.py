"""What steps 3 and 8 show of the backward pass: the graph of the norm, and the three paths of a gradient."""

from __future__ import annotations

import numpy as np

from ....engine.details.array import Array
from ....engine.tensor import Tensor
from ...document.lesson import Block, Fact, Graph, Paragraph, Row, Table
from ..gradient_paths import gradient_paths
from ..normalizing import BATCH
from ..settings import Settings
from ..tables import NEURON_NAMES, OUTPUTS

ENTRY = (0, 0)
"""Row 1, neuron 1: the entry that the notes work out first."""


def paths_of_gradient(axis: int, settings: Settings) -> tuple[Block, ...]:
    """Return the graph of batch norm or layer norm on the table, and how one entry's gradient comes about."""
    paths = gradient_paths(Tensor(OUTPUTS).astype(float), axis, ENTRY, settings.table_eps)
    name = "batch norm" if axis == BATCH else "layer norm"
    parts = {
        "direct, ḡ/√(σ² + ε)": paths.direct,
        "through the variance": paths.variance,
        "through the mean": paths.mean,
    }
    total = paths.direct + paths.variance + paths.mean
    labels = tuple(f"row {i + 1}" for i in range(len(OUTPUTS))) if axis == BATCH else NEURON_NAMES
    return (
        Paragraph(
            f"Backward, an input of {name} moves x̂ in three ways: it is itself one of the values, it moves the "
            "variance that all of them are divided by, and it moves the mean that is taken from all of them. The graph "
            "shows the three as dashed lines: two meet at “centered”, and with the one through the mean they meet at "
            "z."
        ),
        Graph(f"graph_{axis}", f"The graph of {name} on this table, and the gradient of x̂ in row 1, z₁", paths.drawing),
        Table(
            f"paths_{axis}",
            f"The gradient of x̂ in row 1, z₁, by {'the column z₁' if axis == BATCH else 'row 1'}, path by path",
            labels,
            (
                *(Row(path, numbers(along(array, axis))) for path, array in parts.items()),
                Row("their sum", numbers(along(total, axis))),
            ),
            "path",
            ".6f",
            "The layer divides its variance by n.",
        ),
        Fact(
            f"paths_sum_{axis}",
            "The three add up to the engine's gradient, to {gap:.1g}, and their sum over all inputs is 0, to "
            "{all:.1g}: adding a constant to all of them changes no x̂. Leave out a path, and it is wrong.",
            {"gap": float(np.abs(total - paths.total).max()), "all": abs(float(total.sum()))},
        ),
    )


def along(array: Array, axis: int) -> Array:
    """Return the entries that share a mean with the chosen one; all others are 0."""
    shared: Array = array[:, ENTRY[1]] if axis == BATCH else array[ENTRY[0]]
    return shared


def numbers(array: Array) -> tuple[float, ...]:
    """Return an array's entries as floats."""
    return tuple(float(x) for x in array)
