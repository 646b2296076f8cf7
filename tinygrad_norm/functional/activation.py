"""Activations and softmax, composed of primitives so that every derivative of theirs is exact.

Shapes: every function gives the shape of its input; softmax and its relatives work along one ``axis``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.details.summation import Axis
from ..engine.primitives import elementwise as e
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, ShapeError
from ..ops.layout import squeeze
from .composition import composed, floating


def relu(x: Data) -> Tensor:
    """Return max(x, 0); the derivative at 0 is 0."""
    result: Tensor = e.relu(x)
    return result


def tanh(x: Data) -> Tensor:
    """Return tanh x."""
    result: Tensor = e.tanh(x)
    return result


@composed
def leaky_relu(x: Data, negative_slope: float = 0.01) -> Tensor:
    """Return x where x > 0, else ``negative_slope`` · x, which is also the derivative at 0."""
    x = as_tensor(x)
    result: Tensor = e.where(x.data > 0, x, x * negative_slope)
    return result


@composed
def elu(x: Data, alpha: float = 1.0) -> Tensor:
    """Return x where x > 0, else α(eˣ − 1)."""
    x = as_tensor(x)
    positive = x.data > 0
    # The exponential sees only x ≤ 0: it cannot overflow where its value is not used.
    result: Tensor = e.where(positive, x, alpha * e.expm1(e.where(positive, 0, x)))
    return result


@composed
def sigmoid(x: Data) -> Tensor:
    """Return 1 / (1 + e⁻ˣ), exact where it is near 0 too: the exponential sees only −|x|, so it cannot overflow."""
    x = as_tensor(x)
    positive = x.data >= 0
    small: Tensor = e.where(positive, -x, x).exp()
    result: Tensor = e.where(positive, 1, small) / (1 + small)
    return result


@composed
def silu(x: Data) -> Tensor:
    """Return x · sigmoid(x) (Elfwing et al. 2018, "Sigmoid-weighted linear units")."""
    x = as_tensor(x)
    return x * sigmoid(x)


@composed
def softplus(x: Data, beta: float = 1.0) -> Tensor:
    """Return log(1 + e^(βx)) / β, smooth everywhere and without overflow."""
    if beta <= 0:
        raise InputError(f"softplus: beta must be positive; got {beta}. PyTorch's default is 1.")
    result: Tensor = e.logaddexp(as_tensor(x) * beta, 0.0) / beta
    return result


@composed
def gelu(x: Data, approximate: str = "none") -> Tensor:
    """Return x · Φ(x), Φ the normal distribution's cumulative function (Hendrycks & Gimpel 2016).

    ``approximate="tanh"`` uses ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
    """
    x = as_tensor(x)
    if approximate == "none":
        cumulative: Tensor = 0.5 * (e.erf(x * math.sqrt(0.5)) + 1)
        return x * cumulative
    if approximate == "tanh":
        cubic = x + 0.044715 * (x * x * x)
        return 0.5 * x * (1 + (math.sqrt(2 / math.pi) * cubic).tanh())
    raise InputError(f"gelu: approximate must be 'none' or 'tanh'; got {approximate!r}. Choose one of them.")


def shifted_exponentials(x: Tensor, axis: Axis) -> tuple[Tensor, Tensor, Any]:
    """Return exp(x − m), its sum along the axis, and m, the largest entry along it.

    m is a constant: softmax and logsumexp − m do not change when it does, so it has no derivative to lose.
    Where m would be infinite it is 0: a row of −∞ only has the sum 0, one with a +∞ the sum ∞.
    """
    try:
        largest = np.max(x.data, axis=axis, keepdims=True, initial=-np.inf)
    except ValueError as error:
        raise ShapeError(
            f"softmax: the axes must be axes of shape {x.shape}; got {axis}: {error}. "
            "Count from 0, or from −1 backwards."
        ) from error
    # An infinite maximum cannot be subtracted; exp(±∞ − 0) is what is wanted.
    largest = np.where(np.isinf(largest), 0, largest).astype(x.dtype)
    exponentials = (x - largest).exp()
    return exponentials, exponentials.sum(axis, keepdims=True), largest


@composed
def softmax(x: Data, axis: int = -1) -> Tensor:
    """Return eˣ / Σ eˣ along an axis; the largest entry is subtracted first.

    A row of −∞ only (nothing to attend to) gives zeros, with gradient zero.

    Examples
    --------
    >>> import numpy as np, tinygrad_norm as tg
    >>> tg.functional.softmax([[1000.0, 1000.0], [-np.inf, -np.inf]])
    Tensor([[0.5, 0.5],
           [0. , 0. ]], shape=(2, 2), dtype=float64)
    """
    exponentials, total, _ = shifted_exponentials(floating(x), axis)
    empty = total.data == 0
    if np.any(empty):
        total = as_tensor(e.where(empty, 1, total))
    return exponentials / total


@composed
def logsumexp(x: Data, axis: int | tuple[int, ...] = -1, keepdims: bool = False) -> Tensor:
    """Return log Σ eˣ along an axis; of −∞ only it is −∞, with gradient zero."""
    x = floating(x)
    _, total, largest = shifted_exponentials(x, axis)
    empty = total.data == 0
    if np.any(empty):
        result: Tensor = e.where(empty, -np.inf, e.where(empty, 1, total).log() + largest)
    else:
        result = total.log() + largest
    return result if keepdims else squeeze(result, axis)


@composed
def log_softmax(x: Data, axis: int = -1) -> Tensor:
    """Return x − log Σ eˣ along an axis, exact where softmax itself underflows; of −∞ only it is −∞, gradient zero."""
    x = floating(x)
    _, total, largest = shifted_exponentials(x, axis)
    empty = total.data == 0
    if np.any(empty):
        result: Tensor = e.where(empty, -np.inf, (x - largest) - e.where(empty, 1, total).log())
    else:
        result = (x - largest) - total.log()
    return result
