from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_norm.lessons.document.as_text import WIDTH, claim_text, lesson_text, summary_text, table_text, wrapped
from tinygrad_norm.lessons.document.lesson import Claim, Formula, Lesson, Paragraph, Row, Step, Table
from tinygrad_norm.terminal.files import visible
from tinygrad_norm.terminal.screen import colored
from tinygrad_norm.terminal.table import places

WORDS = st.text(st.characters(categories=["L", "N", "P", "S", "Cc", "Cf", "Zs"]), min_size=1, max_size=12)


def test_numbers_stand_on_their_point_and_pads_are_marked() -> None:
    rows = (Row("Hi", (-6.5, 10, "a")), Row("pad", (0.25, None, "pad"), pad=True), Row("z", (0.0, 7, "bcd")))
    table = Table("t", "Title", ("number", "pad", "text"), rows, "token", "", "Note.")
    assert table_text(table).splitlines() == [
        "  Title",
        "    token   number   pad ░  text",
        "    Hi       −6.5       10  a",
        "  ░ pad       0.25       –  pad ░",
        "    z         0          7  bcd",
        "    Note.",
    ]


def test_a_claim_is_three_labeled_parts() -> None:
    claim = Claim("k", "says", "too strong", "truth " * 20, "because")
    assert claim_text(claim).splitlines() == [
        "  │ The notes      says",
        "  │ Too strong     " + " ".join(["truth"] * 12),
        "  │                " + " ".join(["truth"] * 8),
        "  │ Why            because",
    ]
    assert "Why" not in claim_text(Claim("k", "says", "right", "truth", ""))


def test_text_is_folded_and_words_are_not_broken() -> None:
    text = wrapped("one-two " * 30 + "x" * 120, "  ")
    assert "one-two" in text
    assert "x" * 120 in text
    assert all(len(line) <= WIDTH for line in text.splitlines() if "xx" not in line)


def test_the_whole_document(make_document: Callable[[str], Lesson]) -> None:
    text = lesson_text(make_document("word"))
    assert text.startswith("word\n════\n\nword\n")
    assert text.endswith("\n")
    assert "\nStep 1. word\n────────────\n" in text
    assert "word: −2.50" in text
    assert "│ Slip           word" in text
    assert "░ pad" in text
    assert "0/0" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("show", [lesson_text, summary_text])
def test_no_line_of_the_lecture_is_wider_than_the_terminal(
    lesson_of: Callable[..., Lesson], show: Callable[..., str], width: int
) -> None:
    text = show(lesson_of(), width)
    assert [line for line in text.splitlines() if places(line) > width] == []
    # No word is broken: each one is also a word where nothing is folded.
    assert set(text.split()) <= set(show(lesson_of(), 10_000).split()) | {
        line for line in text.split() if set(line) <= set("═─")
    }


@given(st.lists(WORDS, max_size=30), st.integers(60, 100))
def test_folding_keeps_every_word_and_lets_nothing_drive_a_terminal(words: list[str], width: int) -> None:
    text = " ".join(words)
    step = Step(1, text, (Paragraph(text), Formula(text), Claim("k", text, "slip", "", "")), (text,))
    for shown in (
        wrapped(text, "  ", width=width),
        *(f(Lesson(text, (step,)), width) for f in (lesson_text, summary_text)),
    ):
        assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", shown) == []
        assert all(len(line) <= width for line in shown.splitlines())
    seen = visible(re.sub("[\t\n\v\f\r]", " ", text))
    assert re.sub(r"\s", "", wrapped(text, "", width=width)) == re.sub(r"\s", "", seen)


def test_a_wide_table_is_folded_beside_its_labels() -> None:
    table = Table("t", "Wide", tuple(f"c{k}" for k in range(9)), (Row("first", tuple(k / 7 for k in range(9))),))
    lines = table_text(table, 60).splitlines()
    assert [line.split()[0] for line in lines if line] == ["Wide", "c0", "first", "c5", "first"]
    assert "".join(lines).count("0.142857") == 1
    assert len(table_text(table, 200).splitlines()) == 3


def test_color_is_laid_over_the_same_text(lesson_of: Callable[..., Lesson]) -> None:
    for show in (lesson_text, summary_text):
        painted = show(lesson_of(), 80, colored)
        assert painted.count("\x1b[31mSlip") + painted.count("\x1b[31m  Slip") >= 10
        assert re.sub(r"\x1b\[\d*m", "", painted) == show(lesson_of(), 80)


def test_a_summary_has_what_to_take_away_and_the_verdicts(make_document: Callable[[str], Lesson]) -> None:
    assert summary_text(make_document("word")).splitlines() == [
        "word",
        "════",
        "",
        "word",
        "",
        "1. word",
        "  → word",
        "  → word",
        "  Slip        word",
        "              word",
        "  Too strong  word",
        "              word",
        "  Right       word",
        "              word",
        "",
        "2. word",
    ]
