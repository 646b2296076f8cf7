"""The benchmark runner: it compares before it times, takes turns, and says what is missing. Peers here are planted."""

from __future__ import annotations

import argparse
import io
import json
import mmap
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks import agreement, child, machine, page, processes, ratios, runner, table, timing
from tests.benchmarks.__main__ import main, positive
from tests.benchmarks.declaration import OURS, Bar, BenchmarkError, Peer, Setting, Step, Workload
from tests.benchmarks.report import as_data, judge, result
from tests.benchmarks.runner import Options
from tests.benchmarks.timing import Sampled
from tests.benchmarks.workloads import chain
from tests.benchmarks.workloads.catalog import WORKLOADS, chosen

ROOT = Path(__file__).resolve().parents[1]


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


def workload(*peers: Peer, **changes: Any) -> Workload:
    return replace(Workload("planted", "planted", peers, tolerance=1e-6, rounds=2), **changes)


def steps_of(planted: Workload) -> dict[str, Step]:
    return {p.name: p.build(Setting()) for p in planted.peers}


# Comparing


def test_peers_with_the_same_numbers_agree() -> None:
    planted = workload(peer(OURS, {"loss": 2.0, "gradient": [1e-9, 3.0]}), peer("other", {"gradient": [0.0, 3.000001]}))
    agreement.check_agreement(planted, steps_of(planted), 1e-6)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"gradient": [1.0, 2.1]}, r"the gradient of other must be that of tinygrad_norm within 1e-06 × 2; .* by 0\.1"),
        ({"gradient": [2.0]}, r"must have the shape \(2,\), as that of tinygrad_norm; got \(1,\)"),
        ({"gradient": [1.0, np.nan]}, "the gradient of other must be finite; it is not"),
    ],
)
def test_a_planted_difference_is_found(numbers: Mapping[str, Any], message: str) -> None:
    planted = workload(peer(OURS, {"gradient": [1.0, 2.0]}), peer("other", numbers))
    with pytest.raises(BenchmarkError, match=message):
        agreement.check_agreement(planted, steps_of(planted), 1e-6)


def test_what_is_zero_but_for_rounding_is_measured_by_the_rest() -> None:
    numbers = {"gradient of W": [100.0], "gradient of b": [1e-9]}
    close = workload(peer(OURS, numbers), peer("other", {"gradient of b": [-5e-7]}))
    agreement.check_agreement(close, steps_of(close), 1e-6)
    far = workload(peer(OURS, numbers), peer("other", {"gradient of b": [-5e-6]}))
    with pytest.raises(BenchmarkError, match=r"gradient of b of other must be that of tinygrad_norm within 1e-06 × 1;"):
        agreement.check_agreement(far, steps_of(far), 1e-6)


def test_float64_is_compared_in_full_and_float32_by_its_result() -> None:
    def build(worst: float) -> Callable[[Setting], Step]:
        def in_setting(setting: Setting) -> Step:
            off = 0.0 if setting.double else worst
            numbers = {"result": np.array(1.0 + off / 1000), "gradient": np.array(1.0 + off)}
            return Step({"step": lambda: None}, lambda: numbers)

        return in_setting

    peers = (peer(OURS, {"result": 1.0, "gradient": 1.0}), Peer("other", None, build(0.05)))
    steps, unable = runner.compared(workload(*peers, single=1e-4), peers, 0, quiet)
    assert list(steps) == [OURS, "other"]
    assert not unable
    with pytest.raises(BenchmarkError, match="the result of other must be that of tinygrad_norm within 1e-05"):
        runner.compared(workload(*peers, single=1e-5), peers, 0, quiet)


def test_nothing_is_timed_where_numbers_differ() -> None:
    log: list[str] = []
    planted = workload(peer(OURS, {"loss": 1.0}, log=log), peer("other", {"loss": 2.0}, log=log))
    with pytest.raises(BenchmarkError, match="Nothing was timed"):
        runner.run(planted, Options(), quiet)
    assert log == [OURS, "other"]


# Taking turns


def ticking(step: float) -> Callable[[], float]:
    """A clock that moves by ``step`` at every look."""
    now = [0.0]

    def clock() -> float:
        now[0] += step
        return now[0]

    return clock


def test_peers_take_turns_and_another_one_is_first_in_each_round() -> None:
    log: list[str] = []
    planted = workload(*(peer(name, {}, log=log) for name in "abc"))
    timing.interleaved(planted, steps_of(planted), 3, ticking(1.0), quiet)
    assert "".join(log) == "abc" + "bca" + "cab"


