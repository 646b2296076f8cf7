"""What programs read of the site: ``llms.txt``, a list of all pages with a sentence each, and ``sitemap.xml``.

A sitemap must hold whole addresses, so it is written only where ``pyproject.toml`` says at which one the site lies.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from contents import DOCS, opening

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def sitemap(names: Iterable[str], address: str) -> str:
    """Return the sitemap of a site at an address that ends in a slash.

    >>> print(sitemap(["index"], "https://example.org/"))
    <?xml version="1.0" encoding="UTF-8"?>
    <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
    <url><loc>https://example.org/index.html</loc></url>
    </urlset>
    <BLANKLINE>
    """
    lines = [f"<url><loc>{escape(f'{address}{name}.html')}</loc></url>" for name in sorted(names)]
    head = ['<?xml version="1.0" encoding="UTF-8"?>', '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">']
    return "\n".join([*head, *lines, "</urlset>", ""])


def pages_list(sources: Iterable[Path], address: str = "", root: Path = DOCS) -> str:
    """Return the pages by the folder in which they lie, in Markdown; without an address the links are relative."""
    sections: dict[str, list[str]] = {}
    for source in sorted(sources):
        title, sentence = opening(source)
        name = source.relative_to(root).with_suffix(".html").as_posix()
        if name != "index.html":
            folder = name.rpartition("/")[0] or "start"
            sections.setdefault(folder, []).append(f"- [{title}]({address}{name}): {sentence}")
    title, sentence = opening(root / "index.md")
    parts = [f"# {title}\n\n> {sentence}"]
    parts += [
        f"## {folder.replace('/', ', ').capitalize()}\n\n" + "\n".join(lines) for folder, lines in sections.items()
    ]
    return "\n\n".join(parts) + "\n"


def on_build_finished(app: Sphinx, exception: Exception | None) -> None:
    """Write both beside the pages."""
    if exception is not None or app.builder.format != "html":
        return
    address = app.config.html_baseurl
    sources = [Path(app.env.doc2path(name)) for name in app.env.found_docs]
    (Path(app.outdir) / "llms.txt").write_text(pages_list(sources, address), encoding="utf-8")
    if address:
        (Path(app.outdir) / "sitemap.xml").write_text(sitemap(app.env.found_docs, address), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("build-finished", on_build_finished)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
