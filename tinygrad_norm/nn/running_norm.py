"""Normalization layers that remember: BatchNorm1d, BatchNorm2d, InstanceNorm1d and their running statistics.

In training the statistics are the batch's own, and a running average of them is kept; in evaluation the running average
takes their place. The normalization uses the population variance, the average the unbiased one, as in PyTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import functional as F
from ..context import scope
from ..engine.details.array import Array
from ..engine.tensor import Data, Optional, Tensor, as_tensor, wrap
from ..errors import InputError, ShapeError
from ..functional.batch_norm import normalize_batch
from .module import Module
from .norm import add_affine, reset_affine
from .parameter import Parameter, check_sizes, parameter_dtype


class RunningNorm(Module):
    """What layers with running statistics share: the parameters, the buffers, and how these are updated."""

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        check_sizes(type(self).__name__, num_features=num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        dtype = parameter_dtype(dtype)
        add_affine(self, (num_features,), affine, affine and bias, dtype)
        for name, start in (("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, np.full(num_features, start, dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", np.array(0) if track_running_stats else None)

    def reset_running_stats(self) -> None:
        """Forget all batches: mean 0, variance 1."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean = wrap(np.zeros_like(self.running_mean.data), None)
            self.running_var = wrap(np.ones_like(self.running_var.data), None)
            self.num_batches_tracked = Tensor(0)

    def reset_parameters(self) -> None:
        """Set the weight to 1, the bias to 0, and forget all batches."""
        reset_affine(self)
        self.reset_running_stats()

    def track(self, mean: Array, unbiased_variance: Array, batches: int = 1) -> None:
        """Take the statistics of one more batch into the running averages; count it as so many."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked = self.num_batches_tracked + batches
        new = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean = moved_average(self.running_mean, mean, new)
        self.running_var = moved_average(self.running_var, unbiased_variance, new)

    def label(self) -> str:
        """Return ``BatchNorm1d 3``."""
        return f"{type(self).__name__} {self.num_features}"

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


def moved_average(running: Tensor, value: Array, new: float) -> Tensor:
    """Return a running average with one more value in it."""
    return as_tensor(((1 - new) * running.data + new * value.reshape(running.shape)).astype(running.dtype))


class BatchNorm(RunningNorm):
    """What BatchNorm1d and BatchNorm2d share."""

    axes: tuple[int, ...] = ()
    shapes = ""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = None,
        *,
        bias: bool = True,
        channel_axis: int = 1,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype, bias=bias)
        if channel_axis not in (1, -1):
            raise InputError(
                f"{type(self).__name__}: channel_axis must be 1 (channels after the batch) or -1 (channels last); got "
                f"{channel_axis}. Choose one of them."
            )
        self.channel_axis = channel_axis

    def forward(self, x: Data, mask: Optional = None) -> Tensor:
        """Return x normalized; with a mask, by the statistics of the real positions only."""
        x = as_tensor(x)
        if x.ndim not in self.axes or x.shape[self.channel_axis] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}: x must be {self.shapes} with {self.num_features} channels in axis "
                f"{self.channel_axis}; got shape {x.shape}. Reshape it, or check num_features and channel_axis."
            )
        with scope("batch_norm", "function"):
            running, affine = (self.running_mean, self.running_var), (self.weight, self.bias)
            result, found = normalize_batch(x, *running, *affine, self.training, self.eps, mask, self.channel_axis)
        if found is not None and self.training:
            self.track(found.mean.data, found.variance.data * (found.values / (found.values - 1)))
        return result


class BatchNorm1d(BatchNorm):
    """Each channel normalized over all positions of the batch, then scaled and shifted.

    Formula: y = (x − mean)/√(var + eps) · γ + β; running ← (1 − momentum) · running + momentum · new.
    Shapes: x (batch, channels) or (batch, channels, length); with ``channel_axis=-1`` (batch, length, channels), as
    attention has it. ``mask`` like x without its channel axis, True at real positions: pads enter no statistic and come
    out as 0. ``weight`` γ, ``bias`` β, ``running_mean``, ``running_var`` (channels); ``num_batches_tracked`` a number.
    Source: Ioffe & Szegedy 2015, algorithm 1; PyTorch's ``BatchNorm1d``, which has no ``mask`` and no ``channel_axis``.

    Parameters
    ----------
    eps : added to the variance, at least 0
    momentum : in [0, 1], the weight of the new value in the running statistics; None weighs all batches equally
    affine, bias : whether there are γ and β; whether there is β
    track_running_stats : without it, evaluation too uses the statistics of its own batch

    Raises
    ------
    InputError
        A channel has a single real value in training, which has no deviation; num_features is not a positive integer,
        or channel_axis neither 1 nor −1.
    ShapeError
        x or the mask has another shape; when called.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> layer = tg.nn.BatchNorm1d(1)
    >>> tg.round(layer([[7.0], [2.0], [1.0], [7.0], [3.0]]).T, 4)
    Tensor([[ 1.1859, -0.7906, -1.1859,  1.1859, -0.3953]], shape=(1, 5), dtype=float64, op=round)
    >>> layer.running_mean, layer.running_var     # a tenth of mean 4; nine tenths of 1 and a tenth of 8
    (Tensor([0.4], shape=(1,), dtype=float64), Tensor([1.7], shape=(1,), dtype=float64))
    """

    if not TYPE_CHECKING:  # of its own, since help() on Python 3.10 would show the inherited Module.__new__ instead
        __init__ = BatchNorm.__init__
    axes = (2, 3)
    shapes = "(batch, channels) or (batch, channels, length)"


class BatchNorm2d(BatchNorm):
    """Each channel normalized over all positions of all images; the rest is as in :class:`BatchNorm1d`.

    Formula: y = (x − mean)/√(var + eps) · γ + β.
    Shapes: x (batch, channels, height, width), mask (batch, height, width), y as x; with ``channel_axis=-1`` the
    channels come last.
    Source: Ioffe & Szegedy 2015, section 3.2; PyTorch's ``BatchNorm2d``.

    Raises
    ------
    InputError, ShapeError
        As in :class:`BatchNorm1d`.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> image = [[[[7.0, 2.0], [1.0, 6.0]]]]
    >>> tg.round(tg.nn.BatchNorm2d(1)(image), 4).tolist()
    [[[[1.1767, -0.7845], [-1.1767, 0.7845]]]]
    """

    if not TYPE_CHECKING:  # of its own, since help() on Python 3.10 would show the inherited Module.__new__ instead
        __init__ = BatchNorm.__init__
    axes = (4,)
    shapes = "(batch, channels, height, width)"


class InstanceNorm1d(RunningNorm):
    """Each channel of each sample normalized over its positions.

    Formula: y = (x − mean)/√(var + eps) · γ + β; the statistics are over the positions of one channel.
    Shapes: x (batch, channels, length) or (channels, length), y as x. Unlike BatchNorm1d it has, unless asked, neither
    weight and bias nor running statistics. These average what the samples have, and count no batches.
    Source: Ulyanov, Vedaldi & Lempitsky 2016, "Instance normalization"; PyTorch's ``InstanceNorm1d``. Parameters are
    those of :class:`BatchNorm1d`.

    Raises
    ------
    InputError
        momentum is None; num_features is not a positive integer.
    ShapeError
        x has another number of channels, or a single position; when called.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.nn.InstanceNorm1d(2)([[1.0, 3.0], [10.0, 30.0]]), 4).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        if momentum is None:
            raise InputError(
                "InstanceNorm1d: momentum must be a number, the weight of a new value; got None. The default is 0.1; a "
                "cumulative average is BatchNorm1d's."
            )
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype, bias=bias)

    def forward(self, x: Data) -> Tensor:
        """Return x normalized."""
        x = as_tensor(x)
        if x.ndim not in (2, 3) or x.shape[-2] != self.num_features:
            raise ShapeError(
                f"InstanceNorm1d: x must be (batch, channels, length) or (channels, length) with {self.num_features} "
                f"channels; got shape {x.shape}. Reshape it, or check num_features."
            )
        if x.ndim == 2:
            return self.forward(x.reshape(1, *x.shape))[0]
        if not self.training and self.running_mean is not None:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        normalized = F.instance_norm(x, self.weight, self.bias, self.eps)
        if self.training:
            # Like PyTorch, this layer keeps num_batches_tracked at 0.
            self.track(x.data.mean((0, 2)), x.data.var(2, ddof=1).mean(0), batches=0)
        return normalized
