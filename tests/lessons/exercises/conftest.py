"""Grading without a process: what a planted answer gets, point by point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_norm.lessons.exercises.exercise_parts import Exercise, Verdict
from tinygrad_norm.lessons.exercises.grading import graded
from tinygrad_norm.lessons.exercises.tasks import EXERCISES

Grade = Callable[..., dict[str, Verdict]]


def solution_of(exercise: Exercise) -> dict[str, Any]:
    names: dict[str, Any] = {"np": np}
    exec(exercise.solution, names)
    return names


def grade_answers(number: int, seed: int = 0, **answers: Any) -> dict[str, Verdict]:
    """The verdicts on these functions, or on the whole reference solution if none are given, by label."""
    exercise = EXERCISES[number]
    names = solution_of(exercise) | answers
    checks = [check for check in exercise.checks if not answers or check.function in answers]
    assert {check.function for check in checks} >= set(answers)
    verdicts = [v for check in checks for v in graded(check, names, "answer.py", seed)]
    assert len({v.label for v in verdicts}) == len(verdicts)
    return {v.label: v for v in verdicts}


@pytest.fixture(scope="session")
def grade() -> Grade:
    """The function :func:`grade_answers`."""
    return grade_answers


@pytest.fixture(scope="session")
def solution() -> Callable[[Exercise], dict[str, Any]]:
    """The function :func:`solution_of`."""
    return solution_of


@pytest.fixture(scope="session")
def only_fault() -> Callable[..., Verdict]:
    """The function :func:`only_fault_of`."""
    return only_fault_of


def only_fault_of(number: int, function: str, label: str, expected: str, wrong: Callable[..., Any]) -> Verdict:
    """The verdict on a wrong function: it must fail at the point with this label only, with the expected message."""
    verdicts = grade_answers(number, **{function: wrong})
    assert verdicts[label].message.startswith(expected)
    assert [v.label for v in verdicts.values() if not v.passed] == [label]
    return verdicts[label]
