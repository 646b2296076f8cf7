"""Activations as layers: what stands between two others in a Sequential. The functions are in ``tg.functional``."""

from __future__ import annotations

from .. import functional as F
from ..engine.tensor import Data, Tensor
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
