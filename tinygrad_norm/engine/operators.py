"""A Tensor's operators, each of which looks its function up in the registry.

This is the direction of the house: operations know Tensors, Tensors know only names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from ..errors import OperandError
from .details.array import Shape
from .numpy_dispatch import call_function, call_ufunc
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


Own = TypeVar("Own", bound="NumpyMethods")
Axis = int | tuple[int, ...] | None


class NumpyMethods(Operators):
    """Methods with NumPy's names and arguments, and the protocols by which NumPy's functions find a Tensor."""

    __slots__ = ()

    # Elementwise functions

    def exp(self: Own) -> Own:
        """Return eˣ."""
        return self._apply("exp", (self,))

    def log(self: Own) -> Own:
        """Return the natural logarithm."""
        return self._apply("log", (self,))

    def log1p(self: Own) -> Own:
        """Return log(1 + x), exact for small x."""
        return self._apply("log1p", (self,))

    def expm1(self: Own) -> Own:
        """Return eˣ − 1, exact for small x."""
        return self._apply("expm1", (self,))

    def sqrt(self: Own) -> Own:
        """Return the square root; its derivative at 0 is infinite."""
        return self._apply("sqrt", (self,))

    def square(self: Own) -> Own:
        """Return x²."""
        return self._apply("square", (self,))

    def sin(self: Own) -> Own:
        """Return the sine of radians."""
        return self._apply("sin", (self,))

    def cos(self: Own) -> Own:
        """Return the cosine of radians."""
        return self._apply("cos", (self,))

    def tanh(self: Own) -> Own:
        """Return the hyperbolic tangent."""
        return self._apply("tanh", (self,))

    def abs(self: Own) -> Own:
        """Return |x|; its derivative at 0 is 0."""
        return self._apply("absolute", (self,))

    def sign(self: Own) -> Own:
        """Return −1, 0 or 1; its derivative is 0."""
        return self._apply("sign", (self,))

    def relu(self: Own) -> Own:
        """Return max(x, 0); its derivative at 0 is 0."""
        return self._apply("relu", (self,))

    def clip(self: Own, min: Any = None, max: Any = None) -> Own:
        """Limit the values to [min, max]."""
        return self._call("clip", min, max)

    def round(self: Own, decimals: int = 0) -> Own:
        """Round to this many decimals; the derivative is 0."""
        return self._call("round", decimals)

    # Reductions

    def sum(self: Own, axis: Axis = None, keepdims: bool = False) -> Own:
        """Return the sum over an axis, several, or all."""
        return self._apply("sum", (self,), {"axis": axis, "keepdims": keepdims})

    def mean(self: Own, axis: Axis = None, keepdims: bool = False) -> Own:
        """Return the mean over an axis, several, or all."""
        return self._apply("mean", (self,), {"axis": axis, "keepdims": keepdims})

    def var(self: Own, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Own:
        """Return the variance (two-pass); ``ddof=0`` is the population's, 1 the sample's."""
        return self._call("var", axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self: Own, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Own:
        """Return the standard deviation; its gradient where it is 0 is 0."""
        return self._call("std", axis=axis, ddof=ddof, keepdims=keepdims)

    def max(self: Own, axis: Axis = None, keepdims: bool = False) -> Own:
        """Return the maximum; tied entries share the gradient equally."""
        return self._apply("max", (self,), {"axis": axis, "keepdims": keepdims})

    def min(self: Own, axis: Axis = None, keepdims: bool = False) -> Own:
        """Return the minimum; tied entries share the gradient equally."""
        return self._apply("min", (self,), {"axis": axis, "keepdims": keepdims})

    def prod(self: Own, axis: Axis = None, keepdims: bool = False) -> Own:
        """Return the product; the gradient is right where entries are 0."""
        return self._apply("prod", (self,), {"axis": axis, "keepdims": keepdims})

    def cumsum(self: Own, axis: int | None = None) -> Own:
        """Return running sums along an axis, or of the flattened Tensor."""
        return self._call("cumsum", axis=axis)

    def cumprod(self: Own, axis: int | None = None) -> Own:
        """Return running products along an axis, or of the flattened Tensor."""
        return self._call("cumprod", axis=axis)

    def argmax(self: Own, axis: int | None = None, keepdims: bool = False) -> Own:
        """Return where the maximum is; without a gradient."""
        return self._call("argmax", axis=axis, keepdims=keepdims)

    def argmin(self: Own, axis: int | None = None, keepdims: bool = False) -> Own:
        """Return where the minimum is; without a gradient."""
        return self._call("argmin", axis=axis, keepdims=keepdims)

    def argsort(self: Own, axis: int | None = -1) -> Own:
        """Return the order that sorts the values; without a gradient."""
        return self._call("argsort", axis=axis)

    def all(self: Own, axis: Axis = None, keepdims: bool = False) -> Own:
        """Return whether all entries are true."""
        return self._call("all", axis=axis, keepdims=keepdims)

    def any(self: Own, axis: Axis = None, keepdims: bool = False) -> Own:
        """Return whether any entry is true."""
        return self._call("any", axis=axis, keepdims=keepdims)

    # Shapes

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def T(self: Own) -> Own:  # noqa: N802  # NumPy's name
        """The Tensor with its axes reversed."""
        return self.transpose()

    @property
    def mT(self: Own) -> Own:  # noqa: N802  # NumPy's name
        """The Tensor with its last two axes exchanged."""
        return self.swapaxes(-1, -2)

    def reshape(self: Own, *shape: Any) -> Own:
        """Return the same entries in another shape; one −1 is worked out."""
        return self._call("reshape", shape[0] if len(shape) == 1 else shape)

    def transpose(self: Own, *axes: Any) -> Own:
        """Permute the axes; without arguments, reverse them."""
        one = axes[0] if len(axes) == 1 else axes
        return self._call("transpose", None if axes in ((), (None,)) else one)

    def swapaxes(self: Own, axis1: int, axis2: int) -> Own:
        """Exchange two axes."""
        return self._call("swapaxes", axis1, axis2)

    def squeeze(self: Own, axis: Axis = None) -> Own:
        """Drop axes of length one."""
        return self._call("squeeze", axis)

    def ravel(self: Own) -> Own:
        """Return the entries as one axis."""
        return self._call("reshape", (-1,))

    flatten = ravel

    def repeat(self: Own, repeats: Any, axis: int | None = None) -> Own:
        """Repeat entries along an axis."""
        return self._call("repeat", repeats, axis)

    def take(self: Own, indices: Any, axis: int | None = None) -> Own:
        """Pick entries by index along an axis."""
        return self._call("take", indices, axis)

    def diagonal(self: Own, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Own:
        """Return a diagonal."""
        return self._call("diagonal", offset, axis1, axis2)

    def trace(self: Own, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Own:
        """Return the sum of a diagonal."""
        return self._call("trace", offset, axis1, axis2)

    def dot(self: Own, other: Any) -> Own:
        """Return NumPy's dot product."""
        return self._call("dot", other)

    def astype(self: Own, dtype: Any) -> Own:
        """Convert to another dtype; the gradient comes back in this one's."""
        return self._call("astype", dtype)

    def copy(self: Own) -> Own:
        """Return a new Tensor with the same values, connected to this one."""
        return self._call("copy")

    # NumPy's dispatch protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return call_function(function, args, kwargs)