def test_seconds_are_those_of_one_repetition_and_one_unit() -> None:
    planted = workload(peer(OURS, {}), repeat=5, units=4)
    sampled = timing.interleaved(planted, steps_of(planted), 2, ticking(20.0), quiet)[OURS]
    assert sampled == Sampled((1.0, 1.0), {"step": (1.0, 1.0)})


def test_phases_are_timed_one_by_one() -> None:
    log: list[str] = []
    phases = {"build": lambda: log.append("build"), "free": lambda: log.append("free")}
    planted = workload(Peer(OURS, None, lambda setting: Step(phases, dict)), repeat=2)
    sampled = timing.interleaved(planted, steps_of(planted), 1, ticking(1.0), quiet)[OURS]
    assert log == ["build", "free"] * 2
    assert sampled == Sampled((2.0,), {"build": (1.0,), "free": (1.0,)})


def test_progress_says_who_is_measured() -> None:
    said: list[str] = []
    planted = workload(peer(OURS, {}))
    timing.interleaved(planted, steps_of(planted), 2, ticking(1.0), said.append)
    assert said == ["planted: round 1 of 2, tinygrad_norm", "planted: round 2 of 2, tinygrad_norm"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_for_terminals_only() -> None:
    shown, hidden = Terminal(), io.StringIO()
    for stream in (shown, hidden):
        runner.Progress(stream)("half way")
    assert shown.getvalue() == "\r\033[Khalf way"
    assert hidden.getvalue() == ""


# Numbers


def test_ratios_of_medians_minima_and_rounds() -> None:
    found = ratios.ratio([1.0, 2.0, 6.0], [2.0, 2.0, 3.0])
    # The rounds' own ratios are 0.5, 1 and 2; their quartiles lie half way between.
    assert found == ratios.Ratio(medians=1.0, minima=0.5, lower=0.75, upper=1.5)
    assert ratios.ratio([1.0], [0.0]) is None
    assert ratios.summary([3.0, 1.0, 2.0]) == ratios.Summary(median=2.0, minimum=1.0, lower=1.5, upper=2.5)


def two(ours: float, theirs: float, *bars: Bar, memory: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The data of a run of ours beside one peer."""
    planted = workload(peer(OURS, {}), peer("other", {}), bars=bars)
    times = {OURS: Sampled((ours,), {"step": (ours,)}), "other": Sampled((theirs,), {"a": (1.0,), "b": (2.0,)})}
    found = result(planted, times, memory or {}, {"absent": "some-package"}, {"broken": "KeyError: 'x'"}, 1)
    settings = {"date": "2026-01-02", "clock": "wall", "quick": False, "seed": 0, "apart": False}
    return as_data([found], machine.facts(), settings)


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
    assert judge(Bar(9.0, quantity="growth"), ()).met is None


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


# Peers


def test_a_missing_peer_is_named_and_left_out() -> None:
    planted = workload(peer(OURS, {}), peer("absent", {}, package="no_such_package_anywhere"))
    found = runner.run(planted, Options(rounds=1), quiet)
    assert dict(found.missing) == {"absent": "no_such_package_anywhere"}
    assert [m.peer for m in found.measured] == [OURS]


def failing(name: str) -> Peer:
    def build(setting: Setting) -> Step:
        raise KeyError("broken\ninside")

    return Peer(name, None, build)


def test_a_peer_that_fails_is_named_and_left_out() -> None:
    found = runner.run(workload(peer(OURS, {}), failing("broken")), Options(rounds=1), quiet)
    assert dict(found.unable) == {"broken": "KeyError: 'broken\\ninside'"}
    assert [m.peer for m in found.measured] == [OURS]


def test_our_own_failure_is_raised() -> None:
    with pytest.raises(KeyError):
        runner.run(workload(failing(OURS)), Options(rounds=1), quiet)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, [OURS, "torch-fused", "numpy-forward"]),
        (("torch",), [OURS, "torch-fused"]),
        (("torch-fused",), [OURS, "torch-fused"]),
        (("numpy",), [OURS, "numpy-forward"]),
        ((OURS,), [OURS]),
    ],
)
def test_choosing_peers(wanted: tuple[str, ...] | None, expected: list[str]) -> None:
    planted = workload(peer(OURS, {}), peer("torch-fused", {}, package="json"), peer("numpy-forward", {}))
    present, missing = runner.sorted_out(planted, wanted)
    assert [p.name for p in present] == expected
    assert not missing


# Workloads


def test_ids_and_families() -> None:
    assert [w.id for w in chosen(["encoder64"])] == ["encoder64-layer", "encoder64-batch"]
    assert [w.id for w in chosen(["memory", "tiny"])] == ["tiny", "memory"]
    assert chosen([]) == list(WORKLOADS)
    assert len({w.id for w in WORKLOADS}) == len(WORKLOADS)


def test_every_bar_is_against_a_peer_of_its_workload() -> None:
    for w in WORKLOADS:
        names = {p.name for p in w.peers} or {OURS}
        assert OURS in names
        assert all(bar.against is None or bar.against in names for bar in w.bars)


# The others are of the same modules, only larger.
SMALL = chosen(["tiny", "mlp", "encoder64", "norm", "graph-300", "check"])


@pytest.mark.parametrize("w", SMALL, ids=lambda w: w.id)
def test_every_workload_runs_without_any_peer_installed(w: Workload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "find_spec", lambda package: None)
    one = replace(w, repeat=1, memory_steps=0)
    found = runner.run(one, Options(rounds=1), quiet)
    assert all(m.summary.median > 0 for m in found.measured)
    assert set(found.missing) == {p.name for p in w.peers if p.package}


def test_a_chain_is_built_swept_and_freed() -> None:
    step = chain.with_ours(50)(Setting())
    step.run()
    assert list(step.phases) == ["build", "backward", "free"]
    assert step.numbers()["gradient"] == 1.0


def test_memory_is_measured_in_processes_of_their_own() -> None:
    (w,) = chosen(["memory"])
    found = runner.run(w, Options(peers=(OURS,), quick=True, rounds=1), quiet)
    amounts = {m.quantity: m.summary.median for m in found.measured if m.peer == OURS}
    # The block saves about 40 arrays of 3200 × 64 float32 and more for attention: no less than 20 MB.
    assert amounts["peak memory"] > 20e6
    assert abs(amounts["growth"]) < 1e6


def test_of_what_is_timed_here_only_the_peak_is_measured_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def memory(w: Workload, peer: Peer, *_: object) -> dict[str, float]:
        asked.append(peer.name)
        return {"peak memory": 100.0, "growth": 3.0, "time": 7.0}

    monkeypatch.setattr(runner, "memory", memory)
    (w,) = chosen(["encoder64-layer"])
    able = [peer for peer in w.peers if peer.name in (OURS, "torch-fused", "matmuls-only")]
    found = runner.in_processes(w, able, Options(), 3, quiet)
    assert found == {OURS: {"peak memory": (100.0,)}, "torch-fused": {"peak memory": (100.0,)}}
    assert asked == [OURS, "torch-fused"]


def test_peers_may_be_timed_in_processes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def memory(w: Workload, peer: Peer, seed: int, steps: int, clock: str) -> dict[str, float]:
        asked.append((peer.name, steps))
        return {"peak memory": 100.0, "growth": 3.0, "time": 7.0 + len(asked)}

    monkeypatch.setattr(runner, "memory", memory)
    planted = replace(workload(peer(OURS, {}), peer("floor", {})), repeat=3)
    found = runner.run(planted, Options(rounds=2, apart=True), quiet)
    assert asked == [(OURS, 60), ("floor", 60)] * 2
    assert {(m.peer, m.quantity): m.samples for m in found.measured} == {
        (OURS, "peak memory"): (100.0, 100.0),
        ("floor", "peak memory"): (100.0, 100.0),
        (OURS, "time"): (8.0, 10.0),
        ("floor", "time"): (9.0, 11.0),
    }


def test_the_memory_of_a_chain_has_no_growth() -> None:
    (w,) = [w for w in WORKLOADS if w.id == "chain"]
    found = processes.memory(w, w.peers[0], 0, 1, "wall")
    assert set(found) == {"peak memory"}
    assert 100 < found["peak memory"] < 1000


def test_a_leak_is_seen_as_growth() -> None:
    leak: list[mmap.mmap] = []

    def step() -> None:
        # Straight from the system: an array might lie in memory that an earlier test has freed.
        leak.append(mmap.mmap(-1, 1 << 20))
        leak[-1].write(b"x" * (1 << 20))

    assert child.memory_of(Step({"step": step}, dict), 20, time.perf_counter)["growth"] > 0.9 * (1 << 20)


def test_memory_where_the_system_does_not_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(child, "STATUS", tmp_path / "absent")
    assert child.resident() == child.highest() > 0

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(child, "import_module", missing)
    with pytest.raises(BenchmarkError, match="memory is measured on Linux and macOS"):
        child.highest()


def test_the_import_is_timed_in_new_processes() -> None:
    (w,) = chosen(["import"])
    found = runner.run(w, Options(rounds=1), quiet)
    assert [(m.quantity, m.peer, len(m.samples)) for m in found.measured] == [("time", OURS, 1)]
    assert found.measured[0].summary.median > 0


def test_a_measuring_process_that_fails_is_explained() -> None:
    with pytest.raises(BenchmarkError, match=r"a measuring process must end well; -c .* failed: ZeroDivisionError"):
        processes.output_of(["-c", "1/0"], {})
    with pytest.raises(BenchmarkError, match="failed: no message"):
        processes.output_of(["-c", "raise SystemExit(3)"], {})


# The machine


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


# The command line


def run_module(*arguments: str, module: str = "tests.benchmarks") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, encoding="utf-8", cwd=ROOT, check=False
    )


def test_the_command_prints_a_table_and_writes_json(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    done = run_module("tiny", "--peers", "numpy", "--quick", "--seed", "3", "--clock", "cpu", "--json", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "numpy-forward" in done.stdout
    assert "bar time ≤ 0.7 × torch-composed: not measured" in done.stdout
    data = json.loads(path.read_text(encoding="utf-8"))
    assert (data["settings"]["seed"], data["settings"]["clock"], data["settings"]["quick"]) == (3, "cpu", True)
    (w,) = data["workloads"]
    assert {m["peer"]: len(m["samples"]) for m in w["measured"]} == {OURS: 3, "numpy-forward": 3}
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tinny"], "benchmarks: a workload must be one of tiny, mlp, .*; got 'tinny'. Give its id, or none for all."),
        (["tiny", "--peers", "numpy,tensorflow"], "benchmarks: a peer must be .*; got 'tensorflow'"),
        (["tiny", "--json", "/no/such/folder/run.json"], "benchmarks: --json must name a file in a folder that exists"),
    ],
)
def test_bad_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert re.match(message, printed.err)


def test_rounds_must_be_positive() -> None:
    assert positive("2") == 2
    with pytest.raises(argparse.ArgumentTypeError, match="must be at least 1; got 0"):
        positive("0")


def test_disagreement_ends_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    planted = workload(peer(OURS, {"loss": 1.0}), peer("other", {"loss": 2.0}))
    monkeypatch.setattr("tests.benchmarks.__main__.chosen", lambda ids: [planted])
    assert main([]) == 1
    assert "benchmarks: planted: the loss of other must be that of tinygrad_norm" in capsys.readouterr().err


# The page


def test_the_page_shows_the_runs_beside_it() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.filled(text, page.PAGE.parent) == text, "run python -m tests.benchmarks.page"


def test_the_tables_of_the_page() -> None:
    data = two(
        2e-3,
        4e-3,
        Bar(0.6, "other"),
        Bar(0.4, "other", aim=True),
        memory={OURS: {"growth": (0.0,)}, f"{OURS}-variant": {"growth": (1.0,)}},
    )
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


RUN = "<!-- run: run.json -->"
WORKLOADS_OF_RUN = "<!-- workloads: run.json -->"


def test_the_page_is_written_between_its_marks(tmp_path: Path) -> None:
    target = tmp_path / "page.md"
    (tmp_path / "run.json").write_text(json.dumps(two(1.0, 1.0)), encoding="utf-8")
    target.write_text(
        f"# Speed\n\n{RUN}\nold\n<!-- end of run -->\n\nMore.\n{WORKLOADS_OF_RUN}<!-- end of workloads -->\n",
        encoding="utf-8",
    )
    done = run_module(str(target), module="tests.benchmarks.page")
    assert (done.returncode, done.stderr) == (0, "")
    written = target.read_text(encoding="utf-8")
    assert written.startswith(f"# Speed\n\n{RUN}\n\nRun on")
    assert f"<!-- end of run -->\n\nMore.\n{WORKLOADS_OF_RUN}\n\n* `planted`: " in written
    assert written.endswith("\n\n<!-- end of workloads -->\n")
    assert "old" not in written


@pytest.mark.parametrize(
    ("run", "target"),
    [("{}", "no marks"), ("{", f"{RUN}<!-- end of run -->"), ("{}", f"{RUN}<!-- end of run -->")],
)
def test_a_page_or_a_run_that_does_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], run: str, target: str
) -> None:
    files = [tmp_path / "run.json", tmp_path / "page.md"]
    for file, content in zip(files, (run, target), strict=True):
        file.write_text(content, encoding="utf-8")
    assert page.main([str(files[1])]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert files[1].read_text(encoding="utf-8") == target


@pytest.mark.parametrize("text", ["", RUN, f"{RUN}<!-- end of run -->{WORKLOADS_OF_RUN}<!-- end of run -->"])
def test_a_page_without_places(text: str, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="the page must have places"):
        page.filled(text, tmp_path)
