"""The command ``tinygrad-norm``: finds the subcommand, runs it, turns errors into one line.

Each subcommand is a module of :mod:`tinygrad_norm.commands` with a one-line docstring (its help),
``configure(parser)`` and ``run(args) -> int``. Exit codes: 0 success, 1 the check or lesson failed,
2 bad input.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Protocol

from .commands import lecture
from .errors import TinygradNormError


class Command(Protocol):
    """What a module in ``commands`` offers."""

    __doc__: str | None
    __name__: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the subcommand's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit code."""


COMMANDS: dict[str, Command] = {"lecture": lecture}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
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
