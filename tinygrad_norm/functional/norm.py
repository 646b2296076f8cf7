"""Normalizations, each composed of primitives: mean, deviation, x̂ = (x − mean)/√(var + eps), x̂ · γ + β.

They differ in which entries share a mean and a variance, and one of them takes no mean:

============= =========================================================================
layer_norm    the features of one position
rms_norm      the features of one position, without subtracting a mean
group_norm    the features of one group of channels of one sample
instance_norm the positions of one channel of one sample
batch_norm    all positions of all samples, for one channel
============= =========================================================================

The variance is the population's, in two passes, and no statistic is detached, so second derivatives are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ..engine.tensor import Data, Optional, Tensor, as_tensor
from ..errors import InputError, OperandError, ShapeError
from ..ops.statistics import narrowed, widened
from .composition import composed, floating

Axes = tuple[int, ...]


def standardize(x: Tensor, axes: Axes, eps: float) -> Tensor:
    """Return (x − mean) / √(var + eps) over the given axes."""
    wide = widened(x)
    centered = wide - wide.mean(axes, keepdims=True)
    variance = centered.square().mean(axes, keepdims=True)
    deviation = (variance + eps).sqrt()
    return narrowed(centered / deviation, x)


def scale_and_shift(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Return x · γ + β; either may be None."""
    if weight is not None:
        x = x * weight
    return x if bias is None else x + bias


def check_eps(eps: float, name: str) -> None:
    """Raise unless eps is a non-negative number."""
    if not eps >= 0:
        raise InputError(f"{name}: eps must not be negative; got {eps}. The usual value is 1e-5.")


def check_parameter(value: Optional, shape: tuple[int, ...], what: str, name: str) -> Tensor | None:
    """Return a weight or bias; raise unless it has the shape it must have."""
    if value is None:
        return None
    value = as_tensor(value)
    if value.shape != shape:
        raise ShapeError(
            f"{name}: the {what} must have shape {shape}, one entry for each normalized feature; got {value.shape}. "
            "Reshape it, or pass None to leave it out."
        )
    return value


def last_axes(x: Tensor, normalized_shape: int | Sequence[int], name: str) -> tuple[Axes, tuple[int, ...]]:
    """Return the last axes that ``normalized_shape`` names, and it as a tuple; raise if x does not end so."""
    if isinstance(normalized_shape, (int, np.integer)):
        shape: tuple[int, ...] = (int(normalized_shape),)
    elif isinstance(normalized_shape, (tuple, list)):
        shape = tuple(normalized_shape)
    else:
        raise OperandError(
            f"{name}: normalized_shape must be a whole number or a tuple of them; got {normalized_shape!r}. "
            "Pass the length of the feature axis."
        )
    if not shape or x.shape[-len(shape) :] != shape:
        raise ShapeError(
            f"{name}: the last axes of x must be normalized_shape {shape}; got x of shape {x.shape}. "
            "Pass the length of the feature axis."
        )
    return tuple(range(-len(shape), 0)), shape


