"""How long a check may take, and the sign that it is at work: a check runs under :func:`ticking`.

Before each evaluation of a function the :class:`Clock` is asked for the time. When it is up, a :class:`TimeIsUpError`
ends what is being measured, and the check reports what it knows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from time import monotonic
from typing import Any

from ...errors import InputError
from ...terminal.files import visible

#: The sign appears when a check has taken so many seconds.
DELAY = 2.0


class TimeIsUpError(BaseException):
    """Raised between evaluations of a function of somebody else's, which must not take it for an error of its own."""


class Clock:
    """Ends a check after some seconds, if any are given, and counts its evaluations on a terminal where tqdm is."""

    def __init__(self, seconds: float | None = None, shown: bool = True) -> None:
        self.seconds, self.began = seconds, monotonic()
        self.is_up = False
        self.name = ""  # of the input that is being looked at
        self.line, self.lines = 0, 0
        self._bar: Any = None
        self._silent = not (shown and sys.stderr.isatty())

    @property
    def stopped(self) -> float | None:
        """The seconds that there were, when they were not enough."""
        return self.seconds if self.is_up else None

    def tick(self) -> None:
        """Count an evaluation that is about to begin; a TimeIsUpError if there is no time for it."""
        passed = monotonic() - self.began
        if self.seconds is not None and passed >= self.seconds:
            self.is_up = True
            raise TimeIsUpError
        if not self._silent and passed >= DELAY:
            self._show()

    def _show(self) -> None:
        if self._bar is None:
            try:
                tqdm = import_module("tqdm").tqdm
            except ImportError:
                self._silent = True
                return
            self._bar = tqdm(desc=self._stage, unit=" evaluations", leave=False, file=sys.stderr)
        self._bar.set_description(self._stage, refresh=False)
        self._bar.update()

    @property
    def _stage(self) -> str:
        place = f", line {self.line} of {self.lines}" if self.lines > 1 else ""
        return f"gradcheck {visible(self.name)}{place}".strip()

    def close(self) -> None:
        """Take the sign away."""
        if self._bar is not None:
            self._bar.close()


CLOCK: ContextVar[Clock] = ContextVar("the clock of a gradient check")


@contextmanager
def ticking(seconds: float | None = None, shown: bool = True) -> Iterator[Clock]:
    """Give a check so many seconds; a check inside another is a part of it and has no clock of its own."""
    if seconds is not None and not (isinstance(seconds, (int, float)) and seconds > 0):
        raise InputError(f"gradcheck: time_limit must be a number of seconds above 0, or None; got {seconds!r}.")
    outer = CLOCK.get(None)
    if outer is not None:
        yield outer
        return
    clock = Clock(seconds, shown)
    token = CLOCK.set(clock)
    try:
        yield clock
    finally:
        CLOCK.reset(token)
        clock.close()


def current_clock() -> Clock:
    """Return the clock of the check that is at work; outside of one, a clock that never ends anything."""
    return CLOCK.get(None) or Clock()
