"""DOT: valid, deterministic, escaped, as full as the size of the graph allows, and running where it fits."""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz.graph_as_dot import direction_for, pen_width


def test_the_same_program_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "import tinygrad_norm as tg\n"
        "d = tg.draw(lambda z: tg.functional.layer_norm(z, 3), [[7.0, 5.0, 4.0]], gradients=True)\n"
        "print(d.dot + d.text + d.table)"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert b"0x" not in runs.pop()


@pytest.mark.parametrize(
    ("magnitude", "largest", "width"),
    [
        (None, 1.0, "0.8"),
        (0.0, 1.0, "0.8"),
        (1.0, 1.0, "3.0"),
        (1e-9, 1.0, "0.8"),
        (float("inf"), 1.0, "0.8"),
        (1.0, 0.0, "0.8"),
    ],
)
def test_gradient_edges_are_as_wide_as_they_are_large(magnitude: float | None, largest: float, width: str) -> None:
    assert pen_width(magnitude, largest) == width


def test_edges_of_equal_pairs_stay_two(square: Drawing) -> None:
    assert square.dot.count('"x" -> "multiply_1"') == 4
    assert square.dot.count('dir="back"') == 2
    assert square.dot.count('style="dashed"') == 2


def test_many_edges_have_no_labels_and_many_nodes_no_cards() -> None:
    def chain(n: int) -> Any:
        def f(x: tg.Tensor) -> tg.Tensor:
            for _ in range(n):
                x = x * 1.5
            return x

        return f

    small, middle, large = (tg.draw(chain(n), 1.0, depth=None, direction="TB").dot for n in (40, 45, 510))
    assert "ḡ 1 · ∂ 1.5" in small
    assert 'label=<<font color="#0072b2"' in small
    assert 'label=<<font color="#0072b2"' not in middle
    assert "local derivative 1.5" in middle
    assert "nslimit=1" in large
    assert "shape=box" in large
    assert "<table" not in large[large.index('"x" [') :]


def test_more_than_sixty_nodes_have_no_numbers_unless_wanted() -> None:
    def chain(x: tg.Tensor) -> tg.Tensor:
        for _ in range(70):
            x = x * 1.5
        return x

    assert "value</font>" not in tg.draw(chain, 1.0, depth=None).dot
    assert "value</font>" in tg.draw(chain, 1.0, depth=None, values=True).dot


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hostile_names_are_text_in_dot(hostile: str, theme: Any) -> None:
    name = hostile or None
    with tg.trace() as t, tg.scope(hostile, hostile):
        x = tg.Tensor([1.0, 2.0], requires_grad=True, name=name)
        (x * 3.0).sum().backward()
    drawing = t.draw(theme=theme)
    svg = drawing.svg
    root = ElementTree.fromstring(svg)
    assert not [e for e in root.iter() if e.tag.endswith(("script", "b"))]
    nodes = [g for g in root.iter() if g.get("class") == "node"]
    assert len(nodes) == len(drawing.view.nodes) == 3
    texts = "".join(root.itertext())
    if hostile:
        assert drawing.view.nodes[0].title in texts
    assert "\u202e" not in svg


def test_ten_thousand_nodes_are_text_and_dot_at_once() -> None:
    x = tg.Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(10_000):
        y = y + 1.0
    drawing = tg.draw(y, depth=None)
    assert drawing.dot.count(" -> ") == 10_000
    assert drawing.text.count("\n") == 10_000


def test_clusters_are_nested_and_labelled() -> None:
    def model(x: tg.Tensor) -> tg.Tensor:
        with tg.scope("encoder", "Encoder"), tg.scope("q_proj", "Linear 4→4"):
            return x * np.float64(2.0)

    dot = tg.draw(model, 1.0).dot
    assert dot.index('label="encoder: Encoder"') < dot.index('label="encoder.q_proj: Linear 4→4"')
    assert dot.count("subgraph") == 2


def test_directions() -> None:
    def chain(n: int) -> Any:
        def f(x: tg.Tensor) -> tg.Tensor:
            for _ in range(n):
                x = tg.tanh(x)
            return x

        return f

    short, wide, long = (tg.draw(chain(n), 1.0, gradients=False).view for n in (2, 12, 15))
    assert [direction_for(v) for v in (short, wide, long)] == ["LR", "TB", "TB"]
    assert "rankdir=LR" in tg.draw(chain(2), 1.0).dot
    assert "rankdir=TB" in tg.draw(chain(2), 1.0, direction="TB").dot
    assert "rankdir=LR" in tg.draw(chain(20), 1.0, direction="LR").dot


def test_wide_tables_run_down() -> None:
    def f(x: tg.Tensor) -> tg.Tensor:
        return tg.exp(tg.exp(tg.exp(x)))

    assert direction_for(tg.draw(f, np.zeros((2, 8)), gradients=True).view) == "TB"
    assert direction_for(tg.draw(f, 0.0, gradients=False).view) == "LR"
