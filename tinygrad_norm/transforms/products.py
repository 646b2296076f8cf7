"""Products of a Jacobian or a Hessian with a vector, which need neither of them: ``vjp``, ``jvp``, ``hvp``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..context import enable_grad
from ..errors import OperandError, ShapeError
from ..state import STATE
from ..tensor import Tensor, as_tensor, wrap
from .gradient import grad
from .tape_level import gradients, results_of
from .variables import depends_on_others, detached, one_tensor, variable


def vjp(f: Callable[..., Any], *xs: Any) -> tuple[Any, Callable[..., Any]]:
    """Return y = f(*xs) and its pullback ȳ ↦ Jᵀȳ, which gives one cotangent for each x.

    ``f`` returns a Tensor or a tuple of Tensors; the pullback takes one cotangent for each.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> y, pullback = tg.vjp(lambda x, w: x @ w, [[1.0, 2.0]], [[3.0], [4.0]])
    >>> pullback([[1.0]])
    (Tensor([[3., 4.]], shape=(1, 2), dtype=float64), Tensor([[1.],
           [2.]], shape=(2, 1), dtype=float64))
    """
    outer = STATE.get().recording
    with enable_grad():
        variables = [variable(x) for x in xs]
        y = f(*variables)
    ends = results_of(y, "vjp")
    again = outer and depends_on_others(ends, variables)

    def pullback(*cotangents: Any) -> tuple[Tensor, ...]:
        if len(cotangents) != len(ends):
            raise ShapeError(
                f"the pullback must get one cotangent for each of the {len(ends)} output(s); got {len(cotangents)}."
                " Pass them as separate arguments."
            )
        differentiable = STATE.get().recording and (
            again or any(isinstance(c, Tensor) and c.requires_grad for c in cotangents)
        )
        return gradients(ends, variables, cotangents, create_graph=differentiable)

    return (y if again else detached(y)), pullback


def jvp(f: Callable[..., Any], xs: Sequence[Any], vs: Sequence[Any]) -> tuple[Tensor, Tensor]:
    """Return y = f(*xs) and ẏ = J ẋ for the tangents ``vs``: the derivative along a direction.

    Computed by differentiating ȳ ↦ Jᵀȳ, which is linear in ȳ, so its own transpose is J.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.jvp(tg.exp, ([0.0, 1.0],), ([1.0, 0.0],))[1]
    Tensor([1., 0.], shape=(2,), dtype=float64)
    """
    if not isinstance(xs, (tuple, list)) or not isinstance(vs, (tuple, list)) or len(xs) != len(vs):
        raise OperandError(
            "jvp must get a tuple of points and a tuple of tangents of the same length; got "
            f"{type(xs).__name__} and {type(vs).__name__}. Write tg.jvp(f, (x,), (v,))."
        )
    tangents = [as_tensor(v) for v in vs]
    outer = STATE.get().recording
    with enable_grad():
        variables = [variable(x) for x in xs]
        for x, v in zip(variables, tangents, strict=True):
            if x.shape != v.shape:
                raise ShapeError(
                    f"a tangent must have its point's shape {x.shape}; got {v.shape}. Reshape or broadcast it."
                )
        y = one_tensor(f(*variables), "jvp")
        again = outer and depends_on_others([y, *tangents], variables)
        dummy = Tensor(np.zeros(y.shape, y.dtype), requires_grad=True)
        pulled = gradients(y, variables, dummy, create_graph=True)
        # Where y does not depend on an x, or not through arithmetic, nothing leads back to the dummy.
        reached = [(p, v) for p, v in zip(pulled, tangents, strict=True) if p.requires_grad]
        if not reached:
            return (y if again else y.detach()), wrap(np.zeros(y.shape, y.dtype), None)
        ends, weights = zip(*reached, strict=True)
        tangent = gradients(ends, dummy, weights, create_graph=again)
    return (y if again else y.detach()), tangent


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Tensor:
    """Return H v, the Hessian of f at x times v, without forming H.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.hvp(lambda x: x[0] ** 2 * x[1], [3.0, 5.0], [1.0, 0.0])
    Tensor([10.,  6.], shape=(2,), dtype=float64)
    """
    # H is symmetric, so the pullback of the gradient serves as well as its pushforward, at half the price.
    _, pullback = vjp(grad(f), x)
    product: Tensor = pullback(v)[0]
    return product
