"""Measure this project beside its peers: ``python -m tests.benchmarks [WORKLOAD ...] [--peers torch,jax]``.

All peers of a workload run in one process, in turns, after they were found to compute the same numbers; or, with
``--apart``, each in processes of its own. Peers that are not installed are named and left out; ``pip install
'tinygrad-norm[bench]'`` brings them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from tinygrad_norm.terminal.files import whole_text

from .declaration import BenchmarkError
from .machine import facts
from .report import as_data
from .runner import Options, check_names, run, terminal
from .table import text, workload_text
from .timing import CLOCKS
from .workloads.catalog import WORKLOADS, chosen


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure this project beside its peers.",
        epilog="Workloads: " + ", ".join(w.id for w in WORKLOADS) + ". A family (encoder64) names all of its members.",
    )
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="what to measure; all without any")
    parser.add_argument("--peers", help="only these peers, separated by commas; this project always takes part")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured to a file")
    parser.add_argument("--quick", action="store_true", help="three rounds: to see that it works, not to compare")
    parser.add_argument("--rounds", type=positive, help="how often each peer is timed; more is steadier")
    parser.add_argument("--seed", type=int, default=0, help="of the random inputs (0)")
    parser.add_argument(
        "--clock",
        choices=list(CLOCKS),
        default="wall",
        help="cpu counts this process's time on all cores: for a busy machine, with OMP_NUM_THREADS=1",
    )
    parser.add_argument(
        "--apart",
        action="store_true",
        help="time each peer in processes of its own, in turns: the threads of several libraries in one process get in "
        "each other's way",
    )
    parser.add_argument("--no-memory", action="store_true", help="measure the time alone, which is sooner done")
    return parser


def positive(word: str) -> int:
    """Return a number of rounds."""
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {number}")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when all was measured, 1 when peers disagree, 2 for a wrong name."""
    args = build_parser().parse_args(argv)
    peers = None if args.peers is None else tuple(args.peers.split(","))
    options = Options(peers, args.rounds, args.seed, args.quick, args.clock, args.apart, not args.no_memory)
    progress = terminal()
    try:
        workloads = chosen(args.workloads)
        check_names(peers or (), workloads)
        if args.json is not None and not args.json.parent.is_dir():
            raise BenchmarkError(f"--json must name a file in a folder that exists; got {args.json}. Make the folder.")
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    settings = {"date": date.today().isoformat(), "seed": args.seed, "clock": args.clock, "quick": args.quick}
    settings["apart"] = args.apart
    machine = facts()
    print(text(as_data([], machine, settings)))
    results = []
    try:
        for workload in workloads:
            results.append(run(workload, options, progress))
            progress("")
            print(workload_text(as_data(results[-1:], machine, settings)["workloads"][0]), flush=True)
    except BenchmarkError as error:
        progress("")
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if args.json is not None:
        with whole_text(args.json) as file:
            file.write(json.dumps(as_data(results, machine, settings), indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
