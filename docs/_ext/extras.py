"""What can be installed besides the package itself: the extras of ``pyproject.toml``, with the comments above them."""

from __future__ import annotations

import re
from pathlib import Path

from markdown_table import code, plain, table

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
EXTRA = re.compile(r"(?P<comment>(?:^#.*\n)*)^(?P<name>[\w-]+) = \[(?P<packages>[^=]*?)\]$", re.MULTILINE)


def extras(project: Path = PROJECT) -> str:
    """Return a table of the extras: the name of each, and what it is for."""
    _, _, rest = project.read_text(encoding="utf-8").partition("[project.optional-dependencies]\n")
    # Brackets and signs of equality stand in requirements, too: only names are looked at.
    section = re.sub(r'"[^"]*"', '""', rest.partition("\n[")[0])
    rows = [(code(found["name"]), plain(found["comment"].replace("# ", ""))) for found in EXTRA.finditer(section)]
    return table(("extra", "what for"), rows)
