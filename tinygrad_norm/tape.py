"""The tape: what was recorded. A :class:`Node` is one operation, or a leaf.

It points at the nodes of its inputs and at nothing else: it holds no Tensor, so there are no reference cycles and an
array that nobody needs is freed at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from .array import Shape
from .primitive import Primitive
from .rules import Saved
from .state import STATE, Scope, where

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
