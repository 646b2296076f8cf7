"""The API reference of one module: a summary of its public names, then each with its docstring."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any

from contents import sentence
from docstrings import escape
from operations import module_of, signature

from tinygrad_norm.engine.primitive import Primitive

PACKAGE = "tinygrad_norm"


def api_listing(module: str, *rooms: str) -> str:
    """Return the reference of a module's public names; with ``rooms``, of those only that these rooms define.

    A name is shown where users find it: ``tinygrad_norm.grad``, although ``tinygrad_norm.transforms`` defines it.

    Raises
    ------
    LookupError
        A room defines none of the names: it was renamed, and the page must follow.
    """
    place = importlib.import_module(module)
    names = public_names(place, rooms)
    if not names:
        raise LookupError(f"{module} has no public name that is defined in {' or '.join(rooms)}")
    summary = ["", ".. list-table::", "   :class: summary", "   :widths: auto", ""]
    for name in names:
        summary += [f"   * - :py:obj:`~{module}.{name}`", f"     - {first_sentence(getattr(place, name))}"]
    entries = [line for name in names for line in entry(place, name)]
    return "\n".join(["```{eval-rst}", *summary, "", *entries, "```", ""])


def public_names(place: ModuleType, rooms: tuple[str, ...] = ()) -> list[str]:
    """Return what a module exports, in the order in which it imports or defines it.

    Modules are left out, and what has a shorter or a better name: ``nn.summary``, which is ``tg.summary``, and
    ``tensor``, which is ``Tensor``.
    """
    names = exported(place)
    ordered = [n for n in vars(place) if n in names] + sorted(set(names) - vars(place).keys())
    found = [n for n in ordered if not n.startswith("__") and not is_second_name(place, n)]
    found = [n for n in found if not inspect.ismodule(getattr(place, n))]
    if not rooms:
        return found
    prefixes = tuple(f"{PACKAGE}.{room}." for room in rooms)
    return [n for n in found if f"{home(getattr(place, n))}.".startswith(prefixes)]


def exported(place: ModuleType) -> set[str]:
    """Return the names that a module offers.

    A module without ``__all__`` offers the functions and classes that it defines.
    """
    if hasattr(place, "__all__"):
        return set(place.__all__)
    own = {n: v for n, v in vars(place).items() if getattr(v, "__module__", "") == place.__name__}
    return {n for n, v in own.items() if not n.startswith("_") and (inspect.isfunction(v) or inspect.isclass(v))}


def is_second_name(place: ModuleType, name: str) -> bool:
    """Return whether the same object is offered under a name that users would rather write."""
    value = getattr(place, name)
    if inspect.isclass(value) and value.__name__ != name and value.__name__ in exported(place):
        return True
    package = importlib.import_module(PACKAGE)
    return place is not package and name in exported(package) and getattr(package, name) is value


def home(value: Any) -> str:
    """Return the module that defines a value; for plain data, the one that says what the data are."""
    if isinstance(value, Primitive):
        return module_of(value)
    if isinstance(value, dict):
        return f"{PACKAGE}.engine.primitive"
    return str(value.__module__)


def first_sentence(value: Any) -> str:
    """Return the first sentence of a docstring, or the formula of a primitive."""
    if isinstance(value, Primitive):
        return escape(value.formula)
    if isinstance(value, dict):
        return "All primitives by name."
    return escape(sentence((inspect.getdoc(value) or "").split("\n\n")[0]))


def entry(place: ModuleType, name: str) -> list[str]:
    """Return the directive that documents one public name."""
    value, path = getattr(place, name), f"{place.__name__}.{name}"
    if isinstance(value, Primitive):
        return primitive_entry(place, name, value)
    if isinstance(value, dict):
        return [f".. py:data:: {name}", f"   :module: {place.__name__}", "", "   All primitives by name.", ""]
    if not inspect.isclass(value):
        return [f".. autofunction:: {path}", ""]
    if issubclass(value, Exception):
        return [f".. autoexception:: {path}", "   :show-inheritance:", ""]
    return [f".. autoclass:: {path}", "   :members:", *member_options(place, value), ""]


def member_options(place: ModuleType, value: type) -> list[str]:
    """Return which members of a class are its own in the eyes of a user.

    What comes from a base that is not public is. What only fills in a method of a base is not.
    """
    offered = exported(place) | exported(importlib.import_module(PACKAGE))
    public = [b for b in value.__mro__[1:] if b.__name__ in offered]
    options = []
    if any(b is not object and b not in public for b in value.__bases__):
        options.append(f"   :inherited-members: {', '.join(b.__name__ for b in public)}".rstrip())
    filled = [name for name in vars(value) if any(fills_in(value, base, name) for base in value.__mro__[1:])]
    if filled:
        options.append(f"   :exclude-members: {', '.join(sorted(filled))}")
    return options


def fills_in(value: type, base: type, name: str) -> bool:
    """Return whether a method takes what the method of the same name of a base takes."""
    mine, theirs = vars(value)[name], getattr(base, name, None)
    if name.startswith("_") or not (inspect.isfunction(mine) and inspect.isfunction(theirs)):
        return False
    return list(inspect.signature(mine).parameters) == list(inspect.signature(theirs).parameters)


def primitive_entry(place: ModuleType, name: str, value: Primitive) -> list[str]:
    """Return the entry of a primitive, whose docstring is its declaration."""
    rules = [f"``{n}``: ``{r}``" for n, r in zip(value.inputs, value.rule, strict=False) if r]
    return [
        f".. py:function:: {signature(value, name)}",
        f"   :module: {place.__name__}",
        "",
        f"   Return {escape(value.formula)}. Cotangent{'s' if len(rules) > 1 else ''}: {'; '.join(rules)}.",
        "",
        f"   {escape(value.note)}",
        "",
    ]
