"""The plugin as a teacher and a student meet it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path

import pytest

import tinygrad_norm

ROOT = Path(tinygrad_norm.__file__).resolve().parent.parent

LAYERS = """
import numpy as np

def layer_norm(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)

def layer_norm_backward(g, x):
    return (g - g.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
"""
TEST = """
from layers import layer_norm, layer_norm_backward
import numpy as np

def test_layer_norm(gradcheck):
    gradcheck(layer_norm, np.random.default_rng(0).normal(size=(3, 5)), backward=layer_norm_backward)
"""
MORE = """
import numpy as np
import tinygrad_norm as tg

X = np.random.default_rng(0).normal(size=(3, 5))

def test_an_assertion_of_the_report():
    assert tg.check_vjp(np.exp, lambda g, x: -g * np.exp(x), X)

def test_an_assertion_of_its_attribute():
    report = tg.check_vjp(np.exp, lambda g, x: 2 * g * np.exp(x), X)
    assert report.ok

def test_a_right_one(gradcheck):
    assert gradcheck(tg.exp, X, order=2)

def test_another_failure():
    assert 1 == 2

def test_an_error():
    raise ValueError("mine")
"""


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest prints for a teacher's and a student's files."""
    folder = tmp_path_factory.mktemp("course")
    for name, text in (("layers", LAYERS), ("test_layers", TEST), ("test_more", MORE)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    # In a gate pytest repeats whole messages in its summary; a student's terminal is what is looked at here.
    terminal = {name: value for name, value in os.environ.items() if name not in ("CI", "BUILD_NUMBER")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tinygrad_norm.pytest_plugin", "-p", "no:cacheprovider", "-q"],
        capture_output=True,
        cwd=folder,
        env={**terminal, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 1
    return done.stdout


def test_five_lines_of_a_teacher_give_a_student_the_diagnosis(output: str) -> None:
    assert "E       AssertionError: the gradients are wrong" in output
    assert "E         probable mistake: the path through the VARIANCE is missing along axis 1" in output
    # The report is the message already: not once more below it, and none of our own code above it.
    assert output.count("the path through the VARIANCE is missing") == 1
    assert "api.py" not in output


def test_a_plain_assertion_shows_the_report_too(output: str) -> None:
    assert "5 failed, 1 passed" in output
    assert output.count("- gradient check -") == 2
    assert "\n  probable mistake: the sign is flipped\n" in output
    assert "\n  probable mistake: twice too large: something is counted two times\n" in output


def test_an_installed_package_offers_the_plugin() -> None:
    try:
        version("tinygrad-norm")
    except PackageNotFoundError:
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        assert '[project.entry-points.pytest11]\n"tinygrad_norm.pytest_plugin" = "tinygrad_norm.pytest_plugin"' in text
    else:
        assert "tinygrad_norm.pytest_plugin" in {point.value for point in entry_points(group="pytest11")}
