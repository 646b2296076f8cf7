"""What a lab is and what it reports: published results, ours beside them, and a verdict on each.

A :class:`Lab` asks questions, each a published result with the test that ours must pass. Its ``run`` answers them by
findings, beside tables and panels of what was measured. All of it is frozen data; a finding's sentence is filled in
from its own values, so that what is printed cannot differ from what ``--json`` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from ...document.lesson import Table, Values
from ...document.numerals import fill
from .papers import Paper
from .session import Session

Verdict: TypeAlias = Literal["exact", "broken", "reproduced", "in part", "not reproduced", "not finished"]
"""Of an identity: exact or broken. Of an experiment: reproduced, in part, or not. Not finished if it was cut short."""

Benefit: TypeAlias = Literal["stability", "convergence", "covariate_shift", "regularization"]
"""The four benefits of the lecture, by the names that step 2 has for them."""


@dataclass(frozen=True)
class Finding:
    """One answer: what we found, as a template over `values`, and the verdict."""

    key: str
    ours: str
    values: Values
    verdict: Verdict

    @property
    def sentence(self) -> str:
        """What we found, with its numbers."""
        return fill(self.ours, self.values)


@dataclass(frozen=True)
class Question:
    """A published result, and the test by which ours is judged.

    Parameters
    ----------
    key : str
        Its stable name within the lab.
    source : Paper
        Where it was published.
    published : str
        What was published.
    test : str
        What must hold of ours for it to count.
    also : tuple of Paper
        Other sources that `published` names.
    """

    key: str
    source: Paper
    published: str
    test: str
    also: tuple[Paper, ...] = ()

    def answer(self, verdict: Verdict, ours: str, values: Mapping[str, float | int | str]) -> Finding:
        """Return the finding; `ours` is a template over the values."""
        return Finding(self.key, ours, MappingProxyType(dict(values)), verdict)

    def identity(self, holds: bool, ours: str, values: Mapping[str, float | int | str]) -> Finding:
        """Return the finding for a statement that is either exact or broken."""
        return self.answer("exact" if holds else "broken", ours, values)

    def experiment(self, holds: bool, ours: str, values: Mapping[str, float | int | str]) -> Finding:
        """Return the finding for a result that either reproduces or does not."""
        return self.answer("reproduced" if holds else "not reproduced", ours, values)

    def unfinished(self) -> Finding:
        """Return the finding of a run that was cut short before the answer was known."""
        return self.answer("not finished", "The run was cut short before this was measured.", {})


Look: TypeAlias = Literal["joined", "dashed", "marks", "bars"]
"""How the points of a line are shown: joined, joined by dashes without marks, only marked, or as bars from 0."""


@dataclass(frozen=True)
class Line:
    """One line of a panel, as ``(x, y)`` points; lines of one style share color and mark."""

    label: str
    points: tuple[tuple[float, float], ...]
    style: int
    look: Look = "joined"


@dataclass(frozen=True)
class Panel:
    """One picture of a plot: lines over two axes.

    Parameters
    ----------
    names : tuple of str
        Names of the places 0, 1, … of the x axis, if it has names instead of numbers.
    """

    key: str
    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    log_x: bool = False
    log_y: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What one run found: an answer to each question, the tables, and the panels of the plot."""

    findings: tuple[Finding, ...]
    tables: tuple[Table, ...] = ()
    panels: tuple[Panel, ...] = ()


@dataclass(frozen=True)
class Lab:
    """An experiment that sets published results beside one's own.

    Parameters
    ----------
    name : str
        What the command line calls it.
    title : str
        What it asks, in a line.
    benefits : tuple of Benefit
        Which of the lecture's four benefits it tests; none if it tests its verdict on batch norm.
    setting : str
        What is done, in a few sentences.
    questions : tuple of Question
        The published results; a run answers each.
    limits : tuple of str
        What it cannot show.
    run : callable
        From a :class:`~tinygrad_norm.lessons.labs.published.session.Session` to the outcome.
    """

    name: str
    title: str
    benefits: tuple[Benefit, ...]
    setting: str
    questions: tuple[Question, ...]
    limits: tuple[str, ...]
    run: Callable[[Session], Outcome]


@dataclass(frozen=True)
class LabReport:
    """A lab with the outcome of one run."""

    lab: Lab
    seed: int
    quick: bool
    complete: bool
    outcome: Outcome = field(default_factory=lambda: Outcome(()))

    def __post_init__(self) -> None:
        asked, answered = ([item.key for item in items] for items in (self.lab.questions, self.outcome.findings))
        if asked != answered:
            raise ValueError(f"lab {self.lab.name}: asked {asked}, answered {answered}")

    @property
    def broken(self) -> bool:
        """Whether a statement that must be exact is not: the engine is wrong, or the lab."""
        return any(finding.verdict == "broken" for finding in self.outcome.findings)
