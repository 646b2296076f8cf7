"""5. A Tensor's operators and methods: each names the operation that it is.

``x * y`` is ``multiply(x, y)``, a primitive, which records as every primitive does. What is composed of primitives in
:mod:`tinygrad_norm.ops`, ``x.var()`` for one, is the counterpart of a NumPy function and found as that. The methods
have NumPy's names and arguments.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias

import numpy as np

from ..errors import GraphError, OperandError
from . import complaints
from .details.leaving import leave_tape
from .numpy_dispatch import call_function, call_ufunc, counterpart
from .primitive import Primitive
from .primitives import elementwise as e
from .primitives.indexing import frozen_index, take_index
from .primitives.linalg import matmul
from .primitives.piecewise import absolute, relu, sign
from .primitives.reduction import max, mean, min, sum
from .primitives.shape import reshape, transpose
from .tape import STATE, Node

if TYPE_CHECKING:
    # Bound by engine/tensor.py, as in engine/primitive.py.
    from .tensor import Tensor
    from .tensor import apply as apply

Axis: TypeAlias = int | tuple[int, ...] | None


def infix(operation: Primitive, swapped: bool = False) -> Callable[[Any, Any], Tensor]:
    """Return the method that an operator calls; ``swapped``, where the Tensor stands on the right."""
    if swapped:
        return lambda self, other: apply(operation, (other, self))
    return lambda self, other: apply(operation, (self, other))


def late(function: np.ufunc, swapped: bool = False) -> Callable[[Any, Any], Tensor]:
    """Return :func:`infix` for what is not of the engine: the counterpart of a function of NumPy's."""
    if swapped:
        return lambda self, other: counterpart(function)(other, self)
    return lambda self, other: counterpart(function)(self, other)


def in_place(plain: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Tensor]:
    """Return the method that ``x += y`` calls, for a function of Python's operators."""
    return lambda self, other: self._assign(plain(self, other))


