"""The words of a report: a sentence about each input, the lines of a finding, numbers."""

from __future__ import annotations

import math

from .diagnose import Finding
from .entry import Entry

#: What a status is called in the text.
WORDS = {
    "right": "right",
    "wrong": "WRONG",
    "cannot tell": "CANNOT TELL",
    "vacuous": "VACUOUS",
    "flat": "FLAT",
    "empty": "empty",
}
CANNOT_TELL = (
    "the function moves too little against its own rounding, or too roughly: compute in float64, subtract a large "
    "constant from the data or the result, or choose another point"
)


def entry_lines(entry: Entry, blamed: bool = False) -> list[str]:
    """Return the lines about one input; ``blamed`` says that the mistake was already found in an operation."""
    lines = [f"{entry.label}: {verdict_sentence(entry)}"]
    if entry.finding is not None:
        lines += [f"  probable mistake: {entry.finding.name}", *explained(entry.finding)]
    elif entry.status == "wrong" and not blamed and math.isfinite(entry.yours):
        lines.append("  probable mistake: unnamed; nothing that is known here explains every entry within the bars")
    if entry.status == "cannot tell":
        lines.append(f"  {CANNOT_TELL}")
    if entry.kinks:
        several = "1 entry sits" if entry.kinks == 1 else f"{entry.kinks} entries sit"
        lines.append(f"  {several} at a kink: anything between the one-sided slopes is accepted there")
    return lines


def verdict_sentence(entry: Entry) -> str:
    """Return the verdict on one input in a sentence."""
    word = WORDS[entry.status]
    where = f"{entry.name}{list(entry.index)}" if entry.index else entry.name
    values = f"yours {signed(entry.yours)}, numeric {signed(entry.numeric)} ± {short(entry.uncertainty)}"
    if entry.status == "empty":
        return "empty, nothing to check"
    if entry.status == "vacuous":
        return f"{word}, it cancels out of the output: both gradients are zero up to rounding"
    if entry.status == "flat":
        return f"{word}, the output does not move with it here: both gradients are exactly zero"
    if entry.status == "cannot tell":
        return f"{word}, the numeric derivative is too uncertain; {where}: {values}"
    if entry.status == "wrong" and math.isnan(entry.yours) and entry.finding is not None:
        return word
    if entry.status == "wrong":
        return f"{word} in {_share(entry)}; worst {where}: {values}" if entry.checked else f"{word}; {values}"
    scope = f"{entry.checked} of {entry.total} entries" if entry.checked else "random directions"
    return f"{word}; {scope} agree within ± {short(entry.uncertainty)} (the largest is {short(entry.size)})"


def _share(entry: Entry) -> str:
    sampled = "sampled " if entry.checked < entry.total else ""
    return f"{entry.wrong} of {entry.checked} {sampled}entries"


def explained(finding: Finding) -> list[str]:
    """Return the indented lines with evidence and explanation of a finding."""
    lines = [f"    ({finding.evidence})"] if finding.evidence else []
    return [*lines, f"  why: {finding.why}"] if finding.why else lines


def signed(value: float) -> str:
    """Return a value with its sign and four digits.

    >>> signed(0.81234), signed(-1e-9)
    ('+0.8123', '-1e-9')
    """
    return compact(f"{value:+.4g}")


def short(value: float) -> str:
    """Return a size in one or two digits.

    >>> short(2.345e-11), short(1.5)
    ('2e-11', '1.5')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return compact(f"{value:.2g}" if abs(value) >= 0.01 else f"{value:.0e}")


def compact(number: str) -> str:
    """Return a formatted number without the padding of its exponent.

    >>> compact("2e-09"), compact("1.5e+08")
    ('2e-9', '1.5e8')
    """
    return number.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
