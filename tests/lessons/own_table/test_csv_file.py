"""What can be opened as text, and one line for what cannot."""

from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path

import pytest

from tinygrad_norm.errors import TableError
from tinygrad_norm.lessons.own_table.csv_file import open_lines


def lines_of(path: str, encoding: str | None = None) -> list[str]:
    _, _, lines = open_lines(path, encoding)
    return list(lines)


def test_lines_keep_their_ends_and_lose_the_mark(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffä,1\r\nb\rc\n".encode())
    assert lines_of(str(path)) == ["ä,1\r\n", "b\r", "c\n"]
    assert open_lines(str(path))[:2] == (str(path), "utf-8-sig")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8"])
def test_a_given_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("ä,1\n".encode(encoding))
    assert lines_of(str(path), encoding) == ["ä,1\n"]


@pytest.mark.parametrize("encoding", ["no-such", "zip"])
def test_an_encoding_that_is_none(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"1\n")
    with pytest.raises(TableError, match=f"'{encoding}' is not an encoding of text"):
        lines_of(str(path), encoding)


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        ("a\r\nb\rä\n".encode(), "ascii", "line 3, character 1: byte 0xC3 is not ascii; save .*--encoding"),
        (b"\xef\xbb\xbfa\nb\xff", None, "line 2, character 2: byte 0xFF is not UTF-8; save .*--encoding"),
        (b"\xff", "utf-8", "line 1, character 1: byte 0xFF is not UTF-8"),
    ],
)
def test_bytes_outside_the_encoding(tmp_path: Path, content: bytes, encoding: str | None, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(TableError, match=message):
        lines_of(str(path), encoding)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1,2\n3,\xff\n")))
    with pytest.raises(TableError, match="standard input, line 2, character 3: byte 0xFF"):
        lines_of("-")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"1,2\n3,4\n",))
    writer.start()
    assert lines_of(str(pipe)) == ["1,2\n", "3,4\n"]
    writer.join()


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.csv", tmp_path / "a\nb", Path("nul\0")):
        with pytest.raises(TableError, match="cannot read the file: ") as caught:
            lines_of(str(path))
        assert "\n" not in str(caught.value)


def test_reading_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"1.25,2.5\n" * 60_000)
    told: list[tuple[str, float]] = []
    _, _, lines = open_lines(str(path), on_progress=lambda stage, part: told.append((stage, part)))
    assert len(list(lines)) == 60_000
    parts = [part for _, part in told]
    assert len(parts) == 60
    assert {stage for stage, _ in told} == {"reading"}
    assert parts == sorted(parts)
    assert parts[0] < 0.2
    assert 0.9 < parts[-1] <= 1
