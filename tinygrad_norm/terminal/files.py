"""How a file is written whole or not at all: :func:`whole_file` for any writer, :func:`whole_text` for text.

What is written goes to a file beside its place and is moved there when it is complete, so that an error, a full disk or
an interruption leaves the old file as it was.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import TextIO

from ..errors import FileError


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path to write to; what stands there at the end of the block takes the place of ``path``.

    A link stays, and what it points to is replaced; a file that is replaced leaves its permissions to the new one. A
    device or a pipe is written to directly: it must not be replaced.

    Raises
    ------
    OSError
        The file cannot be written there. Its callers say what the user can do.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "numbers.txt")
    ...     with whole_file(target) as part:
    ...         print(part.write_text("1 2 3", encoding="utf-8"), target.exists())
    ...     target.read_text(encoding="utf-8")
    5 False
    '1 2 3'
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a directory")
    if target.exists() and not target.is_file():
        yield target
        return
    part = target.with_name(f".{target.name}.{token_hex(4)}.part")
    try:
        yield part
        if target.exists():
            shutil.copymode(target, part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        with suppress(OSError):
            part.unlink()


@contextmanager
def whole_text(path: str | os.PathLike[str], encoding: str = "utf-8") -> Iterator[TextIO]:
    """Open a file for text that takes the place of ``path`` when the block ends, with line ends as they are written.

    Raises
    ------
    FileError
        The file cannot be written.
    """
    try:
        with whole_file(path) as part, open(part, "w", encoding=encoding, newline="") as file:
            yield file
    except OSError as error:
        raise FileError(
            f"{shown_name(path)}: cannot write the file: {error.strerror or error}; name a file in a folder you may "
            "write to"
        ) from None


def shown_name(path: str | os.PathLike[str]) -> str:
    r"""Return a path as messages show it: on one line, whatever it holds.

    Examples
    --------
    >>> print(shown_name("a/b.csv"), shown_name("a\nb.csv"))
    a/b.csv 'a\nb.csv'
    """
    name = os.fspath(path)
    return name if name.isprintable() else repr(name)
