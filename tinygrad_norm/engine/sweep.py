"""3. The reverse sweep: cotangents flow from results back to leaves.

:func:`sweep` is the loop. It takes the newest operation that waits (:class:`Cotangents`), asks its rule what the inputs
receive (:func:`contributions`), and adds that to what they have. Since an operation is always newer than its inputs,
every node has all its contributions when its turn comes. Nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from heapq import heappop, heappush, heapreplace
from math import prod
from typing import Any, TypeAlias

import numpy as np

from ..errors import GraphError, ShapeError, VJPError
from . import complaints
from .details.array import Shape, freeze
from .details.saving import Saved
from .details.summation import sum_to
from .primitives.indexing import Part
from .tape import STATE, Node

Wrap: TypeAlias = Callable[[Any, Node], Any]
"""Makes a Tensor of an array and its node."""


def sweep(
    roots: Sequence[tuple[Node, Any]],
    *,
    targets: Collection[Node] | None = None,
    release: bool = False,
    wrap: Wrap | None = None,
) -> dict[Node, Any]:
    """Propagate cotangents from the roots back; return those of the targets.

    Parameters
    ----------
    roots : pairs of a node and its cotangent
    targets : the nodes whose cotangents are wanted; None means the leaves and those that keep a gradient
    release : drop saved arrays as soon as they were used
    wrap : for a differentiable backward pass: makes Tensors of what was saved, so that the rules record
    """
    state = STATE.get()
    anomaly, monitor = state.anomaly, state.monitor
    starts, seeds = [node for node, _ in roots], [g for _, g in roots]
    wanted = None if targets is None else set(targets)
    useful = None if wanted is None else between(starts, wanted)
    cotangents = Cotangents(useful)
    received = cotangents.received
    found: dict[Node, Any] = {}
    cotangents.add(starts, [g.shape for g in seeds], seeds)
    while (node := cotangents.newest()) is not None:
        g = received.pop(node)
        if node.holder is not None if wanted is None else node in wanted:
            found[node] = g
        sent = contributions(node, g, useful, wrap)
        cotangents.add(node.parents, node.shapes, sent, node)
        if anomaly or monitor is not None:
            watch(node, g, sent, useful)
        if release:
            node.saved = None
    found.update(received)
    return found


class Cotangents:
    """What each node has received so far, and which operation is next: the newest of those that have something.

    Leaves have no turn: what they have received at the end is their gradient.
    """

    __slots__ = ("lone", "owned", "parted", "received", "useful", "waiting")

    def __init__(self, useful: Collection[Node] | None) -> None:
        self.useful = useful
        self.received: dict[Node, Any] = {}
        self.waiting: list[tuple[int, Node]] = []
        # In a chain only one operation waits at a time: it stays out of the heap.
        self.lone: Node | None = None
        # Nodes whose sum was made here and that nobody else has seen, so that it can be added to in place.
        self.owned: set[Node] = set()
        # Those that a part was added to, so that no −0 is left there: the zeros of further parts change nothing.
        self.parted: set[Node] = set()

    def newest(self) -> Node | None:
        """Return the newest operation that waits, which then waits no more; None at the end."""
        node, waiting = self.lone, self.waiting
        if node is None:
            return heappop(waiting)[1] if waiting else None
        self.lone = None
        if waiting and -waiting[0][0] > node.order:
            return heapreplace(waiting, (-node.order, node))[1]
        return node

    def add(
        self, nodes: Sequence[Node | None], shapes: Sequence[Shape], sent: Sequence[Any], source: Node | None = None
    ) -> None:
        """Add to what each node has received what it is sent; nothing goes to a node that is not useful."""
        useful, received = self.useful, self.received
        i = -1
        for g in sent:  # enumerate() would take a hundredth of a small network's time
            i += 1
            node = nodes[i]
            if g is None or node is None or (useful is not None and node not in useful):
                continue
            try:
                if g.shape != shapes[i]:
                    g = summed_back(g, source, i)
            except AttributeError:  # a rule may return a part, or a Python number
                if isinstance(g, Part):
                    if node in self.parted and received[node].dtype == g.dtype:
                        received[node][g.index] += g.entries
                        continue
                    self.parted.add(node)
                g = summed_back(np.asarray(g), source, i)
            if node not in received:
                received[node] = g
                if node.primitive is not None:
                    if self.lone is None:
                        self.lone = node
                    else:
                        heappush(self.waiting, (-node.order, node))
            elif node in self.owned and received[node].dtype == g.dtype:
                np.add(received[node], g, out=received[node])
            else:
                received[node] = both = received[node] + g
                if type(both) is np.ndarray:
                    self.owned.add(node)


def contributions(node: Node, g: Any, useful: Collection[Node] | None, wrap: Wrap | None) -> Sequence[Any]:
    """Return what a node's rules give for each of its inputs, in the shape in which they give it."""
    saved, primitive = node.saved, node.primitive
    assert primitive is not None
    if saved is None:
        raise complaints.released(node)
    if wrap is not None:
        saved = on_tape(node, saved, wrap)
    if useful is not None and not primitive.joint:
        saved = tuple([s if p in useful else None for s, p in zip(saved, node.parents, strict=True)])
    if not primitive.native:
        freeze((g, saved))
    try:
        sent: Sequence[Any] = primitive.pull_back(g, saved)
    except Exception as error:
        if isinstance(error, complaints.LEFT_ALONE):
            raise
        raise complaints.rule_failed(error, node) from error
    if not primitive.native and (type(sent) is not tuple or len(sent) != len(node.parents)):
        raise complaints.wrong_count(node, sent)
    return sent


