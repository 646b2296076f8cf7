"""The tree of modules: walked with attribute paths, printed, read out as arrays, and loaded all or not at all.

Everything here rests on three tables that a module keeps: its parameters, its buffers, and the modules it is made of.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from ..engine.details.array import Array, to_array
from ..engine.tensor import Tensor
from ..errors import OperandError, StateDictError
from ..pytorch_names import kind_of
from .parameter import Parameter

MOST_KEYS_LISTED = 6
CONTAINERS = (list, tuple, dict, set, frozenset)


class Branch(Protocol):
    """What is needed of a module to walk through it, print it, and read and load its state."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Any]
    _unsaved: set[str]

    @abstractmethod
    def extra_repr(self) -> str:
        """Return the arguments that the module was made with."""


B = TypeVar("B", bound=Branch)


class StateKeys(NamedTuple):
    """Which keys did not match when a state dict was loaded."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class StateEntry(NamedTuple):
    """One parameter or buffer, and where it is kept."""

    table: dict[str, Any]
    name: str
    value: Tensor


def joined(path: str, name: str) -> str:
    """Return an attribute path with one more name."""
    return f"{path}.{name}" if path else name


def walk(module: B, path: str, seen: set[int] | None) -> Iterator[tuple[str, B]]:
    """Yield a module and all below it, each after what contains it; with ``seen``, each once."""
    pending = [(path, module)]
    while pending:
        path, module = pending.pop()
        if seen is not None:
            if id(module) in seen:
                continue
            seen.add(id(module))
        for name in module.__dict__.get("_growing", ()):
            refuse_hidden(name, module.__dict__.get(name, ()))
        yield path, module
        if module._modules:
            pending += [(joined(path, name), child) for name, child in reversed(module._modules.items())]


def refuse_hidden(name: str, value: Any) -> bool:
    """Raise where modules or parameters sit in plain containers, at any depth: nobody would find them there.

    Returns whether there is a container that may take some in later.
    """
    if not isinstance(value, CONTAINERS):
        return False
    may_grow = False
    pending, opened = [value], set()
    while pending:
        container = pending.pop()
        may_grow = may_grow or not isinstance(container, (tuple, frozenset))
        opened.add(id(container))
        entries = container.values() if isinstance(container, dict) else container
        kinds = set(map(type, entries))
        for kind in kinds:
            # A module is known by this method, as this file lies below it.
            if issubclass(kind, Parameter) or hasattr(kind, "register_buffer"):
                if issubclass(kind, Parameter):
                    kept, sign = "ParameterList", "[...]"
                else:
                    kept, sign = ("ModuleDict", "{...}") if isinstance(container, dict) else ("ModuleList", "[...]")
                raise OperandError(
                    f"a {kind.__name__} must be an attribute, or in a {kept}; got it in a plain "
                    f"{type(container).__name__}, {name!r}, where an optimizer or state_dict() would not find it. "
                    f"Write self.{name} = nn.{kept}({sign})."
                )
        if any(issubclass(kind, CONTAINERS) for kind in kinds):
            pending += [e for e in entries if isinstance(e, CONTAINERS) and id(e) not in opened]
    return may_grow


def named_entries(
    module: Branch, table: str, path: str, recurse: bool, remove_duplicate: bool
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


def tree_text(module: Branch) -> str:
    """Return a module as nested lines, ``(name): Type(arguments)``."""
    lines: list[str] = []
    # What is still to be written: modules with what stands before them, and closing brackets.
    pending: list[tuple[str, str, Any]] = [("", "", module)]
    while pending:
        indent, before, part = pending.pop()
        if part is None:
            lines.append(f"{indent})")
            continue
        extra, inner = part.extra_repr().replace("\n", f"\n{indent}"), indent + "  "
        opened = f"{indent}{before}{type(part).__name__}("
        if not part._modules:
            lines.append(f"{opened}{extra})")
            continue
        lines += [opened, f"{inner}{extra}"] if extra else [opened]
        pending.append((indent, "", None))
        pending += [(inner, f"({name}): ", child) for name, child in reversed(part._modules.items())]
    return "\n".join(lines)


def state_entries(module: Branch, prefix: str) -> dict[str, StateEntry]:
    """Return what a state dict holds, by key: of each module its parameters, its buffers, then its parts."""
    found = {}
    for path, owner in walk(module, prefix.removesuffix("."), None):
        tables: list[dict[str, Any]] = [owner._parameters, owner._buffers]
        for table in tables:
            for name, value in table.items():
                if value is not None and name not in owner._unsaved:
                    found[joined(path, name)] = StateEntry(table, name, value)
    return found


def load_state(module: Branch, state: Mapping[str, Any], strict: bool) -> StateKeys:
    """Put arrays into the places that their keys name; raise before anything is changed if some do not fit."""
    places = state_entries(module, "")
    if not isinstance(state, Mapping):
        raise OperandError(
            f"load_state_dict must get a mapping from keys to arrays; got {type(state).__name__}. "
            "Pass other.state_dict(), or what tg.load(path) returns."
        )
    keys = StateKeys([k for k in places if k not in state], [k for k in state if k not in places])
    problems = []
    if strict and keys.missing_keys:
        problems.append(f"missing: {first_few(keys.missing_keys)}")
    if strict and keys.unexpected_keys:
        problems.append(f"unexpected: {first_few([near(k, keys.missing_keys) for k in keys.unexpected_keys])}")
    values = {key: as_values(key, state[key]) for key in places if key in state}
    misshapen = [
        f"{key} {values[key].shape} for {places[key].value.shape}"
        for key in values
        if values[key].shape != places[key].value.shape
    ]
    if misshapen:
        problems.append(f"of another shape: {first_few(misshapen)}")
    if problems:
        raise StateDictError(
            f"a state dict must hold the keys and shapes of {type(module).__name__}; got {'; '.join(problems)}. "
            "Nothing was loaded. Build the module with the arguments that it was saved with"
            + ("." if misshapen else ", or pass strict=False to load what matches.")
        )
    for key, array in values.items():
        table, name, old = places[key]
        if isinstance(old, Parameter):
            old.data = array
        else:
            table[name] = Tensor(array, dtype=old.dtype)
    return keys


def as_values(key: str, value: Any) -> Array:
    """Return one entry as an array of numbers."""
    try:
        # A PyTorch tensor is no sequence of numbers to NumPy's constructor but has __array__.
        return to_array(value if isinstance(value, Tensor) else np.asarray(value))
    except (OperandError, TypeError, ValueError, RuntimeError) as error:
        raise StateDictError(
            f"a state dict must hold arrays of numbers; got {kind_of(value)} for {key!r}: {error}. "
            "Nothing was loaded. Convert it with np.asarray(value, dtype=float)."
        ) from error


def near(key: str, candidates: list[str]) -> str:
    """Return an unexpected key with the missing one that it may be meant for."""
    match = get_close_matches(key, candidates, n=1, cutoff=0.8)
    return f"{key} (is it {match[0]}?)" if match else key


def first_few(names: list[str]) -> str:
    """Return names as one text, the first few when there are many."""
    more = f" and {len(names) - MOST_KEYS_LISTED} more" if len(names) > MOST_KEYS_LISTED else ""
    return ", ".join(names[:MOST_KEYS_LISTED]) + more
