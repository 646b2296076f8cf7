"""DOT: valid, deterministic, escaped, and as full as the size of the graph allows."""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz.card import Content, card, role, tooltip
from tinygrad_norm.viz.dot import pen_width
from tinygrad_norm.viz.edge_label import edge_label, edge_tooltip
from tinygrad_norm.viz.graph import EdgeView, GraphView, NodeView, Value
from tinygrad_norm.viz.legend import legend
from tinygrad_norm.viz.theme import LIGHT

EVERYTHING = Content(numbers=True, gradients=True, swept=True)


def text_of(label: str) -> str:
    """What an HTML-like label shows, with its lines joined by spaces."""
    assert label[0] == "<"
    assert label[-1] == ">"
    return " ".join(t for t in ElementTree.fromstring(f"<l>{label[1:-1]}</l>".replace("\\\\", "\\")).itertext() if t)


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


def test_a_card_shows_name_formula_shape_value_gradient_and_counts(square: Drawing) -> None:
    x, product = square.view.nodes
    assert text_of(card(x, LIGHT, EVERYTHING)) == (
        "x input () float64 value gradient, 2 of 2 received 3 6 saved for backward by multiply_1"
    )
    assert text_of(card(product, LIGHT, EVERYTHING)) == "multiply_1 ×, output x · x () float64 value gradient 9 1"


def test_a_card_without_a_gradient_shows_a_dash() -> None:
    node = NodeView("x", "leaf", "x", value=Value((("3",),)), expected=1)
    assert text_of(card(node, LIGHT, Content(numbers=True, gradients=True, swept=False))) == "x leaf value gradient 3 —"


def test_a_card_where_no_gradient_is_needed_says_so() -> None:
    node = NodeView("c", "constant", "c", value=Value((("3",),)), needs_gradient=False)
    shown = card(node, LIGHT, EVERYTHING)
    assert "no gradient needed" in text_of(shown)
    assert 'style="dashed"' in shown


def test_cards_without_numbers_or_values_are_short() -> None:
    node = NodeView("x", "leaf", "x", value=Value((("3",),)))
    assert text_of(card(node, LIGHT, Content(numbers=False, gradients=True, swept=True))) == "x leaf"
    unknown = NodeView("y", "operation", "y", formula="x + 1")
    assert text_of(card(unknown, LIGHT, Content(numbers=True, gradients=False, swept=False))) == "y x + 1"
    assert text_of(card(node, LIGHT, Content(numbers=True, gradients=False, swept=False))) == "x leaf 3"


def test_pads_are_shaded_and_called_so() -> None:
    node = NodeView("x", "leaf", "x", value=Value((("1", "2"), ("0", "0")), pads=frozenset({1})))
    shown = card(node, LIGHT, EVERYTHING)
    assert shown.count(f'bgcolor="{LIGHT.pad}"') == 1
    assert "pad" in text_of(shown)


def test_what_is_wrong_has_a_frame_and_words() -> None:
    node = NodeView("x", "operation", "x", wrong=True, badges=("WRONG rule for y",), formula="y")
    shown = card(node, LIGHT, EVERYTHING)
    assert f'border="2" cellborder="0" cellspacing="0" cellpadding="3" color="{LIGHT.wrong}"' in shown
    assert "WRONG rule for y" in text_of(shown)


def test_long_titles_and_formulas_are_cut_in_the_card_and_whole_in_the_tooltip() -> None:
    node = NodeView("x", "operation", "a" * 50 + "end", formula="f" * 80, symbol="s")
    shown = text_of(card(node, LIGHT, EVERYTHING))
    assert "…" in shown
    assert "end" in shown
    assert "a" * 50 + "end" in tooltip(node)
    assert "f" * 80 in tooltip(node)


def test_roles() -> None:
    assert role(NodeView("multiply_1", "operation", "multiply_1", "multiply", "×")) == "×"
    assert role(NodeView("multiply_1", "operation", "y", "multiply", "×", output=True)) == "multiply, output"
    assert role(NodeView("m", "module", "m", output=True)) == "module, output"
    assert role(NodeView("x", "input", "x", output=True)) == "input"


def test_tooltips_tell_everything() -> None:
    node = NodeView(
        "x_1", "leaf", "x", shape=(2,), dtype="float64", value=Value((("1", "2"),)), expected=2, note="a kink at 0",
        saved_by=("a", "b", "c"),
    )  # fmt: skip
    assert tooltip(node).splitlines() == [
        "x_1: leaf", "x", "(2,) float64", "value 1 2", "gradient — (not computed); 0 of 2 received",
        "saved for backward by a, b +1 more", "a kink at 0",
    ]  # fmt: skip


