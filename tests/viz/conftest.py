"""What the drawing tests share: graphs to draw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.viz import Drawing

SCRIPT, QUOTES, LINES = '<script>alert("x")</script>', "a\"b'c\\N\\G", "two\nlines"
ENTITIES = "&#xD800;&amp;&#0;"
HOSTILE = [SCRIPT, QUOTES, LINES, ENTITIES, "\u202eright to left שלום", "}} ]; -> <b>&amp;", ""]


@pytest.fixture(params=range(len(HOSTILE)))
def hostile(request: pytest.FixtureRequest) -> str:
    return HOSTILE[request.param]


@pytest.fixture
def table() -> np.ndarray[Any, Any]:
    """The lecture's 5×3 table."""
    return np.array([[7.0, 5, 4], [2, 3, 4], [1, 2, 3], [7, 5, 6], [3, 3, 4]])


@pytest.fixture
def layer_norm(table: np.ndarray[Any, Any]) -> Drawing:
    weight = tg.Tensor(np.ones(3), requires_grad=True, name="weight")
    bias = tg.Tensor(np.zeros(3), requires_grad=True, name="bias")
    return tg.draw(lambda z: F.layer_norm(z, 3, weight, bias), table, gradients=True)


@pytest.fixture
def square() -> Drawing:
    return tg.draw(lambda x: x * x, 3.0)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Drawing], Path]:
    """Write a drawing as a page and return where it is."""

    def save(drawing: Drawing) -> Path:
        path = tmp_path / "graph.html"
        drawing.save(path)
        return path

    return save
