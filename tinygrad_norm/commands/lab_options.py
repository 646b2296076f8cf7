"""The options of a lab that trains with one norm after the other, how they are read, and what Ctrl-C leaves."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ..errors import InputError
from ..lessons.labs.fit import Settings
from ..lessons.labs.outcome import NORMS
from ..lessons.labs.plot import check_plot

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended."""

Result = TypeVar("Result")


def add_training_options(parser: argparse.ArgumentParser, epochs: int) -> None:
    """Add --norm, --epochs, --seed, --json and --plot."""
    add = parser.add_argument
    add("--norm", metavar="NAME", action="append", help=f"{', '.join(NORMS)}; repeatable (default: all)")
    add("--epochs", metavar="N", type=int, default=epochs, help=f"times to see all examples (default: {epochs})")
    add("--seed", metavar="N", type=int, default=0, help="decides examples, first parameters and order (default: 0)")
    add("--json", action="store_true", help="print the results as JSON")
    add("--plot", metavar="FILE", type=Path, help="draw the results: FILE.png, .svg or .pdf (needs matplotlib)")


def chosen_norms(args: argparse.Namespace, available: Sequence[str] = NORMS) -> list[str]:
    """Return the norms asked for, each once, in the order given; all available ones by default."""
    for norm in args.norm or ():
        if norm not in available:
            raise InputError(f"--norm must be one of {', '.join(available)}; got {norm!r}. Choose one of them.")
    return list(dict.fromkeys(args.norm or available))


def checked_settings(args: argparse.Namespace, dtype: str) -> Settings:
    """Return the settings; raise if they make no sense or the picture could not be written."""
    settings = Settings(epochs=args.epochs, seed=args.seed, dtype=dtype)
    if args.plot is not None:
        check_plot(args.plot)
    return settings


def one_by_one(
    norms: Sequence[str], run: Callable[[str], Result], done: list[Result], interrupted: Callable[[Result], bool]
) -> bool:
    """Run the lab for each norm and collect the results in ``done``; return whether all of it was done.

    Ctrl-C ends it. A training that it hits ends early with a result; anything else leaves the results before.
    """
    for norm in norms:
        try:
            done.append(run(norm))
        except KeyboardInterrupt:
            if not done:
                raise
            return False
        if interrupted(done[-1]):
            return False
    return True
