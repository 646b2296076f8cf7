"""A normalized table for the terminal: every step as a small labeled table, pads marked.

A table with many rows or columns shows its first and last ones, the row and column of the gradient's
entry, and the statistics of all of it; ``--csv`` and ``--json`` have the whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from ...terminal.files import visible
from ..document.as_text import PAD_MARK, table_text, wrapped
from ..document.lesson import Row, Table
from .csv_file import COMMA, DELIMITERS
from .normalize_table import Floats, Intermediate, NormalizedTable, NormChoices
from .own_table import OwnTable

_LABEL, _TITLE = 20, 12  # characters
_WIDEST = 10  # characters of a number shown as it is

_GAP = "…"


def steps_text(table: OwnTable, result: NormalizedTable) -> str:
    """Return everything a reader of the terminal should see."""
    window = _Window(table, result)
    blocks = [_introduction(table, result.choices), *_step_blocks(window, result)]
    blocks += [_gradient_block(window, result), _statistics_block(table, result)]
    return "\n\n".join(blocks) + "\n"


class _Window:
    """The part of a table that is shown: all of a small one, else the first, the last and the gradient's rows, columns.

    ``labels`` and ``titles`` give the names of the rows and columns by their places, counted from 0.
    """

    def __init__(self, table: OwnTable, result: NormalizedTable) -> None:
        row, column = result.entry
        rows, columns = table.numbers.shape
        self.labels = {
            i: " · ".join(_line(cells[i], _LABEL) for cells in table.labels) or f"row {i + 1}"
            for i in _shown(rows, whole=20, ends=5, chosen=row)
        }
        names = [c.title for c in table.number_columns]
        self.titles = {i: _line(names[i], _TITLE) for i in _shown(columns, whole=6, ends=2, chosen=column)}
        self.pads = {i for i in self.labels if table.real is not None and not table.real[i]}
        self.entry = f"{self.labels[row]}, {self.titles[column]}"

    def text(
        self, title: str, values: Floats, beside: list[Intermediate], below: list[tuple[str, Floats]], as_is: bool
    ) -> str:
        """Return one table of the shown values, statistics of the rows beside, names and numbers of the columns below.

        ``as_is`` shows short numbers with the digits they were read with.
        """
        places = [*self.labels]
        shown = values[np.ix_(places, [*self.titles])]
        spec = choose_format(shown, as_is=as_is)
        rows = [
            Row(label, self._across(numbers, [float(s.values[i, 0]) for s in beside]), i in self.pads)
            for (i, label), numbers in zip(self.labels.items(), shown.tolist(), strict=True)
        ]
        for name, numbers in below:
            part = numbers[[*self.titles]]
            # Among numbers as short as they were read, a computed one is as long as the others elsewhere.
            part = part if spec else part.round(6)
            rows.append(Row(name, self._across(part.tolist(), [None] * len(beside))))
        columns = self._across(self.titles.values(), [s.name for s in beside])
        formats = self._across([spec] * len(self.titles), [choose_format(s.values[places]) for s in beside])
        lines = table_text(Table("window", title, columns, tuple(rows), formats=formats)).split("\n")
        first = len(lines) - len(rows)
        for place in range(len(places) - 1, 0, -1):
            hidden = places[place] - places[place - 1] - 1
            if hidden:
                lines.insert(first + place, f"    {_GAP} {counted(hidden, 'row')}")
        return "\n".join(lines)

    def _across(self, cells: Iterable[Any], tail: Iterable[Any]) -> tuple[Any, ...]:
        """Return one cell for each shown column and one for each gap between them, then the tail."""
        result: list[Any] = []
        before = -1
        for place, cell in zip(self.titles, cells, strict=True):
            result += [_GAP, cell] if place > before + 1 else [cell]
            before = place
        return (*result, *tail)


def _shown(count: int, whole: int, ends: int, chosen: int) -> Iterable[int]:
    """Return which of ``count`` places are shown: all, or the ends and the chosen one."""
    if count <= whole:
        return range(count)
    return sorted({*range(ends), chosen, *range(count - ends, count)})


def _line(text: str, limit: int) -> str:
    """Return the text on one line, cut to ``limit`` characters."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + _GAP


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


