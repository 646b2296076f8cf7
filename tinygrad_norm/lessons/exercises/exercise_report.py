"""A grade as text and as data: a point a line with its verdict, or a student a line."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ...terminal.table import aligned
from .exercise_parts import NOT_WRITTEN, Exercise, Verdict
from .grading import Class, Grade, Student

WIDTH = 100


def grade_text(grade: Grade) -> str:
    """Return the verdicts of a file, with what is to know about each that is wrong."""
    exercise = grade.exercise
    lines = [f"Exercise {exercise.number}, {exercise.title}: {score(grade.points, exercise.points)}", ""]
    width = max(len(verdict.label) for verdict in grade.verdicts)
    for verdict in grade.verdicts:
        lines += [f"  {line}" for line in verdict_lines(verdict, width)]
    if grade.printed.lines:
        lines += ["", f"It printed {grade.printed.lines} lines while it was graded; the first: {grade.printed.first}"]
    if grade.full:
        lines += ["", "Full marks."]
    else:
        lines += ["", f"A hint: tinygrad-norm exercise hint {exercise.number}"]
    return "\n".join(lines) + "\n"


def score(points: int, out_of: int) -> str:
    """Return a score in words.

    >>> score(1, 3), score(1, 1)
    ('1 of 3 points', '1 of 1 point')
    """
    return f"{points} of {out_of} point{'' if out_of == 1 else 's'}"


def verdict_lines(verdict: Verdict, width: int = 0) -> list[str]:
    """Return a verdict in a line, and below it what there is to know about a mistake.

    >>> verdict_lines(Verdict("mean", False, "the sum: it is not divided", ("a mean is Σ x / n",)))
    ['wrong  mean  the sum: it is not divided', '       a mean is Σ x / n']
    """
    word = "right" if verdict.passed else "open " if verdict.code == NOT_WRITTEN else "wrong"
    lines = [f"{word}  {verdict.label.ljust(width)}  {verdict.message}"]
    if not verdict.passed:
        for line in verdict.detail:
            lines += textwrap.wrap(line, WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 7)
    return lines


def grade_data(grade: Grade) -> dict[str, Any]:
    """Return a grade as JSON can hold it."""
    return {
        "exercise": grade.exercise.number,
        "name": grade.exercise.slug,
        "title": grade.exercise.title,
        "file": grade.file,
        "points": grade.points,
        "out_of": grade.exercise.points,
        "full_marks": grade.full,
        "printed": asdict(grade.printed),
        "verdicts": [asdict(verdict) for verdict in grade.verdicts],
    }


def class_text(graded: Class) -> str:
    """Return a line for each student: the points of each exercise, their sum, and the first thing to mend."""
    heads = [f"ex {exercise.number}" for exercise in graded.exercises]
    rows = [
        [
            student.name,
            *(_cell(student, exercise) for exercise in graded.exercises),
            f"{_points(student)}/{graded.out_of}",
            _first_fault(student),
        ]
        for student in graded.students
    ]
    table = [["student", *heads, "total", "first to mend"], *rows]
    return "\n".join(aligned(table, f"l{'r' * (len(heads) + 1)}l")) + "\n"


def _cell(student: Student, exercise: Exercise) -> str:
    grade = student.grade_of(exercise.number)
    return "–" if grade is None else f"{grade.points}/{exercise.points}"


def _points(student: Student) -> int:
    return sum(grade.points for grade in student.grades)


def _first_fault(student: Student) -> str:
    for grade in student.grades:
        fault = grade.first_fault
        if fault is not None:
            several = f"ex {grade.exercise.number}, " if len(student.grades) > 1 else ""
            return f"{several}{fault.label}: {fault.message}"
    return ""


def class_data(graded: Class) -> dict[str, Any]:
    """Return the grades of a class as JSON can hold them."""
    return {
        "exercises": [exercise.number for exercise in graded.exercises],
        "out_of": graded.out_of,
        "students": [
            {
                "student": student.name,
                "points": _points(student),
                "full_marks": is_full(graded, student),
                "exercises": [grade_data(grade) for grade in student.grades],
            }
            for student in graded.students
        ],
    }


def is_full(graded: Class, student: Student) -> bool:
    """Tell whether a student has every point that there is in the class."""
    return _points(student) == graded.out_of


def exercise_text(exercise: Exercise) -> str:
    """Return the statement and what is to be written."""
    lines = [f"Exercise {exercise.number}: {exercise.title}", exercise.statement.rstrip("\n")]
    for asked in exercise.asked:
        lines += ["", asked.signature, textwrap.indent(asked.docstring.strip(), "    ")]
    lines += ["", f"Start it: tinygrad-norm exercise start {exercise.number}"]
    return "\n".join(lines) + "\n"


def hint_text(exercise: Exercise, step: int) -> str:
    """Return one hint, and how to get the next."""
    last = len(exercise.hints)
    lines = textwrap.wrap(exercise.hints[step - 1], WIDTH)
    if step < last:
        after = f"The next one: tinygrad-norm exercise hint {exercise.number} --step {step + 1}"
    else:
        after = f"That was the last one. The solution: tinygrad-norm exercise show {exercise.number} --solution"
    return "\n".join([f"Hint {step} of {last} for exercise {exercise.number}:", "", *lines, "", after]) + "\n"


def list_text(exercises: Sequence[Exercise]) -> str:
    """Return the exercises, a line each."""
    rows = [(str(e.number), e.title, score(0, e.points)[5:], e.slug) for e in exercises]
    return "\n".join(aligned(rows, "rlrl")) + "\n"


def list_data(exercises: Sequence[Exercise]) -> list[dict[str, Any]]:
    """Return the exercises as JSON can hold them."""
    return [
        {
            "exercise": e.number,
            "name": e.slug,
            "title": e.title,
            "points": e.points,
            "functions": [asked.signature for asked in e.asked],
            "hints": len(e.hints),
        }
        for e in exercises
    ]
