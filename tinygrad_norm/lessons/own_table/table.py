"""A table as it was read from a file: its columns, its numbers, its text, and where each row stood.

:class:`OwnTable` is plain data. :func:`find_column` and :func:`find_row` turn what a user writes (a
name or a number counted from 1) into a place in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ...errors import TableError

DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar", " ": "space"}
"""The delimiters that are looked for, and what each is called; the first wins a tie."""


@dataclass(frozen=True)
class Column:
    """One column of the file.

    Attributes
    ----------
    number
        Its place in the file, counted from 1.
    header
        Its cell on the header line, exactly as read; None where the file has no header.
    """

    number: int
    header: str | None

    @property
    def title(self) -> str:
        """The header's text, or "column 3" where there is none."""
        return (self.header or "").strip() or f"column {self.number}"

    @property
    def place(self) -> str:
        """How an error message points at the column: ``column 3 ('z2')``."""
        named = (self.header or "").strip()
        return f"column {self.number} ({quote(named)})" if named else f"column {self.number}"


@dataclass(frozen=True)
class Layout:
    """How the file is written, found out or given.

    Attributes
    ----------
    delimiter
        One character.
    decimal
        "." or ",".
    header
        Whether the first line that is not blank names the columns.
    encoding
        As Python calls it; "utf-8-sig" is UTF-8 with a byte-order mark.
    blank_lines
        How many lines without any text were skipped.
    """

    delimiter: str
    decimal: str
    header: bool
    encoding: str
    blank_lines: int


@dataclass(frozen=True, eq=False)
class OwnTable:
    """A table of numbers with its columns of text.

    Attributes
    ----------
    source
        The file's name for messages.
    number_columns
        The columns of numbers.
    text_columns
        The columns of text (tokens, names, a mask), in the file's order.
    numbers
        Shape ``(rows, number columns)``, float64, read-only.
    texts
        One list of cells for each of ``text_columns``.
    lines
        The line each row begins on, counted from 1 as an editor does.
    layout
        How the file is written.
    """

    source: str
    number_columns: tuple[Column, ...]
    text_columns: tuple[Column, ...]
    numbers: npt.NDArray[np.float64] = field(repr=False)
    texts: tuple[list[str], ...] = field(repr=False)
    lines: npt.NDArray[np.int64] = field(repr=False)
    layout: Layout

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns in the file's order."""
        return tuple(sorted(self.number_columns + self.text_columns, key=lambda c: c.number))

    def text(self, column: Column) -> list[str]:
        """Return the cells of a column of text."""
        return self.texts[self.text_columns.index(column)]


def delimiter_name(delimiter: str) -> str:
    """Return the delimiter in a word.

    >>> delimiter_name(";"), delimiter_name("#")
    ('semicolon', "'#'")
    """
    return DELIMITERS.get(delimiter, repr(delimiter))


def quote(text: str, limit: int = 40) -> str:
    r"""Return ``text`` as one short quoted line for a message.

    >>> quote("5,1\n2")
    "'5,1\\n2'"
    """
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def find_column(columns: Sequence[Column], wanted: str, source: str) -> Column:
    """Return the column called ``wanted``: a header's text, else a number counted from 1.

    Raises
    ------
    TableError
        No column or more than one answers to it.
    """
    named = [c for c in columns if c.header is not None and c.header.strip() == wanted.strip()]
    if len(named) > 1:
        numbers = " and ".join(str(c.number) for c in named)
        raise TableError(
            f"{source}: columns {numbers} are all called {quote(wanted.strip())}; give the number of the one you mean"
        )
    if not named:
        named = [c for c in columns if str(c.number) == wanted.strip()]
    if not named:
        raise TableError(
            f"{source}: there is no column {quote(wanted)}; give a name or number of: "
            + ", ".join(_listed([f"{c.number} {c.title}" if c.header else str(c.number) for c in columns]))
        )
    return named[0]


def find_row(labels: Sequence[Sequence[str]], count: int, wanted: str, source: str) -> int:
    """Return the index from 0 of the row called ``wanted``: a label's text, else a number from 1.

    Parameters
    ----------
    labels
        Columns of text, each of ``count`` cells.
    count
        How many rows there are.
    wanted
        What the user wrote.
    source
        The file's name for messages.

    Raises
    ------
    TableError
        No row or more than one answers to it.
    """
    named = sorted({i for cells in labels for i, cell in enumerate(cells) if cell.strip() == wanted.strip()})
    if len(named) > 1:
        raise TableError(
            f"{source}: {len(named)} rows are labeled {quote(wanted)}, such as {named[0] + 1} "
            f"and {named[1] + 1}; give the number of the one you mean"
        )
    if named:
        return named[0]
    if wanted.strip().isdecimal() and 1 <= int(wanted) <= count:
        return int(wanted) - 1
    raise TableError(
        f"{source}: there is no row {quote(wanted)}; give a label or a number from 1 to {count} "
        "(the header is not counted)"
    )


def _listed(names: Sequence[str], limit: int = 8) -> list[str]:
    """Return the first names and how many more there are."""
    return [*names[:limit], f"… {len(names) - limit} more"] if len(names) > limit else [*names]
