"""What counts as a number in a cell, and whether a file writes 1.5 or 1,5.

:class:`NumberFormat` reads one row of cells after the other. It starts without an opinion on the
decimal sign and takes it from the first number that has one; a file that then uses the other sign,
or whose commas could as well separate thousands, is refused instead of being guessed at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from .table import quote

POINT, COMMA = ".", ","
DECIMALS = {"point": POINT, "comma": COMMA}
"""The decimal signs by the names a user gives them."""

_WITH_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


class CellError(ValueError):
    """One cell of a row is not a finite number.

    Attributes
    ----------
    index
        Which of the row's cells, counted from 0.
    """

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

    __slots__ = ("_ambiguous", "_comma_allowed", "_seen_point", "_sign")

    def __init__(self, delimiter: str, decimal: str | None = None) -> None:
        self._sign = decimal or POINT
        self._comma_allowed = decimal is None and delimiter != COMMA
        self._seen_point = False
        self._ambiguous: tuple[int, str] | None = None

    @property
    def decimal(self) -> str:
        """The decimal sign as far as the rows so far tell."""
        return self._sign

    @property
    def ambiguous(self) -> tuple[int, str] | None:
        """A cell like 1,234 and its place in its row if all commas so far could be of thousands."""
        return self._ambiguous

    def is_number(self, cell: str, *, finite: bool = True) -> bool:
        """Return whether ``cell`` is a number in a decimal sign that this file may use."""
        text = cell.strip()
        if not _is_plain(text):
            return False
        if (self._sign == COMMA or self._comma_allowed) and _WITH_COMMA.fullmatch(text):
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
        if _is_plain(joined):
            try:
                if self._sign == POINT:
                    self._seen_point = self._seen_point or POINT in joined
                    values = [*map(float, cells)]
                elif self._ambiguous is None and POINT not in joined:
                    values = [float(cell.replace(COMMA, POINT)) for cell in cells]
                else:
                    values = [math.nan]
            except ValueError:
                values = [math.nan]
            if math.isfinite(sum(values)):
                return values
        return self._cell_by_cell(cells)

    def _cell_by_cell(self, cells: Sequence[str]) -> list[float]:
        """Return the numbers of a row that needs a closer look, or say which cell is wrong."""
        return [self._value(index, cell.strip()) for index, cell in enumerate(cells)]

    def _value(self, index: int, text: str) -> float:
        """Return one cell's number, or say what is wrong with it."""
        if not text:
            raise CellError(index, "the cell is empty")
        if self._comma_allowed and _WITH_COMMA.fullmatch(text):
            self._settle_on_comma(index, text)
        if self._sign == COMMA and POINT in text:
            raise CellError(index, f"{quote(text)} has a decimal point in a file of decimal commas")
        if not self.is_number(text, finite=False):
            raise CellError(index, f"{quote(text)} is not a number")
        value = float(text.replace(COMMA, POINT) if self._sign == COMMA else text)
        if not math.isfinite(value):
            raise CellError(index, f"{quote(text)} is not a finite number")
        return value

    def _settle_on_comma(self, index: int, text: str) -> None:
        """Take the comma in ``text`` as the file's decimal sign."""
        if self._seen_point:
            raise CellError(index, f"{quote(text)} has a decimal comma in a file of decimal points")
        if not _THOUSANDS.fullmatch(text):
            self._ambiguous = None
            self._comma_allowed = False  # settled: there is no more to find out
        elif self._sign == POINT:
            self._ambiguous = (index, text)
        self._sign = COMMA


def _is_plain(text: str) -> bool:
    """Return False for what only ``float`` takes for numbers: 1_000, digits of other scripts."""
    return text.isascii() and "_" not in text
