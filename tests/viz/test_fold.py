"""Folding: boxes with counts, automatic depth, focus, runs of like boxes, and names that no longer show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.viz.fold import fold
from tinygrad_norm.viz.graph_view import ClusterView, EdgeView, GraphView, NodeView
from tinygrad_norm.viz.loops import loops_in


def nested(x: tg.Tensor) -> tg.Tensor:
    with tg.scope("encoder", "Encoder"):
        with tg.scope("first", "Block"):
            x = tg.exp(x * 2.0)
        with tg.scope("second", "Block"):
            x = x + tg.sin(x)
    return x * 3.0


def shown(**options: Any) -> list[str]:
    return [n.id for n in tg.draw(nested, 1.0, **options).folded.view.nodes]


def test_depths() -> None:
    assert shown(depth=0) == ["x", "encoder", "multiply_2"]
    assert shown(depth=1) == ["x", "encoder.first", "encoder.second", "multiply_2"]
    assert shown(depth=2) == ["x", "multiply_1", "exp_1", "sin_1", "add_1", "multiply_2"]
    assert shown(depth=None) == shown(depth=9) == shown(depth="auto") == shown(depth=2)


def test_focus_opens_one_path() -> None:
    assert shown(focus="encoder.second") == ["x", "encoder.first", "sin_1", "add_1", "multiply_2"]
    assert shown(focus="encoder") == shown(depth=None)
    assert shown(focus="encoder", depth=0) == shown(depth=1)


@pytest.mark.parametrize("depth", [-1, 1.5, True, "all", "deep"])
def test_a_depth_that_is_none(depth: Any) -> None:
    with pytest.raises(tg.InputError, match=r"depth must be a number of levels .* got "):
        tg.draw(nested, 1.0, depth=depth)


def test_a_focus_that_is_none() -> None:
    with pytest.raises(tg.InputError, match=r"got 'decoder'\. There is: encoder, encoder.first, encoder.second"):
        tg.draw(nested, 1.0, focus="decoder")
    with pytest.raises(tg.InputError, match="Nothing is nested here"):
        tg.draw(lambda x: x * x, 1.0, focus="decoder")


def test_a_long_list_of_paths_is_cut() -> None:
    def many(x: tg.Tensor) -> tg.Tensor:
        for i in range(15):
            with tg.scope(f"layer{i}"):
                x = x * 2.0
        return x

    with pytest.raises(tg.InputError, match="layer11 and 3 more"):
        tg.draw(many, 1.0, focus="none")


def test_a_box_has_counts_and_what_its_only_result_is() -> None:
    drawing = tg.draw(nested, 1.0, depth=0)
    box = drawing.folded.view.nodes[1]
    assert (box.kind, box.title, box.formula) == ("module", "encoder: Encoder", "4 operations")
    assert (box.operations, box.parameters) == (4, 0)
    assert box.value is not None
    assert box.gradient is not None
    assert box.shape == ()
    last = drawing.folded.view.nodes[2]
    assert last.formula == "encoder · 3"
    assert [e.target for e in drawing.folded.view.edges] == ["encoder", "multiply_2"]
    assert drawing.folded.view.clusters == ()
    assert drawing.folded.shown_as["sin_1"] == "encoder"


def test_edges_of_one_value_into_one_box_become_one() -> None:
    drawing = tg.draw(lambda z: F.layer_norm(z, 3), [[1.0, 2.0, 4.0]], gradients=True, depth=0)
    (edge,) = drawing.folded.view.edges
    assert (edge.source, edge.target, edge.repeats) == ("z", "layer_norm", 2)
    assert edge.magnitude is not None


def test_a_box_with_two_results_shows_neither() -> None:
    def two(x: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        with tg.scope("both"):
            return tg.exp(x), tg.sin(x)

    (_, box) = tg.draw(two, 1.0, depth=0).folded.view.nodes
    assert (box.value, box.shape, box.output) == (None, None, True)


def test_parameters_go_into_their_box() -> None:
    w = tg.Tensor(2.0, requires_grad=True, name="w")

    def model(x: tg.Tensor) -> tg.Tensor:
        with tg.scope("layer", "Layer"):
            return x * w

    view = tg.draw(model, 1.0, depth=0).folded.view
    assert [n.formula for n in view.nodes] == ["", "1 operation, 1 parameter"]
    assert [e.source for e in view.edges] == ["x"]


def test_automatic_folding_keeps_about_twenty_boxes() -> None:
    def deep(x: tg.Tensor) -> tg.Tensor:
        for i in range(10):
            with tg.scope(f"block{i}", f"Kind{i}"):
                for j in range(4):
                    with tg.scope(f"layer{j}"):
                        x = tg.sin(x * 2.0) + 1.0
        return x

    view = tg.draw(deep, 1.0).folded.view
    assert [n.id for n in view.nodes] == ["x", *(f"block{i}" for i in range(10))]


def test_a_run_of_one_module_with_the_same_parameters_is_counted() -> None:
    w = tg.Tensor(0.5, requires_grad=True, name="w")

    def recurrent(x: tg.Tensor) -> tg.Tensor:
        for _ in range(70):
            with tg.scope("cell", "Cell"):
                x = tg.tanh(x * w)
        return x

    view = tg.draw(recurrent, 1.0).folded.view
    assert [n.title for n in view.nodes] == ["x", "w", "Cell × 70"]
    assert view.nodes[-1].formula == "cell: 140 operations, the same parameters each time"
    assert [(e.source, e.target, e.repeats) for e in view.edges] == [
        ("x", "cell", 1),
        ("w", "cell", 70),
        ("cell",) * 2 + (69,),
    ]


def test_distinct_instances_that_are_alike_are_one_box() -> None:
    weights = [tg.Tensor(0.5, requires_grad=True, name=f"w{i}") for i in range(70)]

    def stack(x: tg.Tensor) -> tg.Tensor:
        for i, w in enumerate(weights):
            with tg.scope(f"layer{i}", "Linear 1→1"):
                x = x * w
        return tg.exp(x)

    drawing = tg.draw(stack, 1.0)
    view = drawing.folded.view
    assert [n.title for n in view.nodes] == ["x", "Linear 1→1 × 70", "exp_1"]
    assert view.nodes[1].formula == "layer0 to layer69: 70 operations, 70 parameters"
    assert view.nodes[2].formula == "exp(Linear 1→1 × 70)"
    assert drawing.folded.shown_as["multiply_33"] == "layer0"


def test_one_of_them_can_be_opened_and_shows_its_own_values() -> None:
    weights = [tg.Tensor(1.0 + i, requires_grad=True, name=f"w{i}") for i in range(9)]

    def stack(x: tg.Tensor) -> tg.Tensor:
        for i, w in enumerate(weights):
            with tg.scope(f"layers.{i}", "Block"):
                x = x * w + tg.sin(x) - w
        return x

    drawing = tg.draw(stack, 2.0, open="layers.3")
    shown = drawing.folded.view.nodes
    assert [n.title for n in shown] == [
        "x",
        "Block × 3",
        "w3",
        "multiply_4",
        "sin_4",
        "add_4",
        "subtract_4",
        "Block × 5",
    ]
    whole = {n.id: n.value for n in drawing.view.nodes}
    assert all(n.value == whole[n.id] is not None for n in shown if n.kind != "module")
    assert drawing.folded.focused == {"layers.3"}
    both = tg.draw(stack, 2.0, open=["layers.3", "7"], depth=0).folded.view
    assert [n.title for n in both.nodes if n.kind == "parameter"] == ["w3", "w7"]
    with pytest.raises(tg.InputError, match=r"open must be the path of a module or composition; got 'layers\.9'"):
        tg.draw(stack, 2.0, open="layers.9")


def unrolled(steps: int) -> Any:
    w, b = tg.Tensor(0.5, requires_grad=True, name="w"), tg.Tensor(0.1, requires_grad=True, name="b")

    def recurrent(x: tg.Tensor) -> tg.Tensor:
        h = x * 0.0
        for _ in range(steps):
            h = tg.tanh(h * w + b)
        return h * 2.0

    return recurrent


def test_a_loop_without_scopes_is_rolled_and_one_step_opened() -> None:
    drawing = tg.draw(unrolled(20), 1.0)
    view = drawing.folded.view
    assert [n.title for n in view.nodes] == ["x", "h", "w", "b", "step × 20", "multiply_22"]
    assert view.nodes[4].formula == "step.0 to step.19: 60 operations, the same parameters each time"
    assert ("step.0", "step.0", 19) in [(e.source, e.target, e.repeats) for e in view.edges]
    assert "carried on 19 times" in drawing.svg
    opened = tg.draw(unrolled(20), 1.0, open="step.7")
    titles = [n.id if n.kind == "operation" else n.title for n in opened.folded.view.nodes]
    assert titles == [
        "x",
        "multiply_1",
        "w",
        "b",
        "step × 7",
        "multiply_9",
        "add_8",
        "tanh_8",
        "step × 12",
        "multiply_22",
    ]
    assert [n.value for n in opened.folded.view.nodes if n.id == "tanh_8"] == [
        n.value for n in opened.view.nodes if n.id == "tanh_8"
    ]


def test_depths_that_were_asked_for_roll_nothing() -> None:
    assert len(tg.draw(unrolled(20), 1.0, depth=None).folded.view.nodes) == 65
    assert len(tg.draw(unrolled(20), 1.0, depth=0).folded.view.nodes) == 65
    assert len(tg.draw(unrolled(3), 1.0).folded.view.nodes) == 14


def test_a_long_loop_is_rolled_at_once() -> None:
    drawing = tg.draw(unrolled(300), 1.0)
    assert len(drawing.folded.view.nodes) == 6
    assert drawing.folded.view.nodes[4].value is not None


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_loops_do_not_overlap_and_repeat_what_they_say(signs: list[str]) -> None:
    covered: set[int] = set()
    for loop in loops_in(signs):
        places = set(range(loop.start, loop.start + loop.body * loop.times))
        assert loop.times >= 3
        assert not covered & places
        covered |= places
        body = signs[loop.start : loop.start + loop.body]
        assert signs[loop.start : loop.start + loop.body * loop.times] == body * loop.times
    left = [s for i, s in enumerate(signs) if i not in covered]
    assert len(left) + len(covered) == len(signs)
    if not covered:
        assert not any(signs[i] == signs[i + 1] == signs[i + 2] for i in range(len(signs) - 2))


def test_different_boxes_are_not_joined() -> None:
    def mixed(x: tg.Tensor) -> tg.Tensor:
        for i in range(70):
            with tg.scope(f"layer{i}", f"Kind {i % 2}"):
                x = x * 2.0
        return x

    assert [n.title for n in tg.draw(mixed, 1.0).folded.view.nodes] == ["x", "step × 35"]
    assert len(tg.draw(mixed, 1.0, depth=0).folded.view.nodes) == 71


def test_folding_is_plain_data_in_and_out() -> None:
    nodes = (NodeView("x", "input", "x"), NodeView("a", "operation", "a", cluster="c", wrong=True, badges=("bad",)))
    view = GraphView(nodes, (EdgeView("x", "a"),), (ClusterView("c", "c", "c", None, 1),))
    folded = fold(view, 0).view
    assert [n.kind for n in folded.nodes] == ["input", "module"]
    assert folded.nodes[1].wrong
    assert folded.nodes[1].badges == ("bad",)
    assert fold(view, None).view is view


def test_a_long_chain_does_not_recurse() -> None:
    x = tg.Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(5_000):
        y = y + 1.0
    drawing = tg.draw(y, depth=None)
    assert len(drawing.view.nodes) == 5_001
    with pytest.raises(tg.InputError, match="at most 2000 visible nodes; this one has 5001"):
        _ = drawing.svg


def test_deeply_nested_scopes_do_not_recurse() -> None:
    def deep(x: tg.Tensor) -> tg.Tensor:
        scopes = [tg.scope("s") for _ in range(300)]
        for s in scopes:
            s.__enter__()
        try:
            return x * np.float64(2.0)
        finally:
            for s in reversed(scopes):
                s.__exit__(None, None, None)

    drawing = tg.draw(deep, 1.0)
    assert drawing.dot.count("subgraph") == 300
