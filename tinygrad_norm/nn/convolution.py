"""Conv1d and Conv2d, and the pools that go with them: MaxPool1d, MaxPool2d, AvgPool1d, AvgPool2d.

Each calls the function of ``tg.functional`` that has its name. There the parameters and errors that they share are
explained.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import functional as F
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError
from ..functional.windows import Lengths, frame_of, lengths
from ..ops.picking import take
from . import init
from .module import Module
from .parameter import Parameter, check_sizes, parameter_dtype

FRAMES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""PyTorch's names of what lies beyond the ends, and NumPy's."""


class Convolution(Module):
    """What both convolutions share: all but the number of axes of positions."""

    function: ClassVar[Callable[..., Tensor]]
    positions: ClassVar[int]
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths = 1,
        padding: str | Lengths = 0,
        dilation: Lengths = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        dtype: Any = None,
    ) -> None:
        name, count = type(self).__name__, self.positions
        check_sizes(name, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise InputError(
                f"{name}: in_channels and out_channels must be divisible by groups; got {in_channels}, {out_channels} "
                f"and groups={groups}. Each group takes an equal share of the channels."
            )
        if padding_mode not in FRAMES:
            raise InputError(
                f"{name}: padding_mode must be one of {', '.join(FRAMES)}; got {padding_mode!r}. Choose one of them."
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = lengths(kernel_size, count, "kernel_size", name)
        self.stride, self.dilation = lengths(stride, count, "stride", name), lengths(dilation, count, "dilation", name)
        reach = tuple(d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True))
        self.frame = tuple(frame_of(padding, reach, self.stride, name))
        self.padding, self.padding_mode = padding, padding_mode
        dtype = parameter_dtype(dtype)
        self.weight = Parameter(np.zeros((out_channels, in_channels // groups, *self.kernel_size), dtype))
        self.register_parameter("bias", Parameter(np.zeros(out_channels, dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew, from ±1/√(entries of a window)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Data) -> Tensor:
        """Return the convolution of x."""
        if self.padding_mode == "zeros":
            return self.function(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
        x = as_tensor(x)
        for axis, ends in enumerate(self.frame, -self.positions):
            # Where the entries of the frame come from is what padding the positions' own numbers gives.
            mode: Any = FRAMES[self.padding_mode]
            x = take(x, np.pad(np.arange(x.shape[axis]), ends, mode), axis) if x.ndim > self.positions else x
        return self.function(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)

    def label(self) -> str:
        """Return ``Conv2d 3→8, 5×5``."""
        size = "×".join(map(str, self.kernel_size))
        return f"{type(self).__name__} {self.in_channels}→{self.out_channels}, {size}"

    def extra_repr(self) -> str:
        """Return the arguments."""
        given = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        usual = {"padding": 0, "dilation": (1,) * self.positions, "groups": 1, "padding_mode": "zeros"}
        given += "".join(f", {k}={getattr(self, k)!r}" for k, v in usual.items() if getattr(self, k) != v)
        return given + (", bias=False" if self.bias is None else "")


class Conv1d(Convolution):
    """The same linear function of every window of a sequence, with weights that are learned.

    Formula: y[b, o, t] = bias[o] + Σ over c and k of weight[o, c, k] · x[b, c, stride · t + dilation · k]. ``weight``
    and ``bias`` are drawn from ±1/√(entries of a window).
    Shapes: x (batch, in_channels, length) or (in_channels, length), ``weight`` (out_channels, in_channels / groups,
    kernel_size), ``bias`` (out_channels), y (batch, out_channels, windows).
    Source: LeCun et al. 1989; PyTorch's ``Conv1d``. Other parameters are those of ``tg.functional.conv1d``.

    Parameters
    ----------
    padding_mode : what the padding holds: "zeros", or the entries near the ends: "reflect", "replicate", "circular"

    Raises
    ------
    InputError
        A size is not a positive integer, groups does not divide the channels, padding_mode is another word.
    ShapeError
        x has other axes or channels, or is shorter than a window; when called.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> layer = tg.nn.Conv1d(1, 1, kernel_size=2, bias=False)
    >>> _ = layer.load_state_dict({"weight": [[[-1.0, 1.0]]]})
    >>> layer([[1.0, 2.0, 4.0, 8.0]]).tolist()
    [[1.0, 2.0, 4.0]]
    """

    if not TYPE_CHECKING:  # of its own, since help() on Python 3.10 would show the inherited Module.__new__ instead
        __init__ = Convolution.__init__
    function = staticmethod(F.conv1d)
    positions = 1


class Conv2d(Convolution):
    """The same linear function of every window of an image, with weights that are learned.

    Formula: y[b, o, i, j] = bias[o] + Σ over c, k and l of weight[o, c, k, l] · x[b, c, stride · i + dilation · k,
    stride · j + dilation · l].
    Shapes: x (batch, in_channels, height, width) or (in_channels, height, width), ``weight`` (out_channels,
    in_channels / groups, kernel height, kernel width), ``bias`` (out_channels), y (batch, out_channels, rows, columns).
    Source: LeCun et al. 1989; PyTorch's ``Conv2d``. The rest is as in :class:`Conv1d`; each number may be a pair.

    Raises
    ------
    InputError, ShapeError
        As in :class:`Conv1d`.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.Conv2d(3, 8, kernel_size=5, padding="same")(tg.ones((2, 3, 9, 7))).shape
    (2, 8, 9, 7)
    """

    if not TYPE_CHECKING:  # of its own, since help() on Python 3.10 would show the inherited Module.__new__ instead
        __init__ = Convolution.__init__
    function = staticmethod(F.conv2d)
    positions = 2


class Pool(Module):
    """What the pools share: options that are attributes, and are passed on."""

    function: ClassVar[Callable[..., Tensor]]

    def keep(self, **options: Any) -> None:
        """Make every option an attribute."""
        self.options = tuple(options)
        if options["stride"] is None:
            options["stride"] = options["kernel_size"]
        for name, value in options.items():
            setattr(self, name, value)

    def forward(self, x: Data) -> Tensor:
        """Return one entry for each window of x."""
        return self.function(x, **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        """Return the arguments."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.options)


class MaxPool1d(Pool):
    """The largest entry of every window of a sequence, as a layer.

    Formula: y[b, c, t] = max over k of x[b, c, stride · t + dilation · k].
    Shapes: x (batch, channels, length) or (channels, length), y (batch, channels, windows).
    Source: PyTorch's ``MaxPool1d``. Parameters and errors are those of ``tg.functional.max_pool1d``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.MaxPool1d(2)([[1.0, 3.0, 2.0, 0.0]]).tolist()
    [[3.0, 2.0]]
    """

    function = staticmethod(F.max_pool1d)

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        dilation: Lengths = 1,
        ceil_mode: bool = False,
    ) -> None:
        self.keep(kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)


class MaxPool2d(Pool):
    """The largest entry of every window of an image, as a layer.

    Formula: y[b, c, i, j] = max over k and l of x[b, c, stride · i + dilation · k, stride · j + dilation · l].
    Shapes: x (batch, channels, height, width) or (channels, height, width), y (batch, channels, rows, columns).
    Source: PyTorch's ``MaxPool2d``. Parameters and errors are those of ``tg.functional.max_pool2d``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.MaxPool2d(2)([[[1.0, 3.0], [2.0, 0.0]]]).tolist()
    [[[3.0]]]
    """

    if not TYPE_CHECKING:  # of its own, since help() on Python 3.10 would show the inherited Module.__new__ instead
        __init__ = MaxPool1d.__init__
    function = staticmethod(F.max_pool2d)


class AvgPool1d(Pool):
    """The mean of every window of a sequence, as a layer.

    Formula: y[b, c, t] = Σ over k of x[b, c, stride · t + k] / kernel_size.
    Shapes: x (batch, channels, length) or (channels, length), y (batch, channels, windows).
    Source: PyTorch's ``AvgPool1d``. Parameters and errors are those of ``tg.functional.avg_pool1d``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.AvgPool1d(2)([[1.0, 3.0, 2.0, 0.0]]).tolist()
    [[2.0, 1.0]]
    """

    function = staticmethod(F.avg_pool1d)

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        options = {"ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
        self.keep(kernel_size=kernel_size, stride=stride, padding=padding, **options)


class AvgPool2d(Pool):
    """The mean of every window of an image, as a layer.

    Formula: y[b, c, i, j] = Σ over k and l of x[b, c, stride · i + k, stride · j + l] / entries of a window.
    Shapes: x (batch, channels, height, width) or (channels, height, width), y (batch, channels, rows, columns).
    Source: PyTorch's ``AvgPool2d``. Parameters and errors are those of ``tg.functional.avg_pool2d``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.AvgPool2d(2)([[[1.0, 3.0], [2.0, 0.0]]]).tolist()
    [[[1.5]]]
    """

    function = staticmethod(F.avg_pool2d)

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        counted = {"count_include_pad": count_include_pad, "divisor_override": divisor_override}
        self.keep(kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, **counted)
