"""What can be opened as text, and one line for what cannot."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tinygrad_norm.errors import TableError
from tinygrad_norm.lessons.own_table import source
from tinygrad_norm.lessons.own_table.source import open_lines


def lines_of(path: str, encoding: str | None = None) -> list[str]:
    with open_lines(path, encoding) as opened:
        return list(opened.lines)


def test_lines_keep_their_ends_and_lose_the_mark(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffä,1\r\nb\rc\n".encode())
    assert lines_of(str(path)) == ["ä,1\r\n", "b\r", "c\n"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "cp1252"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("ä,1\n".encode(encoding))
    by_mark = encoding in ("utf-16", "utf-32")
    assert lines_of(str(path), None if by_mark else encoding) == ["ä,1\n"]


@pytest.mark.parametrize("encoding", ["no-such", "zip"])
def test_an_encoding_that_is_none(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"1\n")
    with pytest.raises(TableError, match=f"'{encoding}' is not an encoding of text"):
        lines_of(str(path), encoding)


def test_bytes_outside_a_given_encoding(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("ä\n".encode())
    with pytest.raises(TableError, match=r"the file is not valid ascii .*--encoding"):
        lines_of(str(path), "ascii")


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1,2\n3,\xff\n")))
    with (
        pytest.raises(TableError, match="standard input, line 2, character 3: byte 0xFF"),
        open_lines("-") as opened,
    ):
        list(opened.lines)


class Pipe(io.RawIOBase):
    """What cannot be read twice."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # as RawIOBase documents it
        return self._content.readinto(buffer)


def test_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = Pipe(b"1,2\n3,4\n")
    monkeypatch.setattr(source, "open", lambda *_, **__: io.BufferedReader(pipe), raising=False)
    assert lines_of("pipe") == ["1,2\n", "3,4\n"]
    assert pipe.closed


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.csv", tmp_path / "a\nb", Path("nul\0")):
        with pytest.raises(TableError, match="cannot read the file: ") as caught:
            lines_of(str(path))
        assert "\n" not in str(caught.value)


def test_reading_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"1.25,2.5\n" * 60_000)
    told: list[tuple[str, float]] = []
    with open_lines(str(path), report=lambda stage, part: told.append((stage, part))) as opened:
        list(opened.lines)
    parts = [part for _, part in told]
    assert len(parts) == 60
    assert {stage for stage, _ in told} == {"reading"}
    assert parts == sorted(parts)
    assert parts[0] < 0.2
    assert 0.9 < parts[-1] <= 1
