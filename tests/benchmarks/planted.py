"""Peers that compute nothing, and a run of them: what the tests of the benchmark runner measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from . import machine
from .declaration import OURS, Bar, Peer, Setting, Step, Workload
from .report import as_data, result
from .timing import Sampled


def quiet(text: str) -> None:
    """No progress."""


def peer(name: str, numbers: Mapping[str, Any], package: str | None = None, log: list[str] | None = None) -> Peer:
    """A peer that computes nothing and has these numbers."""

    def build(setting: Setting) -> Step:
        return Step(
            {"step": lambda: log.append(name) if log is not None else None},
            lambda: {key: np.asarray(value) for key, value in numbers.items()},
        )

    return Peer(name, package, build)


def failing(name: str) -> Peer:
    def build(setting: Setting) -> Step:
        raise KeyError("broken\ninside")

    return Peer(name, None, build)


def workload(*peers: Peer, **changes: Any) -> Workload:
    return replace(Workload("planted", "planted", peers, tolerance=1e-6, rounds=2), **changes)


def steps_of(planted: Workload) -> dict[str, Step]:
    return {p.name: p.build(Setting()) for p in planted.peers}


def two(ours: float, theirs: float, *bars: Bar, memory: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The data of a run of ours beside one peer."""
    planted = workload(peer(OURS, {}), peer("other", {}), bars=bars)
    times = {OURS: Sampled((ours,), {"step": (ours,)}), "other": Sampled((theirs,), {"a": (1.0,), "b": (2.0,)})}
    found = result(planted, times, memory or {}, {"absent": "some-package"}, {"broken": "KeyError: 'x'"}, 1)
    settings = {"date": "2026-01-02", "clock": "wall", "quick": False, "seed": 0, "apart": False}
    return as_data([found], machine.facts(), settings)