class Operators:
    """Arithmetic, comparisons and indexing, which broadcast as NumPy's do."""

    __slots__ = ()

    _array: Any
    _node: Node | None
    data: Any

    # Arithmetic

    __add__ = __radd__ = infix(e.add)
    __sub__, __rsub__ = infix(e.subtract), infix(e.subtract, swapped=True)
    __mul__ = __rmul__ = infix(e.multiply)
    __truediv__, __rtruediv__ = infix(e.divide), infix(e.divide, swapped=True)
    __floordiv__, __rfloordiv__ = late(np.floor_divide), late(np.floor_divide, swapped=True)
    __mod__, __rmod__ = late(np.remainder), late(np.remainder, swapped=True)
    __matmul__, __rmatmul__ = infix(matmul), infix(matmul, swapped=True)
    __rpow__ = infix(e.power, swapped=True)

    def __pow__(self, other: Any) -> Tensor:
        # Not only faster: x² has no logarithm or x⁻¹ in its rules that could meet a zero.
        if type(other) is int and other == 2:
            return apply(e.square, (self,))
        return apply(e.power, (self, other))

    def __neg__(self) -> Tensor:
        return apply(e.negative, (self,))

    def __pos__(self) -> Tensor:
        return apply(e.positive, (self,))

    def __abs__(self) -> Tensor:
        return apply(absolute, (self,))

    # In place: a leaf under no_grad gets new values; a tape recorded before keeps the old ones

    def _assign(self, result: Tensor) -> Tensor:
        # x += y: a leaf takes over the values where nothing is recorded; the result of an operation is another Tensor.
        leaf = self._node is None or self._node.primitive is None
        if not leaf or (self._node is None and STATE.get().recording):
            return result
        if STATE.get().recording:
            raise GraphError(complaints.NO_ASSIGNMENT.format("an in-place operator", self))
        if not np.can_cast(result.dtype, self._array.dtype, "same_kind"):
            raise OperandError(complaints.WRONG_KIND.format(self._array.dtype, result.dtype))
        self.data = result._array
        return self  # type: ignore[return-value]  # the Tensor whose base this is

    __iadd__, __isub__ = in_place(operator.add), in_place(operator.sub)
    __imul__, __itruediv__ = in_place(operator.mul), in_place(operator.truediv)
    __ifloordiv__, __imod__ = in_place(operator.floordiv), in_place(operator.mod)
    __ipow__, __imatmul__ = in_place(operator.pow), in_place(operator.matmul)

    # Comparisons and logic: values without a gradient

    __lt__, __le__ = late(np.less), late(np.less_equal)
    __gt__, __ge__ = late(np.greater), late(np.greater_equal)
    __eq__: ClassVar[Callable[[Any, Any], Tensor]] = late(np.equal)  # type: ignore[assignment]  # NumPy's ==, entry by entry
    __ne__: ClassVar[Callable[[Any, Any], Tensor]] = late(np.not_equal)  # type: ignore[assignment]  # as above
    __hash__ = object.__hash__
    __and__ = __rand__ = late(np.bitwise_and)
    __or__ = __ror__ = late(np.bitwise_or)
    __xor__ = __rxor__ = late(np.bitwise_xor)

    def __invert__(self) -> Tensor:
        return counterpart(np.invert)(self)

    # Indexing

    def __getitem__(self, index: Any) -> Tensor:
        return take_index(self, index=frozen_index(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise OperandError(
            "a Tensor's values must stay as the tape saw them; got an assignment to some of its entries. "
            "Write tg.where(mask, value, t), build the parts and tg.concatenate them, or change a copy: "
            "a = t.numpy(); a[i] = v; tg.Tensor(a)."
        )

    def __len__(self) -> int:
        if not self._array.ndim:
            raise OperandError("len() must get a Tensor with an axis; got one of shape (). Use .size.")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise OperandError("a loop must get a Tensor with an axis; got one of shape (). Use .item().")
        return (self[i] for i in range(len(self._array)))

    # Elementwise functions

    def exp(self) -> Tensor:
        """Return eˣ."""
        return apply(e.exp, (self,))

    def log(self) -> Tensor:
        """Return the natural logarithm."""
        return apply(e.log, (self,))

    def log1p(self) -> Tensor:
        """Return log(1 + x), exact for small x."""
        return apply(e.log1p, (self,))

    def expm1(self) -> Tensor:
        """Return eˣ − 1, exact for small x."""
        return apply(e.expm1, (self,))

    def sqrt(self) -> Tensor:
        """Return the square root; its derivative at 0 is infinite."""
        return apply(e.sqrt, (self,))

    def square(self) -> Tensor:
        """Return x²."""
        return apply(e.square, (self,))

    def sin(self) -> Tensor:
        """Return the sine of radians."""
        return apply(e.sin, (self,))

    def cos(self) -> Tensor:
        """Return the cosine of radians."""
        return apply(e.cos, (self,))

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent."""
        return apply(e.tanh, (self,))

    def abs(self) -> Tensor:
        """Return |x|; its derivative at 0 is 0."""
        return apply(absolute, (self,))

    def sign(self) -> Tensor:
        """Return −1, 0 or 1; its derivative is 0."""
        return apply(sign, (self,))

    def relu(self) -> Tensor:
        """Return max(x, 0); its derivative at 0 is 0."""
        return apply(relu, (self,))

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """Limit the values to [min, max]."""
        return counterpart(np.clip)(self, min, max)

    def round(self, decimals: int = 0) -> Tensor:
        """Round to this many decimals; the derivative is 0."""
        return counterpart(np.round)(self, decimals)

    # Reductions

    def sum(self, axis: Axis = None, keepdims: bool = False, **other: NoReturn) -> Tensor:
        """Return the sum over an axis, several, or all."""
        return apply(sum, (self,), {"axis": axis, "keepdims": keepdims, **other})

    def mean(self, axis: Axis = None, keepdims: bool = False, **other: NoReturn) -> Tensor:
        """Return the mean over an axis, several, or all."""
        return apply(mean, (self,), {"axis": axis, "keepdims": keepdims, **other})

    def var(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False, **other: NoReturn) -> Tensor:
        """Return the variance (two-pass); ``ddof=0`` is the population's, 1 the sample's."""
        return counterpart(np.var)(self, axis=axis, ddof=ddof, keepdims=keepdims, **other)

    def std(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False, **other: NoReturn) -> Tensor:
        """Return the standard deviation; its gradient where it is 0 is 0."""
        return counterpart(np.std)(self, axis=axis, ddof=ddof, keepdims=keepdims, **other)

    def max(self, axis: Axis = None, keepdims: bool = False, **other: NoReturn) -> Tensor:
        """Return the maximum; tied entries share the gradient equally."""
        return apply(max, (self,), {"axis": axis, "keepdims": keepdims, **other})

    def min(self, axis: Axis = None, keepdims: bool = False, **other: NoReturn) -> Tensor:
        """Return the minimum; tied entries share the gradient equally."""
        return apply(min, (self,), {"axis": axis, "keepdims": keepdims, **other})

    def prod(self, axis: Axis = None, keepdims: bool = False, **other: NoReturn) -> Tensor:
        """Return the product; the gradient is right where entries are 0."""
        return counterpart(np.prod)(self, axis=axis, keepdims=keepdims, **other)

    def cumsum(self, axis: int | None = None, **other: NoReturn) -> Tensor:
        """Return running sums along an axis, or of the flattened Tensor."""
        return counterpart(np.cumsum)(self, axis=axis, **other)

    def cumprod(self, axis: int | None = None, **other: NoReturn) -> Tensor:
        """Return running products along an axis, or of the flattened Tensor."""
        return counterpart(np.cumprod)(self, axis=axis, **other)

    def argmax(self, axis: int | None = None, keepdims: bool = False, **other: NoReturn) -> Tensor:
        """Return where the maximum is; without a gradient."""
        return counterpart(np.argmax)(self, axis=axis, keepdims=keepdims, **other)

    def argmin(self, axis: int | None = None, keepdims: bool = False, **other: NoReturn) -> Tensor:
        """Return where the minimum is; without a gradient."""
        return counterpart(np.argmin)(self, axis=axis, keepdims=keepdims, **other)

    def argsort(self, axis: int | None = -1, **other: NoReturn) -> Tensor:
        """Return the order that sorts the values; without a gradient."""
        return counterpart(np.argsort)(self, axis=axis, **other)

    def all(self, axis: Axis = None, keepdims: bool = False, **other: NoReturn) -> Tensor:
        """Return whether all entries are true."""
        return counterpart(np.all)(self, axis=axis, keepdims=keepdims, **other)

    def any(self, axis: Axis = None, keepdims: bool = False, **other: NoReturn) -> Tensor:
        """Return whether any entry is true."""
        return counterpart(np.any)(self, axis=axis, keepdims=keepdims, **other)

    # Shapes

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return int(self._array.ndim)

    @property
    def T(self) -> Tensor:
        """The Tensor with its axes reversed."""
        return self.transpose()

    @property
    def mT(self) -> Tensor:
        """The Tensor with its last two axes exchanged."""
        return self.swapaxes(-1, -2)

    def reshape(self, *shape: Any) -> Tensor:
        """Return the same entries in another shape; one −1 is worked out."""
        return reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Tensor:
        """Permute the axes; without arguments, reverse them."""
        one = axes[0] if len(axes) == 1 else axes
        return transpose(self, None if axes in ((), (None,)) else one)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Exchange two axes."""
        return counterpart(np.swapaxes)(self, axis1, axis2)

    def squeeze(self, axis: Axis = None, **other: NoReturn) -> Tensor:
        """Drop axes of length one."""
        return counterpart(np.squeeze)(self, axis, **other)

    def ravel(self) -> Tensor:
        """Return the entries as one axis."""
        return reshape(self, (-1,))

    flatten = ravel

    def repeat(self, repeats: Any, axis: int | None = None, **other: NoReturn) -> Tensor:
        """Repeat entries along an axis."""
        return counterpart(np.repeat)(self, repeats, axis, **other)

    def take(self, indices: Any, axis: int | None = None, **other: NoReturn) -> Tensor:
        """Pick entries by index along an axis."""
        return counterpart(np.take)(self, indices, axis, **other)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """Return a diagonal."""
        return counterpart(np.diagonal)(self, offset, axis1, axis2)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """Return the sum of a diagonal."""
        return counterpart(np.trace)(self, offset, axis1, axis2)

    def dot(self, other: Any) -> Tensor:
        """Return NumPy's dot product."""
        return counterpart(np.dot)(self, other)

    def astype(self, dtype: Any) -> Tensor:
        """Convert to another dtype; the gradient comes back in this one's."""
        return counterpart(np.astype)(self, dtype)

    def copy(self) -> Tensor:
        """Return a new Tensor with the same values, connected to this one."""
        return counterpart(np.copy)(self)

    # The protocols by which other libraries find a Tensor

    def __dlpack__(self, **how: Any) -> Any:
        """Hand a copy to another library: ``torch.from_dlpack(t)``, ``jax.numpy.from_dlpack(t)``."""
        if self._node is not None:
            leave_tape("an array of another library")
        return np.array(self._array).__dlpack__(**how)

    def __dlpack_device__(self) -> tuple[Any, ...]:
        """Return where the values are: in the memory of the processor."""
        return np.asarray(self._array).__dlpack_device__()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return call_function(function, args, kwargs)
