"""``tinygrad-norm program``: an example by name, a function of a file; what it refuses in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.cli import main
from tinygrad_norm.lessons.program_examples import EXAMPLES

OWN = """
import numpy as np, tinygrad_norm as tg

def scores(x=np.arange(6.0).reshape(2, 3), w=np.ones(3)):
    print("hello")
    return tg.tanh(x @ w)

def frozen(x=np.arange(6.0)):
    return x * float(np.array(x.data).sum())

def endless(x=np.arange(6.0)):
    while True:
        pass
"""


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_by_name_is_right(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["program", name]) == 0
    names: dict[str, object] = {}
    exec(capsys.readouterr().out, names)
    forward, backward = names["forward"], names["backward"]
    _, arguments = EXAMPLES[name]
    report = tg.check_vjp(
        lambda *xs: forward(*xs)[0],  # type: ignore[operator]
        lambda g, *xs: backward(g, forward(*xs)[1]),  # type: ignore[operator]
        tuple(np.asarray(a) for a in arguments),
    )
    assert report.ok


def test_a_function_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.py").write_text(OWN)
    assert main(["program", f"{tmp_path}/own.py:scores", "--json"]) == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert data["inputs"] == {"x": [2, 3], "w": [3]}
    assert "def backward(g, saved):" in data["source"]
    assert "own.py printed 2 line(s) while it was recorded; the first: hello" in err


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("attentio", "got 'attentio'. Did you mean attention?"),
        ("own.py", "must be FILE.py:FUNCTION or one of linear"),
        ("gone.py:f", "of a file that exists"),
        ("{}/own.py:f g", "must be given as FILE.py:FUNCTION"),
        ("{}/own.py:gone", "must define a function called gone"),
        ("{}/own.py:frozen", "program: values must stay where they are seen; got a copy of some at own.py:9"),
        ("{}/own.py:endless", "must finish within 1 s"),
    ],
)
def test_what_cannot_be_written_out(target: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.py").write_text(OWN)
    assert main(["program", target.format(tmp_path), "--timeout", "1" if "endless" in target else "60"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert re.search(said, err)
