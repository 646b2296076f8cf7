"""A lesson as plain data for ``--json``: every number at full precision, under stable keys.

The layout::

    {"title": …, "settings": {"variant", "ddof", "eps", …}, "overview": a table or null,
     "steps": {"3": {"title": …,
                     "take_away": [sentences],
                     "tables": {KEY: {"title", "columns", "rows": [{"label", "pad", "values"}]}},
                     "facts": {KEY: {"text", "values": {NAME: number}}},
                     "claims": {KEY: {"notes", "question", "verdict", "truth", "why", "values"}},
                     "charts": {KEY: {"title", "x", "y", "series": [{"label", "points"}]}},
                     "graphs": {KEY: {"title", "nodes", "edges", "clusters", "steps", "failure"}},
                     "moving": {KEY: {"title", "controls": {NAME: [choices]}, "columns",
                                      "scenes": [{"choice", "values"}]}},
                     "text": [paragraphs and formulas],
                     "further": {WHAT: a command or an address}}}}

A whole number is an integer. A fraction is ``{"fraction": "18/5", "value": 3.6}``. ``null`` is a place
without a value; it also stands for 0/0, which JSON has no number for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ..languages import speaking
from .lesson import Chart, Claim, Fact, Formula, Graph, Lesson, Paragraph, Step, Table
from .moving import Moving


def lesson_data(lesson: Lesson) -> dict[str, Any]:
    """Return the lesson as dictionaries, lists, numbers and text, fit for ``json.dumps``."""
    with speaking(lesson.lang):
        return {
            "title": lesson.title,
            "settings": _values(lesson.settings),
            "overview": None if lesson.overview is None else table_data(lesson.overview),
            "steps": {str(step.number): _step(step) for step in lesson.steps},
        }


def _step(step: Step) -> dict[str, Any]:
    of = step.unfolded
    return {
        "title": step.title,
        "take_away": list(step.take_away),
        "tables": {block.key: table_data(block) for block in of if isinstance(block, Table)},
        "facts": {
            block.key: {"text": block.sentence, "values": _values(block.values)}
            for block in of
            if isinstance(block, Fact)
        },
        "claims": {block.key: _claim(block) for block in of if isinstance(block, Claim)},
        "charts": {block.key: _chart(block) for block in of if isinstance(block, Chart)},
        "graphs": {
            block.key: {"title": block.title, **block.drawing.to_json()} for block in of if isinstance(block, Graph)
        },
        "moving": {block.key: _moving(block) for block in of if isinstance(block, Moving)},
        "text": [block.text for block in of if isinstance(block, Paragraph | Formula)],
        "further": dict(step.further),
    }


def table_data(table: Table) -> dict[str, Any]:
    """Return one table as plain data."""
    return {
        "title": table.title,
        "columns": list(table.columns),
        "rows": [{"label": row.label, "pad": row.pad, "values": [plain(v) for v in row.values]} for row in table.rows],
        "note": table.note,
    }


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "notes": claim.says,
        "question": claim.question,
        "verdict": claim.verdict,
        "truth": claim.true_sentence,
        "why": claim.reason,
        "values": _values(claim.values),
    }


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "title": chart.title,
        "x": chart.x_label,
        "y": chart.y_label,
        "series": [
            {"label": line.label, "points": [list(map(plain, point)) for point in line.points]} for line in chart.series
        ],
    }


def _moving(moving: Moving) -> dict[str, Any]:
    return {
        "title": moving.title,
        "controls": {name: [plain(choice) for choice in choices] for name, choices in moving.controls.items()},
        "columns": list(moving.columns),
        "scenes": [
            {"choice": [plain(part) for part in choice], "values": [plain(v) for v in scene.values]}
            for choice, scene in moving.scenes.items()
        ],
    }


def _values(values: Mapping[str, object]) -> dict[str, Any]:
    return {name: plain(value) for name, value in values.items()}


def plain(value: object) -> Any:
    """Return one value as JSON knows it.

    >>> plain(Fraction(18, 5)), plain(float("nan")), plain((1, 0.5)), plain(Fraction(4))
    ({'fraction': '18/5', 'value': 3.6}, None, [1, 0.5], 4)
    """
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return value.numerator
        return {"fraction": str(value), "value": float(value)}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
