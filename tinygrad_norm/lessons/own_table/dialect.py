"""How a file of text separates its cells, told from its first lines.

:func:`detect_dialect` tries every delimiter it knows and keeps the one under which the largest part
of the cells are numbers; :func:`split_rows` splits the lines with it. Quoting is that of RFC 4180:
``"a ""quoted"" cell"``.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...errors import TableError
from .number_format import NumberFormat
from .table import DELIMITERS


@dataclass(frozen=True)
class Dialect:
    """The delimiter, and whether a space follows each (``1, "a, b"``) and does not count."""

    delimiter: str
    spaced: bool = False


def detect_dialect(sample: Sequence[str], delimiter: str | None = None) -> Dialect:
    r"""Return how these lines separate their cells.

    The delimiter, unless given, is the one under which the largest part of the cells below the
    first row are numbers; at a tie the order is tab, semicolon, comma, bar, space. A single column
    counts as separated by commas.

    >>> detect_dialect(["a;b\n", "1,5;2\n"])
    Dialect(delimiter=';', spaced=False)
    """
    if delimiter is None:
        scores = {d: _numeric_part(sample, d) for d in DELIMITERS}
        best = max(scores, key=lambda d: scores[d])
        delimiter = best if scores[best] > 0 else ","
    return Dialect(delimiter, _is_spaced(sample, delimiter))


def _numeric_part(sample: Sequence[str], delimiter: str) -> float:
    """Return which part of the cells are numbers, 0 if the delimiter makes no columns."""
    dialect = Dialect(delimiter, _is_spaced(sample, delimiter))
    try:
        rows = [row for _, row in split_rows(sample, dialect, strict=False) if any(row)]
    except TableError:
        return 0.0
    body = rows[1:] or rows
    width = Counter(map(len, body)).most_common(1)[0][0] if body else 0
    if width < 2:
        return 0.0
    is_number = NumberFormat(delimiter).is_number
    cells = [cell for row in body for cell in row]
    return sum(map(is_number, cells)) / len(cells)


def _is_spaced(sample: Sequence[str], delimiter: str) -> bool:
    """Return whether a space follows every delimiter."""
    text = "".join(sample)
    count = text.count(delimiter)
    return delimiter != " " and 0 < count == text.count(delimiter + " ")


def split_rows(
    lines: Iterable[str], dialect: Dialect, *, strict: bool = True, source: str = ""
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line each row begins on, counted from 1, and the row's cells.

    Raises
    ------
    TableError
        A quoted cell is not closed or goes on after its closing quote (only if ``strict``), or a
        cell is too large for the csv module.
    """
    reader = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=dialect.spaced, strict=strict)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise TableError(
                f"{source}, line {line}: the quotes of the row that begins here do not match "
                f"({error}); close each quoted cell and double each quote inside one"
            ) from None
        yield line, row
