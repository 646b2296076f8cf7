"""The grades of a class, for whoever reads them: a teacher, a spreadsheet, each student, a grading system.

:func:`class_text` and :func:`class_data` say everything; :func:`points_csv`, :func:`feedback`, :func:`gradescope` are
what other programs and the students get; :func:`mistakes_text` and :func:`similar_text` look across the class.
"""

from __future__ import annotations

import ast
import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ...terminal.table import aligned
from ..languages import say, speaking
from .class_files import Submission, source_of
from .exercise_parts import Exercise
from .exercise_report import grade_data, names_of, score, verdict_lines
from .grading_a_class import Class, Student, language_of


def class_text(graded: Class) -> str:
    """Return a line for each student: the points of each exercise, their sum, and the first thing to mend.

    What a teacher should know of the files stands in a last column, if there is anything.
    """
    with speaking(language_of(graded.exercises)):
        heads = [say("ex {number}", number=exercise.number) for exercise in graded.exercises]
        noted = any(student.notes for student in graded.students)
        rows = [
            [
                student.name,
                *(_cell(student, exercise) for exercise in graded.exercises),
                f"{student.points}/{graded.out_of}",
                _first_fault(student),
                *(["; ".join(student.notes)] * noted),
            ]
            for student in graded.students
        ]
        table = [[say("student"), *heads, say("total"), say("first to mend"), *([say("notes")] * noted)], *rows]
    return "\n".join(aligned(table, f"l{'r' * (len(heads) + 1)}l{'l' * noted}")) + "\n"


def _cell(student: Student, exercise: Exercise) -> str:
    grade = student.grade_of(exercise.number)
    return "–" if grade is None else f"{grade.points}/{exercise.points}"


def _first_fault(student: Student) -> str:
    for grade in student.grades:
        fault = grade.first_fault
        if fault is not None:
            several = say("ex {number}", number=grade.exercise.number) + ", " if len(student.grades) > 1 else ""
            return f"{several}{fault.label}: {fault.message}"
    return ""


def class_data(graded: Class, protection: str = "") -> dict[str, Any]:
    """Return the grades of a class as JSON can hold them."""
    return {
        "exercises": [exercise.number for exercise in graded.exercises],
        "out_of": graded.out_of,
        "complete": graded.complete,
        "protection": protection,
        "students": [
            {
                "student": student.name,
                "points": student.points,
                "full_marks": graded.is_full(student),
                "notes": list(student.notes),
                "exercises": [grade_data(grade) for grade in student.grades],
            }
            for student in graded.students
        ],
    }


