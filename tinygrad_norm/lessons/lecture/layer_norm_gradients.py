"""What flows back through layer norm: from whom, how much, and in which directions.

``across_rows`` asks whether one row's output depends on another row; ``gradient_factors`` how much a row
magnifies a gradient; ``cotangent_effect`` what arrives from a given cotangent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...engine.tensor import Tensor
from ...transforms import jacobian, vjp
from .normalizing import LAYER, normalize


def across_rows(x: Tensor, axis: int, ddof: int, eps: float) -> float:
    """Return the largest derivative of a row's output by an entry of another row.

    Examples
    --------
    >>> x = Tensor([[1.0, 2.0, 4.0], [3.0, 5.0, 1.0]])
    >>> across_rows(x, axis=1, ddof=0, eps=0.0), across_rows(x, axis=0, ddof=0, eps=1.0) > 0.1
    (0.0, True)
    """
    slopes = jacobian(lambda t: normalize(t, axis, ddof, eps).normalized)(x).numpy()
    rows = range(x.shape[0])
    return max(float(np.abs(slopes[i, :, j]).max()) for i in rows for j in rows if i != j)


def gradient_factors(x: Tensor, ddof: int, eps: float) -> tuple[float, ...]:
    """Return for each row how much layer norm can magnify a gradient: its largest singular value.

    The Jacobian of a row is ``(I − 11ᵀ/n − x̂x̂ᵀ/n)/√(σ² + ε)``: a projection over the deviation.

    Examples
    --------
    >>> [round(factor, 4) for factor in gradient_factors(Tensor([[0.0, 0.0, 0.0]]), 0, 1e-4)]
    [100.0]
    """
    slopes = jacobian(lambda t: normalize(t, LAYER, ddof, eps).normalized)(x).numpy()
    return tuple(float(np.linalg.norm(slopes[i, :, i], 2)) for i in range(x.shape[0]))


@dataclass(frozen=True)
class CotangentEffect:
    """What a cotangent of the output becomes at the input of layer norm.

    Attributes
    ----------
    largest : float
        The largest entry of the gradient.
    along_ones, along_output : float
        The largest share of a row's gradient that points along (1, …, 1) or along x̂: the cosine of
        the angle between them, 0 if they are orthogonal.
    """

    largest: float
    along_ones: float
    along_output: float


def cotangent_effect(x: Tensor, cotangent: Tensor, ddof: int, eps: float) -> CotangentEffect:
    """Send `cotangent` back through layer norm over `x` and look at the gradient row by row."""
    output, pull_back = vjp(lambda t: normalize(t, LAYER, ddof, eps).normalized, x)
    gradient = pull_back(cotangent)[0].numpy()
    ones = np.ones_like(gradient)
    return CotangentEffect(
        float(np.abs(gradient).max()),
        _largest_cosine(gradient, ones),
        _largest_cosine(gradient, output.numpy()),
    )


def _largest_cosine(a: np.ndarray, b: np.ndarray) -> float:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    # A gradient that is zero points nowhere: its share along anything is 0.
    cosines = np.abs((a * b).sum(axis=1)) / np.where(lengths > 0, lengths, 1.0)
    return float(cosines.max())
