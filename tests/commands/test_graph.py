"""The command ``graph`` as it is run: a process, its output, its exit code, its files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tinygrad_norm.cli import main
from tinygrad_norm.lessons.graph_examples import EXAMPLES

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command in this process; return its code, output and errors."""

    def run_here(*arguments: str) -> tuple[int, str, str]:
        code = main(["graph", *arguments])
        return code, *capsys.readouterr()

    return run_here


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tinygrad_norm", "graph", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", **environment},
        check=False,
    )


def test_an_expression_is_printed_as_text() -> None:
    done = run("x * x + sin(y)")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "x: input () float64 = 2, gradient 4, 2 of 2 received, saved by multiply_1"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_layer_can_be_drawn(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"{name}.svg"
    assert main(["graph", name, "-o", str(path)]) == 0
    root = ElementTree.parse(path).getroot()
    assert len([g for g in root.iter() if g.get("class") == "node"]) >= 2
    assert capfd.readouterr() == ("", "")


def test_the_list_of_layers(call: Call) -> None:
    code, out, _ = call("--list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(EXAMPLES)


@pytest.mark.parametrize(
    ("format", "start"), [("gv", "digraph"), ("svg", "<svg"), ("html", "<!doctype html>"), ("txt", "x: input")]
)
def test_formats_to_standard_output(format: str, start: str, call: Call) -> None:
    code, out, _ = call("x * x", "--format", format)
    assert code == 0
    assert out.startswith(start)


def test_a_picture_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["graph", "x * x", "--format", "png"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"\x89PNG")


def test_the_format_may_differ_from_the_suffix(tmp_path: Path) -> None:
    assert main(["graph", "x * x", "-o", str(tmp_path / "graph.old"), "--format", "gv"]) == 0
    assert (tmp_path / "graph.old").read_text(encoding="utf-8").startswith("digraph")


def test_values_can_be_given(call: Call) -> None:
    code, out, _ = call("a * x + mean(m)", "--let", "a=2.5", "--let", "m=[[1, 2], [3, 4]]", "--let", "x=-1")
    assert code == 0
    assert "a: input () float64 = 2.5" in out
    assert "= [1 2; 3 4]" in out
    assert "x: input () float64 = −1" in out


def test_a_mask_can_be_given(call: Call) -> None:
    code, out, _ = call("where(m, x, 0.0)", "--let", "m=[True, False]", "--let", "x=[3.0, 4.0]")
    assert code == 0
    assert "m: input (2,) bool = [True False]" in out


def test_a_layer_s_input_can_be_given(call: Call) -> None:
    code, out, _ = call("layer_norm", "--let", "z=[[1, 2, 6]]", "--gradients", "no")
    assert code == 0
    assert "[1 2 6]" in out
    assert "gradient" not in out


def test_options_reach_the_drawing(call: Call) -> None:
    _, dot, _ = call(
        *("softmax(z)", "--format", "gv", "--depth", "all", "--direction", "LR", "--theme", "dark"),
        *("--gradients", "yes", "--values", "no"),
    )
    assert "rankdir=LR" in dot
    assert "#14161a" in dot
    assert 'dir="back"' in dot
    assert "value</font>" not in dot
    assert '"z" -> "softmax" ' in call("softmax(z)", "--format", "gv", "--depth", "0")[1]
    assert "attention_weights:" in call("attention", "--focus", "scaled_dot_product_attention")[1]


def test_a_failed_run_is_drawn_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "wrong.svg"
    done = run("exp(q) @ v", "-o", str(path), "--let", "v=[[1, 2]]")
    assert done.returncode == 1
    assert done.stderr.startswith("tinygrad-norm graph: drawn up to the error: matmul: the last axis")
    assert done.stderr.count("\n") == 1
    assert "matmul raised" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "graph needs a layer or an expression"),
        (["layer_nrm"], "got 'layer_nrm'. Did you mean layer_norm?"),
        (["zzz"], "got 'zzz'. The layers are neuron, linear"),
        (["class"], "got 'class'"),
        (["foo + 1"], "'foo' has none. Give it one with --let foo=2.5"),
        (["x * x", "--let", "y=2"], "--let must name an array that x * x uses: x; got y"),
        (["x", "--let", "x"], "--let must be NAME=VALUE; got 'x'"),
        (["x", "--let", "x y=2"], "--let must be NAME=VALUE"),
        (["x", "--let", "x=[[1, 2], [3]]"], "must be a number or a nested list of numbers"),
        (["x", "--let", "x=__import__('os')"], "must be a number or a nested list"),
        (["x", "--let", "x='text'"], "must be a number or a nested list"),
        (["x * x", "--depth", "deep"], "argument --depth: must be a number, all or auto; got 'deep'"),
        (["x * x", "--direction", "up"], "argument --direction: invalid choice: 'up' (choose from "),
        (["x * x", "--theme", "pink"], "argument --theme: invalid choice: 'pink' (choose from "),
        (["x * x", "--values", "some"], "argument --values: invalid choice: 'some' (choose from "),
        (["x * x", "--gradients", "some"], "argument --gradients: invalid choice: 'some' (choose from "),
        (["x * x", "--format", "bmp"], "argument --format: invalid choice: 'bmp' (choose from "),
        (["x * x", "--focus", "nothing"], "focus must be the path of a module"),
        (["x * x", "-o", "graph.jpeg"], "the suffix of --out must be one of .gv, .dot, .svg"),
        (["x * x", "-o", "no/such/folder/graph.gv"], "must go to a file that can be written"),
        (["layer_norm(z, 9)"], "layer_norm"),
        (["x.data"], "got the attribute 'x.data'"),
    ],
)
def test_bad_input_gets_one_line_and_code_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        sys.exit(main(["graph", *arguments]))
    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("tinygrad-norm graph: ")
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_without_a_renderer_there_is_one_line_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "g.svg"
    done = run("x * x", "-o", str(path), TINYGRAD_NORM_DOT="/no/such/dot")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "TINYGRAD_NORM_DOT must name an executable" in done.stderr
    assert not path.exists()
    assert run("x * x", TINYGRAD_NORM_DOT="/no/such/dot").returncode == 0


def test_a_large_expression_can_be_forced(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "x * x", "--force"]) == 0
    assert "multiply_1" in capsys.readouterr().out
