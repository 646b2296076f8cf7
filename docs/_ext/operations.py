"""The table of operations, from the registry: what each computes, its rule for every input, and what the tape saves."""

from __future__ import annotations

import sys

from contents import sentence
from markdown_table import code, plain, table

from tinygrad_norm.engine.numpy_dispatch import path_of
from tinygrad_norm.engine.primitive import FUNCTIONS, NUMPY, PRIMITIVES, Primitive, load_late

load_late()  # the page lists every operation

HEADER = ("operation", "computes", "cotangent of each input", "the tape saves")
NEW_LINE = "<br>"
WITHOUT_GRADIENT = "tinygrad_norm.ops.constants"
"""The room of the functions that give plain values."""
PICTURES = "../_images/generated"
"""Where a page finds the pictures."""


def operations() -> str:
    """Return a section for each chapter, with a table and pictures of its operations."""
    sections = []
    for name, primitives in chapters().items():
        summary = (sys.modules[module_of(primitives[0])].__doc__ or "").strip().split("\n\n")[0]
        rows = table(HEADER, map(row, primitives))
        title = name.replace("_", " ").capitalize()
        sections.append(f"## {title}\n\n{plain(summary)}\n\n{rows}\n{gallery(primitives)}")
    return "\n".join(sections)


def numpy_functions() -> str:
    """Return the table of NumPy's functions that record on a Tensor, and what each gives."""
    found: dict[str, str] = {}
    for function, ours in NUMPY.items():
        if isinstance(ours, Primitive):
            found[path_of(function)] = plain(ours.formula)
        elif ours.__name__.strip("_") in FUNCTIONS and ours.__module__ != WITHOUT_GRADIENT:
            parts = sentence((ours.__doc__ or "").split("\n\n")[0]).split("``")
            found[path_of(function)] = "".join(code(part) if i % 2 else spaced(part) for i, part in enumerate(parts))
    rows = [(code(name), found[name]) for name in sorted(found, key=lambda name: (name.count("."), name))]
    return f"{len(rows)} functions and ufuncs of NumPy record.\n\n{table(('function', 'gives'), rows)}\n"


def spaced(text: str) -> str:
    """Return plain text with the spaces at its ends, which stand before and after code."""
    return text[: len(text) - len(text.lstrip())] + plain(text) + text[len(text.rstrip()) :] if text.strip() else text


def chapters() -> dict[str, list[Primitive]]:
    """Return the package's own primitives by chapter, in the order of declaration.

    A chapter is named as the module that declares them: that of the engine and that of ``ops`` are one.
    """
    found: dict[str, list[Primitive]] = {}
    for p in PRIMITIVES.values():
        if p.native:
            found.setdefault(module_of(p).rpartition(".")[2], []).append(p)
    return found


def module_of(p: Primitive) -> str:
    """Return the module of a primitive's rules."""
    return next(str(rule.__module__) for rule in p.rules if rule is not None)


def signature(p: Primitive, name: str = "", defaults: bool = True) -> str:
    """Return how a primitive is called: ``sum(x, axis=None, keepdims=False)``."""
    inputs = [f"*{x}" if p.variadic else x for x in p.inputs]
    params = [f"{key}={default!r}" if defaults else key for key, default in p.defaults.items()]
    return f"{name or p.name}({', '.join([*inputs, *params])})"


def row(p: Primitive) -> tuple[str, ...]:
    """Return the row of one operation; an input's rule and what is saved for it stand on lines of their own."""
    formula = plain(p.formula) + (f"{NEW_LINE}*{plain(p.note)}*" if p.note else "")
    rules = [f"{code(name)}: {plain(rule) or 'none'}" for name, rule in zip(p.inputs, p.rule, strict=True)]
    saves = [", ".join(map(code, names)) or "nothing" for names in p.saves]
    if not p.joint and len(p.inputs) > 1:
        saves = [f"{line} for {code(name)}" for name, line, rule in zip(p.inputs, saves, p.rules, strict=True) if rule]
        saves = ["nothing"] if not any(p.saves) else saves
    return code(signature(p, defaults=False)), formula, NEW_LINE.join(rules), NEW_LINE.join(saves)


def gallery(primitives: list[Primitive]) -> str:
    """Return the places of the pictures of some operations, which :mod:`pictures` draws."""
    figures = [
        f'<figure><img src="{PICTURES}/operation-{p.name}.svg" alt="graph of {p.name}" loading="lazy">'
        f"<figcaption><code>{p.name}</code></figcaption></figure>"
        for p in primitives
    ]
    return "\n".join(["```{raw} html", '<div class="gallery">', *figures, "</div>", "```", ""])
