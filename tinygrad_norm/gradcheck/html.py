"""A report as HTML for notebooks: a table of inputs, the named mistakes, how it was found. Everything is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .diagnose import Finding
from .entry import Entry
from .text import short, signed

#: Mark and background, dark text on a light one in any theme. The word and the mark say it too, never the color alone.
MARKS = {
    "right": ("✓", "#cdeee2"),
    "wrong": ("✗", "#ffd9bf"),
    "cannot tell": ("?", "#fbeebc"),
    "vacuous": ("∅", "#fbeebc"),
    "flat": ("–", "#e4e4e4"),
    "empty": ("–", "#e4e4e4"),
}
CELL = "padding:2px 10px 2px 0;text-align:left;vertical-align:top"


def page(
    status: str,
    entries: Sequence[Entry],
    findings: Sequence[Finding],
    refused: str,
    notes: Sequence[str],
    closing: str,
) -> str:
    """Return the report as a self-contained fragment of HTML."""
    parts = [f"<b>gradient check</b> {_mark(status)}"]
    if entries:
        headings = ("input", "verdict", "worst", "yours", "numeric", "± (measured)")
        head = "".join(f'<th style="{CELL}">{h}</th>' for h in headings)
        rows = "".join(map(_row, entries))
        parts.append(f'<table style="border-collapse:collapse"><tr>{head}</tr>{rows}</table>')
    parts += [_box("WRONG", finding) for finding in findings]
    parts += [_box(e.name, e.finding) for e in entries if e.finding is not None]
    if refused:
        parts.append(f"<p><b>REFUSED:</b> {escape(refused)}</p>")
    parts += [f"<p>note: {escape(note)}</p>" for note in notes]
    parts.append(f'<div style="opacity:.75">{escape(closing)}</div>')
    return f'<div style="font-family:sans-serif;font-size:90%">{"".join(parts)}</div>'


def _row(entry: Entry) -> str:
    name = escape(entry.label)
    place = escape(str(list(entry.index))) if entry.index else "direction" if entry.total > 0 else ""
    share = f", {entry.wrong} of {entry.checked}" if entry.status == "wrong" and entry.checked else ""
    verdict = _mark(entry.status, share)
    numbers = [signed(entry.yours), signed(entry.numeric), short(entry.uncertainty)] if entry.total else [""] * 3
    cells = (name, verdict, place, *numbers)
    return "<tr>" + "".join(f'<td style="{CELL}">{c}</td>' for c in cells) + "</tr>"


def _mark(status: str, more: str = "") -> str:
    mark, color = MARKS[status]
    return (
        f'<span style="background:{color};color:#111111;padding:0 6px;border-radius:3px">'
        f"{mark} {escape(status)}{escape(more)}</span>"
    )


def _box(label: str, finding: Finding) -> str:
    return (
        f'<p style="border-left:3px solid #b34700;padding-left:8px;margin:6px 0"><b>{escape(label)}: '
        f"{escape(finding.name)}</b><br/>{escape(finding.evidence)}<br/>{escape(finding.why)}</p>"
    )
