"""Write a run into the page that explains it: ``python -m tests.benchmarks.page`` fills the part between its marks.

The run is read from a file that ``python -m tests.benchmarks --json FILE`` wrote, so that the page never shows a number
that was typed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .declaration import OURS, BenchmarkError
from .table import amount
from .writing import write

DOCS = Path(__file__).resolve().parents[2] / "docs" / "explanation"
BEGIN = "<!-- benchmarks: written by python -m tests.benchmarks.page -->"
END = "<!-- benchmarks: end -->"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 2 where a file is not what it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.page", description="Write a run into the page.")
    parser.add_argument("run", nargs="?", type=Path, default=DOCS / "performance.json", help="what --json wrote")
    parser.add_argument("page", nargs="?", type=Path, default=DOCS / "performance.md", help="the page with the marks")
    args = parser.parse_args(argv)
    try:
        data = json.loads(args.run.read_text(encoding="utf-8"))
        write(args.page, with_block(args.page.read_text(encoding="utf-8"), block(data)))
    except (OSError, ValueError, KeyError, BenchmarkError) as error:
        print(f"benchmarks: {args.run}, {args.page}: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


def with_block(page: str, text: str) -> str:
    r"""Return a page with the part between its marks replaced.

    Examples
    --------
    >>> with_block(f"before {BEGIN} old {END} after", "new") == f"before {BEGIN}\n\nnew\n\n{END} after"
    True
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchmarkError(f"the page must have the marks {BEGIN} and {END}; one is missing. Put them in.")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def block(data: Mapping[str, Any]) -> str:
    """Return the facts of the machine and the table, as Markdown."""
    header = ["workload", "ours", "against", "ratio", "quartiles", "of minima", "wanted"]
    lines = [facts(data), "", f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    for workload in data["workloads"]:
        lines += [f"| {' | '.join(row)} |" for row in rows(workload)]
    lines += ["", "What is measured:", ""]
    lines += [f"* `{workload['id']}`: {workload['title']}" for workload in data["workloads"]]
    notes = list(remarks(data["workloads"]))
    return "\n".join(lines + (["", *notes] if notes else []))


def facts(data: Mapping[str, Any]) -> str:
    """Return a sentence about when and where."""
    machine, settings = data["machine"], data["settings"]
    peers = ", ".join(f"{name} {version}" for name, version in machine["peers"].items()) or "no peers"
    threads = ", ".join(f"{name}={n}" for name, n in machine["threads"].items()) or "threads as each library likes"
    return (
        f"Run on {settings['date']} ({settings['clock']} time, {threads}{', quick' if settings['quick'] else ''}): "
        f"{machine['processor']}, {machine['cpus']} CPUs, {machine['system']}, {machine['libc']}; Python "
        f"{machine['python']}, NumPy {machine['numpy']} with {machine['blas']}; {peers}."
    )


def rows(workload: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of one workload: for each quantity ours, beside every peer's, or alone where there is none.

    What the row above says is not said again.
    """
    quantities = dict.fromkeys(m["quantity"] for m in workload["measured"])
    for quantity in quantities:
        measured = [m for m in workload["measured"] if m["quantity"] == quantity]
        mine = next(m for m in measured if m["peer"] == OURS)
        what = f"`{workload['id']}`" + ("" if quantity == "time" else f", {quantity}")
        ours = unbroken(amount(mine["summary"]["median"], quantity))
        absolute = wanted(workload, quantity, None)
        if absolute or len(measured) == 1:
            yield what, ours, "", "", "", "", absolute
            what = ours = ""
        for m in measured:
            if (r := m["ratio"]) is not None:
                yield (
                    what, ours, f"`{m['peer']}`", f"{r['medians']:.2f}", unbroken(f"{r['lower']:.2f}–{r['upper']:.2f}"),
                    f"{r['minima']:.2f}", wanted(workload, quantity, m["peer"]),
                )  # fmt: skip
                what = ours = ""


def unbroken(text: str) -> str:
    """Return a text that stays on one line of a narrow column."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("–", "\N{WORD JOINER}–\N{WORD JOINER}")


def wanted(workload: Mapping[str, Any], quantity: str, peer: str | None) -> str:
    """Return the bars of a quantity against a peer, each with whether it is met."""
    found = []
    for bar in workload["bars"]:
        if bar["quantity"] == quantity and bar["against"] == peer and bar["met"] is not None:
            limit = amount(bar["limit"], quantity) if peer is None else f"{bar['limit']:g}"
            found.append(unbroken(f"{'aim ' if bar['aim'] else ''}≤ {limit} {'✓' if bar['met'] else '✗'}"))
    return ", ".join(found)


def remarks(workloads: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for every peer that did not take part."""
    for workload in workloads:
        for peer in workload["missing"]:
            yield f"* `{workload['id']}`: {peer} was not installed."
        for peer, reason in workload["unable"].items():
            yield f"* `{workload['id']}`: {peer} failed ({reason})."


if __name__ == "__main__":
    sys.exit(main())
