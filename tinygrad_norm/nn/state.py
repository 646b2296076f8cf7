"""A module's state: reading it out as arrays, and loading it all or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..engine.details.array import Array, to_array
from ..engine.tensor import Tensor
from ..errors import OperandError, StateDictError
from .parameter import Parameter
from .traversal import joined

SHOWN = 6


class Holder(Protocol):
    """What is needed of a module to read and load its state."""

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterable[tuple[str, Any]]:
        """Yield the module and all below it with their paths."""


class StateKeys(NamedTuple):
    """Which keys did not match when a state dict was loaded."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Entry(NamedTuple):
    """One parameter or buffer, and where it is kept."""

    table: dict[str, Any]
    name: str
    value: Tensor


def entries(module: Holder, prefix: str) -> dict[str, Entry]:
    """Return what a state dict holds, by key: of each module its parameters, its buffers, then its parts."""
    found = {}
    for path, owner in module.named_modules(prefix.removesuffix("."), remove_duplicate=False):
        for table in (owner._parameters, owner._buffers):
            for name, value in table.items():
                if value is not None and name not in owner._unsaved:
                    found[joined(path, name)] = Entry(table, name, value)
    return found


def read_state(module: Holder, prefix: str) -> dict[str, Array]:
    """Return the state as read-only arrays."""
    return {key: entry.value.data for key, entry in entries(module, prefix).items()}


def load_state(module: Holder, state: Mapping[str, Any], strict: bool) -> StateKeys:
    """Put arrays into the places that their keys name; raise before anything is changed if some do not fit."""
    places = entries(module, "")
    if not isinstance(state, Mapping):
        raise OperandError(
            f"load_state_dict must get a mapping from keys to arrays; got {type(state).__name__}. "
            "Pass other.state_dict(), or what tg.load(path) returns."
        )
    keys = StateKeys([k for k in places if k not in state], [k for k in state if k not in places])
    problems = []
    if strict and keys.missing_keys:
        problems.append(f"missing: {listed(keys.missing_keys)}")
    if strict and keys.unexpected_keys:
        problems.append(f"unexpected: {listed([near(k, keys.missing_keys) for k in keys.unexpected_keys])}")
    values = {key: as_values(key, state[key]) for key in places if key in state}
    misshapen = [
        f"{key} {values[key].shape} for {places[key].value.shape}"
        for key in values
        if values[key].shape != places[key].value.shape
    ]
    if misshapen:
        problems.append(f"of another shape: {listed(misshapen)}")
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
            f"a state dict must hold arrays of numbers; got {type(value).__name__} for {key!r}: {error}. "
            "Nothing was loaded. Convert it with np.asarray(value, dtype=float)."
        ) from error


def near(key: str, candidates: list[str]) -> str:
    """Return an unexpected key with the missing one that it may be meant for."""
    match = get_close_matches(key, candidates, n=1, cutoff=0.8)
    return f"{key} (is it {match[0]}?)" if match else key


def listed(names: list[str]) -> str:
    """Return names as one text, shortened when there are many."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
