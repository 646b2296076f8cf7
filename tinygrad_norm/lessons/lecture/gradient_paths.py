"""The three ways by which an input moves a normalized value: directly, through the variance, through the mean.

The paths are not derived here: they are the contributions that the engine's backward pass sent along the edges of the
graph, read from a trace of the layer itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...engine.details.array import Array
from ...engine.tensor import Tensor
from ...functional import batch_norm, layer_norm
from ...viz import Drawing, draw
from .normalizing import BATCH


@dataclass(frozen=True)
class GradientPaths:
    """What reaches the input of a normalization from one entry of its output.

    Attributes
    ----------
    drawing : Drawing
        The graph of the layer, with the backward pass.
    direct, variance, mean : Array
        The three contributions, each in the shape of the input.
    total : Array
        The gradient that the engine gives.
    """

    drawing: Drawing
    direct: Array
    variance: Array
    mean: Array
    total: Array


def gradient_paths(table: Tensor, axis: int, entry: tuple[int, int], eps: float) -> GradientPaths:
    """Return the gradient of one entry of x̂ by the whole table, and the paths that it is the sum of.

    Examples
    --------
    >>> paths = gradient_paths(Tensor([[7.0, 5.0, 4.0]]), 1, (0, 0), eps=0.0)
    >>> np.allclose(paths.direct + paths.variance + paths.mean, paths.total)
    True
    >>> bool(abs(paths.total.sum()) < 1e-12)
    True
    """
    cotangent = np.zeros(table.shape)
    cotangent[entry] = 1.0
    drawing = draw(layer(axis, table.shape[1], eps), table.numpy(), gradients=cotangent)
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


def layer(axis: int, features: int, eps: float) -> Callable[[Tensor], Tensor]:
    """Return batch norm or layer norm as a function of the table z."""
    if axis == BATCH:
        return lambda z: batch_norm(z, eps=eps)
    return lambda z: layer_norm(z, features, eps=eps)
