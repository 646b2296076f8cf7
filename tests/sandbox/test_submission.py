"""Loading somebody's file, and saying in one line what it raised."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tinygrad_norm.sandbox import account, line_of, load, one_line


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where the file will be; what loading it changes is undone."""
    before, modules = list(sys.path), set(sys.modules)
    yield tmp_path / "answer.py"
    sys.path[:] = before
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return str(path)


def said(path: Path, text: str | bytes) -> str:
    file = write(path, text)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever the file raises
        load(file)
    return account(caught.value, file)


def test_a_file_is_loaded_as_a_module_that_is_not_main(path: Path) -> None:
    module = load(write(path, "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nname = __name__\n"))
    assert module.A(3).x == 3
    assert module.name == "submission"
    assert module.__file__ == str(path)


def test_a_file_has_its_own_future(path: Path) -> None:
    # This package postpones annotations; somebody's file need not.
    assert load(write(path, "def f(x: int): pass\n")).f.__annotations__ == {"x": int}


def test_modules_beside_the_file_do_not_hide_installed_ones(path: Path) -> None:
    path.with_name("json.py").write_text("1 / 0", encoding="utf-8")
    path.with_name("beside_it.py").write_text("value = 7", encoding="utf-8")
    assert load(write(path, "import json, beside_it\nvalue = json.loads('3') + beside_it.value\n")).value == 10


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1 +\n", "line 1: SyntaxError: invalid syntax"),
        (
            "def f():\nreturn 1\n",
            "line 2: IndentationError: expected an indented block after function definition on line 1",
        ),
        ("\n\n1 / 0\n", "line 3: ZeroDivisionError: division by zero"),
        ("def f():\n    return g()\ndef g():\n    return [][3]\nf()\n", "line 4: IndexError: list index out of range"),
        ("import no_such_module_here\n", "line 1: ModuleNotFoundError: No module named 'no_such_module_here'"),
        ("import sys\nsys.exit('bye')\n", "line 2: ends the program (sys.exit); return a value instead"),
        ("raise NotImplementedError('later')\n", "not written yet"),
        ("raise EOFError\n", "line 1: asks for keyboard input; use the arguments instead"),
        ("def f():\n    f()\nf()\n", "line 2: calls itself without end (RecursionError)"),
        ("raise MemoryError\n", "line 1: needs more memory than is allowed (MemoryError)"),
        ("raise KeyboardInterrupt\n", "line 1: KeyboardInterrupt"),
        ("raise ValueError('first\\nsecond')\n", "line 1: ValueError: first"),
        ("raise ValueError('\\x1b[31m\\ud800')\n", "line 1: ValueError: �[31m�"),
        ("class E(Exception):\n    def __str__(self): 1 / 0\nraise E\n", "line 3: E: (its message cannot be shown)"),
        ("raise ValueError('x' * 10**6)\n", "line 1: ValueError: " + "x" * 199 + "…"),
        (b"s = '\xff'\n", "line 1: SyntaxError: (unicode error) 'utf-8' codec can't decode byte 0xff in position 5: "),
        (b"\x00", "SyntaxError: source code string cannot contain null bytes"),
    ],
)
def test_whatever_it_raises_is_one_line(path: Path, text: str | bytes, line: str) -> None:
    # What Python says about characters it cannot read differs between its versions.
    if isinstance(text, bytes):
        assert "Error: " in said(path, text)
        assert "\n" not in said(path, text)
    else:
        assert said(path, text) == line


def test_a_missing_file(path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        load(str(path))
    assert account(caught.value, str(path)).startswith("FileNotFoundError: ")


def test_the_line_is_the_innermost_of_the_file(path: Path) -> None:
    module: Any = load(write(path, "import json\ndef f(x):\n    return json.loads(x)\n"))
    with pytest.raises(ValueError, match="Expecting value") as caught:
        module.f("?")
    assert line_of(caught.value, str(path)) == 3
    assert line_of(caught.value, "another.py") is None


def test_one_line_is_cut_where_asked() -> None:
    assert one_line("  abcdef\nghi", 4) == "abc…"
    assert one_line("") == ""
