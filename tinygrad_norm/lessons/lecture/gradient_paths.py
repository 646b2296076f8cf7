"""The three ways by which an input moves a normalized value: directly, through the variance, through the mean.

The paths are not derived here: they are the contributions that the engine's backward pass sent along the edges of the
graph, read from a trace of the layer itself. Steps 3 and 8 show them as :func:`paths_of_gradient` lays them out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...engine.details.array import Array
from ...engine.tensor import Tensor
from ...viz import Drawing, draw
from ..document.lesson import Fact, Graph, Paragraph, Plain, Row, Table
from .norm_formula import BATCH, functional_norm
from .notes import NEURON_NAMES
from .settings import Settings
from .tensor_tables import NEURONS, ROW_LABELS

ENTRY = (0, 0)
"""Row 1, neuron 1: the entry that the notes work out first."""


@dataclass(frozen=True)
class GradientPaths:
    """What reaches the input of a normalization from one entry of its output.

    The graph of the layer, with the backward pass; the three contributions, each in the shape of the input; and the
    gradient that the engine gives.
    """

    drawing: Drawing
    direct: Array
    variance: Array
    mean: Array
    total: Array


def gradient_paths(table: Tensor, axis: int, entry: tuple[int, int], eps: float) -> GradientPaths:
    """Return the gradient of one entry of x̂ by the whole table, and the paths that it is the sum of.

    >>> paths = gradient_paths(Tensor([[7.0, 5.0, 4.0]]), 1, (0, 0), eps=0.0)
    >>> np.allclose(paths.direct + paths.variance + paths.mean, paths.total)
    True
    >>> bool(abs(paths.total.sum()) < 1e-12)
    True
    """
    cotangent = np.zeros(table.shape)
    cotangent[entry] = 1.0
    drawing = draw(lambda z: functional_norm(z, axis, eps), table.numpy(), gradients=cotangent)
    data = drawing.to_json()
    sent = {
        (edge["from"], edge["to"]): np.array(edge["contribution"]) for edge in data["edges"] if edge["contribution"]
    }
    (z,) = (node for node in data["nodes"] if node["kind"] == "input")
    return GradientPaths(
        drawing,
        # To the centered values: from the division by the deviation, and from the square, where the variance begins.
        direct=sent["subtract_1", "divide_1"],
        variance=sent["subtract_1", "square_1"],
        mean=sent["z", "mean_1"],
        total=np.array(z["gradient"]),
    )


def paths_of_gradient(axis: int, settings: Settings) -> tuple[Plain, ...]:
    """Return the graph of batch norm or layer norm on the table, and how one entry's gradient comes about."""
    paths = gradient_paths(NEURONS, axis, ENTRY, settings.table_eps)
    name = "batch norm" if axis == BATCH else "layer norm"
    parts = {
        "direct, ḡ/√(σ² + ε)": paths.direct,
        "through the variance": paths.variance,
        "through the mean": paths.mean,
    }
    total = paths.direct + paths.variance + paths.mean
    labels = tuple(f"row {label}" for label in ROW_LABELS) if axis == BATCH else NEURON_NAMES
    return (
        Paragraph(
            f"Backward, an input of {name} moves x̂ in three ways: it is itself one of the values, it moves the "
            "variance that all of them are divided by, and it moves the mean that is taken from all of them. The "
            "gradient that arrives at x̂ is called ḡ, here 1 at one entry and 0 at all others. The graph shows the "
            "three ways as dashed lines: two meet at “centered”, and with the one through the mean they meet at z."
        ),
        Graph(f"graph_{axis}", f"The graph of {name} on this table, and the gradient of x̂ in row 1, z₁", paths.drawing),
        Table(
            f"paths_{axis}",
            f"The gradient of x̂ in row 1, z₁, by {'the column z₁' if axis == BATCH else 'row 1'}, path by path",
            labels,
            (
                *(Row(path, _along(array, axis)) for path, array in parts.items()),
                Row("their sum", _along(total, axis)),
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


def _along(array: Array, axis: int) -> tuple[float, ...]:
    """Return the entries that share a mean with the chosen one; all others are 0."""
    shared: Array = array[:, ENTRY[1]] if axis == BATCH else array[ENTRY[0]]
    return tuple(shared.tolist())