def _introduction(table: OwnTable, choices: NormChoices) -> str:
    """Return what was read, what was assumed, and what was done."""
    rows, columns = table.numbers.shape
    layout = table.layout
    text = ", ".join(f"{c.number} ({_line(c.title, _TITLE)})" if c.header else f"{c.number}" for c in table.texts)
    delimiter = DELIMITERS.get(layout.delimiter, repr(layout.delimiter))
    decimal = "comma" if layout.decimal == COMMA else "point"
    assumed = (
        f"{delimiter} as the delimiter, decimal {decimal}, {layout.encoding}, {'a' if layout.header else 'no'} header"
    )
    skipped = f" {counted(layout.blank_lines, 'blank line')} skipped." if layout.blank_lines else ""
    if layout.index:
        skipped += " The first column has no name and counts the rows: it is their index, and left as it is."
    if layout.dropped:
        lines_ = ", ".join(map(str, layout.dropped[:5])) + ("…" if len(layout.dropped) > 5 else "")
        skipped += f" {counted(len(layout.dropped), 'row')} left out that lacked a number (lines {lines_})."
    name = "RMS" if choices.kind == "rms" else choices.kind.capitalize()
    over = "each column over the rows" if choices.kind == "batch" else "each row over its columns"
    divisor = "n" if choices.ddof == 0 else f"n − {choices.ddof}"
    variance = "" if choices.kind == "rms" else f", variance with divisor {divisor}"
    lines = [
        f"{table.source}: {counted(rows, 'row')} × {counted(columns, 'column')} of numbers",
        f"Read with {assumed} and {f'text in column {text}' if text else 'no text'}.{skipped}",
        f"{name} norm: {over}, eps {choices.eps:g}{variance}.",
    ]
    if table.real is not None:
        pads = rows - int(table.real.sum())
        effect = (
            "left out of the statistics, their output is 0"
            if choices.kind == "batch"
            else "normalized by themselves like any row, left out of the summary"
        )
        lines.append(f"Pads, marked {PAD_MARK}: {pads:,} of {counted(rows, 'row')}; {effect}.")
    return "\n".join(wrapped(line, "") for line in lines)


def _step_blocks(window: _Window, result: NormalizedTable) -> list[str]:
    """Return each step as a table, with a statistic beside or below what it is taken from."""
    choices = result.choices
    parameters = [(n, np.array(v)) for n, v in (("weight", choices.weight), ("bias", choices.bias)) if v]
    blocks = []
    for step, following in pairwise(result.steps):
        if step.is_statistic:
            continue
        title = step.name if step.name == "x" else f"{step.name} = {step.formula}"
        beside: list[Intermediate] = []
        below: list[tuple[str, Floats]] = []
        if following.is_statistic:
            title += f", and {following.name} = {following.formula}"
            if choices.kind == "batch":
                below = [(following.name, following.values[0])]
            else:
                beside = [following]
        elif step.name == "normalized" and not parameters:
            title += "; the output is the same: weight 1, bias 0"
        blocks.append(window.text(title, step.values, beside, below, as_is=step.name == "x"))
    if parameters:
        blocks.append(window.text(f"output = {result.steps[-1].formula}", result.output, [], parameters, as_is=False))
    return blocks


def _gradient_block(window: _Window, result: NormalizedTable) -> str:
    """Return the derivative of the chosen entry by everything it may depend on."""
    title = f"gradient of output[{window.entry}]: its derivative by every x"
    below = [(f"by {name}", values) for name, values in result.gradient.items() if name != "x"]
    by_x = result.gradient["x"]
    nonzero = int(np.count_nonzero(by_x))
    verb = "is" if nonzero == 1 else "are"
    note = f"{nonzero:,} of {counted(by_x.size, 'derivative')} by x {verb} not 0."
    return window.text(title, by_x, [], below, as_is=False) + "\n" + wrapped(note, "    ")


def _statistics_block(table: OwnTable, result: NormalizedTable) -> str:
    """Return the extent of every step over all real rows."""
    real = slice(None) if table.real is None else table.real
    with np.errstate(over="ignore"):  # the rows together may be too large where each of them is not
        rows = tuple(
            Row(step.name, tuple(float(f(step.values[real])) for f in (np.min, np.mean, np.max, np.std)))
            for step in result.steps
            if not step.is_statistic
        )
    title = f"over {counted(len(table.numbers[real]), 'row' if table.real is None else 'real row')} together"
    columns = ("smallest", "mean", "largest", "deviation")
    spec = choose_format(np.array([row.values for row in rows]))
    return table_text(Table("statistics", title, columns, rows, formats=spec))
