"""What a transform does to the function it is given: its arguments become variables, its results are looked at.

A result that depends on nothing but the variables is handed out as plain values; one that somebody may differentiate
later, by a Tensor that the function closes over, stays on the tape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..array import to_array
from ..errors import OperandError, ShapeError
from ..primitive import FUNCTIONS
from ..tensor import Tensor


def variable(x: Any) -> Tensor:
    """Return a new point of the tape with the value of ``x``, connected to it if it is on the tape already."""
    if isinstance(x, Tensor) and x.requires_grad:
        connected: Tensor = FUNCTIONS["positive"](x)
        return connected
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
            f"{name} must get a function that returns one Tensor; got {type(y).__name__}. Use tg.stack or "
            "tg.concatenate to join several results."
        )
    return y


def scalar_result(y: Any, name: str) -> Tensor:
    """Return a function's result if it is one number; raise if not."""
    if not isinstance(y, Tensor) or y.size != 1:
        got = f"shape {y.shape}" if isinstance(y, Tensor) else type(y).__name__
        raise ShapeError(
            f"{name} must get a function that returns a Tensor of one number; got {got}. "
            "Sum it to a loss, or use tg.jacobian or tg.vjp."
        )
    return y


def detached(y: Any) -> Any:
    """Return a Tensor or a tuple of them without their graphs."""
    return type(y)(e.detach() for e in y) if isinstance(y, (tuple, list)) else y.detach()
