"""The gradient of a function with one number as its result: ``grad``, ``value_and_grad``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..context import enable_grad
from ..state import STATE
from .tape_level import gradients
from .variables import chosen, depends_on_others, scalar_result


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Return a function that gives (f(x), ∂f/∂x); several ``argnums`` give a tuple of gradients.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.value_and_grad(lambda x: (x * x).sum())([1.0, 2.0])
    (Tensor(5., shape=(), dtype=float64), Tensor([2., 4.], shape=(2,), dtype=float64))
    """

    def with_gradient(*args: Any, **kwargs: Any) -> Any:
        outer = STATE.get().recording
        with enable_grad():
            values, numbers = chosen(args, argnums)
            xs = [values[n] for n in numbers]
            y = scalar_result(f(*values, **kwargs), "grad")
            again = outer and depends_on_others([y], xs)
            found = gradients(y, xs, create_graph=again)
        y = y if again else y.detach()
        return y, found[0] if isinstance(argnums, int) else found

    return with_gradient


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Return the function x ↦ ∂f/∂x of a function with one number as its result.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> f = lambda x: x**3
    >>> tg.grad(f)(2.0).item(), tg.grad(tg.grad(f))(2.0).item(), tg.grad(tg.grad(tg.grad(f)))(2.0).item()
    (12.0, 12.0, 6.0)
    """
    both = value_and_grad(f, argnums)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient
