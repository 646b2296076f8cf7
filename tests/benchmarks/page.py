"""Write runs into the page that explains them: ``python -m tests.benchmarks.page`` fills the places between its marks.

A place names the file of its run, which ``python -m tests.benchmarks --json FILE`` wrote and which stands beside the
page, so that the page never shows a number that was typed:

* ``<!-- run: FILE, time -->`` is followed by the machine and the table of ratios, to ``<!-- end of run -->``; another
  quantity of the same run, ``<!-- run: FILE, peak memory -->``, by the table alone;
* ``<!-- workloads: FILE -->`` by what each workload is, to ``<!-- end of workloads -->``.

With ``--measure`` it first makes the runs of :data:`RUNS` anew, beside the page.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinygrad_norm.terminal.files import whole_text

from .declaration import OURS, SUBJECTS, BenchmarkError
from .machine import THREADS
from .ratios import ratio
from .table import amount

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "performance.md"
BEGIN = re.compile(r"<!-- (run|workloads): ([^\s,]+?)(?:, (time|peak memory|growth))? -->")
ONE_THREAD = dict.fromkeys(THREADS, "1")
RUNS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "performance.json": (
        ONE_THREAD,
        "tiny mlp encoder64 encoder256 norm chain memory import graph check "
        f"--peers torch,autograd,mygrad,torchviz,matmuls,numpy,{OURS}-returning",
    ),
    "performance-program.json": (
        ONE_THREAD,
        "tiny numbers recurrent norm mlp encoder64 encoder256-layer --no-memory "
        "--peers program,torch,jax,mygrad,by,matmuls",
    ),
    "performance-apart.json": ({}, "mlp encoder64 encoder256 --apart --rounds 3 --peers split,torch"),
}
"""How the runs of the page are made: what is set meanwhile, and the words after ``python -m tests.benchmarks``."""
PLACE = re.compile(BEGIN.pattern + r".*?<!-- end of \1 -->", re.DOTALL)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 2 where a file is not what it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.page", description="Write runs into their page.")
    parser.add_argument("page", nargs="?", type=Path, default=PAGE, help="the page with the marks")
    parser.add_argument("--measure", action="store_true", help="first make its runs anew, on a machine that is idle")
    args = parser.parse_args(argv)
    for name, (setting, words) in RUNS.items() if args.measure else ():
        command = [sys.executable, "-m", __package__, *words.split(), "--json", str(args.page.parent.resolve() / name)]
        if subprocess.run(command, env={**os.environ, **setting}, check=False).returncode:
            return 2
    try:
        text = filled(args.page.read_text(encoding="utf-8"), args.page.parent)
        with whole_text(args.page) as file:
            file.write(text)
    except (OSError, ValueError, KeyError, BenchmarkError) as error:
        print(f"benchmarks: {args.page}: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


def filled(page: str, folder: Path) -> str:
    """Return a page with the runs of a folder in their places.

    Raises
    ------
    BenchmarkError
        The page has no place, or one that does not end.
    """
    places = len(PLACE.findall(page))
    if not places or places != len(BEGIN.findall(page)):
        raise BenchmarkError(
            "the page must have places for runs, from <!-- run: FILE --> to <!-- end of run -->; got "
            f"{len(BEGIN.findall(page))} that begin and {places} that end. Put the marks in."
        )

    def fill(place: re.Match[str]) -> str:
        kind, name, quantity = place.groups()
        data = json.loads((folder / name).read_text(encoding="utf-8"))
        text = ratios(data, quantity or "time") if kind == "run" else titles(data)
        begin = place[0].partition("-->")[0]
        return f"{begin}-->\n\n{text}\n\n<!-- end of {kind} -->"

    return PLACE.sub(fill, page)


def ratios(data: Mapping[str, Any], quantity: str) -> str:
    """Return the table of a quantity as Markdown; with the facts of the machine and who is missing, if it is time."""
    header = ["workload", "ours", "against", "ratio", "quartiles", "of minima", "wanted"]
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    for workload in data["workloads"]:
        lines += [f"| {' | '.join(row)} |" for row in rows(workload, quantity)]
    notes = list(remarks(data["workloads"]))
    if quantity == "time":
        lines = [facts(data), "", *lines, *(["", *notes] if notes else [])]
    return "\n".join(lines)


def titles(data: Mapping[str, Any]) -> str:
    """Return what each workload of a run is, as a Markdown list."""
    return "\n".join(f"* `{workload['id']}`: {workload['title']}" for workload in data["workloads"])


def facts(data: Mapping[str, Any]) -> str:
    """Return a sentence about when and where."""
    machine, settings = data["machine"], data["settings"]
    peers = ", ".join(f"{name} {version}" for name, version in machine["peers"].items()) or "no peers"
    threads = ", ".join(f"{name}={n}" for name, n in machine["threads"].items()) or "threads as each library likes"
    how = [
        f"{settings['clock']} time",
        "each peer in processes of its own" if settings["apart"] else "all in one process",
    ]
    return (
        f"Run on {settings['date']} ({', '.join(how)}, {threads}{', quick' if settings['quick'] else ''}): "
        f"{machine['processor']}, {machine['cpus']} CPUs, {machine['system']}, {machine['libc']}; Python "
        f"{machine['python']}, NumPy {machine['numpy']} with {machine['blas']}; {peers}."
    )


def rows(workload: Mapping[str, Any], quantity: str) -> Iterator[tuple[str, ...]]:
    """Yield the rows of one workload: ours beside every peer's, or alone where there is none.

    What the row above says is not said again.
    """
    measured = {m["peer"]: m for m in workload["measured"] if m["quantity"] == quantity}
    for subject in SUBJECTS:
        if subject not in measured:
            continue
        mine, of = measured[subject], "" if subject == OURS else f", {subject}"
        what, ours = f"`{workload['id']}`{of}", unbroken(amount(mine["summary"]["median"], quantity))
        absolute = wanted(workload, quantity, None, subject)
        if absolute or len(measured) == 1:
            yield what, ours, "", "", "", "", absolute
            what = ours = ""
        for peer, m in measured.items():
            r = None if peer in SUBJECTS[SUBJECTS.index(subject) :] else ratio(mine["samples"], m["samples"])
            if r is not None:
                quartiles = unbroken(f"{r.lower:.2f}–{r.upper:.2f}")
                name = f"`{peer.removeprefix(OURS + '-')}`"
                bars = wanted(workload, quantity, peer, subject)
                yield what, ours, name, f"{r.medians:.2f}", quartiles, f"{r.minima:.2f}", bars
                what = ours = ""


def unbroken(text: str) -> str:
    """Return a text that stays on one line of a narrow column."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("–", "\N{WORD JOINER}–\N{WORD JOINER}")


def wanted(workload: Mapping[str, Any], quantity: str, peer: str | None, subject: str) -> str:
    """Return the bars of a quantity against a peer, each with whether it is met."""
    found = []
    for bar in workload["bars"]:
        key = bar["quantity"], bar["against"], bar.get("of", OURS)
        if key == (quantity, peer, subject) and bar["met"] is not None:
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
