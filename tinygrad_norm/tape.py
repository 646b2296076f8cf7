"""The tape: what a recorded operation is, what is being recorded, and the reverse sweep.

A :class:`Node` points at the nodes of its inputs and at nothing else: it holds no Tensor, so there
are no reference cycles and an array that nobody needs is freed at once. :func:`sweep` walks the nodes
from the newest to the oldest; since an operation is always newer than its inputs, every node has all its
contributions when its turn comes. Nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import ContextVar, Token
from heapq import heappop, heappush, heapreplace
from itertools import count
from types import TracebackType
from typing import Any, NamedTuple, Protocol

import numpy as np

from .array import Shape
from .errors import AnomalyError, GraphReleasedError, VJPError
from .primitive import Primitive
from .rules import Saved
from .summation import sum_to

creation = count(1)


class Scope:
    """A place in the module tree: one object a call, so that two calls of a layer stay apart."""

    __slots__ = ("kind", "name", "parent")

    def __init__(self, name: str, parent: Scope | None, kind: str) -> None:
        self.name, self.parent, self.kind = name, parent, kind

    @property
    def path(self) -> str:
        """The names from the outermost scope to this one, joined by dots; a root module has none."""
        names: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            if scope.name:
                names.append(scope.name)
            scope = scope.parent
        return ".".join(reversed(names))

    def __repr__(self) -> str:
        return f"<scope {self.path}>"


class Node:
    """One recorded operation, or a leaf (``primitive`` is None, and the node owns the gradient).

    ``saved`` holds what the VJP names, None once it was released; ``order`` is the creation number.
    """

    __slots__ = (
        "__weakref__", "grad", "keeps_grad", "name", "order", "params", "parents", "primitive",
        "saved", "scope", "shapes",
    )  # fmt: skip

    def __init__(
        self,
        primitive: Primitive | None,
        parents: tuple[Node | None, ...],
        shapes: tuple[Shape, ...],
        params: Mapping[str, Any] | None,
        saved: Saved | None,
        scope: Scope | None,
    ) -> None:
        self.primitive = primitive
        self.parents = parents
        self.shapes = shapes
        self.params = params
        self.saved = saved
        self.scope = scope
        self.order = next(creation)
        self.keeps_grad = primitive is None
        self.grad: Any = None
        self.name: str | None = None

    def __repr__(self) -> str:
        what = self.primitive.name if self.primitive else "leaf"
        return f"<node {self.order} {what}{where(self.scope)}>"


class Monitor(Protocol):
    """What watches a run: a trace. Every method is called from inside the engine; none may change anything."""

    def recorded(
        self, result: Any, primitive: Primitive, inputs: Sequence[Any], params: Mapping[str, Any],
        scope: Scope | None,
    ) -> None:  # fmt: skip
        """Note that ``result`` (a Tensor) was computed from ``inputs`` (Tensors, arrays, numbers)."""

    def failed(
        self, error: Exception, primitive: Primitive, inputs: Sequence[Any], params: Mapping[str, Any],
        scope: Scope | None,
    ) -> None:  # fmt: skip
        """Note that the forward function raised ``error``."""

    def swept(self, node: Node, cotangent: Any, raw: Sequence[Any], contributions: Sequence[Any]) -> None:
        """Note that ``node`` received ``cotangent`` and sent ``contributions`` to its parents (or None).

        ``raw`` is what the VJP returned, before a broadcast was summed back.
        """


class State(NamedTuple):
    """What the current thread or task is doing."""

    recording: bool = True
    scope: Scope | None = None
    anomaly: bool = False
    monitor: Monitor | None = None


STATE: ContextVar[State] = ContextVar("tinygrad_norm", default=State())  # noqa: B039  # immutable


class Setting:
    """Base of the context managers that change the state."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        self._tokens: list[Token[State]] = []

    def change(self, state: State) -> State:
        """Return the state that holds inside the block."""
        raise TypeError("a Setting must define change()")

    def __enter__(self) -> Any:
        self._tokens.append(STATE.set(self.change(STATE.get())))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        STATE.reset(self._tokens.pop())


class scope(Setting):  # noqa: N801  # used like a function: with tg.scope("encoder"):
    """Name a part of the computation; errors, drawings and checks give the path.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> with tg.scope("encoder"), tg.scope("attention"):
    ...     tg.ones((2, 5)) @ tg.ones((4, 8))
    Traceback (most recent call last):
    tinygrad_norm.errors.ShapeError: matmul in encoder.attention: ...
    """

    __slots__ = ("kind", "name")

    def __init__(self, name: str, kind: str = "scope") -> None:
        self._tokens = []
        self.name, self.kind = name, kind

    def change(self, state: State) -> State:
        """Push one scope."""
        return State(state[0], Scope(self.name, state[1], self.kind), state[2], state[3])


def where(scope: Scope | None) -> str:
    """Return `` in encoder.attention``, or nothing outside every named scope."""
    path = scope.path if scope is not None else ""
    return f" in {path}" if path else ""


def ancestors_between(roots: Sequence[Node], targets: Collection[Node]) -> set[Node]:
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


