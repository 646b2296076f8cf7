"""From a file to lines of text: what can be opened, how it is encoded, and what is no text at all.

:func:`open_lines` reads a file, a pipe or standard input line by line, so that memory does not grow
with the file, and finds UTF-8 (with a byte-order mark or without) and UTF-16 by itself.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from ...errors import TableError
from .progress import Report, silent

STDIN = "-"
"""The file name that means standard input."""

_MARKS = (  # the longer first: the mark of UTF-16 begins that of UTF-32
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARKED = "surrogateescape"
# A byte that is not UTF-8 becomes a lone surrogate, which _checked finds with its line. A strict
# decoder works in blocks and could not tell the line.
_PROGRESS_EVERY = 1000  # lines


@dataclass(frozen=True)
class TextSource:
    """An open file: its name for messages, its encoding, and its lines with their line ends."""

    name: str
    encoding: str
    lines: Iterator[str]


@contextmanager
def open_lines(path: str, encoding: str | None = None, report: Report = silent) -> Iterator[TextSource]:
    """Open a file of text for reading line by line.

    Parameters
    ----------
    path
        A file's path, or "-" for standard input.
    encoding
        As Python calls it. None: what the byte-order mark says, else UTF-8.
    report
        Told the fraction of the file that was read.

    Raises
    ------
    TableError
        The file cannot be opened, is not text, or is not in this encoding.
    """
    name = shown_name(path)
    try:
        with _open_binary(path) as binary:
            size = binary.seek(0, os.SEEK_END)
            binary.seek(0)
            head = binary.read(8192)
            binary.seek(0)
            found = encoding or next((e for mark, e in _MARKS if head.startswith(mark)), "utf-8")
            _refuse_binary(head, name, found)
            with _as_text(binary, found, name) as text:
                lines = _checked(text, name) if text.errors == _MARKED else iter(text)
                yield TextSource(name, found, _watched(lines, binary, size, report))
    except UnicodeError as error:
        raise TableError(
            f"{name}: the file is not valid {found} ({error}); give its encoding with --encoding"
        ) from None
    except OSError as error:
        raise TableError(f"{name}: cannot read the file: {error.strerror or error}") from None


def shown_name(path: str) -> str:
    """Return the path as messages show it: on one line, whatever it holds."""
    if path == STDIN:
        return "standard input"
    return path if path.isprintable() else repr(path)


def _open_binary(path: str) -> BinaryIO:
    """Return the file as a seekable binary stream."""
    if path == STDIN:
        return io.BytesIO(sys.stdin.buffer.read())
    if "\0" in path:  # open() would raise ValueError
        raise OSError(f"the name {path!r} holds a NUL character")
    binary = open(path, "rb", buffering=1 << 16)  # noqa: SIM115 - the caller closes it
    if binary.seekable():
        return binary
    with binary:  # a pipe
        return io.BytesIO(binary.read())


def _refuse_binary(head: bytes, name: str, encoding: str) -> None:
    """Refuse what is plainly not text, by its first bytes."""
    if head.startswith(b"PK\x03\x04"):
        raise TableError(f"{name}: this is a zip archive or an Excel workbook, not a text file; save the sheet as CSV")
    if encoding.startswith("utf-8") and b"\0" in head:
        line = head.count(b"\n", 0, head.index(b"\0")) + 1
        raise TableError(
            f"{name}, line {line}: this is a binary file, not text (it holds a NUL byte); give a "
            "CSV file, or the encoding with --encoding if it is UTF-16 without a byte-order mark"
        )


def _as_text(binary: BinaryIO, encoding: str, name: str) -> io.TextIOWrapper:
    """Return the stream as text with its line ends as they are."""
    try:
        utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
        return io.TextIOWrapper(binary, encoding, _MARKED if utf8 else "strict", newline="")
    except LookupError:
        raise TableError(
            f"{name}: {encoding!r} is not an encoding of text that Python knows; give a name such as utf-8 or cp1252"
        ) from None


def _checked(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    """Yield the lines of a UTF-8 file; refuse the first that is not UTF-8."""
    for number, line in enumerate(text, start=1):
        if not line.isascii():
            try:
                line.encode("utf-8")
            except UnicodeEncodeError as error:
                byte = ord(line[error.start]) & 0xFF
                raise TableError(
                    f"{name}, line {number}, character {error.start + 1}: byte 0x{byte:02X} is not "
                    "UTF-8; save the file as UTF-8 or give its encoding, such as --encoding cp1252"
                ) from None
        yield line


def _watched(lines: Iterator[str], binary: BinaryIO, size: int, report: Report) -> Iterator[str]:
    """Yield the lines and report how far the file was read."""
    for number, line in enumerate(lines):
        if number % _PROGRESS_EVERY == 0:
            report("reading", binary.tell() / size)
        yield line
