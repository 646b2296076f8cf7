"""Activations, entry by entry, and softmax with its relatives, along one ``axis``.

Each is written so that no intermediate value overflows, and composed of primitives, so that every derivative is exact.
"""

from __future__ import annotations

import math

import numpy as np

from ..engine.details.array import Array, some, whole
from ..engine.details.summation import Axis
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, ShapeError
from ..ops import elementwise as e
from ..ops.layout import squeeze
from ..ops.statistics import narrowed, widened
from .composition import composed, floating


def relu(x: Data) -> Tensor:
    """Return the rectified linear unit: x where it is positive, else 0.

    Formula: relu(x) = max(x, 0); the derivative at 0 is 0, as in PyTorch.
    Shapes: x (…), result (…), in [0, ∞).
    Source: Nair & Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.relu([-1.0, 0.0, 2.0]).tolist()
    [0.0, 0.0, 2.0]
    >>> tg.grad(tg.functional.relu)(0.0).item()
    0.0
    """
    return e.relu(x)


def tanh(x: Data) -> Tensor:
    """Return the hyperbolic tangent.

    Formula: tanh(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ).
    Shapes: x (…), result (…), in [−1, 1].
    Source: NumPy's ``tanh``; the same primitive as ``tg.tanh``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.functional.tanh([-1.0, 0.0, 100.0]), 4).tolist()
    [-0.7616, 0.0, 1.0]
    """
    return e.tanh(x)


@composed
def leaky_relu(x: Data, negative_slope: float = 0.01) -> Tensor:
    """Return x where it is positive, else a small share of it.

    Formula: x if x > 0, else ``negative_slope`` · x; the slope is also the derivative at 0.
    Shapes: x (…), result (…).
    Source: Maas, Hannun & Ng 2013, "Rectifier nonlinearities improve neural network acoustic models".

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.leaky_relu([-2.0, 0.0, 2.0], negative_slope=0.1).tolist()
    [-0.2, 0.0, 2.0]
    """
    x = as_tensor(x)
    return e.where(x.data > 0, x, x * negative_slope)


@composed
def elu(x: Data, alpha: float = 1.0) -> Tensor:
    """Return the exponential linear unit: x where it is positive, else an exponential that levels off at −α.

    Formula: x if x > 0, else α(eˣ − 1).
    Shapes: x (…), result (…), in [−α, ∞).
    Source: Clevert, Unterthiner & Hochreiter 2016, "Fast and accurate deep network learning by ELUs".

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.functional.elu([-100.0, -1.0, 0.0, 2.0]), 4).tolist()
    [-1.0, -0.6321, 0.0, 2.0]
    """
    x = as_tensor(x)
    positive = x.data > 0
    # The exponential sees only x ≤ 0: it cannot overflow where its value is not used.
    return e.where(positive, x, alpha * e.expm1(e.where(positive, 0, x)))


@composed
def sigmoid(x: Data) -> Tensor:
    """Return the logistic function, without overflow and exact also where it is near 0.

    Formula: σ(x) = 1 / (1 + e⁻ˣ). The exponential that is computed is e to the −|x|.
    Shapes: x (…), result (…), in [0, 1].
    Source: Goodfellow, Bengio & Courville 2016, "Deep learning", section 3.10.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.sigmoid([-1000.0, 0.0, 1000.0]).tolist()
    [0.0, 0.5, 1.0]
    >>> tg.grad(tg.functional.sigmoid)(0.0).item()
    0.25
    """
    x = as_tensor(x)
    positive = x.data >= 0
    small = e.where(positive, -x, x).exp()
    return e.where(positive, 1, small) / (1 + small)


@composed
def silu(x: Data) -> Tensor:
    """Return x weighted by its own sigmoid; also called swish.

    Formula: silu(x) = x · σ(x) = x / (1 + e⁻ˣ).
    Shapes: x (…), result (…), at least −0.2785.
    Source: Elfwing, Uchibe & Doya 2018, "Sigmoid-weighted linear units for neural network function approximation".

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.functional.silu([-1.0, 0.0, 1.0]), 4).tolist()
    [-0.2689, 0.0, 0.7311]
    """
    x = as_tensor(x)
    return x * sigmoid(x)


@composed
def softplus(x: Data, beta: float = 1.0) -> Tensor:
    """Return a smooth relu, without overflow.

    Formula: softplus(x) = log(1 + e^(βx)) / β. The larger β, the nearer to max(x, 0).
    Shapes: x (…), result (…), in [0, ∞).
    Source: Dugas et al. 2001, "Incorporating second-order functional knowledge for better option pricing".
    PyTorch's has a ``threshold``, above which it is x itself; this one needs none.

    Raises
    ------
    InputError
        beta is not positive.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.functional.softplus([-1000.0, 0.0, 1000.0]), 4).tolist()
    [0.0, 0.6931, 1000.0]
    """
    if beta <= 0:
        raise InputError(f"softplus: beta must be positive; got {beta}. PyTorch's default is 1.")
    return e.logaddexp(as_tensor(x) * beta, 0.0) / beta


