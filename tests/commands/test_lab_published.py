"""The labs that set published results beside one's own, as a user types them."""

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
from pathlib import Path

import pytest

import tinygrad_norm as tg
from tinygrad_norm.cli import main
from tinygrad_norm.lessons.labs.published import invariance
from tinygrad_norm.lessons.labs.published.catalog import CATALOG, run_lab
from tinygrad_norm.lessons.labs.published.report_data import report_data
from tinygrad_norm.lessons.labs.published.report_text import report_text

ROOT = Path(tg.__file__).resolve().parent.parent
COMMAND = [sys.executable, "-W", "error", "-m", "tinygrad_norm", "lab"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "invariance", "--quick", "--seed", "3", "--plot", "a.png"],
        capture_output=True, encoding="utf-8", cwd=tmp_path, env=ENVIRONMENT, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == report_text(run_lab("invariance", 3, quick=True))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "invariance", "--quick", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == report_data(run_lab("invariance", 0, quick=True))


def test_ctrl_c_keeps_what_was_done(tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    # A terminal without columns has no place for a bar.
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(
        [*COMMAND, "lr-ladder", "--plot", "a.png", "--json"],
        stdout=subprocess.PIPE, stderr=terminal, cwd=tmp_path, env=ENVIRONMENT,
    ) as process:  # fmt: skip
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


@pytest.mark.parametrize(("arguments", "message"), [
    (["--seed", "-1"], "the seed must be at least 0; got -1"),
    (["--plot", "a.gif"], "--plot must name a file that ends in .png, .svg, .pdf; got 'a.gif'"),
    (["--plot", "missing/a.png"], "--plot must name a file in a folder that exists"),
])  # fmt: skip
def test_bad_input_is_one_line(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["lab", "backward", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("package", "arguments"), [("matplotlib", ["--plot", "a.png"]), ("sklearn", [])])
def test_a_missing_extra_is_named(
    package: str, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name in [m for m in sys.modules if m.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)  # type: ignore[arg-type]  # what import takes for missing
    monkeypatch.chdir(tmp_path)
    assert main(["lab", "landscape", "--quick", *arguments]) == 2
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "pip install 'tinygrad-norm[lab]'" in err


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
