"""Reading a table from a file: which columns are numbers, which are text, and what is wrong.

:func:`read_table` reads CSV as it is found in the world: with a header or none, with decimal points or commas, with
columns of tokens. What it assumed stands in the table's :class:`~.own_table.Layout`. A file that is not a table of
numbers is refused with the line and column of the first cell that is not.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import TypeAlias

import numpy as np

from ...errors import TableError
from ...terminal.progress import OnProgress, silent
from .csv_file import DELIMITERS, POINT, CellError, NumberFormat, find_delimiter, open_lines, split_rows
from .own_table import Column, Layout, OwnTable, find_column, quote

_SAMPLE_LINES = 100

_Row: TypeAlias = tuple[int, list[str]]
"""The line that a row begins on, and its cells."""

_Texts: TypeAlias = dict[Column, list[str]]

MISSING = frozenset(["", "na", "n/a", "nan", "null", "none"])
"""What stands in a cell for a number that is not there, whatever its letters' case."""


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def read_table(
    path: str,
    *,
    text_columns: Sequence[str] = (),
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    drop_missing: bool = False,
    on_progress: OnProgress = silent,
) -> OwnTable:
    """Read a table of numbers, with or without columns of text, from a file, or from standard input as "-".

    A column is text if none of its cells is a number or it is one of ``text_columns``, by name or number from 1; else
    all its cells must be numbers. The first line is a header if none of its cells is a number. Lines without any text
    are skipped, and so are rows that lack a number, if ``drop_missing``. What is not None is not found out. TableError,
    with line and column, if the file is no such table.
    """
    name, encoding, lines = open_lines(path, encoding, on_progress)
    sample = [*islice(lines, _SAMPLE_LINES)]
    delimiter = delimiter or find_delimiter(sample)
    rows = split_rows(chain(sample, lines), delimiter, "".join(sample), source=name)
    return _Reading(name, rows, delimiter, decimal, drop_missing).table(header, text_columns, encoding)


