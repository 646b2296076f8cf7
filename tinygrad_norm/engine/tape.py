"""The tape: what was recorded. A :class:`Node` is one operation, or a leaf.

It points at the nodes of its inputs and at nothing else: it holds no Tensor, so there are no reference cycles and an
array that nobody needs is freed at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar, Token
from itertools import count
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from .details.array import Shape
from .details.saving import Saved
from .primitive import Primitive


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


def where(scope: Scope | None) -> str:
    """Return `` in encoder.attention``, or nothing outside every named scope."""
    path = scope.path if scope is not None else ""
    return f" in {path}" if path else ""


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

    def swept(self, node: Any, cotangent: Any, raw: Sequence[Any], contributions: Sequence[Any]) -> None:
        """Note that ``node`` (of the tape) received ``cotangent`` and sent ``contributions`` to its parents (or None).

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


creation = count(1)


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


def leaf_node(array: Any, name: str | None) -> Node:
    """Return the node of a new leaf with these values."""
    node = Node(None, (), (array.shape,), {"dtype": array.dtype}, (), STATE.get().scope)
    node.name = name
    return node
