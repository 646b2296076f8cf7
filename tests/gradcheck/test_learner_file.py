"""A learner's file: how the function, its backward pass and its points are found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck.learner_file import check_file, check_job

HEAD = "import numpy as np\nimport tinygrad_norm as tg\nX = np.linspace(-1, 2, 15).reshape(3, 5)\n"

Checked = Callable[..., dict[str, Any]]


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where the learner's file will be; what loading it changes is undone."""
    before, modules = list(sys.path), set(sys.modules)
    yield tmp_path / "exercise.py"
    sys.path[:] = before
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.fixture
def check(path: Path) -> Checked:
    """``check(source, function)``: the result for a file with this source."""

    def run(source: str, function: str = "f", order: int = 1) -> dict[str, Any]:
        path.write_text(HEAD + source, encoding="utf-8")
        return check_file(path, function, order, 0)

    return run


@pytest.fixture
def said(path: Path) -> Callable[..., str]:
    """``said(source, function)``: the one line that is reported."""

    def run(source: str, function: str = "f", order: int = 1, head: str = HEAD) -> str:
        path.write_text(head + source, encoding="utf-8")
        (result,) = check_job(str(path), function, order, 0)
        error: str = result["error"]
        assert "\n" not in error
        return error

    return run


def test_a_pair_at_the_points_of_samples(check: Checked) -> None:
    result = check(
        "def f(x, scale=2.0):\n    return scale * np.exp(x)\n"
        "def f_backward(g, out, x):\n    return g * out\n"
        "SAMPLES = {'f': [(X,), (X[0],)], 'other': []}\n"
    )
    assert result["ok"]
    assert result["kind"] == "hand-written pair"
    assert len(result["reports"]) == 2
    assert result["texts"][1].startswith("sample 2 of 2\nx (5,): right")


def test_samples_may_be_a_list_and_a_sample_one_array(check: Checked) -> None:
    assert check("def f(x):\n    return tg.exp(x)\nSAMPLES = [X, tg.Tensor(X), 0.5]\n")["ok"]


def test_a_function_of_tensors_at_the_defaults_of_its_arrays(check: Checked) -> None:
    result = check("def f(axis=-1, x=X, w=np.ones(5)):\n    return tg.exp(x * w).sum(axis)\n", order=2)
    assert result["ok"]
    assert result["kind"] == "function of Tensors"
    assert [entry["name"] for entry in result["reports"][0]["entries"]] == ["x", "w", "x", "w", "g"]


def test_numbers_are_inputs_where_there_are_no_arrays(check: Checked) -> None:
    (report,) = check("def f(x=0.5, y=2.0, n=3):\n    return x**n * y\n")["reports"]
    assert [entry["name"] for entry in report["entries"]] == ["x", "y"]


def test_a_wrong_pair_is_diagnosed(check: Checked) -> None:
    result = check("def f(x=X):\n    return np.exp(x)\ndef f_backward(g, x):\n    return -g * np.exp(x)\n")
    assert not result["ok"]
    assert result["reports"][0]["code"] == "sign-flipped"
    assert "probable mistake: the sign is flipped" in result["texts"][0]


def test_files_beside_it_can_be_imported(check: Checked, path: Path) -> None:
    path.with_name("beside.py").write_text("def slope(x):\n    return 2 * x\n", encoding="utf-8")
    assert check(
        "import beside\ndef f(x=X):\n    return x * x\ndef f_backward(g, x):\n    return g * beside.slope(x)\n"
    )["ok"]


@pytest.mark.parametrize(
    ("source", "function", "message"),
    [
        ("def f(x):\n    return x\n", "f", "must say where to check f"),
        ("def f(x=X):\n    return x\n", "h", "must define a function called h; it defines f."),
        ("f = 3\n", "f", "must define a function called f; it defines no function."),
        ("def f(x=X):\n    return x\ndef f_backward(g, x):\n    return g\n", "f_backward", "name its forward pass, f,"),
        ("def f(x):\n    return x\nSAMPLES = []\n", "f", "got list without entries"),
        ("def f(x):\n    return x\nSAMPLES = 7\n", "f", "SAMPLES must be a list of argument tuples for f"),
        ("def f(x):\n    return x\nSAMPLES = ['x']\n", "f", "a sample of f must be a tuple of arguments; got str"),
        ("def f(x=X):\n    return 'text'\n", "f", "must return a Tensor or a tuple of Tensors; got str"),
        ("def f(x=X):\n    return np.exp(x)\ndef f_backward(g, x):\n    return 'text'\n", "f", "array of real numbers"),
    ],
)
def test_what_is_missing_is_said_in_three_parts(
    said: Callable[..., str], source: str, function: str, message: str
) -> None:
    line = said(source, function)
    assert message in line
    assert line.endswith((".", "]}."))


def test_a_pair_has_one_order(said: Callable[..., str]) -> None:
    source = "def f(x=X):\n    return np.exp(x)\ndef f_backward(g, x):\n    return g * np.exp(x)\n"
    assert "a hand-written pair is checked at order 1; got --order 2" in said(source, order=2)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f(x=X:\n", "exercise.py, line 4: SyntaxError: "),
        ("1 / 0\n", "exercise.py, line 4: ZeroDivisionError: division by zero"),
        ("def f(x=X):\n    raise KeyError('a\\nb')\n", "exercise.py, line 5: KeyError: 'a\\nb'"),
        ("def f(x=X):\n    return x @ X\n", "exercise.py, line 5: ShapeError: matmul: "),
        ("def f(x=X):\n    return f(x)\n", "exercise.py, line 5: calls itself without end (RecursionError)"),
        ("import nothing_like_it\n", "exercise.py, line 4: ModuleNotFoundError: "),
        ("class E(Exception):\n    pass\nraise E\n", "exercise.py, line 6: E"),
        ("import sys\nsys.exit(3)\n", "exercise.py, line 5: ends the program (sys.exit)"),
        ("SAMPLES = [(X, X)]\ndef f(x):\n    return x\n", "exercise.py:f: TypeError: "),
    ],
)
def test_what_the_file_raises_is_one_line_with_its_place(said: Callable[..., str], source: str, message: str) -> None:
    assert said(source).startswith(message)


def test_a_file_that_python_cannot_load(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("hello", encoding="utf-8")
    with pytest.raises(tg.InputError, match=r"must be a Python file; got the suffix '\.txt'"):
        check_file(other, "f", 1, 0)
