from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from tinygrad_norm.cli import main


def test_the_steps_are_printed() -> None:
    command = [sys.executable, "-X", "utf8", "-m", "tinygrad_norm", "trace", "x * x"]
    done = subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "FORWARD"
    assert "5. multiply_1 sends ḡ · x = 1 · 2 = 2 to x: x has received 2 of 2, in all 4" in done.stdout


def test_json_holds_everything_at_full_precision(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "layer_norm", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    z = next(n for n in data["nodes"] if n["id"] == "z")
    sent = [np.array(e["contribution"]) for e in data["edges"] if e["from"] == "z"]
    assert len(sent) == 2
    np.testing.assert_allclose(sum(sent), z["gradient"], rtol=1e-12)


def test_without_gradients(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "layer_norm", "--gradients", "no"]) == 0
    assert "BACKWARD" not in capsys.readouterr().out


def test_values_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "x * x", "--let", "x=5"]) == 0
    assert "1. x is an input: 5" in capsys.readouterr().out


def test_a_failed_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "exp(q) @ v", "--let", "v=[[1, 2]]"]) == 1
    out, err = capsys.readouterr()
    assert "matmul raised" in out
    assert err.startswith("tinygrad-norm trace: stopped by the error: matmul")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x", "--gradients", "some"], "argument --gradients: invalid choice: 'some' (choose from "),
        (["nothing"], "must be a layer or an expression"),
    ],
)
def test_bad_input(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        sys.exit(main(["trace", *arguments]))
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
