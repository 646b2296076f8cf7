"""Checks that are stopped tell what they know, and long ones show that they are at work."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.errors import InputError
from tinygrad_norm.gradcheck import Report
from tinygrad_norm.gradcheck.measure import clock

WRONG = {"right": lambda g, x: g * np.cos(x), "wrong": lambda g, x: -g * np.cos(x)}


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which every look at it takes a second: time limits are numbers of evaluations."""
    now: Iterator[float] = iter(map(float, range(10**6)))
    monkeypatch.setattr(clock, "monotonic", lambda: next(now))


def check(rule: str, limit: float, shape: tuple[int, ...] = (4, 3), **options: Any) -> Report:
    x = np.random.default_rng(0).standard_normal(shape)
    return tg.check_vjp(np.sin, WRONG[rule], x, time_limit=limit, **options)


@pytest.mark.usefixtures("seconds")
def test_a_check_that_is_stopped_tells_which_entries_it_has_seen() -> None:
    report = check("right", 220, coordinates=True)
    (entry,) = report.entries
    assert (entry.status, report.status, report.stopped) == ("unfinished", "cannot tell", 220)
    assert 1 < entry.checked < entry.total == 12
    assert f"UNFINISHED; the {entry.checked} of 12 entries that there was time for agree within ± " in str(report)
    assert "STOPPED after 220 s: nothing more is known of x; allow more time with time_limit" in str(report)
    assert "STOPPED" in report._repr_html_()
    assert report.to_json()["stopped"] == 220
    wrong = check("wrong", 220, coordinates=True)
    assert wrong.status == "wrong"
    assert f"WRONG in {wrong.entries[0].checked} of {wrong.entries[0].checked} sampled entries" in str(wrong)


@pytest.mark.usefixtures("seconds")
def test_whenever_a_check_is_stopped_it_tells_the_truth_and_more_the_later() -> None:
    for rule, known in (("right", "right"), ("wrong", "wrong")):
        seen = [check(rule, limit).status for limit in range(1, 500, 31)]
        turn = seen.index(known)
        assert turn > 0
        assert set(seen[:turn]) == {"cannot tell"}
        assert set(seen[turn:]) == {known}
    nothing = check("right", 1)
    assert "UNFINISHED; there was no time to look at its entries" in str(nothing)
    assert "direction" not in nothing._repr_html_()


@pytest.mark.usefixtures("seconds")
def test_what_directions_show_beside_a_kink_is_no_verdict_without_the_entries() -> None:
    """Kinks cancel along a direction: relu(t) − relu(−t) is smooth."""
    x = np.zeros(8)
    for limit in range(30, 500, 47):
        report = tg.check_vjp(lambda v: np.maximum(v, 0), lambda g, v: 0 * g, x, time_limit=limit)
        assert report.status != "wrong"


@pytest.mark.usefixtures("seconds")
def test_a_function_of_tensors_is_stopped_too_and_blames_no_operation_then() -> None:
    x = np.random.default_rng(0).standard_normal((4, 3))
    wrong = tg.elementwise(lambda v, /: np.sin(v), name="sine", vjp=lambda g, v: (-g,), samples=[tg.sample((3,))])
    whole = tg.gradcheck(lambda v: wrong(v) * 2, x)
    assert whole.nodes
    assert whole.stopped is None
    for limit in range(1, 150, 16):
        report = tg.gradcheck(lambda v: wrong(v) * 2, x, time_limit=limit, order=2)
        assert report.place is None
        assert report.status in ("wrong", "cannot tell")
        assert report.stopped == limit


@pytest.mark.parametrize("limit", [0, -1.0, float("nan"), "3"])
def test_a_time_limit_is_a_positive_number(limit: Any) -> None:
    with pytest.raises(InputError, match="time_limit must be a number of seconds above 0, or None; got"):
        check("right", limit)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("seconds")
def test_a_long_check_shows_on_a_terminal_that_it_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm")
    monkeypatch.setattr(clock, "DELAY", 60.0)
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        tg.check_vjp(lambda a: np.sin(a), WRONG["wrong"], np.arange(5.0))
        assert ("gradcheck a, line 1 of 2: 0 evaluations" in stream.getvalue()) == stream.isatty()
    assert not stream.getvalue()


@pytest.mark.usefixtures("seconds")
def test_without_tqdm_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert tg.check_vjp(np.sin, WRONG["right"], np.arange(5.0)).ok
    assert not sys.stderr.getvalue()  # type: ignore[attr-defined]  # a Terminal


def test_a_short_check_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert tg.check_vjp(np.sin, WRONG["right"], np.arange(5.0)).ok
    assert not sys.stderr.getvalue()  # type: ignore[attr-defined]  # a Terminal
