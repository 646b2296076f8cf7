"""A lesson or exercises from a teacher's own Python file: :func:`lesson_of` and :func:`sound_exercises_of`.

The file is run as a program of the teacher's, in this process, and what it defines at its top level is taken. Whatever
it does instead ends in one line that says what must hold.
"""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from ..errors import FileError
from ..sandbox import account, load
from ..terminal.files import shown_name
from .document.lesson import Lesson
from .exercises.exercise_parts import Exercise
from .exercises.grading import graded

Kind = TypeVar("Kind", Lesson, Exercise)

_HOW = {Lesson: "write a lesson", Exercise: "write an exercise"}


def lesson_of(path: str) -> Lesson:
    """Return the one lesson that a file defines.

    FileError if the file cannot be read or run, or defines none or several.
    """
    lessons = _defined(path, Lesson, "one lesson")
    if len(lessons) > 1:
        raise _error(path, "one lesson", f"it defines {len(lessons)}", Lesson)
    return lessons[0]


def exercises_of(path: str) -> Mapping[int, Exercise]:
    """Return the exercises that a file defines, by number, in order.

    FileError if the file cannot be read or run, defines none, or two of one number or name.
    """
    exercises = sorted(_defined(path, Exercise, "exercises"), key=lambda exercise: exercise.number)
    names = Counter(name for exercise in exercises for name in (str(exercise.number), exercise.slug))
    double, count = names.most_common(1)[0]
    if count > 1:
        raise _error(path, "exercises of different numbers and names", f"{count} are called {double}", Exercise)
    if '"' in path:  # it stands in the docstring of the file to start from
        raise _error(path, "exercises and has no quotes in its name", "it has", Exercise)
    return MappingProxyType({exercise.number: replace(exercise, source=path) for exercise in exercises})


def sound_exercises_of(path: str) -> Mapping[int, Exercise]:
    """Return the same, once each has been tried: its own solution gets full marks, every known mistake is computed.

    FileError if it is not so. Without this a slip of the teacher's would be told to every learner as their own.
    """
    exercises = exercises_of(path)
    for exercise in exercises.values():
        fault = _fault_of(exercise)
        if fault is not None:
            raise _error(path, "exercises whose own solutions pass", fault, Exercise)
    return exercises


def _fault_of(exercise: Exercise) -> str | None:
    """Return what is wrong with an exercise: a point that its solution misses, a mistake that cannot be computed."""
    names: dict[str, Any] = {"np": np}
    try:
        exec(exercise.solution, names)
    except Exception as error:
        return f"that of exercise {exercise.number} does not run: {account(error, '')}"
    for check in exercise.checks:
        verdicts = graded(check, names, "", 0)
        answers = {**names, check.function: _moved(names[check.function])}
        if all(verdict.passed for verdict in verdicts):
            verdicts = tuple(v for v in graded(check, answers, "", 0) if v.code == "raises")
        for verdict in verdicts:
            if not verdict.passed:
                return f"in exercise {exercise.number}, {verdict.label}: {verdict.message}"
    return None


def _moved(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose every result is a little off, so that all known mistakes are compared with it."""

    def off(*arguments: Any) -> Any:
        result = function(*arguments)
        try:
            return tuple(np.asarray(part) + 0.1 for part in result) if isinstance(result, tuple) else result + 0.1
        except (TypeError, ValueError):
            return result

    return off


def _defined(path: str, kind: type[Kind], wanted: str) -> list[Kind]:
    """Return what a file defines of one kind, each once, however many names it has."""
    if not path.endswith(".py"):
        raise _error(path, wanted, "its name does not end in .py", kind)
    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)  # a pipe would be waited for
        if regular:
            Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise _error(path, wanted, f"it cannot be read: {reason}", kind) from None
    if not regular:
        raise _error(path, wanted, "it is no file", kind)
    try:
        with redirect_stdout(sys.stderr):
            module = load(path)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also sys.exit
        raise _error(path, wanted, account(error, path), kind) from None
    found = {id(value): value for value in vars(module).values() if isinstance(value, kind)}
    if not found:
        raise _error(path, wanted, "it defines none", kind)
    return list(found.values())


def _error(path: str, wanted: str, got: str, kind: type[Lesson | Exercise]) -> FileError:
    return FileError(
        f"{shown_name(path)} must be a Python file that defines {wanted}; {got}. See the how-to “{_HOW[kind]}”."
    )
