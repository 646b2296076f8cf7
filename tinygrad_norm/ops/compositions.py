"""NumPy's other functions, composed of the primitives, so that they have gradients of every order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InputError, OperandError, ShapeError
from ..primitive import composition
from ..tensor import Tensor, as_tensor, wrap
from . import elementwise as e
from .indexing import check_indices, frozen_index, take_index
from .linalg import einsum_all, matmul
from .reduction import Axis, kept_shape, mean, prod, reduced_axes, reduced_count, sum
from .shape import cast, concatenate_all, pad_with, reshape, stack_all, transpose

# Indexing


@composition()
def getitem(x: Any, index: Any) -> Tensor:
    """Return ``x[index]`` for any NumPy index; cotangents of repeated entries add up."""
    result: Tensor = take_index(x, index=frozen_index(index))
    return result


@composition(np.take)
def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Return the entries at integer indices along an axis; ``axis=None`` takes from the flattened Tensor."""
    x = reshape(x, shape=-1) if axis is None else as_tensor(x)
    axis = 0 if axis is None else axis % x.ndim
    picked = check_indices(indices, x.shape[axis], axis)
    return getitem(x, (slice(None),) * axis + (picked,))


@composition(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """Return ``arr`` picked by indices of matching shape along one axis, as ``argsort`` gives them."""
    x = reshape(arr, shape=-1) if axis is None else as_tensor(arr)
    axis = 0 if axis is None else axis % x.ndim
    picked = check_indices(indices, x.shape[axis], axis)
    if picked.ndim != x.ndim:
        raise ShapeError(
            f"take_along_axis: the indices must have as many axes as the data ({x.ndim}); got {picked.ndim}."
            " Use np.expand_dims on the indices."
        )
    grid = list(np.ogrid[tuple(slice(n) for n in x.shape)])
    grid[axis] = picked
    return getitem(x, tuple(grid))


@composition(np.sort)
def sort(x: Any, axis: int | None = -1) -> Tensor:
    """Return the values in ascending order along an axis; each cotangent goes back to where its value was."""
    x = reshape(x, shape=-1) if axis is None else as_tensor(x)
    order = np.argsort(x.data, axis=-1 if axis is None else axis, kind="stable")
    return take_along_axis(x, order, -1 if axis is None else axis)


@composition(np.diagonal)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the diagonal of two axes, as the last axis of the result."""
    x = as_tensor(x)
    first, second = axis1 % x.ndim, axis2 % x.ndim
    rest = [a for a in range(x.ndim) if a not in (first, second)]
    x = transpose(x, axes=(*rest, first, second))
    n = max(0, min(x.shape[-2] + min(offset, 0), x.shape[-1] - max(offset, 0)))
    steps = np.arange(n)
    return getitem(x, (Ellipsis, steps - min(offset, 0), steps + max(offset, 0)))


@composition(np.trace)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the sum of a diagonal."""
    result: Tensor = sum(diagonal(x, offset, axis1, axis2), axis=-1)
    return result


@composition(np.diag)
def diag(x: Any, k: int = 0) -> Tensor:
    """Return the diagonal of a matrix, or the matrix with this diagonal."""
    x = as_tensor(x)
    if x.ndim == 1:
        n = x.size + abs(k)
        square = np.eye(n, k=k, dtype=bool)
        places = np.zeros((n, n), np.intp)
        places[square] = np.arange(x.size)
        result: Tensor = e.where(square, take(x, places), 0.0)
        return result
    return diagonal(x, k)


# Shapes


@composition(np.reshape)
def _reshape(x: Any, shape: Any) -> Tensor:
    """Return the same entries in another shape."""
    result: Tensor = reshape(x, shape=shape)
    return result


@composition(np.ravel)
def ravel(x: Any) -> Tensor:
    """Return the entries as one axis."""
    return _reshape(x, -1)


@composition(np.expand_dims)
def expand_dims(x: Any, axis: int | tuple[int, ...]) -> Tensor:
    """Insert axes of length one."""
    x = as_tensor(x)
    return _reshape(x, np.expand_dims(x.data, axis).shape)


@composition(np.squeeze)
def squeeze(x: Any, axis: Axis = None) -> Tensor:
    """Drop axes of length one."""
    x = as_tensor(x)
    try:
        return _reshape(x, np.squeeze(x.data, axis).shape)
    except ValueError as error:
        raise ShapeError(
            f"squeeze: an axis to drop must have length 1; got axis {axis} of shape {x.shape}. Index it instead."
        ) from error


@composition(np.atleast_1d)
def atleast_1d(x: Any) -> Tensor:
    """Return ``x`` with at least one axis."""
    return _reshape(x, np.atleast_1d(as_tensor(x).data).shape)


@composition(np.atleast_2d)
def atleast_2d(x: Any) -> Tensor:
    """Return ``x`` with at least two axes."""
    return _reshape(x, np.atleast_2d(as_tensor(x).data).shape)


@composition(np.swapaxes, np.matrix_transpose)
def swapaxes(x: Any, axis1: int = -1, axis2: int = -2) -> Tensor:
    """Exchange two axes."""
    x = as_tensor(x)
    axes = list(range(x.ndim))
    if not (-x.ndim <= axis1 < x.ndim and -x.ndim <= axis2 < x.ndim):
        raise ShapeError(
            f"swapaxes: the axes must lie in [{-x.ndim}, {x.ndim}); got {axis1} and {axis2} for shape {x.shape}."
            " Count the axes from 0, or from −1 backwards."
        )
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    result: Tensor = transpose(x, axes=tuple(axes))
    return result


@composition(np.moveaxis)
def moveaxis(x: Any, source: Any, destination: Any) -> Tensor:
    """Move axes to new places."""
    x = as_tensor(x)
    axes = np.moveaxis(np.empty((1,) * x.ndim), source, destination)  # raises NumPy's error for a bad axis
    sources = [s % axes.ndim for s in np.atleast_1d(source)]
    targets = [d % axes.ndim for d in np.atleast_1d(destination)]
    order = [a for a in range(x.ndim) if a not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    result: Tensor = transpose(x, axes=tuple(int(a) for a in order))
    return result


def parts_of(xs: Any, name: str) -> list[Any]:
    """Return a sequence of operands as a list; raise where it is empty or a single operand."""
    parts = list(xs) if isinstance(xs, (list, tuple, Tensor, np.ndarray)) else []
    if not parts:
        raise OperandError(
            f"{name} must get a sequence of at least one Tensor; got {type(xs).__name__}. Write [a, b]."
        )
    return parts


@composition(np.concatenate)
def concatenate(xs: Any, axis: int | None = 0) -> Tensor:
    """Join Tensors along an existing axis; ``axis=None`` flattens them first."""
    parts = parts_of(xs, "concatenate")
    if axis is None:
        parts, axis = [ravel(x) for x in parts], 0
    result: Tensor = concatenate_all(*parts, axis=axis)
    return result


@composition(np.stack)
def stack(xs: Any, axis: int = 0) -> Tensor:
    """Join Tensors of one shape along a new axis."""
    result: Tensor = stack_all(*parts_of(xs, "stack"), axis=axis)
    return result


@composition(np.vstack)
def vstack(xs: Any) -> Tensor:
    """Join Tensors as rows."""
    return concatenate([atleast_2d(x) for x in parts_of(xs, "vstack")], 0)


@composition(np.hstack)
def hstack(xs: Any) -> Tensor:
    """Join Tensors as columns (one-dimensional ones end to end)."""
    parts = [atleast_1d(x) for x in parts_of(xs, "hstack")]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1)


@composition(np.split)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut a Tensor along an axis into equal parts, or at the given places."""
    x = as_tensor(x)
    try:
        pieces = np.split(np.arange(x.shape[axis]), indices_or_sections)
    except ValueError as error:
        raise ShapeError(
            f"split: the axis of length {x.shape[axis]} must divide into {indices_or_sections} equal parts; it does "
            "not. Use np.array_split, or pass the places to cut at."
        ) from error
    return _cut(x, pieces, axis)


@composition(np.array_split)
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut a Tensor along an axis into nearly equal parts, or at the given places."""
    x = as_tensor(x)
    return _cut(x, np.array_split(np.arange(x.shape[axis]), indices_or_sections), axis)


def _cut(x: Tensor, pieces: Sequence[Any], axis: int) -> list[Tensor]:
    before = (slice(None),) * (axis % x.ndim)
    return [
        getitem(x, (*before, slice(int(p[0]), int(p[-1]) + 1) if len(p) else slice(0, 0))) for p in pieces
    ]


@composition(np.repeat)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Repeat each entry along an axis."""
    x = ravel(x) if axis is None else as_tensor(x)
    axis = 0 if axis is None else axis
    return take(x, np.repeat(np.arange(x.shape[axis]), repeats), axis)


@composition(np.tile)
def tile(x: Any, reps: Any) -> Tensor:
    """Repeat the whole Tensor along its axes."""
    x = as_tensor(x)
    return getitem(ravel(x), np.tile(np.arange(x.size).reshape(x.shape), reps))


@composition(np.pad)
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0.0) -> Tensor:
    """Put a frame of one constant around a Tensor."""
    if mode != "constant" or np.ndim(constant_values):
        raise InputError(
            f"pad: a Tensor can be padded with one constant; got mode={mode!r}, constant_values={constant_values!r}."
            " Use mode='constant', or np.concatenate for other frames."
        )
    x = as_tensor(x)
    pairs = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    width = tuple((int(before), int(after)) for before, after in pairs)
    result: Tensor = pad_with(x, width=width, value=constant_values)
    return result


@composition(np.tril)
def tril(x: Any, k: int = 0) -> Tensor:
    """Return the lower triangle, zeros above it."""
    x = as_tensor(x)
    result: Tensor = e.where(np.tri(*x.shape[-2:], k=k, dtype=bool), x, 0)
    return result


@composition(np.triu)
def triu(x: Any, k: int = 0) -> Tensor:
    """Return the upper triangle, zeros below it."""
    x = as_tensor(x)
    result: Tensor = e.where(np.tri(*x.shape[-2:], k=k - 1, dtype=bool), 0, x)
    return result


@composition(np.astype)
def astype(x: Any, dtype: Any) -> Tensor:
    """Convert to another dtype; the gradient comes back in the original one."""
    x = as_tensor(x)
    if x.dtype == np.dtype(dtype):
        return x
    result: Tensor = cast(x, dtype=np.dtype(dtype), origin=x.dtype)
    return result


# Statistics


@composition(np.var)
def var(x: Any, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Return the variance Σ(x − mean)² / (n − ddof), in two passes so that no digits cancel.

    Raises
    ------
    InputError
        There are no more than ``ddof`` entries to average.
    """
    x = as_tensor(x)
    n = reduced_count(x.shape, axis)
    if n - ddof <= 0:
        raise InputError(
            f"var: the {n} entries of axis {axis} (shape {x.shape}) must be more than ddof={ddof}; the variance of "
            "so few is not defined. Use ddof=0 or more data."
        )
    squares = e.square(x - mean(x, axis=axis, keepdims=True))
    if ddof == 0:
        result: Tensor = mean(squares, axis=axis, keepdims=keepdims)
        return result
    result = sum(squares, axis=axis, keepdims=keepdims) / (n - ddof)
    return result


def root_or_zero(x: Tensor) -> Tensor:
    """Return √x with derivative 0, not ∞, where x is 0: the convention for deviations and norms."""
    zero = x.data == 0
    if not np.any(zero):
        result: Tensor = e.sqrt(x)
        return result
    result = e.where(zero, 0, e.sqrt(e.where(zero, 1, x)))
    return result


@composition(np.std)
def std(x: Any, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation √var; its gradient where it is 0 is 0, as in PyTorch."""
    return root_or_zero(var(x, axis, ddof, keepdims))


@composition(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the vector norm (ord 1, 2 or ∞) or, for matrices, the Frobenius norm; gradient 0 at 0."""
    x = as_tensor(x)
    matrix = isinstance(axis, tuple) or (axis is None and x.ndim == 2)
    if ord is None or (ord == 2 and not matrix) or ord == "fro":
        return root_or_zero(sum(e.square(x), axis=axis, keepdims=keepdims))
    if ord == 1 and not matrix:
        return e.absolute(x).sum(axis, keepdims)  # type: ignore[no-any-return]
    if ord == np.inf and not matrix:
        return e.absolute(x).max(axis, keepdims)  # type: ignore[no-any-return]
    raise InputError(
        f"norm: a Tensor has the vector norms 1, 2 and inf and the Frobenius norm; got ord={ord!r} for shape "
        f"{x.shape}, axis={axis}. Compose others from tg functions."
    )


@composition(np.cumprod)
def cumprod(x: Any, axis: int | None = None) -> Tensor:
    """Return running products; right where entries are 0, at the price of n² entries along the axis."""
    x = ravel(x) if axis is None else as_tensor(x)
    axis = 0 if axis is None else axis % x.ndim
    last = moveaxis(x, axis, -1)
    lower = np.tri(last.shape[-1], dtype=bool)
    result = prod(e.where(lower, expand_dims(last, -2), 1), axis=-1)
    return moveaxis(result, -1, axis)


@composition(np.ptp)
def ptp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the range, maximum minus minimum."""
    x = as_tensor(x)
    return x.max(axis, keepdims) - x.min(axis, keepdims)


@composition(np.diff)
def diff(x: Any, n: int = 1, axis: int = -1) -> Tensor:
    """Return the differences of neighbors, ``n`` times."""
    x = as_tensor(x)
    before = (slice(None),) * (axis % x.ndim)
    for _ in range(n):
        x = x[(*before, slice(1, None))] - x[(*before, slice(None, -1))]
    return x


# Elementwise functions of other names


@composition(np.clip)
def clip(x: Any, min: Any = None, max: Any = None) -> Tensor:
    """Limit values to [min, max]; the gradient on the limits is 1, outside 0."""
    if isinstance(min, (int, float, type(None))) and isinstance(max, (int, float, type(None))):
        result: Tensor = e.clip_between(x, lower=min, upper=max)
        return result
    x = as_tensor(x)
    if min is not None:
        x = e.where(x.data >= np.asarray(min), x, min)
    if max is not None:
        x = e.where(x.data <= np.asarray(max), x, max)
    return x


@composition(np.reciprocal)
def reciprocal(x: Any) -> Tensor:
    """Return 1 / x."""
    result: Tensor = e.divide(1.0, x)
    return result


@composition(np.remainder)
def remainder(x: Any, y: Any) -> Tensor:
    """Return x − y⌊x/y⌋."""
    return x - e.multiply(y, e.floor(e.divide(x, y)))  # type: ignore[no-any-return]


@composition(np.tan)
def tan(x: Any) -> Tensor:
    """Return the tangent of radians."""
    return e.sin(x) / e.cos(x)  # type: ignore[no-any-return]


@composition(np.sinh)
def sinh(x: Any) -> Tensor:
    """Return the hyperbolic sine."""
    return 0.5 * (e.expm1(x) - e.expm1(e.negative(x)))  # type: ignore[no-any-return]


@composition(np.cosh)
def cosh(x: Any) -> Tensor:
    """Return the hyperbolic cosine."""
    return 0.5 * (e.exp(x) + e.exp(e.negative(x)))  # type: ignore[no-any-return]


# Products


@composition(np.dot)
def dot(x: Any, y: Any) -> Tensor:
    """Return NumPy's dot: a product by a number, or a contraction of the last axis with the second-last."""
    x, y = as_tensor(x), as_tensor(y)
    if not (x.ndim and y.ndim):
        return x * y
    if y.ndim <= 2:
        result: Tensor = matmul(x, y)
        return result
    return tensordot(x, y, ((-1,), (-2,)))


@composition(np.inner)
def inner(x: Any, y: Any) -> Tensor:
    """Return the contraction of the last axes."""
    x, y = as_tensor(x), as_tensor(y)
    return tensordot(x, y, ((-1,), (-1,))) if x.ndim and y.ndim else x * y


@composition(np.vdot)
def vdot(x: Any, y: Any) -> Tensor:
    """Return the sum of the products of all entries."""
    result: Tensor = matmul(ravel(x), ravel(y))
    return result


@composition(np.outer)
def outer(x: Any, y: Any) -> Tensor:
    """Return the products of every entry of x with every entry of y."""
    result: Tensor = e.multiply(expand_dims(ravel(x), 1), ravel(y))
    return result


@composition(np.tensordot)
def tensordot(x: Any, y: Any, axes: Any = 2) -> Tensor:
    """Contract the given axes of two Tensors."""
    x, y = as_tensor(x), as_tensor(y)
    if isinstance(axes, int):
        axes = (range(x.ndim - axes, x.ndim), range(axes))
    over_x = [int(a) % x.ndim for a in np.atleast_1d(axes[0])]
    over_y = [int(a) % y.ndim for a in np.atleast_1d(axes[1])]
    free_x = [a for a in range(x.ndim) if a not in over_x]
    free_y = [a for a in range(y.ndim) if a not in over_y]
    left = transpose(x, axes=(*free_x, *over_x)).reshape(
        int(np.prod([x.shape[a] for a in free_x])), int(np.prod([x.shape[a] for a in over_x]))
    )
    right = transpose(y, axes=(*over_y, *free_y)).reshape(
        int(np.prod([y.shape[a] for a in over_y])), int(np.prod([y.shape[a] for a in free_y]))
    )
    result: Tensor = matmul(left, right)
    return result.reshape((*(x.shape[a] for a in free_x), *(y.shape[a] for a in free_y)))


@composition(np.einsum)
def einsum(subscripts: str, *xs: Any) -> Tensor:
    """Return Einstein's sum in NumPy's notation, with ``...``, repeated letters and implicit results.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.einsum("ii->i", tg.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 4.], shape=(2,), dtype=float64)
    """
    if not isinstance(subscripts, str):
        raise OperandError(
            f"einsum must get its subscripts as a string first; got {type(subscripts).__name__}."
            ' Write einsum("ij,jk->ik", a, b).'
        )
    result: Tensor = einsum_all(*xs, subscripts=subscripts)
    return result


# Constructors: NumPy's names


def constructor(name: str) -> Any:
    """Return NumPy's function of this name, giving a Tensor."""
    make = getattr(np, name)

    def construct(*args: Any, requires_grad: bool = False, **kwargs: Any) -> Tensor:
        values = wrap(np.asarray(make(*args, **kwargs)), None)
        values.requires_grad = requires_grad
        return values

    construct.__name__ = construct.__qualname__ = name
    construct.__doc__ = f"Return the Tensor with the values of ``np.{name}``."
    return construct


zeros = constructor("zeros")
ones = constructor("ones")
full = constructor("full")
arange = constructor("arange")
linspace = constructor("linspace")
eye = constructor("eye")
