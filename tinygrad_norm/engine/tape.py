"""2. The tape: what was recorded, and the state of a thread that says whether anything is.

A :class:`Node` is one operation, or a leaf. It points at the nodes of its inputs and at nothing else: a Tensor that
takes its gradient it knows weakly, so there are no reference cycles and an array that nobody needs is freed at once.

``STATE.get()`` tells whether this thread or task records, in which :class:`Scope`, and who watches. A state is never
changed, and a context variable holds it, so threads and tasks cannot disturb each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from itertools import count
from typing import Any, Protocol
from weakref import ref

from . import complaints
from .details.array import Shape
from .details.saving import Saved
from .primitive import Primitive

new = object.__new__
creation = count(1)


class Node:
    """One recorded operation, or a leaf (``primitive`` is None).

    ``saved`` holds what the VJP names, None once it was released; ``order`` is the creation number; ``holder`` the
    Tensor that takes the gradient: a leaf's own, or one of which ``retain_grad()`` was asked.
    """

    __slots__ = ("__weakref__", "holder", "name", "order", "params", "parents", "primitive", "saved", "scope", "shapes")

    primitive: Primitive | None
    parents: tuple[Node | None, ...]
    shapes: tuple[Shape, ...]
    params: Mapping[str, Any]
    saved: Saved | None
    scope: Scope | None
    order: int
    holder: ref[Any] | None
    name: str | None

    def __repr__(self) -> str:
        what = self.primitive.name if self.primitive else "leaf"
        return f"<node {self.order} {what}{complaints.where(self.scope)}>"


def operation_node(
    primitive: Primitive | None,
    parents: tuple[Node | None, ...],
    shapes: tuple[Shape, ...],
    params: Mapping[str, Any],
    saved: Saved | None,
    scope: Scope | None,
) -> Node:
    """Return the node of an operation that is being recorded."""
    # Not in __init__, which would take twice the time.
    node: Node = new(Node)
    node.primitive, node.parents, node.shapes, node.params = primitive, parents, shapes, params
    node.saved, node.scope, node.order = saved, scope, next(creation)
    node.holder = node.name = None
    return node


def leaf_node(tensor: Any) -> Node:
    """Return the node of a new leaf."""
    array = tensor._array
    node = operation_node(None, (), (array.shape,), {"dtype": array.dtype}, (), STATE.get().scope)
    node.holder, node.name = ref(tensor), tensor._name
    return node


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


class Monitor(Protocol):
    """What watches a run: a trace. Every method is called from inside the engine; none may change anything."""

    def recorded(
        self, result: Any, primitive: Primitive, inputs: Sequence[Any], params: Mapping[str, Any], scope: Scope | None
    ) -> None:
        """Note that ``result`` (a Tensor) was computed from ``inputs`` (Tensors, arrays, numbers)."""

    def noted(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        """Note that NumPy's ``function`` was called on the values of Tensors; its result has no gradient."""

    def failed(
        self,
        error: Exception,
        primitive: Primitive,
        inputs: Sequence[Any],
        params: Mapping[str, Any],
        scope: Scope | None,
    ) -> None:
        """Note that the forward function raised ``error``."""

    def swept(self, node: Any, cotangent: Any, contributions: Sequence[Any]) -> None:
        """Note that ``node`` (of the tape) received ``cotangent`` and sent its parents ``contributions`` (or None)."""


class State:
    """What the current thread or task is doing. It is never changed: :meth:`replaced` gives another one.

    ``strict`` makes a value that leaves the tape unseen an error, as inside a transform or a check; ``outer`` is what
    holds again when the innermost block ends.
    """

    __slots__ = ("anomaly", "monitor", "outer", "recording", "scope", "strict")

    def __init__(
        self,
        recording: bool = True,
        scope: Scope | None = None,
        anomaly: bool = False,
        monitor: Monitor | None = None,
        strict: bool = False,
        outer: State | None = None,
    ) -> None:
        self.recording, self.scope, self.anomaly = recording, scope, anomaly
        self.monitor, self.strict, self.outer = monitor, strict, outer

    def within(self, scope: Scope) -> State:
        """Return the state in another scope, to which this one is the outer one."""
        return State(self.recording, scope, self.anomaly, self.monitor, self.strict, self)

    def replaced(self, **changes: Any) -> State:
        """Return the state with some parts changed, to which this one is the outer one."""
        state = State(self.recording, self.scope, self.anomaly, self.monitor, self.strict, self)
        for name, value in changes.items():
            setattr(state, name, value)
        return state


STATE: ContextVar[State] = ContextVar("tinygrad_norm", default=State())  # noqa: B039  # never changed
