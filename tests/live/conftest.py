"""The modules that build the live page, and npm's packages, importable as they are for Sphinx."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="session")
def live_page() -> Iterator[ModuleType]:
    folders = [str(DOCS / "_ext"), str(DOCS / "live")]
    sys.path[:0] = folders
    yield import_module("live_page")
    for folder in folders:
        sys.path.remove(folder)


@pytest.fixture(scope="session")
def glue(live_page: ModuleType) -> ModuleType:
    return import_module("glue")


@pytest.fixture(scope="session")
def npm() -> Path:
    """Npm's packages. Where they are missing, the tests that need them say so; inside the gate they must be there."""
    folder = Path(os.environ.get("NODE_MODULES") or DOCS.parent / ".npm" / "node_modules")
    needed = ("pyodide", "pinned-pyodide", "@viz-js/viz", "esbuild", "@codemirror/lang-python", "@lezer/highlight")
    missing = [name for name in needed if not (folder / name).is_dir()]
    if missing:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"these tests need {', '.join(missing)} from npm in {folder}: see the first lines of .ci/run")
    return folder
