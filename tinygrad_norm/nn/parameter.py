"""Parameter: a leaf that a Module knows as its own; and of which dtype and sizes layers make theirs.

The dtype is float64 unless :func:`set_default_dtype` says otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..errors import InputError, OperandError

_default: np.dtype[Any] = np.dtype(np.float64)


class Parameter(Tensor):
    """A Tensor to be trained. Assigned to an attribute of a Module, it becomes one of its parameters.

    Data and dtype as for a Tensor. Its ``name`` becomes its attribute path in the module that it is assigned to.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.Parameter([1.0, 2.0])
    Tensor([1., 2.], shape=(2,), dtype=float64, requires_grad=True)
    """

    __slots__ = ()

    def __init__(
        self,
        data: Any,
        requires_grad: bool = True,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(data, requires_grad, dtype, name)
        if self._array.dtype.kind != "f":
            raise OperandError(
                f"a parameter must hold floating-point numbers; got dtype {self._array.dtype}. "
                "Use a buffer (register_buffer) for what is not trained."
            )


def convert(parameter: Parameter, dtype: Any) -> None:
    """Give a parameter, and its gradient, another dtype; it stays the same object, as an optimizer needs.

    Its node stays the same too: what was computed before sends its gradient here.
    """
    gradient, node = parameter.grad, parameter._leaf()
    parameter._array = parameter._array.astype(dtype)
    if node is not None:
        node.params = {"dtype": parameter._array.dtype}
        parameter.grad = None if gradient is None else gradient.detach().astype(dtype)


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


def check_sizes(layer: str, **sizes: int) -> None:
    """Raise unless every size is a positive integer."""
    for name, size in sizes.items():
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 1:
            raise InputError(f"{layer}: {name} must be a positive integer; got {size!r}. Give the length of that axis.")
