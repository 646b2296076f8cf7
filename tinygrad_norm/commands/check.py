"""Check gradients: of everything in the package, or of a function in a file of your own."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..gradcheck import whole_package
from ..gradcheck.check_report import for_json
from ..gradcheck.digits import short
from ..gradcheck.learner_file import check_in_process
from ..gradcheck.whole_package import PackageResult, check_everything, names
from ..terminal.progress import Progress
from ..terminal.table import aligned
from .argument_types import offer, seconds, whole_number


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add = parser.add_argument
    target = (
        "FILE.py:FUNCTION, checked with FUNCTION_backward if there is one, at SAMPLES or at the defaults of its "
        "parameters; or the name of a primitive, composition or layer; everything if left out"
    )
    offer(add("target", metavar="TARGET", nargs="?", help=target), names())
    order = "2 also checks the gradient of the gradient, 3 the next (default: 1)"
    add("--order", metavar="N", type=int, choices=(1, 2, 3), default=1, help=order)
    seed = "of the random cotangents and directions (default: 0)"
    add("--seed", metavar="N", type=whole_number(0), default=0, help=seed)
    timeout = "seconds that a file of your own may take (default: 60)"
    add("--timeout", metavar="S", type=seconds, default=60.0, help=timeout)
    limit = "seconds after which the report tells what is known so far (default: none)"
    add("--time-limit", metavar="S", type=seconds, help=limit)
    add("--json", action="store_true", help="print the results as JSON")


def run(args: argparse.Namespace) -> int:
    """Check, print, and return 0 if everything is right, 1 if not."""
    if args.target is not None and (":" in args.target or args.target.endswith(".py")):
        return _own_code(args.target, args.order, args.seed, args.timeout, args.time_limit, args.json)
    return _package(args.target, args.order, args.seed, args.time_limit, args.json)


def _own_code(target: str, order: int, seed: int, timeout: float, time_limit: float | None, as_json: bool) -> int:
    file, _, function = target.rpartition(":")
    if not file or not function.isidentifier():
        raise InputError(
            f"a function of your own must be given as FILE.py:FUNCTION; got {target!r}. "
            "For example exercise.py:layer_norm."
        )
    path = Path(file).resolve()
    if not path.is_file():
        raise InputError(f"the file to check must exist; there is no {file}. Check the path, relative to {Path.cwd()}.")
    with Progress(sys.stderr) as progress:
        progress(f"checking {target}", 0.0)
        result, printed = check_in_process(path, function, order, seed, timeout, time_limit)
    if printed.lines:
        note = f"note: {path.name} printed {printed.lines} line(s) while it was checked; the first: {printed.first}"
        print(note, file=sys.stderr)
    if as_json:
        found = {key: result[key] for key in ("ok", "kind", "reports")}
        print(json.dumps({"target": target, "order": order, "seed": seed, **found}, indent=2, ensure_ascii=False))
    else:
        print(f"{target}, a {result['kind']}: {'right' if result['ok'] else 'NOT right'}")
        print("\n".join(result["texts"]))
    return 0 if result["ok"] else 1


def _package(name: str | None, order: int, seed: int, time_limit: float | None, as_json: bool) -> int:
    with Progress(sys.stderr) as progress:
        rows = list(check_everything(order, seed, name, lambda w, done: progress(f"checking {w}", done), time_limit))
    left = (1 if name is not None else len(whole_package.names())) - len(rows)
    bad = [row.name for row in rows if row.status not in ("right", "flat")]
    if as_json:
        results = [{**vars(row), "report": row.report.to_json() if row.report is not None else None} for row in rows]
        data = {"ok": not bad and not left, "order": order, "seed": seed, "left": left, "results": for_json(results)}
        print(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        print("\n".join(table(rows)))
        orders = "order 1" if order == 1 else f"orders 1 to {order}"
        verdict = f"{len(bad)} of them NOT right: {', '.join(bad)}" if bad else "all right"
        verdict += f", stopped after {time_limit:g} s with {left} more to check" if left else ""
        print(
            f"{len(rows)} checked at {sum(row.points for row in rows)} points, {orders}, seed {seed}: {verdict}. ± is "
            "the measured uncertainty, relative to the largest entry of the gradient; no tolerance was set."
        )
    return 1 if bad or left else 0


def table(rows: Sequence[PackageResult]) -> list[str]:
    """Return the results as lines of text, each failure with its report below."""
    cells = [("", "kind       ", "points", "     ±", "adjoint", "verdict")]  # blanks: the least width of a column
    for row in rows:
        bar = "" if row.status == "flat" else short(row.uncertainty)
        adjoint = "" if row.adjoint is None else short(row.adjoint)
        cells.append((row.name, row.kind, str(row.points), bar, adjoint, VERDICTS[row.status]))
    head, *results = aligned(cells, "llrrrl")
    lines = [head]
    for row, result in zip(rows, results, strict=True):
        lines.append(result)
        if row.report is not None:
            lines += [f"    {line}" for line in str(row.report).splitlines()]
    return lines


VERDICTS = {"right": "right", "flat": "right: zero everywhere", "wrong": "WRONG", "cannot tell": "CANNOT TELL"}
