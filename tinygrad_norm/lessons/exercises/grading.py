"""Grading a file, which runs in a process of its own, or here where there is none, and is judged here."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ...sandbox import Answer, AnswerEndedError, AnswerRaisedError, AnswerSession, Printed, account
from ...terminal.files import shown_name
from ..languages import say, speaking
from .borrowed_engine import imported_engine
from .checked_values import RefusalError
from .class_files import source_of
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
    """Grade a file as an answer to an exercise, as :func:`grade_source` does."""
    return grade_source(source_of(Path(path)), str(path), exercise, seed, seconds)


def grade_source(
    source: bytes,
    name: str,
    exercise: Exercise,
    seed: int = 0,
    seconds: float = SECONDS,
    *,
    session: Callable[[bytes, str, float, float], Answer] = AnswerSession,
    report: Callable[[tuple[Verdict, ...]], object] | None = None,
) -> Grade:
    """Grade the text of a file as an answer to an exercise.

    The file runs in a process of its own and is only asked for numbers; everything that judges them stays here. A
    function that never ends, exits or crashes loses its own points, and the others are graded in a new process. The
    seed is that of the random data; in so many seconds each call must be done, and loading the file; the file as a
    whole has :data:`WHOLE` times as long. ``session`` runs the file; ``report`` is told the verdicts of each check.
    """
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
            with session(source, os.path.basename(name), seconds, left) as answer:
                refusal = _grade_pending(answer, exercise, pending, seed, verdicts, report)
            printed = Printed(printed.lines + answer.printed.lines, printed.first or answer.printed.first)
    if refusal is not None:
        verdicts |= {k: fail(check, *refusal) for k, check in enumerate(exercise.checks) if k not in verdicts}
    in_order = tuple(verdict for k in range(len(exercise.checks)) for verdict in verdicts[k])
    return Grade(exercise, shown_name(name), in_order, printed)


def _borrowed(source: bytes, exercise: Exercise) -> Refusal | None:
    borrowed = imported_engine(source) if exercise.own_engine else None
    return None if borrowed is None else (borrowed, "borrowed-engine")


def _grade_pending(
    answer: Answer,
    exercise: Exercise,
    pending: Sequence[int],
    seed: int,
    verdicts: dict[int, tuple[Verdict, ...]],
    report: Callable[[tuple[Verdict, ...]], object] | None,
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
        if report is not None:
            report(verdicts[k])
        if answer.ended is not None:
            return None
    return None


def graded(check: Check, names: Mapping[str, Any], file: str, seed: int) -> tuple[Verdict, ...]:
    """Return the verdicts of one check on what a file defines; whatever its function raises becomes one."""
    defined = _Defined(names)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            answer = defined[check.function]
            return check.grade(defined if check.whole_file else answer, seed)
    except RefusalError as refusal:
        return fail(check, str(refusal), refusal.code)
    except AnswerRaisedError as error:
        return fail(check, str(error), "raises")
    except NotImplementedError:
        return fail(check, say("not written yet"), NOT_WRITTEN)
    except (Exception, SystemExit) as error:
        return fail(check, account(error, file), "raises")


class _Defined(dict[str, Any]):
    """What can be called in a file, by name; a refusal for what is not there."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        super().__init__({name: value for name, value in names.items() if callable(value)})

    def __missing__(self, name: str) -> Any:
        is_class = name[0].isupper()
        words = "there is no class {name} in the file" if is_class else "there is no function {name} in the file"
        raise RefusalError(say(words, name=name), "missing")


def fail(check: Check, message: str, code: str) -> tuple[Verdict, ...]:
    """Return the same failure for each point of a check."""
    return tuple(Verdict(label, False, message, code=code) for label in check.labels)
