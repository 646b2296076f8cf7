from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from tinygrad_norm.errors import InputError
from tinygrad_norm.lessons.document.lesson import (
    Chart,
    Claim,
    Fact,
    Formula,
    Graph,
    Lesson,
    Paragraph,
    Row,
    Series,
    Step,
    Table,
)


def test_a_sentence_is_filled_from_its_values() -> None:
    assert Fact("k", "{a:.1f} of {b}", {"a": -0.25, "b": 3}).sentence == "−0.2 of 3"
    claim = Claim("k", "2 + 2 = {5}", "slip", "{sum}", "by {how}", {"sum": 4, "how": "counting"})
    assert (claim.says, claim.true_sentence, claim.reason) == ("2 + 2 = {5}", "4", "by counting")


def test_cells_take_the_format_of_their_column() -> None:
    table = Table("k", "t", ("a", "b", "c"), (Row("r", (1.0, 0.5, "text")),), formats=(".2f", ".0%", ""))
    assert table.cells() == (("1.00", "50%", "text"),)
    assert dataclasses.replace(table, formats=".1f").cells() == (("1.0", "0.5", "text"),)


def test_a_table_must_be_rectangular() -> None:
    with pytest.raises(ValueError, match=r"table k: rows of \{1, 2\} values, 2 columns"):
        Table("k", "t", ("a", "b"), (Row("r", (1, 2)), Row("s", (1,))))


MISTAKES: list[tuple[Callable[[], object], str]] = [
    (
        lambda: Lesson("t", Step(1, "s", ())),
        "the steps of a lesson must be a tuple of Step; got Step. Is there a comma",
    ),
    (lambda: Lesson("t", ("s",)), "the steps of a lesson must hold Step only; got str"),
    (lambda: Lesson("t", (Step(1, "s", ()), Step(1, "u", ()))), "the steps must have different numbers; got 1, 1"),
    (lambda: Lesson("t", (), lang="xx"), "lang must be one of en, de; got 'xx'"),
    (lambda: Lesson("t", (), "sentence"), "the introduction must be a tuple of str; got str"),
    (lambda: Lesson(None, ()), "title must be text; got NoneType"),
    (lambda: Step(1, "s", Paragraph("p")), "the blocks of step 1 must be a tuple of Paragraph or Formula or"),
    (lambda: Step(1, "s", (), "one line"), "take_away must be a tuple of str; got str. Is there a comma missing?"),
    (lambda: Step("1", "s", ()), "the number of a step must be a whole number; got str"),
    (
        lambda: Step(1, "s", (Fact("k", "", {}), Fact("k", "", {}))),
        "step 1: each Fact must have a key of its own; 2 have 'k'",
    ),
    (lambda: Paragraph(3), "text must be text; got int"),
    (lambda: Formula("\ud800"), "text must be text that can be written; got"),
    (
        lambda: Row("r", (1, [2])),
        "the values of a row must hold int or float or Fraction or str or NoneType or generic only",
    ),
    (lambda: Row("r", "12"), "the values of a row must be a tuple"),
    (lambda: Table("k", "t", ("a", "b"), (Row("r", (1, 2)),), formats=(".1f",)), "table k: 1 formats, 2 columns"),
    (lambda: Table("k", "t", ("a",), (Row("r", (1.5,)),), formats="wrong"), "table k: "),
    (lambda: Fact("k", "{mean}", {}), "must be a sentence with {name} or {name:.2f} .* got KeyError: 'mean'"),
    (lambda: Fact("k", "{", {}), "must be a sentence with"),
    (lambda: Fact("k", "{x:q}", {"x": 1.5}), "must be a sentence with"),
    (lambda: Fact("k", "{x}", {"x": {}}), "a value of a lesson is a number or text; got dict"),
    (lambda: Claim("k", "s", "wrong", "", ""), "a verdict must be one of slip, imprecise, .*; got 'wrong'"),
    (lambda: Claim("k", "s", "slip", "", "{why}"), "must be a sentence with"),
    (lambda: Fact(3, "", {}), "key must be text; got int"),
    (lambda: Fact("k", "", {"x": {1, 2}}), "a value of a lesson is a number or text; got set"),
    (lambda: Fact("k", "", {"x": np.ones(2)}), "a value of a lesson is a number or text; got ndarray"),
    (lambda: Fact("k", "", {1: 2}), "the name of a value must be text; got int"),
    (lambda: Fact("k", "", (1,)), "the values must be a dictionary of numbers by name; got tuple"),
    (lambda: Table("k", "t", ("a",), (Row("r", (1.5,)),), formats=(1,)), "the formats of a table must hold str only"),
    (lambda: Series("l", [(1, 2, 3)]), "must be pairs .x, y. of numbers up to 1e100, one at least"),
    (lambda: Series("l", [(1, float("nan"))]), "of numbers up to 1e100"),
    (lambda: Series("l", []), "one at least"),
    (lambda: Series("l", [(1, 2)], "red"), "the style of a line must be a whole number; got str"),
    (lambda: Chart("k", "t", "x", "y", []), "chart k: there must be a line"),
    (lambda: Chart("k", "t", "x", "y", [(1, 2)]), "the series of a chart must hold Series only; got tuple"),
    (lambda: Graph("k", "t", "g"), "the drawing of a graph must be what tg.draw gives; got str"),
]


@pytest.mark.parametrize(("write", "message"), MISTAKES, ids=[message[:40] for _, message in MISTAKES])
def test_what_cannot_be_a_lesson_is_refused_where_it_is_written(write: Callable[[], object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message.replace("{", r"\{")):
        write()


def test_lists_and_numbers_of_numpy_are_taken() -> None:
    row = Row("r", [np.float32(0.5), np.int64(3), np.bool_(True)])
    assert row.values == (0.5, 3, True)
    assert [type(value) for value in row.values] == [float, int, bool]
    lesson = Lesson("t", [Step(1, "s", [Table("k", "t", ["a", "b", "c"], [row])], ["one"])], ["two"])
    assert (lesson.steps[0].take_away, lesson.introduction) == (("one",), ("two",))
    assert lesson.steps[0].blocks[0].cells() == (("0.500000", "3", "yes"),)


def test_one_step_of_a_lesson() -> None:
    lesson = Lesson("t", (Step(1, "a", ()), Step(4, "b", ())))
    assert [step.title for step in lesson.only(4).steps] == ["b"]
    with pytest.raises(InputError, match="the step must be one of 1, 4; got 2"):
        lesson.only(2)
