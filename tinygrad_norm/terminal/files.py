"""How a file is written whole or not at all: :func:`whole_file` for any writer, :func:`whole_text` for text.

What is written goes to a file beside its place and is moved there when it is complete, so that an error, a full disk or
an interruption leaves the old file as it was.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO
from unicodedata import category

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
    # A name of its own, as the target's may be as long as names can be; nobody else reads it before it is complete.
    part = target.with_name(f".{os.urandom(8).hex()}.part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.chmod(part, _permissions(target))
        os.replace(part, target)
        _settle(target.parent)
    finally:
        with suppress(OSError):
            part.unlink()


def _permissions(target: Path) -> int:
    """Return those of the file that is replaced, or what a new file gets."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0o022)
    os.umask(mask)
    return 0o666 & ~mask


def _settle(folder: Path) -> None:
    """Have the move written down, where the system can do it: a file that was there must not be gone after a crash."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with suppress(OSError):
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(place)
        finally:
            os.close(place)


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


def visible(text: str) -> str:
    r"""Return a text from a file or another process as a terminal may have it: what drives it is shown instead.

    Control characters, marks that turn the direction of writing, and half characters become their escapes; line ends,
    tabs and blanks of every kind stay.

    Examples
    --------
    >>> print(visible("a\x1b[2Jb\u202ec"))
    a\x1b[2Jb\u202ec
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if is_visible(c) or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def is_visible(letter: str) -> bool:
    r"""Tell whether a letter can be shown, or is a blank.

    >>> is_visible("μ"), is_visible("\xa0"), is_visible("\n")
    (True, True, False)
    """
    return letter.isprintable() or category(letter) == "Zs"
