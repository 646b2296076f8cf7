"""Which file answers which exercise, and whose it is: the stub that is written, and the files that come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError
from ...terminal.files import shown_name
from .exercise_parts import Exercise
from .tasks import EXERCISES

_HEADER = re.compile(r"tinygrad-norm exercise (\d+)\b")
_NAME = re.compile(r"exercise[_\- ]?0*(\d+)", re.IGNORECASE)
_FIRST = 4000
"""Bytes of a file in which its header must stand."""


def file_name(exercise: Exercise) -> str:
    """Return what the stub is called.

    >>> file_name(EXERCISES[7])
    'exercise_07_mean_backward.py'
    """
    return f"exercise_{exercise.number:02}_{exercise.slug.replace('-', '_')}.py"


def stub_text(exercise: Exercise) -> str:
    """Return the file to start from: the statement, and the functions without their bodies."""
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


{exercise.stub.strip()}
'''


def recognize(path: Path) -> Exercise | None:
    """Return the exercise that a file answers: by its header, or by its name if it has none.

    OSError if the file cannot be read.
    """
    with open(path, "rb") as file:
        start = file.read(_FIRST).decode("utf-8", errors="replace")
    for found in (_HEADER.search(start), _NAME.search(path.name)):
        if found is not None and int(found[1]) in EXERCISES:
            return EXERCISES[int(found[1])]
    return None


def author(path: Path) -> str:
    """Return what stands in a file's name before the exercise, which is the student where all files lie together.

    >>> author(Path("ada_exercise_07_mean_backward.py")), author(Path("exercise_07_mean_backward.py"))
    ('ada', '')
    """
    found = _NAME.search(path.stem)
    return path.stem if found is None else path.stem[: found.start()].strip("_- .")


@dataclass(frozen=True)
class Submission:
    """A file that a student handed in."""

    student: str
    exercise: Exercise
    path: Path


def find_submissions(folder: Path) -> tuple[list[Submission], list[Path]]:
    """Return what was handed in, and the Python files that answer no exercise.

    A folder inside is a student and may hold folders of its own. A file beside them belongs to whom its name begins
    with (``ada_exercise_07….py``); files that begin with the exercise are all of one student, named by the folder.

    InputError if nothing in it answers an exercise.
    """
    found, others = [], []
    for path in _python_files(folder):
        exercise = _recognized(path)
        if exercise is None:
            others.append(path)
        else:
            found.append(Submission(_student(path, folder), exercise, path))
    if not found:
        raise InputError(
            f"{shown_name(str(folder))} must hold answers to exercises: Python files with the first line of their "
            f"stub, or a name like ada_exercise_07.py; got {len(others)} other Python files. "
            "See tinygrad-norm exercise start -h."
        )
    return sorted(found, key=lambda s: (s.student.lower(), s.exercise.number, str(s.path))), others


def _python_files(folder: Path) -> Iterator[Path]:
    """Yield the Python files in a folder and below, without hidden ones and caches."""
    for path in sorted(folder.rglob("*.py")):
        inner = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in inner):
            yield path


def _recognized(path: Path) -> Exercise | None:
    try:
        return recognize(path)
    except OSError:
        return None


def _student(path: Path, folder: Path) -> str:
    inner = path.relative_to(folder)
    name = inner.parts[0] if len(inner.parts) > 1 else author(path) or folder.resolve().name
    return shown_name(name)
