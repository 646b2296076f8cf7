"""How peers are timed: in turns, round by round, so that a slow moment of the machine meets all of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .declaration import Step, Workload

Clock: TypeAlias = Callable[[], float]
CLOCKS: Mapping[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass(frozen=True)
class Sampled:
    """What one peer took: seconds for each unit in every round, as a whole and by phase."""

    total: tuple[float, ...]
    phases: Mapping[str, tuple[float, ...]]


def interleaved(
    workload: Workload,
    steps: Mapping[str, Step],
    rounds: int,
    clock: Clock,
    progress: Callable[[str], None],
) -> dict[str, Sampled]:
    """Time every peer once in each round, a different one first each time; return seconds a unit."""
    names = list(steps)
    samples: dict[str, dict[str, list[float]]] = {name: {phase: [] for phase in steps[name].phases} for name in names}
    # What the libraries brought along is not searched for garbage in each other's time.
    gc.collect()
    gc.freeze()
    for i in range(rounds):
        first = i % len(names)
        for name in names[first:] + names[:first]:
            progress(f"{workload.id}: round {i + 1} of {rounds}, {name}")
            for phase, seconds in timed(steps[name], workload.repeat, clock).items():
                samples[name][phase].append(seconds / workload.units)
    gc.unfreeze()
    return {name: sampled(phases) for name, phases in samples.items()}


def timed(step: Step, repeat: int, clock: Clock) -> dict[str, float]:
    """Run a step ``repeat`` times and return the seconds of each phase in one of them."""
    if len(step.phases) == 1:
        ((name, run),) = step.phases.items()
        start = clock()
        for _ in range(repeat):
            run()
        return {name: (clock() - start) / repeat}
    taken = dict.fromkeys(step.phases, 0.0)
    for _ in range(repeat):
        for name, run in step.phases.items():
            start = clock()
            run()
            taken[name] += (clock() - start) / repeat
    return taken


def sampled(phases: Mapping[str, list[float]]) -> Sampled:
    """Return the samples of a peer with their totals."""
    total = tuple(sum(round_) for round_ in zip(*phases.values(), strict=True))
    return Sampled(total, {name: tuple(values) for name, values in phases.items()})
