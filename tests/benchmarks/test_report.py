"""What is said about a run: ratios, bars met and missed, the table, the page, the machine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import machine, page, ratios, table
from tests.benchmarks.declaration import OURS, Bar
from tests.benchmarks.planted import two


def test_ratios_of_medians_minima_and_rounds() -> None:
    found = ratios.ratio([1.0, 2.0, 6.0], [2.0, 2.0, 3.0])
    # The rounds' own ratios are 0.5, 1 and 2; their quartiles lie half way between.
    assert found == ratios.Ratio(medians=1.0, minima=0.5, lower=0.75, upper=1.5)
    assert ratios.ratio([1.0], [0.0]) is None
    assert ratios.summary([3.0, 1.0, 2.0]) == ratios.Summary(median=2.0, minimum=1.0, lower=1.5, upper=2.5)


@pytest.mark.parametrize(
    ("bar", "reached", "met"),
    [
        (Bar(0.5, "other"), 0.5, True),
        (Bar(0.4, "other"), 0.5, False),
        (Bar(3.0), 2.0, True),
        (Bar(1.0), 2.0, False),
        (Bar(1.0, "absent"), None, None),
        (Bar(1.0, quantity="growth"), None, None),
    ],
)
def test_bars(bar: Bar, reached: float | None, met: bool | None) -> None:
    (found,) = two(2.0, 4.0, bar)["workloads"][0]["bars"]
    assert (found["reached"], found["met"]) == (reached, met)


def test_a_bar_against_a_peer_that_took_nothing_is_not_measured() -> None:
    memory = {OURS: {"growth": (8.0,)}, "other": {"growth": (0.0,)}}
    (found,) = two(1.0, 1.0, Bar(1.0, "other", "growth"), memory=memory)["workloads"][0]["bars"]
    assert found["met"] is None


@pytest.mark.parametrize(
    ("value", "quantity", "text"),
    [
        (1.5, "time", "1.5 s"),
        (0.0123, "time", "12.3 ms"),
        (4.56e-6, "time", "4.56 µs"),
        (2e-10, "time", "0.2 ns"),
        (300.0, "peak memory", "300 B"),
        (2.0**21, "peak memory", "2 MiB"),
        (2000 * 2.0**30, "peak memory", "2000 GiB"),
        (0.0, "growth", "0 B/step"),
        (-4096.0, "growth", "-4 KiB/step"),
    ],
)
def test_amounts(value: float, quantity: str, text: str) -> None:
    assert table.amount(value, quantity) == text


def test_the_table() -> None:
    bars = (Bar(0.6, "other"), Bar(0.4, "other", aim=True), Bar(1e-3), Bar(1.0, "absent"))
    text = table.workload_text(two(2e-3, 4e-3, *bars)["workloads"][0])
    for line in (
        "planted: planted",
        "  time  other            4 ms   4 ms         0.50       0.50  0.50–0.50",
        "  other: a 1 s, b 2 s",
        "  bar time ≤ 0.6 × other: met, 0.50",
        "  aim time ≤ 0.4 × other: missed, 0.50",
        "  bar time ≤ 1 ms: missed, 2 ms",
        "  bar time ≤ 1 × absent: not measured",
        "  missing: absent (pip install some-package, or all peers: pip install 'tinygrad-norm[bench]')",
        "  unable: broken: KeyError: 'x'",
    ):
        assert line in text.splitlines()


def test_the_page_shows_the_runs_beside_it() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.filled(text, page.PAGE.parent) == text, "run python -m tests.benchmarks.page"


def test_the_tables_of_the_page() -> None:
    growth_of = {OURS: {"growth": (0.0,)}, f"{OURS}-variant": {"growth": (1.0,)}}
    data = two(2e-3, 4e-3, Bar(0.6, "other"), Bar(0.4, "other", aim=True), memory=growth_of)
    lines = page.ratios(data, "time").splitlines()
    assert lines[0].startswith("Run on 2026-01-02 (wall time, all in one process, ")
    plain = [line.replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "") for line in lines]
    assert "| `planted` | 2 ms | `other` | 0.50 | 0.50–0.50 | 0.50 | ≤ 0.6 ✓, aim ≤ 0.4 ✗ |" in plain
    assert "* `planted`: absent was not installed." in lines
    assert "* `planted`: broken failed (KeyError: 'x')." in lines
    growth = page.ratios(data, "growth").replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "").splitlines()
    assert growth[2:] == ["| `planted` | 0 B/step | `variant` | 0.00 | 0.00–0.00 | 0.00 |  |"]
    data["settings"]["apart"] = True
    assert "(wall time, each peer in processes of its own, " in page.ratios(data, "time")


def test_what_runs_without_a_tape_is_compared_with_the_others_too() -> None:
    amounts = {OURS: {"growth": (8.0,)}, "program": {"growth": (2.0,)}, "other": {"growth": (4.0,)}}
    bars = (Bar(0.3, OURS, "growth", of="program"), Bar(0.4, "other", "growth", of="program"))
    data = two(1.0, 1.0, *bars, memory=amounts)
    assert [(bar["reached"], bar["met"]) for bar in data["workloads"][0]["bars"]] == [(0.25, True), (0.5, False)]
    shown = page.ratios(data, "growth").replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "")
    assert shown.splitlines()[2:] == [
        "| `planted` | 8 B/step | `other` | 2.00 | 2.00–2.00 | 2.00 |  |",
        "| `planted`, program | 2 B/step | `tinygrad_norm` | 0.25 | 0.25–0.25 | 0.25 | ≤ 0.3 ✓ |",
        "|  |  | `other` | 0.50 | 0.50–0.50 | 0.50 | ≤ 0.4 ✗ |",
    ]
    assert "  bar of program: growth ≤ 0.4 × other: missed, 0.50" in table.workload_text(data["workloads"][0])


def test_the_facts_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    found = machine.facts()
    assert found["numpy"] == np.__version__
    assert found["cpus"] > 0
    assert found["threads"]["OMP_NUM_THREADS"] == "3"
    assert json.loads(json.dumps(found)) == found
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "absent")
    assert machine.processor()
    assert machine.installed("no-such-package-anywhere") is None
