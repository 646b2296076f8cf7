"""Derivatives as functions: ``grad``, ``vjp``, ``jvp``, ``jacobian``, ``hessian``, ``hvp``; they nest.

They take arrays or Tensors and give Tensors, leave every ``.grad`` alone, and can be differentiated again, by their
arguments and by any Tensor that the function closes over. :func:`gradients` is the form they are made of.

In the formulas f maps x to y, ȳ is a cotangent of y (its shape), ẋ a tangent of x (its shape), J = ∂y/∂x.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, overload

import numpy as np

from .context import differentiating
from .engine import complaints
from .engine.details.array import to_array
from .engine.primitives.elementwise import positive
from .engine.sweep import seed_for
from .engine.tape import STATE, Node
from .engine.tensor import Tensor, as_tensor, sweep_from, why_ended, wrap
from .errors import GraphError, OperandError, ShapeError
from .ops.shape import stack_all
from .pytorch_names import kind_of

CONSTANT = "constant"
"""Why a gradient has no graph that nothing but the variables of its transform leads to: its own gradient is 0."""


@overload
def gradients(
    outputs: Tensor | Sequence[Tensor], inputs: Tensor, cotangents: Any = None, create_graph: bool = False
) -> Tensor: ...
@overload
def gradients(
    outputs: Tensor | Sequence[Tensor], inputs: Sequence[Tensor], cotangents: Any = None, create_graph: bool = False
) -> tuple[Tensor, ...]: ...
def gradients(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    cotangents: Any = None,
    create_graph: bool = False,
) -> Tensor | tuple[Tensor, ...]:
    """Return the gradients of Σ ⟨ȳ, y⟩ by the inputs, without touching any ``.grad``.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensors
    inputs : Tensor or sequence of Tensors
        Leaves or results on the way; one in, one out, a sequence gives a tuple. One that no output
        depends on gets zeros.
    cotangents : array or sequence of arrays, optional
        ȳ for each output, of its shape; 1 for a single number when left out.
    create_graph : bool
        Record the computation, so that the gradients can be differentiated again. The graph is kept in any case.

    Raises
    ------
    GraphError
        An input requires no gradient, or an output is not a single number and has no cotangent.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> x = tg.Tensor(3.0, requires_grad=True)
    >>> slope = tg.gradients(x**3, x, create_graph=True)
    >>> slope.item(), tg.gradients(slope, x).item()
    (27.0, 18.0)
    """
    found = found_gradients(outputs, inputs, cotangents, create_graph, CONSTANT if create_graph else "create_graph")
    return found[0] if isinstance(inputs, Tensor) else found


def found_gradients(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    cotangents: Any,
    create_graph: bool,
    ended: str,
) -> tuple[Tensor, ...]:
    """Return the gradients; one without a graph has none because of ``ended``, a key of ``complaints.ENDED``."""
    wanted = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    ends = results_of(outputs, "gradients")
    if cotangents is None:
        seeds: list[Any] = [None] * len(ends)
    elif isinstance(outputs, Tensor):
        seeds = [cotangents]
    else:
        seeds = list(cotangents)
    if len(seeds) != len(ends):
        raise ShapeError(
            f"there must be one cotangent for each of the {len(ends)} output(s); got {len(seeds)}. "
            "Pass a sequence of that length."
        )
    nodes = [node_of(x, i) for i, x in enumerate(wanted)]
    for y in ends:
        if y._node is None and y._ended != CONSTANT:
            raise GraphError(complaints.NO_GRAPH.format("an output", y, *why_ended(y)))
    # A cotangent that does not fit is an error also where the output depends on nothing.
    given = [
        (y._node, seed_for(None if seed is None else as_tensor(seed), y.shape, y.dtype))
        for y, seed in zip(ends, seeds, strict=True)
        if y._node is not None or seed is not None
    ]
    starts = [(node, seed) for node, seed in given if node is not None]
    found = sweep_from(starts, create_graph=create_graph, targets=nodes)
    return tuple(
        in_dtype(found[n], x, ended) if n in found else wrap(np.zeros(x.shape, x.dtype), None, ended)
        for x, n in zip(wanted, nodes, strict=True)
    )


def results_of(y: Any, name: str) -> list[Tensor]:
    """Return a function's result, or its results, as a list; raise unless they are Tensors."""
    ends = list(y) if isinstance(y, (tuple, list)) else [y]
    for end in ends:
        if not isinstance(end, Tensor):
            raise OperandError(
                f"{name} must get a Tensor, or a tuple of them, to differentiate; got {kind_of(end)}. "
                "Compute it with tg functions."
            )
    return ends


def node_of(x: Tensor, i: int) -> Node:
    """Return an input's node, or raise."""
    if not isinstance(x, Tensor) or x._node is None:
        raise GraphError(
            f"input {i} must be a Tensor that requires a gradient; got {x!r}. Make it with requires_grad=True before "
            "the outputs are computed."
        )
    return x._node


def in_dtype(found: Any, x: Tensor, ended: str) -> Tensor:
    """Return a gradient that the sweep found as a Tensor, in the dtype of what it is the gradient of."""
    gradient = found if isinstance(found, Tensor) else wrap(found, None, ended)
    if gradient._node is None and gradient._ended is None:
        gradient = wrap(gradient._array, None, ended)
    return gradient if gradient.dtype == x.dtype else gradient.astype(x.dtype)


