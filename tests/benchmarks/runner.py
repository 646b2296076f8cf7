"""Run the chosen workloads: check the numbers, time the peers in turns, measure memory in processes apart."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TextIO

from .agreement import check_agreement
from .declaration import OURS, BenchmarkError, Peer, Setting, Step, Workload
from .processes import memory, scripted
from .report import Result, result
from .timing import CLOCKS, Sampled, interleaved

QUICK_ROUNDS = 3
QUICK_STEPS = 4
APART_STEPS = 20
"""So many steps a process runs at least when every peer has one of its own; the second half is timed."""


@dataclass(frozen=True)
class Options:
    """What a run may be asked for; ``peers`` of None means all, ``apart`` times each in processes of its own.

    Without ``memory`` it is measured only where the time is, too.
    """

    peers: tuple[str, ...] | None = None
    rounds: int | None = None
    seed: int = 0
    quick: bool = False
    clock: str = "wall"
    apart: bool = False
    memory: bool = True


class Progress:
    """One line on a terminal that says what is being done; nothing where the output goes elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.shown = stream, stream.isatty()

    def __call__(self, text: str) -> None:
        """Show a text in place of the last one; an empty one clears the line."""
        if self.shown:
            print(f"\r\033[K{text}", end="", file=self.stream, flush=True)


def run(workload: Workload, options: Options, progress: Callable[[str], None]) -> Result:
    """Measure one workload.

    Raises
    ------
    BenchmarkError
        The peers do not compute the same numbers, or a measuring process failed.
    """
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else workload.rounds)
    if workload.script is not None:
        clock = CLOCKS[options.clock].__name__
        seconds = tuple(scripted(workload, rounds, clock, progress))
        return result(workload, {OURS: Sampled(seconds, {"step": seconds})}, {}, {}, {}, rounds)
    present, missing = sorted_out(workload, options.peers)
    steps, unable = compared(workload, present, options.seed, progress)
    apart = workload.apart or options.apart
    times = {} if apart else interleaved(workload, steps, rounds, CLOCKS[options.clock], progress)
    able = [peer for peer in present if peer.name in steps]
    measured = apart or (options.memory and workload.memory_steps)
    amounts = in_processes(workload, able, options, rounds, progress) if measured else {}
    return result(workload, times, amounts, missing, unable, rounds)


def in_processes(
    workload: Workload, peers: Sequence[Peer], options: Options, rounds: int, progress: Callable[[str], None]
) -> dict[str, dict[str, tuple[float, ...]]]:
    """Run the peers in processes of their own; return their samples.

    Where they are timed there they take turns. Elsewhere one process tells the peak of each library; a bare part of the
    work, which belongs to none, has no memory to compare. Only what is always apart runs long enough to show growth.
    """
    apart = workload.apart or options.apart
    steps = max(workload.memory_steps, APART_STEPS * workload.repeat) if options.apart else workload.memory_steps
    steps = min(steps, QUICK_STEPS) if options.quick else steps
    kept = {"peak memory": True, "time": apart, "growth": workload.apart}
    chosen = [peer for peer in peers if apart or peer.name == OURS or peer.package is not None]
    samples: dict[str, dict[str, tuple[float, ...]]] = {peer.name: {} for peer in chosen}
    for i in range(rounds if apart else 1):
        for peer in chosen:
            progress(f"{workload.id}: process {i + 1} of {peer.name}")
            for quantity, amount in memory(workload, peer, options.seed, steps, options.clock).items():
                if kept[quantity]:
                    samples[peer.name][quantity] = (*samples[peer.name].get(quantity, ()), amount)
    return samples


def compared(
    workload: Workload, peers: Sequence[Peer], seed: int, progress: Callable[[str], None]
) -> tuple[dict[str, Step], dict[str, str]]:
    """Build every peer, check that all compute the same, and return the steps to time, and who cannot do it and why."""
    steps, unable = first_steps(workload, peers, Setting(seed, double=True), progress)
    check_agreement(workload, steps, workload.tolerance)
    if workload.single is not None:
        able = [peer for peer in peers if peer.name in steps]
        steps, later = first_steps(workload, able, Setting(seed), progress)
        check_agreement(workload, steps, workload.single, only=("result",))
        unable |= later
    return steps, unable


def first_steps(
    workload: Workload, peers: Sequence[Peer], setting: Setting, progress: Callable[[str], None]
) -> tuple[dict[str, Step], dict[str, str]]:
    """Build and run every peer once; return the steps, and what went wrong with the peers that cannot do it."""
    steps: dict[str, Step] = {}
    unable: dict[str, str] = {}
    for peer in peers:
        progress(f"{workload.id}: first step of {peer.name}")
        try:
            step = peer.build(setting)
            step.run()
        except Exception as error:
            if peer.name == OURS:
                raise
            unable[peer.name] = f"{type(error).__name__}: {error}".splitlines()[0]
        else:
            steps[peer.name] = step
    return steps, unable


def sorted_out(workload: Workload, wanted: Sequence[str] | None) -> tuple[list[Peer], dict[str, str]]:
    """Return the wanted peers that are installed, and for the others what must be; ours always takes part."""
    chosen = [p for p in workload.peers if wanted is None or p.name == OURS or any(named(p, w) for w in wanted)]
    missing = {p.name: p.package for p in chosen if p.package is not None and find_spec(p.package) is None}
    return [p for p in chosen if p.name not in missing], missing


def named(peer: Peer, wanted: str) -> bool:
    """Return whether a name means this peer: its own, its package, or its first word."""
    return wanted in (peer.name, peer.package, peer.name.partition("-")[0])


def check_names(wanted: Sequence[str], workloads: Sequence[Workload]) -> None:
    """Raise where a name means no peer of any chosen workload."""
    peers = {p.name: p for w in workloads for p in w.peers}
    for name in wanted:
        if not any(named(p, name) for p in peers.values()):
            raise BenchmarkError(f"a peer must be one of {', '.join(peers)}; got {name!r}. Leave --peers out for all.")


def terminal() -> Progress:
    """Return the progress line on the standard error."""
    return Progress(sys.stderr)
