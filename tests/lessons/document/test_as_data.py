from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from tinygrad_norm.lessons.document.as_data import lesson_data, plain
from tinygrad_norm.lessons.document.lesson import Lesson, Table
from tinygrad_norm.lessons.lecture.all_steps import lecture


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fraction(18, 5), {"fraction": "18/5", "value": 3.6}),
        (Fraction(-4, 2), -2),
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
        (3, 3),
        ("text", "text"),
        ((1, (0.1, None)), [1, [0.1, None]]),
    ],
)
def test_plain(value: object, expected: object) -> None:
    assert plain(value) == expected


def test_the_layout(make_document: Callable[[str], Lesson]) -> None:
    data = lesson_data(make_document("w"))
    assert data["title"] == "w"
    assert data["settings"] == {"variant": "w"}
    step = data["steps"]["1"]
    assert step["title"] == "w"
    assert step["text"] == ["w", "w"]
    assert step["take_away"] == ["w", "w"]
    assert step["tables"] == {
        "table": {
            "title": "w",
            "columns": ["w", "kind", "pad"],
            "rows": [
                {"label": "w", "pad": False, "values": [1.5, "w", None]},
                {"label": "pad", "pad": True, "values": [0.0, "pad", None]},
            ],
            "note": "w",
        }
    }
    assert step["facts"] == {
        "fact": {"text": "w: −2.50", "values": {"text": "w", "number": -2.5}},
        "folded": {"text": "w", "values": {}},
    }
    judged = {"notes": "w", "question": "", "verdict": "slip", "truth": "w", "why": "w!", "values": {"text": "w"}}
    assert step["claims"]["claim"] == judged
    assert step["claims"]["asked"]["question"] == "w"
    moving = step["moving"]["moving"]
    assert (moving["controls"], moving["columns"]) == ({"w": [0, 1], "w2": ["w", "b"]}, ["w w", "w a", "more b", "2 w"])
    assert moving["scenes"][1] == {"choice": [0, "b"], "values": [0.01, 1.0, -0.01, 0.02]}
    assert step["further"] == {"w": "w", "w2": "https://example.org/w"}
    assert step["charts"]["chart"]["series"][0] == {"label": "w", "points": [[0.0, 0.0], [1.0, 2.0]]}
    assert data["steps"]["2"]["text"] == ["."]


@pytest.mark.parametrize("eps", [None, 0.0])
def test_json_gives_back_every_number_exactly(lesson_of: Callable[..., Lesson], eps: float | None) -> None:
    data = lesson_data(lesson_of(eps=eps))
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_tables_keep_full_precision() -> None:
    lesson = lecture(step=2)
    data: dict[str, Any] = lesson_data(lesson)["steps"]["2"]["tables"]
    (table,) = [b for b in lesson.steps[0].unfolded if isinstance(b, Table) and b.key == "normalized"]
    for row, given in zip(data["normalized"]["rows"], table.rows, strict=True):
        assert tuple(row["values"]) == given.values