def variable(x: Any) -> Tensor:
    """Return a new point of the tape with the value of ``x``, connected to it if it is on the tape already."""
    if isinstance(x, Tensor) and x.requires_grad:
        return positive(x)
    if isinstance(x, Tensor) and x.dtype.kind == "f":
        leaf = x.detach()
        leaf.requires_grad = True
        return leaf
    return Tensor(to_array(x), requires_grad=True)


def chosen(args: Sequence[Any], argnums: int | Sequence[int]) -> tuple[list[Any], list[int]]:
    """Return the arguments with those to differentiate by as variables, and which these are."""
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)
    for n in numbers:
        if not -len(args) <= n < len(args):
            raise OperandError(
                f"argnums must name positional arguments; got {n} for a call with {len(args)}. Count from 0."
            )
    numbers = [n % len(args) for n in numbers]
    return [variable(a) if i in numbers else a for i, a in enumerate(args)], numbers


def depends_on_others(outputs: Sequence[Tensor], own: Sequence[Tensor]) -> bool:
    """Return whether the outputs depend on a leaf besides ``own``, by which somebody may differentiate later."""
    ours = {x._node for x in own if x.is_leaf}
    seen = {y._node for y in outputs if y._node is not None}
    stack = list(seen)
    while stack:
        node = stack.pop()
        if node.primitive is None and node not in ours:
            return True
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return False


def one_tensor(y: Any, name: str) -> Tensor:
    """Return a function's result if it is one Tensor; raise if not."""
    if not isinstance(y, Tensor):
        raise OperandError(
            f"{name} must get a function that returns one Tensor; got {kind_of(y)}. Use tg.stack or "
            "tg.concatenate to join several results."
        )
    return y


def scalar_result(y: Any, name: str) -> Tensor:
    """Return a function's result if it is one number; raise if not."""
    if not isinstance(y, Tensor) or y.size != 1:
        got = f"shape {y.shape}" if isinstance(y, Tensor) else kind_of(y)
        raise ShapeError(
            f"{name} must get a function that returns a Tensor of one number; got {got}. "
            "Sum it to a loss, or use tg.jacobian or tg.vjp."
        )
    return y


def detached(y: Any) -> Any:
    """Return a Tensor or a tuple of them without their graphs."""
    return type(y)(e.detach() for e in y) if isinstance(y, (tuple, list)) else y.detach()


def taking_arguments_of(f: Callable[..., Any], transformed: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that says of itself what it wraps: ``help()`` and a program call its arguments as f does."""
    return update_wrapper(transformed, f, (), ())


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
        with differentiating():
            values, numbers = chosen(args, argnums)
            xs = [values[n] for n in numbers]
            y = scalar_result(f(*values, **kwargs), "grad")
            again = outer and depends_on_others([y], xs)
            found = found_gradients(y, xs, None, again, CONSTANT)
        y = y if again else y.detach()
        return y, found[0] if isinstance(argnums, int) else found

    return taking_arguments_of(f, with_gradient)


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

    return taking_arguments_of(f, gradient)


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
    with differentiating():
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
        return found_gradients(ends, variables, cotangents, differentiable, CONSTANT)

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
            f"{kind_of(xs)} and {kind_of(vs)}. Write tg.jvp(f, (x,), (v,))."
        )
    tangents = [as_tensor(v) for v in vs]
    outer = STATE.get().recording
    with differentiating():
        variables = [variable(x) for x in xs]
        for x, v in zip(variables, tangents, strict=True):
            if x.shape != v.shape:
                raise ShapeError(
                    f"a tangent must have its point's shape {x.shape}; got {v.shape}. Reshape or broadcast it."
                )
        y = one_tensor(f(*variables), "jvp")
        again = outer and depends_on_others([y, *tangents], variables)
        dummy = Tensor(np.zeros(y.shape, y.dtype), requires_grad=True)
        pulled = found_gradients(y, variables, dummy, True, CONSTANT)
        # Where y does not depend on an x, or not through arithmetic, nothing leads back to the dummy.
        reached = [(p, v) for p, v in zip(pulled, tangents, strict=True) if p.requires_grad]
        if not reached:
            return (y if again else y.detach()), wrap(np.zeros(y.shape, y.dtype), None)
        ends, weights = zip(*reached, strict=True)
        (tangent,) = found_gradients(ends, dummy, weights, again, CONSTANT)
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
        with differentiating():
            values, (number,) = chosen(args, argnums)
            x = values[number]
            y = one_tensor(f(*values, **kwargs), "jacobian")
            again = outer and depends_on_others([y], [x])
            rows: list[Tensor] = []
            for i in range(y.size):
                unit = np.zeros(y.size, y.dtype)
                unit[i] = 1
                rows += found_gradients(y, x, unit.reshape(y.shape), again, CONSTANT)
        if not rows:
            return wrap(np.zeros(y.shape + x.shape, x.dtype), None)
        return stack_all(*rows).reshape(y.shape + x.shape)

    return taking_arguments_of(f, full)


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
