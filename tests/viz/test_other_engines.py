"""Graphs of other engines: micrograd's interface, local derivatives, boxes with nodes; and what they may lack."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm.viz import Drawing

MICROGRAD: dict[str, Any] = {"parents": "_prev", "operation": "_op", "value": "data", "gradient": "grad"}
LOCAL: dict[str, Any] = {"parents": "parents", "operation": "op", "value": "data", "gradient": "grad", "local": "local"}


class Value:
    """The published interface of micrograd's ``Value``: ``data``, ``grad``, ``_prev`` (a set), ``_op``."""

    def __init__(self, data: Any, _children: Iterable[Value] = (), _op: str = "") -> None:
        self.data, self.grad = data, 0 * data
        self._prev, self._op = set(_children), _op
        self._backward: Callable[[], None] = lambda: None

    def __add__(self, other: Value) -> Value:
        out = Value(self.data + other.data, (self, other), "+")

        def backward() -> None:
            self.grad = self.grad + out.grad
            other.grad = other.grad + out.grad

        out._backward = backward
        return out

    def __mul__(self, other: Value) -> Value:
        out = Value(self.data * other.data, (self, other), "*")

        def backward() -> None:
            self.grad = self.grad + other.data * out.grad
            other.grad = other.grad + self.data * out.grad

        out._backward = backward
        return out

    def __pow__(self, n: int) -> Value:
        out = Value(self.data**n, (self,), f"**{n}")

        def backward() -> None:
            self.grad = self.grad + n * self.data ** (n - 1) * out.grad

        out._backward = backward
        return out

    def backward(self) -> None:
        self.grad = self.data * 0 + 1
        for value in reversed(sorted_by_parents(self)):
            value._backward()


def sorted_by_parents(root: Value) -> list[Value]:
    order: list[Value] = []

    def visit(value: Value) -> None:
        if value not in order:
            for child in value._prev:
                visit(child)
            order.append(value)

    visit(root)
    return order


class Recorded:
    """A learner's own engine: parents in order, with the local derivatives."""

    def __init__(self, data: Any, parents: tuple[Any, ...] = (), op: str = "", local: tuple[Any, ...] = ()) -> None:
        self.data, self.parents, self.op, self.local = data, parents, op, local
        self.grad = 0.0


def edges(drawing: Drawing) -> dict[tuple[str, str, int], tuple[str, str, str]]:
    """Each edge with ḡ, ∂ and what arrived."""
    found = {}
    for e in drawing.view.edges:
        amount = e.contribution.rows[0][0] if e.contribution and e.contribution.rows else ""
        found[e.source, e.target, e.position] = (e.incoming, e.local, amount)
    return found


def neuron() -> Drawing:
    x, w, b = Value(2.0), Value(-3.0), Value(10.0)
    h = (x * w + b) ** 2
    loss = h + x
    loss.backward()
    return tg.draw(loss, **MICROGRAD)


def test_micrograd_s_values_are_drawn_with_the_names_of_variables() -> None:
    assert neuron().text.splitlines()[:-1] == [
        "x: leaf () float64 = 2, gradient −23, 2 of 2 received",
        "w: leaf () float64 = −3, gradient 16",
        "b: leaf () float64 = 10, gradient 8",
        "multiply_1: () float64 = x * w = −6, gradient 8",
        "add_1: () float64 = b + multiply_1 = 4, gradient 8",
        "h: () float64 = add_1**2 = 16, gradient 1",
        "loss: () float64 = x + h = 18, gradient 1",
    ]


def test_what_is_used_once_got_its_gradient_over_its_one_edge_and_nothing_else_is_claimed() -> None:
    found = edges(neuron())
    assert found["add_1", "power_1", 0] == ("1", "8", "8")
    assert found["w", "multiply_1", 1] == ("8", "2", "16")
    assert found["x", "multiply_1", 0] == found["x", "add_2", 0] == ("", "", "")
    sentences = neuron().table
    assert "multiply_1 sends an unknown amount to x: x has received 2 of 2, in all −23" in sentences


def test_it_is_a_drawing_like_any_other(tmp_path: Path) -> None:
    drawing = neuron()
    for suffix in ("svg", "png", "html", "gv", "txt"):
        drawing.save(tmp_path / f"graph.{suffix}")
    assert "an unknown amount" in (tmp_path / "graph.svg").read_text(encoding="utf-8")
    data = drawing.to_json()
    assert [n["gradient"] for n in data["nodes"] if n["id"] == "x"] == [-23.0]
    assert [e["contribution"] for e in data["edges"] if e["from"] == "w"] == [16.0]
    assert len(data["steps"]) == 7 + 1 + 7


def test_without_backward_a_zero_is_no_gradient() -> None:
    x = Value(3.0)
    drawing = tg.draw(x * x, **MICROGRAD)
    assert all(n.gradient is None for n in drawing.view.nodes)
    assert drawing.view.sweep == ()
    assert "backward has not run" in drawing.text


def test_gradients_that_came_from_another_root_show_without_a_sweep() -> None:
    x = Value(3.0)
    y = x * x
    (y + Value(1.0)).backward()
    z = y * Value(2.0)
    drawing = tg.draw(z, **MICROGRAD)
    assert drawing.view.sweep == ()
    assert "gradient 6" in drawing.text
    assert all(e.contribution is None for e in drawing.view.edges)


def test_arrays_are_tables() -> None:
    x, w = Value(np.array([[1.0, 2.0], [3.0, 4.0]])), Value(np.array([[2.0, 0.5], [1.0, 1.0]]))
    y = x * w
    y.backward()
    drawing = tg.draw(y, **MICROGRAD)
    (node,) = (n for n in drawing.view.nodes if n.id == "x")
    assert (node.shape, node.dtype) == ((2, 2), "float64")
    assert node.gradient is not None
    assert node.gradient.rows == (("2", "0.5"), ("1", "1"))
    (edge,) = (e for e in drawing.view.edges if e.source == "x")
    assert (edge.local, edge.shapes) == ("", "(2, 2)")
    assert edge.contribution == node.gradient


def test_parents_in_a_set_give_the_same_bytes_in_every_process() -> None:
    script = (
        "import tinygrad_norm as tg\n"
        "from types import SimpleNamespace as N\n"
        "class H(N):\n"
        "    __hash__ = lambda self: hash(id(self) * 2654435761)\n"
        "    __eq__ = lambda self, other: self is other\n"
        "waste = [object() for _ in range({waste})]\n"
        "leaves = [H(p=set(), v=1.0, o='') for _ in range(6)]\n"
        "sums = [H(p={{leaves[i], leaves[(i * i + 1) % 6]}}, v=2.0, o='+') for i in range(6)]\n"
        "root = H(p={{*sums, leaves[2]}}, v=13.0, o='sum')\n"
        "print(tg.draw(root, parents='p', value='v', operation='o').dot)\n"
    )
    texts = set()
    for waste in (0, 1001):
        done = subprocess.run(
            [sys.executable, "-c", script.format(waste=waste)],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": str(waste)},
        )
        texts.add(done.stdout)
    assert len(texts) == 1


def test_signs_whose_order_is_lost_say_so() -> None:
    a, b = SimpleNamespace(p=None, v=6.0, o=""), SimpleNamespace(p=None, v=3.0, o="")

    class Key(SimpleNamespace):
        __hash__ = object.__hash__

    parents = {Key(**vars(a)), Key(**vars(b))}
    quotient = SimpleNamespace(p=parents, v=2.0, o="/")
    assert "/ of {leaf_1, leaf_2}" in tg.draw(quotient, parents="p", value="v", operation="o").text
    quotient.p = (a, b)
    assert "= a / b = 2" in tg.draw(quotient, parents="p", value="v", operation="o").text


@pytest.mark.parametrize(
    ("op", "count", "formula"),
    [
        ("tanh", 1, "tanh(x)"),
        ("**2", 1, "x**2"),
        ("-", 1, "−x"),
        ("-", 2, "x − x"),
        ("+", 3, "x + x + x"),
        ("where", 2, "where(x, x)"),
        ("", 1, "operation(x)"),
    ],
)
def test_formulas(op: str, count: int, formula: str) -> None:
    x = Recorded(1.0)
    y = Recorded(2.0, (x,) * count, op)
    assert f"y: () float64 = {formula} = 2" in tg.draw(y, parents="parents", operation="op", value="data").text


def test_local_derivatives_give_every_edge_its_numbers() -> None:
    x = Recorded(3.0)
    y = Recorded(9.0, (x, x), "*", (3.0, 3.0))
    z = Recorded(18.0, (y, 2.0), "*", (2.0, None))
    z.grad, y.grad, x.grad = 1.0, 2.0, 12.0
    drawing = tg.draw(z, **LOCAL)
    assert edges(drawing) == {
        ("x", "multiply_1", 0): ("2", "3", "6"),
        ("x", "multiply_1", 1): ("2", "3", "6"),
        ("multiply_1", "multiply_2", 0): ("1", "2", "2"),
    }
    assert "z: () float64 = y * 2 = 18" in drawing.text
    assert drawing.view.notes == ()


def test_a_gradient_that_is_not_the_sum_is_named() -> None:
    x = Recorded(3.0)
    y = Recorded(9.0, (x, x), "*", (3.0, 3.0))
    y.grad, x.grad = 1.0, 3.0
    assert tg.draw(y, **LOCAL).view.notes == ("what x was sent does not add up to its gradient: 6, not 3",)


def test_pullbacks_give_every_edge_its_part() -> None:
    a, g = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    x = Recorded(a)
    y = Recorded(a @ a, (x, x), "@", (lambda g: g @ a.T, lambda g: a.T @ g))
    y.grad, x.grad = g, g @ a.T + a.T @ g  # type: ignore[assignment]  # arrays too
    drawing = tg.draw(y, **LOCAL)
    parts = [e.contribution.rows for e in drawing.view.edges if e.contribution]
    assert parts == [(("1", "3"), ("2", "4"))] * 2
    assert (drawing.view.notes, "pullback of ḡ" in drawing.svg) == ((), True)
    x.grad = g @ a.T  # type: ignore[assignment]
    assert tg.draw(y, **LOCAL).view.notes == ("what x was sent does not add up to its gradient",)


def test_a_broadcast_is_summed_back() -> None:
    x, b = Recorded(np.ones((2, 3))), Recorded(np.zeros(3))
    y = Recorded(np.ones((2, 3)), (x, b), "+", (1.0, 1.0))
    y.grad, x.grad, b.grad = np.ones((2, 3)), np.ones((2, 3)), np.full(3, 2.0)  # type: ignore[assignment]  # arrays too
    drawing = tg.draw(y, **LOCAL)
    assert drawing.view.notes == ()
    assert drawing.view.edges[1].contribution is not None
    assert drawing.view.edges[1].contribution.rows == (("2", "2", "2"),)


def test_boxes_and_functions_as_fields() -> None:
    start = SimpleNamespace(parents=[], value=2.0, recipe=None)
    end = SimpleNamespace(parents=[start], value=4.0, recipe=(np.square, 2.0))
    box = SimpleNamespace(_node=end)
    drawing = tg.draw(
        box,
        parents=lambda b: getattr(b, "_node", b).parents,
        operation=lambda b: (getattr(b, "_node", b).recipe or [None])[0],
        value=lambda b: getattr(b, "_node", b).value,
        name=lambda b: None,
    )
    assert drawing.text.splitlines()[:2] == ["start: leaf () float64 = 2", "box: () float64 = square(start) = 4"]
    dotted = SimpleNamespace(node=SimpleNamespace(above=()), inside=SimpleNamespace(number=1.5))
    assert "= 1.5" in tg.draw(dotted, parents="node.above", value="inside.number").text


def test_a_name_of_its_own_goes_before_the_variable_s() -> None:
    x = SimpleNamespace(p=(), n="first")
    y = SimpleNamespace(p=(x,), n=None)
    assert [n.title for n in tg.draw(y, parents="p", name="n").view.nodes] == ["first", "y"]


def test_hostile_names_are_text(hostile: str) -> None:
    x = Recorded(1.0)
    y = Recorded(1.0, (x,), hostile)
    drawing = tg.draw(y, parents="parents", operation="op", value="data", name=lambda v: hostile)
    assert drawing.svg.startswith("<svg")
    assert "<script>alert" not in drawing.page


def circle() -> Any:
    a, b = Recorded(1.0), Recorded(2.0)
    a.parents, b.parents = (b,), (a,)
    return a


def raising(thing: Any) -> Any:
    raise ZeroDivisionError("no\nway")


class Unshowable(Recorded):
    def __repr__(self) -> str:
        raise RuntimeError


ONE = Recorded(1.0)
WRONG: list[tuple[Any, dict[str, Any], str]] = [
    (circle(), {}, r"must not be among its own ancestors; these 2 objects form a circle: Recorded <.* ← Recorded <"),
    (Recorded(1.0, (object(),)), {}, r"parents= must find the attribute 'parents' in every object; for object <object"),
    (
        ONE,
        {"value": "datum"},
        r"value= must find the attribute 'datum' .* raised AttributeError: 'Recorded' object has",
    ),
    (
        ONE,
        {"value": raising},
        r"value= must find what this function asks for .* raised ZeroDivisionError: no\\u\{a\}way",
    ),
    (Unshowable(1.0), {"value": raising}, "for Unshowable … it raised"),
    (ONE, {"value": lambda v: "three"}, "value= must give a real number or an array of them; .* it gave str 'three'"),
    (ONE, {"value": lambda v: 1j}, "it gave complex 1j"),
    (ONE, {"value": lambda v: ONE}, "it gave Recorded .* which raised TypeError"),
    (ONE, {"value": lambda v: [[1.0], [2.0, 3.0]]}, "it gave list .* which raised ValueError"),
    (ONE, {"value": lambda v: 10**400}, "which raised OverflowError"),
    (ONE, {"parents": lambda v: "ab"}, "parents= must give a tuple, list or set of objects; .* it gave str 'ab'"),
    (ONE, {"parents": lambda v: 3}, "it gave int 3"),
    (ONE, {"gradient": lambda v: [1.0, 2.0]}, r"a gradient must have the shape of its value; .* \(\) and .* \(2,\)"),
    (ONE, {"parents": 3}, "parents= must be the name of an attribute, or a function of one object; got 3"),
    (ONE, {"operation": ""}, "operation= must be the name of an attribute"),
    (ONE, {"parents": None}, "must be drawn with parents=; got only operation, value, gradient, local="),
    (ONE, {"report": object()}, "must be drawn alone"),
]


