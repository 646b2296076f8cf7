"""A class graded by pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tinygrad_norm.lessons.exercises.exercise_files import stub_text
from tinygrad_norm.lessons.exercises.tasks import EXERCISES

ROOT = Path(__file__).resolve().parent.parent


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_each_point_is_a_test(tmp_path: Path) -> None:
    solution = EXERCISES[7].solution
    wrong = solution.replace("g - g.mean", "g + g.mean")
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "exercise_07.py").write_text(f"import numpy as np\n{solution}", encoding="utf-8")
    (tmp_path / "bob_exercise_07.py").write_text(f"import numpy as np\n{wrong}", encoding="utf-8")
    (tmp_path / "eve_exercise_07.py").write_text("while True: pass", encoding="utf-8")
    (tmp_path / "helper.py").write_text("1 / 0", encoding="utf-8")
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n", encoding="utf-8")
    done = run_pytest(tmp_path, "-p", "tinygrad_norm.pytest_exercises", ".", "--exercise-seconds", "2", "-rA")
    assert done.returncode == 1
    assert "3 failed, 4 passed" in done.stdout
    for line in (
        "PASSED ada/exercise_07.py::mean_backward: through the mean",
        "PASSED ada/exercise_07.py::center_backward: through x − mean",
        "PASSED bob_exercise_07.py::mean_backward: through the mean",
        "FAILED bob_exercise_07.py::center_backward: through x − mean",
        "PASSED test_own.py::test_own",
        "wrong  through x − mean  what comes through the mean has the wrong sign",
        "wrong  through the mean  the file, when it is loaded, does not end within 2 s",
    ):
        assert line in done.stdout
    assert "Traceback" not in done.stdout


def test_a_file_by_name_is_never_imported(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "how-to" / "run-a-class.md").read_text(encoding="utf-8")
    (line,) = [line for line in guide.splitlines() if line.startswith("pytest_plugins")]
    (tmp_path / "conftest.py").write_text(line, encoding="utf-8")
    (tmp_path / "test_mine.py").write_text(stub_text(EXERCISES[7]) + "\nraise NotImplementedError\n", encoding="utf-8")
    done = run_pytest(tmp_path, "test_mine.py", "-q")
    assert done.returncode == 1
    assert "2 failed" in done.stdout
    assert "the file does not run: not written yet" in done.stdout
    assert "error" not in done.stdout.lower().replace("pointnotmadeerror", "")