class _Reading:
    """One pass over the rows of a file."""

    def __init__(
        self, name: str, rows: Iterator[_Row], delimiter: str, decimal: str | None, drop_missing: bool
    ) -> None:
        self._name = name
        self._rows = self._without_blanks(rows)
        self._blank_lines = 0
        self._delimiter = delimiter
        self._format = NumberFormat(delimiter, decimal)
        self._columns: tuple[Column, ...] = ()
        self._first_line = 1
        self._hint = ""
        self._drop_missing = drop_missing
        self._dropped: list[int] = []

    def _without_blanks(self, rows: Iterator[_Row]) -> Iterator[_Row]:
        """Leave out rows in which every cell is empty."""
        for line, row in rows:
            if any(map(str.strip, row)):
                yield line, row
            else:
                self._blank_lines += 1

    def table(self, header: bool | None, text_columns: Sequence[str], encoding: str) -> OwnTable:
        """Read everything."""
        begun: list[_Row] = [self._begin(header)]
        while self._drop_missing and any(map(_is_missing, begun[-1][1])) and (more := next(self._rows, None)):
            begun.append(more)  # until there is a row that shows which columns are numbers
        first_line, first_cells = begun[-1]
        for start in begun:
            self._require_width(*start)
        chosen = {find_column(self._columns, wanted, self._name).number for wanted in text_columns}
        is_number = self._format.is_number
        numeric = [
            column
            for column, cells in zip(self._columns, zip(*(cells for _, cells in begun), strict=True), strict=True)
            if column.number not in chosen and any(is_number(c, finite=False) for c in cells)
        ]
        if not numeric:
            raise TableError(
                f"{self._name}, line {first_line}: there is no column of numbers, with "
                f"{DELIMITERS.get(self._delimiter, repr(self._delimiter))} as the delimiter; give a table with at "
                "least one, or another --delimiter"
            )
        pick = [c.number - 1 for c in numeric]
        numbered = {c.number for c in numeric}
        texts: dict[Column, list[str]] = {c: [] for c in self._columns if c.number not in numbered}
        found_out = [c for c in texts if c.number not in chosen]
        # itemgetter of one place gives the item, not a tuple of it.
        cells_of = itemgetter(*pick) if len(pick) > 1 else itemgetter(slice(pick[0], pick[0] + 1))
        numbers, lines = array("d"), array("q")
        for line, row in chain(begun, self._rows):
            self._require_width(line, row)
            cells = cells_of(row)
            if self._drop_missing and any(map(_is_missing, cells)):
                self._dropped.append(line)
                continue
            try:
                numbers.fromlist(self._format.row(cells))
            except CellError as error:
                raise self._cell_error(line, numeric[error.index], str(error)) from None
            for column in found_out:
                cell = row[column.number - 1]
                if self._format.is_number(cell):
                    first = first_cells[column.number - 1]
                    problem = f"{quote(first)} is not a number" if first.strip() else "the cell is empty"
                    raise self._cell_error(first_line, column, f"{problem}, but line {line} has {quote(cell)}")
            for column, kept in texts.items():
                kept.append(row[column.number - 1])
            lines.append(line)
        return self._made(numbers, lines, numeric, texts, encoding)

    def _made(
        self, numbers: array[float], lines: array[int], numeric: Sequence[Column], texts: _Texts, encoding: str
    ) -> OwnTable:
        """Return the table; a nameless first column that counts the rows from 0, as pandas writes it, is text."""
        if not lines:
            raise TableError(f"{self._name}: every row lacks a number; give at least one that has them all")
        table = np.frombuffer(memoryview(numbers).toreadonly()).reshape(len(lines), len(numeric))
        first = self._columns[0]
        index = len(numeric) > 1 and numeric[0] is first and first.header is not None and not first.header.strip()
        # As many as there are, the dropped ones included: they are 0, 1, 2, … with these left out.
        index = index and set(table[:, 0].tolist()) <= {*range(len(table) + len(self._dropped))}
        index = index and bool(np.all(np.diff(table[:, 0]) > 0))
        if index:
            texts = {first: [str(int(number)) for number in table[:, 0].tolist()], **texts}
            table = np.array(table[:, 1:])
            table.flags.writeable = False
        has_header = self._columns[0].header is not None
        return OwnTable(
            source=self._name,
            columns=self._columns,
            numbers=table,
            texts=texts,
            lines=np.frombuffer(memoryview(lines).toreadonly(), dtype=np.int64),
            layout=Layout(
                self._delimiter,
                self._format.sign or POINT,
                has_header,
                encoding,
                self._blank_lines,
                index,
                tuple(self._dropped),
            ),
        )

    def _begin(self, header: bool | None) -> _Row:
        """Read the header, if there is one, and return the first row of numbers."""
        first = next(self._rows, None)
        if first is None:
            raise TableError(f"{self._name}: the file is empty; give a table with rows of numbers")
        self._first_line, cells = first
        if header is None and any(self._format.is_number(cell, finite=False) for cell in cells):
            header = False
            self._hint = ", or give --header yes if this line names the columns"
        has_header = header is not False
        self._columns = tuple(Column(number, cell if has_header else None) for number, cell in enumerate(cells, 1))
        if not has_header:
            return first
        second = next(self._rows, None)
        if second is None:
            raise TableError(
                f"{self._name}: the file holds only a header (line {self._first_line}); add rows of numbers"
            )
        self._require_width(*second)
        return second

    def _require_width(self, line: int, row: list[str]) -> None:
        width = len(self._columns)
        if len(row) == width:
            return
        place = self._columns[len(row)].place if len(row) < width else f"column {width + 1}"
        problem = "is missing" if len(row) < width else "is one too many"
        raise TableError(
            f"{self._name}, line {line}, {place}: the cell {problem}; the row has {len(row)} "
            f"cells, line {self._first_line} has {width}; give every row as many"
        )

    def _cell_error(self, line: int, column: Column, problem: str) -> TableError:
        hint = self._hint if line == self._first_line else ""
        return TableError(
            f"{self._name}, line {line}, {column.place}: {problem}; correct the cell, or give "
            f"--label {column.number} if the column is text{hint}"
        )
