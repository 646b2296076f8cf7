"""A class: every file graded, one line a student."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from tinygrad_norm.errors import InputError
from tinygrad_norm.lessons.exercises import grading_a_class
from tinygrad_norm.lessons.exercises.class_files import find_submissions
from tinygrad_norm.lessons.exercises.class_report import class_data, class_text
from tinygrad_norm.lessons.exercises.exercise_files import file_name, stub_text
from tinygrad_norm.lessons.exercises.exercise_parts import Exercise, Verdict
from tinygrad_norm.lessons.exercises.grading import Grade
from tinygrad_norm.lessons.exercises.grading_a_class import Class, grade_class
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
    with ThreadPoolExecutor(2) as threads:
        found = find_submissions(tmp_path)
        graded = grade_class(found, 0, 2.0, threads, report=lambda what, done: told.append((what, done)))
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

    def grade(source: bytes, name: str, exercise: Exercise, seed: int, seconds: float) -> Grade:
        assert (seed, seconds) == (3, 5.0)
        points = source.decode().strip()
        verdicts = tuple(
            Verdict(f"point {k}", p == "1", "right" if p == "1" else "=wrong|", code="" if p == "1" else "c")
            for k, p in enumerate(points)
        )
        return Grade(exercise, name, verdicts, Printed())

    monkeypatch.setattr(grading_a_class, "grade_source", grade)


def graded_class(folder: Path, **options: Any) -> Class:
    return grade_class(find_submissions(folder, **options), seed=3, seconds=5.0)


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
        "student  ex 7  ex 8  total  first to mend           notes\n"
        "ada       2/2   1/2    3/4  ex 8, point 1: =wrong|\n"
        "bob       2/2     –    2/4                          3 files for exercise 7, the best counts\n"
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

    monkeypatch.setattr(grading_a_class, "grade_source", fail)
    for name in "abc":
        write(tmp_path / f"{name}_exercise_07.py")
    with pytest.raises(InputError, match="no"):
        graded_class(tmp_path)


@pytest.mark.usefixtures("quick")
def test_nobody_vanishes(tmp_path: Path) -> None:
    os.utime(write(tmp_path / "ada_exercise_07.py", "11"), (3000, 3000))
    write(tmp_path / "bob" / "notes.py")
    write(tmp_path / "eve" / "exercise_08.py", "11")
    os.utime(write(tmp_path / "mia_exercise_07.py", "10"), (1000, 1000))
    graded = graded_class(tmp_path, asked={7}, due=2000.0, roster=["Zoe", "Ada", "Bob", "Eve"])
    assert [(s.name, s.points, s.notes) for s in graded.students] == [
        ("Zoe", 0, ("nothing handed in",)),
        ("Ada", 2, ("late: ada_exercise_07.py",)),
        ("Bob", 0, ("notes.py answers no exercise",)),
        ("Eve", 0, ("exercise_08.py answers exercise 8, not asked for",)),
        ("mia", 1, ("not in the roster",)),
    ]


@pytest.mark.usefixtures("quick")
def test_of_equal_grades_the_one_in_time_counts(tmp_path: Path) -> None:
    os.utime(write(tmp_path / "ada" / "a_exercise_07.py", "10"), (3000, 3000))
    os.utime(write(tmp_path / "ada" / "b_exercise_07.py", "10"), (1000, 1000))
    (student,) = graded_class(tmp_path, due=2000.0).students
    assert student.grades[0].file.endswith("b_exercise_07.py")


@pytest.mark.usefixtures("quick")
def test_an_interruption_keeps_what_was_done(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / f"{name}_exercise_07.py", "11")

    def interrupt(what: str, done: float) -> None:
        if done > 0.5:
            raise KeyboardInterrupt

    graded = grade_class(find_submissions(tmp_path), 3, 5.0, report=interrupt)
    assert not graded.complete
    assert sum(student.points for student in graded.students) == 4
    assert [student.notes for student in graded.students if not student.grades] == [("not graded: c_exercise_07.py",)]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A class of files that are right, wrong, slow, broken and hostile."""
    wrong = SOLVED.replace("- g.mean", "+ g.mean")
    texts = [
        SOLVED,
        wrong,
        stub_text(EXERCISES[7]),
        "while True: pass",
        "import os\nos.abort()",
        "raise ValueError('x')",
    ]
    for k, text in enumerate(texts):
        write(tmp_path / f"student{k}" / "exercise_07.py", text)
    return tmp_path


def test_threads_and_processes_give_the_same_grades_to_the_byte(mixed: Path) -> None:
    found = find_submissions(mixed)
    with ThreadPoolExecutor(3) as threads, ProcessPoolExecutor(2, get_context("spawn")) as processes:
        told = {json.dumps(class_data(grade_class(found, 1, 1.5, workers))) for workers in (None, threads, processes)}
    assert len(told) == 1
    assert '"points": 2' in told.pop()


def test_a_cluster_gives_the_same_grades_to_the_byte(mixed: Path) -> None:
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed: pip install 'tinygrad-norm[cluster]'"
    )
    found = find_submissions(mixed)
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about ports and its event loop
        with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
            told = json.dumps(class_data(grade_class(found, 1, 1.5, client.get_executor())))
    assert told == json.dumps(class_data(grade_class(found, 1, 1.5)))


def test_the_guide_s_cluster_grades_a_class(tmp_path: Path) -> None:
    if os.environ.get("NEIGHBORS") != "installed":
        pytest.skip("a cluster of processes is a step of the gate, with NEIGHBORS=installed")
    guide = (Path(__file__).parents[3] / "docs" / "how-to" / "run-a-class.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(from distributed .*?)```", guide, re.DOTALL)
    (tmp_path / "grade.py").write_text(script, encoding="utf-8")
    write(tmp_path / "class" / "ada" / "exercise_07.py", SOLVED)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "grade.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["student", "ex", "7", "total", "first", "to", "mend", "ada", "2/2", "2/2"]
