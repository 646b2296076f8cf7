"""Initial values: the distributions that parameters are drawn from, with PyTorch's names.

Every function gives a parameter new values and returns it; random ones draw from the generator that
``tg.manual_seed`` seeds. "fan in" is the number of inputs that one output of a weight (out, in, …) sums over,
"fan out" the number of outputs that one input goes to.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np

from ..engine.tensor import Tensor
from ..errors import InputError, ShapeError
from ..random import generator

T = TypeVar("T", bound=Tensor)

GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2.0), "selu": 0.75}


def calculate_gain(nonlinearity: str, param: float = 0.01) -> float:
    """Return by how much a nonlinearity shrinks the deviation of its input, inverted; ``param`` is a leaky slope."""
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1 + param**2))
    if nonlinearity not in GAINS:
        raise InputError(
            f"a nonlinearity must be one of {', '.join([*GAINS, 'leaky_relu'])}; got {nonlinearity!r}. Choose one."
        )
    return GAINS[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """Return fan in and fan out of a weight (out, in, …)."""
    if tensor.ndim < 2:
        raise ShapeError(
            f"fan in and fan out must be taken of a weight (out, in, …); got shape {tensor.shape}. "
            "Use uniform_ or normal_ for a vector."
        )
    positions = math.prod(tensor.shape[2:])
    return tensor.shape[1] * positions, tensor.shape[0] * positions


def constant_(tensor: T, val: float) -> T:
    """Set every entry to one value."""
    tensor.data = np.full(tensor.shape, val)
    return tensor


def zeros_(tensor: T) -> T:
    """Set every entry to 0."""
    return constant_(tensor, 0.0)


def ones_(tensor: T) -> T:
    """Set every entry to 1."""
    return constant_(tensor, 1.0)


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0) -> T:
    """Draw every entry from [a, b)."""
    tensor.data = generator().uniform(a, b, tensor.shape)
    return tensor


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0) -> T:
    """Draw every entry from a normal distribution."""
    tensor.data = generator().normal(mean, std, tensor.shape)
    return tensor


def xavier_uniform_(tensor: T, gain: float = 1.0) -> T:
    """Draw from ±gain √(6 / (fan in + fan out)) (Glorot & Bengio 2010, eq. 16)."""
    bound = gain * math.sqrt(6.0 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: T, gain: float = 1.0) -> T:
    """Draw with deviation gain √(2 / (fan in + fan out)) (Glorot & Bengio 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fans(tensor))))


def kaiming_uniform_(tensor: T, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> T:
    """Draw from ±gain √(3 / fan) (He et al. 2015, eq. 10); ``a`` is the slope of a leaky relu.

    ``mode`` is "fan_in" or "fan_out".
    """
    bound = math.sqrt(3.0) * kaiming_deviation(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(tensor: T, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> T:
    """Draw with deviation gain / √fan (He et al. 2015, eq. 10)."""
    return normal_(tensor, 0.0, kaiming_deviation(tensor, a, mode, nonlinearity))


def kaiming_deviation(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    """Return gain / √fan."""
    if mode not in ("fan_in", "fan_out"):
        raise InputError(f"mode must be 'fan_in' or 'fan_out'; got {mode!r}. Choose one of them.")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def orthogonal_(tensor: T, gain: float = 1.0) -> T:
    """Draw rows (or columns, whichever are fewer) that are orthonormal, times gain (Saxe et al. 2014)."""
    fans(tensor)
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    drawn = generator().standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    # QR leaves the signs open; these make the distribution uniform.
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    tensor.data = gain * (q.T if rows < columns else q).reshape(tensor.shape)
    return tensor
