"""What every tutorial gives its reader: a question in each section, exercises to go on with, a picture."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tinygrad_norm.lessons.exercises.tasks import EXERCISES

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LAST = {"Go on", "What to do next", "What you have seen", "Where to go from here", "What ours adds"}
"""Sections that only look back or ahead."""


def text_of(page: Path) -> str:
    """A page without its code, or a notebook's Markdown."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        return "\n".join("".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == "markdown")
    return FENCE.sub("", text)


@pytest.fixture
def tutorials(docs: Path) -> list[Path]:
    folder = docs / "tutorials"
    return [p for p in sorted(folder.iterdir()) if p.suffix in (".md", ".ipynb") and p.stem != "index"]


def test_every_section_asks_something(tutorials: list[Path]) -> None:
    for page in tutorials:
        _, *sections = re.split(r"^## ", text_of(page), flags=re.MULTILINE)
        assert len(sections) > 2
        silent = [title for title, _, body in (s.partition("\n") for s in sections) if "?" not in body]
        assert set(silent) <= LAST, page.name


def test_every_tutorial_leads_to_exercises(tutorials: list[Path]) -> None:
    for page in tutorials:
        numbers = re.findall(r"tinygrad-norm exercise start (\d+)`", text_of(page))
        assert numbers, page.name
        assert {int(number) for number in numbers} <= set(EXERCISES), page.name


def test_every_tutorial_has_a_picture(tutorials: list[Path]) -> None:
    for page in tutorials:
        text = page.read_text(encoding="utf-8")
        assert re.search(r"^!\[[^\]]+\]\(|^<!-- generated: figure|<svg", text, re.MULTILINE), page.name


def test_the_first_tutorial_needs_no_second_derivative(docs: Path) -> None:
    text = (docs / "tutorials" / "the-notes-by-machine.md").read_text(encoding="utf-8")
    assert re.findall("hessian|newton", text, re.IGNORECASE) == []
