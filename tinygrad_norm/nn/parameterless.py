"""Layers without parameters: activations, softmax, Dropout, and what only passes on or reshapes, Identity and Flatten.

They stand between others in a Sequential; the functions that they call are in ``tg.functional``.
"""

from __future__ import annotations

from math import prod
from typing import Any

from .. import functional as F
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, ShapeError
from .module import Module


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Data) -> Tensor:
        """Return max(x, 0)."""
        return F.relu(x)


class LeakyReLU(Module):
    """x where x > 0, else ``negative_slope`` · x."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Data) -> Tensor:
        """Return x or ``negative_slope`` · x."""
        return F.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """x where x > 0, else α(eˣ − 1)."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Data) -> Tensor:
        """Return x or α(eˣ − 1)."""
        return F.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"alpha={self.alpha}"


class GELU(Module):
    """x · Φ(x); ``approximate`` is "none" or "tanh"."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Data) -> Tensor:
        """Return x · Φ(x)."""
        return F.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """x · sigmoid(x)."""

    def forward(self, x: Data) -> Tensor:
        """Return x · sigmoid(x)."""
        return F.silu(x)


class Sigmoid(Module):
    """1 / (1 + e⁻ˣ)."""

    def forward(self, x: Data) -> Tensor:
        """Return 1 / (1 + e⁻ˣ)."""
        return F.sigmoid(x)


class Softplus(Module):
    """log(1 + e^(βx)) / β."""

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def forward(self, x: Data) -> Tensor:
        """Return log(1 + e^(βx)) / β."""
        return F.softplus(x, self.beta)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"beta={self.beta}"


class Tanh(Module):
    """tanh x."""

    def forward(self, x: Data) -> Tensor:
        """Return tanh x."""
        return F.tanh(x)


class Softmax(Module):
    """eˣ / Σ eˣ along ``axis``."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Data) -> Tensor:
        """Return eˣ / Σ eˣ."""
        return F.softmax(x, self.axis)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"axis={self.axis}"


class LogSoftmax(Module):
    """x − log Σ eˣ along ``axis``."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Data) -> Tensor:
        """Return x − log Σ eˣ."""
        return F.log_softmax(x, self.axis)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"axis={self.axis}"


class Identity(Module):
    """Return the input; stands where a layer is left out. Takes and ignores any arguments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: Data) -> Tensor:
        """Return x."""
        return as_tensor(x)


class Flatten(Module):
    """Join neighboring axes into one.

    Shapes: x (batch, a, b, …), result (batch, a · b · …) with the default axes 1 to the last.
    """

    def __init__(self, start_axis: int = 1, end_axis: int = -1) -> None:
        self.start_axis, self.end_axis = start_axis, end_axis

    def forward(self, x: Data) -> Tensor:
        """Return x with the axes joined."""
        x = as_tensor(x)
        start, end = (a + x.ndim if a < 0 else a for a in (self.start_axis, self.end_axis))
        if not 0 <= start <= end < x.ndim:
            raise ShapeError(
                f"Flatten: the axes {self.start_axis} to {self.end_axis} must be axes of x, in this order; got x of "
                f"shape {x.shape}. Add a batch axis, or choose other axes."
            )
        return x.reshape(*x.shape[:start], prod(x.shape[start : end + 1]), *x.shape[end + 1 :])

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"start_axis={self.start_axis}, end_axis={self.end_axis}"


class Dropout(Module):
    """In training, set each entry to 0 with probability p and divide the others by 1 − p (Srivastava et al. 2014)."""

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise InputError(f"Dropout: p must be a probability in [0, 1]; got {p}. 0 switches it off.")
        self.p = p

    def forward(self, x: Data) -> Tensor:
        """Return x with entries dropped, or x in evaluation."""
        return F.dropout(x, self.p, self.training)

    def label(self) -> str:
        """Return ``Dropout 0.5``."""
        return f"Dropout {self.p}"

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"p={self.p}"
