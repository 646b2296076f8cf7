"""Tensors from nothing: NumPy's constructors, by NumPy's names and arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.details.array import Array
from ..engine.tensor import Tensor, wrap
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
