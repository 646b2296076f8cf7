"""Tensors of a run that is being recorded: whatever is done with their values is told to the recorder.

A :class:`Seen` Tensor is one as ever, but its ``data`` is :class:`Plain`: an array to those who compute with it, so
that a mask from ``x.data > 0`` or an order from ``np.argsort(x.data)`` is recorded too. A branch on a value is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..engine.details.array import Array
from ..engine.details.leaving import leave_tape
from ..engine.tape import Node
from ..engine.tensor import Tensor, wrap
from ..errors import GraphError
from .steps import Value


class Watcher(Protocol):
    """What a recorder is told."""

    general: bool

    def knows(self, array: Any, value: Value) -> None:
        """Note which value an array holds."""

    def value_of(self, x: Any) -> Any:
        """Return the value that an array holds."""

    def noted(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        """Note that a function of NumPy's was called on values."""

    def left(self, array: Any, seen: Any) -> None:
        """Note what a value became outside."""


RECORDER: ContextVar[Watcher | None] = ContextVar("recorder", default=None)


class Seen(Tensor):
    """A Tensor of a run that is being recorded: its values cannot leave unseen.

    A rule is recorded as it runs on arrays, where its result is differentiated ``only_once``.
    """

    __slots__ = ()
    only_once = True

    @property
    def data(self) -> Any:
        """The values, as a Tensor whose uses are recorded."""
        return plain(self._array) if RECORDER.get() is not None else super().data

    @data.setter
    def data(self, values: Any) -> None:
        raise GraphError(
            "program: a Tensor must keep its values while a function is recorded; got an assignment to its data. "
            "Return the new values instead."
        )

    def item(self) -> Any:
        """Return the only entry; the recorder is told."""
        return looked_at(self, super().item())

    def tolist(self) -> Any:
        """Return nested lists; the recorder is told."""
        return looked_at(self, super().tolist())

    def some(self) -> bool:
        """Return what :func:`.some` does."""
        recorder = RECORDER.get()
        return (recorder is not None and recorder.general) or bool(self.any())

    def __bool__(self) -> bool:
        return bool(looked_at(self, super().__bool__()))

    def __int__(self) -> int:
        return int(looked_at(self, int(super().item())))

    def __index__(self) -> int:
        return int(looked_at(self, super().__index__()))

    def __float__(self) -> float:
        return float(looked_at(self, super().__float__()))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self._node is not None:
            leave_tape("an array")
        looked_at(self, self._array.tolist())
        return np.array(self._array, dtype)

    def __dlpack__(self, **options: Any) -> Any:
        return self.numpy().__dlpack__(**options)

    def numpy(self) -> Array:
        """Return a copy; the recorder is told."""
        looked_at(self, self._array.tolist())
        return super().numpy()

    def detach(self) -> Tensor:
        """Return the values as a Tensor that is seen, off the tape."""
        found = super().detach()
        found.__class__ = Seen
        return found


class Plain(NDArrayOperatorsMixin, Seen):
    """The values of a :class:`Seen` Tensor: an array to those who compute with it, whose functions are recorded."""

    __slots__ = ()
    __hash__ = object.__hash__

    data = property(lambda self: self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: Any, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Tensor) and not isinstance(x, Plain) for x in inputs):
            return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)
        return on_values(ufunc if method == "__call__" else getattr(ufunc, method), *inputs, **kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(kind, Tensor) and not issubclass(kind, Plain) for kind in types):
            return super().__array_function__(function, types, args, kwargs)
        return on_values(function, *args, **kwargs)

    def __getitem__(self, index: Any) -> Any:
        return on_values(picked, self, index)

    def __contains__(self, x: Any) -> bool:
        return bool((self == x).any())

    def __repr__(self) -> str:
        return repr(self._array)

    def __str__(self) -> str:
        return str(self._array)

    def item(self, *index: Any) -> Any:
        """Return the only entry, or that at an index; the recorder is told."""
        if not index:
            return super().item()
        return (self.ravel()[index[0]] if len(index) == 1 and not isinstance(index[0], tuple) else self[index]).item()

    def __round__(self, digits: int | None = None) -> Any:
        rounded = on_values(np.round, self, digits or 0)
        return int(rounded) if digits is None else rounded

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in ("strides", "flags", "itemsize", "nbytes"):
            looked_at(self, self._array.tolist())
        return getattr(np.asarray(self._array), name)

    @property
    def T(self) -> Any:
        """The values with their axes reversed."""
        return on_values(np.transpose, self)

    @property
    def mT(self) -> Any:
        """The values with their last two axes exchanged."""
        return on_values(np.matrix_transpose, self)


def picked(x: Array, index: Any) -> Any:
    """Return ``x[index]``."""
    return x[index]


def _method(name: str) -> Callable[..., Any]:
    of_arrays = getattr(np.ndarray, name)
    return lambda self, *args, **kwargs: on_values(of_arrays, self, *args, **kwargs)


for _name in (
    *("all", "any", "argmax", "argmin", "argpartition", "argsort", "astype", "choose", "clip", "compress", "conj"),
    *("copy", "cumprod", "cumsum"),
    *("diagonal", "dot", "flatten", "max", "mean", "min", "nonzero", "prod", "ravel", "repeat", "reshape", "round"),
    *("searchsorted", "squeeze", "std", "sum", "swapaxes", "take", "trace", "transpose", "var"),
):
    setattr(Plain, _name, _method(_name))


def plain(array: Any) -> Plain:
    """Return values as a Tensor off the tape whose uses are recorded."""
    tensor = object.__new__(Plain)
    tensor._array, tensor._node, tensor._name, tensor._ended = array, None, None, None
    return tensor


def on_values(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function of NumPy's on the values of Tensors, and tell the recorder."""
    array_method = getattr(np.ndarray, function.__name__, None) is function

    def values(tree: Any) -> Any:
        if isinstance(tree, Tensor):
            return np.asarray(tree._array) if array_method else tree._array
        if isinstance(tree, (tuple, list)):
            return type(tree)([values(part) for part in tree])
        return {key: values(part) for key, part in tree.items()} if isinstance(tree, dict) else tree

    result = function(*values(args), **values(kwargs))
    recorder = RECORDER.get()
    if recorder is None:
        return result
    if isinstance(result, (np.ndarray, np.generic)):
        result = plain(result)
    elif isinstance(result, tuple) and all(isinstance(part, (np.ndarray, np.generic)) for part in result):
        result = tuple(plain(part) for part in result)
    recorder.noted(function, args, kwargs, result)
    return result


def looked_at(tensor: Tensor, seen: Any) -> Any:
    """Return what a Tensor's values became outside of the program, and tell the recorder."""
    recorder = RECORDER.get()
    if recorder is not None:
        recorder.left(tensor._array, seen)
    return seen


def seen_result(array: Any, node: Node | None) -> Tensor:
    """Return a Tensor on the tape that is seen."""
    tensor = wrap(array, node)
    tensor.__class__ = Seen
    return tensor


@cache
def seen_kind(kind: Any) -> Any:
    """Return a kind of Tensor, such as a Parameter, that is seen."""
    if issubclass(kind, Seen):  # it was kept from an earlier recording
        return kind
    return Seen if kind is Tensor else type(f"Seen{kind.__name__}", (Seen, kind), {"__slots__": ()})
