"""A table as it was read from a file: its columns, its numbers, its text, and where each row stood.

:class:`OwnTable` is plain data. :func:`find_column`, :func:`find_row` and :func:`real_rows` turn what a user writes (a
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

ZEROS = "zeros"
"""Instead of a mask column: a row is a pad if all its numbers are 0."""

_MASK = dict.fromkeys(("1", "1.0", "true"), True) | dict.fromkeys(("0", "0.0", "false"), False)


@dataclass(frozen=True)
class Column:
    """One column: its place in the file, from 1, and its cell on the header line, exactly as read, if there is one."""

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
    delimiter, decimal
        One character; "." or ",".
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
    number_columns, text_columns
        The columns of numbers, and those of text (tokens, names, a mask), in the file's order.
    numbers
        Shape ``(row, number column)``, float64, read-only.
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
    """Return the column called ``wanted``, a header's text, else a number from 1; TableError if that is not one."""
    named = [c for c in columns if c.header is not None and c.header.strip() == wanted.strip()]
    if len(named) > 1:
        numbers = " and ".join(str(c.number) for c in named)
        raise TableError(
            f"{source}: columns {numbers} are all called {quote(wanted.strip())}; give the number of the one you mean"
        )
    named = named or [c for c in columns if str(c.number) == wanted.strip()]
    if not named:
        known = [f"{c.number} {c.title}" if c.header else str(c.number) for c in columns]
        if len(known) > 8:
            known[8:] = [f"… {len(known) - 8} more"]
        raise TableError(
            f"{source}: there is no column {quote(wanted)}; give a name or number of: {', '.join(known)}"
        )
    return named[0]


def find_row(labels: Sequence[Sequence[str]], count: int, wanted: str, source: str) -> int:
    """Return the index from 0 of the row called ``wanted``; TableError if that is not one of ``count`` rows.

    It is the text in one of the columns ``labels``, else a number from 1.
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


def real_rows(table: OwnTable, mask: str) -> npt.NDArray[np.bool_]:
    """Return for each row whether it is real, not a pad.

    Parameters
    ----------
    table
        The mask column, if one is meant, must have been read as text.
    mask
        A column by name or number, whose cells are 1 or true for a real row and 0 or false for a pad; or "zeros": the
        rows whose numbers are all 0 are pads.

    Raises
    ------
    TableError
        There is no such column, a cell is none of these, or every row is a pad.
    """
    if mask == ZEROS:
        real: npt.NDArray[np.bool_] = (table.numbers != 0).any(axis=1)
    else:
        column = find_column(table.columns, mask, table.source)
        meanings = [_MASK.get(cell.strip().lower()) for cell in table.text(column)]
        if None in meanings:
            index = meanings.index(None)
            raise TableError(
                f"{table.source}, line {table.lines[index]}, {column.place}: a mask must be 1 or true for a real row, "
                f"0 or false for a pad; got {quote(table.text(column)[index])}; correct the cell"
            )
        real = np.array(meanings, dtype=bool)
    if not real.any():
        raise TableError(f"{table.source}: every row is a pad by the mask {quote(mask)}; at least one must be real")
    return real
