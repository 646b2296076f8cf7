"""Mend what Sphinx writes and a screen reader stumbles over, in each page before it is written.

A cell without text heads nothing. The lines of a long signature are no list of definitions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

EMPTY_HEAD = re.compile(r'<th class="head[^"]*">(?:<p></p>)?</th>')
SIGNATURE_LINES = re.compile(r"<dl>\n((?:<dd>.*</dd>\n)+)</dl>")


def mended(body: str) -> str:
    r"""Return a page's body without both.

    >>> mended('<th class="head"><p></p></th>')
    '<td></td>'
    >>> mended("<dl>\n<dd>x,</dd>\n<dd>y,</dd>\n</dl>")
    '<span class="sig-lines">\n<span>x,</span>\n<span>y,</span>\n</span>'
    """
    return SIGNATURE_LINES.sub(as_spans, EMPTY_HEAD.sub("<td></td>", body))


def as_spans(lines: re.Match[str]) -> str:
    """Return the lines of a signature."""
    return f'<span class="sig-lines">\n{lines[1].replace("dd>", "span>")}</span>'


def on_page(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Mend a page."""
    if "body" in context:
        context["body"] = mended(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("html-page-context", on_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
