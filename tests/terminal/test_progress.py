"""The progress sign: late, seldom, only on a terminal, and gone at the end; jobs are counted with it or with a bar."""

from __future__ import annotations

import io
import sys

import pytest

from tinygrad_norm.terminal import progress as module
from tinygrad_norm.terminal.progress import Progress, counting


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_shown_after_half_a_second_ten_times_a_second_then_cleared() -> None:
    clock, stream = Clock(), Terminal()
    with Progress(stream, clock) as report:
        report("reading", 0.1)
        assert stream.getvalue() == ""
        clock.now = 0.6
        report("reading", 0.5)
        clock.now = 0.65
        report("reading", 0.6)
        clock.now = 0.8
        report("x", 1.0)
    assert stream.getvalue() == "\rreading  50%\rx 100%      \r            \r"


def test_nothing_where_nobody_looks() -> None:
    clock, stream = Clock(), io.StringIO()
    with Progress(stream, clock) as report:
        clock.now = 100.0
        report("reading", 0.5)
    assert stream.getvalue() == ""


def test_short_work_leaves_no_trace() -> None:
    stream = Terminal()
    with Progress(stream, Clock()) as report:
        report("reading", 1.0)
    assert stream.getvalue() == ""


def test_jobs_are_counted_by_a_bar_where_there_is_one() -> None:
    stream = Terminal()
    with counting(stream, "cells", 2) as count:
        count()
        count("loss=0.25")
    shown = stream.getvalue()
    assert "cells:   0%" in shown
    assert "0/2" in shown
    assert shown.endswith("\r")


def test_jobs_are_counted_on_the_line_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    clock = iter(range(100))
    monkeypatch.setattr(module.Progress.__init__, "__defaults__", (lambda: float(next(clock)),))
    stream = Terminal()
    with counting(stream, "cells", 4) as count:
        count()
        count("loss=0.25")
    assert "\rcells, 1 of 4:  25%" in stream.getvalue()
    assert "\rcells, 2 of 4, loss=0.25:  50%" in stream.getvalue()
    assert stream.getvalue().endswith("\r")


def test_jobs_are_counted_in_silence_where_nobody_looks() -> None:
    stream = io.StringIO()
    with counting(stream, "cells", 1) as count:
        count()
    assert stream.getvalue() == ""
