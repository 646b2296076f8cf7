"""Batch norm at each time step, against NumPy over the two sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_norm.lessons.lecture.notes import VARIANTS
from tinygrad_norm.lessons.lecture.over_time import time_steps
from tinygrad_norm.lessons.lecture.settings import Settings

StepsOf = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_words_give_plus_and_minus_one_or_nothing(variant: str) -> None:
    outputs = np.array([[token.output for token in sentence] for sentence in VARIANTS[variant].sentences])
    for step in time_steps(Settings(variant))[:2]:
        column = outputs[:, step.number - 1]
        expected = np.sign(column - column[::-1])
        expected[expected == 0] = np.nan  # a tie has no deviation
        np.testing.assert_allclose(step.normalized, expected, rtol=1e-12)


@pytest.mark.parametrize(("ddof", "eps"), [(0, None), (1, None), (0, 0.5), (1, 0.5)])
def test_one_word_alone_is_the_mean_of_itself(ddof: int, eps: float | None) -> None:
    for step in time_steps(Settings(ddof=ddof, eps=eps))[2:]:
        assert len(step.words) == 1
        expected = 0.0 if eps and not ddof else np.nan
        np.testing.assert_array_equal(step.normalized, [[expected] * 3])


def test_the_notes_numbers_a_hundredth_apart(steps: dict[str, Any]) -> None:
    step = steps["6"]
    closest = step["facts"]["closest"]
    assert closest["values"]["numbers"] == [2.21, 2.2]
    assert closest["values"]["step"] == 2
    assert closest["values"]["results"] == pytest.approx([1, -1], rel=1e-12)
    assert "how far apart they were is gone" in closest["text"]
    rows = {row["label"]: row["values"] for row in step["tables"]["over_time"]["rows"]}
    assert rows["2 Nitish"][:3] == [2.21, 0.4, 3.6]
    assert rows["2 are"][3:] == pytest.approx([-1, 1, 1], rel=1e-12)
    assert rows["3 You"][3:] == rows["4 today"][3:] == [None] * 3
    claim = step["claims"]["sequential_data"]
    assert claim["verdict"] == "right"
    assert claim["values"] == {"lonely": [3, 4], "result": None, "alone": 68, "longest": 100, "longer": 5}
    assert "Ba, Kiros and Hinton" in claim["why"]


def test_with_an_epsilon_distance_is_left(steps_of: StepsOf) -> None:
    found = steps_of(eps=0.5)["6"]
    values = found["facts"]["closest"]["values"]
    assert abs(values["results"][0]) < 0.01 < 0.9 < abs(values["far_results"][0])
    assert "Only because of ε" in found["facts"]["closest"]["text"]
    assert "it becomes 0, whatever" in found["claims"]["sequential_data"]["truth"]
