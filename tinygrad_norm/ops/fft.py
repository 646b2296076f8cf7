"""Fourier transforms by real pairs: a complex number is its real and its imaginary part along a new last axis.

A Tensor is real, so ``np.fft.rfft`` of one cannot be a Tensor. :func:`rfft_pair`, :func:`irfft_pair` and
:func:`fft_pair` do the same on pairs. All are linear, and each is the adjoint of another up to factors.

>>> import numpy as np, tinygrad_norm as tg
>>> x = tg.Tensor([1.0, 0.0, 2.0, 0.0], requires_grad=True)
>>> z = tg.ops.fft.rfft_pair(x)          # np.fft.rfft(x) is z[..., 0] + 1j * z[..., 1]
>>> power = (z * z).sum(-1)              # np.abs(np.fft.rfft(x)) ** 2
>>> power.tolist()
[9.0, 1.0, 9.0]
>>> tg.ops.fft.irfft_pair(z, n=4).tolist()
[1.0, 0.0, 2.0, 0.0]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.primitive import composition, primitive
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, ShapeError
from ..samples import samples_at
from .layout import stack
from .shape import axis_of, roll

__all__ = ["fft_pair", "fftshift", "hfft", "ifftshift", "irfft", "irfft_pair", "rfft_pair"]


def paired(z: Any, dtype: Any) -> Array:
    """Return complex numbers as pairs of real ones."""
    return np.stack((z.real, z.imag), -1).astype(dtype, copy=False)


def complex_of(z: Array, axis: int, name: str) -> Any:
    """Return pairs of real numbers as complex ones, which must have this axis."""
    if not z.ndim or z.shape[-1] != 2:
        raise ShapeError(
            f"complex numbers must be pairs, a last axis of length 2; got shape {z.shape}. Use tg.stack([re, im], -1)."
        )
    axis_of(axis, z.shape[:-1], name)
    return z[..., 0] + 1j * z[..., 1]


def weights(n: int, axis: int, ndim: int, dtype: Any) -> Any:
    """Return how often the numbers of half a spectrum stand in the whole: at the ends of an even n once, else twice."""
    w = np.full(n // 2 + 1, 2.0, dtype)
    w[0] = 1
    if n % 2 == 0:
        w[-1] = 1
    return w.reshape([-1 if a == axis % ndim else 1 for a in range(ndim)] + [1])


def _rfft_pair(x: Array, /, axis: int = -1) -> Array:
    return paired(np.fft.rfft(x, axis=axis), x.dtype)


def _rfft_rule(g: Any, x_shape: Shape, axis: int) -> Any:
    n, axis = x_shape[axis], axis % len(x_shape)
    return (n * irfft_pair.on(g / weights(n, axis, len(x_shape), g.dtype), n=n, axis=axis),)


rfft_pair = primitive(
    _rfft_pair,
    vjp=_rfft_rule,
    linear=True,
    formula="Σₖ xₖ exp(−2πi jk/n)",
    rule=("Re Σⱼ ḡⱼ exp(2πi jk/n)",),
    samples=[*samples_at("5, 4, 1, 3x6, 0x4"), *samples_at("3x5", axis=0)],
)


def _irfft_pair(z: Array, /, n: int | None = None, axis: int = -1) -> Array:
    whole = complex_of(z, axis, "irfft_pair")
    return np.fft.irfft(whole, length_of(z.shape, n, axis), axis).astype(z.dtype, copy=False)


def length_of(shape: Shape, n: int | None, axis: int) -> int:
    """Return the length of the result, which must belong to half a spectrum of this shape."""
    axis %= len(shape) - 1
    n = 2 * (shape[axis] - 1) if n is None else n
    if n < 1 or n // 2 + 1 != shape[axis]:
        raise InputError(
            f"irfft_pair: n must be {max(1, 2 * shape[axis] - 2)} or {2 * shape[axis] - 1} for {shape[axis]} numbers "
            f"along axis {axis}; got {n}. Cut the spectrum, or pad it with zeros, first."
        )
    return n


def _irfft_rule(g: Any, z_shape: Shape, axis: int) -> Any:
    ndim = len(z_shape) - 1
    n = g.shape[axis]
    return (rfft_pair.on(g, axis=axis) * (weights(n, axis, ndim, g.dtype) / n),)


irfft_pair = primitive(
    _irfft_pair,
    vjp=_irfft_rule,
    linear=True,
    formula="1/n Re Σⱼ wⱼ zⱼ exp(2πi jk/n)",
    rule=("w/n Σₖ ḡₖ exp(−2πi jk/n)",),
    samples=[*samples_at("3x2, 2x3x2", n=4), *samples_at("3x2", n=5), *samples_at("3x4x2", n=4, axis=0)],
    note="w is 1 at both ends of the spectrum of an even n and 2 between; imaginary parts there count for nothing.",
)


def _fft_pair(z: Array, /, axis: int = -1, inverse: bool = False) -> Array:
    return paired((np.fft.ifft if inverse else np.fft.fft)(complex_of(z, axis, "fft_pair"), axis=axis), z.dtype)


def _fft_rule(g: Any, axis: int, inverse: bool) -> Any:
    n = g.shape[axis if axis >= 0 else axis - 1]
    back = fft_pair.on(g, axis=axis, inverse=not inverse)
    return (back / n if inverse else back * n,)


fft_pair = primitive(
    _fft_pair,
    vjp=_fft_rule,
    linear=True,
    formula="Σₖ zₖ exp(∓2πi jk/n), over n if inverse",
    rule=("Σⱼ ḡⱼ exp(±2πi jk/n), over n if inverse",),
    samples=[*samples_at("5x2, 2x4x2, 1x2"), *samples_at("3x4x2", axis=0), *samples_at("2x5x2", inverse=True)],
)


@composition(np.fft.fftshift)
def fftshift(x: Data, axes: Any = None) -> Tensor:
    """Move the zero frequency to the middle."""
    return shifted(as_tensor(x), axes, lambda n: n // 2)


@composition(np.fft.ifftshift)
def ifftshift(x: Data, axes: Any = None) -> Tensor:
    """Undo :func:`fftshift`."""
    return shifted(as_tensor(x), axes, lambda n: -(n // 2))


def shifted(x: Tensor, axes: Any, shift: Any) -> Tensor:
    """Return x rolled along axes, by a shift for each length."""
    chosen = range(x.ndim) if axes is None else axes if isinstance(axes, (tuple, list)) else (axes,)
    along = tuple(axis_of(a, x.shape, "fftshift") for a in chosen)
    result: Tensor = roll(x, shift=tuple(shift(x.shape[a]) for a in along), axis=along)
    return result


@composition(np.fft.irfft)
def irfft(x: Data, n: int | None = None, axis: int = -1) -> Tensor:
    """Return the inverse transform of a real half spectrum."""
    x = as_tensor(x)
    return irfft_pair(stack([x, np.zeros_like(x.data)], -1), n=n, axis=axis)


@composition(np.fft.hfft)
def hfft(x: Data, n: int | None = None, axis: int = -1) -> Tensor:
    """Return the transform of a signal whose half is given and real, which is a real spectrum."""
    result = irfft(x, n, axis)
    return result * result.shape[axis]
