"""Which file answers which exercise: the stub that is written, and how it is recognized when it comes back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from ...terminal.files import shown_name
from ..languages import say, speaking
from .exercise_parts import Exercise
from .tasks import EXERCISES

_HEADER = re.compile(r"tinygrad-norm exercise (\d+)(?: of ([^\n]*?\.py)(?=:|\s*$))?\b", re.MULTILINE)
_NAME = re.compile(r"exercise[_\- ]?0*(\d+)", re.IGNORECASE)
_FIRST = 4000
"""Bytes of a file in which its header must stand."""


def file_name(exercise: Exercise) -> str:
    """Return what the stub is called.

    >>> file_name(EXERCISES[7])
    'exercise_07_mean_backward.py'
    """
    return f"exercise_{exercise.number:02}_{exercise.slug.replace('-', '_')}.py"


def command(exercise: Exercise, action: str, what: str | int, more: str = "") -> str:
    """Return a line for the shell that does something with an exercise.

    >>> command(EXERCISES[7], "hint", 7, "--step 2")
    'tinygrad-norm exercise hint 7 --step 2'
    """
    given = ["--from", shlex.quote(shown_name(exercise.source))] if exercise.source else []
    return " ".join(["tinygrad-norm exercise", action, str(what), *filter(None, [more]), *given])


def stub_text(exercise: Exercise) -> str:
    """Return the file to start from: the statement, and the functions without their bodies."""
    with speaking(exercise.lang):
        return _stub(exercise)


def _stub(exercise: Exercise) -> str:
    name = file_name(exercise)
    source = f" of {shown_name(Path(exercise.source).name)}" if exercise.source else ""
    do = say("Write the bodies of the functions below. The examples (>>>) show what they must give; try them:")
    raw = "r" if "\\" in f"{exercise.title}{exercise.statement}{exercise.source}" else ""
    return f'''{raw}"""tinygrad-norm exercise {exercise.number}{source}: {exercise.title}
{exercise.statement.rstrip()}

{do}

    python -m doctest {name}

{say("Then ask for a hint, or have it graded (points: {points}):", points=exercise.points)}

    {command(exercise, "hint", exercise.number)}
    {command(exercise, "grade", name)}
"""

import numpy as np


{exercise.stub.strip()}
'''


def recognize(path: Path, exercises: Mapping[int, Exercise] = EXERCISES) -> Exercise | None:
    """Return the exercise that a file answers: by its header, or by its name if it has none.

    A header that names another source than these exercises have is that of an exercise that is not among them.

    OSError if the file cannot be read.
    """
    with open(path, "rb") as file:
        start = file.read(_FIRST).decode("utf-8", errors="replace").replace('\\"', '"')  # as a notebook has it
    found = _HEADER.search(start) or _NAME.search(path.name)
    exercise = exercises.get(int(found[1])) if found is not None else None
    if found is None or exercise is None or found.re is _NAME:
        return exercise
    return exercise if (found[2] or "") == Path(exercise.source).name else None


def author(path: Path) -> str:
    """Return what stands in a file's name before the exercise, which is the student where all files lie together.

    >>> author(Path("ada_exercise_07_mean_backward.py")), author(Path("exercise_07_mean_backward.py"))
    ('ada', '')
    """
    found = _NAME.search(path.stem)
    return path.stem if found is None else path.stem[: found.start()].strip("_- .")
