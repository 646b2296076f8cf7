"""A run as text: for each workload a line for every peer, the bars below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .declaration import OURS

SCALES: dict[str, tuple[tuple[float, str], ...]] = {
    "time": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "peak memory": ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B")),
    "growth": ((2.0**20, "MiB/step"), (2.0**10, "KiB/step"), (1.0, "B/step")),
}


def amount(value: float, quantity: str) -> str:
    """Return an amount with three digits and its unit.

    Examples
    --------
    >>> amount(0.0000621, "time"), amount(288, "peak memory")
    ('62.1 µs', '288 B')
    """
    scales = SCALES[quantity]
    factor, unit = next((s for s in scales if abs(value) >= s[0]), scales[-1])
    return f"{value / factor:.3g} {unit}" if abs(value) < 1000 * factor else f"{value / factor:.0f} {unit}"


def text(data: Mapping[str, Any]) -> str:
    """Return the whole run as text."""
    machine = data["machine"]
    head = (
        f"{machine['processor']}, {machine['cpus']} CPUs; {machine['system']}; Python {machine['python']}, "
        f"NumPy {machine['numpy']} ({machine['blas']})"
    )
    return "\n".join([head, *(workload_text(w) for w in data["workloads"])])


def workload_text(workload: Mapping[str, Any]) -> str:
    """Return one workload as text."""
    rows = [("", "peer", "median", "least", "ours/theirs", "of minima", "quartiles")]
    for m in workload["measured"]:
        quantity, s, r = m["quantity"], m["summary"], m["ratio"]
        cells = amount(s["median"], quantity), amount(s["minimum"], quantity)
        rows.append((quantity, m["peer"], *cells, *(("", "", "") if r is None else ratio_cells(r))))
    lines = ["", f"{workload['id']}: {workload['title']}", *columns(rows)]
    for m in workload["measured"]:
        if len(m["phases"]) > 1:
            parts = ", ".join(f"{name} {amount(seconds, 'time')}" for name, seconds in m["phases"].items())
            lines.append(f"  {m['peer']}: {parts}")
    lines += [f"  {bar_text(bar)}" for bar in workload["bars"]]
    for peer, package in workload["missing"].items():
        lines.append(f"  missing: {peer} (pip install {package}, or all peers: pip install 'tinygrad-norm[bench]')")
    lines += [f"  unable: {peer}: {reason}" for peer, reason in workload["unable"].items()]
    return "\n".join(lines)


def ratio_cells(ratio: Mapping[str, float]) -> tuple[str, str, str]:
    """Return the ratio of the medians, that of the minima, and the quartiles of the rounds."""
    return f"{ratio['medians']:.2f}", f"{ratio['minima']:.2f}", f"{ratio['lower']:.2f}–{ratio['upper']:.2f}"


def bar_text(bar: Mapping[str, Any]) -> str:
    """Return a bar and whether it is met, in one line."""
    kind, quantity = "aim" if bar["aim"] else "bar", bar["quantity"]
    kind += "" if bar.get("of", OURS) == OURS else f" of {bar['of']}:"
    if bar["against"]:
        wanted, reached = f"{quantity} ≤ {bar['limit']:g} × {bar['against']}", f"{bar['reached'] or 0:.2f}"
    else:
        wanted, reached = f"{quantity} ≤ {amount(bar['limit'], quantity)}", amount(bar["reached"] or 0, quantity)
    verdict = {True: f"met, {reached}", False: f"missed, {reached}", None: "not measured"}[bar["met"]]
    return f"{kind} {wanted}: {verdict}"


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows as aligned lines, the first two columns to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  " + "  ".join(cells).rstrip())
    return lines
