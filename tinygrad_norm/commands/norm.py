"""Normalize a table of your own, from a CSV file, and show every step."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..errors import InputError, TableError
from ..lessons.own_table.export import csv_lines_to, json_parts, write_csv
from ..lessons.own_table.mask import ZEROS, real_rows
from ..lessons.own_table.number_format import DECIMALS
from ..lessons.own_table.progress import Progress, Report, silent
from ..lessons.own_table.reader import read_table
from ..lessons.own_table.report import report_text
from ..lessons.own_table.steps import KINDS, Choices, Normalized, compute_steps
from ..lessons.own_table.table import DELIMITERS, OwnTable, find_column, find_row

STDOUT = "-"
_HEADER = {"auto": None, "yes": True, "no": False}
_DELIMITER_NAMES = {name: delimiter for delimiter, name in DELIMITERS.items()}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="a table as CSV, or - for standard input")
    add("--kind", choices=KINDS, default="layer", help="which normalization (default: layer)")
    add(
        "--mask",
        metavar="COLUMN",
        help="the column that is 1 for a real row and 0 for a pad; or zeros: rows of zeros are pads",
    )
    add("--ddof", type=int, choices=(0, 1), default=0, help="the variance divides by n − DDOF (default: 0)")
    add("--eps", type=float, default=1e-5, help="added to the variance or mean square (default: 1e-5)")
    add("--weight", metavar="W1,W2,…", help="one number for each column (negative first: --weight=-1,2)")
    add("--bias", metavar="B1,B2,…", help="one number for each column")
    add(
        "--gradient",
        metavar="ROW,COLUMN",
        help="the output entry to differentiate, each by name or number from 1 (default: the first)",
    )
    add("--json", action="store_true", help="print every step as JSON at full precision")
    add("--csv", metavar="OUT", help="write the whole output, laid out like FILE; - for standard output")
    reading = parser.add_argument_group("how FILE is written, if it is not found out rightly")
    add = reading.add_argument
    add(
        "--label", metavar="COLUMN", action="append", default=[], help="take this column as text (repeatable)"
    )
    add("--header", choices=_HEADER, default="auto", help="whether the first line names the columns")
    add("--delimiter", metavar="CHAR", help=f"a character, or {', '.join(_DELIMITER_NAMES)}")
    add("--decimal", choices=DECIMALS, help="the decimal sign")
    add("--encoding", metavar="NAME", help="such as cp1252 (default: UTF-8, or by the byte-order mark)")


def run(args: argparse.Namespace) -> int:
    """Read, normalize, write."""
    if args.csv == STDOUT and args.json:
        raise InputError("--json and --csv - must not both write to standard output; name a file for --csv")
    choices = Choices(
        kind=args.kind,
        ddof=args.ddof,
        eps=args.eps,
        weight=_numbers("--weight", args.weight),
        bias=_numbers("--bias", args.bias),
    )
    with Progress(sys.stderr) as report:
        table = _read(args, report)
        real = None if args.mask is None else real_rows(table, args.mask)
        labels = _labels(table, args.mask)
        entry = _entry(table, args.gradient, labels, real)
        result = compute_steps(table, choices, real, entry, report)
        _write(args, table, result, labels, report)
    return 0


def _read(args: argparse.Namespace, report: Report) -> OwnTable:
    text_columns = [*args.label]
    if args.mask not in (None, ZEROS):
        text_columns.append(args.mask)
    return read_table(
        args.file,
        text_columns=text_columns,
        header=_HEADER[args.header],
        delimiter=_delimiter(args.delimiter),
        decimal=DECIMALS.get(args.decimal),
        encoding=args.encoding,
        report=report,
    )


def _delimiter(given: str | None) -> str | None:
    if given is None:
        return None
    delimiter = _DELIMITER_NAMES.get(given, "\t" if given == r"\t" else given)
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"+-.\r\n':
        raise InputError(
            f"--delimiter must be one character that is in no number and no quote; got {given!r}; "
            f"give it, or one of {', '.join(_DELIMITER_NAMES)}"
        )
    return delimiter


def _numbers(flag: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(map(float, text.split(",")))
    except ValueError:
        raise InputError(f"{flag} must be numbers with commas between, like 1,0.5,2; got {text!r}") from None


def _labels(table: OwnTable, mask: str | None) -> list[list[str]]:
    """Return the columns of text that name the rows: all but the mask."""
    no_label = None if mask in (None, ZEROS) else find_column(table.columns, str(mask), table.source)
    return [table.text(column) for column in table.text_columns if column != no_label]


def _entry(
    table: OwnTable,
    wanted: str | None,
    labels: Sequence[Sequence[str]],
    real: npt.NDArray[np.bool_] | None,
) -> tuple[int, int]:
    """Return row and column, from 0, of the entry to differentiate; the first real one by default."""
    if wanted is None:
        return (0 if real is None else int(np.argmax(real))), 0
    parts = next(csv.reader([wanted]), [])
    if len(parts) != 2:
        raise InputError(
            f"--gradient must be ROW,COLUMN, like 1,2 or Hi,z1; got {wanted!r}; quote a name with a comma"
        )
    column = find_column(table.columns, parts[1], table.source)
    if column not in table.number_columns:
        raise TableError(
            f"{table.source}: the gradient must be of a column of numbers; {column.place} is text; name "
            "another column"
        )
    row = find_row(labels, len(table.numbers), parts[0], table.source)
    return row, table.number_columns.index(column)


def _write(
    args: argparse.Namespace,
    table: OwnTable,
    result: Normalized,
    labels: Sequence[Sequence[str]],
    report: Progress,
) -> None:
    # On one terminal the sign of progress would run into the output.
    quiet = silent if sys.stdout.isatty() else report
    if args.csv == STDOUT:
        csv_lines_to(sys.stdout, table, result.output, quiet)
        return
    if args.csv is not None:
        write_csv(table, result.output, args.csv, report)
    if args.json:
        sys.stdout.writelines(json_parts(table, result, quiet))
    else:
        text = report_text(table, result, labels)
        report.clear()
        sys.stdout.write(text)
