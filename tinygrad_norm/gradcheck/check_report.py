"""The result of a check: plain data, true when everything is right, with a text, JSON and HTML form.

A :class:`Report` holds one :class:`Entry` for each input, findings about the code as a whole, and, where the tape was
recorded, the operations whose own rule is wrong (:class:`WrongNode`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .diagnose import Finding
from .digits import short, told_apart
from .report_as_html import report_html


@dataclass(frozen=True)
class Values:
    """All entries of one wrong gradient, flat, for the cotangent of its worst entry."""

    yours: tuple[float, ...]
    numeric: tuple[float, ...]
    wrong: tuple[bool, ...]


@dataclass(frozen=True)
class Entry:
    """What was found about one input.

    Attributes
    ----------
    name, shape : the input
    order : int
        1 for the gradient, 2 for the gradient of the gradient, and so on.
    status : str
        ``right``, ``wrong``, ``cannot tell``, ``vacuous`` (both sides cancel to zero), ``flat`` (nothing moves),
        ``empty``, or ``unfinished`` when there was no time for all of it.
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
    values : Values or None
        All of its entries, where it is wrong and they are few enough to be looked at.
    reason : str
        Why nothing can be told and what to do about it, where that is so.
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
    values: Values | None = None
    reason: str = ""

    @property
    def label(self) -> str:
        """The input's name and shape, with the order above the first."""
        ordinal = {1: "", 2: "second order, ", 3: "third order, "}.get(self.order, f"order {self.order}, ")
        return f"{ordinal}{self.name} {self.shape}"


@dataclass(frozen=True)
class WrongNode:
    """A recorded operation whose own backward rule is wrong.

    ``number`` counts the operations of the run from 1 in the order in which they were computed; ``path`` is the place
    in the module tree, empty outside every scope. ``rule`` is the right one as it was declared.
    """

    number: int
    primitive: str
    path: str
    input: str
    finding: Finding | None
    rule: str = ""


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
    place : Finding or None
        Where in the run the mistake sits, when a re-check of the recorded operations tells.
    stopped : float or None
        The time limit that ended the check: the mistake of what is wrong was then perhaps not looked for.
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
    stopped: float | None = None

    @property
    def ok(self) -> bool:
        """Whether everything is right."""
        return self.status == "right"

    def __bool__(self) -> bool:
        return self.ok

    @property
    def status(self) -> str:
        """The verdict in a word: ``right``, ``wrong``, ``vacuous`` or ``cannot tell``."""
        if self.faults or self.nodes or any(e.status == "wrong" for e in self.entries):
            return "wrong"
        if any(e.status in ("cannot tell", "unfinished") for e in self.entries):
            return "cannot tell"
        return "vacuous" if self.refused else "right"

    @property
    def finding(self) -> Finding | None:
        """The first named mistake: of the code as a whole, then of an operation, then of an input."""
        return next((f for f in (*self.findings, *(e.finding for e in self.entries)) if f is not None), None)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong beyond single inputs: with the code as a whole, or with an operation."""
        return self.faults if self.place is None else (*self.faults, self.place)

    @property
    def cause(self) -> str | None:
        """The probable mistake in a few words, None if there is none or it has no name."""
        return self.finding.name if self.finding else None

    @property
    def explanation(self) -> str | None:
        """Why that is a mistake and what the right gradient must do."""
        return self.finding.why if self.finding else None

    @property
    def how_checked(self) -> str:
        """How much was tried, and what the ± is."""
        several = "" if self.cotangents == 1 else "s"
        tried = f"{self.cotangents} cotangent{several}, {self.evaluations} forward evaluations, seed {self.seed}"
        asked = "no tolerance was set, the ± is measured"
        if self.rtol is not None:
            asked = f"rtol {self.rtol:g} was added to the ±"
        return f"checked {tried}; {asked}"

    @property
    def when_stopped(self) -> str:
        """When the time was up, and what that leaves open."""
        unfinished = [e.name for e in self.entries if e.status == "unfinished"]
        left = f"nothing more is known of {', '.join(unfinished)}" if unfinished else "the search for the mistake ended"
        return f"after {self.stopped:g} s: {left}; allow more time with time_limit"

    @property
    def uncertainty(self) -> dict[str, float]:
        """The measured ± of each input's numeric derivative, as a fraction of its largest entry."""
        return {
            e.name: e.uncertainty / e.size
            for e in self.entries
            if e.size > 0 and math.isfinite(e.uncertainty) and e.status not in ("vacuous", "flat")
        }

    @property
    def vacuous(self) -> bool:
        """Whether the check was refused because it would have proved nothing."""
        return bool(self.refused)

    def to_json(self) -> dict[str, Any]:
        """Return the report as numbers, strings, lists and dictionaries, ready for :func:`json.dumps`.

        A number that JSON does not have (NaN, infinity) becomes None.
        """
        data: dict[str, Any] = for_json(asdict(self))
        data.update(ok=self.ok, status=self.status, cause=self.cause, explanation=self.explanation)
        code = self.finding.code if self.finding else None
        return data | {"vacuous": self.vacuous, "code": code, "uncertainty": for_json(self.uncertainty)}

    def __str__(self) -> str:
        lines: list[str] = []
        for finding in self.findings:
            lines += [f"WRONG: {finding.name}", *finding_lines(finding)]
        for entry in self.entries:
            lines += entry_lines(entry, self.place is not None or self.stopped is not None)
        if self.refused:
            lines.append(f"REFUSED: {self.refused}")
        if self.stopped is not None:
            lines.append(f"STOPPED {self.when_stopped}")
        lines += [f"note: {note}" for note in self.notes]
        lines.append("  " + self.how_checked)
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return report_html(self)


