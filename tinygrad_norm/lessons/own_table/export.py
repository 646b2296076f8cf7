"""A normalized table as a file: CSV that looks like the input, or JSON with every step.

:func:`write_csv` keeps the columns of text, the header, the delimiter and the decimal sign of the file
that was read. :func:`json_parts` yields the text of one JSON object piece by piece, so that a large
table never stands in memory as text. Every number is written with the digits that read back exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TextIO

from ...errors import TableError
from ...terminal.files import whole_text
from .number_format import COMMA, POINT
from .progress import Report, silent
from .source import shown_name
from .steps import Floats, Normalized
from .table import OwnTable

_CHUNK = 1000  # rows


def write_csv(table: OwnTable, output: Floats, path: str, report: Report = silent) -> None:
    """Write the table with ``output`` in place of its numbers; all of the file or nothing.

    Parameters
    ----------
    table
        What was read: its text, header and layout.
    output
        ``(row, number column)``.
    path
        Where to; an existing file is replaced once the new one is complete.
    report
        Told how much was written.

    Raises
    ------
    TableError
        The file cannot be written.
    """
    # Excel takes a file for UTF-8 only if it begins with the mark.
    marked = table.layout.encoding in ("utf-8-sig", "utf-16", "utf-32")
    with replacing(path, "utf-8-sig" if marked else "utf-8") as file:
        csv_lines_to(file, table, output, report)


def csv_lines_to(file: TextIO, table: OwnTable, output: Floats, report: Report = silent) -> None:
    """Write the lines of :func:`write_csv` to an open file."""
    delimiter, comma = table.layout.delimiter, table.layout.decimal == COMMA
    if table.layout.header:
        file.write(delimiter.join(quoted(c.header or "", delimiter) for c in table.columns) + "\n")
    texts = [
        (column.number - 1, [quoted(cell, delimiter) for cell in cells])
        for column, cells in zip(table.text_columns, table.texts, strict=True)
    ]
    for start in range(0, len(output), _CHUNK):
        report("writing", start / len(output))
        lines = []
        for i, numbers in enumerate(output[start : start + _CHUNK].tolist(), start):
            cells = [*map(repr, numbers)]
            if comma:
                cells = [quoted(cell.replace(POINT, COMMA), delimiter) for cell in cells]
            for place, text in texts:
                cells.insert(place, text[i])
            lines.append(delimiter.join(cells))
        file.write("\n".join(lines) + "\n")


def quoted(cell: str, delimiter: str) -> str:
    """Return a cell as CSV has it (RFC 4180): in quotes if it must be.

    The csv module would look through every digit of every number: it takes half as long again.

    >>> print(quoted('say "a" or b', ";"), quoted("a;b", ";"), quoted("3.5", ";"))
    "say ""a"" or b" "a;b" 3.5
    """
    if delimiter in cell or '"' in cell or "\n" in cell or "\r" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


@contextmanager
def replacing(path: str, encoding: str) -> Iterator[TextIO]:
    """Open a new file for text that takes the place of ``path`` when it is complete, with line ends as written.

    Raises
    ------
    TableError
        The file cannot be written.
    """
    try:
        with whole_text(path, encoding, newline="") as file:
            yield file
    except OSError as error:
        raise TableError(
            f"{shown_name(path)}: cannot write the file: {error.strerror or error}; "
            "name a file in a folder you may write to"
        ) from None


def json_parts(table: OwnTable, result: Normalized, report: Report = silent) -> Iterator[str]:
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
    for place, step in enumerate(result.steps):
        report("writing", place / (len(result.steps) + 1))
        yield (", " if place else "") + f'"{step.name}": '
        yield from _array_parts(step.values.ravel() if step.is_statistic else step.values)
    at = {"row": gradient.row + 1, "column": table.number_columns[gradient.column].title}
    report("writing", len(result.steps) / (len(result.steps) + 1))
    yield '}, "gradient": ' + json.dumps(at, ensure_ascii=False)[:-1]
    for name, values in (("x", gradient.x), ("weight", gradient.weight), ("bias", gradient.bias)):
        yield f', "{name}": '
        if values is None:
            yield "null"
        else:
            yield from _array_parts(values)
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
