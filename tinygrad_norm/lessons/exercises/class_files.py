"""Who handed in what: the files in a folder, as those of students, beside the names of a roster."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import FileError, InputError
from ...terminal.files import shown_name
from .exercise_files import author, recognize
from .exercise_parts import Exercise
from .tasks import EXERCISES

NAME_COLUMNS = ("name", "student", "sid", "id", "username", "login", "email")
"""Heads of a roster's column of names, the best first; without any, its first column."""


@dataclass(frozen=True)
class Submission:
    """A file that a student handed in."""

    student: str
    exercise: Exercise
    path: Path
    late: bool = False


@dataclass(frozen=True)
class Stray:
    """A file that is not graded: it answers no exercise, or one that was not asked for."""

    student: str
    path: Path
    answers: int | None = None
    in_folder: bool = True


@dataclass(frozen=True)
class HandedIn:
    """What was handed in, what is left out, and the names of all who could have handed in."""

    submissions: tuple[Submission, ...]
    strays: tuple[Stray, ...] = ()
    roster: tuple[str, ...] | None = None

    @property
    def nobodys(self) -> tuple[Stray, ...]:
        """The files that lie beside the students' and belong to none of them."""
        known = {*(self.roster or ()), *(submission.student for submission in self.submissions)}
        return tuple(stray for stray in self.strays if not stray.in_folder and stray.student not in known)


def find_submissions(
    folder: Path,
    exercises: Mapping[int, Exercise] = EXERCISES,
    asked: Collection[int] = (),
    due: float | None = None,
    roster: Sequence[str] | None = None,
) -> HandedIn:
    """Return what was handed in.

    A folder inside is a student and may hold folders of its own. A file beside them belongs to whom its name begins
    with (``ada_exercise_07….py``); files that begin with the exercise are all of one student, named by the folder. A
    name of the roster is found whatever its letters' case. Python files and notebooks count; of these exercises only
    those ``asked`` for, if any are. What was last written after ``due``, in seconds since 1970, is late.

    InputError if nothing in it answers an exercise.
    """
    found: list[Submission] = []
    strays: list[Stray] = []
    known = {name.casefold(): name for name in roster or ()}
    for path in _answers(folder):
        student = known.get(_student(path, folder).casefold(), _student(path, folder))
        exercise = _recognized(path, exercises)
        if exercise is None:
            strays.append(Stray(student, path, None, path.parent != folder))
        elif asked and exercise.number not in asked:
            strays.append(Stray(student, path, exercise.number))
        else:
            found.append(Submission(student, exercise, path, due is not None and path.stat().st_mtime > due))
    if not found:
        raise InputError(
            f"{shown_name(str(folder))} must hold answers to exercises: Python files or notebooks with the first line "
            f"of their stub, or a name like ada_exercise_07.py; got {len(strays)} others. "
            "See tinygrad-norm exercise start -h."
        )
    ordered = sorted(found, key=lambda s: (s.student.casefold(), s.exercise.number, str(s.path)))
    return HandedIn(tuple(ordered), tuple(strays), None if roster is None else tuple(roster))


def _answers(folder: Path) -> Iterator[Path]:
    """Yield the Python files and notebooks in a folder and below, without hidden ones and caches."""
    for path in sorted(p for kind in ("*.py", "*.ipynb") for p in folder.rglob(kind)):
        inner = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in inner):
            yield path


def _recognized(path: Path, exercises: Mapping[int, Exercise]) -> Exercise | None:
    try:
        return recognize(path, exercises)
    except OSError:
        return None


def _student(path: Path, folder: Path) -> str:
    inner = path.relative_to(folder)
    name = inner.parts[0] if len(inner.parts) > 1 else author(path) or folder.resolve().name
    return shown_name(name)


def source_of(path: Path) -> bytes:
    r"""Return the Python of a file: all of it, or the code cells of a notebook without what only a notebook has.

    OSError if the file cannot be read. What is no notebook is returned as it is, and will not run.
    """
    content = path.read_bytes()
    if path.suffix != ".ipynb":
        return content
    try:
        cells = json.loads(content)["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return b'raise ValueError("this is no notebook that can be read")\n'
    lines = "\n\n".join(code).splitlines()
    plain = ("" if line.lstrip().startswith(("%", "!")) else line.removesuffix("?") for line in lines)
    return "\n".join(plain).encode(errors="replace") + b"\n"


def read_roster(path: Path) -> tuple[str, ...]:
    """Return the names in a CSV file: those of its column of names, once each, in order.

    FileError if the file cannot be read; InputError if there is no name in it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV file in UTF-8"
        raise FileError(f"{shown_name(str(path))} must be a CSV file with a name a line; got: {reason}.") from None
    heads = [cell.strip().casefold() for cell in rows[0]] if rows else []
    column = next((heads.index(name) for name in NAME_COLUMNS if name in heads), None)
    named = rows if column is None else rows[1:]
    names = [shown_name(row[column or 0].strip()) for row in named if len(row) > (column or 0)]
    found = tuple(dict.fromkeys(name for name in names if name))
    if not found:
        raise InputError(f"{shown_name(str(path))} must hold the names of the class, a line each; got none.")
    return found
