"""The page as it is built: what it may load, what that must be, and how large its own code is."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from types import ModuleType

import pytest

from tinygrad_norm.lessons import document

LIVE = Path(__file__).resolve().parents[2] / "docs" / "live"


def test_its_own_code_is_small() -> None:
    assert sum(path.stat().st_size for path in LIVE.iterdir() if path.is_file()) <= 60_000


def test_nothing_is_ever_read_as_html() -> None:
    for path in LIVE.glob("*.js"):
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert word not in path.read_text(encoding="utf-8"), path.name


def test_its_policy_names_the_site_and_the_pinned_release_only(live_page: ModuleType) -> None:
    rules = dict(rule.split(" ", 1) for rule in live_page.policy(live_page.PINNED).split("; "))
    *places, lecture = rules["script-src"].split()
    assert places == ["'self'", "blob:", "'wasm-unsafe-eval'"]
    # The script that moves the lecture's pictures, and no other.
    script = Path(document.__file__).with_name("moving.js").read_bytes()
    assert lecture == f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
    assert rules["connect-src"].split() == [
        "'self'",
        "https://cdn.jsdelivr.net/npm/pyodide@314.0.7/",
        "https://cdn.jsdelivr.net/pyodide/v314.0.7/full/",
    ]
    assert rules["default-src"] == "'none'"


def test_the_sums_are_those_of_the_release(live_page: ModuleType, npm: Path) -> None:
    released = npm / "pinned-pyodide"
    assert json.loads((released / "package.json").read_text(encoding="utf-8"))["version"] == live_page.PINNED.version
    *files, numpy = live_page.PINNED.files
    for file in files:
        content = (released / file.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256), file.name
    locked = json.loads((released / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]["numpy"]
    assert (locked["file_name"], locked["sha256"]) == (numpy.name, numpy.sha256)
    assert tuple(map(int, locked["version"].split(".")[:2])) >= (2, 1)


def test_without_npm_the_page_says_that_it_is_not_there(
    live_page: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_MODULES", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    assert live_page.node_modules() is None
    live_page.write_live_page(tmp_path, None)
    assert "Not in this copy" in (tmp_path / "live" / "index.html").read_text(encoding="utf-8")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(LookupError, match="the live page needs @viz-js/viz, esbuild"):
        live_page.node_modules()
