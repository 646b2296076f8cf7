"""The numbers and arrays that a forward pass computes with besides its inputs: :func:`constants_of`.

A factor that the backward pass lost is often one of them. They stand in the code (literals, global names, closures),
in default arguments, on ``self``, or are passed as arguments that are not differentiated by.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

#: How deep the functions that the forward pass calls are followed.
DEPTH = 3
#: Larger arrays than this are data rather than constants.
LARGEST = 10_000
#: Numbers that stand in nearly every function, as an axis or a step.
COMMON = (0.0, 1.0, -1.0)


def constants_of(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return numbers and arrays by the names that the author gave them; a literal goes by itself.

    ``arguments`` are those that are not differentiated by.

    >>> tau = 0.5
    >>> constants_of(lambda x: 3 * x / tau, {"k": 4, "label": "a"})
    {'k': 4.0, '3': 3.0, 'tau': 0.5}
    """
    found: dict[str, Any] = {}
    for name, value in (*arguments.items(), *_of_function(function, DEPTH)):
        number = _number(value)
        if number is not None:
            found.setdefault(name, number)
    return found


def _number(value: Any) -> Any:
    """Return a number as a float, a numeric array as it is, and None for everything else."""
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        with suppress(OverflowError):
            return float(value) if math.isfinite(value) and float(value) not in COMMON else None
        return None
    array = isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and 0 < value.size <= LARGEST
    return value if array else None


def _of_function(function: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(function, partial):
        yield from function.keywords.items()
        yield from _of_function(function.func, depth)
        return
    owner = function
    if isinstance(function, MethodType):
        owner, function = function.__self__, function.__func__
    elif not isinstance(function, FunctionType):  # a layer, or a primitive
        forward = getattr(function, "forward", None)
        if isinstance(forward, (FunctionType, MethodType)):
            yield from _of_function(forward, depth)
            return
        function = type(function).__call__
    if owner is not function and hasattr(owner, "__dict__"):
        yield from ((f"self.{name}", value) for name, value in vars(owner).items())
    if not isinstance(function, FunctionType):
        return
    inside = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    seen = [(name, cell.cell_contents) for name, cell in inside if _filled(cell)]
    seen += list((function.__kwdefaults__ or {}).items())
    defaults = function.__defaults__ or ()
    arguments = function.__code__.co_varnames[: function.__code__.co_argcount]
    seen += zip(arguments[len(arguments) - len(defaults) :], defaults, strict=True)
    for literal, names in _in_code(function.__code__):
        yield f"{literal:g}" if literal is not None else "", literal
        seen += [(name, function.__globals__[name]) for name in names if name in function.__globals__]
    for name, value in seen:
        yield name, value
        if depth and isinstance(value, (FunctionType, MethodType)) and value.__module__ == function.__module__:
            yield from _of_function(value, depth - 1)


def _filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _in_code(code: CodeType) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Yield the literal numbers, then the names, of a piece of code and of what is defined inside it."""
    for constant in code.co_consts:
        for literal in constant if isinstance(constant, tuple) else (constant,):
            if isinstance(literal, (int, float)) and not isinstance(literal, bool):
                yield literal, ()
        if isinstance(constant, CodeType):
            yield from _in_code(constant)
    yield None, code.co_names
