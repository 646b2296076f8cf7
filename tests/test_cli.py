"""The command line under streams that are closed or full, and arguments that nobody should type."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_norm.cli import LONGEST, main

COMMAND = f"{sys.executable} -m tinygrad_norm"
SHORT = {"exercise": "exercise list", "graph": "graph neuron", "norm": "norm table.csv"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "table.csv").write_text("a,b\\n1,2\\n3,5\\n".replace("\\n", "\n"), encoding="utf-8")
    return tmp_path


def shell(line: str, folder: Path) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(line, shell=True, cwd=folder, capture_output=True, env=environment, timeout=100, check=False)
    return done.returncode, done.stderr.decode()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("name", SHORT)
def test_a_full_disk_is_a_line(name: str, table: Path) -> None:
    code, err = shell(f"{COMMAND} {SHORT[name]} > /dev/full", table)
    assert code == 2
    assert err == "tinygrad-norm: the output must be written somewhere; got No space left on device.\n"


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize("name", ["norm"])
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_traceback(name: str, closed: str, table: Path) -> None:
    code, err = shell(f"{COMMAND} {SHORT[name]} {closed}", table)
    assert (code, err) == (0, "")


def test_standard_input_that_is_closed_is_empty(table: Path) -> None:
    code, err = shell(f"{COMMAND} norm - <&-", table)
    assert (code, err.count("\n")) == (2, 1)
    assert "the file is empty" in err


BYTES = ["graph $'x\\xff'", "norm $'\\xff.csv'", "$'\\xff'"]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has arguments of any bytes")
@pytest.mark.parametrize("line", BYTES)
def test_arguments_that_are_no_text(line: str, tmp_path: Path) -> None:
    code, err = shell(f'exec bash -c "{COMMAND} {line}"', tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("tinygrad-norm")


STRANGE = ["1" * 5000, "-" + "9" * 5000, "1e99999", "٣" * 300, "\x1b[2J\u202e"]
TAKES_ONE = [["exercise", "hint", "7", "--step"], ["norm", "table.csv", "--eps"], ["exercise", "show"], ["check"]]


@pytest.mark.parametrize("number", ["1" * 5000, "-" + "9" * 5000, "1e99999", "٣" * 300])
@pytest.mark.parametrize(
    "arguments", [["exercise", "hint", "7", "--step"], ["norm", "table.csv", "--eps"], ["exercise", "show"]]
)
def test_numbers_that_nobody_types(
    number: str, arguments: list[str], table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(table)
    try:
        code = main([*arguments, number])
    except SystemExit as error:
        code = error.code
    told = capsys.readouterr()
    assert code in (0, 2)
    assert len(told.err) < LONGEST + 200
    assert told.err.replace("\n", "").isprintable()
    assert told.err.count("\n") == (code == 2)
