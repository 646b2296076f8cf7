"""Reading a table from a file: which columns are numbers, which are text, and what is wrong.

:func:`read_table` reads CSV as it is found in the world: with a header or none, separated by
commas, semicolons or tabs, with decimal points or commas, with columns of tokens. What it assumed
stands in the table's :class:`~.table.Layout`. A file that is not a table of numbers is refused with
the line and column of the first cell that is not.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ...errors import TableError
from .dialect import detect_dialect, split_rows
from .number_format import CellError, NumberFormat
from .progress import Report, silent
from .source import TextSource, open_lines
from .table import Column, Layout, OwnTable, delimiter_name, find_column, quote

_SAMPLE_LINES = 100

_Array = TypeVar("_Array", bound=npt.NDArray[Any])


def read_table(
    path: str,
    *,
    text_columns: Sequence[str] = (),
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    report: Report = silent,
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
        As Python calls it; None for what the byte-order mark says, else UTF-8.
    report
        Told how much was read.

    Returns
    -------
    OwnTable
        Numbers of shape ``(rows, number columns)``.

    Raises
    ------
    TableError
        The file cannot be read or is no such table; the message names line and column.
    """
    with open_lines(path, encoding, report) as source:
        sample = [*islice(source.lines, _SAMPLE_LINES)]
        dialect = detect_dialect(sample, delimiter)
        rows = split_rows(chain(sample, source.lines), dialect, source=source.name)
        return _Reading(source, rows, dialect.delimiter, decimal).table(header, text_columns)


class _Reading:
    """One pass over the rows of a file."""

    def __init__(
        self,
        source: TextSource,
        rows: Iterator[tuple[int, list[str]]],
        delimiter: str,
        decimal: str | None,
    ) -> None:
        self._encoding = source.encoding
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
        numeric, text = self._kinds(first_row, chosen)
        pick = [c.number - 1 for c in numeric]
        # itemgetter of one place gives the item, not a tuple of it.
        cells_of = itemgetter(*pick) if len(pick) > 1 else itemgetter(slice(pick[0], pick[0] + 1))
        numbers, lines = array("d"), array("q")
        texts: tuple[list[str], ...] = tuple([] for _ in text)
        unclear_line = 0
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
            if self._format.ambiguous and not unclear_line:
                unclear_line = line
        if self._format.ambiguous:
            index, cell = self._format.ambiguous
            self._refuse_unclear_comma(unclear_line, numeric[index], cell)
        return OwnTable(
            source=self._name,
            number_columns=numeric,
            text_columns=text,
            numbers=_read_only(np.frombuffer(numbers).reshape(len(lines), len(numeric))),
            texts=texts,
            lines=_read_only(np.frombuffer(lines, dtype=np.int64)),
            layout=Layout(
                delimiter=self._delimiter,
                decimal=self._format.decimal,
                header=has_header,
                encoding=self._encoding,
                blank_lines=self._blank_lines,
            ),
        )

    def _begin(self, header: bool | None) -> tuple[tuple[int, list[str]], bool]:
        """Read the header, if there is one, and the first row of numbers."""
        first = next(self._rows, None)
        if first is None:
            raise TableError(f"{self._name}: the file is empty; give a table with rows of numbers")
        self._first_line, cells = first
        has_header = header
        if has_header is None:
            has_header = not any(self._format.is_number(cell, finite=False) for cell in cells)
            self._hint = "" if has_header else ", or give --header yes if this line names the columns"
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

    def _kinds(
        self, first_row: tuple[int, list[str]], chosen: set[Column]
    ) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
        """Return the columns of numbers and those of text, as the first row below shows them."""
        line, row = first_row
        numeric = tuple(
            column
            for column, cell in zip(self._columns, row, strict=True)
            if column not in chosen and self._format.is_number(cell, finite=False)
        )
        if not numeric:
            raise TableError(
                f"{self._name}, line {line}: there is no column of numbers, with "
                f"{delimiter_name(self._delimiter)} as the delimiter; give a table with at least one, or "
                "another --delimiter"
            )
        return numeric, tuple(column for column in self._columns if column not in numeric)

    def _without_blanks(self, rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
        """Leave out rows in which every cell is empty."""
        for line, row in rows:
            if any(map(str.strip, row)):
                yield line, row
            else:
                self._blank_lines += 1

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

    def _refuse_unclear_comma(self, line: int, column: Column, cell: str) -> None:
        raise TableError(
            f"{self._name}, line {line}, {column.place}: {quote(cell)} may have a decimal comma or "
            "one between thousands; give --decimal comma, or remove the commas"
        )

    def _refuse_mixed(self, column: Column, first_row: tuple[int, list[str]], line: int, cell: str) -> None:
        """Blame the first cell of a column that began as text and went on with a number."""
        first_line, row = first_row
        first = row[column.number - 1]
        problem = f"{quote(first)} is not a number" if first.strip() else "the cell is empty"
        raise self._cell_error(first_line, column, f"{problem}, but line {line} has {quote(cell)}")


def _read_only(values: _Array) -> _Array:
    values.flags.writeable = False
    return values
