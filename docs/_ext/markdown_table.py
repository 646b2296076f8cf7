"""Markdown tables of text that may hold anything, bars and angle brackets included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def plain(text: str) -> str:
    r"""Return text that Markdown shows as it stands, fit for a table's cell.

    Examples
    --------
    >>> print(plain("|x| < 2*y"))
    \|x\| &lt; 2\*y
    """
    for mark in "\\`*_[]|$~":
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())


def code(text: str) -> str:
    """Return text as code, fit for a table's cell; nothing for nothing."""
    if not text:
        return ""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}".replace("|", "\\|")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    """Return a table of cells that are Markdown already; ``align`` has one of ``<``, ``>`` for each column."""
    rules = {"<": ":---", ">": "---:"}
    marks = align or "<" * len(header)
    lines = [header, [rules[mark] for mark in marks], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
