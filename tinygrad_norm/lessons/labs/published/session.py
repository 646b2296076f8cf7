"""One run of a lab: its seed and size, its progress, and what is kept when it is cut short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from .counting import Counting, silent

Job = TypeVar("Job")
Result = TypeVar("Result")


class Session:
    """A run that keeps what was done when Ctrl-C ends it.

    Parameters
    ----------
    seed : int
        Of everything random.
    quick : bool
        Whether to do the small version, in seconds instead of minutes.
    counting : callable
        Opens a progress sign for a stage of so many jobs.

    Examples
    --------
    >>> Session(seed=0).each("squares", (1, 2, 3), lambda n: n * n)
    {1: 1, 2: 4, 3: 9}
    """

    def __init__(self, seed: int = 0, quick: bool = False, counting: Counting = silent) -> None:
        self.seed = seed
        self.quick = quick
        self.interrupted = False
        self._counting = counting

    def each(self, stage: str, jobs: Sequence[Job], work: Callable[[Job], Result]) -> dict[Job, Result]:
        """Do the jobs in order and return the results by job; after Ctrl-C, those that were finished.

        Once cut short, later stages do nothing.
        """
        done: dict[Job, Result] = {}
        if self.interrupted:
            return done
        try:
            with self._counting(stage, len(jobs)) as count:
                for job in jobs:
                    done[job] = work(job)
                    count()
        except KeyboardInterrupt:
            self.interrupted = True
        return done
