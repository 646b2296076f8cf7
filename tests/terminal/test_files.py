"""A file is written whole or not at all: after an error there is the old one, and nothing beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_norm.errors import FileError
from tinygrad_norm.terminal.files import visible, whole_file, whole_text


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text("old", encoding="utf-8")
    return path


def write(path: str | os.PathLike[str], text: str, failure: BaseException | None = None) -> None:
    with whole_text(path) as file:
        file.write(text)
        file.flush()
        if failure is not None:
            raise failure


def test_a_new_file_and_a_replaced_one(tmp_path: Path, old: Path) -> None:
    for path in (tmp_path / "new.txt", old):
        write(path, "a\nb")
        assert path.read_bytes() == b"a\nb"
    assert len(list(tmp_path.iterdir())) == 2


def test_nothing_stands_there_before_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "weights.npz"
    with whole_file(target) as part:
        part.write_bytes(b"half")
        assert not target.exists()
        assert part.parent == tmp_path
        part.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("failure", [KeyError("k"), OSError(28, "disk full"), KeyboardInterrupt()])
def test_an_error_leaves_the_old_file(tmp_path: Path, old: Path, failure: BaseException) -> None:
    with pytest.raises(type(failure)):
        write(old, "new", failure)
    assert old.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [old]


def test_a_failed_move_leaves_the_old_file(tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tinygrad_norm.terminal.files.os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        write(old, "new")
    assert old.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [old]


def test_a_link_and_the_permissions_stay(tmp_path: Path, old: Path) -> None:
    link = tmp_path / "link.html"
    old.chmod(0o640)
    link.symlink_to(old)
    write(link, "new")
    assert link.is_symlink()
    assert old.read_text(encoding="utf-8") == "new"
    assert old.stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_to_and_stays() -> None:
    before = os.stat(os.devnull)
    write(os.devnull, "new")
    assert os.stat(os.devnull).st_ino == before.st_ino


def test_text_that_cannot_be_encoded_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write(tmp_path / "page.html", "\ud800")
    assert not list(tmp_path.iterdir())


def test_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot write the file: it is a directory; name a file in a folder"):
        write(tmp_path, "new")
    with pytest.raises(FileError, match=r"missing/page\.html: cannot write the file: .*; name a file in a folder"):
        write(tmp_path / "missing" / "page.html", "new")
    with pytest.raises(FileError, match=r"'.*one\\ntwo/page\.html': cannot write"):
        write(tmp_path / "one\ntwo" / "page.html", "new")


def test_the_encoding_and_the_ends_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with whole_text(path, "utf-8-sig") as file:
        file.write("ä\r\nb\n")
    assert path.read_bytes() == b"\xef\xbb\xbf\xc3\xa4\r\nb\n"


def test_names_as_long_as_names_can_be(tmp_path: Path) -> None:
    for length in (200, 241, 255):
        path = tmp_path / ("n" * length)
        write(path, "whole")
        assert path.read_text(encoding="utf-8") == "whole"


def test_nobody_else_reads_it_before_it_is_complete(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with whole_file(tmp_path / "new") as part:
            assert part.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_in_a_text_drives_the_terminal(text: str) -> None:
    shown = visible(text)
    assert all(c.isprintable() or c in "\n\t" or category(c) == "Zs" for c in shown)
    shown.encode("utf-8")
    assert visible(shown) == shown
    if text.isprintable():
        assert shown == text


def test_a_file_that_is_half_written_is_taken_away_by_sigterm(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from tinygrad_norm import cli
from tinygrad_norm.commands import doctor
from tinygrad_norm.terminal.files import whole_text
def run(args):
    with whole_text("out.txt") as file:
        file.write("half")
        os.kill(os.getpid(), signal.SIGTERM)
        while True: signal.pause()
doctor.run = run
sys.exit(cli.main(["doctor"]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 143
    assert list(tmp_path.iterdir()) == []
