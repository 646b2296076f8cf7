"""What cards, edges, tooltips and the legend say, and that they say no more."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz.dot_labels import CardContent, card, edge_label, edge_tooltip, legend, tooltip
from tinygrad_norm.viz.graph_view import EdgeView, GraphView, NodeView, Value
from tinygrad_norm.viz.theme import LIGHT

EVERYTHING = CardContent(numbers=True, gradients=True, swept=True)


def text_of(label: str) -> str:
    """What an HTML-like label shows, with its lines joined by spaces."""
    assert label[0] == "<"
    assert label[-1] == ">"
    return " ".join(t for t in ElementTree.fromstring(f"<l>{label[1:-1]}</l>".replace("\\\\", "\\")).itertext() if t)


def test_a_card_shows_name_formula_shape_value_gradient_and_counts(square: Drawing) -> None:
    x, product = square.view.nodes
    assert text_of(card(x, LIGHT, EVERYTHING)) == (
        "x input () float64 value gradient, 2 of 2 received 3 6 saved for backward by multiply_1: 8 B"
    )
    assert text_of(card(product, LIGHT, EVERYTHING)) == "multiply_1 ×, output x · x () float64 value gradient 9 1"


def test_a_card_without_a_gradient_shows_a_dash() -> None:
    node = NodeView("x", "leaf", "x", value=Value((("3",),)), expected=1)
    assert (
        text_of(card(node, LIGHT, CardContent(numbers=True, gradients=True, swept=False)))
        == "x leaf value gradient 3 —"
    )


def test_a_card_where_no_gradient_is_needed_says_so() -> None:
    node = NodeView("c", "constant", "c", value=Value((("3",),)), needs_gradient=False)
    shown = card(node, LIGHT, EVERYTHING)
    assert "no gradient needed" in text_of(shown)
    assert 'style="dashed"' in shown


def test_cards_without_numbers_or_values_are_short() -> None:
    node = NodeView("x", "leaf", "x", value=Value((("3",),)))
    assert text_of(card(node, LIGHT, CardContent(numbers=False, gradients=True, swept=True))) == "x leaf"
    unknown = NodeView("y", "operation", "y", formula="x + 1")
    assert text_of(card(unknown, LIGHT, CardContent(numbers=True, gradients=False, swept=False))) == "y x + 1"
    assert text_of(card(node, LIGHT, CardContent(numbers=True, gradients=False, swept=False))) == "x leaf 3"


def test_pads_are_shaded_and_called_so() -> None:
    node = NodeView("x", "leaf", "x", value=Value((("1", "2"), ("0", "0")), pads=frozenset({1})))
    shown = card(node, LIGHT, EVERYTHING)
    assert shown.count(f'bgcolor="{LIGHT.pad}"') == 1
    assert "pad" in text_of(shown)


def test_what_is_wrong_has_a_frame_and_words() -> None:
    node = NodeView("x", "operation", "x", wrong=True, badges=("WRONG rule for y",), formula="y")
    shown = card(node, LIGHT, EVERYTHING)
    assert f'border="3" cellborder="0" cellspacing="0" cellpadding="3" color="{LIGHT.wrong}"' in shown
    assert "WRONG rule for y" in text_of(shown)


def test_long_titles_and_formulas_are_cut_in_the_card_and_whole_in_the_tooltip() -> None:
    node = NodeView("x", "operation", "a" * 50 + "end", formula="f" * 80, symbol="s")
    shown = text_of(card(node, LIGHT, EVERYTHING))
    assert "…" in shown
    assert "end" in shown
    assert "a" * 50 + "end" in tooltip(node)
    assert "f" * 80 in tooltip(node)


def test_tooltips_tell_everything() -> None:
    known = NodeView("x_1", "leaf", "x", shape=(2,), dtype="float64", value=Value((("1", "2"),)), expected=2)
    node = replace(known, note="a kink at 0", saved_by=("a", "b", "c"))
    first = ["x_1: leaf", "x", "(2,) float64", "value 1 2", "gradient — (not computed); 0 of 2 received"]
    assert tooltip(node).splitlines() == [*first, "saved for backward by a, b +1 more", "a kink at 0"]


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
    still = EdgeView("x", "y", shape=(2,), differentiable=False)
    assert edge_tooltip(still).splitlines() == ["x → y, shape (2,)", "no gradient flows back"]
    whole = EdgeView("x", "y", 0, "x", (), "ḡ", "1", "2", Value((("2",),)), "()")
    lines = ["x → y as x, shape ()", "back: ḡ, ()", "ḡ 2 · local derivative 1", "contribution 2"]
    assert edge_tooltip(whole).splitlines() == lines


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
