"""What a benchmark is made of: a workload, its peers, the step each peer runs, and the bars to reach.

A :class:`Peer` builds a :class:`Step`; the runner times its phases and asks for its numbers. Everything here is data:
what is done with it stands in ``agreement``, ``timing``, ``child`` and ``report``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Numbers: TypeAlias = Mapping[str, Array]
Quantity: TypeAlias = Literal["time", "peak memory", "growth"]

OURS = "tinygrad_norm"
SUBJECTS = (OURS, "program", "program-arrays", "split-batch")
"""What is compared with the others: this project as one writes it, and as it runs without a tape or on threads."""


@dataclass(frozen=True)
class Setting:
    """What every peer of a run is built with; ``double`` asks for the problem in float64."""

    seed: int = 0
    double: bool = False


@dataclass(frozen=True)
class Step:
    """One peer's step, ready to run.

    Attributes
    ----------
    phases : what is timed, in order, by name; one phase is called "step"
    numbers : after a run, the numbers that all peers must share; a peer may know only some of them
    """

    phases: Mapping[str, Callable[[], object]]
    numbers: Callable[[], Numbers]

    def run(self) -> None:
        """Run all phases once."""
        for phase in self.phases.values():
            phase()


@dataclass(frozen=True)
class Peer:
    """A library, or a way of using one, that can do a workload.

    ``package`` is what must be installed for it, ``environment`` what is set where it runs in a process of its own.
    """

    name: str
    package: str | None
    build: Callable[[Setting], Step]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bar:
    """A limit to stay below: a ratio to the peer ``against``, or an absolute amount where that is None.

    ``aim`` marks what would be good beyond what must be reached; ``of`` is what must reach it.
    """

    limit: float
    against: str | None = None
    quantity: Quantity = "time"
    aim: bool = False
    of: str = OURS


@dataclass(frozen=True)
class Workload:
    """One benchmark.

    Attributes
    ----------
    units : how many things one step makes (nodes of a chain); amounts are reported for each of them
    tolerance : how far the peers' numbers may differ in float64, relative to the largest of an array
    single : the problem is timed in float32, where the results may differ so far
    repeat : how often a step runs in one sample, for steps shorter than the clock's noise
    rounds : the usual number of rounds
    memory_steps : so many steps are run in a process of their own to measure memory; 0 measures none
    apart : time the steps in those processes too, not in this one
    script : Python code for a new process in every round, which prints the seconds it measured; instead of peers
    """

    id: str
    title: str
    peers: tuple[Peer, ...] = ()
    bars: tuple[Bar, ...] = ()
    tolerance: float = 1e-9
    single: float | None = None
    units: int = 1
    repeat: int = 1
    rounds: int = 30
    memory_steps: int = 0
    apart: bool = False
    script: str | None = None


class BenchmarkError(Exception):
    """The benchmark cannot be run, or its peers do not compute the same numbers."""
