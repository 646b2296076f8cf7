"""Who handed in what: files, notebooks, a roster; nothing is overlooked."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_norm.errors import FileError, InputError
from tinygrad_norm.lessons.exercises import class_files
from tinygrad_norm.lessons.exercises.class_files import Stray, find_submissions, read_roster, source_of
from tinygrad_norm.lessons.exercises.exercise_files import recognize, stub_text
from tinygrad_norm.lessons.exercises.tasks import EXERCISES


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
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
    found = find_submissions(tmp_path)
    assert [(s.student, s.exercise.number, s.path.relative_to(tmp_path).as_posix()) for s in found.submissions] == [
        ("ada", 7, "ada/exercise_07.py"),
        ("ada", 8, "ada/again/exercise_08.py"),
        ("Bob", 7, "Bob_exercise_07.py"),
        ("bob", 7, "bob/exercise_07.py"),
        ("eve", 3, "eve.py"),
        (tmp_path.name, 9, "exercise_09.py"),
        (tmp_path.name, 10, "exercise_10.py"),
    ]
    assert found.strays == (Stray("ada", helper),)
    assert found.roster is None


def test_a_name_that_cannot_be_shown(tmp_path: Path) -> None:
    write(tmp_path / "a\nb" / "exercise_07.py")
    (submission,) = find_submissions(tmp_path).submissions
    assert submission.student == r"'a\nb'"


def test_a_folder_without_answers(tmp_path: Path) -> None:
    write(tmp_path / "notes.py")
    with pytest.raises(InputError, match=r"must hold answers to exercises: .*; got 1 others\. See"):
        find_submissions(tmp_path)


def test_a_file_that_cannot_be_read_answers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    write(tmp_path / "ada_exercise_07.py")
    monkeypatch.setattr(class_files, "recognize", refuse)
    with pytest.raises(InputError, match="got 1 others"):
        find_submissions(tmp_path)


def test_the_roster_lends_its_spelling_and_what_was_not_asked_for_is_told(tmp_path: Path) -> None:
    write(tmp_path / "ADA" / "exercise_07.py")
    extra = write(tmp_path / "ADA" / "exercise_08.py")
    found = find_submissions(tmp_path, asked={7}, roster=["Ada", "Bob"])
    assert [s.student for s in found.submissions] == ["Ada"]
    assert found.strays == (Stray("Ada", extra, 8),)
    assert found.roster == ("Ada", "Bob")


def test_late_is_what_was_last_written_after_the_due_time(tmp_path: Path) -> None:
    for name, written in (("ada", 1000), ("bob", 3000)):
        os.utime(write(tmp_path / f"{name}_exercise_07.py"), (written, written))
    found = find_submissions(tmp_path, due=2000.0)
    assert [(s.student, s.late) for s in found.submissions] == [("ada", False), ("bob", True)]


def notebook(*cells: tuple[str, str]) -> str:
    told = [{"cell_type": kind, "source": text.splitlines(keepends=True)} for kind, text in cells]
    return json.dumps({"cells": told, "metadata": {}, "nbformat": 4})


def test_a_notebook_is_its_code_cells(tmp_path: Path) -> None:
    header = '"""tinygrad-norm exercise 7: Backward: the mean"""\nimport numpy as np'
    text = notebook(("markdown", '# By "Ada"'), ("code", header), ("code", "%matplotlib inline\n!ls\nx = 1\nnp.mean?"))
    path = write(tmp_path / "ada" / "answer.ipynb", text)
    assert recognize(path) is EXERCISES[7]
    assert source_of(path).decode() == f"{header}\n\n\n\nx = 1\nnp.mean\n"
    assert [s.student for s in find_submissions(tmp_path).submissions] == ["ada"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"cells": [{}]}', '{"cells": [3]}', "[" * 10**5])
def test_what_is_no_notebook_does_not_run(tmp_path: Path, text: str) -> None:
    assert source_of(write(tmp_path / "exercise_07.ipynb", text)).startswith(b"raise ValueError(")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ada\nBob\n\nAda\n", ("Ada", "Bob")),
        ('\ufeffEmail,Name\na@b,"Lovelace, Ada"\nc@d,Bob\n', ("Lovelace, Ada", "Bob")),
        ("SID,Section\n7,1\n8,1\n", ("7", "8")),
        ("id\nx\x1b[2Jy\n", ("'x\\x1b[2Jy'",)),
    ],
)
def test_the_names_of_a_roster(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    assert read_roster(write(tmp_path / "roster.csv", text)) == names


def test_a_roster_without_names_or_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"must be a CSV file with a name a line; got: No such file"):
        read_roster(tmp_path / "none.csv")
    with pytest.raises(InputError, match="must hold the names of the class"):
        read_roster(write(tmp_path / "roster.csv", "name\n"))


@given(st.binary(max_size=80))
def test_any_bytes_are_a_roster_or_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "roster.csv"
    path.write_bytes(data)
    try:
        names = read_roster(path)
    except (FileError, InputError):
        return
    assert names
    assert all(name.isprintable() for name in names)
