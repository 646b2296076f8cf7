"""A normalized table as a file: CSV that looks like the input, or JSON with every step.

:func:`csv_parts` keeps the columns of text, the header, the delimiter and the decimal sign of the file that was read;
:func:`json_parts` has everything. Both yield text piece by piece, so that a large table never stands in memory as text,
and write every number with the digits that read back exactly.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from types import SimpleNamespace

from ...terminal.progress import OnProgress, silent
from .csv_file import COMMA, POINT
from .normalize_table import Floats, NormalizedTable
from .own_table import OwnTable

_CHUNK = 1000  # rows


def csv_parts(table: OwnTable, output: Floats, on_progress: OnProgress = silent) -> Iterator[str]:
    """Yield the text of the table with ``output``, ``(row, number column)``, in place of its numbers."""
    delimiter, comma = table.layout.delimiter, table.layout.decimal == COMMA
    if table.layout.header:
        yield delimiter.join(quoted((c.header or "" for c in table.columns), delimiter)) + "\n"
    texts = [(column.number - 1, quoted(cells, delimiter)) for column, cells in table.texts.items()]
    for start in range(0, len(output), _CHUNK):
        on_progress("writing", start / len(output))
        lines = []
        for i, numbers in enumerate(output[start : start + _CHUNK].tolist(), start):
            cells = [*map(repr, numbers)]  # in need of no quotes: the csv module would look through every digit
            if comma:
                cells = quoted((cell.replace(POINT, COMMA) for cell in cells), delimiter)
            for place, text in texts:
                cells.insert(place, text[i])
            lines.append(delimiter.join(cells))
        yield "\n".join(lines) + "\n"


def quoted(cells: Iterable[str], delimiter: str) -> list[str]:
    """Return cells as the csv module writes them: in quotes if they must be.

    >>> quoted(['say "a" or b', "a;b", "3.5"], ";")
    ['"say ""a"" or b"', '"a;b"', '3.5']
    """
    lines: list[str] = []
    # What a line ends in is quoted: either end, then. An empty cell is quoted only if it is alone in its row.
    writer = csv.writer(SimpleNamespace(write=lines.append), delimiter=delimiter, lineterminator="\n\r")
    writer.writerows(("", cell) for cell in cells)
    return [line[1:-2] for line in lines]


def json_parts(table: OwnTable, result: NormalizedTable, on_progress: OnProgress = silent) -> Iterator[str]:
    """Yield the text of one JSON object with the table, the choices, every step and the gradient.

    Statistics, which have one number for each row or each column, are flat lists; everything else is a
    list of rows.
    """
    head = {
        "file": table.source,
        "layout": asdict(table.layout),
        **asdict(result.choices),
        "columns": [column.title for column in table.number_columns],
        "text": {f"{c.number}": {"name": c.title, "cells": cells} for c, cells in table.texts.items()},
        "real": None if table.real is None else table.real.tolist(),
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "steps": {'
    parts = len(result.steps) + 1
    for place, step in enumerate(result.steps):
        on_progress("writing", place / parts)
        yield (", " if place else "") + f'"{step.name.replace(" ", "_")}": '
        yield from _array_parts(step.values.ravel() if step.is_statistic else step.values)
    row, column = result.entry
    at = {"row": row + 1, "column": table.number_columns[column].title}
    on_progress("writing", len(result.steps) / parts)
    yield '}, "gradient": ' + json.dumps(at, ensure_ascii=False)[:-1]
    for name in ("x", "weight", "bias"):
        yield f', "{name}": '
        yield from _array_parts(result.gradient[name]) if name in result.gradient else ("null",)
    yield "}}\n"


def _array_parts(values: Floats) -> Iterator[str]:
    """Yield an array as a list, with one row of a table to a line."""
    if values.ndim == 1:
        yield json.dumps(values.tolist())
        return
    yield "["
    for start in range(0, len(values), _CHUNK):
        rows = ",\n".join(map(json.dumps, values[start : start + _CHUNK].tolist()))
        yield (",\n" if start else "\n") + rows
    yield "]"
