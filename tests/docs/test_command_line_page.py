"""The reference of the command line says what the parsers say."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from types import ModuleType

import pytest

from tinygrad_norm.cli import COMMANDS, build_parser

Extension = Callable[[str], ModuleType]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_is_there_with_all_its_options(extension: Extension, name: str) -> None:
    module = extension("command_line")
    text = module.command_line()
    assert f"\n## {name}\n" in f"\n{text}"
    parser = module.subcommands(build_parser())[name]
    for action in parser._actions:
        for option in action.option_strings:
            assert option in text or option in ("-h", "--help")


def test_what_argparse_fills_in_is_filled_in(extension: Extension) -> None:
    parser = argparse.ArgumentParser(prog="tool", description="Do it.", epilog="See the guide.")
    parser.add_argument("file", metavar="FILE", help="what to read")
    parser.add_argument("--kind", choices=["a", "b"], default="a", help="one of %(choices)s (default: %(default)s)")
    parser.add_argument("-v", "--verbose", action="store_true", help="say 100%% more, as --kind=b does")
    parser.add_argument("--secret", help=argparse.SUPPRESS)
    inner = parser.add_subparsers().add_parser("inner", description="Deeper.")
    inner.add_argument("--depth", help="how deep")
    text = extension("command_line").section("tool", parser, depth=2)
    assert "| `FILE` | what to read |" in text
    assert "| `--kind {a,b}` | one of a, b (default: a) |" in text
    assert "| `-v`, `--verbose` | say 100% more, as `--kind=b` does |" in text
    assert "secret" not in text.partition("\n```\n")[2]
    assert "See the guide." in text
    assert "### tool inner\n\nDeeper." in text
    assert "| `--depth DEPTH` | how deep |" in text


def test_the_usage_does_not_depend_on_the_terminal(extension: Extension, monkeypatch: pytest.MonkeyPatch) -> None:
    module = extension("command_line")
    monkeypatch.setenv("COLUMNS", "40")
    narrow = module.command_line()
    monkeypatch.setenv("COLUMNS", "200")
    assert module.command_line() == narrow
