"""The file that a learner starts from, and how it is recognized when it comes back."""

from __future__ import annotations

import re
from pathlib import Path

from .catalog import EXERCISES
from .exercise import Asked, Exercise

_HEADER = re.compile(r"tinygrad-norm exercise (\d+)\b")
_NAME = re.compile(r"exercise[_\- ]?0*(\d+)", re.IGNORECASE)
_FIRST = 4000
"""Bytes of a file in which its header must stand."""


def file_name(exercise: Exercise) -> str:
    """Return what the stub is called.

    Examples
    --------
    >>> file_name(EXERCISES[7])
    'exercise_07_mean_backward.py'
    """
    return f"exercise_{exercise.number:02}_{exercise.slug.replace('-', '_')}.py"


def stub_text(exercise: Exercise) -> str:
    """Return the file to start from: the statement, and the functions without their bodies."""
    functions = "\n\n\n".join(_function(asked) for asked in exercise.asked)
    name = file_name(exercise)
    return f'''"""tinygrad-norm exercise {exercise.number}: {exercise.title}
{exercise.statement.rstrip()}

Write the bodies of the functions below. The examples (>>>) show what they must give; try them:

    python -m doctest {name}

Then ask for a hint, or have it graded (points: {exercise.points}):

    tinygrad-norm exercise hint {exercise.number}
    tinygrad-norm exercise grade {name}
"""

import numpy as np


{functions}
'''


def _function(asked: Asked) -> str:
    lines = [line and f"    {line}" for line in asked.docstring.strip().split("\n")]
    body = "\n".join(lines).strip()
    return f'def {asked.signature}:\n    """{body}\n    """\n    raise NotImplementedError("write your answer here")'


def recognize(path: Path) -> Exercise | None:
    """Return the exercise that a file answers: by its header, or by its name if it has none.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as file:
        start = file.read(_FIRST).decode("utf-8", errors="replace")
    for found in (_HEADER.search(start), _NAME.search(path.name)):
        if found is not None and int(found[1]) in EXERCISES:
            return EXERCISES[int(found[1])]
    return None


def author(path: Path) -> str:
    """Return what stands in a file's name before the exercise, which is the student where all files lie together.

    Examples
    --------
    >>> author(Path("ada_exercise_07_mean_backward.py")), author(Path("exercise_07_mean_backward.py"))
    ('ada', '')
    """
    found = _NAME.search(path.stem)
    return path.stem if found is None else path.stem[: found.start()].strip("_- .")
