"""A report as a fragment of HTML: verdicts, the entries of a wrong gradient as a heat map, the mistake, the right rule.

Everything that comes from outside is escaped. Cells with a color have dark text of their own, so that they can be read
on a light page and on a dark one; a word or a mark says the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from .diagnose import Finding
from .digits import short, told_apart

if TYPE_CHECKING:
    from .check_report import Entry, Report, Values, WrongNode

#: Mark and background.
MARKS = {
    "right": ("✓", "#cdeee2"),
    "wrong": ("✗", "#ffd9bf"),
    "cannot tell": ("?", "#fbeebc"),
    "unfinished": ("?", "#fbeebc"),
    "vacuous": ("∅", "#fbeebc"),
    "flat": ("–", "#e4e4e4"),
    "empty": ("–", "#e4e4e4"),
}
CELL = "padding:2px 10px 2px 0;text-align:left;vertical-align:top"
#: From a right entry to one that is off by as much as the gradient is large.
HEAT = ("#cdeee2", "#fff1e6", "#ffd9bf", "#ffb07c", "#f4853f", "#d55e00")
#: A heat map has at most so many columns, and so many rows.
MOST_COLUMNS = 32
MOST_ROWS = 24


def report_html(report: Report) -> str:
    """Return the report as a self-contained fragment of HTML, everything in it escaped."""
    parts = [f"<b>gradient check</b> {_mark(report.status)}"]
    if report.entries:
        parts.append(
            _table(("input", "verdict", "worst", "yours", "numeric", "± (measured)"), map(_row, report.entries))
        )
    if report.nodes:
        parts.append(_table(("operation", "its rule", "for", "in", "should be"), map(_node, report.nodes)))
    parts += [_box("WRONG", finding) for finding in report.findings]
    for entry in report.entries:
        parts += [_heat_map(entry, entry.values)] if entry.values is not None else []
        parts += [_box(entry.name, entry.finding)] if entry.finding is not None else []
    if report.refused:
        parts.append(f"<p><b>REFUSED:</b> {escape(report.refused)}</p>")
    if report.stopped is not None:
        parts.append(f"<p><b>STOPPED</b> {escape(report.when_stopped)}</p>")
    parts += [f"<p>note: {escape(note)}</p>" for note in report.notes]
    parts.append(f'<div style="opacity:.75">{escape(report.how_checked)}</div>')
    return f'<div style="font-family:sans-serif;font-size:90%">{"".join(parts)}</div>'


def _table(headings: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    head = "".join(f'<th style="{CELL}">{h}</th>' for h in headings)
    body = "".join("<tr>" + "".join(f'<td style="{CELL}">{c}</td>' for c in row) + "</tr>" for row in rows)
    return f'<table style="border-collapse:collapse"><tr>{head}</tr>{body}</table>'


def _row(entry: Entry) -> tuple[str, ...]:
    seen = entry.total > 0 and not (entry.status == "unfinished" and entry.size == 0)
    place = escape(str(list(entry.index))) if entry.index else "direction" if seen else ""
    share = f", {entry.wrong} of {entry.checked}" if entry.status == "wrong" and entry.checked else ""
    numbers = (
        [*told_apart(entry.yours, entry.numeric, entry.status == "wrong"), short(entry.uncertainty)]
        if seen
        else [""] * 3
    )
    return (escape(entry.label), _mark(entry.status, share), place, *numbers)


def _node(node: WrongNode) -> tuple[str, ...]:
    name = f"{node.number}: {escape(node.primitive)}"
    return (name, _mark("wrong"), escape(node.input or "every input"), escape(node.path), escape(node.rule))


def _mark(status: str, more: str = "") -> str:
    mark, color = MARKS[status]
    return (
        f'<span style="background:{color};color:#111111;padding:0 6px;border-radius:3px">'
        f"{mark} {escape(status)}{escape(more)}</span>"
    )


def _heat_map(entry: Entry, values: Values) -> str:
    """Return the entries as a table of colored cells: how far yours is off, relative to the largest entry."""
    *outer, columns = entry.shape or (1,)
    rows = math.prod(outer)
    if not 1 <= columns <= MOST_COLUMNS or rows > MOST_ROWS or len(values.yours) != rows * columns:
        return ""
    cells = [_cell(entry, values, k) for k in range(len(values.yours))]
    body = "".join(f"<tr>{''.join(cells[r * columns : (r + 1) * columns])}</tr>" for r in range(rows))
    legend = "".join(f'<span style="background:{color};padding:0 5px">&#160;</span>' for color in HEAT)
    told = "each entry of yours − numeric: a dot is right; from there on, off by up to as much as the largest entry"
    return (
        f'<div style="margin:6px 0"><table style="border-collapse:collapse;font-size:75%">{body}</table>'
        f'<div><span style="opacity:.75">{escape(entry.name)}: {told}</span> {legend}</div></div>'
    )


def _cell(entry: Entry, values: Values, k: int) -> str:
    yours, numeric, wrong = values.yours[k], values.numeric[k], values.wrong[k]
    difference = yours - numeric
    share = abs(difference) / entry.size if entry.size else 1.0
    step = 1 + min(4, int(5 * share**0.5)) if wrong and math.isfinite(share) else 5 if wrong else 0
    shown = _brief(difference) if wrong else "·"
    place, rest = [], k
    for size in reversed(entry.shape):
        place.append(rest % size)
        rest //= size
    one, other = told_apart(yours, numeric, wrong)
    title = escape(f"{entry.name}{place[::-1]}: yours {one}, numeric {other}", quote=True)
    style = f"background:{HEAT[step]};color:#111111;padding:1px 4px;min-width:2.6em;text-align:center"
    return f'<td title="{title}" style="{style};border:1px solid #ffffff">{shown}</td>'


def _brief(value: float) -> str:
    """Return a difference in two digits.

    >>> _brief(-0.1234), _brief(12345.0), _brief(float("nan"))
    ('−0.12', '1e4', 'nan')
    """
    text = f"{value:.2g}" if 0.01 <= abs(value) < 1000 else f"{value:.0e}" if math.isfinite(value) else str(value)
    return text.replace("e-0", "e−").replace("e+0", "e").replace("e+", "e").replace("-", "−")


def _box(label: str, finding: Finding) -> str:
    formula = f"<br/>the right rule: <code>{escape(finding.formula)}</code>" if finding.formula else ""
    return (
        f'<p style="border-left:3px solid #b34700;padding-left:8px;margin:6px 0"><b>{escape(label)}: '
        f"{escape(finding.name)}</b><br/>{escape(finding.evidence)}<br/>{escape(finding.why)}{formula}</p>"
    )
