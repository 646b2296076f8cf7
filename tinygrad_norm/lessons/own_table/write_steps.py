"""A normalized table as a file: CSV that looks like the input, or JSON with every step.

:func:`csv_to` keeps the columns of text, the header, the delimiter and the decimal sign of the file that was read.
:func:`json_parts` yields the text of one JSON object piece by piece, so that a large table never stands in memory as
text. Every number is written with the digits that read back exactly.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from types import SimpleNamespace
from typing import TextIO

from ...terminal.files import whole_text
from ...terminal.progress import OnProgress, silent
from .csv_format import COMMA, POINT
from .normalize_table import Floats, NormalizedTable
from .own_table import OwnTable

_CHUNK = 1000  # rows


def write_csv(table: OwnTable, output: Floats, path: str, on_progress: OnProgress = silent) -> None:
    """Write the table with ``output``, ``(row, number column)``, in place of its numbers; FileError if that fails.

    An existing file is replaced once the new one is complete.
    """
    # Excel takes a file for UTF-8 only if it begins with the mark, which is kept.
    with whole_text(path, "utf-8-sig" if table.layout.encoding == "utf-8-sig" else "utf-8") as file:
        csv_lines_to(file, table, output, on_progress)


def csv_lines_to(file: TextIO, table: OwnTable, output: Floats, on_progress: OnProgress = silent) -> None:
    """Write the lines of :func:`write_csv` to an open file."""
    delimiter, comma = table.layout.delimiter, table.layout.decimal == COMMA
    if table.layout.header:
        file.write(delimiter.join(quoted((c.header or "" for c in table.columns), delimiter)) + "\n")
    texts = [(c.number - 1, quoted(cells, delimiter)) for c, cells in zip(table.text_columns, table.texts, strict=True)]
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
        file.write("\n".join(lines) + "\n")


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
    gradient = result.gradient
    head = {
        "file": table.source,
        "layout": asdict(table.layout),
        **asdict(result.choices),
        "columns": [column.title for column in table.number_columns],
        "text": {
            f"{column.number}": {"name": column.title, "cells": cells}
            for column, cells in zip(table.text_columns, table.texts, strict=True)
        },
        "real": None if result.real is None else result.real.tolist(),
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "steps": {'
    parts = len(result.steps) + 1
    for place, step in enumerate(result.steps):
        on_progress("writing", place / parts)
        yield (", " if place else "") + f'"{step.name}": '
        yield from _array_parts(step.values.ravel() if step.is_statistic else step.values)
    at = {"row": gradient.row + 1, "column": table.number_columns[gradient.column].title}
    on_progress("writing", len(result.steps) / parts)
    yield '}, "gradient": ' + json.dumps(at, ensure_ascii=False)[:-1]
    for name, values in (("x", gradient.x), ("weight", gradient.weight), ("bias", gradient.bias)):
        yield f', "{name}": '
        yield from ("null",) if values is None else _array_parts(values)
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