def test_edges_carry_local_derivative_gradient_and_product() -> None:
    scalar = EdgeView("x", "y", rule="ḡ · 2x", local="4", incoming="0.5", contribution=Value((("2",),)))
    assert text_of(edge_label(scalar, LIGHT)).strip() == "ḡ 0.5 · ∂ 4 = 2"
    array = EdgeView(
        "x", "y", rule="ḡ · γ", shapes="(5, 3), Σ over axis 0 → (3,)", contribution=Value(summary="mean 1")
    )
    assert " ".join(text_of(edge_label(array, LIGHT)).split()) == "ḡ · γ (5, 3), Σ over axis 0 → (3,)"
    wrong = EdgeView("x", "y", contribution=Value((("2",),)), wrong=True, badges=("first NaN",))
    assert text_of(edge_label(wrong, LIGHT)).split() == ["gradient", "first", "NaN", "WRONG"]


def test_edge_tooltips() -> None:
    assert edge_tooltip(EdgeView("x", "m", repeats=3)) == "x → m, used 3 times there"
    assert edge_tooltip(EdgeView("x", "y", shape=(2,), differentiable=False)).splitlines() == [
        "x → y, shape (2,)", "no gradient flows back",
    ]  # fmt: skip
    whole = EdgeView("x", "y", 0, "x", (), "ḡ", "1", "2", Value((("2",),)), "()")
    assert edge_tooltip(whole).splitlines() == [
        "x → y as x, shape ()", "back: ḡ, ()", "ḡ 2 · local derivative 1", "contribution 2",
    ]  # fmt: skip


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
    assert square.dot.count("x -> multiply_1") == 4
    assert square.dot.count("dir=back") == 2
    assert square.dot.count("style=dashed") == 2


def test_many_edges_have_no_labels_and_many_nodes_no_cards() -> None:
    def chain(n: int) -> Any:
        def f(x: tg.Tensor) -> tg.Tensor:
            for _ in range(n):
                x = x * 1.5
            return x

        return f

    small, middle, large = (tg.draw(chain(n), 1.0, direction="TB").dot for n in (40, 45, 510))
    assert "ḡ 1 · ∂ 1.5" in small
    assert 'label=<<font color="#0072b2"' in small
    assert 'label=<<font color="#0072b2"' not in middle
    assert "local derivative 1.5" in middle
    assert "nslimit=1" in large
    assert "shape=box" in large
    assert "<table" not in large.replace("label=<<table border", "", 1)


def test_more_than_sixty_nodes_have_no_numbers_unless_wanted() -> None:
    def chain(x: tg.Tensor) -> tg.Tensor:
        for _ in range(70):
            x = x * 1.5
        return x

    assert "value</font>" not in tg.draw(chain, 1.0).dot
    assert "value</font>" in tg.draw(chain, 1.0, values=True).dot


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


def test_the_legend_has_what_occurs_and_nothing_else(square: Drawing, layer_norm: Drawing) -> None:
    assert "output: nothing uses it" in text_of(legend(square.view, LIGHT))
    assert "parameter" not in text_of(legend(square.view, LIGHT))
    assert "parameter: a tensor that is learned" in text_of(legend(layer_norm.view, LIGHT))
    untouched = GraphView((NodeView("x", "leaf", "x"),), ())
    assert "not computed, not zero" in text_of(legend(untouched, LIGHT))
    known = GraphView((NodeView("x", "leaf", "x", gradient=Value((("1",),))),), ())
    assert "what .grad holds" in text_of(legend(known, LIGHT))
    odd = GraphView(
        (
            NodeView("f", "failure", "f", needs_gradient=False),
            NodeView("p", "leaf", "p", value=Value((("0",),), pads=frozenset({0}))),
        ),
        (EdgeView("p", "f", differentiable=False, magnitude=1.0),),
    )
    shown = text_of(legend(odd, LIGHT))
    assert all(words in shown for words in ("raised an error", "padding", "dotted", "vermilion", "— : not computed"))


def test_ten_thousand_nodes_are_text_and_dot_at_once() -> None:
    x = tg.Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(10_000):
        y = y + 1.0
    drawing = tg.draw(y)
    assert drawing.dot.count(" -> ") == 10_000
    assert drawing.text.count("\n") == 10_000


def test_clusters_are_nested_and_labelled() -> None:
    def model(x: tg.Tensor) -> tg.Tensor:
        with tg.scope("encoder", "Encoder"), tg.scope("q_proj", "Linear 4→4"):
            return x * np.float64(2.0)

    dot = tg.draw(model, 1.0).dot
    assert dot.index('label="encoder: Encoder"') < dot.index('label="encoder.q_proj: Linear 4→4"')
    assert dot.count("subgraph") == 2
