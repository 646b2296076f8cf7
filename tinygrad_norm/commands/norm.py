"""Normalize a table of your own, from a CSV file, and show every step."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence

import numpy as np

from ..errors import InputError, TableError
from ..lessons.own_table.csv_file import DECIMALS, DELIMITERS
from ..lessons.own_table.normalize_table import AXES, NormChoices, normalize_table
from ..lessons.own_table.own_table import ZEROS, OwnTable, find_column, find_row, masked
from ..lessons.own_table.read_table import read_table
from ..lessons.own_table.show_steps import steps_text
from ..lessons.own_table.write_steps import csv_parts, json_parts
from ..terminal.files import whole_text
from ..terminal.progress import OnProgress, Progress, silent

STDOUT = "-"
_HEADER = {"auto": None, "yes": True, "no": False}
_DELIMITERS = {name: delimiter for delimiter, name in DELIMITERS.items()}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="a table as CSV, or - for standard input")
    add("--kind", choices=AXES, default="layer", help="which normalization (default: layer)")
    mask = "the column that is 1 for a real row and 0 for a pad; or zeros: rows of zeros are pads"
    add("--mask", metavar="COLUMN", help=mask)
    add("--ddof", type=int, choices=(0, 1), default=0, help="the variance divides by n − DDOF (default: 0)")
    add("--eps", metavar="E", type=float, default=1e-5, help="added to the variance or mean square (default: 1e-5)")
    add("--weight", metavar="W1,W2,…", type=numbers, help="one number for each column (negative first: --weight=-1,2)")
    add("--bias", metavar="B1,B2,…", type=numbers, help="one number for each column")
    entry = "the output entry to differentiate, each by name or number from 1 (default: the first)"
    add("--gradient", metavar="ROW,COLUMN", type=row_and_column, help=entry)
    add("--json", action="store_true", help="print every step as JSON at full precision")
    add("--csv", metavar="OUT", help="write the whole output, laid out like FILE; - for standard output")
    reading = parser.add_argument_group("how FILE is written, if it is not found out rightly")
    add = reading.add_argument
    add("--label", metavar="COLUMN", action="append", default=[], help="take this column as text (repeatable)")
    add("--header", choices=_HEADER, default="auto", help="whether the first line names the columns")
    add("--delimiter", metavar="CHAR", type=delimiter, help=f"a character, or {', '.join(_DELIMITERS)}")
    add("--decimal", choices=DECIMALS, help="the decimal sign")
    add("--missing", choices=("refuse", "drop"), default="refuse", help="what to do with a row that lacks a number")
    add("--encoding", metavar="NAME", help="such as cp1252 (default: UTF-8)")


def numbers(text: str) -> tuple[float, ...]:
    """Return the numbers of a list with commas."""
    return tuple(map(float, text.split(",")))


def row_and_column(text: str) -> tuple[str, str]:
    """Return two names with a comma between; quotes go around a name with a comma."""
    row, column = next(csv.reader([text]), [])
    return row, column


def delimiter(text: str) -> str:
    """Return a delimiter that is given as it is or by its name."""
    found = _DELIMITERS.get(text, "\t" if text == r"\t" else text)
    if len(found) != 1 or found.isalnum() or found in '"+-.\r\n':
        raise argparse.ArgumentTypeError(f"must be one character that is in no number and no quote; got {text!r}")
    return found


def run(args: argparse.Namespace) -> int:
    """Read, normalize, write."""
    if args.csv == STDOUT and args.json:
        raise InputError("--json and --csv - must not both write to standard output; name a file for --csv")
    choices = NormChoices(args.kind, args.ddof, args.eps, args.weight, args.bias)
    with Progress(sys.stderr) as progress:
        table = read_table(
            args.file,
            text_columns=args.label if args.mask in (None, ZEROS) else [*args.label, args.mask],
            header=_HEADER[args.header],
            delimiter=args.delimiter,
            decimal=DECIMALS.get(args.decimal),
            encoding=args.encoding,
            drop_missing=args.missing == "drop",
            on_progress=progress,
        )
        table = table if args.mask is None else masked(table, args.mask)
        result = normalize_table(table, choices, _entry(table, args.gradient), progress)
        # The file first, so that nothing is printed if that fails.
        if args.csv not in (None, STDOUT):
            # Excel takes a file for UTF-8 only if it begins with the mark: it stays.
            with whole_text(args.csv, "utf-8-sig" if table.layout.encoding == "utf-8-sig" else "utf-8") as file:
                file.writelines(csv_parts(table, result.output, progress))
        progress.clear()
        # On a terminal the sign of progress would run into what is printed.
        on_progress: OnProgress = silent if sys.stdout.isatty() else progress
        if args.csv == STDOUT:
            sys.stdout.writelines(csv_parts(table, result.output, on_progress))
        elif args.json:
            sys.stdout.writelines(json_parts(table, result, on_progress))
        else:
            sys.stdout.write(steps_text(table, result))
    return 0


def _entry(table: OwnTable, wanted: Sequence[str] | None) -> tuple[int, int]:
    """Return row and column, from 0, of the entry to differentiate; the first real one by default."""
    if wanted is None:
        return (0 if table.real is None else int(np.argmax(table.real))), 0
    column = find_column(table.columns, wanted[1], table.source)
    if column not in table.number_columns:
        raise TableError(
            f"{table.source}: the gradient must be of a column of numbers; {column.place} is text; name another column"
        )
    return find_row(table, wanted[0]), table.number_columns.index(column)
