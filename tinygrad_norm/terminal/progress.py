"""The one progress sign: :class:`Progress` for a fraction that is done, :func:`counting` for jobs that are counted.

It is a line on a terminal, which appears when the work takes a while and disappears when it is done. Where the stream
is no terminal, nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TextIO, TypeAlias

OnProgress: TypeAlias = Callable[[str, float], None]
"""Called with what is being done and the fraction that is done, 0 to 1."""


def silent(stage: str, fraction: float) -> None:
    """Show nothing."""


class Progress:
    """Show the fraction done on ``stream`` if it is a terminal and the work takes a while.

    Nothing is shown in the first half second, and afterwards at most ten times a second.

    >>> import sys
    >>> with Progress(sys.stdout) as progress:  # no terminal here, so nothing is shown
    ...     progress("reading", 0.5)
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


@contextmanager
def counting(
    stream: TextIO, stage: str, total: int, unit: str = "it", keep: bool = False
) -> Iterator[Callable[..., None]]:
    """Give a function to call after each of ``total`` jobs, perhaps with a note such as "loss=0.25".

    On a terminal it moves a bar where tqdm is installed, counted in ``unit`` and, if wished, kept at the end; else a
    :class:`Progress`.
    """
    try:
        tqdm = import_module("tqdm").tqdm if stream.isatty() else None
    except ImportError:
        tqdm = None
    if tqdm is not None:
        with tqdm(total=total, desc=stage, file=stream, unit=unit, leave=keep) as bar:

            def move(note: str = "") -> None:
                bar.update()
                bar.set_postfix_str(note, refresh=False)

            yield move
        return
    done = 0
    with Progress(stream) as progress:

        def count(note: str = "") -> None:
            nonlocal done
            done += 1
            progress(f"{stage}, {done} of {total}{', ' * bool(note)}{note}:", done / total)

        yield count
