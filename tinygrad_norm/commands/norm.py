"""Normalize a table of your own, from a CSV file, and show every step."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import InputError, TableError
from ..lessons.own_table.choices import KINDS, Choices
from ..lessons.own_table.export import csv_lines_to, json_parts, write_csv
from ..lessons.own_table.mask import ZEROS, real_rows
from ..lessons.own_table.number_format import DECIMALS
from ..lessons.own_table.progress import Progress, Report, silent
from ..lessons.own_table.reader import read_table
from ..lessons.own_table.report import report_text
from ..lessons.own_table.steps import Normalized, compute_steps
from ..lessons.own_table.table import DELIMITERS, OwnTable, find_column, find_row

STDOUT = "-"
_HEADER = {"auto": None, "yes": True, "no": False}
_DELIMITERS = {name: delimiter for delimiter, name in DELIMITERS.items()}

_Option = TypeVar("_Option")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments.

    They arrive as text and are read in :func:`run`, so that a bad one gets one line, not a usage page.
    """
    add = parser.add_argument
    add("file", metavar="FILE", help="a table as CSV, or - for standard input")
    add("--kind", default="layer", help=f"which normalization: {_listed(KINDS)} (default: layer)")
    add(
        "--mask",
        metavar="COLUMN",
        help="the column that is 1 for a real row and 0 for a pad; or zeros: rows of zeros are pads",
    )
    add("--ddof", metavar="0|1", default="0", help="the variance divides by n − DDOF (default: 0)")
    add("--eps", metavar="E", default="1e-5", help="added to the variance or mean square (default: 1e-5)")
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
    add("--label", metavar="COLUMN", action="append", default=[], help="take this column as text (repeatable)")
    add("--header", metavar="yes|no", default="auto", help="whether the first line names the columns")
    add("--delimiter", metavar="CHAR", help=f"a character, or {_listed(_DELIMITERS)}")
    add("--decimal", metavar="SIGN", help=f"the decimal sign: {_listed(DECIMALS)}")
    add("--encoding", metavar="NAME", help="such as cp1252 (default: UTF-8, or by the byte-order mark)")


def run(args: argparse.Namespace) -> int:
    """Read, normalize, write."""
    if args.csv == STDOUT and args.json:
        raise InputError("--json and --csv - must not both write to standard output; name a file for --csv")
    choices = Choices(
        kind=_one_of("--kind", args.kind, {kind: kind for kind in KINDS}),
        ddof=_one_of("--ddof", args.ddof, {"0": 0, "1": 1}),
        eps=_number("--eps", args.eps),
        weight=_numbers("--weight", args.weight),
        bias=_numbers("--bias", args.bias),
    )
    with Progress(sys.stderr) as progress:
        table = _read(args, progress)
        real = None if args.mask is None else real_rows(table, args.mask)
        labels = _labels(table, args.mask)
        entry = _entry(table, args.gradient, labels, real)
        result = compute_steps(table, choices, real, entry, progress)
        _write(args, table, result, labels, progress)
    return 0


def _one_of(flag: str, text: str, options: Mapping[str, _Option]) -> _Option:
    if text not in options:
        raise InputError(f"{flag} must be one of {_listed(options)}; got {text!r}")
    return options[text]


def _listed(options: Iterable[str]) -> str:
    return ", ".join(options)


def _number(flag: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{flag} must be a number such as 1e-5; got {text!r}") from None


def _numbers(flag: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(map(float, text.split(",")))
    except ValueError:
        raise InputError(f"{flag} must be numbers with commas between, like 1,0.5,2; got {text!r}") from None


def _read(args: argparse.Namespace, report: Report) -> OwnTable:
    text_columns = [*args.label]
    if args.mask not in (None, ZEROS):
        text_columns.append(args.mask)
    return read_table(
        args.file,
        text_columns=text_columns,
        header=_one_of("--header", args.header, _HEADER),
        delimiter=_delimiter(args.delimiter),
        decimal=None if args.decimal is None else _one_of("--decimal", args.decimal, DECIMALS),
        encoding=args.encoding,
        report=report,
    )


def _delimiter(given: str | None) -> str | None:
    if given is None:
        return None
    delimiter = _DELIMITERS.get(given, "\t" if given == r"\t" else given)
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"+-.\r\n':
        raise InputError(
            f"--delimiter must be one character that is in no number and no quote; got {given!r}; "
            f"give it, or one of {_listed(_DELIMITERS)}"
        )
    return delimiter


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
        raise InputError(f"--gradient must be ROW,COLUMN, like 1,2 or Hi,z1; got {wanted!r}; quote a name with a comma")
    column = find_column(table.columns, parts[1], table.source)
    if column not in table.number_columns:
        raise TableError(
            f"{table.source}: the gradient must be of a column of numbers; {column.place} is text; name another column"
        )
    row = find_row(labels, len(table.numbers), parts[0], table.source)
    return row, table.number_columns.index(column)


def _write(
    args: argparse.Namespace,
    table: OwnTable,
    result: Normalized,
    labels: Sequence[Sequence[str]],
    progress: Progress,
) -> None:
    """Write the file first, so that nothing is printed if that fails; then print."""
    if args.csv not in (None, STDOUT):
        write_csv(table, result.output, args.csv, progress)
    progress.clear()
    # On a terminal the sign of progress would run into what is printed.
    report: Report = silent if sys.stdout.isatty() else progress
    if args.csv == STDOUT:
        csv_lines_to(sys.stdout, table, result.output, report)
    elif args.json:
        sys.stdout.writelines(json_parts(table, result, report))
    else:
        sys.stdout.write(report_text(table, result, labels))
