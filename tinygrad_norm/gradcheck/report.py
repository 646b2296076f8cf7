"""The result of a check: plain data, and the text that it prints.

A :class:`Report` is true when everything that was asked is right. It holds one :class:`Entry` for each input, findings
about the code as a whole, and, where the tape was recorded, the operations whose own rule is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .diagnose import Finding

#: What a status is called in the text.
WORDS = {
    "right": "right",
    "wrong": "WRONG",
    "cannot tell": "CANNOT TELL",
    "vacuous": "VACUOUS",
    "flat": "flat",
    "empty": "empty",
}
ADVICE = {
    "cannot tell": "check in float64, subtract a large constant from the data or the result, or choose another point",
    "vacuous": "return the whole output, not a sum that cancels: the sum of a LayerNorm or softmax output is constant",
    "flat": "the output does not move with this input here and the gradient is zero: choose a point where it does",
}


@dataclass(frozen=True)
class Entry:
    """What was found about one input.

    Attributes
    ----------
    name, shape : the input
    order : int
        1 for the gradient, 2 for the gradient of the gradient, and so on.
    status : str
        ``right``, ``wrong``, ``cannot tell``, ``vacuous`` (both sides cancel to zero), ``flat`` (nothing moves) or ``empty``.
    checked, total : int
        Entries compared one by one and entries there are; ``checked`` is 0 when random directions were enough.
    wrong, kinks : int
        How many are wrong, and how many sit at a kink, where anything between the one-sided slopes is right.
    index : tuple of int or None
        The worst entry; None for a direction.
    yours, numeric : float
        The two values there.
    uncertainty : float
        The measured ± of the numeric value there (three bars).
    size : float
        The largest gradient entry or directional derivative, to compare the uncertainty with.
    finding : Finding or None
        The named mistake.
    note : str
        What else should be known.
    """

    name: str
    shape: tuple[int, ...]
    order: int
    status: str
    checked: int
    total: int
    wrong: int
    kinks: int
    index: tuple[int, ...] | None
    yours: float
    numeric: float
    uncertainty: float
    size: float
    finding: Finding | None = None
    note: str = ""


@dataclass(frozen=True)
class WrongNode:
    """A recorded operation whose own backward rule is wrong.

    ``number`` counts the operations of the run from 1 in the order in which they were computed; ``path`` is the place
    in the module tree, empty outside every scope.
    """

    number: int
    primitive: str
    path: str
    input: str
    finding: Finding | None


@dataclass(frozen=True)
class Report:
    """The result of a gradient check. True when everything is right.

    Attributes
    ----------
    entries : tuple of Entry
        One for each input and order.
    faults : tuple of Finding
        What is wrong with the code as a whole.
    nodes : tuple of WrongNode
        The operations on the tape whose own rule is wrong.
    notes : tuple of str
        What should be known but is not wrong.
    refused : str
        Why the check proves nothing, empty if it does.
    cotangents, evaluations, seed : int
        How much was tried, and how to repeat it.
    rtol : float or None
        The tolerance that was asked for on top of the measured bars.
    """

    entries: tuple[Entry, ...]
    faults: tuple[Finding, ...] = ()
    nodes: tuple[WrongNode, ...] = ()
    notes: tuple[str, ...] = ()
    refused: str = ""
    cotangents: int = 0
    evaluations: int = 0
    seed: int = 0
    rtol: float | None = None
    place: Finding | None = None

    @property
    def ok(self) -> bool:
        """Whether everything is right."""
        bad = any(entry.status in ("wrong", "cannot tell") for entry in self.entries)
        return not (bad or self.faults or self.nodes or self.refused)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def finding(self) -> Finding | None:
        """The first named mistake: of the code as a whole, then of an operation, then of an input."""
        if self.faults:
            return self.faults[0]
        if self.place is not None:
            return self.place
        return next((e.finding for e in self.entries if e.finding is not None), None)

    @property
    def cause(self) -> str | None:
        """The probable mistake in a few words, None if there is none or it has no name."""
        return self.finding.name if self.finding else None

    @property
    def explanation(self) -> str | None:
        """Why that is a mistake and what the right gradient must do."""
        return self.finding.why if self.finding else None

    @property
    def uncertainty(self) -> dict[str, float]:
        """The measured ± of each input's numeric derivative, as a fraction of its largest entry."""
        return {e.name: e.uncertainty / e.size for e in self.entries if e.size > 0 and math.isfinite(e.uncertainty)}

    @property
    def vacuous(self) -> bool:
        """Whether the check was refused because it would have proved nothing."""
        return bool(self.refused)

    def to_json(self) -> dict[str, Any]:
        """Return the report as numbers, strings, lists and dictionaries, ready for :func:`json.dumps`.

        A number that JSON does not have (NaN, infinity) becomes None.
        """
        data: dict[str, Any] = plain(asdict(self))
        data.update(ok=self.ok, cause=self.cause, explanation=self.explanation, vacuous=self.vacuous)
        data["code"] = self.finding.code if self.finding else None
        data["uncertainty"] = plain(self.uncertainty)
        return data

    def __str__(self) -> str:
        return report_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from .html import report_html

        return report_html(self)


