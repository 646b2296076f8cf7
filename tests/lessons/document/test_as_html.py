from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from tinygrad_norm.lessons.document.as_html import lesson_html, table_html
from tinygrad_norm.lessons.document.lesson import Lesson, Row, Table
from tinygrad_norm.lessons.lecture.all_steps import lecture

HOSTILE = """<script>alert(1)</script> "quoted" 'single' & &amp; </td></style> <img src=x onerror=y>"""
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Checks that every element is closed, and collects what the page holds."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page(lesson_of: Callable[..., Lesson]) -> str:
    return lesson_html(lesson_of())


def test_the_page_is_well_formed_and_stands_alone(page: str) -> None:
    found = Page(page)
    tags = {tag for tag, _ in found.elements}
    assert not tags & {"link", "img", "iframe", "object"}
    for tag, attributes in found.elements:
        assert not {"src", "onload", "onclick", "action"} & attributes.keys(), tag
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in page
    assert "@import" not in page
    assert page.startswith("<!DOCTYPE html>")
    assert "default-src &#x27;none&#x27;" in page


def test_the_contents_lead_to_every_step(page: str) -> None:
    found = Page(page).elements
    ids = {attributes["id"] for tag, attributes in found if tag == "section"}
    links = [attributes["href"] for tag, attributes in found if tag == "a"]
    assert links == [f"#step-{number}" for number in range(1, 13)]
    assert {f"#{name}" for name in ids} == set(links)


def test_it_adapts_to_dark_narrow_and_print(page: str) -> None:
    assert "prefers-color-scheme: dark" in page
    assert "@media (max-width" in page
    assert "@media print" in page
    assert 'name="viewport"' in page


def test_every_variable_and_class_of_the_style_is_defined(page: str) -> None:
    style = page.partition("<style>")[2].partition("</style>")[0]
    defined = set(re.findall(r"(--[\w-]+):", page))
    assert set(re.findall(r"var\((--[\w-]+)\)", style)) <= defined
    # Both color schemes name the same colors.
    light, dark = (set(re.findall(r"(--[\w-]+):", part)) for part in re.findall(r":root \{(.*?)\}", style, re.S))
    assert light == dark


def test_pads_are_shaded_and_said(page: str) -> None:
    assert '<tr class="pad"><th scope="row">pad</th>' in page
    assert '<td class="text pad">pad</td>' in page
    assert '<th scope="col" class="pad">pad</th>' in page


def test_hostile_text_is_only_text(make_document: Callable[[str], Lesson]) -> None:
    page = lesson_html(make_document(HOSTILE))
    found = Page(page)
    tags = [tag for tag, _ in found.elements]
    assert "img" not in tags
    assert tags.count("script") == page.count("<script") == 1
    places = set(re.findall(r"<(\w+)[^>]*>[^<]*&lt;script&gt;alert", page))
    assert places >= {"title", "h1", "p", "pre", "td", "th", "figcaption", "dd", "dt", "text", "summary", "span", "b"}
    assert places >= {"legend", "code", "li"}
    assert "".join(found.text).count(HOSTILE) > 20
    labels = [attributes.get("aria-label") for _, attributes in found.elements]
    assert HOSTILE in labels


def test_numbers_carry_how_far_to_move_left() -> None:
    table = Table("t", "T", ("x",), (Row("a", (6.5,)), Row("b", (2.41,)), Row("c", (0,))), formats="")
    html = table_html(table)
    assert '<td style="--tail:1">6.5</td>' in html
    assert "<td>2.41</td>" in html
    assert '<td style="--tail:3">0</td>' in html


def test_charts_are_valid_and_drawn_inside_their_frame(page: str) -> None:
    charts = re.findall(r"<svg viewBox=.*?</svg>", page, re.S)
    assert len(charts) == 1
    for chart in charts:
        root = ElementTree.fromstring(chart)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        lines = [path for path in root.iter("path") if path.attrib["class"].startswith("line")]
        assert len(lines) == 3
        for line in lines:
            for point in line.attrib["d"].removeprefix("M").split("L"):
                x, y = map(float, point.split())
                assert 0 <= x <= width
                assert 0 <= y <= height
        assert root.attrib["aria-label"]


def test_a_step_without_tables_renders() -> None:
    assert Page(lesson_html(lecture(step=7))).text


def test_graphs_are_drawn_into_the_page_without_ids(page: str) -> None:
    graphs = re.findall(r'<figure class="graph">.*?</figure>', page, re.S)
    assert len(graphs) == 4
    for graph in graphs:
        fitted, whole = map(ElementTree.fromstring, re.findall("<svg.*?</svg>", graph, re.S))
        for root in (fitted, whole):
            assert "with the backward pass" in root.attrib["aria-label"]
            assert not [element for element in root.iter() if "id" in element.attrib]
        assert len(list(fitted.iter())) < len(list(whole.iter()))
    assert len(page.encode()) < 600_000


def test_a_graph_that_nothing_can_draw_is_listed(
    make_document: Callable[[str], Lesson], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYGRAD_NORM_DOT", "/no/such/dot")
    page = lesson_html(make_document("w"))
    Page(page)
    assert "<pre>w: input () float64 = 1, gradient 2, 2 of 2 received" in page
