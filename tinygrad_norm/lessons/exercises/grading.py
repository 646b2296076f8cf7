"""Grading a file, which runs in a process of its own and is judged here; and a class: all its files."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ...sandbox import AnswerEndedError, AnswerRaisedError, AnswerSession, Printed, account
from ...terminal.files import shown_name
from ..languages import say, speaking
from .borrowed_engine import imported_engine
from .checked_values import RefusalError
from .exercise_files import Submission
from .exercise_parts import NOT_WRITTEN, Check, Exercise, Verdict

SECONDS = 10.0
"""How long a call, or loading the file, may take unless said otherwise."""

WHOLE = 6.0
"""How many times as long the file as a whole may take."""

Refusal: TypeAlias = tuple[str, str]
"""Why a file cannot be graded at all: in words, and a short stable code."""


@dataclass(frozen=True)
class Grade:
    """What came of one file: a verdict for each point, in the order of the exercise, and what it printed meanwhile."""

    exercise: Exercise
    file: str
    verdicts: tuple[Verdict, ...]
    printed: Printed

    @property
    def points(self) -> int:
        """How many points were made."""
        return sum(verdict.passed for verdict in self.verdicts)

    @property
    def full(self) -> bool:
        """Whether all were."""
        return self.points == self.exercise.points

    @property
    def first_fault(self) -> Verdict | None:
        """The first verdict that is not passed."""
        return next((verdict for verdict in self.verdicts if not verdict.passed), None)


def grade_file(path: str | Path, exercise: Exercise, seed: int = 0, seconds: float = SECONDS) -> Grade:
    """Grade a file as an answer to an exercise.

    The file runs in a process of its own and is only asked for numbers; everything that judges them stays here. A
    function that never ends, exits or crashes loses its own points, and the others are graded in a new process. The
    seed is that of the random data; in so many seconds each call must be done, and loading the file; the file as a
    whole has :data:`WHOLE` times as long.
    """
    source = Path(path).read_bytes()
    verdicts: dict[int, tuple[Verdict, ...]] = {}
    printed = Printed()
    refusal = _borrowed(source, exercise)
    end = time.monotonic() + WHOLE * seconds
    with speaking(exercise.lang):
        while refusal is None and (pending := [k for k in range(len(exercise.checks)) if k not in verdicts]):
            left = end - time.monotonic()
            if left < seconds:
                refusal = say("the file takes more than {seconds:g} s as a whole", seconds=WHOLE * seconds), "too-long"
                break
            with AnswerSession(source, os.path.basename(path), seconds, left) as answer:
                refusal = _grade_pending(answer, exercise, pending, seed, verdicts)
                printed = Printed(printed.lines + answer.printed.lines, printed.first or answer.printed.first)
    if refusal is not None:
        verdicts |= {k: fail(check, *refusal) for k, check in enumerate(exercise.checks) if k not in verdicts}
    in_order = tuple(verdict for k in range(len(exercise.checks)) for verdict in verdicts[k])
    return Grade(exercise, shown_name(str(path)), in_order, printed)


def _borrowed(source: bytes, exercise: Exercise) -> Refusal | None:
    borrowed = imported_engine(source) if exercise.own_engine else None
    return None if borrowed is None else (borrowed, "borrowed-engine")


def _grade_pending(
    answer: AnswerSession,
    exercise: Exercise,
    pending: Sequence[int],
    seed: int,
    verdicts: dict[int, tuple[Verdict, ...]],
) -> Refusal | None:
    """Enter the verdicts of the checks, up to the one at which the process ended; return why there can be none."""
    try:
        names = answer.load()
    except (AnswerRaisedError, NotImplementedError) as error:
        return say("the file does not run: {why}", why=error), "does-not-run"
    except AnswerEndedError as ended:
        return say("the file, when it is loaded, {why}", why=ended), ended.code
    for k in pending:
        check = exercise.checks[k]
        verdicts[k] = graded(check, names, "", seed)
        if answer.ended is not None:  # whatever was made of the silence
            verdicts[k] = fail(check, str(answer.ended), answer.ended.code)
            return None
    return None


def graded(check: Check, names: Mapping[str, Any], file: str, seed: int) -> tuple[Verdict, ...]:
    """Return the verdicts of one check on what a file defines; whatever its function raises becomes one."""
    answer = names.get(check.function)
    if not callable(answer):
        is_class = check.function[0].isupper()
        words = "there is no class {name} in the file" if is_class else "there is no function {name} in the file"
        return fail(check, say(words, name=check.function), "missing")
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return check.grade(names if check.whole_file else answer, seed)
    except RefusalError as refusal:
        return fail(check, str(refusal), refusal.code)
    except AnswerRaisedError as error:
        return fail(check, str(error), "raises")
    except NotImplementedError:
        return fail(check, say("not written yet"), NOT_WRITTEN)
    except BaseException as error:  # also sys.exit
        return fail(check, account(error, file), "raises")


def fail(check: Check, message: str, code: str) -> tuple[Verdict, ...]:
    """Return the same failure for each point of a check."""
    return tuple(Verdict(label, False, message, code=code) for label in check.labels)


@dataclass(frozen=True)
class Student:
    """What came of one student's files: for each exercise the best grade."""

    name: str
    grades: tuple[Grade, ...]

    def grade_of(self, number: int) -> Grade | None:
        """Return the grade of an exercise, None if nothing was handed in."""
        return next((grade for grade in self.grades if grade.exercise.number == number), None)


@dataclass(frozen=True)
class Class:
    """A class and the exercises that anybody in it handed in."""

    exercises: tuple[Exercise, ...]
    students: tuple[Student, ...]

    @property
    def out_of(self) -> int:
        """The points that a student can have."""
        return sum(exercise.points for exercise in self.exercises)


def grade_class(
    submissions: Sequence[Submission],
    seed: int = 0,
    seconds: float = SECONDS,
    jobs: int = 1,
    report: Callable[[str, float], None] | None = None,
) -> Class:
    """Grade everything that was handed in, so many files (``jobs``) at a time, as :func:`grade_file` does.

    ``report`` is told what is done, and the fraction of it.
    """
    grades: list[tuple[Submission, Grade]] = []
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(grade_file, s.path, s.exercise, seed, seconds): s for s in submissions}
        try:
            for future in as_completed(running):
                grades.append((running[future], future.result()))
                if report is not None:
                    report("grading", len(grades) / len(submissions))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    exercises = {s.exercise.number: s.exercise for s in submissions}
    names = dict.fromkeys(s.student for s in submissions)
    return Class(
        tuple(exercises[number] for number in sorted(exercises)),
        tuple(Student(name, _best([g for s, g in grades if s.student == name])) for name in names),
    )


def _best(grades: Sequence[Grade]) -> tuple[Grade, ...]:
    """Return for each exercise the grade with the most points."""
    best: dict[int, Grade] = {}
    for grade in sorted(grades, key=lambda g: g.file):
        number = grade.exercise.number
        if number not in best or grade.points > best[number].points:
            best[number] = grade
    return tuple(best[number] for number in sorted(best))
