"""The modules that build the site, importable as they are for Sphinx."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def docs() -> Path:
    return ROOT / "docs"


@pytest.fixture(scope="session")
def pages(docs: Path) -> list[Path]:
    """The pages in Markdown, without what a build has left."""
    return sorted(p for p in docs.rglob("*.md") if "_build" not in p.parts)


@pytest.fixture(scope="session")
def extension() -> Iterator[Callable[[str], ModuleType]]:
    """Import a module of ``docs/_ext`` by its name."""
    folder = str(ROOT / "docs" / "_ext")
    sys.path.insert(0, folder)
    yield import_module
    sys.path.remove(folder)
