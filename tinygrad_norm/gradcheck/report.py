"""The result of a check: plain data, true when everything is right, with a text, JSON and HTML form.

A :class:`Report` holds one :class:`.Entry` for each input, findings about the code as a whole, and, where the tape was
recorded, the operations whose own rule is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .diagnose import Finding
from .entry import Entry, WrongNode
from .html import page
from .text import entry_lines, explained


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
        return self.status == "right"

    def __bool__(self) -> bool:
        return self.ok

    @property
    def status(self) -> str:
        """The verdict in a word: ``right``, ``wrong``, ``vacuous`` or ``cannot tell``."""
        if self.faults or self.nodes or any(e.status == "wrong" for e in self.entries):
            return "wrong"
        if any(e.status == "cannot tell" for e in self.entries):
            return "cannot tell"
        return "vacuous" if self.refused else "right"

    @property
    def finding(self) -> Finding | None:
        """The first named mistake: of the code as a whole, then of an operation, then of an input."""
        named = [*self.findings, *(e.finding for e in self.entries if e.finding is not None)]
        return named[0] if named else None

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
        tolerance = (
            "no tolerance was set, the ± is measured" if self.rtol is None else f"rtol {self.rtol:g} was added to the ±"
        )
        several = "" if self.cotangents == 1 else "s"
        return (
            f"checked {self.cotangents} cotangent{several}, {self.evaluations} forward evaluations, seed "
            f"{self.seed}; {tolerance}"
        )

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
        data: dict[str, Any] = plain(asdict(self))
        data.update(
            ok=self.ok, status=self.status, cause=self.cause, explanation=self.explanation, vacuous=self.vacuous
        )
        data["code"] = self.finding.code if self.finding else None
        data["uncertainty"] = plain(self.uncertainty)
        return data

    def __str__(self) -> str:
        lines: list[str] = []
        for finding in self.findings:
            lines += [f"WRONG: {finding.name}", *explained(finding)]
        for entry in self.entries:
            lines += entry_lines(entry, blamed=self.place is not None)
        if self.refused:
            lines.append(f"REFUSED: {self.refused}")
        lines += [f"note: {note}" for note in self.notes]
        lines.append("  " + self.how_checked)
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return page(self.status, self.entries, self.findings, self.refused, self.notes, self.how_checked)


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
