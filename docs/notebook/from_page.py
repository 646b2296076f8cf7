"""A page of the tutorials as cells of a notebook: its text, its examples, and its drawings where its pictures stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from doctest import DocTestParser, Example

Cell = tuple[str, str]
"""Its kind, ``markdown`` or ``code``, and its text."""

_PART = re.compile(r"```python\n(?P<code>>>> .*?)\n```|^!\[.*?\]\((?P<picture>[^)]+\.svg)\)$", re.DOTALL | re.MULTILINE)
_ASSIGNED = re.compile(r"^(\w+) = ", re.MULTILINE)


def cells_of(page: str, notebook: str) -> list[Cell]:
    """Return the cells of a page; what it says of its own notebook is left out."""
    title, _, rest = page.partition("\n")
    text = "\n\n".join(p for p in rest.split("\n\n") if f"({notebook})" not in p)
    return list(_cells(f"{title}, in a notebook\n{text}"))


def _cells(text: str) -> Iterator[Cell]:
    end, shown = 0, ""
    for part in _PART.finditer(text):
        if between := text[end : part.start()].strip():
            yield "markdown", between
        end = part.end()
        if part["picture"]:
            yield "code", shown
        else:
            yield from (("code", cell) for cell in _code(DocTestParser().get_examples(part["code"] + "\n")))
            shown = (_ASSIGNED.findall(part["code"].replace(">>> ", "")) or [shown])[-1]
    if last := text[end:].strip():
        yield "markdown", last


def _code(examples: list[Example]) -> Iterator[str]:
    """Yield the code, a cell for each thing that is shown."""
    lines = ""
    for example in examples:
        lines += example.source + ("\n" if example.source.count("\n") > 1 else "")
        if example.want:
            yield lines.rstrip("\n")
            lines = ""
    if lines:
        yield lines.rstrip("\n")
