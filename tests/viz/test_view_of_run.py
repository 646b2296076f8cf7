"""From a run to plain data: names, contributions, badges, and what a tape still knows without a trace."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.viz import Drawing, GraphView, NodeView
from tinygrad_norm.viz.legible import value_line


def node(view: GraphView, name: str) -> NodeView:
    return next(n for n in view.nodes if n.id == name)


def test_x_times_x_has_two_edges_with_contributions_of_their_own(square: Drawing) -> None:
    edges = square.view.edges
    found = [(e.source, e.target, e.position, e.argument) for e in edges]
    assert found == [("x", "multiply_1", 0, "x"), ("x", "multiply_1", 1, "y")]
    assert [e.local for e in edges] == ["3", "3"]
    assert [e.incoming for e in edges] == ["1", "1"]
    assert [value_line(e.contribution) for e in edges if e.contribution] == ["3", "3"]
    x = node(square.view, "x")
    assert (x.received, x.expected) == (2, 2)
    assert x.gradient is not None
    assert value_line(x.gradient) == "6"


def test_subtraction_keeps_the_order_of_its_arguments() -> None:
    there = tg.draw(lambda a, b: a - b, 5.0, 3.0).view
    back = tg.draw(lambda a, b: b - a, 5.0, 3.0).view
    assert [e.source for e in there.edges] == ["a", "b"]
    assert [e.source for e in back.edges] == ["b", "a"]
    assert node(there, "subtract_1").formula == "a − b"
    assert node(back, "subtract_1").formula == "b − a"
    assert [value_line(e.contribution) for e in back.edges if e.contribution] == ["1", "−1"]


@pytest.mark.parametrize(
    ("function", "point", "locals_"),
    [
        (lambda x: x * 0.0 * x, (2.0,), {"0"}),
        (lambda x, y: x / y, (6.0, 2.0), {"0.5", "−1.5"}),
        (lambda x: tg.sin(x), (0.0,), {"1"}),
        (lambda x, y: tg.where(np.array(True), x, y), (1.0, 2.0), {"1", "0"}),
    ],
)
def test_local_derivatives_are_those_of_the_rules(function: Any, point: tuple[float, ...], locals_: set[str]) -> None:
    view = tg.draw(function, *point).view
    assert {e.local for e in view.edges if e.local} >= locals_


def test_the_local_derivative_is_right_where_the_gradient_is_zero() -> None:
    # tanh'(0.5) = 0.7864; the gradient that arrives there is 0.
    view = tg.draw(lambda x: tg.tanh(x) * 0.0, 0.5).view
    edge = next(e for e in view.edges if e.target == "tanh_1")
    assert (edge.local, edge.incoming) == ("0.7864", "0")


def test_arrays_have_rules_and_shapes_instead() -> None:
    view = tg.draw(lambda x, b: x * b, np.ones((2, 3)), [1.0, 2.0, 3.0], gradients=True).view
    first, second = view.edges
    assert (first.local, first.rule, first.shapes) == ("", "ḡ · b", "(2, 3)")
    assert (second.rule, second.shapes) == ("ḡ · x", "(2, 3), Σ over axis 0 → (3,)")
    assert first.magnitude is not None


def test_saved_values_say_for_whom() -> None:
    view = tg.draw(lambda x: tg.exp(x) * x, [1.0, 2.0]).view
    assert node(view, "exp_1").saved_by == ("exp_1", "multiply_1")
    assert node(view, "x").saved_by == ("multiply_1",)
    assert node(view, "multiply_1").saved_by == ()


def test_scalar_constants_stand_in_the_formula_arrays_are_cards() -> None:
    view = tg.draw(lambda x: x * 2.0 + np.array([1.0, 2.0]) - tg.Tensor(-3.0), [1.0, 2.0]).view
    formulas = [n.formula for n in view.nodes if n.kind == "operation"]
    assert formulas == ["x · 2", "multiply_1 + constant_1", "add_1 − (−3)"]
    constant = node(view, "constant_1")
    assert (constant.kind, constant.needs_gradient) == ("constant", False)
    assert [e.differentiable for e in view.edges if e.source == "constant_1"] == [False]


def test_a_named_scalar_tensor_is_a_card() -> None:
    rate = tg.Tensor(0.1, name="rate")
    assert node(tg.draw(lambda x: x * rate, 2.0).view, "rate").kind == "constant"


def test_one_constant_used_twice_is_one_card() -> None:
    fixed = np.array([1.0, 2.0])
    view = tg.draw(lambda x: (x + fixed) * fixed, [1.0, 2.0]).view
    assert sum(n.kind == "constant" for n in view.nodes) == 1


def test_roles_of_leaves() -> None:
    w = tg.Tensor(1.0, requires_grad=True, name="w")
    view = tg.draw(lambda x, n: x * w + n, 2.0, np.array(3)).view
    assert {n.id: n.kind for n in view.nodes if n.kind != "operation"} == {"x": "input", "w": "parameter", "n": "input"}
    assert not node(view, "n").needs_gradient
    with tg.trace() as t:
        v = tg.Tensor(1.0, requires_grad=True)
        v * v
    assert [n.kind for n in t.draw().view.nodes] == ["leaf", "operation"]


def test_operations_off_the_tape_are_marked() -> None:
    view = tg.draw(lambda x: x * tg.exp(tg.Tensor([0.0, 1.0])), [1.0, 2.0]).view
    assert not node(view, "exp_1").needs_gradient
    assert node(view, "multiply_1").needs_gradient


def test_the_first_nan_is_marked_and_all_that_it_reached() -> None:
    def f(x: tg.Tensor) -> tg.Tensor:
        logs = tg.log(x)
        return tg.exp(x) + tg.maximum(logs * 2.0, 0.0) * np.array([1.0, 0.0])

    with np.errstate(all="ignore"):
        drawing = tg.draw(f, [1.0, -1.0])
    badges = {n.id: n.badges for n in drawing.view.nodes if n.badges}
    assert badges.pop("log_1") == ("first NaN at (1,)",)
    assert badges == dict.fromkeys(("multiply_1", "maximum_1", "multiply_2", "add_1"), ("NaN or ∞ from logs",))
    assert {n.id for n in drawing.view.nodes if n.spoiled} == {"log_1", *badges}
    assert "NaN or ∞: a thick vermilion frame" in drawing.svg


def test_a_gradient_that_becomes_infinite_is_marked_on_every_edge_that_it_takes() -> None:
    with np.errstate(all="ignore"):
        view = tg.draw(lambda x: tg.sqrt(x * 1.0).sum(), [0.0, 1.0]).view
    assert [e.badges for e in view.edges] == [("NaN or ∞",), ("first NaN or ∞ of the backward pass",), ()]


def test_what_the_tape_holds_is_counted_in_bytes() -> None:
    drawing = tg.draw(lambda x, y: tg.exp(x * y), np.ones((2, 3)), np.float32(2.0))
    assert {n.id: n.saved_bytes for n in drawing.view.nodes} == {"x": 48, "y": 4, "multiply_1": 0, "exp_1": 48}
    assert drawing.view.saved == (3, 100)
    assert "saved for backward by multiply_1: 48 B" in drawing.svg
    assert "the tape holds for the backward pass: 3 arrays, 100 B" in drawing.svg
    gone = tg.draw(lambda x: tg.exp(x) * 2.0, np.ones(4))
    assert gone.view.saved == (1, 32)


def test_a_masked_score_of_minus_infinity_is_no_accident() -> None:
    mask = np.array([True, False])
    view = tg.draw(lambda x: tg.where(mask, x, -np.inf), [1.0, 2.0]).view
    assert all(n.badges == () for n in view.nodes)


def test_the_first_bad_contribution_is_marked() -> None:
    with np.errstate(all="ignore"):
        view = tg.draw(lambda x: tg.sqrt(x).sum(), [1.0, 0.0]).view
    assert [e.badges for e in view.edges] == [("first NaN or ∞ of the backward pass",), ()]


def test_outputs_are_what_nothing_uses() -> None:
    view = tg.draw(lambda x: (tg.exp(x), tg.sin(x)), 1.0).view
    assert {n.id for n in view.nodes if n.output} == {"exp_1", "sin_1"}


def test_a_tape_without_a_trace_knows_what_it_saved() -> None:
    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    hidden = tg.exp(x)
    total = (hidden * hidden).sum()
    view = tg.draw(total).view
    assert [n.title for n in view.nodes] == ["x", "hidden", "multiply_1", "total"]
    values = {n.title: n.value for n in view.nodes}
    assert values["multiply_1"] is None
    assert values["hidden"] is not None
    assert not view.sweep
    total.backward()
    after = tg.draw(total).view
    gradient = after.nodes[0].gradient
    assert gradient is not None
    assert value_line(gradient) == "[14.78 109.2]"


def test_values_come_from_saved_arrays_too() -> None:
    def made() -> tg.Tensor:
        a = tg.Tensor([1.0, 2.0], requires_grad=True, name="a")
        return (tg.exp(a) * np.array([3.0, 4.0])).sum()

    view = tg.draw(made()).view
    shown = {n.id: value_line(n.value) for n in view.nodes if n.value is not None}
    assert shown["exp_1"] == "[2.718 7.389]"
    assert shown["constant_1"] == "[3 4]"
    assert node(view, "constant_1").shape == (2,)


def test_a_constant_that_the_tape_did_not_keep_has_a_shape() -> None:
    view = tg.draw(tg.Tensor([1.0, 2.0], requires_grad=True) + np.array([3.0, 4.0])).view
    assert (node(view, "constant_1").shape, node(view, "constant_1").value) == ((2,), None)
    assert node(tg.draw(tg.Tensor(1.0, requires_grad=True) + 3.0).view, "add_1").formula.endswith("+ const")


def test_concatenated_tensors_keep_their_places() -> None:
    a, b = tg.Tensor([1.0], requires_grad=True), tg.Tensor([2.0], requires_grad=True)
    view = tg.draw(tg.concatenate([b, a, b])).view
    assert [e.source for e in view.edges] == ["b", "a", "b"]
    assert [e.argument for e in view.edges] == ["xs[0]", "xs[1]", "xs[2]"]


def test_a_leaf_alone() -> None:
    for tensor in (tg.Tensor([1.0], requires_grad=True), tg.Tensor([1.0])):
        view = tg.draw(tensor).view
        assert [n.title for n in view.nodes] == ["tensor"]
        assert view.edges == ()


def test_batch_norm_in_training_and_in_eval_differ() -> None:
    z = np.array([[7.0, 5.0], [2.0, 3.0], [1.0, 2.0]])
    mean, var = tg.Tensor([1.0, 2.0], name="running_mean"), tg.Tensor([1.0, 2.0], name="running_var")
    train = tg.draw(lambda z: F.batch_norm(z, mean, var, training=True), z).view
    evaluation = tg.draw(lambda z: F.batch_norm(z, mean, var, training=False), z).view
    names = [{n.title for n in v.nodes} for v in (train, evaluation)]
    assert {"mean", "variance"} <= names[0]
    assert {"running_mean", "running_var"} <= names[1]
    assert not {"running_mean", "running_var"} & names[0]


@dataclass
class PretendedNode:
    number: int
    primitive: str
    input: str
    finding: Any = None
    rule: str = ""


def test_what_a_gradient_check_found_wrong_is_marked() -> None:
    named = PretendedNode(2, "multiply", "y", SimpleNamespace(name="factor 2 missing"), "ḡ · x")
    wrong = [named, PretendedNode(9, "exp", "x")]
    report = SimpleNamespace(nodes=wrong)
    view = tg.draw(lambda x, w: tg.exp(x) * w, 1.0, 2.0, report=report).view
    assert [n.id for n in view.nodes if n.wrong] == ["multiply_1"]
    assert node(view, "multiply_1").badges == ("WRONG rule for y: factor 2 missing; right: ḡ · x",)
    assert [(e.source, e.wrong) for e in view.edges] == [("x", False), ("exp_1", False), ("w", True)]
    every = SimpleNamespace(nodes=[PretendedNode(1, "exp", "")])
    assert [e.wrong for e in tg.draw(lambda x: tg.exp(x), 1.0, report=every).view.edges] == [True]


def test_numbers_are_left_out_of_large_graphs_unless_wanted() -> None:
    def chain(x: tg.Tensor) -> tg.Tensor:
        for _ in range(501):
            x = x + 1.0
        return x

    assert all(n.value is None for n in tg.draw(chain, 1.0, depth=None).view.nodes)
    assert all(n.value is not None for n in tg.draw(chain, 1.0, depth=None, values=True).view.nodes)
    assert all(n.value is not None for n in tg.draw(chain, 1.0).view.nodes)
    assert all(n.value is None for n in tg.draw(lambda x: x * x, 1.0, values=False).view.nodes)


def test_a_module_called_twice_says_so() -> None:
    with tg.trace() as t:
        x = tg.Tensor([1.0], requires_grad=True)
        for _ in range(2):
            with tg.scope("cell", "Cell 1→1"):
                x = x * 2.0
    view = t.draw(depth=0).view
    found = [(c.id, c.path, c.label, c.calls) for c in view.clusters]
    assert found == [("cell", "cell", "cell: Cell 1→1", 2), ("cell_2", "cell", "cell: Cell 1→1", 2)]


def test_a_module_that_is_one_function_is_one_frame() -> None:
    with tg.trace() as t, tg.scope("norm", "LayerNorm 3"):
        F.layer_norm(tg.Tensor([[1.0, 2.0, 4.0]], requires_grad=True), 3)
    view = t.draw().view
    assert [c.label for c in view.clusters] == ["norm: LayerNorm 3"]
    assert {n.cluster for n in view.nodes if n.kind == "operation"} == {"norm"}
    with tg.trace() as t, tg.scope("norm", "Odd"):
        F.softmax(tg.Tensor([1.0, 2.0], requires_grad=True)) * 2.0
    assert [c.path for c in t.draw().view.clusters] == ["norm", "norm.softmax"]


def test_parameters_lie_with_their_users() -> None:
    w, shared = (tg.Tensor(1.0, requires_grad=True, name=n) for n in ("w", "shared"))

    def model(x: tg.Tensor) -> tg.Tensor:
        with tg.scope("outer", "Outer"):
            with tg.scope("a", "A"):
                x = x * w * shared
            with tg.scope("b", "B"):
                x = x + shared
        return x

    view = tg.draw(model, 2.0).view
    assert {n.id: n.cluster for n in view.nodes if n.kind != "operation"} == {
        "x": None,
        "w": "outer.a",
        "shared": "outer",
    }
    counts = {c.id: (c.operations, c.parameters) for c in view.clusters}
    assert counts == {"outer": (3, 2), "outer.a": (2, 1), "outer.b": (1, 0)}


def test_without_numbers_the_rules_still_show() -> None:
    drawing = tg.draw(lambda x, b: x * b, np.ones((2, 3)), [1.0, 2.0, 3.0], values=False, gradients=True)
    assert all(n.value is None and n.gradient is None for n in drawing.view.nodes)
    assert [e.rule for e in drawing.view.edges] == ["ḡ · b", "ḡ · x"]
    assert drawing.dot.count('dir="back"') == 2
    assert "multiply_1 sends ḡ · x, shape (2, 3), Σ over axis 0 → (3,) to b: b has received 1 of 1" in drawing.table


def test_an_array_that_failed_is_drawn_with_its_shape() -> None:
    view = tg.draw(lambda x: x @ np.ones((4, 2)), [[1.0, 2.0]]).view
    assert [(n.id, n.kind) for n in view.nodes] == [("x", "input"), ("constant_1", "constant"), ("matmul_1", "failure")]
    assert [(e.source, e.shape) for e in view.edges] == [("x", (1, 2)), ("constant_1", (4, 2))]


def test_arrays_that_an_operation_of_many_inputs_saved() -> None:
    def made() -> tg.Tensor:
        return tg.einsum("i,i->i", tg.Tensor([1.0, 2.0], requires_grad=True), np.array([3.0, 4.0]))

    shown = {n.id: value_line(n.value) for n in tg.draw(made()).view.nodes if n.value is not None}
    assert shown["leaf_1"] == "[1 2]"
    assert shown["constant_1"] == "[3 4]"


def test_what_lies_in_a_joined_function_lies_in_its_module() -> None:
    q = tg.Tensor(np.eye(2), requires_grad=True)
    with tg.trace() as t, tg.scope("attn", "Attention"):
        F.scaled_dot_product_attention(q, q, q)
    clusters = {c.path: c.parent for c in t.draw().view.clusters}
    assert clusters["attn"] is None
    assert clusters["attn.scaled_dot_product_attention.attention_weights"] == "attn"
    assert "attn.scaled_dot_product_attention" not in clusters


@pytest.mark.usefixtures("planted")
def test_a_real_gradient_check_marks_the_operation_with_the_wrong_rule() -> None:
    shown = {"name": "doubled", "rule": ("ḡ",)}
    doubled = tg.primitive(lambda x, /: 2 * x, vjp=lambda g: (g,), samples=[tg.sample((3,))], elementwise=True, **shown)

    def f(x: tg.Tensor) -> tg.Tensor:
        with tg.scope("block"):
            return tg.sin(doubled(tg.exp(x)))

    x = np.array([0.1, 0.2, 0.3])
    report = tg.gradcheck(f, [x])
    assert not report
    drawing = tg.draw(f, x, gradients=True, report=report)
    assert [n.id for n in drawing.view.nodes if n.wrong] == ["doubled_1"]
    assert node(drawing.view, "doubled_1").badges[0].startswith("WRONG rule for x")
    assert [(e.source, e.target) for e in drawing.view.edges if e.wrong] == [("exp_1", "doubled_1")]
    assert "WRONG" in drawing.text
    assert "WRONG" in drawing.svg
    assert tg.draw(f, x, depth=0, report=report).folded.view.nodes[-1].wrong
