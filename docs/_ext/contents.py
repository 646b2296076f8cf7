"""The list of a section's pages: those named first, in that order, then whatever else lies in its folder."""

from __future__ import annotations

import json
import re
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent


def contents(section: str, *order: str, root: Path = DOCS) -> str:
    """Return a definition list with the title and the first sentence of each page, and the toctree behind it.

    Raises
    ------
    LookupError
        A page in ``order`` does not exist.
    """
    pages = {p.stem: p for p in sorted((root / section).glob("*")) if p.suffix in (".md", ".ipynb")}
    pages.pop("index", None)
    missing = [name for name in order if name not in pages]
    if missing:
        raise LookupError(f"{section}/index.md names pages that do not exist: {', '.join(missing)}")
    names = [*order, *(name for name in pages if name not in order)]
    entries = [f"[{title}]({pages[n].name})\n: {sentence}" for n in names for title, sentence in [opening(pages[n])]]
    return "\n\n".join([*entries, "\n".join(["```{toctree}", ":hidden:", "", *names, "```", ""])])


def opening(page: Path) -> tuple[str, str]:
    """Return a page's title and its first sentence."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        text = "".join(json.loads(text)["cells"][0]["source"])
    title, _, rest = text.removeprefix("# ").partition("\n")
    return title.strip(), sentence(rest.strip().split("\n\n")[0])


def sentence(paragraph: str) -> str:
    """Return the first sentence: up to a full stop with a capital letter behind it.

    Examples
    --------
    >>> sentence("It follows Xu et al. in this.  And so on.")
    'It follows Xu et al. in this.'
    """
    return re.split(r"(?<=[.?!]) (?=[A-Z`\[*])", " ".join(paragraph.split()))[0]
