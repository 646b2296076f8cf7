"""The command check as a user types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tinygrad_norm
from tinygrad_norm.cli import main
from tinygrad_norm.commands import check
from tinygrad_norm.errors import LearnerCodeError
from tinygrad_norm.gradcheck import whole_package
from tinygrad_norm.gradcheck.learner_file import check_in_process

ROOT = Path(tinygrad_norm.__file__).resolve().parent.parent

EXERCISE = """
import os, sys, time
import numpy as np

print("hello")
X = np.linspace(-1, 2, 15).reshape(3, 5)

def square(x=X):
    return x * x

def wrong(x=X):
    return np.exp(x)

def wrong_backward(g, x):
    return -g * np.exp(x)

def raises(x=X):
    return x[7]

def leaves(x=X):
    sys.exit(3)

def dies(x=X):
    os.kill(os.getpid(), 9)

def loops(x=X):
    while True:
        print("x" * 1000)

def starts_another(x=X):
    import subprocess
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(60)

def reads(x=X):
    return x * float(input())
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def exercise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a learner's file."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "exercise.py"
    path.write_text(EXERCISE, encoding="utf-8")
    return path


@pytest.fixture
def command(exercise: Path) -> Run:
    """Run the command in a process of its own, in the folder with the learner's file."""

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "tinygrad_norm", "check", *args],
            capture_output=True,
            cwd=exercise.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
            check=False,
            encoding="utf-8",
        )

    return run


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the package be small."""
    monkeypatch.setattr(whole_package, "names", lambda: ["exp", "sign", "reshape", "softmax"])


def test_a_wrong_pair_in_a_process_of_its_own(command: Run) -> None:
    done = command("exercise.py:wrong")
    assert done.returncode == 1
    assert done.stdout.startswith(
        "exercise.py:wrong, a hand-written pair: NOT right\nx (3, 5): WRONG in 15 of 15 entries"
    )
    assert "probable mistake: the sign is flipped" in done.stdout
    assert "hello" not in done.stdout
    assert done.stderr == "note: exercise.py printed 1 line(s) while it was checked; the first: hello\n"


def test_json_of_a_right_function(command: Run) -> None:
    done = command("exercise.py:square", "--json", "--order", "2", "--seed", "7")
    assert done.returncode == 0
    data = json.loads(done.stdout)
    assert (data["target"], data["ok"], data["order"], data["seed"]) == ("exercise.py:square", True, 2, 7)
    assert data["reports"][0]["seed"] == 7


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("raises", "exercise.py, line 18: IndexRangeError: "),
        ("leaves", "exercise.py, line 21: ends the program (sys.exit); return a value instead"),
        ("dies", "exercise.py must leave the process running; it crashes the whole process (SIGKILL) before the"),
        ("reads", "exercise.py, line 36: asks for keyboard input; use the arguments instead"),
    ],
)
def test_a_file_that_misbehaves_is_told_in_one_line(
    exercise: Path, capfd: pytest.CaptureFixture[str], function: str, message: str
) -> None:
    assert main(["check", f"exercise.py:{function}"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"tinygrad-norm check: {message}")
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize("function", ["loops", "starts_another"])
def test_a_file_that_takes_too_long_is_stopped(exercise: Path, function: str) -> None:
    with pytest.raises(LearnerCodeError, match=rf"exercise.py:{function} must finish within 1.5 s; it was stopped"):
        check_in_process(exercise, function, 1, 0, timeout=1.5)


@pytest.mark.usefixtures("few")
def test_the_table_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    head, exp, sign, reshape, softmax, summary = capsys.readouterr().out.splitlines()
    assert head.split() == ["kind", "points", "±", "adjoint", "verdict"]
    assert exp.split()[:2] == ["exp", "primitive"]
    assert exp.endswith("  right")
    assert sign.endswith("  right: zero everywhere")
    assert len(reshape.split()) == 6
    assert softmax.split()[1] == "composition"
    assert summary.startswith("4 checked at ")
    assert "order 1, seed 0: all right." in summary
    assert "no tolerance was set" in summary


@pytest.mark.usefixtures("few")
def test_json_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", "--order", "2", "--seed", "3"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["ok"], data["order"], data["seed"]) == (True, 2, 3)
    assert [row["name"] for row in data["results"]] == ["exp", "sign", "reshape", "softmax"]
    assert data["results"][2]["adjoint"] < 1e-15
    assert data["results"][0]["report"] is None


@pytest.mark.usefixtures("few")
def test_a_time_limit_ends_with_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--time-limit", "1e-9"]) == 1
    out = capsys.readouterr().out
    assert "0 checked at 0 points, order 1, seed 0: all right, stopped after 1e-09 s with 4 more to check." in out
    assert main(["check", "exp", "--time-limit", "1e-9", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["ok"], data["left"], data["results"]) == (False, 1, [])


def test_a_time_limit_holds_in_a_file_of_ones_own(exercise: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", f"{exercise.name}:wrong", "--time-limit", "1e-9"]) == 1
    assert "STOPPED after 1e-09 s: nothing more is known of x" in capsys.readouterr().out


def test_one_name_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "layer_norm", "--order", "2"]) == 0
    out = capsys.readouterr().out
    assert "1 checked at 1 points, orders 1 to 2, seed 0: all right." in out


@pytest.mark.usefixtures("planted", "few")
def test_a_failure_shows_its_report_and_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy as np

    import tinygrad_norm as tg

    rule = {"vjp": lambda g, x: (-g * np.cos(x),), "elementwise": True}
    tg.primitive(lambda x, /: np.sin(x), name="wrong_sin", samples=[tg.sample((3, 5))], **rule)
    monkeypatch.setattr(whole_package, "names", lambda: ["exp", "wrong_sin"])
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert "WRONG\n    WRONG: the backward rule of wrong_sin for x is wrong: the sign is flipped" in out
    assert "1 of them NOT right: wrong_sin." in out
    assert main(["check", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["results"][1]["report"]["code"] == "wrong-rule"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["exercise.py"], "must be given as FILE.py:FUNCTION; got 'exercise.py'"),
        (["exercise.py:"], "must be given as FILE.py:FUNCTION"),
        (["exercise.py:a b"], "must be given as FILE.py:FUNCTION"),
        (["nowhere.py:f"], "there is no nowhere.py"),
        (["nothing"], "what is checked must be a primitive, a composition, a layer or FILE.py:FUNCTION; got 'nothing'"),
    ],
)
def test_bad_arguments_are_answered_in_one_line(
    exercise: Path, capsys: pytest.CaptureFixture[str], args: list[str], message: str
) -> None:
    assert main(["check", *args]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert err.endswith(".\n")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--order=4", "argument --order: invalid choice: 4 (choose from 1, 2, 3); see tinygrad-norm check --help"),
        ("--order=two", "argument --order: invalid int value: 'two'"),
        ("--seed=-1", "argument --seed: must be at least 0; got -1"),
        ("--seed=x", "argument --seed: must be a whole number; got 'x'"),
        ("--timeout=0", "argument --timeout: must be a number of seconds above 0, a day at most; got '0'"),
        ("--timeout=soon", "argument --timeout: must be a number of seconds above 0, a day at most; got 'soon'"),
    ],
)
def test_arguments_of_another_kind_too(capsys: pytest.CaptureFixture[str], argument: str, message: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["check", argument])
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_the_guide_shows_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file and the output in the guide, with the numbers masked: their last digits depend on the machine."""
    text = (ROOT / "docs" / "how-to" / "check-a-gradient.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```console\n\$ tinygrad-norm (.*?)\n(.*?)```", text, re.DOTALL)
    (source,) = re.findall(r"```python\n(import numpy as np\n\nrng.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exercise.py").write_text(source, encoding="utf-8")
    assert main(shown[0].split()) == 1

    def masked(output: str) -> str:
        return re.sub(r"[-+]?\d[\d.e-]*", "#", output)

    assert masked(capsys.readouterr().out) == masked(shown[1])


def test_the_help_names_the_convention(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert "FUNCTION_backward" in out
    assert "SAMPLES" in out
    assert (check.__doc__ or "").splitlines()[0] in out
