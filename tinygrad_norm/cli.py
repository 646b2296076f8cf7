# PYTHON_ARGCOMPLETE_OK
"""The command ``tinygrad-norm``: finds the subcommand, runs it, turns errors into one line.

Each subcommand is a module of :mod:`tinygrad_norm.commands` with ``configure(parser)`` and ``run(args) -> int``; only
the one that was asked for is imported. Exit codes: 0 success, 1 the check or lesson failed, 2 bad input.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn, TextIO

from . import __version__
from .errors import TinygradNormError
from .terminal.files import visible
from .terminal.spelling import did_you_mean

COMMANDS = {
    "check": "Check gradients: of everything in the package, or of a function in a file of your own.",
    "doctor": "Report what is installed: renderers, versions, fonts, optional packages.",
    "exercise": "Do the lecture, and build an engine: exercises with hints, graded by naming the mistake.",
    "graph": "Draw the computation graph of a layer or an expression, with the gradient on every edge.",
    "lab": "Run an experiment: what normalization does, with published results beside your own.",
    "lecture": "Go through the lecture: every number computed, every slip of the notes explained; or show a lesson of "
    "your own.",
    "norm": "Normalize a table of your own, from a CSV file, and show every step.",
    "program": "Write a function and its backward pass out as NumPy: a layer by name, or a function of your own.",
    "trace": "Print each step of a layer or an expression: every value, then every gradient contribution.",
}
"""Each subcommand with its module's docstring, which is known here before the module is imported."""

LONGEST = 3000
"""Characters of a message that are shown: it may quote what was typed."""


def shown(message: str) -> str:
    """Return a message of bearable length that does not drive the terminal."""
    return visible(message if len(message) <= LONGEST else message[: LONGEST - 1] + "…")


class Parser(argparse.ArgumentParser):
    """A parser that answers bad arguments as the commands answer bad input: in one line.

    The one that met an argument speaks, so that its own help is pointed at. Where a subcommand is left out, it prints
    its help.
    """

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with code 2."""
        self.exit(
            2, f"{self.prog}: {shown(message)}{' See' if message.endswith('?') else '; see'} {self.prog} --help\n"
        )

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse, and leave no unknown argument to the parser above."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            options = [option for action in self._actions for option in action.option_strings]
            meant = did_you_mean(unknown[0].partition("=")[0], options) if unknown[0].startswith("-") else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{meant and '.' + meant}")
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction) and getattr(found, action.dest) is None:
                self.print_help()
                self.exit()
        return found, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            meant = did_you_mean(value, action.choices or ())
            raise argparse.ArgumentError(action, f"{error.message}{meant and '.' + meant}") from None


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or one that knows the arguments of ``only`` one subcommand."""
    parser = Parser(
        prog="tinygrad-norm",
        description="Layer normalization, computed, differentiated, drawn and checked.",
    )
    parser.add_argument("--version", action="version", version=f"tinygrad-norm {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        sub = subparsers.add_parser(name, help=summary, description=summary)
        if only in (name, None):
            module = import_module(f".commands.{name}", __package__)
            module.configure(sub)
            sub.set_defaults(run=module.run)
    return parser


def complete() -> None:
    """Answer a shell that asks how a line may go on, if argcomplete is installed."""
    with suppress(ImportError):
        argcomplete = import_module("argcomplete")
        typed = (word for word in os.environ["COMP_LINE"].split() if word in COMMANDS)
        argcomplete.autocomplete(build_parser(next(typed, "")))


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
    if "COMP_LINE" in os.environ:
        complete()
    words = sys.argv[1:] if argv is None else argv
    # The first word that is no option is the subcommand.
    args = build_parser(next((word for word in words if not word.startswith("-")), "")).parse_args(words)
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
