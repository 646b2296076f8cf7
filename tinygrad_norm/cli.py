"""The command ``tinygrad-norm``: finds the subcommand, runs it, turns errors into one line.

Each subcommand is a module of :mod:`tinygrad_norm.commands` with a one-line docstring (its help),
``configure(parser)`` and ``run(args) -> int``. Exit codes: 0 success, 1 the check or lesson failed,
2 bad input.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn, Protocol

from .commands import check, doctor, exercise, graph, lab, lecture, norm, trace
from .errors import TinygradNormError


class Command(Protocol):
    """What a module in ``commands`` offers."""

    __doc__: str | None
    __name__: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the subcommand's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit code."""


MODULES: tuple[Command, ...] = (check, doctor, exercise, graph, lab, lecture, norm, trace)
COMMANDS = {module.__name__.rpartition(".")[2]: module for module in MODULES}


class Parser(argparse.ArgumentParser):
    """A parser that answers bad arguments as the commands answer bad input: in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with code 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


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


def print_in_utf8() -> None:
    """Let standard output and error take every character: few other encodings have −, ², μ and σ."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            stream.reconfigure(encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    print_in_utf8()
    args = build_parser().parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except TinygradNormError as error:
        print(f"tinygrad-norm {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntinygrad-norm: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe: not an error of ours. Python would flush
        # stdout once more at exit and complain, so point it elsewhere first.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
