"""Convolutions and pools: one linear function of every window of an array, or the largest or mean entry of each.

All rest on one operation, ``windows``, which shows an array's windows as further axes without copying an entry, and
on its adjoint, ``overlap_add``. What comes between is a matrix product, so that every derivative is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.primitive import Primitive, primitive
from ..engine.tensor import Data, Optional, Tensor, as_tensor
from ..errors import InputError, ShapeError
from ..ops.picking import getitem
from ..ops.shape import pad_with
from ..samples import sample
from .composition import composed, floating

Lengths: TypeAlias = "int | Sequence[int]"
"""One number for every axis of positions, or one for each."""


def _windows(x: Array, /, size: Shape, stride: Shape, dilation: Shape) -> Array:
    lead = x.ndim - len(size)
    steps = x.strides[lead:]
    counts = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[lead:], size, stride, dilation, strict=True)]
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:lead], *counts, *size),
        (
            *x.strides[:lead],
            *(a * s for a, s in zip(steps, stride, strict=True)),
            *(a * d for a, d in zip(steps, dilation, strict=True)),
        ),
        writeable=False,
    )


def _overlap_add(x: Array, /, stride: Shape, dilation: Shape, shape: Shape) -> Array:
    """Add all windows' first entries where they came from, then all second ones: no two of these overlap."""
    result, count = np.zeros(shape, x.dtype), len(stride)
    for at in np.ndindex(x.shape[-count:]):
        starts = [i * d for i, d in zip(at, dilation, strict=True)]
        taken: list[Any] = [
            slice(a, a + s * n, s) for a, s, n in zip(starts, stride, x.shape[-2 * count :], strict=False)
        ]
        result[(..., *taken)] += x[(..., *at)]
    return result


SAMPLES: list[tuple[Shape, Shape, Shape, Shape]] = [
    ((5,), (2,), (1,), (1,)),
    ((2, 7), (3,), (2,), (2,)),
    ((2, 5, 4), (3, 2), (1, 2), (1, 2)),
    ((0, 5), (2,), (3,), (1,)),
]
windows: Primitive = primitive(
    _windows,
    linear=True,
    vjp=lambda g, x_shape, stride, dilation: (overlap_add.on(g, stride=stride, dilation=dilation, shape=x_shape),),
    formula="the windows of x, as further axes",
    rule=("ḡ added where each entry came from",),
    samples=[sample(shape, size=k, stride=s, dilation=d) for shape, k, s, d in SAMPLES],
)
overlap_add: Primitive = primitive(
    _overlap_add,
    linear=True,
    vjp=lambda g, x_shape, stride, dilation: (
        windows.on(g, size=x_shape[len(x_shape) - len(stride) :], stride=stride, dilation=dilation),
    ),
    formula="zeros, with every window added",
    rule=("the windows of ḡ",),
    samples=[
        sample(_windows(np.empty(shape), k, s, d).shape, stride=s, dilation=d, shape=shape)
        for shape, k, s, d in SAMPLES
    ],
)


def lengths(value: Lengths, count: int, what: str, name: str, least: int = 1) -> Shape:
    """Return one whole number for each of ``count`` axes; raise if there are others, or some are too small."""
    given: tuple[Any, ...] = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    if len(given) != count or not all(isinstance(n, (int, np.integer)) and n >= least for n in given):
        raise InputError(
            f"{name}: {what} must be a whole number from {least} up{f', or {count} of them' if count > 1 else ''}; "
            f"got {value!r}. Give one for all axes of positions, or one for each."
        )
    return tuple(int(n) for n in given)


def check_positions(x: Tensor, count: int, size: Shape, name: str, framed: Shape) -> None:
    """Raise unless x has axes of channels and positions, and the window fits into them and their frame."""
    if x.ndim not in (count + 1, count + 2) or any(n < k for n, k in zip(framed, size, strict=True)):
        axes = ", ".join(("height", "width") if count == 2 else ("length",))
        raise ShapeError(
            f"{name}: x must be (batch, channels, {axes}) or (channels, {axes}), with room for a window of "
            f"{'×'.join(map(str, size))} positions; got shape {x.shape}. Add an axis, or more padding."
        )


