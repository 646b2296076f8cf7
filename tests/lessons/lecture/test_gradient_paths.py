"""The three paths of a gradient through a normalization against their closed forms, and the lecture on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.lessons.lecture.gradient_paths import gradient_paths
from tinygrad_norm.lessons.lecture.norm_formula import BATCH, LAYER
from tinygrad_norm.lessons.lecture.notes import OUTPUTS

TABLE = np.array(OUTPUTS, dtype=float)


@pytest.mark.parametrize("axis", [BATCH, LAYER])
@pytest.mark.parametrize("eps", [0.0, 1e-5, 0.5])
@pytest.mark.parametrize("entry", [(0, 0), (3, 2)])
def test_each_path_is_its_term_of_the_closed_form(axis: int, eps: float, entry: tuple[int, int]) -> None:
    """The gradient is g/s − x̂ · mean(g · x̂)/s, minus the mean of these two, with s = √(σ² + ε): term by term."""
    paths = gradient_paths(tg.Tensor(TABLE), axis, entry, eps)
    g = np.zeros(TABLE.shape)
    g[entry] = 1.0
    deviation = np.sqrt(TABLE.var(axis=axis, keepdims=True) + eps)
    normalized = (TABLE - TABLE.mean(axis=axis, keepdims=True)) / deviation
    direct = g / deviation
    variance = -normalized * (g * normalized).mean(axis=axis, keepdims=True) / deviation
    np.testing.assert_allclose(paths.direct, direct, atol=1e-13)
    np.testing.assert_allclose(paths.variance, variance, atol=1e-13)
    mean = np.broadcast_to(-(direct + variance).mean(axis=axis, keepdims=True), TABLE.shape)
    np.testing.assert_allclose(paths.mean, mean, atol=1e-13)
    np.testing.assert_allclose(paths.direct + paths.variance + paths.mean, paths.total, atol=1e-13)


@pytest.mark.parametrize(("step", "axis", "columns"), [("2", BATCH, 5), ("8", LAYER, 3)])
def test_the_lecture_shows_the_paths_and_their_sum(steps: dict[str, Any], step: str, axis: int, columns: int) -> None:
    table = steps[step]["tables"][f"paths_{axis}"]
    rows = np.array([row["values"] for row in table["rows"]])
    assert rows.shape == (4, columns)
    np.testing.assert_allclose(rows[:3].sum(axis=0), rows[3], atol=1e-15)
    assert abs(rows[3].sum()) < 1e-14
    assert np.all(np.abs(rows[:3]).max(axis=1) > 0.05)
    values = steps[step]["facts"][f"paths_sum_{axis}"]["values"]
    assert values["gap"] < 1e-15
    graph = steps[step]["graphs"][f"graph_{axis}"]
    assert [n["id"] for n in graph["nodes"]][:3] == ["z", "mean_1", "subtract_1"]


def test_text_and_markdown_leave_the_picture_out(lesson_of: Callable[..., Any]) -> None:
    from tinygrad_norm.lessons.document.as_markdown import lesson_markdown
    from tinygrad_norm.lessons.document.as_text import lesson_text

    for text in (lesson_text(lesson_of()), lesson_markdown(lesson_of())):
        assert "their sum" in text
        assert "<svg" not in text
