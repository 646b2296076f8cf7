"""The page of numbers holds what the lecture computes."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from tinygrad_norm.lessons.document.as_data import lesson_data
from tinygrad_norm.lessons.lecture.all_steps import lecture

Extension = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def text(extension: Extension) -> str:
    found: str = extension("lecture_numbers").lecture_numbers()
    return found


def test_every_table_fact_and_claim_is_there(text: str) -> None:
    for number, step in lesson_data(lecture())["steps"].items():
        assert f"## Step {number}: {step['title']}" in text
        for key in step["tables"]:
            assert f"`steps.{number}.tables.{key}`" in text
        for key in [*step["facts"], *step["claims"]]:
            assert f"`{key}`\n: " in text


@pytest.mark.parametrize(
    "row", ["| 1 | 1.185854 | 1.166667 | −0.2041241 |", "| z₂ | 18/5 | 3.6 | 36/25 | 1.44 | 1.2 |"]
)
def test_known_rows(text: str, row: str) -> None:
    assert row in text


def test_the_disputed_benefit_is_marked(text: str) -> None:
    assert "**disputed.**" in text
