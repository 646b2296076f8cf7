"""How wide a text for the terminal is, whether it may have color, and how JSON can be shown on one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from typing import Literal, TextIO, TypeAlias

from .files import is_visible

WIDTH = 92
"""Columns of a text that goes to no terminal."""

NARROWEST, WIDEST = 60, 100
"""A narrower terminal has to wrap; in wider lines nobody finds the next one."""

Style: TypeAlias = Literal["bold", "dim", "red", "green", "yellow", "blue", "cyan"]
Paint: TypeAlias = Callable[[str, Style], str]
"""Gives a text a style, or leaves it as it is."""

_CODES: dict[Style, str] = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
}


def plain(text: str, style: Style) -> str:
    """Return the text as it is."""
    return text


def colored(text: str, style: Style) -> str:
    r"""Return the text in a style, as terminals know it.

    >>> colored("Slip", "red")
    '\x1b[31mSlip\x1b[0m'
    """
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if text else text


def paint_for(stream: TextIO) -> Paint:
    """Return what colors text for a stream: nothing but a terminal is colored, and none where ``NO_COLOR`` is set."""
    refused = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return colored if stream.isatty() and not refused else plain


def text_width() -> int:
    """Return how many columns a text for standard output may have: as many as the terminal, within bounds."""
    return min(max(shutil.get_terminal_size((WIDTH, 24)).columns, NARROWEST), WIDEST)


def safe_json(text: str) -> str:
    r"""Return JSON that means the same, with an escape for everything that drives a terminal or cannot be seen.

    >>> print(safe_json('["\u202e", "μ"]'))
    ["\u202e", "μ"]
    """
    return "".join(c if is_visible(c) or c == "\n" else json.dumps(c)[1:-1] for c in text)
