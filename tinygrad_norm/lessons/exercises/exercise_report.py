"""An exercise, a hint and a grade as text and as data: a point a line with its verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ...terminal.table import aligned
from ..languages import say, speaking
from .exercise_files import command
from .exercise_parts import NOT_WRITTEN, Exercise, Verdict
from .grading import Grade
from .locks import is_locked

WIDTH = 100


def grade_text(grade: Grade) -> str:
    """Return the verdicts of a file, with what is to know about each that is wrong."""
    exercise = grade.exercise
    with speaking(exercise.lang):
        whole = score(grade.points, exercise.points)
        lines = [say("Exercise {number}, {title}: {score}", **names_of(exercise), score=whole), ""]
        width = max(len(verdict.label) for verdict in grade.verdicts)
        for verdict in grade.verdicts:
            lines += [f"  {line}" for line in verdict_lines(verdict, width)]
        if grade.printed.lines:
            lines += [
                "",
                say("It printed {lines} lines while it was graded; the first: {first}", **asdict(grade.printed)),
            ]
        if grade.full:
            lines += ["", say("Full marks.")]
        else:
            lines += ["", say("A hint: {command}", command=command(exercise, "hint", exercise.number))]
    return "\n".join(lines) + "\n"


def names_of(exercise: Exercise) -> dict[str, object]:
    """Return what a heading says of an exercise."""
    return {"number": exercise.number, "title": exercise.title}


def score(points: int, out_of: int) -> str:
    """Return a score in words.

    >>> score(1, 3), score(1, 1)
    ('1 of 3 points', '1 of 1 point')
    """
    words = "{points} of {out_of} point" if out_of == 1 else "{points} of {out_of} points"
    return say(words, points=points, out_of=out_of)


def verdict_lines(verdict: Verdict, width: int = 0) -> list[str]:
    """Return a verdict in a line, and below it what there is to know about a mistake.

    >>> verdict_lines(Verdict("mean", False, "the sum: it is not divided", ("a mean is Σ x / n",)))
    ['wrong  mean  the sum: it is not divided', '       a mean is Σ x / n']
    """
    right, open_, wrong = words = say("right"), say("open"), say("wrong")
    word = right if verdict.passed else open_ if verdict.code == NOT_WRITTEN else wrong
    indent = max(map(len, words)) + 2
    lines = [f"{word.ljust(indent)}{verdict.label.ljust(width)}  {verdict.message}"]
    if not verdict.passed:
        for line in verdict.detail:
            lines += textwrap.wrap(line, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent)
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


def exercise_text(exercise: Exercise) -> str:
    """Return the statement and what is to be written."""
    with speaking(exercise.lang):
        head = say("Exercise {number}: {title}", **names_of(exercise))
        start = say("Start it: {command}", command=command(exercise, "start", exercise.number))
    lines = [head, exercise.statement.rstrip("\n")]
    for asked in exercise.asked:
        lines += ["", asked.signature, textwrap.indent(asked.docstring.strip(), "    ")]
    lines += ["", start]
    return "\n".join(lines) + "\n"


def hint_text(exercise: Exercise, step: int) -> str:
    """Return one hint, and how to get the next; after the last the solution, if it may be seen."""
    number, last = exercise.number, len(exercise.hints)
    lines = textwrap.wrap(exercise.hints[step - 1], WIDTH)
    with speaking(exercise.lang):
        head = say("Hint {step} of {last} for exercise {number}:", step=step, last=last, number=number)
        if step < last:
            after = say("The next one: {command}", command=command(exercise, "hint", number, f"--step {step + 1}"))
        elif is_locked(exercise):
            after = say("That was the last one.")
        else:
            solution = command(exercise, "show", number, "--solution")
            after = say("That was the last one. The solution: {command}", command=solution)
    return "\n".join([head, "", *lines, "", after]) + "\n"


def list_text(exercises: Sequence[Exercise]) -> str:
    """Return the exercises, a line each."""
    rows = [(str(e.number), e.title, _worth(e), e.slug) for e in exercises]
    return "\n".join(aligned(rows, "rlrl")) + "\n"


def _worth(exercise: Exercise) -> str:
    with speaking(exercise.lang):
        return say("{points} point" if exercise.points == 1 else "{points} points", points=exercise.points)


def exercise_data(exercise: Exercise, solution: bool = False) -> dict[str, Any]:
    """Return what an exercise asks, or with it the reference solution, as JSON can hold it."""
    (known,) = list_data([exercise])
    asked = [{"signature": asked.signature, "docstring": asked.docstring.strip()} for asked in exercise.asked]
    told = {"statement": exercise.statement.strip("\n"), "asked": asked}
    return {**known, **told, **({"solution": exercise.solution.strip()} if solution else {})}


def hint_data(exercise: Exercise, step: int) -> dict[str, Any]:
    """Return one hint as JSON can hold it."""
    return {"exercise": exercise.number, "hint": step, "of": len(exercise.hints), "text": exercise.hints[step - 1]}


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