def for_json(value: Any) -> Any:
    """Return nested data without anything that JSON cannot hold.

    >>> for_json({"a": (1.0, float("nan"))})
    {'a': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): for_json(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [for_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def entry_lines(entry: Entry, known: bool = False) -> list[str]:
    """Return the lines about one input; ``known`` says that the mistake was found elsewhere, or not looked for."""
    lines = [f"{entry.label}: {verdict_sentence(entry)}"]
    if entry.finding is not None:
        lines += [f"  probable mistake: {entry.finding.name}", *finding_lines(entry.finding)]
    elif entry.status == "wrong" and not known and math.isfinite(entry.yours):
        lines.append("  probable mistake: unnamed; nothing that is known here explains every entry within the bars")
    if entry.status == "cannot tell":
        lines.append(f"  {entry.reason}")
    if entry.kinks:
        several = "1 entry sits" if entry.kinks == 1 else f"{entry.kinks} entries sit"
        lines.append(f"  {several} at a kink: anything between the one-sided slopes is accepted there")
    return lines


def verdict_sentence(entry: Entry) -> str:
    """Return the verdict on one input in a sentence."""
    word = entry.status if entry.status == "right" else entry.status.upper()
    where = f"{entry.name}{list(entry.index)}" if entry.index else entry.name
    yours, numeric = told_apart(entry.yours, entry.numeric, entry.status == "wrong")
    values = f"yours {yours}, numeric {numeric} ± {short(entry.uncertainty)}"
    if entry.status == "empty":
        return "empty, nothing to check"
    if entry.status == "vacuous":
        return f"{word}, it cancels out of the output: both gradients are zero up to rounding"
    if entry.status == "flat":
        return f"{word}, the output does not move with it here: both gradients are exactly zero"
    if entry.status == "unfinished":
        agree = f"the {entry.checked:,} of {entry.total:,} entries that there was time for agree within ± "
        seen = agree + short(entry.uncertainty) if entry.checked else "there was no time to look at its entries"
        return f"{word}; {seen}"
    if entry.status == "cannot tell":
        return f"{word}, the numeric derivative is too uncertain; {where}: {values}"
    if entry.status == "wrong" and math.isnan(entry.yours) and entry.finding is not None:
        return word
    if entry.status == "wrong" and not entry.checked:
        return f"{word}; {values}"
    if entry.status == "wrong" and entry.checked == 1 < entry.total:
        return f"{word}; halving directions leads to {where}: {values}"
    if entry.status == "wrong":
        sampled = "sampled " if entry.checked < entry.total else ""
        return f"{word} in {entry.wrong} of {entry.checked} {sampled}entries; worst {where}: {values}"
    scope = f"{entry.checked} of {entry.total} entries" if entry.checked else "random directions"
    return f"{word}; {scope} agree within ± {short(entry.uncertainty)} (the largest is {short(entry.size)})"


def finding_lines(finding: Finding) -> list[str]:
    """Return the indented lines with evidence and explanation of a finding."""
    lines = [f"    ({finding.evidence})"] if finding.evidence else []
    return [*lines, f"  why: {finding.why}"] if finding.why else lines
