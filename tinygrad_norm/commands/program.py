"""Write a function and its backward pass out as NumPy: a layer by name, or a function of your own."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..gradcheck.learner_file import find, function_of, in_process, points_of, told
from ..lessons.program_examples import EXAMPLES
from ..program import Program, program
from ..sandbox import load
from ..terminal.progress import Progress
from ..terminal.spelling import did_you_mean
from .argument_types import seconds


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add = parser.add_argument
    target = "FILE.py:FUNCTION, recorded at the first of SAMPLES or at the defaults of its parameters; or one of "
    add("target", metavar="TARGET", help=target + ", ".join(EXAMPLES))
    timeout = "seconds that a file of your own may take (default: 60)"
    add("--timeout", metavar="S", type=seconds, default=60.0, help=timeout)
    add("--json", action="store_true", help="print the source and what it takes as JSON")


def run(args: argparse.Namespace) -> int:
    """Record and print."""
    data = own_function(args.target, args.timeout) if ":" in args.target else by_name(args.target)
    if args.json:
        print(json.dumps({"target": args.target, **data}, indent=2, ensure_ascii=False))
    else:
        print(data["source"], end="")
    return 0


def by_name(name: str) -> dict[str, Any]:
    """Return the program of an example."""
    if name not in EXAMPLES:
        raise InputError(
            f"what is to be written out must be FILE.py:FUNCTION or one of {', '.join(EXAMPLES)}; got {name!r}."
            f"{did_you_mean(name, EXAMPLES)}"
        )
    function, arguments = EXAMPLES[name]
    return as_data(program(function, *arguments))


def as_data(made: Program) -> dict[str, Any]:
    """Return a program as data."""
    shapes = {value.name: list(value.shape) for value in made.recording.inputs}
    return {"inputs": shapes, "source": made.source}


def own_function(target: str, timeout: float) -> dict[str, Any]:
    """Return the program of a function in a file, which runs in a process of its own."""
    file, _, function = target.rpartition(":")
    path = Path(file).resolve()
    if not function.isidentifier() or path.suffix != ".py" or not path.is_file():
        raise InputError(
            f"a function of your own must be given as FILE.py:FUNCTION, of a file that exists; got {target!r}. "
            "For example exercise.py:layer_norm."
        )
    with Progress(sys.stderr) as progress:
        progress(f"recording {target}", 0.0)
        data, printed = in_process(record_job, path, function, timeout)
    if printed.lines:
        note = f"note: {path.name} printed {printed.lines} line(s) while it was recorded; the first: {printed.first}"
        print(note, file=sys.stderr)
    return data


def record_job(file: str, function: str) -> Iterator[dict[str, Any]]:
    """Yield the program of a function of a file, as data, or ``{"error": message}``."""

    def work() -> dict[str, Any]:
        path = Path(file)
        module = load(file)
        forward, _ = find(module, path.name, function)
        inputs, given = points_of(module, path.name, function, forward)[0]
        return as_data(program(function_of(forward, given), *inputs))

    yield told(work, file, function)
