"""A Tensor's operators, each of which looks its function up in the registry.

This is the direction of the house: operations know Tensors, Tensors know only names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from .array import Shape
from .errors import OperandError
from .primitive import FUNCTIONS, PRIMITIVES, Primitive

Own = TypeVar("Own", bound="Operators")
NO_PARAMETERS: dict[str, Any] = {}


class Operators:
    """Arithmetic, comparisons and indexing, which broadcast as NumPy's do."""

    __slots__ = ()

    shape: Shape

    def _call(self: Own, name: str, *args: Any, **kwargs: Any) -> Own:
        result: Own = FUNCTIONS[name](self, *args, **kwargs)
        return result

    def _apply(self: Own, name: str, inputs: tuple[Any, ...], params: dict[str, Any] = NO_PARAMETERS) -> Own:
        """Apply a primitive, given all its parameters, without binding arguments again: the hot path."""
        result: Own = Primitive.interpreter(PRIMITIVES[name], inputs, params)
        return result

    # Arithmetic

    def __add__(self: Own, other: Any) -> Own:
        return self._apply("add", (self, other))

    __radd__ = __add__

    def __sub__(self: Own, other: Any) -> Own:
        return self._apply("subtract", (self, other))

    def __rsub__(self: Own, other: Any) -> Own:
        return self._apply("subtract", (other, self))

    def __mul__(self: Own, other: Any) -> Own:
        return self._apply("multiply", (self, other))

    __rmul__ = __mul__

    def __truediv__(self: Own, other: Any) -> Own:
        return self._apply("divide", (self, other))

    def __rtruediv__(self: Own, other: Any) -> Own:
        return self._apply("divide", (other, self))

    def __pow__(self: Own, other: Any) -> Own:
        # Not only faster: x² has no logarithm or x⁻¹ in its rules that could meet a zero.
        if type(other) is int and other == 2:
            return self._apply("square", (self,))
        return self._apply("power", (self, other))

    def __rpow__(self: Own, other: Any) -> Own:
        return self._apply("power", (other, self))

    def __floordiv__(self: Own, other: Any) -> Own:
        return self._call("floor_divide", other)

    def __rfloordiv__(self: Own, other: Any) -> Own:
        result: Own = FUNCTIONS["floor_divide"](other, self)
        return result

    def __mod__(self: Own, other: Any) -> Own:
        return self._call("remainder", other)

    def __rmod__(self: Own, other: Any) -> Own:
        result: Own = FUNCTIONS["remainder"](other, self)
        return result

    def __matmul__(self: Own, other: Any) -> Own:
        return self._apply("matmul", (self, other))

    def __rmatmul__(self: Own, other: Any) -> Own:
        return self._apply("matmul", (other, self))

    def __neg__(self: Own) -> Own:
        return self._apply("negative", (self,))

    def __pos__(self: Own) -> Own:
        return self._apply("positive", (self,))

    def __abs__(self: Own) -> Own:
        return self._apply("absolute", (self,))

    # Comparisons and logic: values without a gradient

    def __lt__(self: Own, other: Any) -> Own:
        return self._call("less", other)

    def __le__(self: Own, other: Any) -> Own:
        return self._call("less_equal", other)

    def __gt__(self: Own, other: Any) -> Own:
        return self._call("greater", other)

    def __ge__(self: Own, other: Any) -> Own:
        return self._call("greater_equal", other)

    def __eq__(self: Own, other: Any) -> Own:  # type: ignore[override]  # NumPy's ==, entry by entry
        return self._call("equal", other)

    def __ne__(self: Own, other: Any) -> Own:  # type: ignore[override]  # NumPy's !=, entry by entry
        return self._call("not_equal", other)

    __hash__ = object.__hash__

    def __and__(self: Own, other: Any) -> Own:
        return self._call("bitwise_and", other)

    __rand__ = __and__

    def __or__(self: Own, other: Any) -> Own:
        return self._call("bitwise_or", other)

    __ror__ = __or__

    def __xor__(self: Own, other: Any) -> Own:
        return self._call("bitwise_xor", other)

    __rxor__ = __xor__

    def __invert__(self: Own) -> Own:
        return self._call("invert")

    # Indexing

    def __getitem__(self: Own, index: Any) -> Own:
        return self._call("getitem", index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise OperandError(
            "a Tensor's values must stay as the tape saw them; got an assignment to some of its entries. "
            "Write tg.where(mask, value, t), build the parts and tg.concatenate them, or change a copy: "
            "a = t.numpy(); a[i] = v; tg.Tensor(a)."
        )

    def __len__(self) -> int:
        if not self.shape:
            raise OperandError("len() must get a Tensor with an axis; got one of shape (). Use .size.")
        return self.shape[0]

    def __iter__(self: Own) -> Iterator[Own]:
        if not self.shape:
            raise OperandError("a loop must get a Tensor with an axis; got one of shape (). Use .item().")
        return (self[i] for i in range(self.shape[0]))
