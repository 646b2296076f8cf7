"""The command lab as a user types it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import tinygrad_norm as tg
from tinygrad_norm.cli import main
from tinygrad_norm.commands import lab as command
from tinygrad_norm.lessons.labs import invariance, norm_comparison
from tinygrad_norm.lessons.labs.all_labs import CATALOG, run_lab
from tinygrad_norm.lessons.labs.experiment import LabReport
from tinygrad_norm.lessons.labs.written_report import report_data, report_text

ROOT = Path(tg.__file__).resolve().parent.parent
COMMAND = [sys.executable, "-W", "error", "-m", "tinygrad_norm", "lab"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on 48 reviews and test with 16 others."""
    monkeypatch.setattr(norm_comparison, "TRAINING", 48)
    monkeypatch.setattr(norm_comparison, "HELD_OUT", 16)


@cache
def report_of(seed: int) -> LabReport:
    return run_lab("invariance", seed, quick=True)


@pytest.mark.usefixtures("few")
def test_train_draws_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lab", "train", "--task", "digits", "--norm", "layer", "--epochs", "1", "--plot", "a.png"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("layer: epoch 1 of 1, loss ")
    assert out.startswith("Training on digits; ")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_ctrl_c_keeps_what_was_done(tmp_path: Path) -> None:
    arguments = ["train", "--norm", "layer", "--norm", "batch", "--epochs", "2000", "--save", "w.npz"]
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=ENVIRONMENT
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("layer: epoch 1 of 2000")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert "layer (interrupted)" in out
    assert "batch" not in out.split("\n\n")[1]
    assert "Traceback" not in err
    assert set(tg.load(tmp_path / "w.npz")) == {"layer"}


@pytest.mark.usefixtures("few")
def test_all_norms_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "train", "--epochs", "1"]) == 0
    rows = capsys.readouterr().out.splitlines()[3:8]
    assert [row.split()[0] for row in rows] == ["layer", "rms", "batch", "masked_batch", "none"]


@pytest.mark.usefixtures("few")
def test_the_same_seed_gives_the_same_json(capsys: pytest.CaptureFixture[str]) -> None:
    curves = []
    for given in ("--quick --seed 1", "--epochs 2 --seed 1", "--quick --epochs 2 --seed 2"):
        assert main(["lab", "train", "--norm", "layer", "--norm", "layer", *given.split(), "--json"]) == 0
        (outcome,) = json.loads(capsys.readouterr().out)
        curves.append((outcome["course"]["losses"], outcome["loss"]))
    assert len(curves[0][0]) == 2
    assert curves[0] == curves[1] != curves[2]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_the_weights_are_saved(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"w{suffix}"
    assert main(["lab", "train", "--epochs", "1", "--norm", "rms", "--norm", "none", "--save", str(path)]) == 0
    saved = tg.load(path)
    assert list(saved) == ["rms", "none"]
    assert saved["rms"]["head.weight"].shape == (2, 32)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("when", ["first", "between", "inside"])
def test_ctrl_c_at_any_time(when: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real, norms = command.TASKS["reviews"]
    calls: list[str] = []

    def interrupted(norm: str, settings: Any, stream: Any = None) -> Any:
        calls.append(norm)
        if when == "inside" and len(calls) == 2:
            monkeypatch.setattr("tinygrad_norm.optim.AdamW.step", lambda self: signal.raise_signal(signal.SIGINT))
        elif (when == "first") == (len(calls) == 1) and when != "inside":
            raise KeyboardInterrupt
        return real(norm, settings, stream)

    monkeypatch.setattr(command, "TASKS", {"reviews": (interrupted, norms)})
    assert main(["lab", "train", "--epochs", "1", "--norm", "layer", "--norm", "rms", "--norm", "none"]) == 130
    out, err = capsys.readouterr()
    if when == "first":
        assert (out, "interrupted" in err) == ("", True)
    else:
        assert "layer" in out
        assert ("rms" in out) == (when == "inside")
    assert "none" not in calls


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "train --task digits --norm masked_batch",
            "--norm must be one of layer, rms, batch, none; got 'masked_batch'",
        ),
        ("train --epochs -1", "epochs must be at least 0; got -1"),
        ("train --seed -1", "seed must be at least 0; got -1"),
        ("train --plot a.gif", "--plot must name a file that ends in .png, .svg, .pdf; got 'a.gif'"),
        ("train --plot missing/a.png", "--plot must name a file in a folder that exists"),
        ("train --save w.pt", "must end in .npz or .safetensors; got 'w.pt'"),
        ("backward --seed -1", "the seed must be at least 0; got -1"),
        ("backward --plot a.gif", "--plot must name a file that ends in .png, .svg, .pdf; got 'a.gif'"),
        ("backward --plot missing/a.png", "--plot must name a file in a folder that exists"),
    ],
)
def test_bad_input_is_one_line(
    arguments: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lab", *arguments.split()]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("tinygrad-norm lab: ")
    assert message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("cooking", "argument LAB: invalid choice: 'cooking' (choose from "),
        ("train --task letters", "argument --task: invalid choice: 'letters' (choose from "),
        ("train --norm batchnorm", "argument --norm: invalid choice: 'batchnorm' (choose from "),
        ("train --epochs many", "argument --epochs: invalid int value: 'many'"),
        ("backward --seed 1.5", "argument --seed: invalid int value: '1.5'"),
    ],
)
def test_what_the_parser_refuses_is_one_line(arguments: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lab", *arguments.split()])
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("tinygrad-norm lab")
    assert message in err


def test_the_save_folder_is_checked_before_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "train", "--save", str(tmp_path / "missing" / "w.npz")]) == 2
    assert "epoch" not in capsys.readouterr().err


