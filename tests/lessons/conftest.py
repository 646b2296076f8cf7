"""The lecture's data, computed once for each choice of settings; and small documents to render."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest

from tinygrad_norm.engine.tensor import Tensor
from tinygrad_norm.lessons.document.as_data import lesson_data
from tinygrad_norm.lessons.document.lesson import (
    Chart,
    Claim,
    Fact,
    Fold,
    Formula,
    Graph,
    Lesson,
    Paragraph,
    Row,
    Series,
    Step,
    Table,
)
from tinygrad_norm.lessons.document.moving import Cells, Dots, Moving, Plane, Scene
from tinygrad_norm.lessons.lecture.all_steps import lecture
from tinygrad_norm.lessons.lecture.settings import Settings
from tinygrad_norm.viz import draw

BRACED = {ord("{"): "{{", ord("}"): "}}"}


@cache
def _lesson(settings: Settings) -> Lesson:
    return lecture(settings)


@cache
def _data(settings: Settings) -> dict[str, Any]:
    return lesson_data(_lesson(settings))


@pytest.fixture(scope="session")
def lesson_of() -> Callable[..., Lesson]:
    """A function from settings to the lecture."""
    return lambda **settings: _lesson(Settings(**settings))


@pytest.fixture(scope="session")
def steps_of() -> Callable[..., dict[str, Any]]:
    """A function from settings to the lecture's steps as plain data."""
    return lambda **settings: _data(Settings(**settings))["steps"]


@pytest.fixture(scope="session")
def steps(steps_of: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The steps with the notes' own settings."""
    return steps_of()


def scene(text: str, place: int, other: str) -> Scene:
    """A scene with a part of each kind."""
    x = place + len(other) / 100
    return Scene(
        [
            Cells(text, [text, "pad"], {text: (1.5, text), "pad": (None, 2)}, row=place),
            Dots(text, {text: x, "a": 1}, text, {text: 0.5}),
            Plane(text, {text: (x, 0), "a": (x, 0)}, {text: ((0, 0), (1, x))}, 1.0),
            Dots("more", {"b": -x}),
        ],
        {f"2 {text}": 2 * x},
    )


def document(text: str) -> Lesson:
    """A lesson with one block of each kind, in which every text is `text`."""
    choices = {text: (0, 1), f"{text}2": (text, "b")}
    rows = (Row(text, (1.5, text, None)), Row("pad", (0.0, "pad", float("nan")), pad=True))
    blocks = (
        Paragraph(text),
        Formula(text),
        Table("table", text, (text, "kind", "pad"), rows, text, ".2f", text),
        Fact("fact", "{text}: {number:.2f}", {"text": text, "number": -2.5}),
        Claim("claim", text, "slip", "{text}", "{text}!", {"text": text}),
        Claim("plain", text, "too strong", "{text}", "", {"text": text}),
        Claim("asked", text, "right", "{text}", "", {"text": text}, text),
        Chart(
            "chart",
            text,
            text,
            text,
            (
                Series(text, ((0.0, 0.0), (1.0, 2.0)), style=0),
                Series(text, ((0.0, 1.0), (1.0, 1.0)), style=1),
            ),
            level=1.0,
            level_label=text,
        ),
        Fold(
            text,
            (
                Moving("moving", text, choices, partial(scene, text), (1, text), "", text),
                Fact("folded", text.translate(BRACED), {}),
            ),
        ),
        Graph("graph", text, draw(lambda x: x * x, Tensor(1.0, requires_grad=True, name=text))),
    )
    further = {text: text, f"{text}2": f"https://example.org/{text}"}
    steps = (Step(1, text, blocks, (text, text), further), Step(2, text, (Paragraph("."),)))
    return Lesson(text, steps, (text,), {"variant": text})


@pytest.fixture
def make_document() -> Callable[[str], Lesson]:
    """The function :func:`document`."""
    return document
