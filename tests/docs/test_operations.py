"""The table of operations says what the registry says."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

import tinygrad_norm as tg
from tinygrad_norm.engine.primitive import PRIMITIVES

Extension = Callable[[str], ModuleType]
NATIVE = [p for p in PRIMITIVES.values() if p.native]


@pytest.fixture(scope="module")
def rows(extension: Extension) -> dict[str, list[str]]:
    """The cells of each row by the operation's name."""
    lines = [line for line in extension("operations").operations().splitlines() if line.startswith("| `")]
    cells = [line.replace("\\|", "¦").strip("| ").split(" | ") for line in lines]
    return {c[0].strip("`").partition("(")[0]: c for c in cells}


def test_each_primitive_has_one_row(rows: dict[str, list[str]]) -> None:
    assert sorted(rows) == sorted(p.name for p in NATIVE)


@pytest.mark.parametrize("p", NATIVE, ids=lambda p: p.name)
def test_a_row_holds_the_declaration(extension: Extension, rows: dict[str, list[str]], p: tg.Primitive) -> None:
    plain = extension("markdown_table").plain
    _, computes, rules, saves = (cell.replace("¦", "\\|") for cell in rows[p.name])
    assert computes.startswith(plain(p.formula))
    assert plain(p.note) in computes
    for name, rule in zip(p.inputs, p.rule, strict=True):
        assert f"`{name}`: {plain(rule) or 'none'}" in rules.split("<br>")
    for name in {name for names in p.saves for name in names}:
        assert f"`{name}`" in saves
    assert (saves == "nothing") == (not any(p.saves))


def test_operations_of_a_user_are_not_in_it(extension: Extension) -> None:
    tg.elementwise(lambda x, /: x**3, name="guest", vjp=lambda g, x: (g * 3 * x * x,), samples=[tg.sample((3,))])
    assert "guest" in PRIMITIVES
    assert "guest" not in extension("operations").operations()
