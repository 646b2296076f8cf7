"""What an array is here, and how data become one that nobody else holds: :func:`to_array`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ...errors import OperandError
from ...pytorch_names import kind_of

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Shape: TypeAlias = tuple[int, ...]
PLAIN = (np.ndarray, np.generic)
"""What NumPy's own functions return."""


def to_array(data: Any, dtype: Any = None) -> Array:
    """Return a private array of real numbers or booleans with the values of a number, list, array or Tensor."""
    if isinstance(data, (list, tuple)):
        refuse_tracked(data)
    elif isinstance(data, np.ndarray):
        refuse_unlike_arrays(data)
    try:
        # Another library's __array__ may know nothing of copies: it is asked for its array first.
        foreign = hasattr(data, "__array__") and not isinstance(data, PLAIN)
        array = np.array(np.asarray(data) if foreign else data, dtype=dtype)
    except (ValueError, TypeError, RuntimeError) as error:
        rows = "Give every row the same length, or pad them."
        raise OperandError(
            f"a Tensor's data must be numbers in a rectangular arrangement; got {kind_of(data)}: {error}. "
            + (rows if "inhomogeneous" in str(error) else "Convert them first, for example with np.asarray(data).")
        ) from error
    if array.dtype.kind not in "fiub":
        raise OperandError(
            f"a Tensor's data must be real numbers or booleans; got dtype {array.dtype}. "
            "Convert them first, for example with np.asarray(data, dtype=float)."
        )
    return array


def some(mask: Any) -> bool:
    """Return whether an entry is true, else there is a short cut; a mask recorded for all values answers for itself."""
    return bool(getattr(mask, "some", mask.any)())


def freeze(values: Iterable[Any]) -> None:
    """Make arrays, perhaps in tuples, read-only: the forward function or the rule of somebody else is to see them."""
    for value in values:
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
        elif isinstance(value, tuple):
            freeze(value)


def refuse_unlike_arrays(data: Array) -> None:
    """Raise for arrays that do not compute as arrays do: what they mean would be lost with their class."""
    if type(data) is np.ndarray:
        return
    if hasattr(data, "mask"):
        raise OperandError(
            "a Tensor's data must be plain numbers; got a masked array, whose mask would be lost. Fill it with "
            "data.filled(value), or pass data.data and use tg.where with the mask."
        )
    if isinstance(data, np.matrix):
        raise OperandError(
            "a Tensor's data must be an array; got a np.matrix, in which * is a matrix product. Pass np.asarray(data)."
        )


def refuse_tracked(data: Sequence[Any]) -> None:
    """Raise if a list holds Tensors with a gradient: copying their values would cut the graph."""
    pending = [data]
    while pending:
        for entry in pending.pop():
            if isinstance(entry, (list, tuple)):
                pending.append(entry)
            elif isinstance(entry, np.ndarray):
                refuse_unlike_arrays(entry)
            # A Tensor is known by this attribute, as this room lies below it.
            elif getattr(entry, "requires_grad", False):
                raise OperandError(
                    "a Tensor's data must be plain numbers; got a list with a Tensor that requires a gradient, "
                    "which would be lost. Use tg.stack([...]) or tg.concatenate([...])."
                )


def whole(axis: Any, name: str = "") -> Any:
    """Return an axis, a tuple of several, or None; raise for what merely equals one, as 1.0 and True do."""
    for one in axis if isinstance(axis, tuple) else () if axis is None else (axis,):
        if not isinstance(one, (int, np.integer)) or isinstance(one, bool):
            raise OperandError(
                f"{name and f'{name}: '}an axis must be an integer, several a tuple of them; got {one!r}. Count from "
                "0, or from −1 backwards."
            )
    return axis
