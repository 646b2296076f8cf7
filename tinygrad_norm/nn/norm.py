"""Normalization layers without running statistics: LayerNorm, RMSNorm, GroupNorm; and DyT, which has none at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functional as F
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError
from ..functional.norm import last_axes
from . import init
from .module import Module
from .parameter import Parameter, check_sizes, parameter_dtype


class LayerNorm(Module):
    """Each position normalized over its own features, then scaled and shifted.

    Formula: y = (x − mean)/√(var + eps) · γ + β. γ starts as 1 and β as 0.
    Shapes: x (…, normalized_shape), ``weight`` γ and ``bias`` β (normalized_shape), y as x.
    Source: Ba, Kiros & Hinton 2016, "Layer normalization", eq. 4; PyTorch's ``LayerNorm``.

    Parameters
    ----------
    normalized_shape : the number of features, or the lengths of several last axes
    eps : added to the variance, at least 0
    elementwise_affine, bias : whether there are γ and β; whether there is β

    Raises
    ------
    InputError
        normalized_shape names no axis, or a length is not a positive integer.
    ShapeError
        x does not end with normalized_shape; when called.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> layer = tg.nn.LayerNorm(3)
    >>> tg.round(layer([[7.0, 5.0, 4.0], [2.0, 3.0, 4.0]]), 3)
    Tensor([[ 1.336, -0.267, -1.069],
            [-1.225,  0.   ,  1.225]],
           shape=(2, 3), dtype=float64, op=round)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        self.normalized_shape = shape_of("LayerNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        add_affine(self, self.normalized_shape, elementwise_affine, elementwise_affine and bias, dtype)

    def reset_parameters(self) -> None:
        """Set γ to 1 and β to 0."""
        reset_affine(self)

    def forward(self, x: Data) -> Tensor:
        """Return x normalized."""
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def label(self) -> str:
        """Return ``LayerNorm 3``."""
        return f"LayerNorm {'×'.join(map(str, self.normalized_shape))}"

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class RMSNorm(Module):
    """Each position divided by the root mean square of its features, then scaled.

    Formula: y = x / √(mean(x²) + eps) · γ. ``eps=None`` is the dtype's own. γ starts as 1; there is no ``bias``.
    Shapes: as for LayerNorm, x (…, normalized_shape), ``weight`` γ (normalized_shape), y as x. So are the errors.
    Source: Zhang & Sennrich 2019, "Root mean square layer normalization"; PyTorch's ``RMSNorm``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.nn.RMSNorm(2)([7.0, 1.0]), 6).tolist()
    [1.4, 0.2]
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        dtype: Any = None,
    ) -> None:
        self.normalized_shape = shape_of("RMSNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        add_affine(self, self.normalized_shape, elementwise_affine, None, dtype)

    def reset_parameters(self) -> None:
        """Set γ to 1."""
        reset_affine(self)

    def forward(self, x: Data) -> Tensor:
        """Return x normalized."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def label(self) -> str:
        """Return ``RMSNorm 3``."""
        return f"RMSNorm {'×'.join(map(str, self.normalized_shape))}"

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class DyT(Module):
    """Dynamic tanh, which stands where a normalization would: every entry squashed by itself, then scaled and shifted.

    Formula: y = tanh(α x) · γ + β with one learned number α, which starts as ``alpha``; γ starts as 1 and β as 0.
    Shapes: as for LayerNorm, x (…, normalized_shape), ``weight`` γ and ``bias`` β (normalized_shape), ``alpha`` (),
    y as x. So are the errors. No entry has part in another's result: there are no statistics.
    Source: Zhu, Chen, He, LeCun & Liu 2025, "Transformers without normalization", eq. 1; PyTorch has no such layer.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.nn.DyT(3)([7.0, 5.0, 4.0]), 6).tolist()
    [0.998178, 0.986614, 0.964028]
    """

    alpha: Parameter
    weight: Parameter
    bias: Parameter

    def __init__(self, normalized_shape: int | Sequence[int], alpha: float = 0.5, dtype: Any = None) -> None:
        self.normalized_shape, self.initial_alpha = shape_of("DyT", normalized_shape), float(alpha)
        self.alpha = Parameter(np.array(self.initial_alpha, parameter_dtype(dtype)))
        add_affine(self, self.normalized_shape, True, True, dtype)

    def reset_parameters(self) -> None:
        """Set α to its first value, γ to 1 and β to 0."""
        reset_affine(self)
        init.constant_(self.alpha, self.initial_alpha)

    def forward(self, x: Data) -> Tensor:
        """Return x squashed."""
        squashed = F.tanh(as_tensor(x) * self.alpha)
        last_axes(squashed, self.normalized_shape, "DyT")
        return squashed * self.weight + self.bias

    def label(self) -> str:
        """Return ``DyT 3``."""
        return f"DyT {'×'.join(map(str, self.normalized_shape))}"

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"{self.normalized_shape}, alpha={self.initial_alpha}"


class GroupNorm(Module):
    """Each sample normalized over groups of its channels, then scaled and shifted.

    Formula: y = (x − mean)/√(var + eps) · γ + β; the statistics are over a group's channels and their positions.
    Shapes: x (batch, num_channels, …), ``weight`` γ and ``bias`` β (num_channels), y as x.
    Source: Wu & He 2018, "Group normalization"; PyTorch's ``GroupNorm``.

    Raises
    ------
    InputError
        num_groups does not divide num_channels, or one of them is not a positive integer.
    ShapeError
        x has another number of channels; when called.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.GroupNorm(2, 4, eps=0)([[1.0, 3.0, 10.0, 30.0]]).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        check_sizes("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise InputError(
                "GroupNorm: num_channels must be divisible by num_groups; got "
                f"{num_channels} channels and {num_groups} groups. Choose a divisor."
            )
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        add_affine(self, (num_channels,), affine, affine and bias, dtype)

    def reset_parameters(self) -> None:
        """Set the weight to 1 and the bias to 0."""
        reset_affine(self)

    def forward(self, x: Data) -> Tensor:
        """Return x normalized."""
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def label(self) -> str:
        """Return ``GroupNorm 2 of 6``."""
        return f"GroupNorm {self.num_groups} of {self.num_channels}"

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


def shape_of(layer: str, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return the shape of the features as a tuple; raise if it is not one."""
    shape = (normalized_shape,) if isinstance(normalized_shape, (int, np.integer)) else tuple(normalized_shape)
    if not shape:
        raise InputError(f"{layer}: normalized_shape must name at least one axis; got (). Give the features' length.")
    check_sizes(layer, **{f"normalized_shape[{i}]": n for i, n in enumerate(shape)})
    return tuple(int(n) for n in shape)


def add_affine(module: Module, shape: tuple[int, ...], weight: bool, bias: bool | None, dtype: Any) -> None:
    """Register weight 1 and bias 0 of this shape, each where wanted; ``bias=None`` for a layer that has none."""
    dtype = parameter_dtype(dtype)
    module.register_parameter("weight", Parameter(np.ones(shape, dtype)) if weight else None)
    if bias is not None:
        module.register_parameter("bias", Parameter(np.zeros(shape, dtype)) if bias else None)


def reset_affine(module: Module) -> None:
    """Set a layer's weight to 1 and its bias to 0."""
    for name, parameter in module.named_parameters(recurse=False):
        (init.ones_ if name == "weight" else init.zeros_)(parameter)
