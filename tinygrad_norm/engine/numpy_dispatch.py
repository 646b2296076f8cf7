"""6. What ``np.exp(t)`` and ``np.mean(t, axis=-1)`` do on a Tensor: find the function of ours that records.

NumPy offers a call on a Tensor to the Tensor first, through ``__array_ufunc__`` and
``__array_function__``. What has no counterpart raises a TypeError that says what to write; nothing ever
falls back to an array without a gradient in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import OperandError, TinygradNormError
from .primitive import LATE, NUMPY, load_late

if TYPE_CHECKING:
    from .tensor import Tensor

REDUCTIONS: dict[tuple[Any, str], Any] = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.logical_and, "reduce"): np.all,
    (np.logical_or, "reduce"): np.any,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
}
OPTIONS = frozenset(
    ["dtype", "out", "order", "kind", "mode", "where", "initial", "casting", "subok", "copy", "device", "stable"]
)
"""Arguments of NumPy's functions that change how, not what: ours may lack them, so they are always passed by name."""


def counterpart(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """Return the function of ours that does on Tensors what NumPy's does on arrays."""
    return NUMPY[function]


def supported(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return :func:`counterpart`, None where there is none."""
    if function not in NUMPY and LATE:
        load_late()
    return NUMPY.get(function)


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do ``ufunc.method(*inputs, **kwargs)`` on Tensors."""
    refuse_out(ufunc, kwargs)
    if method == "outer" and ufunc in NUMPY and len(inputs) == 2:
        x, y = inputs
        inputs, method = (counterpart(np.reshape)(x, np.shape(x) + (1,) * np.ndim(y)), y), "__call__"
    if method == "__call__":
        ours = supported(ufunc)
    else:
        reduction = REDUCTIONS.get((ufunc, method))
        ours = None if reduction is None else NUMPY[reduction]
        if method in ("reduce", "accumulate"):
            # A ufunc's own methods work along axis 0 where np.sum would take all axes.
            kwargs = {"axis": 0, **kwargs}
    if ours is None:
        raise unsupported(path_of(ufunc, method))
    return checked_call(ours, ufunc, method, inputs, kwargs)


def call_function(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Do ``np.function(*args, **kwargs)`` on Tensors."""
    ours = supported(function)
    if ours is None:
        raise unsupported(path_of(function))
    args, kwargs = by_our_names(function, args, kwargs)
    refuse_out(function, kwargs)
    return checked_call(ours, function, "__call__", args, kwargs)


def path_of(function: Callable[..., Any], method: str = "__call__") -> str:
    """Return a NumPy function's name as users write it: ``np.linalg.solve``; a ufunc made by others is only a name."""
    name, module = function.__name__, getattr(function, "__module__", None)
    if getattr(np, name, None) is function:  # in NumPy 2.1 a ufunc has no module
        module = "numpy"
    path = f"{module.replace('numpy', 'np', 1)}.{name}" if module else name
    return path if method == "__call__" else f"{path}.{method}"


def refuse_out(function: Callable[..., Any], kwargs: dict[str, Any]) -> None:
    """Raise if a call would write its result into an array."""
    if "out" in kwargs:
        raise OperandError(
            f"{path_of(function)} with out= (or an in-place operator on an array) must write plain values; got a "
            "Tensor, whose gradient would be lost. Write y = f(x), or use x.data for values without a gradient."
        )


@lru_cache(maxsize=1024)
def positional_names(function: Callable[..., Any]) -> tuple[tuple[str, ...], int]:
    """Return the names that a NumPy function gives its positional arguments, and how many come before the options."""
    try:
        found = signature(function).parameters.values()
    except ValueError:  # written in C, without a signature
        return (), 99
    names = tuple(p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    return names, next((i for i, name in enumerate(names) if name in OPTIONS), 99)


def by_our_names(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a call's arguments as our function takes them: operands by position, NumPy's options by name.

    np.sum(t, 0, np.float32) means dtype; ours has keepdims in that place. Options left at None say nothing.
    """
    names, first = positional_names(function)
    if not kwargs and len(args) <= first:
        return args, kwargs
    kwargs = dict(kwargs)
    while len(args) < len(names) and names[len(args)] in kwargs.keys() - OPTIONS:
        args = (*args, kwargs.pop(names[len(args)]))
    kwargs = {**dict(zip(names[first:], args[first:], strict=False)), **kwargs}
    # How einsum finds its path changes only its speed, and ours chooses for itself.
    return args[:first], {k: v for k, v in kwargs.items() if not (k in OPTIONS and v is None) and k != "optimize"}


def checked_call(
    ours: Callable[..., Any], function: Callable[..., Any], method: str, args: Any, kwargs: dict[str, Any]
) -> Any:
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
            named = f" and {', '.join(kwargs)}" if kwargs else ""
            raise OperandError(
                f"{path_of(function, method)} on a Tensor takes ({', '.join(accepted.parameters)}); got {len(args)} "
                f"positional argument(s){named}. Leave the others out, or use x.data for values without a gradient."
            ) from error
        raise


def unsupported(path: str) -> OperandError:
    """Return the error for a NumPy function that has no counterpart, with what to write instead."""
    from ..numpy_refused import remedy  # for an error only

    return OperandError(
        f"{path} on a Tensor must have a differentiable counterpart; there is none. {remedy(path)}. "
        "Use x.data for plain values without a gradient."
    )
