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


def test_the_test_file_of_a_teacher_is_the_one_that_the_plugin_is_tested_with(root: Path, guide: Path) -> None:
    (test_file,) = (b for b in blocks(guide, "python") if "def test_" in b)
    tested = (root / "tests" / "test_pytest_plugin.py").read_text(encoding="utf-8")
    assert " ".join(test_file.split()) in " ".join(tested.split())


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
    # The files of these guides are run by the tests of the commands exercise and lecture; the GPT, JAX and ONNX have
    # their own.
    held = {
        guide.name,
        "outgrow-one-machine.md",
        "serve-a-model-with-onnx.md",
        "run-a-class.md",
        "write-an-exercise.md",
        "write-a-lesson.md",
        "a-gpt-in-100-lines.md",
    }
    assert [(p.name, b) for p in pages if p.name not in held for b in blocks(p, "python")] == []
