"""How far a lab is, on a terminal: a bar where tqdm is installed, else a counter; nothing in a log or a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import Protocol, TextIO, TypeAlias

from ..own_table.progress import Progress


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
    if not stream.isatty():
        return silent
    try:
        tqdm = import_module("tqdm").tqdm
    except ImportError:
        return _counter_on(stream)

    @contextmanager
    def bar(stage: str, total: int) -> Iterator[Count]:
        with tqdm(total=total, desc=stage, file=stream, unit=unit, leave=keep) as shown:

            def count(note: str = "") -> None:
                shown.update()
                shown.set_postfix_str(note, refresh=False)

            yield count

    return bar


def _counter_on(stream: TextIO) -> Counting:
    @contextmanager
    def counter(stage: str, total: int) -> Iterator[Count]:
        done = 0

        def count(note: str = "") -> None:
            nonlocal done
            done += 1
            progress(f"{stage}, {done} of {total}{note and f', {note}'}:", done / total)

        with Progress(stream) as progress:
            yield count

    return counter
