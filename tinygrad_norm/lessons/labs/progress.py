"""How far a training is: a bar where tqdm is installed, else a counter; in a log, a line for each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol, TextIO


class Tick(Protocol):
    """Called after every step of a training."""

    def __call__(self, loss: float, epoch: int | None = None) -> None:
        """Note one more step and its loss; ``epoch`` is the number of an epoch that it completes."""


@contextmanager
def progress(stream: TextIO, label: str, epochs: int, steps: int) -> Iterator[Tick]:
    """Give a function to be called after every step of ``epochs`` times ``steps``; show it on the stream.

    Examples
    --------
    >>> import sys
    >>> with progress(sys.stdout, "layer", epochs=2, steps=1) as tick:
    ...     tick(0.75, epoch=1)
    ...     tick(0.5, epoch=2)
    layer: epoch 1 of 2, loss 0.7500
    layer: epoch 2 of 2, loss 0.5000
    """
    if not stream.isatty():
        yield lines(stream, label, epochs)
        return
    try:
        tqdm = import_module("tqdm").tqdm
    except ImportError:
        yield counter(stream, label, epochs * steps)
        stream.write("\n")
        return
    with tqdm(total=epochs * steps, desc=label, file=stream, unit="step") as bar:

        def tick(loss: float, epoch: int | None = None) -> None:
            bar.update()
            bar.set_postfix(loss=f"{loss:.4f}", refresh=False)

        yield tick


def lines(stream: TextIO, label: str, epochs: int) -> Tick:
    """Return a tick that writes a line for every epoch."""

    def tick(loss: float, epoch: int | None = None) -> None:
        if epoch is not None:
            stream.write(f"{label}: epoch {epoch} of {epochs}, loss {loss:.4f}\n")
            stream.flush()

    return tick


def counter(stream: TextIO, label: str, total: int) -> Tick:
    """Return a tick that counts steps in one line of a terminal."""
    done = 0

    def tick(loss: float, epoch: int | None = None) -> None:
        nonlocal done
        done += 1
        stream.write(f"\r{label} {done}/{total}, loss {loss:.4f} ")
        stream.flush()

    return tick
