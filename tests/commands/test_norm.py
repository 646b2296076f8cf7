"""The command norm as a user types it."""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tinygrad_norm
from tinygrad_norm.cli import main
from tinygrad_norm.commands import norm
from tinygrad_norm.terminal.progress import Progress

ROOT = Path(tinygrad_norm.__file__).resolve().parent.parent
HOW_TO = ROOT / "docs" / "how-to" / "normalize-your-own-table.md"

LECTURE = "token,z1,z2,z3\nHi,7,5,4\nyou,2,3,4\nare,1,2,3\nmy,7,5,6\nfriend,3,3,4\n"

Command = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Run the command in a process of its own, in a folder with the lecture's table."""
    (tmp_path / "t.csv").write_text(LECTURE, encoding="utf-8")

    def run(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "tinygrad_norm", "norm", *args],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
            check=False,
        )

    return run


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with the lecture's table as t.csv."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "t.csv"
    path.write_text(LECTURE, encoding="utf-8")
    return path


def test_in_a_process_of_its_own(command: Command, tmp_path: Path) -> None:
    done = command("t.csv", "--kind", "batch", "--eps", "0", "--csv", "out.csv")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert text.startswith("t.csv: 5 rows × 3 columns of numbers\n")
    assert "    Hi        1.185854    1.166667   −0.204124\n" in text
    rows = list(csv.reader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["token", "z1", "z2", "z3"]
    assert [row[0] for row in rows[1:]] == ["Hi", "you", "are", "my", "friend"]
    np.testing.assert_allclose([float(row[1]) for row in rows[1:]], np.array([3, -2, -3, 3, -1]) / 6.4**0.5)


def test_standard_input_to_standard_output(command: Command) -> None:
    done = command("-", "--csv", "-", "--kind", "batch", "--eps", "0", stdin=b"1;2,5\r\n3;0,5\r\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"-1,0;1,0\n1,0;-1,0\n", b"")


def test_a_reader_that_stops_reading(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("1,2\n3,4\n" * 20_000, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "tinygrad_norm", "norm", "t.csv", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def test_a_file_can_be_replaced_by_its_result(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["norm", "t.csv", "--kind", "batch", "--csv", "t.csv"]) == 0
    once = table.read_text(encoding="utf-8")
    assert once.startswith("token,z1,z2,z3\nHi,1.18")
    assert capsys.readouterr().out.startswith("t.csv: 5 rows")


BAD_FILES = {
    "ragged": b"a,b\n1,2\n3\n",
    "text in a number column": b"a,b\n1,2\n3,x\n",
    "NaN": b"a,b\n1,nan\n",
    "empty": b"",
    "header only": b"a,b\n",
    "no numbers": b"a,b\nc,d\n",
    "binary": b"\x89PNG\r\n\x1a\n\0\0\0",
    "not UTF-8": b"a\xff,1\n",
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_gives_one_line_and_no_output(table: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    table.write_bytes(BAD_FILES[case])
    (table.parent / "old.csv").write_text("old", encoding="utf-8")
    assert main(["norm", "t.csv", "--csv", "old.csv"]) == 2
    assert_one_line(capsys, "t.csv")
    assert (table.parent / "old.csv").read_text(encoding="utf-8") == "old"
    assert {p.name for p in table.parent.iterdir()} == {"t.csv", "old.csv"}


def assert_one_line(capsys: pytest.CaptureFixture[str], message: str) -> None:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tinygrad-norm norm: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv"], "missing.csv: cannot read the file: "),
        (["."], ".: cannot read the file: "),
        (["t.csv/inside"], "t.csv/inside: cannot read the file: "),
        (["t.csv", "--eps", "-1"], "eps must be a finite number of at least 0; got -1"),
        (["t.csv", "--weight", "1,2"], "weight must have one number for each of the 3 columns"),
        (["t.csv", "--kind", "rms", "--bias", "1,2,3"], "rms norm must be used without a bias"),
        (["t.csv", "--delimiter", ";"], "there is no column of numbers, with semicolon as the delimiter"),
        (["t.csv", "--delimiter", "#"], "there is no column of numbers, with '#' as the delimiter"),
        (["t.csv", "--encoding", "no-such"], "'no-such' is not an encoding of text"),
        (["t.csv", "--label", "q"], "t.csv: there is no column 'q'"),
        (["t.csv", "--mask", "q"], "t.csv: there is no column 'q'"),
        (["t.csv", "--mask", "token"], "t.csv, line 2, column 1 ('token'): a mask must be 1 or true"),
        (["t.csv", "--gradient", "1,1"], "t.csv: the gradient must be of a column of numbers; column 1 ('token')"),
        (["t.csv", "--gradient", "6,z1"], "t.csv: there is no row '6'"),
        (["t.csv", "--gradient", "1,z4"], "t.csv: there is no column 'z4'"),
        (["t.csv", "--csv", "."], ".: cannot write the file: "),
        (["t.csv", "--csv", "no/out.csv"], "no/out.csv: cannot write the file: "),
        (["t.csv", "--csv", "-", "--json"], "--json and --csv - must not both write to standard output"),
    ],
)
def test_what_does_not_fit_gives_one_line(
    table: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["norm", *arguments]) == 2
    assert_one_line(capsys, message)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--kind=group", "argument --kind: invalid choice: 'group' (choose from "),
        ("--ddof=2", "argument --ddof: invalid choice: 2 (choose from 0, 1); see tinygrad-norm norm --help"),
        ("--eps=small", "argument --eps: invalid float value: 'small'"),
        ("--weight=1;2;3", "argument --weight: invalid numbers value: '1;2;3'"),
        ("--bias=1,,2", "argument --bias: invalid numbers value: '1,,2'"),
        ("--header=maybe", "argument --header: invalid choice: 'maybe' (choose from "),
        ("--decimal=.", "argument --decimal: invalid choice: '.' (choose from "),
        ("--delimiter=ab", "argument --delimiter: must be one character that is in no number and no quote; got 'ab'"),
        ('--delimiter="', "argument --delimiter: must be one character"),
        ("--delimiter=.", "argument --delimiter: must be one character"),
        ("--gradient=1", "argument --gradient: invalid row_and_column value: '1'"),
        ("--gradient=", "argument --gradient: invalid row_and_column value: ''"),
    ],
)
def test_a_bad_argument_gives_one_line(
    table: Path, capsys: pytest.CaptureFixture[str], argument: str, message: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["norm", "t.csv", argument])
    assert_one_line(capsys, message)


@pytest.mark.parametrize(
    ("content", "encoding", "expected"),
    [
        ("token,z1,z2\nä,1,2\n".encode(), [], "token,z1,z2\nä,-1.0,1.0\n"),
        ("token,z1,z2\nä,1,2\n".encode("cp1252"), ["--encoding", "cp1252"], "token,z1,z2\nä,-1.0,1.0\n"),
        ("\ufefftoken,z1,z2\nä,1,2\n".encode(), [], "\ufefftoken,z1,z2\nä,-1.0,1.0\n"),
    ],
)
def test_what_is_written_is_utf8_and_keeps_its_mark(
    table: Path, content: bytes, encoding: list[str], expected: str
) -> None:
    table.write_bytes(content)
    assert main(["norm", "t.csv", "--eps", "0", "--csv", "out.csv", *encoding]) == 0
    assert (table.parent / "out.csv").read_bytes() == expected.encode()


def test_batch_norm_needs_two_real_rows(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text("z,real\n5,1\n0,0\n", encoding="utf-8")
    assert main(["norm", "t.csv", "--kind", "batch", "--mask", "real"]) == 2
    assert_one_line(capsys, "batch norm must have at least two real rows")
    table.write_text("z,real\n5,0\n0,0\n", encoding="utf-8")
    assert main(["norm", "t.csv", "--mask", "real"]) == 2
    assert_one_line(capsys, "t.csv: every row is a pad by the mask 'real'")


def data_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["norm", *arguments, "--json"]) == 0
    data: dict[str, object] = json.loads(capsys.readouterr().out)
    return data


def test_json(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = data_of(capsys, "t.csv", "--ddof", "1", "--eps", "0.5", "--weight=-1,2,3", "--bias", "1,2,3")
    assert (data["kind"], data["ddof"], data["eps"]) == ("layer", 1, 0.5)
    assert (data["weight"], data["bias"]) == ([-1, 2, 3], [1, 2, 3])
    x = np.array([[7, 5, 4], [2, 3, 4], [1, 2, 3], [7, 5, 6], [3, 3, 4]])
    centered = x - x.mean(axis=1, keepdims=True)
    normalized = centered / np.sqrt(x.var(axis=1, ddof=1, keepdims=True) + 0.5)
    steps = data["steps"]
    assert isinstance(steps, dict)
    np.testing.assert_allclose(steps["output"], normalized * [-1, 2, 3] + [1, 2, 3], rtol=1e-14)


@pytest.mark.parametrize(
    ("gradient", "row", "column"),
    [
        ([], 1, "z1"),
        (["--gradient", "3,4"], 3, "z3"),
        (["--gradient", "friend,z2"], 5, "z2"),
        (["--gradient", '"friend","z2"'], 5, "z2"),
    ],
)
def test_the_entry_of_the_gradient(
    table: Path, capsys: pytest.CaptureFixture[str], gradient: list[str], row: int, column: str
) -> None:
    found = data_of(capsys, "t.csv", *gradient)["gradient"]
    assert isinstance(found, dict)
    assert (found["row"], found["column"]) == (row, column)


def test_the_first_real_row_is_differentiated(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text("token,a,b\npad,0,0\nHi,1,2\n", encoding="utf-8")
    data = data_of(capsys, "t.csv", "--mask", "zeros")
    assert data["real"] == [False, True]
    assert data["gradient"]["row"] == 2  # type: ignore[index]


def test_a_mask_is_no_label_of_rows(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text("a,b,real\n1,3,1\n3,5,1\n0,0,0\n", encoding="utf-8")
    data = data_of(capsys, "t.csv", "--mask", "3", "--gradient", "1,a")
    assert data["columns"] == ["a", "b"]
    assert data["gradient"]["row"] == 1  # type: ignore[index]


def test_how_the_file_is_written_can_be_said(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_bytes('id#2019#2020\n1#"1,5"#2\nä#3#4\n'.encode("cp1252"))
    said = "--delimiter # --header yes --label id --decimal comma --encoding cp1252"
    data = data_of(capsys, "t.csv", *said.split())
    assert data["columns"] == ["2019", "2020"]
    assert data["text"] == {"1": {"name": "id", "cells": ["1", "ä"]}}
    assert data["steps"]["x"] == [[1.5, 2], [3, 4]]  # type: ignore[index]


@pytest.mark.parametrize("name", ["tab", r"\t", "\t"])
def test_a_delimiter_by_its_name(table: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    table.write_text("1\t2\n", encoding="utf-8")
    assert data_of(capsys, "t.csv", "--delimiter", name)["columns"] == ["column 1", "column 2"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_goes_to_the_terminal_and_goes_away(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ticks = iter(range(1000))
    monkeypatch.setattr(norm, "Progress", functools.partial(Progress, clock=lambda: float(next(ticks))))
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    assert main(["norm", "t.csv", "--csv", "out.csv"]) == 0
    shown = stderr.getvalue()
    for stage in ("reading", "normalizing", "differentiating", "writing"):
        assert f"\r{stage} " in shown
    assert shown.endswith("\r" + " " * len("differentiating  50%") + "\r")
    assert main(["norm", "t.csv", "--json"]) == 0
    assert "\rwriting " in stderr.getvalue()[len(shown) :]


def test_no_progress_inside_of_output_on_a_terminal(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1000))
    monkeypatch.setattr(norm, "Progress", functools.partial(Progress, clock=lambda: float(next(ticks))))
    both = Terminal()
    monkeypatch.setattr(sys, "stderr", both)
    monkeypatch.setattr(sys, "stdout", both)
    assert main(["norm", "t.csv", "--csv", "-"]) == 0
    before, _, after = both.getvalue().partition("token,z1,z2,z3\n")
    assert before.endswith(" \r")
    assert "\r" not in after


def test_help_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["norm", "--help"])
    text = capsys.readouterr().out
    for flag in ("--kind", "--mask", "--ddof", "--eps", "--weight", "--bias", "--gradient", "--json", "--csv"):
        assert flag in text


def test_the_guide_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command of the guide runs and prints what is shown below it, up to the sign of a cut."""
    monkeypatch.chdir(tmp_path)
    text = HOW_TO.read_text(encoding="utf-8")
    (content,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    Path("tokens.csv").write_text(content, encoding="utf-8")
    Path("broken.csv").write_text("token,x1\nHi,1\nyou,O.5\n", encoding="utf-8")
    blocks = re.findall(r"```console\n\$ tinygrad-norm (.*?)\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 5
    for arguments, shown in blocks:
        code = main(shlex.split(arguments))
        out, err = capsys.readouterr()
        assert code == (2 if "broken" in arguments else 0)
        start, cut, _ = shown.partition("…\n")
        assert start
        assert (out + err).startswith(start) if cut else out + err == shown
    with pytest.raises(SystemExit, match="0"):
        main(["norm", "--help"])
    usage = capsys.readouterr().out
    for flag in re.findall(r"`(--[a-z]+)", text):
        assert f"  {flag} " in usage
