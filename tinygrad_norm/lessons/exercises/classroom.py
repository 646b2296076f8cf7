"""A class: whose file is which, grading them all, one line a student."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError
from ...terminal.files import shown_name
from .exercise import Exercise
from .grading import SECONDS, Grade, grade_file
from .stub import author, recognize


@dataclass(frozen=True)
class Submission:
    """A file that a student handed in."""

    student: str
    exercise: Exercise
    path: Path


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


def find_submissions(folder: Path) -> tuple[list[Submission], list[Path]]:
    """Return what was handed in, and the Python files that answer no exercise.

    A folder inside is a student and may hold folders of its own. A file beside them belongs to whom its name begins
    with (``ada_exercise_07….py``); files that begin with the exercise are all of one student, named by the folder.

    Raises
    ------
    InputError
        If nothing in it answers an exercise.
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


def grade_class(
    submissions: Sequence[Submission],
    seed: int = 0,
    seconds: float = SECONDS,
    jobs: int = 1,
    report: Callable[[str, float], None] | None = None,
) -> Class:
    """Grade everything that was handed in.

    Parameters
    ----------
    submissions : sequence of Submission
    seed, seconds :
        As in :func:`.grade_file`.
    jobs : int
        How many files are graded at a time.
    report : callable, optional
        Told what was graded, and the fraction that is done.
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
