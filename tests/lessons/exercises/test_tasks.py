"""Every exercise: its solution scores, its stub does not, its examples hold, its hints can be read."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sweeps import share
from tinygrad_norm.errors import InputError
from tinygrad_norm.lessons.exercises.exercise_files import stub_text
from tinygrad_norm.lessons.exercises.exercise_parts import NOT_WRITTEN, Exercise
from tinygrad_norm.lessons.exercises.exercise_report import exercise_text, hint_text
from tinygrad_norm.lessons.exercises.grading import graded
from tinygrad_norm.lessons.exercises.tasks import EXERCISES, find_exercise

every_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.slug)


def test_they_are_numbered_and_named() -> None:
    assert list(EXERCISES) == list(range(1, 25))
    assert len({exercise.slug for exercise in EXERCISES.values()}) == len(EXERCISES)


@every_exercise
@pytest.mark.parametrize("seed", share([0, 7, 23]))
def test_the_solution_scores_full_marks(exercise: Exercise, seed: int, grade: Callable[..., Any]) -> None:
    verdicts = grade(exercise.number, seed).values()
    assert [v.message for v in verdicts if not v.passed] == []
    assert all(v.message.startswith(("right ", "right, ")) for v in verdicts)


@every_exercise
def test_the_stub_runs_and_scores_nothing(exercise: Exercise) -> None:
    names: dict[str, Any] = {}
    exec(compile(stub_text(exercise), "stub.py", "exec"), names)
    for check in exercise.checks:
        for verdict in graded(check, names, "stub.py", 0):
            assert (verdict.passed, verdict.message, verdict.code) == (False, "not written yet", NOT_WRITTEN)


@every_exercise
def test_the_stub_says_what_is_needed(exercise: Exercise) -> None:
    text = stub_text(exercise)
    assert max(map(len, text.splitlines())) <= 100
    functions = dict(_functions(ast.parse(text)))
    to_write = {name: f for name, f in functions.items() if "NotImplementedError" in ast.unparse(f.body[-1])}
    assert list(to_write) == [asked.name for asked in exercise.asked]
    assert {name.partition(".")[0] for name in to_write} >= {check.function for check in exercise.checks}
    for function in to_write.values():
        told = ast.get_docstring(function) or ""
        assert "Given:" in told
        assert "Return:" in told
        assert ">>>" in told
        for argument in function.args.args:
            assert argument.arg in ("self", *told.replace(",", " ").replace("(", " ").split())


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions of a file and the methods of its classes, by name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{f.name}", f) for f in node.body if isinstance(f, ast.FunctionDef))


@every_exercise
def test_the_examples_hold_for_the_solution(exercise: Exercise, solution: Callable[..., Any]) -> None:
    for asked in exercise.asked:
        test = doctest.DocTestParser().get_doctest(asked.docstring, solution(exercise), asked.name, None, 0)
        result = doctest.DocTestRunner(verbose=False).run(test)
        assert result.attempted > 0
        assert result.failed == 0


@every_exercise
def test_hints_come_in_steps(exercise: Exercise) -> None:
    steps = len(exercise.hints)
    assert steps >= 3
    for step in range(1, steps + 1):
        text = hint_text(exercise, step)
        assert text.startswith(f"Hint {step} of {steps} for exercise {exercise.number}:\n\n")
        assert exercise.hints[step - 1].split() == text.split("\n\n")[1].split()
        following = "--solution" if step == steps else f"hint {exercise.number} --step {step + 1}"
        assert text.endswith(f"{following}\n")


@every_exercise
def test_show_holds_the_whole_task(exercise: Exercise) -> None:
    text = exercise_text(exercise)
    assert exercise.title in text
    assert exercise.statement.strip() in text
    assert all(asked.signature in text for asked in exercise.asked)


@pytest.mark.parametrize("name", ["0", "99", "mean", ""])
def test_an_unknown_exercise(name: str) -> None:
    with pytest.raises(InputError, match=f"must be a number from 1 to {len(EXERCISES)} or its name; got"):
        find_exercise(name)
