"""What a function reads besides its arguments: Tensors and modules, which become inputs, and plain values.

A program would freeze a plain value: a factor in a global variable, a list, a module's ``training``. So it remembers
what it was, and :meth:`Surroundings.changed` says whether it is another one now.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from functools import partial
from inspect import unwrap
from operator import attrgetter, itemgetter
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..nn import Module
from ..nn.module_tree import joined

PACKAGE = __name__.partition(".")[0]
SCALARS = (bool, int, float, complex, str, bytes, type(None), np.generic)


class Place:
    """Where a value stands that a function reads: in a dictionary or a list, or in a cell of a closure."""

    __slots__ = ("key", "path", "read", "table")

    def __init__(self, table: Any, key: Any, path: str = "") -> None:
        self.table, self.key, self.path = table, key, path or str(key)
        self.read = attrgetter("cell_contents") if isinstance(table, CellType) else itemgetter(key)

    def value(self) -> Any:
        """Return what stands there now."""
        return self.read(self.table)


class Attributes:
    """What an object's attributes are now, its own and those of its class; of ``os``, the environment."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __getitem__(self, key: str) -> Any:
        found = getattr(self.thing, key, None)
        return dict(os.environ) if found is os.environ or found is os.getenv else found


class Surroundings:
    """What a function reads: where its Tensors stand, by path, which of them are buffers, and values to look at."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.tensors: dict[str, Place] = {}
        self.buffers: dict[str, Place] = {}
        self.values: list[tuple[Place, Any]] = []
        self.seen: set[int] = set()
        self.look_at(Place({"": function}, ""))

    def look_at(self, place: Place) -> None:
        """Take in a function, a module or a Tensor."""
        thing = place.value()
        if id(thing) in self.seen:
            return
        if isinstance(thing, Module):
            self.look_at_module(thing, place.path)
        elif isinstance(thing, Tensor):
            self.tensors[place.path] = place
        elif isinstance(thing, (list, tuple, dict)):
            entries = thing.items() if isinstance(thing, dict) else enumerate(thing)
            for key, _ in list(entries):
                self.look_at(Place(thing, key, joined(place.path, str(key))))
        elif isinstance(thing, partial):
            given = {f"argument_{i + 1}": x for i, x in enumerate(thing.args)}
            parts: dict[str, Any] = {"": thing.func, **given, **thing.keywords}
            for key in parts:
                self.take(Place(parts, key))
        elif isinstance(thing, MethodType):
            self.look_at(Place({"": thing.__self__}, ""))
            self.look_at_function(thing.__func__, thing.__self__)
        elif callable(thing) and (inner := unwrap(thing)) is not thing:
            self.look_at(Place({"": inner}, ""))
        elif isinstance(thing, FunctionType):
            self.look_at_function(thing)
        elif callable(thing) and isinstance(called := type(thing).__call__, FunctionType):
            self.look_at_function(called, thing)
        self.seen.add(id(thing))

    def take(self, place: Place) -> None:
        """Remember a plain value, or which function it is; look at what is something else."""
        value = place.value()
        if is_plain(value):
            self.values.append((place, deepcopy(value)))
            return
        if isinstance(value, FunctionType) and not is_ours(value):
            self.values.append((place, value))
        self.look_at(place)

    def look_at_module(self, module: Module, path: str) -> None:
        """Take in the parameters, the buffers and the settings of a module and all below it."""
        for prefix, part in module.named_modules(path):
            for table in (part._parameters, part._buffers):
                for key, tensor in table.items():
                    if tensor is not None and id(tensor) not in self.seen:
                        self.seen.add(id(tensor))
                        self.tensors[joined(prefix, key)] = Place(table, key)
                        if table is part._buffers:
                            self.buffers[joined(prefix, key)] = Place(table, key)
            self.values.append((Place(part.__dict__, "_modules"), dict(part._modules)))
            for key, value in part.__dict__.items():
                if is_plain(value):
                    self.values.append((Place(part.__dict__, key), deepcopy(value)))
            self.look_at_function(type(part).forward, part)

    def look_at_function(self, function: Any, owner: Any = None) -> None:
        """Take in what a function reads, and what the functions do that it reads; none of ours.

        That are its globals, its closure and its defaults, and attributes of the objects among them and of its owner.
        """
        if id(function) in self.seen or is_ours(function):
            return
        self.seen.add(id(function))
        for key in ("__defaults__", "__kwdefaults__"):
            if getattr(function, key):
                self.take(Place(Attributes(function), key))
        for place, value in reads(function):
            if not place.path.startswith("__"):
                self.take(place)
                self.take_attributes(value, function)
        self.take_attributes(owner, function)

    def take_attributes(self, thing: Any, function: Any) -> None:
        """Remember plain values among the attributes that a function names, of somebody else's object."""
        if thing is None or is_plain(thing) or isinstance(thing, (Tensor, FunctionType)) or is_ours(thing):
            return
        for key in named_in(function):
            value = Attributes(thing)[key]
            if value is not None and is_plain(value) and not isinstance(getattr(type(thing), key, None), property):
                self.values.append((Place(Attributes(thing), key), deepcopy(value)))

    @contextmanager
    def buffers_kept(self) -> Iterator[Callable[[], dict[str, Tensor]]]:
        """Let a run change buffers only for itself; gives a function that tells which ones it has changed."""
        before = {path: place.value() for path, place in self.buffers.items()}
        try:
            yield lambda: {p: place.value() for p, place in self.buffers.items() if place.value() is not before[p]}
        finally:
            for path, place in self.buffers.items():
                place.table[place.key] = before[path]

    def changed(self) -> str:
        """Return the name of a value that is another one now; empty if none is."""
        for place, value in self.values:
            now = place.read(place.table)
            if now is not value and not alike(now, value):
                return place.path
        return ""


def reads(function: Any) -> Iterator[tuple[Place, Any]]:
    """Yield what a function, and the functions inside it, read from outside: where it stands and what it is."""
    for key, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not filled yet
            yield Place(cell, key), cell.cell_contents
    for key in named_in(function):
        if key in function.__globals__:
            yield Place(function.__globals__, key), function.__globals__[key]


def named_in(function: Any) -> list[str]:
    """Return the names of globals and attributes in a function and in those inside it."""
    found, pending = [], [function.__code__]
    while pending:
        code = pending.pop()
        pending += [c for c in code.co_consts if isinstance(c, type(code))]
        found += code.co_names
    return list(dict.fromkeys(found))


def is_ours(thing: Any) -> bool:
    """Return whether a function, a class or a module belongs to this package or to NumPy."""
    home = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", type(thing).__module__)
    return str(home).partition(".")[0] in (PACKAGE, "numpy")


def is_plain(x: Any) -> bool:
    """Return whether a value holds nothing but numbers, texts and arrays."""
    if isinstance(x, dict):
        return all(map(is_plain, x.values()))
    return all(map(is_plain, x)) if isinstance(x, (list, tuple, set)) else isinstance(x, (*SCALARS, np.ndarray))


def alike(x: Any, y: Any) -> bool:
    """Return whether two values are the same, also where they hold arrays."""
    if type(x) is not type(y):
        return False
    if isinstance(x, (list, tuple)):
        return len(x) == len(y) and all(map(alike, x, y))
    if isinstance(x, dict):
        return x.keys() == y.keys() and all(alike(v, y[k]) for k, v in x.items())
    if isinstance(x, np.ndarray):
        return np.array_equal(x, y)
    return bool(x == y) or (x != x and y != y)
