"""Runs the labs and keeps what they found for the page ``reference/labs.md``: ``python docs/measure_labs.py [LAB …]``.

Each lab runs in full with seed 0, which gives the page its numbers and its picture, and in its quick version with five
seeds, whose verdicts the page counts. That takes about ten minutes. The rest of the page, questions, tests and limits,
comes from the code at every build; and the test suite runs the labs that train nothing again.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from tinygrad_norm.lessons.labs.all_labs import CATALOG, run_lab
from tinygrad_norm.lessons.labs.experiment import LabReport
from tinygrad_norm.lessons.labs.pictures import plot_report

FOLDER = Path(__file__).resolve().parent / "reference" / "labs"
MEASURED = FOLDER / "measured.json"
SEED, SEEDS = 0, range(5)


def measured(name: str) -> dict[str, Any]:
    """Run one lab in full, and quickly with every seed; draw its picture."""
    full = run_lab(name, SEED)
    plot_report(full, FOLDER / f"{name}.svg")
    return {"full": found(full), "quick": {str(seed): found(run_lab(name, seed, quick=True)) for seed in SEEDS}}


def found(report: LabReport) -> dict[str, dict[str, str]]:
    """Return what was found and the verdict, by question."""
    if not report.complete:
        raise KeyboardInterrupt
    return {f.key: {"ours": f.sentence, "verdict": f.verdict} for f in report.outcome.answers}


def main(names: list[str]) -> None:
    """Measure these labs, or all of them; keep each as soon as it is done."""
    FOLDER.mkdir(exist_ok=True)
    kept = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    for name in names or CATALOG:
        start = time.perf_counter()
        kept[name] = measured(name)
        ordered = {known: kept[known] for known in CATALOG if known in kept}
        MEASURED.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
