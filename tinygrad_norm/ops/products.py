"""NumPy's products and contractions by other names, all of them ``matmul``, ``multiply`` or ``einsum``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.primitive import composition
from ..engine.primitives.linalg import matmul
from ..engine.primitives.shape import transpose
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import OperandError, ShapeError
from . import elementwise as e
from .layout import expand_dims, moveaxis, ravel
from .linalg import einsum_all
from .shape import axis_of


@composition(np.dot)
def dot(x: Data, y: Data) -> Tensor:
    """Return NumPy's dot: a product by a number, or a contraction of the last axis with the second-last."""
    x, y = as_tensor(x), as_tensor(y)
    if not (x.ndim and y.ndim):
        return x * y
    if y.ndim <= 2:
        return matmul(x, y)
    return tensordot(x, y, ((-1,), (-2,)))


@composition(np.inner)
def inner(x: Data, y: Data) -> Tensor:
    """Return the contraction of the last axes."""
    x, y = as_tensor(x), as_tensor(y)
    return tensordot(x, y, ((-1,), (-1,))) if x.ndim and y.ndim else x * y


@composition(np.vdot)
def vdot(x: Data, y: Data) -> Tensor:
    """Return the sum of the products of all entries."""
    return matmul(ravel(x), ravel(y))


@composition(np.outer)
def outer(x: Data, y: Data) -> Tensor:
    """Return the products of every entry of x with every entry of y."""
    return e.multiply(expand_dims(ravel(x), 1), ravel(y))


@composition(np.kron)
def kron(x: Data, y: Data) -> Tensor:
    """Return Kronecker's product: each entry of x times the whole of y, laid out as blocks."""
    x, y = as_tensor(x), as_tensor(y)
    n = max(x.ndim, y.ndim)
    outside, inside = ((1,) * (n - t.ndim) + t.shape for t in (x, y))
    spread = [x.reshape(sum(((a, 1) for a in outside), ())), y.reshape(sum(((1, b) for b in inside), ()))]
    return (spread[0] * spread[1]).reshape(tuple(a * b for a, b in zip(outside, inside, strict=True)))


@composition(np.cross)
def cross(x: Data, y: Data, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """Return the cross product of vectors of three entries."""
    from_x, from_y, to = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    x, y = moveaxis(x, from_x, -1), moveaxis(y, from_y, -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ShapeError(
            f"cross: the vectors must have three entries; got {x.shape[-1]} and {y.shape[-1]}. Name their axis, or "
            "append a 0."
        )
    one, two = [1, 2, 0], [2, 0, 1]
    return moveaxis(x[..., one] * y[..., two] - x[..., two] * y[..., one], -1, to)


@composition(np.tensordot)
def tensordot(x: Data, y: Data, axes: Any = 2) -> Tensor:
    """Contract the given axes of two Tensors."""
    x, y = as_tensor(x), as_tensor(y)
    if isinstance(axes, (int, np.integer)):
        axes = (range(x.ndim - axes, x.ndim), range(axes))
    over_x = [axis_of(int(a), x.shape, "tensordot") for a in np.atleast_1d(axes[0])]
    over_y = [axis_of(int(a), y.shape, "tensordot") for a in np.atleast_1d(axes[1])]
    if [x.shape[a] for a in over_x] != [y.shape[a] for a in over_y]:
        raise ShapeError(
            f"tensordot: the axes to contract must have equal lengths; got axes {over_x} of {x.shape} and {over_y} of "
            f"{y.shape}. Name pairs of axes of one length."
        )
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
def einsum(subscripts: Any, *xs: Any) -> Tensor:
    """Return Einstein's sum in NumPy's notation, with ``...``, repeated letters and implicit results.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.einsum("ii->i", tg.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 4.], shape=(2,), dtype=float64)
    """
    if not isinstance(subscripts, str):
        subscripts, xs = spelled_out(subscripts, *xs)
    return einsum_all(*xs, subscripts=subscripts)


def spelled_out(*operands: Any) -> tuple[str, tuple[Any, ...]]:
    """Return the string and the operands of NumPy's other form, in which a list of numbers follows each operand."""
    lists = [*operands[1::2], *(operands[-1:] if len(operands) % 2 else [])]
    numbers = sorted({n for row in lists if isinstance(row, (list, tuple)) for n in row if n is not ...})
    if len(operands) < 2 or not all(isinstance(row, (list, tuple)) for row in lists) or len(numbers) > 26:
        raise OperandError(
            f"einsum must get its subscripts as a string first; got {type(operands[0]).__name__}."
            ' Write einsum("ij,jk->ik", a, b), or einsum(a, [0, 1], b, [1, 2], [0, 2]) with at most 26 numbers.'
        )
    letters = {n: chr(ord("a") + i) for i, n in enumerate(numbers)}
    terms = ["".join("..." if n is ... else letters[n] for n in row) for row in lists]
    xs = operands[: 2 * (len(operands) // 2) : 2]
    return ",".join(terms[: len(xs)]) + "".join(f"->{term}" for term in terms[len(xs) :]), xs
