"""All the derivatives of a function, entry by entry: ``jacobian``, ``hessian``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..context import enable_grad
from ..primitive import FUNCTIONS
from ..state import STATE
from ..tensor import Tensor, wrap
from .gradient import grad
from .tape_level import gradients
from .variables import chosen, depends_on_others, one_tensor


def jacobian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Tensor]:
    """Return the function x ↦ J with J[i…, j…] = ∂y[i…]/∂x[j…], of shape ``y.shape + x.shape``.

    One backward pass for each entry of y.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.jacobian(lambda x: x * x)([1.0, 2.0])
    Tensor([[2., 0.],
           [0., 4.]], shape=(2, 2), dtype=float64)
    """

    def full(*args: Any, **kwargs: Any) -> Tensor:
        outer = STATE.get().recording
        with enable_grad():
            values, (number,) = chosen(args, argnums)
            x = values[number]
            y = one_tensor(f(*values, **kwargs), "jacobian")
            again = outer and depends_on_others([y], [x])
            rows = []
            for i in range(y.size):
                unit = np.zeros(y.size, y.dtype)
                unit[i] = 1
                rows.append(gradients(y, x, unit.reshape(y.shape), create_graph=again))
        if not rows:
            return wrap(np.zeros(y.shape + x.shape, x.dtype), None)
        stacked: Tensor = FUNCTIONS["stack"](rows)
        return stacked.reshape(y.shape + x.shape)

    return full


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Tensor]:
    """Return the function x ↦ ∂²f/∂x∂x of a function with one number as its result, of shape ``x.shape + x.shape``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    Tensor([[10.,  6.],
           [ 6.,  0.]], shape=(2, 2), dtype=float64)
    """
    return jacobian(grad(f, argnums), argnums)