@composed
def layer_norm(
    x: Data,
    normalized_shape: int | Sequence[int],
    weight: Optional = None,
    bias: Optional = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return x with mean 0 and variance 1 over its last axes, then scaled and shifted.

    Formula: y = (x − mean)/√(var + eps) · γ + β.
    Shapes: x (…, features) with ``normalized_shape`` = features (or several last axes), weight γ and bias β
    (features), result as x. Every position has statistics of its own: no other position, pad or real, can change it.
    Source: Ba, Kiros & Hinton 2016, "Layer normalization", eq. 4.

    Raises
    ------
    InputError
        eps is negative.
    OperandError
        normalized_shape is neither a whole number nor a tuple.
    ShapeError
        x does not end with ``normalized_shape``, or the weight or bias does not have that shape.

    Examples
    --------
    >>> import numpy as np, tinygrad_norm as tg
    >>> row = tg.functional.layer_norm([7.0, 5.0, 4.0], 3, eps=0)
    >>> np.allclose(row, np.array([5, -1, -4]) / np.sqrt(14))
    True
    """
    check_eps(eps, "layer_norm")
    x = floating(x)
    axes, shape = last_axes(x, normalized_shape, "layer_norm")
    gamma = check_parameter(weight, shape, "weight", "layer_norm")
    beta = check_parameter(bias, shape, "bias", "layer_norm")
    normalized = standardize(x, axes, eps)
    return scale_and_shift(normalized, gamma, beta)


@composed
def rms_norm(
    x: Data, normalized_shape: int | Sequence[int], weight: Optional = None, eps: float | None = None
) -> Tensor:
    """Return x divided by the root mean square of its last axes, then scaled.

    Formula: y = x / √(mean(x²) + eps) · γ. ``eps=None`` is the smallest step of x's dtype, as in PyTorch.
    Shapes: as in :func:`layer_norm`, x (…, features), weight γ (features), result as x; there is no bias.
    Source: Zhang & Sennrich 2019, "Root mean square layer normalization".

    Raises
    ------
    InputError, OperandError, ShapeError
        As in :func:`layer_norm`.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.functional.rms_norm([7.0, 1.0], 2), 6).tolist()    # the mean square is 25
    [1.4, 0.2]
    """
    x = floating(x)
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    check_eps(eps, "rms_norm")
    axes, shape = last_axes(x, normalized_shape, "rms_norm")
    gamma = check_parameter(weight, shape, "weight", "rms_norm")
    wide = widened(x)
    mean_square = wide.square().mean(axes, keepdims=True)
    root = (mean_square + eps).sqrt()
    normalized = wide / root
    return scale_and_shift(narrowed(normalized, x), gamma, None)


def per_channel(value: Optional, x: Tensor, channel_axis: int, what: str, name: str) -> Tensor | None:
    """Return a value per channel in a shape that broadcasts along ``channel_axis`` of x."""
    checked = check_parameter(value, (x.shape[channel_axis],), what, name)
    if checked is None or channel_axis in (-1, x.ndim - 1):
        return checked
    shape = [1] * x.ndim
    shape[channel_axis] = -1
    return checked.reshape(shape)


@composed
def group_norm(x: Data, num_groups: int, weight: Optional = None, bias: Optional = None, eps: float = 1e-5) -> Tensor:
    """Return x with mean 0 and variance 1 over each group of channels of each sample, then scaled and shifted.

    Formula: y = (x − mean)/√(var + eps) · γ + β; the statistics are over a group's channels and their positions.
    Shapes: x (batch, channels, …), weight γ and bias β (channels), result as x.
    Source: Wu & He 2018, "Group normalization".

    Raises
    ------
    InputError
        eps is negative.
    ShapeError
        x has no axis of channels, num_groups does not divide their number, or weight or bias is not (channels).

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.group_norm([[1.0, 3.0, 10.0, 30.0]], num_groups=2, eps=0).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """
    check_eps(eps, "group_norm")
    x = floating(x)
    if x.ndim < 2 or num_groups < 1 or x.shape[1] % num_groups:
        raise ShapeError(
            "group_norm: x must be (batch, channels, …) with channels divisible by num_groups; got "
            f"x {x.shape} and num_groups={num_groups}. Choose a divisor of the number of channels."
        )
    grouped = x.reshape(x.shape[0], num_groups, prod(x.shape[1:]) // num_groups)
    normalized = standardize(grouped, (-1,), eps).reshape(x.shape)
    return scale_and_shift(
        normalized,
        per_channel(weight, x, 1, "weight", "group_norm"),
        per_channel(bias, x, 1, "bias", "group_norm"),
    )


@composed
def instance_norm(x: Data, weight: Optional = None, bias: Optional = None, eps: float = 1e-5) -> Tensor:
    """Return x with mean 0 and variance 1 over the positions of each channel of each sample, then scaled and shifted.

    Formula: y = (x − mean)/√(var + eps) · γ + β; the statistics are over the positions of one channel.
    Shapes: x (batch, channels, positions…), weight γ and bias β (channels), result as x.
    Source: Ulyanov, Vedaldi & Lempitsky 2016, "Instance normalization". PyTorch's also takes running statistics: here
    the layer InstanceNorm1d keeps them.

    Raises
    ------
    InputError
        eps is negative.
    ShapeError
        x has no axis of positions, a channel has a single one, or weight or bias is not (channels).

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.instance_norm([[[1.0, 3.0], [10.0, 30.0]]], eps=0).tolist()
    [[[-1.0, 1.0], [-1.0, 1.0]]]
    """
    check_eps(eps, "instance_norm")
    x = floating(x)
    if x.ndim < 3 or int(np.prod(x.shape[2:])) < 2:
        raise ShapeError(
            "instance_norm: x must be (batch, channels, positions…) with at least two positions; got "
            f"{x.shape}. One value has no deviation: use layer_norm or group_norm."
        )
    return scale_and_shift(
        standardize(x, tuple(range(2, x.ndim)), eps),
        per_channel(weight, x, 1, "weight", "instance_norm"),
        per_channel(bias, x, 1, "bias", "instance_norm"),
    )
