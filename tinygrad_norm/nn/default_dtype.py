"""Which dtype the layers make their parameters in: float64 unless :func:`set_default_dtype` says otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError

_default: np.dtype[Any] = np.dtype(np.float64)


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype of parameters of layers made from now on, in the whole process.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.set_default_dtype("float32")
    >>> tg.nn.Linear(2, 3).weight.dtype
    dtype('float32')
    >>> tg.set_default_dtype("float64")
    """
    global _default
    _default = parameter_dtype(dtype)


def get_default_dtype() -> np.dtype[Any]:
    """Return the dtype of new parameters."""
    return _default


def parameter_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the dtype that was asked for, or the default one for None; raise if it holds no real numbers."""
    if dtype is None:
        return _default
    try:
        wanted: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        wanted = np.dtype(object)
    if wanted.kind != "f":
        raise InputError(
            f"parameters must be floating-point numbers; got dtype {dtype!r}. Use 'float64', 'float32' or 'float16'."
        )
    return wanted