@composed
def gelu(x: Data, approximate: str = "none") -> Tensor:
    """Return x weighted by the probability that a standard normal number is smaller.

    Formula: gelu(x) = x · Φ(x) = ½x(1 + erf(x/√2)); with ``approximate="tanh"`` ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
    Shapes: x (…), result (…), at least −0.17.
    Source: Hendrycks & Gimpel 2016, "Gaussian error linear units", section 2.

    Raises
    ------
    InputError
        approximate is neither "none" nor "tanh".

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.functional.gelu([-1.0, 0.0, 1.0]), 6).tolist()
    [-0.158655, 0.0, 0.841345]
    >>> tg.round(tg.functional.gelu([-1.0, 0.0, 1.0], approximate="tanh"), 6).tolist()
    [-0.158808, 0.0, 0.841192]
    """
    x = as_tensor(x)
    if approximate == "none":
        cumulative = 0.5 * (e.erf(x * math.sqrt(0.5)) + 1)
        return x * cumulative
    if approximate == "tanh":
        near = x.clip(-10, 10)  # beyond, tanh is ±1 in every dtype, and the cube of a large number is ∞
        cubic = near + 0.044715 * (near * near * near)
        return 0.5 * x * (1 + (math.sqrt(2 / math.pi) * cubic).tanh())
    raise InputError(f"gelu: approximate must be 'none' or 'tanh'; got {approximate!r}. Choose one of them.")


def shifted_exponentials(
    x: Tensor, axis: Axis, at_infinity: float
) -> tuple[Tensor, Tensor, Tensor, Array, Array | None]:
    """Return x − m, its exponentials, their sum along the axis, m, which is the largest entry along it, and more.

    m is a constant: softmax and logsumexp − m do not change when it does, so it has no derivative to lose. For a row
    with a +∞ it is ``at_infinity``, for one of −∞ only 0, and the sum is given as 1; the last result says which rows
    these are, None where there are none.
    """
    axis = whole(axis, "softmax")
    try:
        largest = np.max(x.data, axis=axis, keepdims=True, initial=-np.inf)
    except ValueError as error:
        raise ShapeError(
            f"softmax: the axes must be axes of shape {x.shape}; got {axis}: {error}. "
            "Count from 0, or from −1 backwards."
        ) from error
    empty = None
    if some(np.isinf(largest)):
        empty = largest == -np.inf
        largest = np.where(empty, 0, np.where(largest == np.inf, at_infinity, largest)).astype(x.dtype)
    with np.errstate(over="ignore"):  # −1e308 − 1e308 is −∞, whose exponential is the 0 that is wanted
        shifted = x - largest
    exponentials = shifted.exp()
    total = exponentials.sum(axis, keepdims=True)
    if empty is not None:
        total = e.where(empty, 1, total)
    return shifted, exponentials, total, largest, empty


@composed
def softmax(x: Data, axis: int = -1) -> Tensor:
    """Return exponentials that sum to 1 along an axis.

    Formula: softmax(x)ᵢ = e^(xᵢ) / Σⱼ e^(xⱼ), after the largest entry is subtracted, which changes nothing but that no
    exponential overflows. A row of −∞ only (nothing to attend to) gives zeros, with gradient zero; one with a +∞ NaN.
    Shapes: x (…, classes), result the same, in [0, 1]; ``axis``, PyTorch's ``dim``, names another axis than the last.
    Source: Goodfellow, Bengio & Courville 2016, "Deep learning", section 4.1.

    Raises
    ------
    ShapeError
        axis is no axis of x.

    Examples
    --------
    >>> import numpy as np, tinygrad_norm as tg
    >>> tg.functional.softmax([[1000.0, 1000.0], [-np.inf, -np.inf]])
    Tensor([[0.5, 0.5],
            [0. , 0. ]],
           shape=(2, 2), dtype=float64)
    """
    x = floating(x)
    _, exponentials, total, _, _ = shifted_exponentials(widened(x), axis, np.nan)
    return narrowed(exponentials / total, x)


@composed
def logsumexp(x: Data, axis: int | tuple[int, ...] = -1, keepdims: bool = False) -> Tensor:
    """Return the logarithm of a sum of exponentials along an axis, or several.

    Formula: log Σⱼ e^(xⱼ) = m + log Σⱼ e^(xⱼ − m), where m is the largest entry; the gradient is softmax(x). Of −∞ only
    it is −∞, with gradient zero.
    Shapes: x (…, classes), result (…), or (…, 1) with ``keepdims``; ``axis`` and ``keepdims`` are PyTorch's ``dim`` and
    ``keepdim``.
    Source: Blanchard, Higham & Higham 2021, "Accurately computing the log-sum-exp and softmax functions".

    Raises
    ------
    ShapeError
        axis is no axis of x, or names one twice.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.functional.logsumexp([[0.0, 0.0], [1000.0, 0.0]]), 4).tolist()
    [0.6931, 1000.0]
    """
    x = floating(x)
    _, _, total, largest, empty = shifted_exponentials(widened(x), axis, 0.0)
    result = total.log() + largest
    result = narrowed(result if empty is None else e.where(empty, -np.inf, result), x)
    return result if keepdims else squeeze(result, axis)


@composed
def log_softmax(x: Data, axis: int = -1) -> Tensor:
    """Return the logarithm of softmax, exact also where softmax itself underflows to 0.

    Formula: log softmax(x)ᵢ = xᵢ − log Σⱼ e^(xⱼ). Of −∞ only it is −∞, with gradient zero.
    Shapes: x (…, classes), result the same, in (−∞, 0]; ``axis`` is PyTorch's ``dim``.
    Source: Blanchard, Higham & Higham 2021, "Accurately computing the log-sum-exp and softmax functions".

    Raises
    ------
    ShapeError
        axis is no axis of x.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.log_softmax([0.0, -10000.0]).tolist()
    [0.0, -10000.0]
    >>> tg.round(tg.functional.log_softmax([1.0, 1.0]), 4).tolist()
    [-0.6931, -0.6931]
    """
    x = floating(x)
    shifted, _, total, _, empty = shifted_exponentials(widened(x), axis, np.nan)
    result = shifted - total.log()
    return narrowed(result if empty is None else e.where(empty, -np.inf, result), x)
