"""The link check finds what is dead, and only that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Extension = Callable[[str], ModuleType]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "index.html").write_text(
        '<a href="deep/page.html#here">1</a> <a href="#top">2</a> <img src="a%20b.svg">'
        '<a href="https://example.org/gone">3</a> <a href="mailto:a@example.org">4</a> <p id="top">',
        encoding="utf-8",
    )
    (tmp_path / "deep" / "page.html").write_text('<p id="here"> <a href="../index.html">up</a>', encoding="utf-8")
    (tmp_path / "a b.svg").write_text("<svg/>", encoding="utf-8")
    return tmp_path


def test_a_site_without_dead_links(extension: Extension, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert extension("site_links").main([str(site)]) == 0
    assert "no dead link" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("planted", "line"),
    [
        ('<a href="gone.html">', "planted.html: gone.html: no such file"),
        ('<a href="index.html#gone">', "planted.html: index.html#gone: no id 'gone' there"),
        ('<a href="#gone">', "planted.html: #gone: no id 'gone' there"),
        ('<img src="deep/gone.png">', "planted.html: deep/gone.png: no such file"),
        (
            '<script src="https://example.org/a.js"></script>',
            "planted.html: https://example.org/a.js: loaded from another site",
        ),
        (
            '<link rel="stylesheet" href="//example.org/a.css">',
            "planted.html: //example.org/a.css: loaded from another site",
        ),
    ],
)
def test_a_planted_link_is_found(
    extension: Extension, site: Path, capsys: pytest.CaptureFixture[str], planted: str, line: str
) -> None:
    (site / "planted.html").write_text(planted, encoding="utf-8")
    assert extension("site_links").main([str(site)]) == 1
    assert capsys.readouterr().out.splitlines() == [line]


def test_no_site_is_an_error(extension: Extension, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert extension("site_links").main([str(tmp_path)]) == 2
    assert "Run Sphinx first" in capsys.readouterr().err
