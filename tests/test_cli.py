"""The command line as a whole: its help and its guesses, streams that are closed or full, arguments nobody types."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import tinygrad_norm as tg
from tests.sweeps import share
from tinygrad_norm import commands
from tinygrad_norm.cli import COMMANDS, LONGEST, build_parser, main

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
@pytest.mark.parametrize("name", share([*SHORT]))
def test_a_full_disk_is_a_line(name: str, table: Path) -> None:
    code, err = shell(f"{COMMAND} {SHORT[name]} > /dev/full", table)
    assert code == 2
    assert err == "tinygrad-norm: the output must be written somewhere; got No space left on device.\n"


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize("name", ["norm"])
@pytest.mark.parametrize("closed", share([">&-", "<&- >&- 2>&-"], parts=2))
def test_closed_streams_are_no_traceback(name: str, closed: str, table: Path) -> None:
    code, err = shell(f"{COMMAND} {SHORT[name]} {closed}", table)
    assert (code, err) == (0, "")


def test_standard_input_that_is_closed_is_empty(table: Path) -> None:
    code, err = shell(f"{COMMAND} norm - <&-", table)
    assert (code, err.count("\n")) == (2, 1)
    assert "the file is empty" in err


BYTES = ["graph $'x\\xff'", "norm $'\\xff.csv'", "$'\\xff'"]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has arguments of any bytes")
@pytest.mark.parametrize("line", share(BYTES))
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


# What it tells of itself


def test_the_summaries_are_those_of_the_modules() -> None:
    folder = Path(next(iter(commands.__path__)))
    modules = {path.stem: import_module(f"{commands.__name__}.{path.stem}") for path in folder.glob("*.py")}
    assert {name: m.__doc__ for name, m in sorted(modules.items()) if hasattr(m, "run")} == COMMANDS


LOADED_BY = """
import sys
from tinygrad_norm.cli import main
try:
    main(sys.argv[1:])
finally:
    print(*sorted(m for m in sys.modules if m.startswith("tinygrad_norm.")), file=sys.stderr)
"""


def test_the_help_loads_no_command() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED_BY, "--help"], capture_output=True, text=True, check=True)
    rooms = {name.split(".")[1] for name in done.stderr.split()}
    assert "cli" in rooms
    assert not {"commands", "gradcheck", "lessons", "nn", "program", "viz"} & rooms


@pytest.mark.parametrize("group", [[], ["exercise"], ["lab"]])
def test_a_command_without_its_subcommand_prints_its_help(group: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for arguments in (group, [*group, "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        told.append((ended.value.code, *capsys.readouterr()))
    assert told[0] == told[1]
    assert (told[0][0], told[0][2]) == (0, "")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"tinygrad-norm {tg.__version__}\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lectur", "Did you mean lecture? See tinygrad-norm --help"),
        ("lab landscap", "Did you mean landscape? See tinygrad-norm lab --help"),
        ("lab train --norm layr", "Did you mean layer? See tinygrad-norm lab train --help"),
        ("exercise shw 7", "Did you mean show? See tinygrad-norm exercise --help"),
        ("exercise show meanbackward", "Did you mean mean-backward?"),
        ("graph neuron --seize=slide", "arguments: --seize=slide. Did you mean --size? See tinygrad-norm graph --help"),
        ("graph neuron --qqq", "unrecognized arguments: --qqq; see tinygrad-norm graph --help"),
        ("graph layernorm", "Did you mean layer_norm?"),
        ("graph sofmax(z)", "got 'sofmax'. Did you mean softmax? There are"),
        ("check layernorm", "Did you mean LayerNorm?"),
        ("program layrnorm", "Did you mean layer_norm?"),
        ("exercise list more", "unrecognized arguments: more; see tinygrad-norm exercise list --help"),
    ],
)
def test_a_mistyped_word_is_guessed(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(line.split())
    except SystemExit as error:
        code = error.code
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers without subcommands of their own."""
    groups = [a.choices.values() for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        yield parser
    for group in groups:
        for sub in group:
            yield from leaves(sub)


LEAVES = {leaf.prog.removeprefix("tinygrad-norm "): leaf for leaf in leaves(build_parser())}


@pytest.mark.parametrize("command", [c for c in LEAVES if c != "exercise start"])
def test_whatever_prints_data_prints_json(command: str) -> None:
    assert "--json" in LEAVES[command]._option_string_actions


@pytest.mark.parametrize("command", [c for c in LEAVES if c.startswith("lab ") and c != "lab list"])
def test_every_lab_has_a_small_version(command: str) -> None:
    assert {"--quick", "--seed", "--plot"} <= LEAVES[command]._option_string_actions.keys()


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("graph --list", {"layer", "what"}),
        ("graph neuron", {"nodes", "edges", "steps"}),
        ("exercise show 7 --solution", {"statement", "asked", "solution"}),
        ("exercise hint 7", {"hint", "of", "text"}),
    ],
)
def test_the_json_of_what_is_shown(line: str, holds: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*line.split(), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert holds <= (data[0] if isinstance(data, list) else data).keys()


def test_json_and_another_format_cannot_both_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "neuron", "--json", "--format", "svg"]) == 2
    assert "Name a file with --out." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("tinygrad-norm le", {"lecture "}), ("tinygrad-norm graph layer", {"layer_norm "})],
)
def test_the_shell_completes(typed: str, offered: set[str], tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    asked = {"COMP_LINE": typed, "COMP_POINT": str(len(typed)), "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "|"}
    environment = {**os.environ, **asked, "_ARGCOMPLETE_STDOUT_FILENAME": str(answer)}
    subprocess.run([sys.executable, "-m", "tinygrad_norm"], env=environment, check=True)
    assert set(answer.read_text(encoding="utf-8").split("|")) == offered
