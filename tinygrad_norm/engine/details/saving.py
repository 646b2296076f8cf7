"""What a rule may ask for by name, and the code that collects it for the tape.

:func:`inputs_of` reads a forward function, :func:`names_of` a VJP, and :func:`compile_save` writes the function that
takes what the VJP names, and nothing else, out of an operation that is being recorded.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from ...errors import VJPError

Rule: TypeAlias = Callable[..., Any]
Saved: TypeAlias = tuple[Any, ...]
"""The values of the names that a rule for all inputs asks for; or such a tuple for each of several rules, None for one
that will not run."""


def inputs_of(forward: Callable[..., Any]) -> tuple[tuple[str, ...], bool, dict[str, Any]]:
    """Return a forward function's input names, whether they are ``*xs``, and its parameters' defaults."""
    if isinstance(forward, np.ufunc):
        return ("x", "y", "z")[: forward.nin], False, {}  # NumPy itself has had several conventions
    inputs, variadic, defaults = [], False, {}
    for p in inspect.signature(forward).parameters.values():
        if p.kind is p.VAR_POSITIONAL:
            inputs, variadic = [p.name], True
        elif p.kind is p.POSITIONAL_ONLY:
            inputs.append(p.name)
        else:
            defaults[p.name] = None if p.default is p.empty else p.default
    if not inputs:
        name = getattr(forward, "__name__", "forward")
        raise VJPError(
            f"{name} must mark its inputs as positional-only; found none. Write def {name}(x, /, axis=None): "
            "what stands before the slash is an input, the rest are parameters."
        )
    return tuple(inputs), variadic, defaults


def sources_of(inputs: tuple[str, ...], params: tuple[str, ...], variadic: bool) -> dict[str, str]:
    """Return, for each name that a VJP may ask for, the expression that finds it when an operation is recorded."""
    if variadic:
        (xs,) = inputs
        found = {"out": "out", xs: "tuple(arrays)", f"{xs}_shape": "shapes"}
    else:
        found = {"out": "out", **{name: f"arrays[{i}]" for i, name in enumerate(inputs)}}
        found |= {f"{name}_shape": f"shapes[{i}]" for i, name in enumerate(inputs)}
    return found | {name: f"params[{name!r}]" for name in params}


def names_of(primitive: str, rule: Rule, sources: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names that a rule asks for after ``g``."""
    names = parameters_of(rule)
    unknown = [n for n in names[1:] if n not in sources]
    if names[:1] != ("g",) or unknown:
        raise VJPError(
            f"the VJP of {primitive!r} must take g first and then any of ({', '.join(sources)}); "
            f"got ({', '.join(names)}). The names decide what the tape saves."
        )
    return names[1:]


def parameters_of(rule: Rule) -> tuple[str, ...]:
    """Return the names of a function's parameters; :mod:`inspect` takes ten times as long, at every import."""
    code = getattr(rule, "__code__", None)
    if code is None or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        return tuple(inspect.signature(rule).parameters)
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return names


def compile_save(
    rules: Sequence[Rule | None], saves: Sequence[tuple[str, ...]], sources: Mapping[str, str], joint: bool
) -> Callable[..., Saved]:
    """Return the function that collects what the rules name.

    It is compiled, because it runs for every operation that is recorded. For multiply it reads
    ``((arrays[1],) if nodes[0] is not None else None, (arrays[0],) if nodes[1] is not None else None,)``.
    """
    tuples = ["(" + "".join(f"{sources[name]}, " for name in names) + ")" for names in saves]
    wanted = [f"{t} if nodes[{i}] is not None else None" if rules[i] else "None" for i, t in enumerate(tuples)]
    return collector(tuples[0] if joint else "(" + "".join(f"{w}, " for w in wanted) + ")")


@cache
def collector(body: str) -> Callable[..., Saved]:
    """Return the function with this body; operations that save alike share one, as compiling takes time on import."""
    compiled: Callable[..., Saved] = eval(f"lambda out, arrays, shapes, params, nodes: {body}")
    return compiled
