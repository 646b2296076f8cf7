from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tinygrad_norm.lessons.document.as_markdown import escaped_markdown, lesson_markdown
from tinygrad_norm.lessons.document.lesson import Lesson
from tinygrad_norm.lessons.lecture.all_steps import lecture

HOSTILE = "<script>x</script> | *a* _b_ `c` [d](http://e) $f$ ~g~ #1 @me & \\ :tada: ```\n- h\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a*b_c", r"a\*b\_c"),
        ("a|b", r"a\|b"),
        ("`x`", r"\`x\`"),
        ("[a](b)", r"\[a\](b)"),
        ("# x", r"\# x"),
        ("$x$", r"\$x\$"),
        ("back\\slash", r"back\\slash"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("@you", "&#64;you"),
        (":tada: a: b", "&#58;tada: a: b"),
        ("- item", r"\- item"),
        ("+ item", r"\+ item"),
        ("1. item", r"1\. item"),
        ("12) item", r"12\) item"),
        ("---", r"\---"),
        ("===", r"\==="),
        ("0.5 and −1", "0.5 and −1"),
        ("two\n\nlines", "two lines"),
    ],
)
def test_escaped(text: str, expected: str) -> None:
    assert escaped_markdown(text) == expected


@pytest.fixture(scope="module")
def text(lesson_of: Callable[..., Lesson]) -> str:
    return lesson_markdown(lesson_of())


def test_every_table_is_rectangular(text: str) -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.M)
    assert len(blocks) > 15
    for block in blocks:
        lines = block.splitlines()
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
        assert len(widths) == 1
        assert re.fullmatch(r"\| :--- \|( (:---|---:) \|)*", lines[1])


def test_contents_lead_to_the_headings(text: str) -> None:
    headings = re.findall(r"^## (.*)$", text, re.M)
    anchors = [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings]
    assert re.findall(r"^\d+\. \[.*\]\(#(.*)\)$", text, re.M) == anchors
    assert len(anchors) == 12


def test_one_step_has_no_contents() -> None:
    text = lesson_markdown(lecture(step=1))
    assert "](#" not in text
    assert text.count("## ") == 1


def test_pads_and_claims_and_formulas(text: str) -> None:
    assert "| ░ *pad* | 0 | 0 | 0 |" in text
    assert "| r1 | Hi | Nitish | ░ *pad* | ░ *pad* |" in text
    assert "> **The notes:** (7 − μ₁)/σ₁ = 0.36\n>\n> **Slip:** (7 − 4)/2.529822" in text
    assert "```text\nmean     = (1 − π) μ\n" in text


def test_hostile_text_is_only_text(make_document: Callable[[str], Lesson]) -> None:
    text = lesson_markdown(make_document(HOSTILE))
    outside, inside = [], []
    for index, part in enumerate(re.split(r"^````(?:text)?$", text, flags=re.M)):
        (inside if index % 2 else outside).append(part)
    assert inside == [f"\n{HOSTILE}\n"]
    rest = re.sub(r"\]\(#[\w-]*\)$", "", "".join(outside), flags=re.M)
    assert "<script" not in rest
    assert "```" not in rest
    assert "@me" not in rest
    assert not re.search(r"(?<!\\)\*a|(?<!\\)_b|(?<!\\)\[d|(?<!\\)\$f|(?<!\\)~g|(?<!\\)#1", rest)
    rows = [line for line in rest.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {5}
