"""The command ``tinygrad-norm lecture``, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tinygrad_norm.cli import main
from tinygrad_norm.commands.lecture import RENDERERS
from tinygrad_norm.lessons.document.as_data import lesson_data
from tinygrad_norm.lessons.document.as_text import lesson_text
from tinygrad_norm.lessons.lecture.all_steps import lecture
from tinygrad_norm.lessons.lecture.notes import VARIANTS
from tinygrad_norm.lessons.lecture.settings import Settings


def run(arguments: Sequence[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tinygrad_norm", "lecture", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_whole_lecture(tmp_path: Path) -> None:
    result = run([], tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == lesson_text(lecture())


def test_json_with_every_option(tmp_path: Path) -> None:
    options = ["--step", "6", "--variant", "last-page", "--ddof", "1", "--eps", "0.5", "--json"]
    result = run(options, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    data = json.loads(result.stdout)
    assert data == lesson_data(lecture(Settings("last-page", 1, 0.5), 6))
    assert data["settings"] == {"variant": "last-page", "ddof": 1, "eps": 0.5, "padded_layer_norm_eps": 0.5}


def test_json_holds_numbers_at_full_precision(tmp_path: Path) -> None:
    data = json.loads(run(["--json", "--step", "2"], tmp_path).stdout)
    first = data["steps"]["2"]["tables"]["normalized"]["rows"][0]["values"]
    assert first == pytest.approx([3 / 6.4**0.5, 7 / 6, -1 / 24**0.5], rel=1e-15)


@pytest.mark.parametrize("suffix", RENDERERS)
def test_out_writes_a_page(tmp_path: Path, suffix: str) -> None:
    result = run(["--out", f"page{suffix.upper()}"], tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"Wrote page{suffix.upper()}.\n"
    written = (tmp_path / f"page{suffix.upper()}").read_text(encoding="utf-8")
    assert written == RENDERERS[suffix](lecture())
    assert os.listdir(tmp_path) == [f"page{suffix.upper()}"]


def test_out_and_json_together(tmp_path: Path) -> None:
    result = run(["--out", "page.md", "--json", "--step", "7"], tmp_path)
    assert json.loads(result.stdout)["steps"].keys() == {"7"}
    assert (tmp_path / "page.md").exists()


BAD = [
    (["--step", "13"], "argument --step: invalid choice: 13 (choose from 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)"),
    (["--step", "two"], "argument --step: invalid int value: 'two'"),
    (["--variant", "x"], "argument --variant: invalid choice: 'x' (choose from "),
    (["--ddof", "2"], "argument --ddof: invalid choice: 2 (choose from 0, 1)"),
    (["--ddof", "one"], "argument --ddof: invalid int value: 'one'"),
    (["--eps", "-1"], "eps must be a finite number of at least 0; got -1."),
    (["--eps", "nan"], "got nan."),
    (["--eps", "inf"], "got inf."),
    (["--eps", "small"], "argument --eps: invalid float value: 'small'"),
    (["--out", "page.pdf"], "argument --out: must end in one of .html, .htm, .md, .markdown, which says what"),
    (["--out", "page"], "argument --out: must end in one of .html,"),
    (["--out", "missing/page.html"], "missing/page.html: cannot write the file: No such file or directory;"),
    (["--out", "folder.html"], "folder.html: cannot write the file: it is a directory;"),
    (["--out", "file.txt/page.md"], "file.txt/page.md: cannot write the file: "),
    (["--out", "x" * 300 + ".html"], ".html: cannot write the file: "),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(a)[:30] for a, _ in BAD])
def test_bad_input_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file.txt").write_text("mine", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    if message.startswith("argument "):
        with pytest.raises(SystemExit, match="2"):
            main(["lecture", *arguments])
    else:
        assert main(["lecture", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    assert error.startswith("tinygrad-norm lecture: ")
    assert message in error
    assert sorted(os.listdir(tmp_path)) == ["file.txt", "folder.html"]


def test_bad_input_from_a_shell(tmp_path: Path) -> None:
    result = run(["--variant", "page-9", "--out", "page.html"], tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_the_output_is_utf8_wherever_it_goes(tmp_path: Path, encoding: str) -> None:
    result = run(["--step", "1"], tmp_path, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == lesson_text(lecture(step=1))
    assert "missing−" in run(["--out", "missing−/p.md"], tmp_path, PYTHONIOENCODING=encoding, PYTHONUTF8="0").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--eps"], "lecture: argument --eps: expected one argument; see tinygrad-norm lecture --help"),
        (["--bogus"], "tinygrad-norm: unrecognized arguments: --bogus; see tinygrad-norm --help"),
    ],
)
def test_bad_arguments_are_one_line_too(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = run(arguments, tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_help_lists_the_variants(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["lecture", "--help"])
    assert caught.value.code == 0
    words = capsys.readouterr().out.replace(",", " ").split()
    assert set(VARIANTS) <= set(words)


def test_a_failed_write_leaves_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text("old", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tinygrad_norm.terminal.files.os.replace", full)
    assert main(["lecture", "--step", "1", "--out", str(page)]) == 2
    assert "page.html: cannot write the file: No space left on device" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["page.html"]
