"""The committed pictures are what the code draws today."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
SCRIPT: dict[str, Any] = runpy.run_path(str(DOCS / "draw_pictures.py"))
AGAIN = "it has gone stale: run python docs/draw_pictures.py"


@pytest.mark.parametrize("name", SCRIPT["PICTURES"])
def test_a_picture_is_what_is_drawn_today(name: str) -> None:
    drawing = SCRIPT["PICTURES"][name]()
    path = DOCS / name
    assert path.with_suffix(".gv").read_text(encoding="utf-8") == drawing.dot, AGAIN
    committed = path.with_suffix(".svg").read_text(encoding="utf-8")
    if SCRIPT["RENDERER"].read_text(encoding="utf-8") == SCRIPT["renderer_version"]():
        assert committed == drawing.svg, AGAIN
    else:
        # Another renderer may place things differently, but it draws the same things.
        assert described(committed) == described(drawing.svg), AGAIN


def described(svg: str) -> list[tuple[str | None, ...]]:
    """What an SVG shows, apart from where."""
    groups = [g for g in ElementTree.fromstring(svg).iter() if g.get("class")]
    return sorted((g.get("class") or "", g.get("data-node"), g.get("data-from"), g.get("data-to")) for g in groups)


def test_another_renderer_s_picture_is_compared_by_what_it_shows() -> None:
    drawing = SCRIPT["PICTURES"]["reference/gallery/square"]()
    assert described(drawing.svg) == described(drawing.svg.replace('x="', 'x="1'))
    assert described(drawing.svg) != described(drawing.svg.replace('data-node="x"', 'data-node="y"'))


def test_every_picture_is_shown_and_every_shown_picture_is_drawn() -> None:
    shown = set()
    for page in (DOCS.parent / "README.md", *DOCS.rglob("*.md")):
        for link in re.findall(r"!\[[^\]]*\]\(([^)]+\.svg)\)", page.read_text(encoding="utf-8")):
            shown.add((page.parent / link).resolve().relative_to(DOCS).with_suffix("").as_posix())
    assert shown == set(SCRIPT["PICTURES"])


def test_the_gallery_has_twenty_graphs_each_with_words_and_a_page_that_steps_through_it() -> None:
    text = (DOCS / "reference" / "gallery.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[([^\]]*)\]\(gallery/", text)
    assert len(pictures) == 20
    shown = re.findall(r"\]\(gallery/(\w+)\.svg\)\n\n<!-- generated: stepping (\w+) -->", text)
    assert [a for a, _ in shown] == [b for _, b in shown] == re.findall(r"\]\(gallery/(\w+)\.svg\)", text)
    assert all(len(words) > 20 for words in pictures)
