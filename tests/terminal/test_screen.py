"""How wide, whether in color, and what must not reach a terminal."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_norm.terminal.files import visible
from tinygrad_norm.terminal.screen import colored, paint_for, plain, safe_json, text_width


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(("columns", "width"), [("20", 60), ("60", 60), ("80", 80), ("300", 100), ("", 92), ("x", 92)])
def test_the_width_is_the_terminal_s_within_bounds(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert text_width() == width


@pytest.mark.parametrize(
    ("variables", "painted"),
    [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_color_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], painted: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert paint_for(Terminal()) is (colored if painted else plain)
    assert paint_for(io.StringIO()) is plain


def test_paint() -> None:
    assert plain("x", "red") == "x"
    assert colored("", "red") == ""


@given(st.lists(st.text()))
def test_json_means_the_same_and_can_be_printed(texts: list[str]) -> None:
    written = safe_json(json.dumps(texts, ensure_ascii=False, indent=1))
    assert json.loads(written) == texts
    assert visible(written) == written
