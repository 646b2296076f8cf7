"""The progress sign: late, seldom, only on a terminal, and gone at the end."""

from __future__ import annotations

import io

from tinygrad_norm.lessons.own_table.progress import Progress


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
