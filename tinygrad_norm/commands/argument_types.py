"""What arguments of several commands may be, and what the shell offers for them.

The functions but :func:`offer` are a ``type``, whose error the parser answers in a line.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from datetime import datetime


def offer(argument: argparse.Action, names: Iterable[str]) -> None:
    """Let the shell complete an argument to one of these names, which are not all that it may be."""
    vars(argument)["completer"] = lambda **_: names  # argcomplete reads this attribute


def whole_number(least: int) -> Callable[[str], int]:
    """Return the type of whole numbers from ``least`` on."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a whole number; got {text!r}") from None
        if number < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}; got {number}")
        return number

    return read


def seconds(text: str) -> float:
    """Return a time limit: above 0, a day at most."""
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not 0 < limit < 86400:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, a day at most; got {text!r}")
    return limit


def point_in_time(text: str) -> float:
    """Return a date, perhaps with a time, in seconds since 1970; without a zone it is this machine's.

    >>> point_in_time("2026-11-20T18:00+00:00")
    1795197600.0
    """
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(f"must be a time such as 2026-11-20T18:00; got {text!r}") from None
