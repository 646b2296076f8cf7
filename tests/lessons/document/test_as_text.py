from __future__ import annotations

from collections.abc import Callable

from tinygrad_norm.lessons.document.as_text import WIDTH, claim_text, lesson_text, table_text, wrapped
from tinygrad_norm.lessons.document.lesson import Claim, Lesson, Row, Table


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
