"""Tensors from nothing: NumPy's constructors, by NumPy's names and arguments; and random ones, by PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.details.array import Array
from ..engine.tensor import Tensor, wrap
from ..errors import InputError
from ..random import generator
from .constants import constant


def made(values: Array, requires_grad: bool) -> Tensor:
    """Return a Tensor around new values; integers become float64 where a gradient is wanted."""
    tensor = wrap(values.astype(np.float64) if requires_grad and values.dtype.kind != "f" else values, None)
    tensor.requires_grad = requires_grad
    return tensor


def zeros(shape: Any, dtype: Any = float, requires_grad: bool = False) -> Tensor:
    """Return zeros of this shape."""
    return made(np.zeros(shape, dtype), requires_grad)


def ones(shape: Any, dtype: Any = float, requires_grad: bool = False) -> Tensor:
    """Return ones of this shape."""
    return made(np.ones(shape, dtype), requires_grad)


def full(shape: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return this shape filled with one value."""
    return made(np.full(shape, constant(fill_value), dtype), requires_grad)


def arange(*limits: float, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return evenly spaced values: ``arange(stop)`` or ``arange(start, stop, step)``."""
    return made(np.arange(*limits, dtype=dtype), requires_grad)


def linspace(start: float, stop: float, num: int = 50, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return ``num`` evenly spaced values from start to stop, both included."""
    return made(np.linspace(start, stop, num, dtype=dtype), requires_grad)


def eye(n: int, m: int | None = None, k: int = 0, dtype: Any = float, requires_grad: bool = False) -> Tensor:
    """Return ones on a diagonal, zeros elsewhere."""
    return made(np.eye(n, m, k, dtype), requires_grad)


def rand(*shape: Any, dtype: Any = float, requires_grad: bool = False) -> Tensor:
    """Return numbers drawn evenly from [0, 1): ``rand(2, 3)`` or ``rand((2, 3))``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.rand(2)
    Tensor([0.63696169, 0.26978671], shape=(2,), dtype=float64)
    """
    return made(np.asarray(generator().random(one_shape(shape))).astype(dtype), requires_grad)


def randn(*shape: Any, dtype: Any = float, requires_grad: bool = False) -> Tensor:
    """Return numbers drawn from a normal distribution, mean 0, deviation 1: ``randn(2, 3)`` or ``randn((2, 3))``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.randn(2, 3).shape
    (2, 3)
    """
    return made(np.asarray(generator().standard_normal(one_shape(shape))).astype(dtype), requires_grad)


def randint(low: int, high: Any = None, size: Any = None, dtype: Any = int) -> Tensor:
    """Return whole numbers drawn evenly from [low, high): ``randint(high, shape)`` or ``randint(low, high, shape)``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.randint(10, (2, 3)).shape, int(tg.randint(3, 4, ()))
    ((2, 3), 3)
    """
    if size is None and np.ndim(high):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None or not low < high:
        raise InputError(
            f"randint: the bounds must leave a number, and a shape must follow; got low={low}, high={high}, "
            f"size={size}. Write tg.randint(10, (2, 3)), or tg.randint(low, high, shape)."
        )
    return made(np.asarray(generator().integers(low, high, size)).astype(dtype), False)


def one_shape(shape: tuple[Any, ...]) -> Any:
    """Return the lengths of the axes, which may have come one by one or as one tuple."""
    return shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)) else shape
