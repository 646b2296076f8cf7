"""A Tensor's operators and NumPy's methods, each of which looks its function up in the registry.

This is the direction of the house: operations know Tensors, Tensors know only names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from .array import Shape
from .errors import OperandError
from .numpy_dispatch import call_function, call_ufunc
from .primitive import FUNCTIONS, PRIMITIVES, Primitive

T = TypeVar("T", bound="NumpyMethods")
Axis = int | tuple[int, ...] | None
NO_PARAMETERS: dict[str, Any] = {}


class NumpyMethods:
    """Operators and methods with NumPy's names, arguments and broadcasting."""

    __slots__ = ()

    shape: Shape

    def _call(self: T, name: str, *args: Any, **kwargs: Any) -> T:
        result: T = FUNCTIONS[name](self, *args, **kwargs)
        return result

    def _apply(self: T, name: str, inputs: tuple[Any, ...], params: dict[str, Any] = NO_PARAMETERS) -> T:
        """Apply a primitive, given all its parameters, without binding arguments again: the hot path."""
        result: T = Primitive.interpreter(PRIMITIVES[name], inputs, params)
        return result

    # Arithmetic

    def __add__(self: T, other: Any) -> T:
        return self._apply("add", (self, other))

    __radd__ = __add__

    def __sub__(self: T, other: Any) -> T:
        return self._apply("subtract", (self, other))

    def __rsub__(self: T, other: Any) -> T:
        return self._apply("subtract", (other, self))

    def __mul__(self: T, other: Any) -> T:
        return self._apply("multiply", (self, other))

    __rmul__ = __mul__

    def __truediv__(self: T, other: Any) -> T:
        return self._apply("divide", (self, other))

    def __rtruediv__(self: T, other: Any) -> T:
        return self._apply("divide", (other, self))

    def __pow__(self: T, other: Any) -> T:
        # Not only faster: x² has no logarithm or x⁻¹ in its rules that could meet a zero.
        if type(other) is int and other == 2:
            return self._apply("square", (self,))
        return self._apply("power", (self, other))

    def __rpow__(self: T, other: Any) -> T:
        return self._apply("power", (other, self))

    def __floordiv__(self: T, other: Any) -> T:
        return self._call("floor_divide", other)

    def __rfloordiv__(self: T, other: Any) -> T:
        result: T = FUNCTIONS["floor_divide"](other, self)
        return result

    def __mod__(self: T, other: Any) -> T:
        return self._call("remainder", other)

    def __rmod__(self: T, other: Any) -> T:
        result: T = FUNCTIONS["remainder"](other, self)
        return result

    def __matmul__(self: T, other: Any) -> T:
        return self._apply("matmul", (self, other))

    def __rmatmul__(self: T, other: Any) -> T:
        return self._apply("matmul", (other, self))

    def __neg__(self: T) -> T:
        return self._apply("negative", (self,))

    def __pos__(self: T) -> T:
        return self._apply("positive", (self,))

    def __abs__(self: T) -> T:
        return self._apply("absolute", (self,))

    # Comparisons and logic: values without a gradient

    def __lt__(self: T, other: Any) -> T:
        return self._call("less", other)

    def __le__(self: T, other: Any) -> T:
        return self._call("less_equal", other)

    def __gt__(self: T, other: Any) -> T:
        return self._call("greater", other)

    def __ge__(self: T, other: Any) -> T:
        return self._call("greater_equal", other)

    def __eq__(self: T, other: Any) -> T:  # type: ignore[override]  # NumPy's ==, entry by entry
        return self._call("equal", other)

    def __ne__(self: T, other: Any) -> T:  # type: ignore[override]  # NumPy's !=, entry by entry
        return self._call("not_equal", other)

    __hash__ = object.__hash__

    def __and__(self: T, other: Any) -> T:
        return self._call("bitwise_and", other)

    __rand__ = __and__

    def __or__(self: T, other: Any) -> T:
        return self._call("bitwise_or", other)

    __ror__ = __or__

    def __xor__(self: T, other: Any) -> T:
        return self._call("bitwise_xor", other)

    __rxor__ = __xor__

    def __invert__(self: T) -> T:
        return self._call("invert")

    # Indexing

    def __getitem__(self: T, index: Any) -> T:
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

    def __iter__(self: T) -> Iterator[T]:
        if not self.shape:
            raise OperandError("a loop must get a Tensor with an axis; got one of shape (). Use .item().")
        return (self[i] for i in range(self.shape[0]))

    # Elementwise functions

    def exp(self: T) -> T:
        """Return eˣ."""
        return self._apply("exp", (self,))

    def log(self: T) -> T:
        """Return the natural logarithm."""
        return self._apply("log", (self,))

    def log1p(self: T) -> T:
        """Return log(1 + x), exact for small x."""
        return self._apply("log1p", (self,))

    def expm1(self: T) -> T:
        """Return eˣ − 1, exact for small x."""
        return self._apply("expm1", (self,))

    def sqrt(self: T) -> T:
        """Return the square root; its derivative at 0 is infinite."""
        return self._apply("sqrt", (self,))

    def square(self: T) -> T:
        """Return x²."""
        return self._apply("square", (self,))

    def sin(self: T) -> T:
        """Return the sine of radians."""
        return self._apply("sin", (self,))

    def cos(self: T) -> T:
        """Return the cosine of radians."""
        return self._apply("cos", (self,))

    def tanh(self: T) -> T:
        """Return the hyperbolic tangent."""
        return self._apply("tanh", (self,))

    def abs(self: T) -> T:
        """Return |x|; its derivative at 0 is 0."""
        return self._apply("absolute", (self,))

    def sign(self: T) -> T:
        """Return −1, 0 or 1; its derivative is 0."""
        return self._apply("sign", (self,))

    def relu(self: T) -> T:
        """Return max(x, 0); its derivative at 0 is 0."""
        return self._apply("relu", (self,))

    def clip(self: T, min: Any = None, max: Any = None) -> T:
        """Limit the values to [min, max]."""
        return self._call("clip", min, max)

    def round(self: T, decimals: int = 0) -> T:
        """Round to this many decimals; the derivative is 0."""
        return self._call("round", decimals)

    # Reductions

    def sum(self: T, axis: Axis = None, keepdims: bool = False) -> T:
        """Return the sum over an axis, several, or all."""
        return self._apply("sum", (self,), {"axis": axis, "keepdims": keepdims})

    def mean(self: T, axis: Axis = None, keepdims: bool = False) -> T:
        """Return the mean over an axis, several, or all."""
        return self._apply("mean", (self,), {"axis": axis, "keepdims": keepdims})

    def var(self: T, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> T:
        """Return the variance (two-pass); ``ddof=0`` is the population's, 1 the sample's."""
        return self._call("var", axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self: T, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> T:
        """Return the standard deviation; its gradient where it is 0 is 0."""
        return self._call("std", axis=axis, ddof=ddof, keepdims=keepdims)

    def max(self: T, axis: Axis = None, keepdims: bool = False) -> T:
        """Return the maximum; tied entries share the gradient equally."""
        return self._apply("max", (self,), {"axis": axis, "keepdims": keepdims})

    def min(self: T, axis: Axis = None, keepdims: bool = False) -> T:
        """Return the minimum; tied entries share the gradient equally."""
        return self._apply("min", (self,), {"axis": axis, "keepdims": keepdims})

    def prod(self: T, axis: Axis = None, keepdims: bool = False) -> T:
        """Return the product; the gradient is right where entries are 0."""
        return self._apply("prod", (self,), {"axis": axis, "keepdims": keepdims})

    def cumsum(self: T, axis: int | None = None) -> T:
        """Return running sums along an axis, or of the flattened Tensor."""
        return self._call("cumsum", axis=axis)

    def cumprod(self: T, axis: int | None = None) -> T:
        """Return running products along an axis, or of the flattened Tensor."""
        return self._call("cumprod", axis=axis)

    def argmax(self: T, axis: int | None = None, keepdims: bool = False) -> T:
        """Return where the maximum is; without a gradient."""
        return self._call("argmax", axis=axis, keepdims=keepdims)

    def argmin(self: T, axis: int | None = None, keepdims: bool = False) -> T:
        """Return where the minimum is; without a gradient."""
        return self._call("argmin", axis=axis, keepdims=keepdims)

    def argsort(self: T, axis: int | None = -1) -> T:
        """Return the order that sorts the values; without a gradient."""
        return self._call("argsort", axis=axis)

    def all(self: T, axis: Axis = None, keepdims: bool = False) -> T:
        """Return whether all entries are true."""
        return self._call("all", axis=axis, keepdims=keepdims)

    def any(self: T, axis: Axis = None, keepdims: bool = False) -> T:
        """Return whether any entry is true."""
        return self._call("any", axis=axis, keepdims=keepdims)

    # Shapes

    def reshape(self: T, *shape: Any) -> T:
        """Return the same entries in another shape; one −1 is worked out."""
        return self._call("reshape", shape[0] if len(shape) == 1 else shape)

    def transpose(self: T, *axes: Any) -> T:
        """Permute the axes; without arguments, reverse them."""
        one = axes[0] if len(axes) == 1 else axes
        return self._call("transpose", None if axes in ((), (None,)) else one)

    def swapaxes(self: T, axis1: int, axis2: int) -> T:
        """Exchange two axes."""
        return self._call("swapaxes", axis1, axis2)

    def squeeze(self: T, axis: Axis = None) -> T:
        """Drop axes of length one."""
        return self._call("squeeze", axis)

    def ravel(self: T) -> T:
        """Return the entries as one axis."""
        return self._call("reshape", (-1,))

    flatten = ravel

    def repeat(self: T, repeats: Any, axis: int | None = None) -> T:
        """Repeat entries along an axis."""
        return self._call("repeat", repeats, axis)

    def take(self: T, indices: Any, axis: int | None = None) -> T:
        """Pick entries by index along an axis."""
        return self._call("take", indices, axis)

    def diagonal(self: T, offset: int = 0, axis1: int = 0, axis2: int = 1) -> T:
        """Return a diagonal."""
        return self._call("diagonal", offset, axis1, axis2)

    def trace(self: T, offset: int = 0, axis1: int = 0, axis2: int = 1) -> T:
        """Return the sum of a diagonal."""
        return self._call("trace", offset, axis1, axis2)

    def dot(self: T, other: Any) -> T:
        """Return NumPy's dot product."""
        return self._call("dot", other)

    def astype(self: T, dtype: Any) -> T:
        """Convert to another dtype; the gradient comes back in this one's."""
        return self._call("astype", dtype)

    def copy(self: T) -> T:
        """Return a new Tensor with the same values, connected to this one."""
        return self._call("copy")

    # NumPy's dispatch protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return call_function(function, args, kwargs)
