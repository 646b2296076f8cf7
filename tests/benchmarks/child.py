"""One peer in a process of its own: ``python -m tests.benchmarks.child`` prints what it took as one line of JSON.

For memory, since what one library took cannot be told from another's in the same process.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from .declaration import BenchmarkError, Setting, Step
from .timing import CLOCKS, Clock
from .workloads.catalog import WORKLOADS

STATUS = Path("/proc/self/status")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure one peer's memory."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.child")
    parser.add_argument("workload")
    parser.add_argument("peer")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--clock", choices=list(CLOCKS), required=True)
    args = parser.parse_args(argv)
    workload = next(w for w in WORKLOADS if w.id == args.workload)
    peer = next(p for p in workload.peers if p.name == args.peer)
    print(json.dumps(memory_of(peer.build(Setting(args.seed)), args.steps, CLOCKS[args.clock])))
    return 0


def memory_of(step: Step, steps: int, clock: Clock) -> dict[str, float]:
    """Run a step so often; return its seconds, the bytes of the peak above the start, and the growth of each step.

    The growth is that of the second half, when every cache is filled, and so are the seconds, which are the median.
    """
    before = resident()
    for _ in range(steps - steps // 2):
        step.run()
    half, seconds = resident(), []
    for _ in range(steps // 2):
        start = clock()
        step.run()
        seconds.append(clock() - start)
    peak = {"peak memory": float(highest() - before)}
    if steps == 1:
        return peak
    return {**peak, "growth": (resident() - half) / (steps // 2), "time": median(seconds)}


def highest() -> int:
    """Return the most bytes that this process ever had in memory.

    On Linux from its status: getrusage would count what the process was a copy of before it started Python.
    """
    if STATUS.exists():
        return of_status("VmHWM")
    try:
        resource: Any = import_module("resource")
    except ImportError as error:
        raise BenchmarkError("memory is measured on Linux and macOS; this system has no getrusage.") from error
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def resident() -> int:
    """Return the bytes that this process has in memory; where the system does not say, the most it ever had."""
    return of_status("VmRSS") if STATUS.exists() else highest()


def of_status(name: str) -> int:
    """Return an amount of memory from the status of this process."""
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    sys.exit(main())
