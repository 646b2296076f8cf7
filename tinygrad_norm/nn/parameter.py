"""Parameter: a leaf that a Module knows as its own."""

from __future__ import annotations

from typing import Any

from ..engine.tape import leaf_node
from ..engine.tensor import Tensor
from ..errors import OperandError


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
    """Give a parameter, and its gradient, another dtype; it stays the same object, as an optimizer needs."""
    gradient = parameter.grad
    parameter._array = parameter._array.astype(dtype)
    if parameter.requires_grad:
        parameter._node = leaf_node(parameter._array, parameter.name)
        parameter.grad = None if gradient is None else gradient.detach().astype(dtype)
