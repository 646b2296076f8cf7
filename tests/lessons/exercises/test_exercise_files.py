"""Which file answers which exercise, and whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygrad_norm.lessons.exercises.exercise_files import author, file_name, recognize, stub_text
from tinygrad_norm.lessons.exercises.exercise_parts import Exercise
from tinygrad_norm.lessons.exercises.tasks import EXERCISES


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.slug)
def test_the_stub_is_recognized(exercise: Exercise, tmp_path: Path) -> None:
    by_header, by_name = tmp_path / "answer.py", tmp_path / file_name(exercise)
    by_header.write_text(stub_text(exercise), encoding="utf-8")
    by_name.write_text("", encoding="utf-8")
    assert recognize(by_header) is exercise
    assert recognize(by_name) is exercise


@pytest.mark.parametrize(
    ("name", "header", "number"),
    [
        ("exercise_07.py", "tinygrad-norm exercise 8: x", 8),
        ("ada Exercise-9 final.py", "", 9),
        ("exercise 12.py", "# mine", 12),
        ("exercise_99.py", "", None),
        ("notes.py", "tinygrad-norm exercise 99", None),
        ("notes.py", "x" * 5000 + "tinygrad-norm exercise 3", None),
        ("exercise_03.py", "\xff\x00", 3),
        ("exercise_03.py", "tinygrad-norm exercise 3 of my.py: x", None),
        ("exercise_03.py", "tinygrad-norm exercise 99: x", None),
    ],
)
def test_the_header_goes_before_the_name(tmp_path: Path, name: str, header: str, number: int | None) -> None:
    path = tmp_path / name
    path.write_bytes(header.encode("latin-1"))
    found = recognize(path)
    assert (None if found is None else found.number) == number


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("Ada Lovelace_12_assign_exercise_07.py", "Ada Lovelace_12_assign"),
        ("exercise_07.py", ""),
        ("bob-Exercise-7.py", "bob"),
        ("eve.py", "eve"),
    ],
)
def test_what_stands_before_the_exercise_is_the_student(name: str, student: str) -> None:
    assert author(Path(name)) == student
