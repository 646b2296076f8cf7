"""How far a lab is: the progress sign of the terminal, handed down as a function; nothing in a log or a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Protocol, TextIO, TypeAlias

from ...terminal.progress import counting


class Count(Protocol):
    """Called after each job."""

    def __call__(self, note: str = "") -> None:
        """Count one more; the note, such as the loss, stands beside the number."""


Counting: TypeAlias = Callable[[str, int], AbstractContextManager[Count]]
"""From a stage and its number of jobs to a context, which gives the function to call after each job."""


@contextmanager
def silent(stage: str, total: int) -> Iterator[Count]:
    """Count, and show nothing."""
    yield lambda note="": None


def counting_on(stream: TextIO, unit: str = "it", keep: bool = False) -> Counting:
    """Return what shows the progress on this stream; a bar is counted in `unit` and, if wished, kept at the end.

    Examples
    --------
    >>> import sys
    >>> counting_on(sys.stdout) is silent  # no terminal here
    True
    """
    return partial(counting, stream, unit=unit, keep=keep) if stream.isatty() else silent
