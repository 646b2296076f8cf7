"""A program's call on the tape: one operation, whose rule runs the written backward pass.

Where that pass is itself to be differentiated, or reads other values than were recorded, the function runs instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.details.array import PLAIN
from ..engine.primitive import Primitive
from ..engine.tape import STATE, Node, operation_node
from ..engine.tensor import Tensor, wrap
from ..samples import sample
from ..transforms import vjp
from .arguments import Call, arrays_in, filled, mapped_results
from .recorder import tensors_in
from .steps import Recording, Value
from .writing import ChangedError

if TYPE_CHECKING:
    from .program import Program


@dataclass(eq=False)
class Variant:
    """One recording of a call and its two functions; ``every`` says whether each real-valued input has a gradient."""

    call: Call
    every: bool
    recording: Recording
    forward: Callable[..., Any]
    backward: Callable[..., Any]

    @property
    def wanted(self) -> list[bool]:
        """Which inputs have a gradient."""
        return self.call.wanted


def operation_of(program: Program) -> Primitive:
    """Return the operation that stands on the tape for a call of a program."""

    def forward(*xs: Any, kept: Any = None) -> Any:
        return kept

    def rule(g: Any, xs: Any, kept: Any) -> Sequence[Any]:
        return pulled_back(program, g, xs, *kept)

    # In no registry, so that nobody tests it at its sample.
    return Primitive(forward, rule, program.name, [sample((1,))], "", "", (), False, False, "", True)


def results_on_tape(
    program: Program, variant: Variant, nodes: tuple[Node | None, ...], arrays: Any, results: Any, saved: Any
) -> Any:
    """Return the results as Tensors of one operation; where there are several, they are parts of what it gives."""
    shapes = variant.call.signature[2]
    node = operation_node(program.operation, nodes, shapes, {}, (arrays, (variant, saved)), STATE.get().scope)
    if isinstance(results, PLAIN):
        return wrap(results, node)
    flows = variant.recording.flows
    ends = [y for y, flow in zip(arrays_in(results), flows, strict=True) if flow]
    packed = wrap(np.concatenate([np.ravel(y) for y in ends]), node)
    at = 0

    def part(i: int, y: Any) -> Tensor:
        nonlocal at
        if not flows[i]:
            return wrap(y, None)
        at += y.size
        return packed[at - y.size : at].reshape(y.shape).astype(y.dtype)

    return mapped_results(results, part)


def pulled_back(program: Program, g: Any, xs: Any, variant: Variant, saved: Any) -> Sequence[Any]:
    """Do one step of a backward pass: from the cotangent of the results to those of the inputs."""
    gs: Sequence[Any] = (g,)
    if not isinstance(variant.recording.outputs, Value):
        shapes = [value.shape for value in variant.recording.cotangents]
        ends = np.cumsum([0, *map(prod, shapes)]).tolist()
        gs = [g[a:b].reshape(shape) for a, b, shape in zip(ends, ends[1:], shapes, strict=False)]
    if not isinstance(g, PLAIN):
        return pulled_eagerly(program, variant, gs, xs)
    try:
        if not g.flags.c_contiguous:  # sums depend on the layout, to the last bit
            raise ChangedError
        found: Sequence[Any] = variant.backward(saved, *gs)
        return found
    except ChangedError:
        return [None if g is None else g._array for g in pulled_eagerly(program, variant, gs, xs)]


def pulled_eagerly(program: Program, variant: Variant, gs: Sequence[Any], xs: Sequence[Any]) -> Sequence[Any]:
    """Do the backward pass by the function itself, on Tensors, so that it can be differentiated again."""
    wanted = variant.call.wanted
    surroundings = program.surroundings
    surrounding = [place.value() for place in surroundings.tensors.values()]
    own = len(xs) - len(surrounding)

    def ends(*tensors: Tensor) -> Any:
        rest = iter(tensors)
        values = [next(rest) if w else wrap(x, None) for x, w in zip(xs, wanted, strict=True)]
        with standing_in(surrounding, values[own:]), surroundings.buffers_kept():
            found = tensors_in(filled(program.function, variant.call, values))
            return tuple([y for y, flow in zip(found, variant.recording.flows, strict=True) if flow])

    _, pullback = vjp(ends, *(x for x, w in zip(xs, wanted, strict=True) if w))
    gradients = iter(pullback(*gs))
    return [next(gradients) if w else None for w in wanted]


@contextmanager
def standing_in(tensors: Sequence[Tensor], others: Sequence[Tensor]) -> Iterator[None]:
    """Let Tensors be others for a while, on the tape too."""
    before = [(t._array, t._node) for t in tensors]
    try:
        for tensor, other in zip(tensors, others, strict=True):
            tensor._array, tensor._node = other._array, other._node
        yield
    finally:
        for tensor, (array, node) in zip(tensors, before, strict=True):
            tensor._array, tensor._node = array, node
