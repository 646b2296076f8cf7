"""How a module is printed: itself, and below it, indented, the modules it is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Branch(Protocol):
    """What is needed of a module to print it."""

    def extra_repr(self) -> str:
        """Return the arguments that the module was made with."""

    def named_children(self) -> Iterable[tuple[str, Branch]]:
        """Yield the modules it is made of."""


def tree_text(module: Branch) -> str:
    """Return a module as nested lines, ``(name): Type(arguments)``."""
    kind, extra = type(module).__name__, module.extra_repr()
    lines = [f"({name}): {tree_text(child)}".replace("\n", "\n  ") for name, child in module.named_children()]
    if not lines:
        return f"{kind}({extra})"
    body = "\n  ".join([extra, *lines] if extra else lines)
    return f"{kind}(\n  {body}\n)"
