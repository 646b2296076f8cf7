"""A program's call on the tape: one operation, whose rule runs the written backward pass.

Where that pass is itself to be differentiated, or reads other values than were recorded, the function runs instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..engine.details.array import PLAIN
from ..engine.primitive import Primitive
from ..engine.sweep import seed_for
from ..engine.tape import STATE, Node, new, operation_node
from ..engine.tensor import Tensor, accumulate, as_tensor, wrap
from ..errors import GraphError, ShapeError
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
    """One recording of a call and its functions; ``every`` says whether each real-valued input has a gradient."""

    call: Call
    every: bool
    recording: Recording
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    opened: Callable[..., Any]
    leaves: tuple[Node | None, ...] = ()  # to which its backward pass led the last time

    def backward_from(self, g: Any, saved: Any, name: str) -> Sequence[Any]:
        """Return the gradients for what can be made cotangents; raise if it cannot."""
        cotangents = self.recording.cotangents
        gs = g if isinstance(g, tuple) else (g,)
        gs = tuple([np.asarray(g, value.dtype, order="C") for g, value in zip(gs, cotangents, strict=False)])
        if [g.shape for g in gs] != [value.shape for value in cotangents]:
            raise ShapeError(
                f"program: there must be one cotangent for each result of {name}, of shape "
                f"{', '.join(str(value.shape) for value in cotangents)}; got {', '.join(str(g.shape) for g in gs)}. "
                "Pass g of the shape of the result, or a tuple of them."
            )
        try:
            found: Sequence[Any] = self.backward(saved, *gs)
        except ChangedError:
            raise GraphError(
                f"program: the backward pass of {name} must read the values that it read when it was recorded; "
                "got other ones. Call the program on Tensors: the function itself then computes it."
            ) from None
        return found


Saved: TypeAlias = tuple[Variant, Any]
"""What a forward pass keeps for the backward pass, and the recording it belongs to."""


class Result(Tensor):
    """What a program of one result gives. Where its inputs are leaves, no sweep is needed to reach them."""

    __slots__ = ()

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Do what every Tensor does."""
        node, state = self._node, STATE.get()
        plain = not create_graph and not state.anomaly and state.monitor is None
        if plain and node is not None and node.saved and node.holder is None:
            variant, saved = node.saved[1]
            if node.parents == variant.leaves or leads_to_leaves(node, variant):
                array = self._array
                seed: Any = seed_for(None if gradient is None else as_tensor(gradient), array.shape, array.dtype)
                try:
                    sent = variant.backward(saved, seed._array if isinstance(seed, Tensor) else seed)
                except Exception:
                    pass  # below it is said what is wrong, or the function itself does it
                else:
                    if not retain_graph:
                        node.saved = None
                    accumulate(zip(node.parents, sent, strict=True))
                    return
        super().backward(gradient, retain_graph, create_graph)


def leads_to_leaves(node: Node, variant: Variant) -> bool:
    """Return whether all inputs that have a gradient are leaves, none of them twice."""
    leaves = {p for p in node.parents if p is not None and p.primitive is None}
    if len(leaves) < variant.call.wanted.count(True):
        return False
    variant.leaves = node.parents
    return True


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
        result: Tensor = new(Result)
        result._array, result._node = results, node
        result._name = result._ended = None
        return result
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
