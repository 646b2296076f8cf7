"""The limit on memory, on systems that have it, lack it or refuse it."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tinygrad_norm.sandbox.child import _limit_memory


def resource(hard: int, limits: list[Any], error: Exception | None = None) -> SimpleNamespace:
    """A stand-in for the module: what it is told to limit goes to ``limits``."""

    def setrlimit(kind: str, limit: tuple[int, int]) -> None:
        if error is not None:
            raise error
        limits.append((kind, limit))

    return SimpleNamespace(
        RLIMIT_AS="memory", RLIM_INFINITY=-1, getrlimit=lambda kind: (hard, hard), setrlimit=setrlimit
    )


@pytest.mark.parametrize(("hard", "limit"), [(-1, (500, -1)), (300, (300, 300)), (900, (500, 900))])
def test_the_smaller_of_two_limits_holds(hard: int, limit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[Any] = []
    monkeypatch.setitem(sys.modules, "resource", resource(hard, limits))
    _limit_memory(500)
    assert limits == [("memory", limit)]


def test_a_system_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[Any] = []
    monkeypatch.setitem(sys.modules, "resource", resource(-1, limits, ValueError("no")))
    _limit_memory(500)
    assert limits == []


def test_a_system_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    _limit_memory(500)
