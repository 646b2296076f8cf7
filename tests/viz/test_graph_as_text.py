"""The listing, the sentences of the steps, and their tables."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz.graph_as_text import listing, sentences_of, several_rows, step_tables
from tinygrad_norm.viz.graph_view import EdgeView, GraphView, NodeView, Value


def test_a_listing_says_everything_in_order(layer_norm: Drawing) -> None:
    lines = layer_norm.text.splitlines()
    assert lines[0].startswith("z: input (5, 3) float64 = [7 5 4; 2 3 4; 1 2 3; 7 5 6; 3 3 4], gradient [0.09163 ")
    assert "2 of 2 received" in lines[0]
    assert lines[1] == "layer_norm:"
    assert lines[2].startswith("  mean_1: (5, 1) float64 = Σ z / n, axis −1 = [5.333; 3; 2; 6; 3.333], gradient ")
    assert lines[3].startswith("  centered: (5, 3) float64 = z − mean_1 = ")
    assert lines[3].endswith("2 of 2 received, saved by square_1")
    assert any(line.startswith("  weight: parameter (3,) float64 = [1 1 1]") for line in lines)


def test_inputs_come_first_and_clusters_are_opened_once() -> None:
    def model(x: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
        with tg.scope("outer", "Outer"):
            x = x * 2.0
            with tg.scope("inner", "Inner"):
                x = x + y
            return x * 3.0

    lines = [line.split(":")[0] for line in tg.draw(model, 1.0, 2.0).text.splitlines()]
    assert lines == ["x", "y", "outer", "  multiply_1", "  outer.inner", "    add_1", "  multiply_2"]


def test_what_needs_no_gradient_and_what_is_wrong_says_so() -> None:
    view = GraphView(
        (
            NodeView("a", "operation", "a", formula="1 + 1", needs_gradient=False),
            NodeView("b", "operation", "b", formula="a", wrong=True, badges=("wrong rule",)),
            NodeView("c", "constant", "c", needs_gradient=False),
        ),
        (),
        notes=("backward pass 1 of 2",),
    )
    lines = ["c: constant", "a: = 1 + 1, no gradient needed", "b: = a, WRONG RULE", "(backward pass 1 of 2)"]
    assert listing(view).splitlines() == lines


def test_a_failed_run_ends_with_the_message() -> None:
    text = tg.draw(lambda x: tg.exp(x) @ np.ones((4, 2)), [[1.0, 2.0]]).text
    assert text.splitlines()[-2] == "matmul raised: got (1, 2) and (4, 2)"
    assert text.splitlines()[-1].startswith("raised: matmul: the last axis of the left operand (2)")


def test_steps_of_x_times_x(square: Drawing) -> None:
    steps = sentences_of(square.view)
    assert [s.words for s in steps] == [
        "x is an input: 3",
        "multiply_1 = x · x = 9",
        "The backward pass starts at multiply_1 with the gradient ḡ = 1",
        "multiply_1 sends ḡ · x = 1 · 3 = 3 to x: x has received 1 of 2",
        "multiply_1 sends ḡ · x = 1 · 3 = 3 to x: x has received 2 of 2, in all 6",
    ]
    assert [s.received for s in steps] == [0, 0, 0, 1, 2]
    assert [s.edge for s in steps] == [None, None, None, 0, 1]


def test_a_result_waits_until_everything_has_arrived(layer_norm: Drawing) -> None:
    arrived: dict[str, int] = {}
    expected = {n.id: n.expected for n in layer_norm.view.nodes}
    for step in sentences_of(layer_norm.view):
        if step.phase == "backward" and step.edge is not None:
            sender = layer_norm.view.edges[step.edge].target
            assert arrived.get(sender, 0) == expected[sender]
            arrived[step.node] = step.received
    assert {n: c for n, c in arrived.items() if c} == {n: c for n, c in expected.items() if c}


def test_long_values_are_given_by_their_shape() -> None:
    drawing = tg.draw(lambda x, b: x * b, np.ones((4, 8)), np.full(8, 1 / 3), gradients=np.full((4, 8), 1 / 7))
    sentences = [s.words for s in sentences_of(drawing.view)]
    assert sentences[0] == "x is an input: shape (4, 8)"
    assert "multiply_1 sends ḡ · x, shape (4, 8), Σ over axis 0 → (8,) to b: b has received 1 of 1" in sentences


def test_a_summed_contribution_says_over_what() -> None:
    drawing = tg.draw(lambda x, b: x + b, np.ones((2, 2)), [1.0, 2.0], gradients=True)
    assert any("(2, 2), Σ over axis 0 → (2,)" in s.words for s in sentences_of(drawing.view))


def test_a_box_and_a_failure_have_sentences() -> None:
    view = GraphView(
        (NodeView("m", "module", "m", shape=(2,)), NodeView("f", "failure", "f raised", badges=("why",))), ()
    )
    assert [s.words for s in sentences_of(view)] == ["m computes shape (2,)", "f raised: why"]


def test_an_unknown_rule_still_makes_a_sentence() -> None:
    nodes = (NodeView("x", "leaf", "x", expected=1), NodeView("y", "operation", "y", gradient=Value((("1",),))))
    edge = EdgeView("x", "y", contribution=Value((("2",),)))
    steps = sentences_of(GraphView(nodes, (edge,), sweep=("y",)))
    assert steps[-1].words == "y sends a contribution = 2 to x: x has received 1 of 1"


def test_tables_stand_below_the_sentences() -> None:
    table = tg.draw(lambda x: (x * x).sum(), [[1.0, -2.0], [3.0, 4.0]]).table
    assert table.split("\n\n")[0] == "FORWARD"
    assert "1. x is an input: [1 −2; 3 4]\n     1  −2\n     3   4" in table
    assert "in all, the gradient of x:\n     2  −4\n     6   8" in table
    assert "BACKWARD" in table


def test_a_table_without_a_backward_pass_is_forward_only() -> None:
    assert "BACKWARD" not in tg.draw(lambda x: x * x, [1.0, 2.0]).table
    failed = tg.draw(lambda x: x @ np.ones((4, 2)), [[1.0, 2.0]]).table
    assert failed.split("\n\n")[-1].startswith("raised: matmul")


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (Value((("1", "−20"), ("300", "4"))), ["       1  −20", "     300    4"]),
        (Value((("1",), ("0",)), pads=frozenset({1})), ["     1", "     0  pad"]),
        (Value((("1", "2"),)), []),
        (Value(summary="mean 1"), []),
        (None, []),
    ],
)
def test_rows_are_aligned_and_a_single_one_is_in_the_sentence(value: Value | None, lines: list[str]) -> None:
    assert several_rows(value) == lines


def test_an_argument_that_nothing_uses_is_there_if_it_could_have_a_gradient() -> None:
    assert step_tables(tg.draw(lambda x, n: x, np.ones((20, 20)), np.array([1, 2])).view) == (
        "FORWARD\n\n1. x is an input: mean 1, deviation 0, norm 20"
    )


def test_an_empty_run_says_so() -> None:
    with tg.trace() as t:
        pass
    assert t.draw().text == "(nothing was recorded)"
    assert "nothing was recorded" in t.draw().svg
    assert t.table() == ""
