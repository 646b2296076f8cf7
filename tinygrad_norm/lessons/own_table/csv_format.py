"""How a file of text writes a table: what separates its cells, and what counts as a number in a cell.

:func:`find_delimiter` tells it from the first lines, :func:`split_rows` splits the lines. :class:`NumberFormat` reads one
row of cells after the other and takes the decimal sign from the first number that has one; a file that then uses the
other sign is refused instead of being guessed at.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ...errors import TableError
from .own_table import DELIMITERS, quote

POINT, COMMA = ".", ","
DECIMALS = {"point": POINT, "comma": COMMA}
"""The decimal signs by the names a user gives them."""

_WITH_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


def find_delimiter(sample: Sequence[str]) -> str:
    r"""Return the delimiter under which the largest part of the cells below the first row are numbers.

    At a tie the order is tab, semicolon, comma, bar, space. A single column counts as separated by commas.

    >>> find_delimiter(["a;b\n", "1,5;2\n"])
    ';'
    """
    scores = {delimiter: _numeric_part(sample, delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    return best if scores[best] > 0 else COMMA


def _numeric_part(sample: Sequence[str], delimiter: str) -> float:
    """Return which part of the cells are numbers, 0 if the delimiter makes no columns."""
    try:
        rows = [row for _, row in split_rows(sample, delimiter, is_spaced(sample, delimiter), strict=False) if any(row)]
    except TableError:
        return 0.0
    body = rows[1:] or rows
    width = Counter(map(len, body)).most_common(1)[0][0] if body else 0
    if width < 2:
        return 0.0
    is_number = NumberFormat(delimiter).is_number
    cells = [cell for row in body for cell in row]
    return sum(map(is_number, cells)) / len(cells)


def is_spaced(sample: Sequence[str], delimiter: str) -> bool:
    """Return whether a space follows every delimiter (``1, "a, b"``): then it does not count."""
    text = "".join(sample)
    count = text.count(delimiter)
    return delimiter != " " and 0 < count == text.count(delimiter + " ")


def split_rows(
    lines: Iterable[str], delimiter: str, spaced: bool, *, strict: bool = True, source: str = ""
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line each row begins on, counted from 1, and the row's cells, quoted as in RFC 4180.

    Raises
    ------
    TableError
        A quoted cell is not closed or goes on after its closing quote (only if ``strict``), or a cell is too large for
        the csv module.
    """
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced, strict=strict)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(
            f"{source}, line {line}: the quotes of the row that begins here do not match "
            f"({error}); close each quoted cell and double each quote inside one"
        ) from None


class CellError(ValueError):
    """The cell at ``index`` of a row, counted from 0, is not a finite number."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


class NumberFormat:
    """Read rows of cells as numbers, in the decimal sign of the file.

    Parameters
    ----------
    delimiter
        What separates the cells; decimal commas are looked for unless it is a comma.
    decimal
        "." or "," if the user said so, else None.

    Examples
    --------
    >>> NumberFormat(";").row(["1", "2,5"])
    [1.0, 2.5]
    """

    __slots__ = ("_is_open", "_sign")

    def __init__(self, delimiter: str, decimal: str | None = None) -> None:
        self._is_open = decimal is None and delimiter != COMMA
        self._sign = decimal or (None if self._is_open else POINT)

    @property
    def decimal(self) -> str:
        """The decimal sign as far as the rows so far tell."""
        return self._sign or POINT

    def is_number(self, cell: str, *, finite: bool = True) -> bool:
        """Return whether ``cell`` is a number in a decimal sign that this file may use."""
        text = cell.strip()
        if not _is_plain(text):
            return False
        if (self._sign == COMMA or self._is_open) and _WITH_COMMA.fullmatch(text):
            return True
        try:
            return math.isfinite(float(text)) or not finite
        except ValueError:
            return False

    def row(self, cells: Sequence[str]) -> list[float]:
        """Return the numbers of one row.

        Raises
        ------
        CellError
            A cell is empty, is not a number, is NaN or infinite, or uses the other decimal sign.
        """
        joined = "".join(cells)
        if self._sign is None and POINT in joined:
            self._sign = POINT
        commas = self._sign == COMMA
        if _is_plain(joined) and not (commas and POINT in joined):
            try:
                values = [float(cell.replace(COMMA, POINT)) for cell in cells] if commas else [*map(float, cells)]
            except ValueError:
                values = [math.nan]
            if math.isfinite(sum(values)):
                return values
        return [self._value(index, cell.strip()) for index, cell in enumerate(cells)]

    def _value(self, index: int, text: str) -> float:
        """Return one cell's number, or say what is wrong with it."""
        if not text:
            raise CellError(index, "the cell is empty")
        if self._is_open and self._sign != COMMA and _WITH_COMMA.fullmatch(text):
            if self._sign == POINT:
                raise CellError(index, f"{quote(text)} has a decimal comma in a file of decimal points")
            self._sign = COMMA
        if self._sign == COMMA and POINT in text:
            raise CellError(index, f"{quote(text)} has a decimal point in a file of decimal commas")
        if not self.is_number(text, finite=False):
            raise CellError(index, f"{quote(text)} is not a number")
        value = float(text.replace(COMMA, POINT) if self._sign == COMMA else text)
        if not math.isfinite(value):
            raise CellError(index, f"{quote(text)} is not a finite number")
        return value


def _is_plain(text: str) -> bool:
    """Return False for what only ``float`` takes for numbers: 1_000, digits of other scripts."""
    return text.isascii() and "_" not in text
