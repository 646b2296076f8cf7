"""A progress sign for long work: one line on a terminal, which disappears when the work is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

Report = Callable[[str, float], None]
"""Called with what is being done and the fraction that is done, 0 to 1."""


def silent(stage: str, fraction: float) -> None:
    """Show nothing."""


class Progress:
    """Show the fraction done on ``stream`` if it is a terminal and the work takes a while.

    Nothing is shown in the first half second, and afterwards at most ten times a second.

    >>> import sys
    >>> with Progress(sys.stdout) as report:  # no terminal here, so nothing is shown
    ...     report("reading", 0.5)
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._next = clock() + 0.5 if stream.isatty() else float("inf")
        self._width = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the sign away, before something else is printed."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0

    def __call__(self, stage: str, fraction: float) -> None:
        """Show that this part of ``stage`` is done, if it is time to."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + 0.1
        line = f"{stage} {fraction:4.0%}"
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._width = max(self._width, len(line))
