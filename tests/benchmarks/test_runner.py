"""The benchmark runner: it compares before it times, takes turns, and says what is missing. Peers here are planted."""

from __future__ import annotations

import io
import mmap
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks import agreement, child, processes, runner, timing
from tests.benchmarks.declaration import OURS, BenchmarkError, Peer, Setting, Step, Workload
from tests.benchmarks.planted import failing, peer, quiet, steps_of, workload
from tests.benchmarks.runner import Options
from tests.benchmarks.timing import Sampled
from tests.benchmarks.workloads import chain
from tests.benchmarks.workloads.catalog import WORKLOADS, chosen
from tests.sweeps import share

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


# Peers


def test_a_missing_peer_is_named_and_left_out() -> None:
    planted = workload(peer(OURS, {}), peer("absent", {}, package="no_such_package_anywhere"))
    found = runner.run(planted, Options(rounds=1), quiet)
    assert dict(found.missing) == {"absent": "no_such_package_anywhere"}
    assert [m.peer for m in found.measured] == [OURS]


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


@pytest.mark.parametrize("w", share(SMALL, parts=2), ids=lambda w: w.id)
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
