"""What ``np.exp(t)`` and ``np.mean(t, axis=-1)`` do on a Tensor: find the function of ours that records.

NumPy offers a call on a Tensor to the Tensor first, through ``__array_ufunc__`` and
``__array_function__``. What has no counterpart raises a TypeError that names the nearest one; nothing ever
falls back to an array without a gradient in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from inspect import signature
from typing import Any

import numpy as np

from .errors import OperandError, TinygradNormError
from .primitive import FUNCTIONS, NUMPY

UFUNC_METHODS = {
    ("add", "reduce"): "sum",
    ("multiply", "reduce"): "prod",
    ("maximum", "reduce"): "max",
    ("minimum", "reduce"): "min",
    ("logical_and", "reduce"): "all",
    ("logical_or", "reduce"): "any",
    ("add", "accumulate"): "cumsum",
    ("multiply", "accumulate"): "cumprod",
    ("multiply", "outer"): "outer",
}


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do ``ufunc.method(*inputs, **kwargs)`` on Tensors."""
    if "out" in kwargs:
        raise OperandError(
            f"np.{ufunc.__name__} with out= (or an in-place operator on an array) must write plain values; got a "
            "Tensor, whose gradient would be lost. Write y = f(x), or use x.data for values without a gradient."
        )
    if method == "__call__":
        ours = NUMPY.get(ufunc)
        name = ufunc.__name__
    else:
        ours = FUNCTIONS.get(UFUNC_METHODS.get((ufunc.__name__, method), ""))
        name = f"{ufunc.__name__}.{method}"
        if method in ("reduce", "accumulate"):
            # A ufunc's own methods work along axis 0 where np.sum would take all axes.
            kwargs = {"axis": 0, **kwargs}
    if ours is None:
        raise unsupported(name)
    return checked_call(ours, name, inputs, kwargs)


def call_function(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Do ``np.function(*args, **kwargs)`` on Tensors."""
    ours = NUMPY.get(function)
    if ours is None:
        raise unsupported(function.__name__)
    return checked_call(ours, function.__name__, args, kwargs)


def checked_call(ours: Callable[..., Any], name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    """Call our function; arguments that NumPy's takes and ours does not become a clear error."""
    try:
        return ours(*args, **kwargs)
    except TinygradNormError:
        raise
    except TypeError as error:
        try:
            accepted = signature(ours)
            accepted.bind(*args, **kwargs)
        except TypeError:
            raise OperandError(
                f"np.{name} on a Tensor takes {accepted}; got {len(args)} positional argument(s)"
                + (f" and {', '.join(kwargs)}" if kwargs else "")
                + ". Leave the others out, or use x.data for values without a gradient."
            ) from error
        raise


def unsupported(name: str) -> OperandError:
    """Return the error for a NumPy function that has no counterpart."""
    names = sorted({f.__name__ for f in NUMPY})
    near = get_close_matches(name, names, n=1, cutoff=0.0)
    return OperandError(
        f"np.{name} on a Tensor must have a differentiable counterpart; there is none. The nearest supported one is "
        f"np.{near[0]}. Use x.data or np.asarray(x) if you want plain values without a gradient."
    )
