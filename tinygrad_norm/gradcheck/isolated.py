"""Checks a learner's file in a process of its own, with a time limit: see :mod:`tinygrad_norm.sandbox`.

Whatever the file does (raise, print, loop, exit, kill itself), the caller gets a result or a message of one line.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import LearnerCodeError
from ..sandbox import run
from .learner import check_job


@dataclass(frozen=True)
class Outcome:
    """The result of a check in another process.

    ``result`` is what :func:`.learner.check_file` returned; ``printed`` counts the lines that the learner's code
    printed, and ``first`` is the first of them.
    """

    result: dict[str, Any]
    printed: int
    first: str


def check_in_process(path: Path, function: str, order: int, seed: int, timeout: float) -> Outcome:
    """Check a function of a file in a process of its own.

    Raises
    ------
    LearnerCodeError
        The file could not be checked: it raised, ran for too long, ended the process or gave nonsense.
    """
    arguments = {"file": str(path), "function": function, "order": order, "seed": seed}
    outcome = run(check_job, arguments, seconds=timeout)
    if outcome.ending.how == "too long":
        raise LearnerCodeError(
            f"{path.name}:{function} must finish within {timeout:g} s; it was stopped. Check a smaller sample, "
            "look for an endless loop, or allow more time with --timeout."
        )
    if outcome.ending.how == "died":
        raise LearnerCodeError(
            f"{path.name} must leave the process running; it {outcome.ending.reason} before the check was done. "
            "Take that out of the file."
        )
    (result,) = outcome.messages
    if "error" in result:
        raise LearnerCodeError(result["error"])
    return Outcome(result, outcome.printed.lines, outcome.printed.first)
