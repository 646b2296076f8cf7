"""The command lab as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tinygrad_norm as tg
from tinygrad_norm.cli import main
from tinygrad_norm.commands import lab_train
from tinygrad_norm.lessons.labs import train_reviews

ROOT = Path(tg.__file__).resolve().parent.parent
COMMAND = [sys.executable, "-W", "error", "-m", "tinygrad_norm", "lab"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on 48 reviews and test with 16 others."""
    monkeypatch.setattr(train_reviews, "TRAINING", 48)
    monkeypatch.setattr(train_reviews, "HELD_OUT", 16)


def lab(*args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *args], capture_output=True, encoding="utf-8", cwd=cwd, env=ENVIRONMENT, check=False
    )


def test_train_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = lab("train", "--task", "digits", "--norm", "layer", "--epochs", "1", "--plot", "a.png", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.startswith("layer: epoch 1 of 1, loss ")
    assert done.stdout.startswith("Training on digits; ")
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
    for seed in ("1", "1", "2"):
        assert (
            main(["lab", "train", "--epochs", "2", "--norm", "layer", "--norm", "layer", "--seed", seed, "--json"]) == 0
        )
        (outcome,) = json.loads(capsys.readouterr().out)
        curves.append((outcome["course"]["losses"], outcome["loss"]))
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
    real, norms = lab_train.TASKS["reviews"]
    calls: list[str] = []

    def interrupted(norm: str, settings: Any, stream: Any = None) -> Any:
        calls.append(norm)
        if when == "inside" and len(calls) == 2:
            monkeypatch.setattr("tinygrad_norm.optim.AdamW.step", lambda self: signal.raise_signal(signal.SIGINT))
        elif (when == "first") == (len(calls) == 1) and when != "inside":
            raise KeyboardInterrupt
        return real(norm, settings, stream)

    monkeypatch.setattr(lab_train, "TASKS", {"reviews": (interrupted, norms)})
    assert main(["lab", "train", "--epochs", "1", "--norm", "layer", "--norm", "rms", "--norm", "none"]) == 130
    out, err = capsys.readouterr()
    if when == "first":
        assert (out, "interrupted" in err) == ("", True)
    else:
        assert "layer" in out
        assert ("rms" in out) == (when == "inside")
    assert "none" not in calls


@pytest.mark.parametrize(("arguments", "message"), [
    (["train", "--norm", "batchnorm"], "--norm must be one of layer, rms, batch, masked_batch, none; got 'batchnorm'"),
    (["train", "--task", "digits", "--norm", "masked_batch"], "--norm must be one of layer, rms, batch, none; got"),
    (["train", "--task", "letters"], "--task must be one of reviews, digits; got 'letters'"),
    (["train", "--epochs", "-1"], "epochs must be at least 0; got -1"),
    (["train", "--seed", "-1"], "seed must be at least 0; got -1"),
    (["train", "--plot", "a.gif"], "--plot must name a file that ends in .png, .svg, .pdf; got 'a.gif'"),
    (["train", "--save", "w.pt"], "must end in .npz or .safetensors; got 'w.pt'"),
    (["train", "--plot", "missing/a.png"], "--plot must name a file in a folder that exists"),
])  # fmt: skip
def test_bad_input_is_one_line(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["lab", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("tinygrad-norm lab: ")
    assert message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["cooking"], ["train", "--epochs", "many"]])
def test_what_the_parser_refuses_is_one_line(arguments: list[str]) -> None:
    done = lab(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "Traceback" not in done.stderr


def test_the_save_folder_is_checked_before_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "train", "--save", str(tmp_path / "missing" / "w.npz")]) == 2
    assert "epoch" not in capsys.readouterr().err
