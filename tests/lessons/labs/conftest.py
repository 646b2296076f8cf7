"""What the tests of the labs share: a few reviews instead of thousands, and a stream that is a terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from tinygrad_norm.lessons.labs import train_reviews


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal() -> io.StringIO:
    """A stream that says it is a terminal."""
    return Terminal()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on 48 reviews and test with 16 others."""
    monkeypatch.setattr(train_reviews, "TRAINING", 48)
    monkeypatch.setattr(train_reviews, "HELD_OUT", 16)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that makes a package impossible to import."""

    def hide(package: str) -> None:
        for name in [m for m in sys.modules if m.split(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)  # type: ignore[arg-type]  # what import takes for missing

    return hide
