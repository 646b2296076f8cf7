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


def read_table(
    path: str,
    *,
    text_columns: Sequence[str] = (),
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    on_progress: OnProgress = silent,
) -> OwnTable:
    """Read a table of numbers, with or without columns of text, from a file, or from standard input as "-".

    A column is text if none of its cells is a number or it is one of ``text_columns``, by name or number from 1; else
    all its cells must be numbers. The first line is a header if none of its cells is a number. Lines without any text
    are skipped. What is not None is not found out. TableError, with line and column, if the file is no such table.
    """
    name, encoding, lines = open_lines(path, encoding, on_progress)
    sample = [*islice(lines, _SAMPLE_LINES)]
    delimiter = delimiter or find_delimiter(sample)
    rows = split_rows(chain(sample, lines), delimiter, "".join(sample), source=name)
    return _Reading(name, rows, delimiter, decimal).table(header, text_columns, encoding)


class _Reading:
    """One pass over the rows of a file."""

    def __init__(self, name: str, rows: Iterator[_Row], delimiter: str, decimal: str | None) -> None:
        self._name = name
        self._rows = self._without_blanks(rows)
        self._blank_lines = 0
        self._delimiter = delimiter
        self._format = NumberFormat(delimiter, decimal)
        self._columns: tuple[Column, ...] = ()
        self._first_line = 1
        self._hint = ""

    def _without_blanks(self, rows: Iterator[_Row]) -> Iterator[_Row]:
        """Leave out rows in which every cell is empty."""
        for line, row in rows:
            if any(map(str.strip, row)):
                yield line, row
            else:
                self._blank_lines += 1

    def table(self, header: bool | None, text_columns: Sequence[str], encoding: str) -> OwnTable:
        """Read everything."""
        first_line, first_cells = first_row = self._begin(header)
        chosen = {find_column(self._columns, wanted, self._name) for wanted in text_columns}
        numeric = [
            column
            for column, cell in zip(self._columns, first_cells, strict=True)
            if column not in chosen and self._format.is_number(cell, finite=False)
        ]
        if not numeric:
            raise TableError(
                f"{self._name}, line {first_line}: there is no column of numbers, with "
                f"{DELIMITERS.get(self._delimiter, repr(self._delimiter))} as the delimiter; give a table with at "
                "least one, or another --delimiter"
            )
        texts: dict[Column, list[str]] = {column: [] for column in self._columns if column not in numeric}
        pick = [c.number - 1 for c in numeric]
        # itemgetter of one place gives the item, not a tuple of it.
        cells_of = itemgetter(*pick) if len(pick) > 1 else itemgetter(slice(pick[0], pick[0] + 1))
        numbers, lines = array("d"), array("q")
        for line, row in chain([first_row], self._rows):
            self._require_width(line, row)
            try:
                numbers.fromlist(self._format.row(cells_of(row)))
            except CellError as error:
                raise self._cell_error(line, numeric[error.index], str(error)) from None
            for column, cells in texts.items():
                cell = row[column.number - 1]
                if column not in chosen and self._format.is_number(cell):
                    first = first_cells[column.number - 1]
                    problem = f"{quote(first)} is not a number" if first.strip() else "the cell is empty"
                    raise self._cell_error(first_line, column, f"{problem}, but line {line} has {quote(cell)}")
                cells.append(cell)
            lines.append(line)
        has_header = self._columns[0].header is not None
        return OwnTable(
            source=self._name,
            columns=self._columns,
            numbers=np.frombuffer(memoryview(numbers).toreadonly()).reshape(len(lines), len(numeric)),
            texts=texts,
            lines=np.frombuffer(memoryview(lines).toreadonly(), dtype=np.int64),
            layout=Layout(self._delimiter, self._format.sign or POINT, has_header, encoding, self._blank_lines),
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
