"""How a CSV file is written: its encoding, what separates its cells, and what counts as a number in a cell.

:func:`open_lines` gives the lines of a file, :func:`find_delimiter` looks at the first ones, :func:`split_rows` splits
them. :class:`NumberFormat` reads one row of cells after the other and takes the decimal sign from the first number that
has one; a file that then uses the other sign is refused instead of being guessed at.
"""

from __future__ import annotations

import csv
import io
import math
import re
import sys
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ...errors import TableError
from ...terminal.files import shown_name
from ...terminal.progress import OnProgress, silent
from .own_table import quote

DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar", " ": "space"}
"""The delimiters that are looked for, and what each is called; the first wins a tie."""

POINT, COMMA = ".", ","
DECIMALS = {"point": POINT, "comma": COMMA}
"""The decimal signs by the names a user gives them."""

_WITH_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


def open_lines(
    path: str, encoding: str | None = None, on_progress: OnProgress = silent
) -> tuple[str, str, Iterator[str]]:
    """Return the name for messages, the encoding and the lines of a file, or of standard input as "-".

    The encoding is as Python calls it; None is UTF-8, with a byte-order mark or without. Lines keep their line ends.
    TableError if the file cannot be read, is not text, or is not in this encoding.
    """
    name = "standard input" if path == "-" else shown_name(path)
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a ValueError: the name holds a NUL character
        raise TableError(f"{name}: cannot read the file: {getattr(error, 'strerror', None) or error}") from None
    encoding = encoding or ("utf-8-sig" if content.startswith(BOM_UTF8) else "utf-8")
    if content.startswith(b"PK\x03\x04"):
        raise TableError(f"{name}: this is a zip archive or an Excel workbook, not a text file; save the sheet as CSV")
    if encoding.startswith("utf-8") and b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise TableError(
            f"{name}, line {line}: this is a binary file, not text (it holds a NUL byte); give a CSV file in UTF-8, or "
            "its encoding with --encoding"
        )
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        lines = [*io.StringIO(error.object[: error.start].decode(encoding, "replace") + "?", newline="")]
        raise TableError(
            f"{name}, line {len(lines)}, character {len(lines[-1])}: byte 0x{error.object[error.start]:02X} is not "
            f"{'UTF-8' if encoding.startswith('utf-8') else encoding}; save the file as UTF-8 or give its encoding, "
            "such as --encoding cp1252"
        ) from None
    except (LookupError, UnicodeError):
        raise TableError(
            f"{name}: {encoding!r} is not an encoding of text that Python knows; give a name such as utf-8 or cp1252"
        ) from None
    return name, encoding, _lines(content, encoding, on_progress)


def _lines(content: bytes, encoding: str, on_progress: OnProgress) -> Iterator[str]:
    """Yield the lines and tell the fraction that was read."""
    binary = io.BytesIO(content)
    for number, line in enumerate(io.TextIOWrapper(binary, encoding, newline="")):
        if number % 1000 == 0:
            on_progress("reading", binary.tell() / len(content))
        yield line


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
        rows = [row for _, row in split_rows(sample, delimiter, "".join(sample), strict=False) if any(row)]
    except TableError:
        return 0.0
    body = rows[1:] or rows
    width = Counter(map(len, body)).most_common(1)[0][0] if body else 0
    if width < 2:
        return 0.0
    is_number = NumberFormat(delimiter).is_number
    cells = [cell for row in body for cell in row]
    return sum(map(is_number, cells)) / len(cells)


def split_rows(
    lines: Iterable[str], delimiter: str, sample: str, *, strict: bool = True, source: str = ""
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line each row begins on, counted from 1, and the row's cells, quoted as in RFC 4180.

    A space after the delimiter does not count if every delimiter of the sample has one. TableError if a cell is too
    large for the csv module or, if ``strict``, quotes do not match.
    """
    spaced = delimiter != " " and 0 < sample.count(delimiter) == sample.count(delimiter + " ")
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

    ``sign`` is what the user said or the rows so far have shown, else None; a decimal comma is looked for unless commas
    separate the cells.

    >>> NumberFormat(";").row(["1", "2,5"])
    [1.0, 2.5]
    """

    def __init__(self, delimiter: str, decimal: str | None = None) -> None:
        self._finds_comma = decimal is None and delimiter != COMMA
        self.sign = decimal or (None if self._finds_comma else POINT)

    def is_number(self, cell: str, *, finite: bool = True) -> bool:
        """Return whether ``cell`` is a number in a decimal sign that this file may use."""
        text = cell.strip()
        if "_" in text or not text.isascii():  # only float() takes 1_000 and the digits of other scripts for numbers
            return False
        if (self.sign == COMMA or self._finds_comma) and _WITH_COMMA.fullmatch(text):
            return True
        try:
            return math.isfinite(float(text)) or not finite
        except ValueError:
            return False

    def row(self, cells: Sequence[str]) -> list[float]:
        """Return the numbers of one row; CellError if a cell is not a finite number or uses the other decimal sign."""
        joined = "".join(cells)
        if self.sign is None and POINT in joined:
            self.sign = POINT
        commas = self.sign == COMMA
        if joined.isascii() and "_" not in joined and not (commas and POINT in joined):
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
        if self._finds_comma and self.sign != COMMA and _WITH_COMMA.fullmatch(text):
            if self.sign == POINT:
                raise CellError(index, f"{quote(text)} has a decimal comma in a file of decimal points")
            self.sign = COMMA
        if self.sign == COMMA and POINT in text:
            raise CellError(index, f"{quote(text)} has a decimal point in a file of decimal commas")
        if not self.is_number(text, finite=False):
            raise CellError(index, f"{quote(text)} is not a number")
        value = float(text.replace(COMMA, POINT) if self.sign == COMMA else text)
        if not math.isfinite(value):
            raise CellError(index, f"{quote(text)} is not a finite number")
        return value
