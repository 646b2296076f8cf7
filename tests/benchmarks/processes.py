"""New processes for what one process cannot measure twice: the memory of a peer, and an import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from .declaration import OURS, BenchmarkError, Peer, Workload

ROOT = Path(__file__).resolve().parents[2]


def memory(workload: Workload, peer: Peer, seed: int, steps: int, clock: str) -> dict[str, float]:
    """Return the peak, the growth and the seconds of a peer in a process of its own, for each unit."""
    options = [f"--steps={steps}", f"--seed={seed}", f"--clock={clock}"]
    command = ["-m", f"{__package__}.child", workload.id, peer.name, *options]
    found: dict[str, float] = json.loads(output_of(command, {**os.environ, **peer.environment}))
    return {quantity: amount / workload.units for quantity, amount in found.items()}


def scripted(workload: Workload, rounds: int, clock: str, progress: Callable[[str], None]) -> list[float]:
    """Return the seconds that the workload's script measured, once in each round.

    Compiled code is kept in a folder of its own, filled by a first run: an import is timed as it is the second time.
    """
    assert workload.script is not None
    code = workload.script.format(clock=clock)
    with TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = folder
        output_of(["-c", code], environment)
        samples = []
        for i in range(rounds):
            progress(f"{workload.id}: round {i + 1} of {rounds}, {OURS}")
            samples.append(float(output_of(["-c", code], environment)))
    return samples


def output_of(arguments: list[str], environment: dict[str, str]) -> str:
    """Return what Python prints; run in the folder of the project, so that this checkout is measured."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, encoding="utf-8", cwd=ROOT, env=environment, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BenchmarkError(f"a measuring process must end well; {' '.join(arguments[:4])} failed: {last}")
    return done.stdout
