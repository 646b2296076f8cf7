"""Reading a table from a file: which columns are numbers, which are text, and what is wrong.

:func:`read_table` reads CSV as it is found in the world: with a header or none, separated by commas, semicolons or tabs,
with decimal points or commas, with columns of tokens. What it assumed stands in the table's
:class:`~.own_table.Layout`. A file that is not a table of numbers is refused with the line and column of the first cell
that is not.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from ...errors import TableError
from ...terminal.progress import OnProgress, silent
from .csv_format import CellError, NumberFormat, find_delimiter, is_spaced, split_rows
from .own_table import Column, Layout, OwnTable, delimiter_name, find_column, quote
from .text_file import TextSource, open_lines

_SAMPLE_LINES = 100

_Array = TypeVar("_Array", bound=npt.NDArray[Any])
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
    """Read a table of numbers, with or without columns of text, from a file.

    A column is text if none of its cells is a number, else all of them must be. The first line is a
    header if none of its cells is a number. Lines without any text are skipped.

    Parameters
    ----------
    path
        The file, or "-" for standard input.
    text_columns
        Columns, by name or number from 1, to take as text even if their cells are numbers.
    header
        Whether the first line names the columns; None to find out.
    delimiter, decimal
        What separates the cells, and the decimal sign "." or ","; None to find out.
    encoding
        As Python calls it; None for UTF-8.
    on_progress
        Told how much was read.

    Raises
    ------
    TableError
        The file cannot be read or is no such table; the message names line and column.
    """
    with open_lines(path, encoding, on_progress) as source:
        sample = [*islice(source.lines, _SAMPLE_LINES)]
        delimiter = delimiter or find_delimiter(sample)
        lines = chain(sample, source.lines)
        rows = split_rows(lines, delimiter, is_spaced(sample, delimiter), source=source.name)
        return _Reading(source, rows, delimiter, decimal).table(header, text_columns)


class _Reading:
    """One pass over the rows of a file."""

    def __init__(self, source: TextSource, rows: Iterator[_Row], delimiter: str, decimal: str | None) -> None:
        self._source = source
        self._name = source.name
        self._blank_lines = 0
        self._rows = self._without_blanks(rows)
        self._delimiter = delimiter
        self._format = NumberFormat(delimiter, decimal)
        self._columns: tuple[Column, ...] = ()
        self._first_line = 1
        self._hint = ""

    def table(self, header: bool | None, text_columns: Sequence[str]) -> OwnTable:
        """Read everything."""
        first_row, has_header = self._begin(header)
        chosen = {find_column(self._columns, wanted, self._name) for wanted in text_columns}
        numeric = self._numeric(first_row, chosen)
        text = tuple(column for column in self._columns if column not in numeric)
        pick = [c.number - 1 for c in numeric]
        # itemgetter of one place gives the item, not a tuple of it.
        cells_of = itemgetter(*pick) if len(pick) > 1 else itemgetter(slice(pick[0], pick[0] + 1))
        numbers, lines = array("d"), array("q")
        texts: tuple[list[str], ...] = tuple([] for _ in text)
        for line, row in chain([first_row], self._rows):
            self._require_width(line, row)
            try:
                numbers.fromlist(self._format.row(cells_of(row)))
            except CellError as error:
                raise self._cell_error(line, numeric[error.index], str(error)) from None
            for column, cells in zip(text, texts, strict=True):
                cell = row[column.number - 1]
                if column not in chosen and self._format.is_number(cell):
                    self._refuse_mixed(column, first_row, line, cell)
                cells.append(cell)
            lines.append(line)
        return OwnTable(
            source=self._name,
            number_columns=numeric,
            text_columns=text,
            numbers=_read_only(np.frombuffer(numbers).reshape(len(lines), len(numeric))),
            texts=texts,
            lines=_read_only(np.frombuffer(lines, dtype=np.int64)),
            layout=Layout(
                self._delimiter, self._format.decimal, has_header, self._source.encoding, self._blank_lines
            ),
        )

    def _without_blanks(self, rows: Iterator[_Row]) -> Iterator[_Row]:
        """Leave out rows in which every cell is empty."""
        for line, row in rows:
            if any(map(str.strip, row)):
                yield line, row
            else:
                self._blank_lines += 1

    def _begin(self, header: bool | None) -> tuple[_Row, bool]:
        """Read the header, if there is one, and the first row of numbers."""
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
            return first, False
        second = next(self._rows, None)
        if second is None:
            raise TableError(
                f"{self._name}: the file holds only a header (line {self._first_line}); add rows of numbers"
            )
        self._require_width(*second)
        return second, True

    def _numeric(self, first_row: _Row, chosen: set[Column]) -> tuple[Column, ...]:
        """Return the columns of numbers, as the first row below the header shows them."""
        line, row = first_row
        numeric = tuple(
            column
            for column, cell in zip(self._columns, row, strict=True)
            if column not in chosen and self._format.is_number(cell, finite=False)
        )
        if not numeric:
            raise TableError(
                f"{self._name}, line {line}: there is no column of numbers, with {delimiter_name(self._delimiter)} as "
                "the delimiter; give a table with at least one, or another --delimiter"
            )
        return numeric

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

    def _refuse_mixed(self, column: Column, first_row: _Row, line: int, cell: str) -> None:
        """Blame the first cell of a column that began as text and went on with a number."""
        first_line, row = first_row
        first = row[column.number - 1]
        problem = f"{quote(first)} is not a number" if first.strip() else "the cell is empty"
        raise self._cell_error(first_line, column, f"{problem}, but line {line} has {quote(cell)}")


def _read_only(values: _Array) -> _Array:
    values.flags.writeable = False
    return values