@pytest.mark.parametrize(("root", "options", "message"), WRONG, ids=[m[:40] for _, _, m in WRONG])
def test_what_cannot_be_drawn_names_the_object(root: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises((tg.OperandError, tg.InputError), match=message):
        tg.draw(root, **{**LOCAL, **options})


@pytest.mark.parametrize(
    ("local", "message"),
    [
        ((1.0,), "must give one derivative for each parent; .* has 2 parents and 1 derivatives"),
        ((np.ones(3), None), r"times a local derivative must have the parent's shape \(2,\); .* \(2,\) and \(3,\)"),
        ((np.ones((2, 1)) > 0, "x"), "local= must give a real number"),
        ((lambda g: g[:1], None), r"must give the shape \(2,\), that of the parent; got the shape \(1,\)"),
        ((lambda g: None, None), r"must give the shape \(2,\), that of the parent; got nothing"),
        ((lambda g: "g", None), "local= must give a real number"),
        ((lambda: None, None), "must take the gradient of .* to that of a parent; it raised TypeError"),
    ],
)
def test_local_derivatives_that_do_not_fit(local: tuple[Any, ...], message: str) -> None:
    x = Recorded(np.ones(2))
    y = Recorded(np.ones(2), (x, x), "+", local)
    y.grad = x.grad = np.ones(2)  # type: ignore[assignment]  # arrays too
    with pytest.raises(tg.OperandError, match=message):
        tg.draw(y, **LOCAL)


def test_local_derivatives_of_parents_in_a_set() -> None:
    x = Value(3.0)
    y = x * Value(2.0)
    y.backward()
    with pytest.raises(tg.OperandError, match=r"has them in a set\. Keep a tuple"):
        tg.draw(y, **MICROGRAD, local=lambda v: (1.0, 1.0))


def test_inputs_beside_another_engine_s_result() -> None:
    with pytest.raises(tg.OperandError, match="must be drawn alone"):
        tg.draw(ONE, 2.0, **LOCAL)


def test_a_graph_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinygrad_norm.viz.other_engines.MOST_OBJECTS", 100)
    with pytest.raises(tg.OperandError, match="at most 100 objects"):
        tg.draw(ONE, parents=lambda v: (SimpleNamespace(),))


def test_a_long_chain_does_not_recurse() -> None:
    root = Recorded(1.0)
    for _ in range(10_000):
        root = Recorded(1.0, (root,), "tanh", (1.0,))
    drawing = tg.draw(root, parents="parents", operation="op", depth=None)
    assert len(drawing.view.nodes) == 10_001
    assert drawing.view.nodes[-1].formula == "tanh(tanh_9999)"


def test_numbers_of_any_kind() -> None:
    from fractions import Fraction

    for given_number, shown in ((True, "True"), (10**30, "1e30"), (Fraction(1, 2), "0.5"), (np.float32(2), "2")):
        assert f"= {shown}" in tg.draw(Recorded(given_number), parents="parents", value="data").text


@given(st.lists(st.tuples(st.sampled_from("+*"), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=12))
def test_any_program_of_micrograd_s_gives_each_value_its_own_gradient(program: list[tuple[str, int, int]]) -> None:
    values = [Value(0.5), Value(-1.5)]
    for op, i, j in program:
        a, b = values[i % len(values)], values[j % len(values)]
        values.append(a + b if op == "+" else a * b)
    root = values[-1]
    root.backward()
    before = [(v.data, v.grad, set(v._prev)) for v in values]
    drawing = tg.draw(root, **MICROGRAD, name=lambda v: f"v{values.index(v)}")
    assert [(v.data, v.grad, v._prev) for v in values] == before
    numbers = {n["name"]: (n["value"], n["gradient"]) for n in drawing.to_json()["nodes"]}
    reached = {values.index(v) for v in sorted_by_parents(root)}
    ran = root.grad != 0 and any(values[i].grad for i in reached)
    assert numbers == {f"v{i}": (values[i].data, values[i].grad if ran else None) for i in reached}