def plain(value: Any) -> Any:
    """Return nested data without anything that JSON cannot hold.

    >>> plain({"a": (1.0, float("nan"))})
    {'a': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def report_text(report: Report) -> str:
    """Return the report as text: one paragraph for each fault and input, then how it was found."""
    lines: list[str] = []
    for fault in report.faults:
        lines += [f"WRONG: {fault.name}", *_explained(fault, named=True)]
    if report.place is not None:
        lines += [f"WRONG: {report.place.name}", *_explained(report.place, named=True)]
    for entry in report.entries:
        lines += entry_lines(entry, report.rtol)
    if report.refused:
        lines.append(f"REFUSED: {report.refused}")
    lines += [f"note: {note}" for note in report.notes]
    lines.append("  " + how_checked(report))
    return "\n".join(lines)


def entry_lines(entry: Entry, rtol: float | None = None) -> list[str]:
    """Return the lines about one input."""
    head = f"{entry_label(entry)}: {verdict_sentence(entry)}"
    lines = [head]
    if entry.finding is not None:
        lines += _explained(entry.finding)
    elif entry.status == "wrong":
        lines.append("  mistake: unnamed (no hypothesis explains every entry within the measured bars)")
    if entry.status in ADVICE:
        lines.append(f"  {ADVICE[entry.status]}")
    if entry.kinks:
        several = "entry sits" if entry.kinks == 1 else "entries sit"
        lines.append(f"  {entry.kinks} {several} at a kink: anything between the one-sided slopes was accepted")
    if entry.note:
        lines.append(f"  {entry.note}")
    return lines


def entry_label(entry: Entry) -> str:
    """Return the input's name and shape, with the order above the first."""
    ordinal = {1: "", 2: "second order, ", 3: "third order, "}.get(entry.order, f"order {entry.order}, ")
    return f"{ordinal}{entry.name} {entry.shape}"


def verdict_sentence(entry: Entry) -> str:
    """Return the verdict on one input in a sentence."""
    word = WORDS[entry.status]
    if entry.status == "empty":
        return "empty, nothing to check"
    where = f"{entry.name}{list(entry.index)}" if entry.index else entry.name
    values = f"yours {signed(entry.yours)}, numeric {signed(entry.numeric)} ± {short(entry.uncertainty)}"
    if entry.status == "wrong" and not entry.checked:
        return f"{word} along random directions; worst: {values}"
    if entry.status == "wrong":
        if math.isnan(entry.yours) and entry.finding is not None:
            return f"{word}: {entry.finding.name}"
        of = f"{entry.wrong} of {entry.checked}" + (" sampled entries" if entry.checked < entry.total else " entries")
        return f"{word} in {of}; worst {where}: {values}"
    if entry.status == "cannot tell":
        return f"{word}: the function moves too little or too roughly for a numeric derivative; {where}: {values}"
    if entry.status in ("vacuous", "flat"):
        return f"{word}: both gradients are zero, nothing was checked"
    scope = f"{entry.checked} of {entry.total} entries" if entry.checked else "random directions"
    return f"{word}, {scope} agree within ± {short(entry.uncertainty)} (largest {short(entry.size)})"


def _explained(finding: Finding, named: bool = False) -> list[str]:
    lines = [] if named else [f"  probable mistake: {finding.name}"]
    if finding.evidence:
        lines.append(f"    ({finding.evidence})")
    if finding.why:
        lines.append(f"  what to know: {finding.why}")
    return lines


def how_checked(report: Report) -> str:
    """Return the closing line: how much was tried and what the ± is."""
    tolerance = (
        "no tolerance was set, the ± is measured" if report.rtol is None else f"rtol {report.rtol:g} was added to the ±"
    )
    return (
        f"checked {report.cotangents} cotangent{'' if report.cotangents == 1 else 's'}, {report.evaluations} forward "
        f"evaluations, seed {report.seed}; {tolerance}"
    )


def signed(value: float) -> str:
    """Return a value with its sign and four digits.

    >>> signed(0.81234), signed(-1e-9)
    ('+0.8123', '-1e-09')
    """
    return f"{value:+.4g}"


def short(value: float) -> str:
    """Return a size in one or two digits.

    >>> short(2.345e-11), short(1.5)
    ('2e-11', '1.5')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.2g}" if abs(value) >= 0.01 else f"{value:.0e}"
