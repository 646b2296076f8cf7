"""The part of a large table that fits a terminal, as a labeled table with its gaps noted.

:func:`window_of` chooses rows and columns: all of a small table, else the first, the last and those of
one entry. :func:`window_text` shows numbers through it, with statistics beside or below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ..document.as_text import table_text
from ..document.lesson import Row, Table
from .steps import Floats, Normalized, Step
from .table import OwnTable

_WHOLE_ROWS, _END_ROWS = 20, 5
_WHOLE_COLUMNS, _END_COLUMNS = 6, 2
_LABEL, _TITLE = 20, 12  # characters
_WIDEST = 10  # characters of a number shown as it is

_GAP = "…"

_Cell = TypeVar("_Cell")


@dataclass(frozen=True)
class Window:
    """Which rows and columns are shown, and what they are called.

    Attributes
    ----------
    rows, columns
        Their places, counted from 0, ascending.
    labels, pads
        Of each shown row, its name and whether it is a pad.
    titles
        Of each shown column, its name.
    entry
        The name of the row and column of the gradient's entry.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    labels: tuple[str, ...]
    pads: tuple[bool, ...]
    titles: tuple[str, ...]
    entry: tuple[str, str]


def window_of(table: OwnTable, result: Normalized, labels: Sequence[Sequence[str]]) -> Window:
    """Return the window on a table that includes the entry of its gradient."""
    row, column = result.gradient.row, result.gradient.column
    rows = _shown(table.numbers.shape[0], _WHOLE_ROWS, _END_ROWS, row)
    columns = _shown(table.numbers.shape[1], _WHOLE_COLUMNS, _END_COLUMNS, column)

    def label(i: int) -> str:
        return " · ".join(_line(cells[i], _LABEL) for cells in labels) or f"row {i + 1}"

    def title(i: int) -> str:
        return _line(table.number_columns[i].title, _TITLE)

    return Window(
        rows=rows,
        columns=columns,
        labels=tuple(map(label, rows)),
        pads=tuple(result.real is not None and not result.real[i] for i in rows),
        titles=tuple(map(title, columns)),
        entry=(label(row), title(column)),
    )


def _shown(count: int, whole: int, ends: int, chosen: int) -> tuple[int, ...]:
    """Return which of ``count`` places are shown: all, or the ends and the chosen one."""
    if count <= whole:
        return (*range(count),)
    return tuple(sorted({*range(ends), chosen, *range(count - ends, count)}))


def _line(text: str, limit: int) -> str:
    """Return the text on one line, cut to ``limit`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + _GAP


def window_text(
    window: Window,
    title: str,
    values: Floats,
    beside: Sequence[Step] = (),
    below: Sequence[tuple[str, Floats]] = (),
    *,
    as_is: bool = False,
) -> str:
    """Return one table of the shown rows and columns.

    Parameters
    ----------
    window
        What is shown.
    title
        The line above.
    values
        ``(row, column)``, all of the table.
    beside
        Statistics with one number for each row.
    below
        Names and numbers, one for each column of the table.
    as_is
        Whether to show short numbers with the digits they were read with.
    """
    shown = values[np.ix_(window.rows, window.columns)]
    spec = choose_format(shown, as_is=as_is)
    numbers = [*zip(window.labels, window.pads, shown.tolist(), strict=True)]
    tails = [tuple(float(s.values[i, 0]) for s in beside) for i in window.rows]
    rows = [
        Row(label, _with_gaps(window, row, tail), pad) for (label, pad, row), tail in zip(numbers, tails, strict=True)
    ]
    for name, values_below in below:
        part = values_below[list(window.columns)]
        # Among numbers as short as they were read, a computed one is as long as the others elsewhere.
        part = part if spec else part.round(6)
        rows.append(Row(name, _with_gaps(window, part.tolist(), [None] * len(beside))))
    table = Table(
        key="window",
        title=title,
        columns=_with_gaps(window, window.titles, [s.words for s in beside]),
        rows=tuple(rows),
        formats=_with_gaps(
            window,
            [spec] * len(window.columns),
            [choose_format(s.values[list(window.rows)]) for s in beside],
        ),
    )
    return _with_row_gaps(window, table_text(table), len(rows))


def _with_gaps(window: Window, cells: Sequence[_Cell], tail: Sequence[_Cell]) -> tuple[_Cell | str, ...]:
    """Return one cell for each shown column and one for each gap between them, then the tail."""
    result: list[_Cell | str] = []
    for place, cell in enumerate(cells):
        if place and window.columns[place] - window.columns[place - 1] > 1:
            result.append(_GAP)
        result.append(cell)
    return (*result, *tail)


def _with_row_gaps(window: Window, text: str, count: int) -> str:
    """Return the text of a table, whose last ``count`` lines are its rows, with the gaps noted."""
    lines = text.split("\n")
    first = len(lines) - count
    for place in range(len(window.rows) - 1, 0, -1):
        hidden = window.rows[place] - window.rows[place - 1] - 1
        if hidden:
            lines.insert(first + place, f"    {_GAP} {counted(hidden, 'row')}")
    return "\n".join(lines)


def counted(number: int, word: str) -> str:
    """Return the number with the word for what is counted.

    >>> counted(1, "row"), counted(100_000, "row")
    ('1 row', '100,000 rows')
    """
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def choose_format(values: Floats, *, as_is: bool = False) -> str:
    """Return a format in which these numbers can be read and compared; empty for as they are."""
    if as_is and max(len(repr(value)) for value in values.ravel().tolist()) <= _WIDEST:
        return ""
    largest = float(np.abs(values).max())
    return ".6f" if largest == 0 or 1e-3 <= largest < 1e7 else ".5e"
