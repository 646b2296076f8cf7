"""The two commands: ``python -m tests.benchmarks`` measures, ``python -m tests.benchmarks.page`` writes the page."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import page
from tests.benchmarks.__main__ import build_parser, main, positive
from tests.benchmarks.declaration import OURS, BenchmarkError
from tests.benchmarks.planted import peer, two, workload
from tests.benchmarks.runner import check_names
from tests.benchmarks.workloads.catalog import chosen

ROOT = Path(__file__).resolve().parents[2]


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
        (
            ["tinny"],
            "benchmarks: a workload must be one of tiny, numbers, .*; got 'tinny'. Give its id, or none for all.",
        ),
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


def test_the_page_knows_how_its_runs_are_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = {name for _, name, _ in page.BEGIN.findall(page.PAGE.read_text(encoding="utf-8"))}
    assert set(page.RUNS) == named
    for _, words in page.RUNS.values():
        args = build_parser().parse_args(words.split())
        check_names(args.peers.split(","), chosen(args.workloads))
    run: list[tuple[list[str], dict[str, str]]] = []

    def failing(command: list[str], env: dict[str, str], check: bool) -> subprocess.CompletedProcess[bytes]:
        run.append((command, env))
        return subprocess.CompletedProcess(command, len(run) - 1)

    monkeypatch.setattr(subprocess, "run", failing)
    target = tmp_path / "page.md"
    assert page.main([str(target), "--measure"]) == 2  # the second run fails, so that nothing is written
    assert [command[-1] for command, _ in run] == [str(tmp_path / name) for name in list(page.RUNS)[:2]]
    assert run[0][1]["OMP_NUM_THREADS"] == "1"
    assert not target.exists()


def test_memory_is_left_out_on_request(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    arguments = ["norm-layer", "--peers", "program", "--rounds", "1", "--no-memory", "--json", str(path)]
    assert main(arguments) == 0
    (w,) = json.loads(path.read_text(encoding="utf-8"))["workloads"]
    assert {m["quantity"] for m in w["measured"]} == {"time"}
