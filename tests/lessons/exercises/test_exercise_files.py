"""Which file answers which exercise, and whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygrad_norm.errors import InputError
from tinygrad_norm.lessons.exercises import exercise_files
from tinygrad_norm.lessons.exercises.exercise_files import author, file_name, find_submissions, recognize, stub_text
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


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_who_handed_in_what(tmp_path: Path) -> None:
    for name in (
        "ada/exercise_07.py",
        "ada/again/exercise_08.py",
        "Bob_exercise_07.py",
        "bob/exercise_07.py",
        "exercise_09.py",
        "exercise_10.py",
        "bob/.hidden/exercise_07.py",
        "bob/__pycache__/exercise_07.py",
        "bob/exercise_07.txt",
    ):
        write(tmp_path / name)
    write(tmp_path / "eve.py", stub_text(EXERCISES[3]))
    helper = write(tmp_path / "ada" / "helper.py")
    (tmp_path / "gone_exercise_07.py").symlink_to(tmp_path / "nowhere.py")
    submissions, others = find_submissions(tmp_path)
    assert [(s.student, s.exercise.number, s.path.relative_to(tmp_path).as_posix()) for s in submissions] == [
        ("ada", 7, "ada/exercise_07.py"),
        ("ada", 8, "ada/again/exercise_08.py"),
        ("Bob", 7, "Bob_exercise_07.py"),
        ("bob", 7, "bob/exercise_07.py"),
        ("eve", 3, "eve.py"),
        (tmp_path.name, 9, "exercise_09.py"),
        (tmp_path.name, 10, "exercise_10.py"),
    ]
    assert others == [helper]


def test_a_name_that_cannot_be_shown(tmp_path: Path) -> None:
    write(tmp_path / "a\nb" / "exercise_07.py")
    (submission,), _ = find_submissions(tmp_path)
    assert submission.student == r"'a\nb'"


def test_a_folder_without_answers(tmp_path: Path) -> None:
    write(tmp_path / "notes.py")
    with pytest.raises(InputError, match=r"must hold answers to exercises: .*; got 1 other Python files\. See"):
        find_submissions(tmp_path)


def test_a_file_that_cannot_be_read_answers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    write(tmp_path / "ada_exercise_07.py")
    monkeypatch.setattr(exercise_files, "recognize", refuse)
    with pytest.raises(InputError, match="got 1 other Python files"):
        find_submissions(tmp_path)
