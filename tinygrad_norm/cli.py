"""The command ``tinygrad-norm``: finds the subcommand, runs it, turns errors into one line.

Each subcommand is a module of :mod:`tinygrad_norm.commands` with a one-line docstring (its help),
``configure(parser)`` and ``run(args) -> int``. Exit codes: 0 success, 1 the check or lesson failed,
2 bad input.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn, Protocol, TextIO

from .commands import check, doctor, exercise, graph, lab, lecture, norm, program, trace
from .errors import TinygradNormError
from .terminal.files import visible


class Command(Protocol):
    """What a module in ``commands`` offers."""

    __doc__: str | None
    __name__: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the subcommand's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit code."""


MODULES: tuple[Command, ...] = (check, doctor, exercise, graph, lab, lecture, norm, program, trace)
COMMANDS = {module.__name__.rpartition(".")[2]: module for module in MODULES}


LONGEST = 3000
"""Characters of a message that are shown: it may quote what was typed."""


def shown(message: str) -> str:
    """Return a message of bearable length that does not drive the terminal."""
    return visible(message if len(message) <= LONGEST else message[: LONGEST - 1] + "…")


class Parser(argparse.ArgumentParser):
    """A parser that answers bad arguments as the commands answer bad input: in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with code 2."""
        self.exit(2, f"{self.prog}: {shown(message)}; see {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = Parser(
        prog="tinygrad-norm",
        description="Layer normalization, computed, differentiated, drawn and checked.",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").strip().splitlines()[0]
        sub = subparsers.add_parser(name, help=summary, description=module.__doc__)
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return parser


def prepare_streams() -> None:
    """Let output take every character, half ones as their escapes; a stream that was closed is nothing."""
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115  # lives on
        elif isinstance(stream, io.TextIOWrapper) and name != "stdin":
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    prepare_streams()
    with suppress(ValueError, AttributeError):  # not in the main thread; not on this system
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # half-written files are taken away on the way out
    try:
        code = run(argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader (head, less) has closed the pipe: not an error of ours
        _point_to_nothing(sys.stdout)
        return 0
    except OSError as error:
        _point_to_nothing(sys.stdout)
        with suppress(OSError):
            print(f"tinygrad-norm: the output must be written somewhere; got {error.strerror}.", file=sys.stderr)
        return 2


def run(argv: Sequence[str] | None) -> int:
    """Run the command line; what is wrong with the input or stops it is a line on standard error."""
    args = build_parser().parse_args(argv)
    try:
        code: int = args.run(args)
        return code
    except TinygradNormError as error:
        print(f"tinygrad-norm {args.command}: {shown(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntinygrad-norm: interrupted", file=sys.stderr)
        return 130


def _point_to_nothing(stream: TextIO) -> None:
    """Keep Python from trying again at its end to write what could not be written."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
