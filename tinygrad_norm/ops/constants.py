"""NumPy functions without a gradient: comparisons, counts, orders. They give Tensors of plain values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.details.array import PLAIN, refuse_unlike_arrays
from ..engine.primitive import FUNCTIONS, NUMPY, composition
from ..engine.tape import STATE
from ..engine.tensor import Tensor, wrap
from ..errors import InputError, OperandError, ShapeError
from ..pytorch_names import keyword_hint

UNTRACKED: tuple[Callable[..., Any], ...] = (
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
    np.equal,
    np.not_equal,
    np.logical_and,
    np.logical_or,
    np.logical_xor,
    np.logical_not,
    np.bitwise_and,
    np.bitwise_or,
    np.bitwise_xor,
    np.invert,
    np.isnan,
    np.isinf,
    np.isfinite,
    np.signbit,
    np.floor_divide,
    np.argmax,
    np.argmin,
    np.argsort,
    np.all,
    np.any,
    np.count_nonzero,
    np.isclose,
    np.zeros_like,
    np.ones_like,
    np.empty_like,
    np.imag,
    np.angle,
    np.isreal,
    np.iscomplex,
    np.isposinf,
    np.isneginf,
    np.nonzero,
    np.argwhere,
    np.flatnonzero,
    np.argpartition,
    np.searchsorted,
    np.digitize,
    np.nanargmax,
    np.nanargmin,
    np.isin,
    np.nextafter,
    np.spacing,
)
PLAIN_RESULTS: tuple[Callable[..., Any], ...] = (
    np.shape,
    np.ndim,
    np.size,
    np.allclose,
    np.array_equal,
    np.array_equiv,
    np.array2string,
    np.array_repr,
    np.array_str,
    np.result_type,
    np.can_cast,
    np.shares_memory,
    np.may_share_memory,
    np.einsum_path,
    np.iscomplexobj,
    np.isrealobj,
    np.save,
    np.savez,
    np.savez_compressed,
    np.savetxt,
)


def plain(x: Any) -> Any:
    """Return a Tensor's array, and what can be one as one; anything else as it is."""
    return x.data if isinstance(x, Tensor) else _array_of(x)


def _array_of(x: Any) -> Any:
    # Not a Tensor's data, which a monitor would take for values that go on elsewhere; and quicker.
    if isinstance(x, Tensor):
        return x._array
    if isinstance(x, np.ndarray):
        refuse_unlike_arrays(x)
    return np.asarray(x) if hasattr(x, "__array__") and not isinstance(x, (PLAIN, type)) else x


def _plain_arguments(args: Any, kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    return [_array_of(a) for a in args], {k: _array_of(v) for k, v in kwargs.items()}


def untracked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function`` on the values of Tensors, giving a Tensor without a gradient."""

    def on_values(*args: Any, **kwargs: Any) -> Any:
        args_, kwargs_ = _plain_arguments(args, kwargs)
        try:
            result = function(*args_, **kwargs_)
        except (ValueError, TypeError, OverflowError) as error:
            kinds = {TypeError: OperandError, OverflowError: InputError}
            kind = next((ours for base, ours in kinds.items() if isinstance(error, base)), ShapeError)
            shapes = " and ".join(str(np.shape(a)) for a in args_)
            reason = str(error).rstrip(".")
            raise kind(
                f"{function.__name__}: the operands must fit together; got shapes {shapes}: {reason}. "
                f"Check shapes and dtypes.{keyword_hint(kwargs)}"
            ) from error
        if isinstance(result, tuple):
            found: Any = tuple(wrap(part, None) for part in result)
        else:
            found = wrap(result if isinstance(result, (np.ndarray, np.generic)) else np.asarray(result), None)
        if (monitor := STATE.get().monitor) is not None:
            monitor.noted(function, args, kwargs, found)
        return found

    on_values.__name__ = on_values.__qualname__ = function.__name__
    on_values.__doc__ = f"``np.{function.__name__}`` on the values, without a gradient."
    return on_values


def plain_result(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function`` on the values of Tensors, giving what NumPy gives."""

    def on_values(*args: Any, **kwargs: Any) -> Any:
        args_, kwargs_ = _plain_arguments(args, kwargs)
        result = function(*args_, **kwargs_)
        if (monitor := STATE.get().monitor) is not None:
            monitor.noted(function, args, kwargs, result)
        return result

    on_values.__name__ = on_values.__qualname__ = function.__name__
    return on_values


for _function in UNTRACKED:
    FUNCTIONS[_function.__name__] = NUMPY[_function] = untracked(_function)
zeros_like, ones_like = NUMPY[np.zeros_like], NUMPY[np.ones_like]
for _function in PLAIN_RESULTS:
    NUMPY[_function] = plain_result(_function)


def constant(value: Any, name: str = "a fill value", instead: str = "Write value * tg.ones(shape), or pass") -> Any:
    """Return a value without its Tensor; raise if that would lose a gradient."""
    if isinstance(value, Tensor) and value.requires_grad:
        raise OperandError(
            f"{name} must be a number; got {value!r}, whose gradient would be lost. {instead} value.detach()."
        )
    return plain(value)


@composition(np.full_like)
def full_like(x: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Tensor:
    """Return a Tensor like another, in shape and dtype, filled with one value."""
    return wrap(np.full_like(plain(x), constant(fill_value), dtype, shape=shape), None)


def _refuse_in_place(*args: Any, **kwargs: Any) -> None:
    raise OperandError(
        "an array to be written into must be a plain array, and so must the values; got a Tensor, whose gradient "
        "would be lost. Build the result from parts with tg.where, tg.stack or tg.concatenate."
    )


for _function in (np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis):
    NUMPY[_function] = _refuse_in_place
