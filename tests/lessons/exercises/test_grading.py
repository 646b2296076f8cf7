"""Grading a file in its process: whatever it does, it gets its verdict in one line and loses only its own points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tinygrad_norm.lessons.exercises.exercise_files import stub_text
from tinygrad_norm.lessons.exercises.exercise_parts import Verdict
from tinygrad_norm.lessons.exercises.exercise_report import grade_data, grade_text
from tinygrad_norm.lessons.exercises.grading import Grade, grade_file
from tinygrad_norm.lessons.exercises.grading import grade_source as grade_text_of
from tinygrad_norm.lessons.exercises.tasks import EXERCISES
from tinygrad_norm.sandbox import AnswerHere

GradeText = Callable[..., Grade]

RIGHT = "def center_backward(g, x):\n    return g - g.mean(axis=1, keepdims=True)\n"


@pytest.fixture
def grade_source(tmp_path: Path) -> GradeText:
    """Grade a text as an answer to exercise 7."""

    def grade(text: str, seconds: float = 10.0) -> Grade:
        path = tmp_path / "answer.py"
        path.write_text(text, encoding="utf-8")
        return grade_file(path, EXERCISES[7], seconds=seconds)

    return grade


def messages(grade: Grade) -> list[str]:
    assert all("\n" not in v.message for v in grade.verdicts)
    return [v.message for v in grade.verdicts]


def test_the_reference_solution(grade_source: GradeText) -> None:
    grade = grade_source("import numpy as np\n" + EXERCISES[7].solution)
    assert grade.full
    assert (grade.points, grade.first_fault) == (2, None)
    assert grade_text(grade).endswith("\n\nFull marks.\n")


def test_the_empty_stub(grade_source: GradeText) -> None:
    grade = grade_source(stub_text(EXERCISES[7]))
    assert messages(grade) == ["not written yet"] * 2
    assert grade_text(grade) == (
        "Exercise 7, Backward: the mean: 0 of 2 points\n\n"
        "  open   through the mean  not written yet\n"
        "  open   through x − mean  not written yet\n\n"
        "A hint: tinygrad-norm exercise hint 7\n"
    )


def test_a_function_that_never_ends_costs_only_its_own_point(grade_source: GradeText) -> None:
    grade = grade_source("def mean_backward(g, x):\n    while True:\n        pass\n" + RIGHT, seconds=1.5)
    assert messages(grade) == ["does not end within 1.5 s", "right on random data and the lecture's table"]
    assert grade.verdicts[0].code == "too-long"


def test_a_function_that_takes_the_process_along(grade_source: GradeText) -> None:
    text = "import os\ndef mean_backward(g, x):\n    os._exit(0)\n" + RIGHT
    assert messages(grade_source(text))[0] == "ends the whole process (exit code 0)"


def test_the_file_as_a_whole_has_a_limit(grade_source: GradeText) -> None:
    slow = "import time\ndef mean_backward(g, x):\n    time.sleep(0.3)\n    return g - g\n"
    slow += slow[12:].replace("mean_backward", "center_backward")
    grade = grade_source(slow, seconds=0.5)
    assert [v.code for v in grade.verdicts] == ["too-long"] * 2
    assert messages(grade)[1] == "the file takes more than 3 s as a whole"


def test_prints_are_counted_and_do_no_harm(grade_source: GradeText) -> None:
    grade = grade_source("print('{\"verdicts\": []}')\nprint('x' * 10**6)\n" + RIGHT)
    assert messages(grade) == [
        "there is no function mean_backward in the file",
        "right on random data and the lecture's table",
    ]
    assert grade.printed.lines == 2
    assert 'It printed 2 lines while it was graded; the first: {"verdicts": []}\n' in grade_text(grade)
    assert grade_data(grade)["printed"] == {"lines": 2, "first": '{"verdicts": []}'}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import a_neighbor\n",
            "the file does not run: line 1: ImportError: imports a_neighbor: an answer is written with ",
        ),
        ("import tinygrad_norm\n", "the file does not run: line 1: ImportError: imports this package: an answer is "),
        ("import sys\nsys.exit('bye')\n", "the file does not run: line 2: ends the program (sys.exit); return a value"),
        ("def mean_backward(g, x)\n", "the file does not run: line 1: SyntaxError: "),
    ],
)
def test_a_file_that_does_not_run(grade_source: GradeText, text: str, message: str) -> None:
    grade = grade_source(text)
    assert all(m.startswith(message) for m in messages(grade))
    assert len(grade.verdicts) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os\nos._exit(3)\n", "the file, when it is loaded, ends the whole process (exit code 3)"),
        ("import os\nos.abort()\n", "the file, when it is loaded, crashes the whole process (SIGABRT)"),
        ("while True: pass\n", "the file, when it is loaded, does not end within 1.5 s"),
    ],
)
def test_a_file_that_stops_its_process_when_it_is_loaded(grade_source: GradeText, text: str, message: str) -> None:
    grade = grade_source(text, seconds=1.5)
    assert messages(grade) == [message, message]


def test_a_mistake_is_explained_below_its_verdict(grade_source: GradeText) -> None:
    grade = grade_source(RIGHT.replace("g - g.mean", "g + g.mean"))
    lines = grade_text(grade).splitlines()
    place = lines.index("  wrong  through x − mean  what comes through the mean has the wrong sign")
    assert lines[place + 1].startswith("         x: WRONG in 35 of 35 entries; worst x[")
    assert "the mean of g over the row is subtracted" in lines[place + 3]
    assert lines[place + 4] == "         seen on random data"


FAULTY = """
import numpy as np
def mean_backward(g, x):
    print("at work")
    return g
def center_backward(g, x):
    x += 1
    raise ValueError("\x1b[31mred")
"""


@pytest.mark.parametrize("number", [7, 12])
@pytest.mark.parametrize("text", [FAULTY, "x = (", "import micrograd", ""])
def test_without_a_process_the_verdicts_are_the_same(number: int, text: str) -> None:
    told: list[Verdict] = []
    name, exercise = "answer.py", EXERCISES[number]
    here = grade_text_of(text.encode(), name, exercise, session=AnswerHere, report=told.extend)
    assert here == grade_text_of(text.encode(), name, exercise)
    if here.verdicts[0].code not in ("does-not-run", "borrowed-engine"):
        assert tuple(told) == here.verdicts


@pytest.mark.parametrize("number", [4, 12, 15, 24])
def test_without_a_process_a_solution_has_full_marks(number: int) -> None:
    source = f"import numpy as np\n{EXERCISES[number].solution}".encode()
    assert grade_text_of(source, "answer.py", EXERCISES[number], session=AnswerHere).full