def points_csv(graded: Class) -> str:
    """Return a CSV table: a row a student, a column a point (1 or 0, empty if not handed in), the sum, the notes."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    points = [(e, k, label) for e in graded.exercises for k, label in enumerate(_labels(e))]
    table.writerow(["student", *(f"{e.number}: {label}" for e, _, label in points), "total", "out of", "notes"])
    for student in graded.students:
        grades = [(student.grade_of(exercise.number), k) for exercise, k, _ in points]
        marks = ["" if grade is None else int(grade.verdicts[k].passed) for grade, k in grades]
        told = [_as_cell(student.name), *marks, student.points, graded.out_of, _as_cell("; ".join(student.notes))]
        table.writerow(told)
    return text.getvalue()


def _labels(exercise: Exercise) -> list[str]:
    return [label for check in exercise.checks for label in check.labels]


def _as_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def feedback(graded: Class) -> Iterator[tuple[str, str]]:
    """Yield the name of a file and its Markdown for each student: all verdicts, with what there is to know."""
    taken: Counter[str] = Counter()
    for student in graded.students:
        plain = "".join(c if c.isalnum() or c in "-_. " else "_" for c in student.name).strip(" .") or "student"
        taken[plain.casefold()] += 1
        again = f" ({taken[plain.casefold()]})" if taken[plain.casefold()] > 1 else ""
        yield f"{plain}{again}.md", _feedback_text(graded, student)


def _feedback_text(graded: Class, student: Student) -> str:
    lines = [f"# {_escaped(student.name)}: {student.points}/{graded.out_of}"]
    lines += [f"* {_escaped(note)}" for note in student.notes]
    for grade in student.grades:
        with speaking(grade.exercise.lang):
            total = score(grade.points, grade.exercise.points)
            lines += [
                "",
                f"## {say('Exercise {number}, {title}: {score}', **names_of(grade.exercise), score=total)}",
                "",
            ]
            lines += ["```text", *(line.replace("`", "'") for v in grade.verdicts for line in verdict_lines(v)), "```"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+-!|" else c for c in text)


def gradescope(graded: Class) -> dict[str, Any]:
    """Return ``results.json`` as Gradescope reads it: of the one student whose files were graded."""
    (student,) = graded.students
    tests = [
        {
            "name": f"{grade.exercise.number}: {verdict.label}",
            "score": int(verdict.passed),
            "max_score": 1,
            "status": "passed" if verdict.passed else "failed",
            "output": "\n".join(verdict_lines(verdict)),
        }
        for grade in student.grades
        for verdict in grade.verdicts
    ]
    return {"score": student.points, "output": "; ".join(student.notes), "tests": tests}


def mistakes_text(graded: Class) -> str:
    """Return which mistakes were made, and by how many, the most frequent first."""
    made: Counter[tuple[int, str, str]] = Counter()
    for student in graded.students:
        for grade in student.grades:
            faults = [v for v in grade.verdicts if not v.passed]
            words = {(v.label, v.message if v.code else say("in a way that has no name")) for v in faults}
            made.update((grade.exercise.number, label, word) for label, word in words)
    rows = [[str(n), f"ex {number}", label, word] for (number, label, word), n in sorted(made.items(), key=_most_first)]
    heads = ["students", "exercise", "point", "mistake"]
    return "\n".join(aligned([heads, *rows], "rlll")) + "\n" if rows else "no mistakes\n"


def _most_first(item: tuple[tuple[int, str, str], int]) -> tuple[int, tuple[int, str, str]]:
    return -item[1], item[0]


def similar_text(submissions: Sequence[Submission]) -> str:
    """Return the files that are copies of one another, whatever the names and comments in them.

    What the stub gave counts for nothing; what is left must be long enough that two people would not write the same.
    """
    groups: dict[tuple[int, str], set[str]] = {}
    for submission in submissions:
        shape = _shape(submission)
        if shape:
            groups.setdefault((submission.exercise.number, shape), set()).add(submission.student)
    alike = sorted({(number, tuple(sorted(names))) for (number, _), names in groups.items() if len(names) > 1})
    return "".join(f"ex {number}: {', '.join(names)}\n" for number, names in alike) or "no copies\n"


SHORTEST = 60
"""Nodes of the syntax tree, in all functions of a file together, below which two people may well write the same."""


def _shape(submission: Submission) -> str:
    """Return what is left of a file without comments, texts, names, and the functions that the stub has; or nothing."""
    try:
        source = source_of(submission.path)
    except OSError:
        return ""
    given = {shape for shape, _ in _functions(submission.exercise.stub.encode())}
    own = sorted((shape, size) for shape, size in _functions(source) if shape not in given)
    return "".join(shape for shape, _ in own) if sum(size for _, size in own) >= SHORTEST else ""


def _functions(source: bytes) -> Iterator[tuple[str, int]]:
    """Yield shape and size of each function of a file that is Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        yield _without_names(function), sum(1 for _ in ast.walk(function))


def _without_names(function: ast.FunctionDef) -> str:
    """Return the syntax tree of a function with its names numbered in the order in which they appear."""
    numbers: dict[str, str] = {}
    for node in [node for node in ast.walk(function) if not isinstance(node, ast.keyword)]:
        for field in ("id", "arg", "name"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                setattr(node, field, numbers.setdefault(name, f"n{len(numbers)}"))
    body = [node for node in function.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    return "".join(ast.dump(node) for node in body)
