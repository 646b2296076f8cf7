"""What the tests of the labs share: an invented lab, sessions that Ctrl-C cuts short, few reviews, a terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tinygrad_norm.lessons.document.lesson import Row, Table
from tinygrad_norm.lessons.labs import norm_comparison
from tinygrad_norm.lessons.labs.experiment import (
    Answer,
    Count,
    Lab,
    LabOutcome,
    LabReport,
    Line,
    Panel,
    Question,
    Session,
)
from tinygrad_norm.lessons.labs.papers import BA, BJORCK


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal() -> io.StringIO:
    """A stream that says it is a terminal."""
    return Terminal()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on 48 reviews and test with 16 others."""
    monkeypatch.setattr(norm_comparison, "TRAINING", 48)
    monkeypatch.setattr(norm_comparison, "HELD_OUT", 16)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that makes a package impossible to import."""

    def hide(package: str) -> None:
        for name in [m for m in sys.modules if m.split(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)  # type: ignore[arg-type]  # what import takes for missing

    return hide


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


def make_lab(run: Callable[[Session], LabOutcome]) -> Lab:
    return Lab("made-up", "Is it so?", ("stability",), "It is tried.", QUESTIONS, ("It is made up.",), run)


def make_outcome(verdict: str = "exact") -> LabOutcome:
    table = Table("sizes", "Sizes", ("small", "large"), (Row("a", (0.5, float("inf"))),), formats=".1f", note="A note.")
    empty = Table("empty", "Empty", ("small",), ())
    answers = (
        Answer("first", "It is {size:.1f}.", {"size": 0.25}, verdict),  # type: ignore[arg-type]  # a verdict, as text
        QUESTIONS[1].unfinished(),
    )
    return LabOutcome(answers, (table, empty), PANELS)


@pytest.fixture
def lab_of() -> Callable[[Callable[[Session], LabOutcome]], Lab]:
    """The function :func:`make_lab`."""
    return make_lab


@pytest.fixture
def outcome_of() -> Callable[..., LabOutcome]:
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
        def counting(stage: str, total: int) -> Iterator[Count]:
            def count(note: str = "") -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    raise KeyboardInterrupt

            if left == 0:
                raise KeyboardInterrupt
            yield count

        return Session(seed=0, quick=True, counting=counting)

    return session
