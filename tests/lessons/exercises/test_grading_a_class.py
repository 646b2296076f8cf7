"""A class: every file graded, one line a student."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygrad_norm.errors import InputError
from tinygrad_norm.lessons.exercises import grading
from tinygrad_norm.lessons.exercises.exercise_files import file_name, find_submissions, stub_text
from tinygrad_norm.lessons.exercises.exercise_parts import Verdict
from tinygrad_norm.lessons.exercises.exercise_report import class_data, class_text
from tinygrad_norm.lessons.exercises.grading import Class, Grade, grade_class
from tinygrad_norm.lessons.exercises.tasks import EXERCISES
from tinygrad_norm.sandbox import Printed

SOLVED = "import numpy as np\n" + EXERCISES[7].solution


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_hanging_and_a_crashing_student_cost_only_themselves(tmp_path: Path) -> None:
    write(tmp_path / "ada_exercise_07.py", SOLVED)
    write(tmp_path / "bob_exercise_07.py", "while True: pass")
    write(tmp_path / "eve_exercise_07.py", "import os\nos.abort()")
    write(tmp_path / "zoe" / file_name(EXERCISES[7]), stub_text(EXERCISES[7]))
    told: list[tuple[str, float]] = []
    submissions, _ = find_submissions(tmp_path)
    graded = grade_class(submissions, seconds=2.0, jobs=2, report=lambda what, done: told.append((what, done)))
    assert class_text(graded) == (
        "student  ex 7  total  first to mend\n"
        "ada       2/2    2/2\n"
        "bob       0/2    0/2  through the mean: the file, when it is loaded, does not end within 2 s\n"
        "eve       0/2    0/2  through the mean: the file, when it is loaded, crashes the whole process (SIGABRT)\n"
        "zoe       0/2    0/2  through the mean: not written yet\n"
    )
    assert told == [("grading", 0.25), ("grading", 0.5), ("grading", 0.75), ("grading", 1.0)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grade by what the file says: its points, one digit each."""

    def grade(path: Path, exercise: object, seed: int, seconds: float) -> Grade:
        assert (seed, seconds) == (3, 5.0)
        points = path.read_text(encoding="utf-8").strip()
        chosen = EXERCISES[7] if "07" in path.name else EXERCISES[8]
        verdicts = tuple(
            Verdict(f"point {k}", p == "1", "right" if p == "1" else "wrong") for k, p in enumerate(points)
        )
        return Grade(chosen, str(path), verdicts, Printed())

    monkeypatch.setattr(grading, "grade_file", grade)


def graded_class(folder: Path) -> Class:
    return grade_class(find_submissions(folder)[0], seed=3, seconds=5.0)


@pytest.mark.usefixtures("quick")
def test_several_exercises_and_the_best_of_several_files(tmp_path: Path) -> None:
    write(tmp_path / "ada" / "exercise_07.py", "11")
    write(tmp_path / "ada" / "exercise_08.py", "10")
    write(tmp_path / "bob" / "exercise_07.py", "10")
    write(tmp_path / "bob" / "exercise_07_again.py", "11")
    write(tmp_path / "bob" / "exercise_07_later.py", "01")
    write(tmp_path / "eve" / "exercise_08.py", "11")
    graded = graded_class(tmp_path)
    assert class_text(graded) == (
        "student  ex 7  ex 8  total  first to mend\n"
        "ada       2/2   1/2    3/4  ex 8, point 1: wrong\n"
        "bob       2/2     –    2/4\n"
        "eve         –   2/2    2/4\n"
    )
    data = class_data(graded)
    assert (data["exercises"], data["out_of"]) == ([7, 8], 4)
    assert [(s["student"], s["points"], s["full_marks"]) for s in data["students"]] == [
        ("ada", 3, False),
        ("bob", 2, False),
        ("eve", 2, False),
    ]
    assert data["students"][1]["exercises"][0]["file"].endswith("exercise_07_again.py")


@pytest.mark.usefixtures("quick")
def test_a_failure_of_ours_stops_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Grade:
        raise InputError("no")

    monkeypatch.setattr(grading, "grade_file", fail)
    for name in "abc":
        write(tmp_path / f"{name}_exercise_07.py")
    with pytest.raises(InputError, match="no"):
        graded_class(tmp_path)
