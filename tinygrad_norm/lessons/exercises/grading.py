"""Grading a file: its functions run in a process of their own, one point after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...sandbox import JobResult, Printed, run
from ...terminal.files import shown_name
from .exercise import Exercise, Verdict
from .job import fail, grade_checks

SECONDS = 10.0
"""How long a function, or loading the file, may take unless said otherwise."""


@dataclass(frozen=True)
class Grade:
    """What came of one file.

    Attributes
    ----------
    exercise : Exercise
    file : str
    verdicts : tuple of Verdict
        One for each point, in the order of the exercise.
    printed : Printed
        What the file printed while it was graded.
    """

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
    and the others are graded in a new process.

    Parameters
    ----------
    path : str or Path
        The file.
    exercise : Exercise
    seed : int
        Of the random data.
    seconds : float
        The longest that a function, or loading the file, may take.
    """
    verdicts: dict[int, tuple[Verdict, ...]] = {}
    printed = Printed()
    while len(verdicts) < len(exercise.checks):
        pending = [k for k in range(len(exercise.checks)) if k not in verdicts]
        arguments = {"file": str(path), "number": exercise.number, "checks": pending, "seed": seed}
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
            verdicts.update({k: fail(exercise.checks[k], message["failed"], "does-not-run") for k in pending})
        elif "loaded" in message:
            loaded = True
        else:
            verdicts[message["check"]] = tuple(_verdict(data) for data in message["verdicts"])
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


def _verdict(data: Mapping[str, Any]) -> Verdict:
    return Verdict(data["label"], data["passed"], data["message"], tuple(data["detail"]), data["code"])