def summed_back(cotangent: Any, node: Node | None, i: int) -> Any:
    """Return a cotangent in its input's shape; only an elementwise primitive may need summing for it."""
    assert node is not None
    assert node.primitive is not None
    shape = node.shapes[i]
    if cotangent.shape == shape:
        return cotangent
    if node.primitive.elementwise:
        try:
            return sum_to(cotangent, shape)
        except VJPError:  # what follows says where
            pass
    raise complaints.wrong_shape(node, i, cotangent.shape)


def watch(node: Node, g: Any, sent: Sequence[Any], useful: Collection[Node] | None) -> None:
    """Tell the monitor what was sent, and look for the NaN that ``detect_anomaly`` is about."""
    state = STATE.get()
    arrived: list[Any] = [None] * len(sent)
    for i, (parent, c) in enumerate(zip(node.parents, sent, strict=True)):
        if c is not None and parent is not None and (useful is None or parent in useful):
            arrived[i] = summed_back(c if hasattr(c, "shape") else np.asarray(c), node, i)
            if state.anomaly:
                complaints.check_backward(g, arrived[i], node, i)
    if state.monitor is not None:
        state.monitor.swept(node, g, arrived)


def on_tape(node: Node, saved: Saved, wrap: Wrap) -> Saved:
    """Return what a node saved with its arrays as Tensors on the tape, so that a rule on them records."""
    primitive, parents = node.primitive, node.parents
    assert primitive is not None

    def again(name: str, value: Any) -> Any:
        if name == "out":
            return wrap(value, node)
        if name not in primitive.inputs:
            return value
        if primitive.variadic:
            return tuple([v if p is None else wrap(v, p) for v, p in zip(value, parents, strict=True)])
        parent = parents[primitive.inputs.index(name)]
        return value if parent is None else wrap(value, parent)

    return primitive.changed(saved, again)


def between(roots: Sequence[Node], targets: Collection[Node]) -> set[Node]:
    """Return the nodes that lie on a path from a target to a root."""
    seen, stack = set(roots), list(roots)
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    useful = {t for t in targets if t in seen}
    for node in sorted(seen, key=lambda n: n.order):
        if any(p in useful for p in node.parents):
            useful.add(node)
    return useful


def seed_for(cotangent: Any, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """Return the cotangent that a backward pass starts from: the array or Tensor given, or 1 for a single number."""
    if cotangent is None:
        if prod(shape) != 1:
            raise GraphError(complaints.NO_COTANGENT.format(shape))
        return np.ones(shape, dtype) if shape else dtype.type(1)
    if cotangent.shape != shape:
        raise ShapeError(complaints.WRONG_COTANGENT.format(shape, cotangent.shape))
    # A list of Python numbers must not turn the backward pass of a float32 into one of float64.
    return cotangent if cotangent.dtype == dtype else cotangent.astype(dtype)