def convolved(
    name: str,
    x: Data,
    weight: Data,
    bias: Optional,
    stride: Lengths,
    padding: str | Lengths,
    dilation: Lengths,
    groups: int,
) -> Tensor:
    """Return the convolution over as many axes of positions as the name says."""
    x, weight, count = floating(x), as_tensor(weight), int(name[-2])
    if weight.ndim != count + 2 or 0 in weight.shape[2:] or groups < 1 or weight.shape[0] % groups:
        raise ShapeError(
            f"{name}: the weight must be (out_channels, in_channels / groups, {'kernel, ' * count}) with out_channels "
            f"divisible by groups; got {weight.shape} and groups={groups}. Check kernel_size and groups."
        )
    steps, gaps = lengths(stride, count, "stride", name), lengths(dilation, count, "dilation", name)
    size = weight.shape[2:]
    reach = tuple(d * (k - 1) + 1 for k, d in zip(size, gaps, strict=True))
    frame = frame_of(padding, reach, steps, name)
    framed = tuple(n + sum(ends) for n, ends in zip(x.shape[-count:], frame, strict=False))
    check_positions(x, count, reach, name, framed)
    if x.ndim == count + 1:
        return convolved(name, x.reshape(1, *x.shape), weight, bias, stride, padding, dilation, groups)[0]
    if x.shape[1] != weight.shape[1] * groups:
        raise ShapeError(
            f"{name}: x must have the weight's channels times groups, {weight.shape[1]} · {groups}; got x {x.shape} "
            f"with {x.shape[1]}. Check in_channels, and that the channels come second."
        )
    if any(sum(ends) for ends in frame):
        x = pad_with(x, width=((0, 0), (0, 0), *frame), value=0.0)
    seen: Tensor = windows(x, size=size, stride=steps, dilation=gaps)
    batch, places, entries = x.shape[0], seen.shape[2 : 2 + count], prod(weight.shape[1:])
    # One matrix product for each group: its rows are the windows, its columns the channels of the result.
    seen = seen.reshape(batch, groups, weight.shape[1], *places, *size)
    order = (1, 0, *range(3, 3 + count), 2, *range(3 + count, 3 + 2 * count))
    rows = seen.transpose(*order).reshape(groups, batch * prod(places), entries)
    product = rows @ weight.reshape(groups, weight.shape[0] // groups, entries).mT
    product = product.reshape(groups, batch, *places, weight.shape[0] // groups)
    result = product.transpose(1, 0, 2 + count, *range(2, 2 + count)).reshape(batch, weight.shape[0], *places)
    if bias is None:
        return result
    bias = as_tensor(bias)
    if bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"{name}: the bias must have shape {weight.shape[:1]}, one entry for each channel of the result; got "
            f"{bias.shape}. Reshape it, or pass None to leave it out."
        )
    return result + bias.reshape(-1, *(1,) * count)


def frame_of(padding: str | Lengths, reach: Shape, stride: Shape, name: str) -> list[tuple[int, int]]:
    """Return how many zeros go before and after the positions of each axis."""
    if padding == "valid":
        padding = 0
    if padding == "same":
        if any(s != 1 for s in stride):
            raise InputError(
                f"{name}: padding='same' must come with stride 1; got {stride}. Give the padding as a number."
            )
        return [((n - 1) // 2, n // 2) for n in reach]
    if isinstance(padding, str):
        raise InputError(f"{name}: padding must be 'same', 'valid' or numbers; got {padding!r}. Choose one of them.")
    return [(n, n) for n in lengths(padding, len(reach), "padding", name, 0)]


@composed
def conv1d(
    x: Data,
    weight: Data,
    bias: Optional = None,
    stride: Lengths = 1,
    padding: str | Lengths = 0,
    dilation: Lengths = 1,
    groups: int = 1,
) -> Tensor:
    """Return the same linear function of every window of a sequence.

    Formula: y[b, o, t] = bias[o] + Σ over c and k of weight[o, c, k] · x[b, c, stride · t + dilation · k], after x is
    framed with zeros. (Strictly a correlation: the weight is not reversed.)
    Shapes: x (batch, channels, length) or (channels, length), weight (out_channels, channels / groups, kernel), bias
    (out_channels), result (batch, out_channels, (length + 2 padding − dilation (kernel − 1) − 1) // stride + 1).
    Source: LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition"; PyTorch's ``conv1d``.

    Parameters
    ----------
    stride : how far a window lies from the next
    padding : zeros before and after, or "same", for a result as long as x, or "valid", for none
    dilation : how far the entries of a window lie apart
    groups : into how many groups the channels fall; a group of the result sees only its own group of x

    Raises
    ------
    InputError
        stride, padding or dilation is not what it must be.
    ShapeError
        x, weight and bias do not fit together, or x is shorter than a window.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.conv1d([[1.0, 2.0, 4.0, 8.0]], [[[-1.0, 1.0]]]).tolist()
    [[1.0, 2.0, 4.0]]
    """
    return convolved("conv1d", x, weight, bias, stride, padding, dilation, groups)


@composed
def conv2d(
    x: Data,
    weight: Data,
    bias: Optional = None,
    stride: Lengths = 1,
    padding: str | Lengths = 0,
    dilation: Lengths = 1,
    groups: int = 1,
) -> Tensor:
    """Return the same linear function of every window of an image.

    Formula: y[b, o, i, j] = bias[o] + Σ over c, k and l of weight[o, c, k, l] · x[b, c, stride · i + dilation · k,
    stride · j + dilation · l], after x is framed with zeros.
    Shapes: x (batch, channels, height, width) or (channels, height, width), weight (out_channels, channels / groups,
    kernel height, kernel width), bias (out_channels), result (batch, out_channels, rows, columns).
    Source: LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition"; PyTorch's ``conv2d``.
    Parameters and errors are those of :func:`conv1d`; each may be a pair, for height and width.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.conv2d([[[1.0, 2.0], [3.0, 4.0]]], [[[[1.0, 0.0], [0.0, 10.0]]]]).tolist()
    [[[41.0]]]
    """
    return convolved("conv2d", x, weight, bias, stride, padding, dilation, groups)


class Pool:
    """Where the windows of a pool lie: their size, their distance, and the frame around the positions."""

    def __init__(
        self,
        name: str,
        x: Tensor,
        kernel_size: Lengths,
        stride: Lengths | None,
        padding: Lengths,
        dilation: Lengths,
        ceil_mode: bool,
    ) -> None:
        count = int(name[-2])
        self.count, self.size = count, lengths(kernel_size, count, "kernel_size", name)
        self.stride = self.size if stride is None else lengths(stride, count, "stride", name)
        self.dilation = lengths(dilation, count, "dilation", name)
        self.padding = lengths(padding, count, "padding", name, 0)
        if any(2 * p > k for p, k in zip(self.padding, self.size, strict=True)):
            raise InputError(
                f"{name}: padding must be at most half of kernel_size, {self.size}; got {self.padding}. A window of "
                "padding only has no entry."
            )
        self.frame: list[tuple[int, int]] = []
        positions = x.shape[x.ndim - count :] if x.ndim > count else (0,) * count
        reach = tuple(d * (k - 1) + 1 for k, d in zip(self.size, self.dilation, strict=True))
        for n, r, s, p in zip(positions, reach, self.stride, self.padding, strict=True):
            windows_there = (n + 2 * p - r + (s - 1 if ceil_mode else 0)) // s + 1
            # With ceil_mode the last window may end beyond the frame, but not begin there.
            if ceil_mode and (windows_there - 1) * s >= n + p:
                windows_there -= 1
            self.frame.append((p, max(0, (windows_there - 1) * s + r - n - p)))
        framed = tuple(n + sum(ends) for n, ends in zip(positions, self.frame, strict=True))
        check_positions(x, count, reach, name, framed)

    def of(self, x: Tensor) -> Tensor:
        """Return the windows, framed with zeros, as further axes."""
        if any(sum(ends) for ends in self.frame):
            x = pad_with(x, width=((0, 0),) * (x.ndim - self.count) + tuple(self.frame), value=0.0)
        result: Tensor = windows(x, size=self.size, stride=self.stride, dilation=self.dilation)
        return result

    def largest(self, x: Array) -> Array:
        """Return, for each window, the place in the flat x of its largest entry; of several, the first."""
        lead = x.ndim - self.count
        framed = np.pad(x, ((0, 0),) * lead + tuple(self.frame), constant_values=-np.inf)
        seen = windows.on(framed, size=self.size, stride=self.stride, dilation=self.dilation)
        places = seen.shape[: x.ndim]
        within = np.unravel_index(seen.reshape(*places, prod(self.size)).argmax(-1), self.size)
        at: list[Array] = list(np.ogrid[tuple(slice(n) for n in places)])
        for i, (s, d, p) in enumerate(zip(self.stride, self.dilation, self.padding, strict=True)):
            found = at[lead + i] * s + within[i] * d - p
            # In a window of −∞ only, the first entry that is not of the frame.
            at[lead + i] = np.where(found < 0, found % d, found)
        return np.ravel_multi_index(tuple(np.broadcast_arrays(*at)), x.shape)

    def counts(self, x: Tensor, with_frame: bool) -> Array:
        """Return how many entries of each window count: those of x, and with the frame those of the padding."""
        result = np.ones(())
        for n, ends, k, s, p in zip(
            x.shape[x.ndim - self.count :], self.frame, self.size, self.stride, self.padding, strict=True
        ):
            line = np.zeros(n + max(sum(ends), 2 * p))
            line[0 if with_frame else p : n + 2 * p if with_frame else p + n] = 1
            line = line[: n + sum(ends)]
            result = np.multiply.outer(result, _windows(line, (k,), (s,), (1,)).sum(-1))
        return result


def max_pooled(name: str, x: Data, *where: Any) -> Tensor:
    """Return the largest entry of each window."""
    x = floating(x)
    picked = Pool(name, x, *where).largest(x.data)
    return getitem(x.reshape(-1), picked.reshape(-1)).reshape(picked.shape)


def mean_pooled(
    name: str,
    x: Data,
    kernel_size: Lengths,
    stride: Lengths | None,
    padding: Lengths,
    ceil_mode: bool,
    with_frame: bool,
    divisor: int | None,
) -> Tensor:
    """Return the mean of each window."""
    x = floating(x)
    pool = Pool(name, x, kernel_size, stride, padding, 1, ceil_mode)
    means = pool.of(x).mean(tuple(range(-pool.count, 0)))
    if divisor is None:
        divisors = pool.counts(x, with_frame)
    else:
        divisors = np.array(lengths(divisor, 1, "divisor_override", name))
    entries = prod(pool.size)
    return means if (divisors == entries).all() else means * (entries / divisors).astype(x.dtype)


@composed
def max_pool1d(
    x: Data,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    dilation: Lengths = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest entry of every window of a sequence.

    Formula: y[b, c, t] = max over k of x[b, c, stride · t + dilation · k]. Of several that are largest, the first has
    the gradient, as in PyTorch. The frame is never the largest; NaN is.
    Shapes: x (batch, channels, length) or (channels, length), result (batch, channels, windows).
    Source: PyTorch's ``max_pool1d``; Riesenhuber & Poggio 1999, "Hierarchical models of object recognition in cortex".

    Parameters
    ----------
    stride : how far a window lies from the next; ``kernel_size`` when left out
    padding : how far the windows may reach beyond the ends, at most half of ``kernel_size``
    dilation : how far the entries of a window lie apart
    ceil_mode : whether there is a last window for what remains at the end

    Raises
    ------
    InputError
        kernel_size, stride, padding or dilation is not what it must be.
    ShapeError
        x has other axes, or is shorter than a window.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.max_pool1d([[1.0, 3.0, 2.0, 0.0]], 2).tolist()
    [[3.0, 2.0]]
    """
    return max_pooled("max_pool1d", x, kernel_size, stride, padding, dilation, ceil_mode)


@composed
def max_pool2d(
    x: Data,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    dilation: Lengths = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest entry of every window of an image.

    Formula: y[b, c, i, j] = max over k and l of x[b, c, stride · i + dilation · k, stride · j + dilation · l].
    Shapes: x (batch, channels, height, width) or (channels, height, width), result (batch, channels, rows, columns).
    Source: PyTorch's ``max_pool2d``. Parameters and errors are those of :func:`max_pool1d`; each may be a pair.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.max_pool2d([[[1.0, 3.0], [2.0, 0.0]]], 2).tolist()
    [[[3.0]]]
    """
    return max_pooled("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode)


@composed
def avg_pool1d(
    x: Data,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of every window of a sequence.

    Formula: y[b, c, t] = Σ over k of x[b, c, stride · t + k] / kernel_size.
    Shapes: x (batch, channels, length) or (channels, length), result (batch, channels, windows).
    Source: PyTorch's ``avg_pool1d``; LeCun et al. 1998, "Gradient-based learning applied to document recognition".
    Errors and the parameters that it shares are those of :func:`max_pool1d`.

    Parameters
    ----------
    count_include_pad : whether zeros of the padding count among the entries that the sum is divided by

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.avg_pool1d([[1.0, 3.0, 2.0, 0.0]], 2).tolist()
    [[2.0, 1.0]]
    """
    return mean_pooled("avg_pool1d", x, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@composed
def avg_pool2d(
    x: Data,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of every window of an image.

    Formula: y[b, c, i, j] = Σ over k and l of x[b, c, stride · i + k, stride · j + l] / entries of a window, or divided
    by ``divisor_override``.
    Shapes: x (batch, channels, height, width) or (channels, height, width), result (batch, channels, rows, columns).
    Source: PyTorch's ``avg_pool2d``. The rest is as in :func:`avg_pool1d`; each number may be a pair.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.avg_pool2d([[[1.0, 3.0], [2.0, 0.0]]], 2).tolist()
    [[[1.5]]]
    """
    return mean_pooled("avg_pool2d", x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