def sweep(
    roots: Sequence[tuple[Node, Any]],
    *,
    targets: Collection[Node] | None = None,
    release: bool = False,
    rewrap: Callable[[Node, Saved], Saved] | None = None,
) -> dict[Node, Any]:
    """Propagate cotangents from the roots back; return those of the targets.

    Parameters
    ----------
    roots : pairs of a node and its cotangent
    targets : the nodes whose cotangents are wanted; None means the leaves and those that keep a gradient
    release : drop saved arrays as soon as they were used
    rewrap : for a differentiable backward pass: turns a node's saved arrays into Tensors again
    """
    _, _, anomaly, monitor = STATE.get()
    targets = None if targets is None else set(targets)
    useful = None if targets is None else ancestors_between([n for n, _ in roots], targets)
    cotangents: dict[Node, Any] = {}
    owned: set[Node] = set()
    found: dict[Node, Any] = {}
    # Operations that wait for their turn, the newest first. In a chain there is only one, which stays out of the heap.
    # Leaves have no turn: what they have received at the end is their gradient.
    waiting: list[tuple[int, Node]] = []
    newest: Node | None = None

    for root, g in roots:
        if root in cotangents:
            cotangents[root] = cotangents[root] + g
        elif useful is None or root in useful:
            cotangents[root] = g
            if root.primitive is not None:
                heappush(waiting, (-root.order, root))

    while waiting or newest is not None:
        if newest is None:
            node = heappop(waiting)[1]
        else:
            node = newest
            if waiting and -waiting[0][0] > node.order:
                node = heapreplace(waiting, (-node.order, node))[1]
            newest = None
        g = cotangents.pop(node)
        if node.keeps_grad if targets is None else node in targets:
            found[node] = g
        primitive = node.primitive
        assert primitive is not None
        saved = node.saved
        if saved is None:
            raise released(node)
        if rewrap is not None:
            saved = rewrap(node, saved)
        parents, rules, joint = node.parents, primitive.rules, primitive.joint
        if joint is not None:
            together = joint(g, *saved)
            if type(together) is not tuple or len(together) != len(parents):
                raise wrong_count(primitive, node, together)
        if monitor is not None:
            sent: list[Any] = [None] * len(parents)
            raw = sent.copy() if joint is None else list(together)
        for i, parent in enumerate(parents):
            if parent is None or (useful is not None and parent not in useful):
                continue
            if joint is not None:
                c = together[i]
            else:
                rule, named = rules[i], saved[i]
                c = None if rule is None or named is None else rule(g, *named)
            if c is None:
                continue
            if monitor is not None:
                raw[i] = c
            try:
                if c.shape != node.shapes[i]:
                    c = fit(c, node, i)
            except AttributeError:
                c = fit(np.asarray(c), node, i)
            if anomaly:
                check_finite(g, c, node, i)
            if monitor is not None:
                sent[i] = c
            before = cotangents.get(parent)
            if before is None:
                cotangents[parent] = c
                if parent.primitive is not None:
                    if newest is None:
                        newest = parent
                    else:
                        heappush(waiting, (-parent.order, parent))
            elif parent in owned and before.dtype == c.dtype:
                # The sum was made by this sweep and nobody else has seen it.
                np.add(before, c, out=before)
            else:
                cotangents[parent] = both = before + c
                if type(both) is np.ndarray:
                    owned.add(parent)
        if release:
            node.saved = None
        if monitor is not None:
            monitor.swept(node, g, raw, sent)
    found.update(cotangents)
    return found


def released(node: Node) -> GraphReleasedError:
    """Return the error for a node whose saved arrays are gone."""
    assert node.primitive is not None
    return GraphReleasedError(
        f"the graph of {node.primitive.name}{where(node.scope)} must still hold its saved arrays; an earlier "
        "backward() released them. Call that one with retain_graph=True, or compute the result anew."
    )


def fit(cotangent: Any, node: Node, i: int) -> Any:
    """Return a cotangent in its input's shape; only an elementwise primitive may need summing for it."""
    primitive, shape = node.primitive, node.shapes[i]
    assert primitive is not None
    if cotangent.shape == shape:
        return cotangent
    if primitive.elementwise:
        try:
            return sum_to(cotangent, shape)
        except VJPError:
            pass
    raise VJPError(
        f"the VJP of {primitive.name}{where(node.scope)} must return a cotangent of shape {shape} for input {i}; "
        f"got {cotangent.shape}. Correct the rule: nothing is summed or stretched for it."
    )


def wrong_count(primitive: Primitive, node: Node, raw: Any) -> VJPError:
    """Return the error for a VJP whose result is not one cotangent for each input."""
    got = f"a tuple of {len(raw)}" if type(raw) is tuple else f"a {type(raw).__name__}"
    return VJPError(
        f"the VJP of {primitive.name}{where(node.scope)} must return a tuple with one cotangent for each of its "
        f"{len(node.parents)} input(s); got {got}. For one input write (cotangent,)."
    )


def check_finite(g: Any, cotangent: Any, node: Node, i: int) -> None:
    """Raise where a rule turned a finite cotangent into a NaN or an infinity."""
    primitive = node.primitive
    assert primitive is not None
    if np.all(np.isfinite(np.asarray(g))) and not np.all(np.isfinite(np.asarray(cotangent))):
        raise AnomalyError(
            f"{primitive.name}{where(node.scope)}: every gradient must be finite; the backward rule for input {i} "
            f"{primitive.rule[i] if i < len(primitive.rule) else ''} made a NaN or an infinity from a finite "
            f"cotangent of shape {g.shape}. Look at that input's values: a zero under a root, log or division?"
        )
