"""Walking the tree of modules, with attribute paths: which modules, parameters and buffers there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar


class Container(Protocol):
    """What is needed of a module to walk through it."""

    _modules: dict[str, Any]


C = TypeVar("C", bound=Container)


def joined(path: str, name: str) -> str:
    """Return an attribute path with one more name."""
    return f"{path}.{name}" if path else name


def walk(module: C, path: str, seen: set[int] | None) -> Iterator[tuple[str, C]]:
    """Yield a module and all below it, each after what contains it; with ``seen``, each once."""
    if seen is not None:
        if id(module) in seen:
            return
        seen.add(id(module))
    yield path, module
    for name, child in module._modules.items():
        yield from walk(child, joined(path, name), seen)


def named_entries(
    module: Container, table: str, path: str, recurse: bool, remove_duplicate: bool
) -> Iterator[tuple[str, Any]]:
    """Yield the entries of one of a module's tables, and with ``recurse`` of all modules below it."""
    seen: set[int] = set()
    owners = walk(module, path, set() if remove_duplicate else None) if recurse else iter([(path, module)])
    for place, owner in owners:
        for name, entry in getattr(owner, table).items():
            if entry is not None and id(entry) not in seen:
                if remove_duplicate:
                    seen.add(id(entry))
                yield joined(place, name), entry
