"""Find dead links inside a built site: ``python docs/_ext/site_links.py docs/_build/html``.

Every ``href`` and ``src`` that stays within the site must lead to a file, and its fragment to an id in that file.
Links to other sites are not followed: a build must not depend on them. But nothing may be loaded from there: the site
works without a network.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Sphinx writes these from the same pages; their links are made in the browser.
NO_PAGES = ("search.html", "genindex.html")


@dataclass
class Page(HTMLParser):
    """What a page offers and asks for: its ids, its links, and what it loads to be shown."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag's id and where it leads."""
        for name, value in attrs:
            if value and name == "id":
                self.ids.add(value)
            if value and name in ("href", "src"):
                self.links.append(value)
                if name == "src" or tag == "link":
                    self.loaded.append(value)


@cache
def read(path: Path) -> Page:
    """Return what a page offers and asks for."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def dead_links(site: Path) -> list[str]:
    """Return a line for each link within the site that leads nowhere, and for what is loaded from elsewhere."""
    found = []
    for path in sorted(site.rglob("*.html")):
        if path.name in NO_PAGES or "_static" in path.parts:
            continue
        page = read(path)
        reasons = [(link, why_dead(path, link)) for link in dict.fromkeys(page.links)]
        reasons += [(link, "loaded from another site") for link in page.loaded if urlsplit(link).netloc]
        found += [f"{path.relative_to(site)}: {link}: {reason}" for link, reason in reasons if reason]
    return found


def why_dead(page: Path, link: str) -> str:
    """Return why a link of a page leads nowhere; nothing if it does, or leaves the site."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    target = page.parent / unquote(parts.path) if parts.path else page
    if not target.exists():
        return "no such file"
    fragment = unquote(parts.fragment)
    if fragment and target.suffix == ".html" and fragment not in read(target.resolve()).ids:
        return f"no id {fragment!r} there"
    return ""


def main(arguments: list[str]) -> int:
    """Print the dead links of a site; 1 if there are any, 2 if there is no site."""
    site = Path(arguments[0]) if arguments else Path("docs/_build/html")
    if not (site / "index.html").exists():
        print(f"{site} must be a built site; it has no index.html. Run Sphinx first.", file=sys.stderr)
        return 2
    found = dead_links(site)
    print("\n".join(found) if found else f"no dead link within {site}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
