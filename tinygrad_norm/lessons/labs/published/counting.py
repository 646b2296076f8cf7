"""How far a lab is: a bar where tqdm is installed, else a counter, on a terminal; nothing in a log or a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import TextIO, TypeAlias

from ....terminal.progress import Progress

Counting: TypeAlias = Callable[[str, int], AbstractContextManager[Callable[[], object]]]
"""From a stage and its number of jobs to a context, which gives a function to call after each job."""


@contextmanager
def silent(stage: str, total: int) -> Iterator[Callable[[], object]]:
    """Count, and show nothing."""
    yield lambda: None


def counting_on(stream: TextIO) -> Counting:
    """Return what shows the progress on this stream.

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
        return _counter(stream)

    @contextmanager
    def bar(stage: str, total: int) -> Iterator[Callable[[], object]]:
        with tqdm(total=total, desc=stage, file=stream, leave=False) as shown:
            yield shown.update

    return bar


def _counter(stream: TextIO) -> Counting:
    @contextmanager
    def counter(stage: str, total: int) -> Iterator[Callable[[], object]]:
        done = 0

        def count() -> None:
            nonlocal done
            done += 1
            progress(f"{stage}, {done} of {total}:", done / total)

        with Progress(stream) as progress:
            yield count

    return counter
