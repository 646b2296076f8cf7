"""The files that guides show are run as the guides say, and print what the guides print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
# What a machine's rounding decides: error bars, leftovers, the number of evaluations.
MEASURED = re.compile(r"\d(?:\.\d+)?e[-−]\d+|\d+ forward evaluations")

STUDENT = """
import numpy as np

def layer_norm(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)

def layer_norm_backward(g, x):
    return (g - g.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
"""


def blocks(page: Path, language: str) -> list[str]:
    found = FENCE.finditer(page.read_text(encoding="utf-8"))
    return [b["body"] for b in found if b["language"] == language and not b["body"].startswith(">>>")]


@pytest.fixture
def guide(docs: Path) -> Path:
    return docs / "how-to" / "check-a-gradient.md"


def run(root: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8"},
        check=False,
        encoding="utf-8",
    )


def test_the_test_file_of_a_teacher(root: Path, guide: Path, tmp_path: Path) -> None:
    (test_file,) = (b for b in blocks(guide, "python") if "def test_" in b)
    (tmp_path / "test_layers.py").write_text(test_file, encoding="utf-8")
    (tmp_path / "layers.py").write_text(STUDENT, encoding="utf-8")
    done = run(root, tmp_path, "pytest", "-p", "tinygrad_norm.pytest_plugin", "-p", "no:cacheprovider", "-q")
    assert done.returncode == 1
    assert "the path through the VARIANCE is missing along axis 1" in done.stdout


def test_the_file_of_a_learner(root: Path, guide: Path, tmp_path: Path) -> None:
    (file,) = (b for b in blocks(guide, "python") if "SAMPLES" in b)
    (tmp_path / "exercise.py").write_text(file, encoding="utf-8")
    (session,) = (b for b in blocks(guide, "console") if "exercise.py" in b)
    command, _, printed = session.partition("\n")
    done = run(root, tmp_path, "tinygrad_norm", *command.split()[2:])
    assert done.returncode == 1
    assert MEASURED.sub("…", done.stdout.strip()) == MEASURED.sub("…", printed.strip())


def test_no_other_file_is_shown(guide: Path, pages: list[Path]) -> None:
    """Whatever else stands in a block of Python is an example with prompts, which doctest runs."""
    assert len(blocks(guide, "python")) == 2
    assert [(p.name, b) for p in pages if p != guide for b in blocks(p, "python")] == []
