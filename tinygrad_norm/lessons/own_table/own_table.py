"""A table as it was read from a file: its columns, its numbers, its text, and where each row stood.

:class:`OwnTable` is plain data. :func:`find_column`, :func:`find_row` and :func:`masked` turn what a user writes, a
name or a number counted from 1, into a place in it; what is not there is a TableError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from ...errors import TableError

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
        return f"column {self.number}" + (f" ({quote(self.title)})" if (self.header or "").strip() else "")


@dataclass(frozen=True)
class Layout:
    """How the file is written, found out or given.

    Lines without any text are skipped and counted. A first column without a name that counts the rows from 0 is their
    index, and text (``index``); the rows on the lines in ``dropped`` lacked a number.
    """

    delimiter: str
    decimal: str
    header: bool
    encoding: str
    blank_lines: int
    index: bool = False
    dropped: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class OwnTable:
    """A table of numbers, ``(row, number column)``, read-only, with its columns of text (tokens, names, a mask).

    ``source`` is the file's name for messages; a row begins on the line in ``lines``, counted from 1 as an editor does.
    ``real`` tells for each row whether it is real, None if no row is a pad, and ``mask`` is the column that says so.
    """

    source: str
    columns: tuple[Column, ...]
    numbers: npt.NDArray[np.float64] = field(repr=False)
    texts: dict[Column, list[str]] = field(repr=False)
    lines: npt.NDArray[np.int64] = field(repr=False)
    layout: Layout
    real: npt.NDArray[np.bool_] | None = field(default=None, repr=False)
    mask: Column | None = None

    @property
    def number_columns(self) -> list[Column]:
        """The columns that are not text."""
        texts = {column.number for column in self.texts}
        return [column for column in self.columns if column.number not in texts]

    @property
    def labels(self) -> list[list[str]]:
        """The columns of text that name the rows: all but the mask."""
        return [cells for column, cells in self.texts.items() if column != self.mask]


def quote(text: str, limit: int = 40) -> str:
    r"""Return ``text`` as one short quoted line for a message.

    >>> quote("5,1\n2")
    "'5,1\\n2'"
    """
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def find_column(columns: Sequence[Column], wanted: str, source: str) -> Column:
    """Return the column called ``wanted``: a header's text, else a number counted from 1."""
    named = [c for c in columns if c.header is not None and c.header.strip() == wanted.strip()]
    if len(named) > 1:
        numbers = " and ".join(str(c.number) for c in named)
        raise TableError(
            f"{source}: columns {numbers} are all called {quote(wanted.strip())}; give the number of the one you mean"
        )
    named = named or [c for c in columns if str(c.number) == wanted.strip()]
    if named:
        return named[0]
    known = [f"{c.number} {c.title}" if c.header else str(c.number) for c in columns]
    if len(known) > 8:
        known[8:] = [f"… {len(known) - 8} more"]
    raise TableError(f"{source}: there is no column {quote(wanted)}; give a name or number of: {', '.join(known)}")


def find_row(table: OwnTable, wanted: str) -> int:
    """Return the index, from 0, of the row called ``wanted``: the text of a label, else a number counted from 1."""
    named = sorted({i for cells in table.labels for i, cell in enumerate(cells) if cell.strip() == wanted.strip()})
    if len(named) > 1:
        raise TableError(
            f"{table.source}: {len(named)} rows are labeled {quote(wanted)}, such as {named[0] + 1} "
            f"and {named[1] + 1}; give the number of the one you mean"
        )
    if named:
        return named[0]
    count = len(table.numbers)
    if wanted.strip().isdecimal() and 1 <= int(wanted) <= count:
        return int(wanted) - 1
    raise TableError(
        f"{table.source}: there is no row {quote(wanted)}; give a label or a number from 1 to {count} "
        "(the header is not counted)"
    )


def masked(table: OwnTable, mask: str) -> OwnTable:
    """Return the table with its pads told from its real rows, of which there must be one.

    The mask is "zeros", or a column, read as text, whose cells are 1 or true for a real row, 0 or false for a pad.
    """
    column = None if mask == ZEROS else find_column(table.columns, mask, table.source)
    if column is None:
        real = (table.numbers != 0).any(axis=1)
    else:
        cells = table.texts[column]
        meanings = [_MASK.get(cell.strip().lower()) for cell in cells]
        if None in meanings:
            index = meanings.index(None)
            raise TableError(
                f"{table.source}, line {table.lines[index]}, {column.place}: a mask must be 1 or true for a real row, "
                f"0 or false for a pad; got {quote(cells[index])}; correct the cell"
            )
        real = np.array(meanings, dtype=bool)
    if not real.any():
        raise TableError(f"{table.source}: every row is a pad by the mask {quote(mask)}; at least one must be real")
    return replace(table, real=real, mask=column)
