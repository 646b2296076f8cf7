"""What the tests of these labs share: an invented lab with its report, and sessions that Ctrl-C cuts short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tinygrad_norm.lessons.document.lesson import Row, Table
from tinygrad_norm.lessons.labs.published.papers import BA, BJORCK
from tinygrad_norm.lessons.labs.published.report import Finding, Lab, LabReport, Line, Outcome, Panel, Question
from tinygrad_norm.lessons.labs.published.session import Session

QUESTIONS = (
    Question("first", BJORCK, "It was published that p.", "p holds."),
    Question("second", BA, "It was published that q.", "q holds."),
)
PANELS = (
    Panel(
        "curves",
        "Curves",
        "rate",
        "loss",
        (
            Line("a", ((0.1, 1.0), (1.0, 2.0)), 0),
            Line("b", ((0.1, 3.0), (1.0, 4.0)), 1, "dashed"),
            Line("c", tuple((float(x), float(x)) for x in range(1, 30)), 2),
            Line("d", (), 3),
        ),
        log_x=True,
        log_y=True,
    ),
    Panel("few", "Few", "rate", "loss", (Line("a", ((0.1, 1.0), (1.0, 1e-9)), 0),), log_x=True, log_y=True),
    Panel(
        "names",
        "Names",
        "feature",
        "gradient",
        (Line("a", ((0.0, -1.0), (1.0, 2.0)), 0, "bars"), Line("b", ((0.0, 0.5), (1.0, 0.5)), 1, "marks")),
        names=("z₁", "z₂"),
    ),
    Panel("nothing", "Nothing", "x", "y", (), log_x=True, log_y=True),
)


def make_lab(run: Callable[[Session], Outcome]) -> Lab:
    return Lab("made-up", "Is it so?", ("stability",), "It is tried.", QUESTIONS, ("It is made up.",), run)


def make_outcome(verdict: str = "exact") -> Outcome:
    table = Table("sizes", "Sizes", ("small", "large"), (Row("a", (0.5, float("inf"))),), formats=".1f", note="A note.")
    empty = Table("empty", "Empty", ("small",), ())
    findings = (
        Finding("first", "It is {size:.1f}.", {"size": 0.25}, verdict),  # type: ignore[arg-type]  # a verdict, as text
        QUESTIONS[1].unfinished(),
    )
    return Outcome(findings, (table, empty), PANELS)


@pytest.fixture
def lab_of() -> Callable[[Callable[[Session], Outcome]], Lab]:
    """The function :func:`make_lab`."""
    return make_lab


@pytest.fixture
def outcome_of() -> Callable[..., Outcome]:
    """The function :func:`make_outcome`."""
    return make_outcome


@pytest.fixture
def report() -> LabReport:
    """A report of an invented lab."""
    return LabReport(make_lab(lambda session: make_outcome()), 7, True, True, make_outcome())


@pytest.fixture
def interrupted_after() -> Callable[[int], Session]:
    """A function that makes a session in which Ctrl-C comes after so many jobs."""

    def session(jobs: int) -> Session:
        left = jobs

        @contextmanager
        def counting(stage: str, total: int) -> Iterator[Callable[[], object]]:
            def count() -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    raise KeyboardInterrupt

            if left == 0:
                raise KeyboardInterrupt
            yield count

        return Session(seed=0, quick=True, counting=counting)

    return session
