"""The matrix product, of two matrices, of stacks of them, and with vectors."""

from __future__ import annotations

from math import prod as product
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...samples import samples_at
from ..details.array import Array, Shape
from ..details.summation import sum_to
from ..primitive import primitive


def _matmul(x: Array, y: Array, /) -> Any:
    if x.ndim == 2 and y.ndim == 2 and x.shape[1] == y.shape[0]:
        # The same product as np.matmul's, and for small matrices in a third of the time.
        return x.dot(y)
    if not (x.ndim and y.ndim):
        raise ShapeError("both operands must have an axis; got shape (). Use * for a factor.")
    if x.shape[-1] != y.shape[-2 if y.ndim > 1 else 0]:
        raise ShapeError(
            f"the last axis of the left operand ({x.shape[-1]}) must equal the "
            f"{'second-last' if y.ndim > 1 else 'only axis'} of the right ({y.shape[-2 if y.ndim > 1 else 0]}); "
            f"got {x.shape} @ {y.shape}. Transpose one of them, or check the layer's in_features."
        )
    if x.ndim > 2 and y.ndim == 2 and x.flags.c_contiguous:
        # One large product instead of one for each matrix of the stack.
        return x.reshape(product(x.shape[:-1]), x.shape[-1]).dot(y).reshape(*x.shape[:-1], y.shape[-1])
    return np.matmul(x, y)


def _matmul_by_left(g: Any, x_shape: Shape, y: Any) -> Any:
    if y.ndim == 1:
        return sum_to(np.expand_dims(g, -1) * y, x_shape)
    if len(x_shape) == 1:
        # (k) @ (..., k, n) -> (..., n)
        return sum_to(matmul.on(y, np.expand_dims(g, -1)).reshape((*y.shape[:-2], *x_shape)), x_shape)
    return sum_to(matmul.on(g, y.mT), x_shape)


def _matmul_by_right(g: Any, x: Any, y_shape: Shape) -> Any:
    if x.ndim == 1:
        return (
            sum_to(np.expand_dims(x, -1) * np.expand_dims(g, -2 if len(y_shape) > 1 else 0), y_shape)
            if len(y_shape) > 1
            else g * x
        )
    if len(y_shape) == 1:
        return sum_to(np.expand_dims(g, -1) * x, y_shape)
    if len(y_shape) == 2 and x.ndim > 2:
        # The sum over the stack is part of one large product.
        rows = product(x.shape[:-1])
        flat_x, flat_g = x.reshape(rows, x.shape[-1]), g.reshape(rows, g.shape[-1])
        return matmul.on(flat_x.mT, flat_g)
    return sum_to(matmul.on(x.mT, g), y_shape)


matmul = primitive(
    _matmul,
    numpy=(np.matmul,),
    vjp=(_matmul_by_left, _matmul_by_right),
    symbol="@",
    formula="x @ y",
    rule=("ḡ @ yᵀ", "xᵀ @ ḡ"),
    samples=samples_at(
        "3x5 5x2, 5 5, 5 5x2, 3x5 5, 7x3x5 5x2, 7x3x5 7x5x2, 7x1x3x5 2x5x3, 3x5 7x5x2, 5 7x5x2, 7x3x5 5, "
        "1x3x5 7x5x2, 0x5 5x2, 3x0 0x2, 2x3x0 0x5, 2x0x3 3x5"
    ),
)
