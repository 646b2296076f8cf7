"""What a lab is and what it reports: published results, ours beside them, and a judgment on each.

A :class:`Lab` asks questions, each a published result with the test that ours must pass. Its ``run`` does its jobs in a
:class:`Session` and answers the questions, beside tables and panels of what was measured. All of it is frozen data; an
answer's sentence is filled in from its own values, so that what is printed cannot differ from what ``--json`` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, Literal, Protocol, TextIO, TypeAlias, TypeVar

import numpy as np

from ...terminal.progress import counting
from ..document.lesson import Table
from ..document.numerals import Values, fill
from .papers import Paper

Judgment: TypeAlias = Literal["exact", "broken", "reproduced", "in part", "not reproduced", "not finished"]
"""Of an identity: exact or broken. Of an experiment: reproduced, in part, or not. Not finished if it was cut short."""

Benefit: TypeAlias = Literal["stability", "convergence", "covariate_shift", "regularization"]
"""The four benefits of the lecture, by the names that step 3 has for them."""

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """What we found, as a template over `values`, and the verdict."""

    key: str
    ours: str
    values: Values
    verdict: Judgment

    @property
    def sentence(self) -> str:
        """What we found, with its numbers."""
        return fill(self.ours, self.values)


@dataclass(frozen=True)
class Question:
    """What was published, where, and the test by which ours is judged.

    Its key is a stable name within the lab; `also` are other sources that `published` names.
    """

    key: str
    source: Paper
    published: str
    test: str
    also: tuple[Paper, ...] = ()

    def answer(self, verdict: Judgment, ours: str, values: Mapping[str, float | str]) -> Answer:
        """Return the answer; `ours` is a template over the values."""
        return Answer(self.key, ours, MappingProxyType(dict(values)), verdict)

    def identity(self, holds: bool, ours: str, values: Mapping[str, float | str]) -> Answer:
        """Return the answer for a statement that is either exact or broken."""
        return self.answer("exact" if holds else "broken", ours, values)

    def experiment(self, holds: bool, ours: str, values: Mapping[str, float | str]) -> Answer:
        """Return the answer for a result that either reproduces or does not."""
        return self.answer("reproduced" if holds else "not reproduced", ours, values)

    def unfinished(self) -> Answer:
        """Return the answer of a run that was cut short before it was known."""
        return self.answer("not finished", "The run was cut short before this was measured.", {})


def unfinished(questions: Sequence[Question]) -> tuple[Answer, ...]:
    """Return the answers of a run that was cut short before they were known."""
    return tuple(question.unfinished() for question in questions)


Look: TypeAlias = Literal["joined", "dashed", "marks", "bars"]
"""How the points of a line are shown: joined, joined by dashes without marks, only marked, or as bars from 0."""

STYLES: Mapping[str, int] = MappingProxyType(
    {"none": 0, "batch": 1, "noisy batch": 2, "masked_batch": 2, "layer": 3, "rms": 4, "detached layer": 5}
)
"""The style of each norm's line, the same in all pictures."""


@dataclass(frozen=True)
class Line:
    """One line of a panel, as ``(x, y)`` points, broken where y is NaN; lines of one style share color and mark."""

    label: str
    points: tuple[tuple[float, float], ...]
    style: int
    look: Look = "joined"


@dataclass(frozen=True)
class Panel:
    """One picture of a plot: lines over two axes; `names` are those of the places 0, 1, … of x, if it has any."""

    key: str
    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    log_x: bool = False
    log_y: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabOutcome:
    """What one run found: an answer to each question, the tables, and the panels of the plot."""

    answers: tuple[Answer, ...]
    tables: tuple[Table, ...] = ()
    panels: tuple[Panel, ...] = ()


@dataclass(frozen=True)
class Lab:
    """An experiment that sets published results beside one's own.

    The title is what it asks, the setting what is done, the limits what it cannot show. It tests some of the lecture's
    benefits; without any, the lecture's verdict on batch norm. A run answers each question, in their order.
    """

    name: str
    title: str
    benefits: tuple[Benefit, ...]
    setting: str
    questions: tuple[Question, ...]
    limits: tuple[str, ...]
    run: Callable[[Session], LabOutcome]


@dataclass(frozen=True)
class LabReport:
    """A lab with the outcome of one run."""

    lab: Lab
    seed: int
    quick: bool
    complete: bool
    outcome: LabOutcome

    def __post_init__(self) -> None:
        asked, answered = ([item.key for item in items] for items in (self.lab.questions, self.outcome.answers))
        if asked != answered:
            raise ValueError(f"lab {self.lab.name}: asked {asked}, answered {answered}")

    @property
    def broken(self) -> bool:
        """Whether a statement that must be exact is not: the engine is wrong, or the lab."""
        return any(answer.verdict == "broken" for answer in self.outcome.answers)


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

    >>> import sys
    >>> counting_on(sys.stdout) is silent  # no terminal here
    True
    """
    return partial(counting, stream, unit=unit, keep=keep) if stream.isatty() else silent


class Session:
    """One run of a lab, with a seed for everything random; it keeps what was done when Ctrl-C ends it.

    A quick one is the small version, in seconds instead of minutes. `counting` opens a progress sign for each stage. An
    `executor` (threads, processes, a cluster's) does the trainings, with the same results to the bit.

    >>> Session(seed=0).each("squares", (1, 2, 3), lambda n: n * n)
    {1: 1, 2: 4, 3: 9}
    """

    def __init__(
        self, seed: int = 0, quick: bool = False, counting: Counting = silent, executor: Executor | None = None
    ) -> None:
        self.seed = seed
        self.quick = quick
        self.interrupted = False
        self._counting = counting
        self._executor = executor

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

    def trainings(self, stage: str, jobs: Sequence[Job], work: Callable[[Job], Result]) -> dict[Job, Result]:
        """Do the same with jobs that know nothing of each other, by the executor if there is one.

        Work, jobs and results must be picklable: a function at the top of a module, with what it needs by `partial`.
        """
        if self._executor is None or self.interrupted:
            return self.each(stage, jobs, work)
        done: dict[Job, Result] = {}
        running = {self._executor.submit(alone, work, job): job for job in jobs}
        try:
            with self._counting(stage, len(jobs)) as count:
                for future in as_completed(running):
                    done[running[future]] = future.result()
                    count()
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            for future in running:
                future.cancel()
        return {job: done[job] for job in jobs if job in done}


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which products run on one thread, where threadpoolctl is installed (scikit-learn brings it).

    The matrix products of the labs are too small to be shared out: on a busy machine the threads of a small product
    wait for each other ten times longer than they work.
    """
    try:
        limits: AbstractContextManager[Any] = import_module("threadpoolctl").threadpool_limits(1)
    except ImportError:
        return nullcontext()
    return limits


def alone(work: Callable[[Job], Result], job: Job) -> Result:
    """Do a job with products on one thread, as a lab does without an executor, and random numbers of its own."""
    with one_thread():
        return copy_context().run(work, job)


def repeat_seed(seed: int, repeat: int) -> int:
    """Return the seed of one repeat: the same for all norms, so that they start alike and see the same batches."""
    return int(np.random.SeedSequence((seed, repeat)).generate_state(1)[0])


def by_norm(done: Mapping[tuple[str, int], Result]) -> dict[str, list[Result]]:
    """Return for each norm the results of all its repeats that were done."""
    found: dict[str, list[Result]] = {}
    for (norm, _), result in done.items():
        found.setdefault(norm, []).append(result)
    return found