def test_a_published_lab_and_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lab", "invariance", "--quick", "--seed", "3", "--plot", "a.png"]) == 0
    assert capsys.readouterr() == (report_text(report_of(3)), "")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_published_lab_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "invariance", "--quick", "--seed", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == report_data(report_of(3))


def test_ctrl_c_keeps_what_a_published_lab_has_done(tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    # A terminal without columns has no place for a bar.
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [*COMMAND, "lr-ladder", "--plot", "a.png", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, cwd=tmp_path, env=ENVIRONMENT) as process:
        os.close(terminal)
        shown = b""
        while b" 1/162" not in shown:
            shown += os.read(master, 4096)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    os.close(master)
    assert b"training" in shown
    assert process.returncode == 130
    data = json.loads(out)
    assert not data["complete"]
    assert {finding["verdict"] for finding in data["findings"].values()} == {"not finished"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_an_identity_that_breaks_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(invariance, "SAME", 0.0)
    assert main(["lab", "invariance", "--quick"]) == 1
    assert "BROKEN" in capsys.readouterr().out


@pytest.mark.parametrize(("package", "arguments"), [("matplotlib", ["--plot", "a.png"]), ("sklearn", [])])
def test_a_missing_extra_is_named(
    package: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in [m for m in sys.modules if m.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)  # type: ignore[arg-type]  # what import takes for missing
    monkeypatch.chdir(tmp_path)
    assert main(["lab", "landscape", "--quick", *arguments]) == 2
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "pip install 'tinygrad-norm[lab]'" in err


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert main(["lab", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [line.split(maxsplit=1) for line in lines] == [[lab["lab"], lab["asks"]] for lab in listed]
    assert [lab["lab"] for lab in listed] == ["train", *CATALOG]


def test_every_lab_is_listed_with_what_it_asks(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["lab", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    for lab in CATALOG.values():
        assert f"{lab.name} {lab.title}" in words


@pytest.mark.parametrize("name", CATALOG)
def test_every_lab_has_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["lab", name, "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert CATALOG[name].setting in words
    assert "--quick" in words
