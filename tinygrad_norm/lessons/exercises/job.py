"""What runs in the learner's process: loads the file, calls the graders, reports the verdicts as JSON."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ...sandbox import account, load
from .answers import RefusalError
from .catalog import EXERCISES
from .exercise import NOT_WRITTEN, Check, Verdict


def grade_checks(file: str, number: int, checks: Sequence[int], seed: int) -> Iterator[dict[str, Any]]:
    """Grade some checks of an exercise.

    Yields ``{"failed": why}`` if the file cannot be loaded; else ``{"loaded": True}``, then for each check in turn
    ``{"check": 2, "verdicts": […]}``.
    """
    try:
        module = load(file)
    except BaseException as error:  # also sys.exit
        yield {"failed": f"the file does not run: {account(error, file)}"}
        return
    yield {"loaded": True}
    for index in checks:
        check = EXERCISES[number].checks[index]
        yield {"check": index, "verdicts": [asdict(verdict) for verdict in graded(check, vars(module), file, seed)]}


def graded(check: Check, names: dict[str, Any], file: str, seed: int) -> tuple[Verdict, ...]:
    """Return the verdicts of one check on what a file defines; whatever its function raises becomes one."""
    answer = names.get(check.function)
    if not callable(answer):
        return fail(check, f"there is no function {check.function} in the file", "missing")
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return check.grade(answer, seed)
    except RefusalError as refusal:
        return fail(check, str(refusal), refusal.code)
    except NotImplementedError as error:
        return fail(check, account(error, file), NOT_WRITTEN)
    except BaseException as error:  # also sys.exit
        return fail(check, account(error, file), "raises")


def fail(check: Check, message: str, code: str) -> tuple[Verdict, ...]:
    """Return the same failure for each point of a check."""
    return tuple(Verdict(label, False, message, code=code) for label in check.labels)
