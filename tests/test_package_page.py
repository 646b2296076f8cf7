"""What a package index shows of the README: no link that leads nowhere."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
RELATIVE = re.compile(r"\]\((?!https?:)")


@pytest.fixture
def page() -> Callable[[str, str], str]:
    pytest.importorskip("hatchling", reason="the page is made while the package is built, by hatchling")
    spec = importlib.util.spec_from_file_location("package_page", PROJECT / ".ci" / "package_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Callable[[str, str], str] = module.page
    return made


def test_with_an_address_every_link_leads_into_the_repository(page: Callable[[str, str], str]) -> None:
    shown = page(README, "https://example.org/repository")
    assert not RELATIVE.search(shown)
    assert "(https://example.org/repository/raw/main/docs/pictures/chain_rule.svg)" in shown
    assert "[the engine](https://example.org/repository/blob/main/docs/explanation/design.md)" in shown


def test_without_one_the_text_stays_and_no_link_is_left(page: Callable[[str, str], str]) -> None:
    assert RELATIVE.search(README)
    shown = page(README, "")
    assert not RELATIVE.search(shown)
    assert "is read in an evening is\nthe engine: " in shown
    assert "*The graph of" in shown


@pytest.mark.parametrize("address", ["", "https://example.org/repository"])
def test_links_that_are_whole_stay(page: Callable[[str, str], str], address: str) -> None:
    assert page("[a](https://b.example/c)", address) == "[a](https://b.example/c)"
