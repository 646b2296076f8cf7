"""Grading a file: its functions run in a process of their own, one point after the other. And a class: all its files.

:func:`grade_checks` is what runs in that process: it loads the file, calls the checks, and reports verdicts as JSON.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from ...sandbox import JobResult, Printed, account, load, run
from ...terminal.files import shown_name
from ..from_file import exercises_of
from ..languages import say, speaking
from .borrowed_engine import engine_behind, imported_engine
from .checked_values import RefusalError
from .exercise_files import Submission
from .exercise_parts import NOT_WRITTEN, Check, Exercise, Verdict
from .tasks import EXERCISES

SECONDS = 10.0
"""How long a function, or loading the file, may take unless said otherwise."""


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

    Nothing that the file does stops the grading: a function that never ends, exits or crashes loses its own points,
    and the others are graded in a new process. The seed is that of the random data; in so many seconds each function
    must be done, and loading the file.
    """
    verdicts: dict[int, tuple[Verdict, ...]] = {}
    printed = Printed()
    while len(verdicts) < len(exercise.checks):
        pending = [k for k in range(len(exercise.checks)) if k not in verdicts]
        arguments = {
            "file": str(path),
            "number": exercise.number,
            "checks": pending,
            "seed": seed,
            "source": exercise.source,
        }
        outcome = run(grade_checks, arguments, seconds)
        _read(outcome, exercise, pending, verdicts)
        printed = Printed(printed.lines + outcome.printed.lines, printed.first or outcome.printed.first)
    in_order = tuple(verdict for k in range(len(exercise.checks)) for verdict in verdicts[k])
    return Grade(exercise, shown_name(str(path)), in_order, printed)


def _read(outcome: JobResult, exercise: Exercise, pending: list[int], verdicts: dict[int, tuple[Verdict, ...]]) -> None:
    """Enter what one process reported; the check at which it ended, if it did, fails."""
    loaded = False
    for message in outcome.messages:
        if "failed" in message:
            verdicts.update({k: fail(exercise.checks[k], message["failed"], message["code"]) for k in pending})
        elif "loaded" in message:
            loaded = True
        else:
            told = ({**data, "detail": tuple(data["detail"])} for data in message["verdicts"])
            verdicts[message["check"]] = tuple(Verdict(**data) for data in told)
    left = [k for k in pending if k not in verdicts]
    if outcome.ending.how == "finished" or not left:
        return
    code = outcome.ending.how.replace(" ", "-")
    if loaded:
        # They come in turn: the first without a verdict is the one that ended the process.
        verdicts[left[0]] = fail(exercise.checks[left[0]], outcome.ending.reason, code)
    else:
        words = f"the file, when it is loaded, {outcome.ending.reason}"
        verdicts.update({k: fail(exercise.checks[k], words, code) for k in left})


def grade_checks(
    file: str, number: int, checks: Sequence[int], seed: int, source: str = ""
) -> Iterator[dict[str, Any]]:
    """Grade some checks of an exercise, one of the course's own or of those in the source.

    Yields ``{"failed": why, "code": …}`` if the file cannot be loaded, or brings an engine where one is to be written;
    else ``{"loaded": True}``, then for each check in turn ``{"check": 2, "verdicts": […]}``.
    """
    with redirect_stdout(StringIO()):  # what a source prints is not the answer's
        exercise = (exercises_of(source) if source else EXERCISES)[number]
    before = set(sys.modules)
    borrowed = imported_engine(file) if exercise.own_engine else None
    if borrowed is not None:
        yield {"failed": borrowed, "code": "borrowed-engine"}
        return
    try:
        module = load(file)
    except BaseException as error:  # also sys.exit
        with speaking(exercise.lang):
            failed = say("the file does not run: {why}", why=account(error, file))
        yield {"failed": failed, "code": "does-not-run"}
        return
    borrowed = engine_behind(vars(module), set(sys.modules) - before) if exercise.own_engine else None
    if borrowed is not None:
        yield {"failed": borrowed, "code": "borrowed-engine"}
        return
    yield {"loaded": True}
    for index in checks:
        check = exercise.checks[index]
        with speaking(exercise.lang):
            verdicts = graded(check, vars(module), file, seed)
        yield {"check": index, "verdicts": [asdict(verdict) for verdict in verdicts]}


def graded(check: Check, names: dict[str, Any], file: str, seed: int) -> tuple[Verdict, ...]:
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
