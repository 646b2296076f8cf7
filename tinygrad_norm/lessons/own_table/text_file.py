"""From a file to lines of text: what can be opened, how it is encoded, and what is no text at all.

:func:`open_lines` reads a file, a pipe or standard input line by line, so that memory does not grow with the file.
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
from ...terminal.files import shown_name
from ...terminal.progress import OnProgress, silent

STDIN = "-"
"""The file name that means standard input."""


@dataclass(frozen=True)
class TextSource:
    """An open file: its name for messages, its encoding, and its lines with their line ends."""

    name: str
    encoding: str
    lines: Iterator[str]


@contextmanager
def open_lines(path: str, encoding: str | None = None, on_progress: OnProgress = silent) -> Iterator[TextSource]:
    """Open a file of text, or "-" for standard input, for reading line by line; tell the fraction that was read.

    The encoding is as Python calls it; None is UTF-8, with a byte-order mark or without.

    Raises
    ------
    TableError
        The file cannot be opened, is not text, or is not in this encoding.
    """
    name = "standard input" if path == STDIN else shown_name(path)
    try:
        with _open_binary(path) as binary:
            size = binary.seek(0, os.SEEK_END)
            binary.seek(0)
            head = binary.read(8192)
            binary.seek(0)
            found = encoding or ("utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8")
            _refuse_binary(head, name, found)
            with _as_text(binary, found, name) as text:
                yield TextSource(name, found, _checked(text, binary, size, name, on_progress))
    except UnicodeError as error:
        raise TableError(
            f"{name}: the file is not valid {found} ({error}); give its encoding with --encoding"
        ) from None
    except OSError as error:
        raise TableError(f"{name}: cannot read the file: {error.strerror or error}") from None


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
            f"{name}, line {line}: this is a binary file, not text (it holds a NUL byte); give a CSV file in UTF-8, or "
            "its encoding with --encoding"
        )


def _as_text(binary: BinaryIO, encoding: str, name: str) -> io.TextIOWrapper:
    """Return the stream as text with its line ends as they are."""
    try:
        utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
        # A byte that is not UTF-8 becomes a lone surrogate, which _checked finds with its line. A strict decoder works
        # in blocks and could not tell the line.
        return io.TextIOWrapper(binary, encoding, "surrogateescape" if utf8 else "strict", newline="")
    except LookupError:
        raise TableError(
            f"{name}: {encoding!r} is not an encoding of text that Python knows; give a name such as utf-8 or cp1252"
        ) from None


def _checked(
    text: io.TextIOWrapper, binary: BinaryIO, size: int, name: str, on_progress: OnProgress
) -> Iterator[str]:
    """Yield the lines and tell how far the file was read; refuse the first that is not UTF-8."""
    for number, line in enumerate(text, start=1):
        if number % 1000 == 1:
            on_progress("reading", binary.tell() / size)
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
