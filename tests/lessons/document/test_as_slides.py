from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from tinygrad_norm.lessons.document.as_slides import SMALLEST_TEXT, lesson_slides, slides_of
from tinygrad_norm.lessons.document.lesson import Claim, Fact, Fold, Lesson, Paragraph, Row, Step, Table

HOSTILE = """<script>alert(1)</script> "quoted" 'single' & &amp; </td></style> <img src=x onerror=y>"""
PLAN = Path(__file__).parents[3] / "docs" / "how-to" / "give-the-lecture.md"


def sections(page: str) -> list[str]:
    return re.findall(r'<section class="slide".*?</section>', page, re.S)


def slides(*blocks: object, **step: object) -> list[str]:
    """The slides of a lesson of one step, without its title slide."""
    return sections(lesson_slides(Lesson("t", (Step(1, "s", blocks, **step),))))[1:]  # type: ignore[arg-type]


def test_hostile_text_is_only_text(make_document: Callable[[str], Lesson]) -> None:
    page = lesson_slides(make_document(HOSTILE))
    assert page.count("<script") == 1
    assert "<img" not in page
    policy = unescape(re.findall('content="(default-src[^"]*)"', page)[0])
    assert re.fullmatch("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-[^']*'", policy)


def test_what_is_folded_is_on_no_slide_and_in_the_notes() -> None:
    inside = (Table("t", "Inside", ("a",), (Row("r", (1,)),)), Fact("f", "It is {x}.", {"x": 2}))
    (first,) = slides(Paragraph("Said."), Fold("More", inside), take_away=["One."], further={"Deeper": "do it"})
    slide, _, notes = first.partition('<aside class="notes"')
    assert "One." in slide
    assert not re.search("Inside|Said|It is 2", slide)
    assert re.findall("<p>(.*?)</p>", notes) == ["Said.", "It is 2.", "Deeper: do it"]


def test_a_step_without_anything_to_take_away_shows_its_text() -> None:
    (slide,) = slides(Paragraph("Said."))
    assert "Said." in slide.partition('<aside class="notes"')[0]


def claim(key: int, letters: int = 10, question: str = "") -> Claim:
    return Claim(str(key), "s" * letters, "right", "t" * letters, "because", question=question)


@pytest.mark.parametrize(
    ("claims", "grouped"),
    [
        ([claim(k) for k in range(3)], [3]),
        ([claim(k) for k in range(9)], [4, 4, 1]),
        ([claim(k, 300) for k in range(3)], [1, 1, 1]),
        ([claim(k, 200) for k in range(3)], [2, 1]),
        ([claim(0), claim(1, question="really?"), claim(2)], [2, 1]),
        ([claim(0, 5000)], [1]),
    ],
)
def test_claims_share_a_slide_unless_they_ask(claims: list[Claim], grouped: list[int]) -> None:
    found = slides(*claims)[1:]
    assert [slide.count('class="claim') for slide in found] == grouped
    for slide in found:
        assert ("<details>" in slide) == ("really?" in slide)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (4, 3), (20, 2), (3, 30), (40, 40)])
def test_a_table_is_as_large_as_fits(rows: int, columns: int) -> None:
    table = Table("t", "T", tuple(map(str, range(columns))), tuple(Row(str(r), (0.5,) * columns) for r in range(rows)))
    (slide,) = slides(table)[1:]
    size = float(re.findall(r"--size:([\d.]+)rem", slide)[0])
    assert SMALLEST_TEXT <= size <= 1.75
    high, wide = 1.9 * (rows + 1) * size, (columns * (0.6 * 8 + 1.2) + 2.4) * size
    assert size == SMALLEST_TEXT or (high <= 34 and wide <= 70)


def test_the_plan_for_ninety_minutes_names_every_slide(lesson_of: Callable[..., Lesson]) -> None:
    lesson = lesson_of()
    rows = re.findall(r"^\| (\d+) \| ([\d–]+) \|", PLAN.read_text(encoding="utf-8"), re.MULTILINE)
    assert sum(int(minutes) for minutes, _ in rows) == 90
    planned = [range(int(span.split("–")[0]), int(span.split("–")[-1]) + 1) for _, span in rows]
    places = [re.search(r"(\d+)\. ", slide.above or slide.content) for slide in slides_of(lesson, {})]
    steps = [0, *(int(place[1]) for place in places[1:] if place)]
    assert [number for span in planned for number in span] == list(range(1, len(steps) + 1))
    for step, span in enumerate(planned):
        assert {steps[number - 1] for number in span} == {step}
