"""Layers without parameters: activations, softmax, Dropout, and what only passes on or reshapes, Identity and Flatten.

They stand between others in a Sequential. Each calls the function of ``tg.functional`` that has its name, where errors
and ranges are explained. PyTorch's ``inplace`` does not exist: no array is ever changed.
"""

from __future__ import annotations

from math import prod
from typing import Any

from .. import functional as F
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, ShapeError
from .module import Module


class ReLU(Module):
    """The rectified linear unit as a layer.

    Formula: relu(x) = max(x, 0).
    Shapes: x (…), result (…), any axes.
    Source: Nair & Hinton 2010; PyTorch's ``ReLU``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.ReLU()([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """

    def forward(self, x: Data) -> Tensor:
        """Return max(x, 0)."""
        return F.relu(x)


class LeakyReLU(Module):
    """A rectified linear unit that lets a share of the negative through.

    Formula: x if x > 0, else ``negative_slope`` · x.
    Shapes: x (…), result (…), any axes.
    Source: Maas, Hannun & Ng 2013; PyTorch's ``LeakyReLU``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.LeakyReLU(0.1)([-2.0, 2.0]).tolist()
    [-0.2, 2.0]
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Data) -> Tensor:
        """Return x or ``negative_slope`` · x."""
        return F.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """The exponential linear unit as a layer.

    Formula: x if x > 0, else α(eˣ − 1); α is ``alpha``.
    Shapes: x (…), result (…), any axes.
    Source: Clevert, Unterthiner & Hochreiter 2016; PyTorch's ``ELU``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.nn.ELU()([-1.0, 2.0]), 4).tolist()
    [-0.6321, 2.0]
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Data) -> Tensor:
        """Return x or α(eˣ − 1)."""
        return F.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"alpha={self.alpha}"


class GELU(Module):
    """The Gaussian error linear unit as a layer.

    Formula: gelu(x) = x · Φ(x), Φ the normal distribution's cumulative function.
    Shapes: x (…), result (…), any axes.
    Source: Hendrycks & Gimpel 2016, section 2; PyTorch's ``GELU``.

    Parameters
    ----------
    approximate : "none", or "tanh" for ½x(1 + tanh(√(2/π)(x + 0.044715x³)))

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.nn.GELU()([-1.0, 1.0]), 4).tolist()
    [-0.1587, 0.8413]
    """

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Data) -> Tensor:
        """Return x · Φ(x)."""
        return F.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """The sigmoid-weighted linear unit, or swish, as a layer.

    Formula: silu(x) = x · sigmoid(x).
    Shapes: x (…), result (…), any axes.
    Source: Elfwing, Uchibe & Doya 2018; PyTorch's ``SiLU``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.nn.SiLU()([-1.0, 1.0]), 4).tolist()
    [-0.2689, 0.7311]
    """

    def forward(self, x: Data) -> Tensor:
        """Return x · sigmoid(x)."""
        return F.silu(x)


class Sigmoid(Module):
    """The logistic function as a layer.

    Formula: σ(x) = 1 / (1 + e⁻ˣ).
    Shapes: x (…), result (…), any axes.
    Source: Goodfellow, Bengio & Courville 2016, section 3.10; PyTorch's ``Sigmoid``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.Sigmoid()([-1000.0, 0.0]).tolist()
    [0.0, 0.5]
    """

    def forward(self, x: Data) -> Tensor:
        """Return 1 / (1 + e⁻ˣ)."""
        return F.sigmoid(x)


class Softplus(Module):
    """A smooth rectified linear unit as a layer.

    Formula: softplus(x) = log(1 + e^(βx)) / β; β, which is ``beta``, is positive.
    Shapes: x (…), result (…), any axes.
    Source: Dugas et al. 2001; PyTorch's ``Softplus``, without its ``threshold``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.nn.Softplus()([0.0, 1000.0]), 4).tolist()
    [0.6931, 1000.0]
    """

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def forward(self, x: Data) -> Tensor:
        """Return log(1 + e^(βx)) / β."""
        return F.softplus(x, self.beta)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"beta={self.beta}"


class Tanh(Module):
    """The hyperbolic tangent as a layer.

    Formula: tanh(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ).
    Shapes: x (…), result (…), any axes.
    Source: NumPy's ``tanh``; PyTorch's ``Tanh``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.nn.Tanh()([-1.0, 1.0]), 4).tolist()
    [-0.7616, 0.7616]
    """

    def forward(self, x: Data) -> Tensor:
        """Return tanh x."""
        return F.tanh(x)


class Softmax(Module):
    """Exponentials that sum to 1 along an axis, as a layer.

    Formula: softmax(x)ᵢ = e^(xᵢ) / Σⱼ e^(xⱼ).
    Shapes: x (…, classes), result the same; ``axis``, PyTorch's ``dim``, names another axis than the last.
    Source: Goodfellow, Bengio & Courville 2016, section 4.1; PyTorch's ``Softmax``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.Softmax()([[1000.0, 1000.0]]).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Data) -> Tensor:
        """Return eˣ / Σ eˣ."""
        return F.softmax(x, self.axis)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"axis={self.axis}"


class LogSoftmax(Module):
    """The logarithm of softmax as a layer.

    Formula: log softmax(x)ᵢ = xᵢ − log Σⱼ e^(xⱼ).
    Shapes: x (…, classes), result the same; ``axis``, PyTorch's ``dim``, names another axis than the last.
    Source: Blanchard, Higham & Higham 2021; PyTorch's ``LogSoftmax``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.LogSoftmax()([0.0, -10000.0]).tolist()
    [0.0, -10000.0]
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Data) -> Tensor:
        """Return x − log Σ eˣ."""
        return F.log_softmax(x, self.axis)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"axis={self.axis}"


class Identity(Module):
    """The input itself: stands where a layer is left out. Takes and ignores any arguments.

    Formula: y = x.
    Shapes: x (…), y (…), any axes.
    Source: PyTorch's ``Identity``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.Identity(54, unused=True)([1.0, 2.0]).tolist()
    [1.0, 2.0]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: Data) -> Tensor:
        """Return x."""
        return as_tensor(x)


class Flatten(Module):
    """Neighboring axes joined into one.

    Formula: y[b, i · width + j] = x[b, i, j], as NumPy's ``reshape`` has it.
    Shapes: x (batch, height, width), y (batch, height · width), with the default axes 1 to the last.
    Source: PyTorch's ``Flatten``; our ``start_axis`` and ``end_axis`` are its ``start_dim`` and ``end_dim``.

    Raises
    ------
    ShapeError
        x lacks one of the axes, or the last comes before the first.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.Flatten()([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
    [[1.0, 2.0, 3.0, 4.0]]
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
    """Entries set to 0 at random in training, the others enlarged; in evaluation the input itself.

    Formula: y = x · b / (1 − p), where each b is 0 with probability p, else 1.
    Shapes: x (…), y (…), any axes. ``tg.manual_seed`` decides which entries are dropped.
    Source: Srivastava et al. 2014; PyTorch's ``Dropout``.

    Raises
    ------
    InputError
        p lies outside [0, 1].

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> layer = tg.nn.Dropout(0.5)
    >>> sorted(set(layer(tg.ones(100)).tolist()))
    [0.0, 2.0]
    >>> layer.eval()(tg.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

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
