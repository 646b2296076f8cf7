"""The page as a file: small, complete, safe, and the same every time."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz.stepping_page import MOST_VISIBLE, pictures_of
from tinygrad_norm.viz.theme import Theme

VOID = {"meta", "input", "br"}


class Outline(HTMLParser):
    """Reads a page and keeps what could load or run something, and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self.handlers: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID and tag != "td":
            self.open.append(tag)
        if tag == "script":
            self.scripts.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "action", "xlink:href"):
                self.addresses.append(value or "")
            if name.startswith("on") or name == "style":
                self.handlers.append(name)
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(page: str) -> Outline:
    reader = Outline()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_the_page_of_layer_norm_is_small_and_loads_nothing(layer_norm: Drawing) -> None:
    page = layer_norm.page
    assert len(page.encode()) < 100_000
    found = outline(page)
    assert found.addresses == []
    assert found.handlers == []
    assert len(found.scripts) == 1
    assert len(found.ids) == len(set(found.ids))
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_the_policy_allows_this_script_and_this_style_and_nothing_else(square: Drawing) -> None:
    page = square.page
    policy = re.search(r'content="(default-src[^"]*)"', page)
    assert policy is not None
    for tag in ("style", "script"):
        content = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert policy[1].startswith("default-src 'none';")
    assert "unsafe" not in policy[1]


def test_the_same_page_every_time() -> None:
    assert len({tg.draw(lambda x: x * x, 3.0).page for _ in range(2)}) == 1


def test_hostile_names_do_not_leave_their_place(hostile: str) -> None:
    with tg.trace() as t, tg.scope(hostile, hostile):
        x = tg.Tensor([1.0, 2.0], requires_grad=True, name=hostile or None)
        (x * 3.0).sum().backward()
    page = t.draw().page
    found = outline(page)
    assert found.scripts == ["script"]
    assert found.handlers == []
    assert "\u202e" not in page
    assert "<b>&amp;" not in page.replace("&lt;b&gt;", "")


def test_a_picture_for_each_level_that_is_small_enough() -> None:
    def many(x: tg.Tensor) -> tg.Tensor:
        for i in range(4):
            with tg.scope(f"part{i}"):
                for _ in range(MOST_VISIBLE // 4):
                    x = x * 1.5
        return x

    drawing = tg.draw(many, 1.0, depth=0)
    pictures, shown = pictures_of(drawing.view, drawing.folded, lambda folded, prefix: prefix)
    assert [p.label for p in pictures] == ["0"]
    assert shown == "0"
    focused = tg.draw(many, 1.0, focus="part2")
    pictures, shown = pictures_of(focused.view, focused.folded, lambda folded, prefix: prefix)
    assert ([p.label for p in pictures], shown) == (["chosen", "0"], "chosen")
    assert [p.svg for p in pictures] == ["d0-", "d1-"]


def test_every_step_is_on_the_page_as_text(square: Drawing) -> None:
    page = square.page
    assert page.count("<li ") == 5
    assert "multiply_1 sends ḡ · x = 1 · 3 = 3 to x: x has received 2 of 2, in all 6</span></li>" in page


def test_the_facts_of_a_node(layer_norm: Drawing) -> None:
    page = layer_norm.page
    section = re.search(r'<section class="facts" data-node="subtract_1" data-from="3">(.*?)</section>', page, re.DOTALL)
    assert section is not None
    facts = re.sub(r"<[^>]+>", " ", section[1])
    expected = ["centered", "z − mean_1", "(5, 3) float64", "sends back"]
    expected += ["−ḡ, (5, 3), Σ over axis 1 → (5, 1)", "conftest.py:"]
    assert [words for words in expected if words not in facts] == []


def test_large_values_and_pads_in_the_facts() -> None:
    drawing = tg.draw(
        lambda x, y: (x * 2.0).sum() + y.sum(), np.ones((9, 9)), [[1.0, 2.0], [0.0, 0.0]], mask=[True, False]
    )
    page = drawing.page
    assert "<p>mean 1, deviation 0, norm 9</p>" in page
    assert "<tr class=pad><td>0<td>0<td>pad</tr>" in page


def test_a_scalar_s_rule_with_numbers(square: Drawing) -> None:
    assert "ḡ · x = 1 · 3" in square.page


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_the_page_opens_in_its_theme(theme: Theme) -> None:
    page = tg.draw(lambda x: x * x, 3.0, theme=theme).page
    assert f'<html lang="en" data-theme="{theme}"' in page


def test_an_empty_run_still_is_a_page() -> None:
    with tg.trace() as t:
        pass
    assert outline(t.draw().page).scripts == ["script"]


def test_what_failed_stands_at_the_top() -> None:
    page = tg.draw(lambda x: tg.exp(x) @ np.ones((4, 2)), [[1.0, 2.0]]).page
    assert '<p class="failure" data-from="4">raised: matmul: the last axis' in page
