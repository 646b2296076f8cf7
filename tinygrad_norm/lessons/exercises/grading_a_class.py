"""Grading a class: every file of every student, on one machine or many; nobody vanishes.

:func:`graded_elsewhere` is what a worker does, with plain data in and out, so that any executor can carry it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from ...sandbox import Printed
from ...terminal.files import shown_name
from ..from_file import exercises_of
from ..languages import say, speaking
from .class_files import HandedIn, Submission, source_of
from .exercise_parts import Exercise, Verdict
from .grading import SECONDS, Grade, grade_source
from .tasks import EXERCISES


@dataclass(frozen=True)
class Student:
    """What came of one student's files: for each exercise the best grade, and what a teacher should know besides."""

    name: str
    grades: tuple[Grade, ...]
    notes: tuple[str, ...] = ()

    def grade_of(self, number: int) -> Grade | None:
        """Return the grade of an exercise, None if nothing was handed in."""
        return next((grade for grade in self.grades if grade.exercise.number == number), None)

    @property
    def points(self) -> int:
        """All points together."""
        return sum(grade.points for grade in self.grades)


@dataclass(frozen=True)
class Class:
    """A class, the exercises that anybody in it handed in, and whether all files were graded."""

    exercises: tuple[Exercise, ...]
    students: tuple[Student, ...]
    complete: bool = True

    @property
    def out_of(self) -> int:
        """The points that a student can have."""
        return sum(exercise.points for exercise in self.exercises)

    def is_full(self, student: Student) -> bool:
        """Tell whether a student has every point that there is."""
        return student.points == self.out_of


def grade_class(
    handed_in: HandedIn,
    seed: int = 0,
    seconds: float = SECONDS,
    executor: Executor | None = None,
    report: Callable[[str, float], None] | None = None,
) -> Class:
    """Grade everything that was handed in, as :func:`.grading.grade_file` does.

    Parameters
    ----------
    handed_in : HandedIn
        From :func:`.class_files.find_submissions`.
    seed, seconds
        As of one file; everybody gets the same random data.
    executor : concurrent.futures.Executor, optional
        Does the work: threads, processes, or a cluster's. Not closed here. One thread if there is none.
    report : callable, optional
        Told what is done, and the fraction of it.

    Returns
    -------
    Class
        Whose ``complete`` is False if Ctrl-C came before the end: what was graded by then is in it.
    """
    grades: dict[Submission, Grade] = {}
    complete = True
    with _given_or_own(executor) as workers:
        running = {_sent(workers, s, seed, seconds): s for s in handed_in.submissions}
        try:
            for future in as_completed(running):
                submission = running[future]
                grades[submission] = _received(submission, future.result())
                if report is not None:
                    report("grading", len(grades) / len(running))
        except KeyboardInterrupt:
            complete = False
        finally:
            for future in running:
                future.cancel()
    exercises = {s.exercise.number: s.exercise for s in handed_in.submissions}
    with speaking(language_of(exercises.values())):
        students = tuple(_students(handed_in, grades))
    return Class(tuple(exercises[number] for number in sorted(exercises)), students, complete)


def language_of(exercises: Iterable[Exercise]) -> str:
    """Return the language of all exercises, English if they have several."""
    languages = {exercise.lang for exercise in exercises}
    return languages.pop() if len(languages) == 1 else "en"


@contextmanager
def _given_or_own(executor: Executor | None) -> Iterator[Executor]:
    if executor is not None:
        yield executor
        return
    with ThreadPoolExecutor(1) as own:
        yield own


def _sent(workers: Executor, submission: Submission, seed: int, seconds: float) -> Future[Mapping[str, Any]]:
    exercise = submission.exercise
    try:
        source = source_of(submission.path)
    except OSError as error:
        source = f"raise OSError({error.strerror or 'cannot be read'!r})\n".encode()
    name = submission.path.name
    return workers.submit(graded_elsewhere, source, name, exercise.number, exercise.source, seed, seconds)


def graded_elsewhere(
    source: bytes, name: str, number: int, origin: str, seed: int, seconds: float
) -> Mapping[str, Any]:
    """Grade a file on whatever machine this is: its bytes in, verdicts as plain data out.

    The exercise is the course's own, or that of the teacher's file ``origin``, which the machine must have.
    """
    exercise = (exercises_of(origin) if origin else EXERCISES)[number]
    grade = grade_source(source, name, exercise, seed, seconds)
    return {"verdicts": [asdict(verdict) for verdict in grade.verdicts], "printed": asdict(grade.printed)}


def _received(submission: Submission, result: Mapping[str, Any]) -> Grade:
    verdicts = tuple(Verdict(**{**told, "detail": tuple(told["detail"])}) for told in result["verdicts"])
    return Grade(submission.exercise, shown_name(str(submission.path)), verdicts, Printed(**result["printed"]))


def _students(handed_in: HandedIn, grades: Mapping[Submission, Grade]) -> Iterator[Student]:
    """Yield every name, in the order of the roster and then of the files."""
    theirs: dict[str, list[Submission]] = {name: [] for name in handed_in.roster or ()}
    for submission in handed_in.submissions:
        theirs.setdefault(submission.student, []).append(submission)
    for stray in [stray for stray in handed_in.strays if stray not in handed_in.nobodys]:
        theirs.setdefault(stray.student, [])
    for name, files in theirs.items():
        best = _best([(s, grades[s]) for s in files if s in grades])
        yield Student(name, tuple(best.values()), tuple(_notes(name, handed_in, files, grades)))


def _best(graded: Sequence[tuple[Submission, Grade]]) -> dict[int, Grade]:
    """Return for each exercise the grade with the most points; of equal ones the one in time."""
    best: dict[int, Grade] = {}
    for _, grade in sorted(graded, key=lambda pair: (pair[0].late, pair[1].file)):
        number = grade.exercise.number
        if number not in best or grade.points > best[number].points:
            best[number] = grade
    return dict(sorted(best.items()))


def _notes(
    name: str, handed_in: HandedIn, files: Sequence[Submission], grades: Mapping[Submission, Grade]
) -> Iterator[str]:
    """Yield what a teacher should know of a student's files."""
    if handed_in.roster is not None and name not in handed_in.roster:
        yield say("not in the roster")
    numbers = [submission.exercise.number for submission in files]
    for number in sorted({n for n in numbers if numbers.count(n) > 1}):
        yield say("{files} files for exercise {number}, the best counts", files=numbers.count(number), number=number)
    yield from (say("late: {file}", file=shown_name(s.path.name)) for s in files if s.late)
    yield from (say("not graded: {file}", file=shown_name(s.path.name)) for s in files if s not in grades)
    strays = [stray for stray in handed_in.strays if stray.student == name]
    for stray in strays:
        told = (
            "{file} answers no exercise" if stray.answers is None else "{file} answers exercise {number}, not asked for"
        )
        yield say(told, file=shown_name(stray.path.name), number=stray.answers)
    if not files and not strays:
        yield say("nothing handed in")
