"""Batch normalization: one mean and deviation for each channel, over all real positions of the batch."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from ..engine.details.array import Array
from ..engine.tensor import Data, Optional, Tensor, as_tensor
from ..errors import InputError, ShapeError
from ..ops import elementwise as e
from ..ops.statistics import narrowed, widened
from .composition import composed, floating
from .norm import check_eps, per_channel, scale_and_shift


class BatchStatistics(NamedTuple):
    """Mean and population variance of each channel, in a shape that broadcasts, and the number of values."""

    mean: Tensor
    variance: Tensor
    values: int


@composed
def batch_norm(
    x: Data,
    running_mean: Optional = None,
    running_var: Optional = None,
    weight: Optional = None,
    bias: Optional = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
    mask: Optional = None,
    channel_axis: int = 1,
) -> Tensor:
    """Return each channel with mean 0 and variance 1 over the batch's real positions, then scaled and shifted.

    Formula: y = (x − mean)/√(var + eps) · γ + β; mean and population variance are over all axes but the channels'.
    Shapes: x (batch, channels, …) or, with ``channel_axis=-1``, (batch, …, channels); running statistics, weight γ and
    bias β (channels); mask like x without its channel axis; result as x.
    Source: Ioffe & Szegedy 2015, "Batch normalization", algorithm 1. ``mask`` and ``channel_axis`` are not in PyTorch.

    Parameters
    ----------
    running_mean, running_var : used instead of the batch's own statistics unless ``training``
    training : use the statistics of this batch; so does a call without running statistics
    momentum : accepted for PyTorch's sake; nothing passed in is changed here, the module keeps the running statistics
    eps : added to the variance, at least 0
    mask : True at real positions. Pads do not enter the statistics, and their output and gradient are 0

    Raises
    ------
    InputError
        One value per channel, which has no deviation; a mask without real positions, or of other values than True and
        False; only one of the two running statistics; a negative eps.
    ShapeError
        A mask, weight, bias or running statistic that does not fit x; an x without a batch axis.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> z = tg.Tensor([[7.0], [2.0], [1.0], [7.0], [3.0]])
    >>> tg.round(tg.functional.batch_norm(z, eps=0).T, 4)
    Tensor([[ 1.1859, -0.7906, -1.1859,  1.1859, -0.3953]], shape=(1, 5), dtype=float64)
    >>> tg.round(tg.functional.batch_norm(z, eps=0, mask=[True, True, True, True, False]).T, 4)
    Tensor([[ 0.9918, -0.8115, -1.1722,  0.9918,  0.    ]], shape=(1, 5), dtype=float64)
    """
    normalized, _ = normalize_batch(x, running_mean, running_var, weight, bias, training, eps, mask, channel_axis)
    return normalized


def normalize_batch(
    x: Data,
    running_mean: Optional,
    running_var: Optional,
    weight: Optional,
    bias: Optional,
    training: bool,
    eps: float,
    mask: Optional,
    channel_axis: int,
) -> tuple[Tensor, BatchStatistics | None]:
    """Return the result of :func:`batch_norm` and the batch's statistics, None where running ones were used."""
    check_eps(eps, "batch_norm")
    x = floating(x)
    if x.ndim < 2 or not -x.ndim <= channel_axis < x.ndim:
        raise ShapeError(
            f"batch_norm: x must have a batch axis and channel_axis={channel_axis}; got shape {x.shape}. "
            "Insert a batch axis, or name the axis of the channels."
        )
    channel_axis %= x.ndim
    gamma = per_channel(weight, x, channel_axis, "weight", "batch_norm")
    beta = per_channel(bias, x, channel_axis, "bias", "batch_norm")
    real = None if mask is None else expanded_mask(mask, x, channel_axis)
    found = None
    if not training and (running_mean is None) != (running_var is None):
        raise InputError(
            "batch_norm: running_mean and running_var must be given together in eval mode; got only "
            f"{'running_var' if running_mean is None else 'running_mean'}. "
            "Pass both, or neither to use the batch's own."
        )
    wide = widened(x)
    if training or running_mean is None or running_var is None:
        found, centered = batch_statistics(wide, real, channel_axis)
        variance = found.variance
    else:
        centered = wide - broadcasting(running_mean, x, channel_axis, "running_mean")
        if real is not None:  # a NaN in a pad would reach the gradient of the weight as 0 · NaN
            centered = e.where(real, centered, 0)
        variance = broadcasting(running_var, x, channel_axis, "running_var")
    deviation = (variance + eps).sqrt()
    normalized = narrowed(centered / deviation, x)
    result = scale_and_shift(normalized, gamma, beta)
    if real is not None:
        result = e.where(real, result, 0)
    return result, found


def broadcasting(statistic: Data, x: Tensor, channel_axis: int, what: str) -> Tensor:
    """Return a running statistic in a shape that broadcasts with x."""
    checked = per_channel(statistic, x, channel_axis, what, "batch_norm")
    assert checked is not None
    return checked


def batch_statistics(x: Tensor, real: Array | None, channel_axis: int) -> tuple[BatchStatistics, Tensor]:
    """Return the statistics of the real positions, and x minus the mean (0 at pads)."""
    axes = tuple(a for a in range(x.ndim) if a != channel_axis)
    count = prod(x.shape[a] for a in axes) if real is None else int(np.count_nonzero(real))
    if count < 2:
        raise InputError(
            "batch_norm: a channel must have at least two real values in training, since one value has no deviation; "
            f"got {count} in x of shape {x.shape}{'' if real is None else ' under the mask'}. Use a larger batch, "
            "eval mode with running statistics, or layer_norm."
        )
    if real is None:
        mean = x.mean(axes, keepdims=True)
        centered = x - mean
        variance = centered.square().mean(axes, keepdims=True)
    else:
        mean = e.where(real, x, 0).sum(axes, keepdims=True) / count
        centered = e.where(real, x - mean, 0)
        variance = centered.square().sum(axes, keepdims=True) / count
    return BatchStatistics(mean, variance, count), centered


def expanded_mask(mask: Data, x: Tensor, channel_axis: int) -> Array:
    """Return a mask of real positions as booleans with an axis of length one for the channels."""
    real = as_tensor(mask).data
    positions = x.shape[:channel_axis] + x.shape[channel_axis + 1 :]
    if real.shape != positions:
        raise ShapeError(
            f"batch_norm: the mask must have x's shape without the channel axis, {positions}; got {real.shape} for x "
            f"{x.shape}. It holds True at real positions and False at pads."
        )
    if real.dtype.kind != "b" and not np.isin(real, (0, 1)).all():
        raise InputError(
            "batch_norm: the mask must hold True and False (or 1 and 0); got other values. Write mask != 0."
        )
    return np.expand_dims(real.astype(bool), channel_axis)
