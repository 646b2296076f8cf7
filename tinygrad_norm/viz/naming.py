"""What things are called: stable ids, titles, and formulas with the arguments' names in them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..engine.tape import Scope
from .legible import beginning_of, number, shape_text, visible
from .recorded_run import AppliedPrimitive, Run

UNSAFE = re.compile(r"[^\w.\-]")


class Ids:
    """Gives every node and cluster an id of its own: the name itself, then ``name_2`` and so on."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._last: dict[str, int] = {}

    def named(self, name: str) -> str:
        """Return an id for something with a name."""
        base = UNSAFE.sub("_", name) or "unnamed"
        if base not in self._used:
            self._used.add(base)
            return base
        return self.counted(base, start=2)

    def counted(self, base: str, start: int = 1) -> str:
        """Return ``base_1``, ``base_2``, ... in turn."""
        base = UNSAFE.sub("_", base)
        n = self._last.get(base, start - 1) + 1
        while f"{base}_{n}" in self._used:
            n += 1
        self._last[base] = n
        self._used.add(f"{base}_{n}")
        return f"{base}_{n}"


def leaf_names(run: Run) -> dict[Hashable, str]:
    """Return the name of each leaf that has one: its own, or that of the variable that holds it."""
    names = {key: leaf.name or run.variables.get(key) for key, leaf in run.leaves.items()}
    return {key: name for key, name in names.items() if name}


def result_names(run: Run, taken: Sequence[str]) -> dict[Hashable, str]:
    """Return the names of results: those of the variables that hold them.

    A variable that was assigned twice in one place names only the first, and none that has a leaf's name.
    """
    used: set[tuple[Scope | None, str]] = {(None, name) for name in taken}
    found: dict[Hashable, str] = {}
    for op in run.operations:
        name = run.variables.get(op.key)
        if name is None:
            continue
        scope: Scope | None = op.scope
        while (scope, name) not in used and scope is not None:
            scope = scope.parent
        if (scope, name) not in used:
            used.add((op.scope, name))
            found[op.key] = name
    return found


@lru_cache(maxsize=1024)
def pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Return what finds these names in a formula, as words of their own; ``ˣ`` and ``exp`` are none."""
    return re.compile(
        r"(?P<factor>\d)?(?<![A-Za-z_])(?P<name>" + "|".join(map(re.escape, names)) + r")(?![A-Za-z0-9_])"
    )


def substituted(formula: str, names: Mapping[str, str]) -> str:
    """Return a formula or rule with names in place of its own.

    >>> substituted("ḡ · 2x", {"x": "centered"}), substituted("x / y", {"x": "a", "y": "b"})
    ('ḡ · 2 · centered', 'a / b')
    """

    def replace(match: re.Match[str]) -> str:
        factor = f"{match['factor']} · " if match["factor"] else ""
        return factor + names[match["name"]]

    return pattern(tuple(names)).sub(replace, formula)


@lru_cache(maxsize=1024)
def mentions_all(formula: str, names: tuple[str, ...]) -> bool:
    """Return whether a formula speaks of each of these names."""
    return set(names) <= {m["name"] for m in pattern(tuple(names)).finditer(formula)}


def formula_of(op: AppliedPrimitive, arguments: Sequence[str]) -> str:
    """Return what computes a result: ``z − mean_1``, or ``einsum(q, k)`` where the formula names no arguments."""
    primitive = op.primitive
    named = not primitive.variadic and len(arguments) == len(primitive.inputs)
    if named and primitive.formula and mentions_all(primitive.formula, primitive.inputs):
        text = substituted(primitive.formula, dict(zip(primitive.inputs, arguments, strict=True)))
    else:
        text = f"{primitive.name}({', '.join(arguments)})"
    if "index" in op.params:
        text = text.replace("[index]", f"[{index_text(op.params['index'])}]")
    shown = [f"{k} {parameter_text(v)}" for k, v in op.params.items() if k not in SILENT and v is not None]
    return ", ".join([text, *shown])


SILENT = ("keepdims", "index", "origin")
"""Parameters that the shapes show already."""


def parameter_text(value: Any) -> str:
    """Return a parameter of an operation, in short."""
    if isinstance(value, (int, float, np.number)):
        return number(value)
    if isinstance(value, np.ndarray):
        return f"array {shape_text(value.shape)}"
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    text = visible(str(value))
    return beginning_of(text if isinstance(value, str) else text.replace("-", "−"), 40)


def index_text(index: Any) -> str:
    """Return an index as it is written between brackets.

    >>> index_text((slice(1, None), None, 2, ...))
    '1:, None, 2, ...'
    """
    parts = index if isinstance(index, tuple) else (index,)
    return ", ".join(one_index(part) for part in parts)


def one_index(part: Any) -> str:
    """Return one part of an index."""
    if isinstance(part, slice):
        ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
        return ":".join(ends if part.step is None else [*ends, str(part.step)])
    if part is Ellipsis:
        return "..."
    array = np.asarray(part)
    if array.ndim:
        return f"{'mask' if array.dtype.kind == 'b' else 'array'} {shape_text(array.shape)}"
    return str(part)


def literal_text(value: Any, shape: tuple[int, ...]) -> str:
    """Return a constant inside a formula: the number, or what is known of the array."""
    if value is None:
        return "const" if shape == () else f"const {shape_text(shape)}"
    array = np.asarray(value)
    if array.size != 1:
        return f"array {shape_text(array.shape)}"
    text = number(array.reshape(-1)[0])
    return f"({text})" if text.startswith("−") else text
