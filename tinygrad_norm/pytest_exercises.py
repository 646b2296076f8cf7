"""Grades exercises as pytest tests: ``pytest -p tinygrad_norm.pytest_exercises FOLDER``.

Every Python file that answers an exercise becomes a test file with a test for each point; a point that is not made
fails with its verdict. The files run in processes of their own and are never imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from .lessons.exercises.exercise_files import recognize
from .lessons.exercises.exercise_parts import Exercise, Verdict
from .lessons.exercises.exercise_report import verdict_lines
from .lessons.exercises.grading import SECONDS, Grade, grade_file

_SECONDS = "--exercise-seconds"
_TAKEN = pytest.StashKey[set[Path]]()


class PointNotMadeError(Exception):
    """Carries the verdict of a point to the report."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict


class ExerciseFile(pytest.File):
    """A file that answers an exercise."""

    def __init__(self, *, exercise: Exercise, **others: Any) -> None:
        super().__init__(**others)
        self.exercise = exercise

    def collect(self) -> Iterator[PointItem]:
        """Yield a test for each point."""
        labels = [(check.function, label) for check in self.exercise.checks for label in check.labels]
        for place, (function, label) in enumerate(labels):
            yield PointItem.from_parent(self, name=f"{function}: {label}", file=self, place=place)

    @cached_property
    def grade(self) -> Grade:
        """What came of the file: all points at once, when the first is asked for."""
        seconds: float = self.config.getoption(_SECONDS)
        return grade_file(self.path, self.exercise, seconds=seconds)


class PointItem(pytest.Item):
    """One point of an exercise."""

    def __init__(self, *, file: ExerciseFile, place: int, **others: Any) -> None:
        super().__init__(**others)
        self.file = file
        self.place = place

    def runtest(self) -> None:
        """Fail unless the point is made."""
        verdict = self.file.grade.verdicts[self.place]
        if not verdict.passed:
            raise PointNotMadeError(verdict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the verdict in place of a traceback."""
        if isinstance(excinfo.value, PointNotMadeError):
            return "\n".join(verdict_lines(excinfo.value.verdict))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return where the test stands."""
        return self.path, None, self.name


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the time limit."""
    parser.getgroup("tinygrad-norm exercises").addoption(
        _SECONDS, type=float, default=SECONDS, help=f"how long a function may take (default: {SECONDS:g})"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no file taken."""
    config.stash[_TAKEN] = set()


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> ExerciseFile | None:
    """Take the files that pytest would import as test modules: those named in the command line, for example."""
    return _take(module_path, parent)


@pytest.hookimpl(trylast=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ExerciseFile | None:
    """Take the others."""
    if file_path.suffix != ".py" or file_path in parent.config.stash[_TAKEN]:
        return None
    return _take(file_path, parent)


def _take(path: Path, parent: pytest.Collector) -> ExerciseFile | None:
    exercise = recognize(path)
    if exercise is None:
        return None
    parent.config.stash[_TAKEN].add(path)
    return ExerciseFile.from_parent(parent, path=path, exercise=exercise)
