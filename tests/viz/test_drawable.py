"""What can be drawn, what cannot, and that nothing is left behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn, viz
from tinygrad_norm.random import generator
from tinygrad_norm.viz.legible import value_line


def test_inputs_become_what_they_are() -> None:
    given = tg.Tensor([1.0, 2.0], name="mine")
    seen: list[Any] = []

    def f(a: Any, b: Any, c: Any, d: Any, flag: Any) -> tg.Tensor:
        seen.extend([a, b, c, d, flag])
        return (a * b).sum() * float(flag)

    tg.draw(f, 3, [1.0, 2.0], np.array([0, 1]), given, True)
    a, b, c, d, flag = seen
    assert (a.requires_grad, a.dtype, a.name) == (True, np.float64, "a")
    assert (b.requires_grad, b.name) == (True, "b")
    assert (c.requires_grad, c.dtype.kind) == (False, "i")
    assert d is given
    assert d.name == "mine"
    assert flag is True


def test_more_inputs_than_names() -> None:
    view = tg.draw(lambda *xs: xs[0] * xs[1], 2.0, 3.0).view
    assert [n.id for n in view.nodes] == ["input_1", "input_2", "multiply_1"]
    assert [n.id for n in tg.draw(max, 2.0, 3.0).view.nodes] == ["input_1", "input_2"]


def test_nothing_is_left_on_what_was_drawn() -> None:
    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    x.grad = tg.Tensor([5.0, 5.0])
    w = tg.Tensor([3.0, 4.0], requires_grad=True)
    assert tg.draw(lambda v: (v * w).sum(), x).view.sweep
    np.testing.assert_array_equal(x.grad, [5.0, 5.0])
    assert w.grad is None
    assert x.name is None


def test_the_random_numbers_stand_where_they_stood() -> None:
    tg.manual_seed(7)
    state = generator().bit_generator.state
    tg.draw(lambda x: x * generator().random(), 2.0)
    assert generator().bit_generator.state == state


class Counter:
    """A module by its methods alone: it counts its calls in a buffer, one way or the other."""

    def __init__(self, in_place: bool) -> None:
        self.in_place = in_place
        self.weight = tg.Tensor(2.0, requires_grad=True)
        self.calls = tg.Tensor(0.0)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        if self.in_place:
            self.calls.data = self.calls.data + 1
        else:
            self.calls = tg.Tensor(self.calls.item() + 1.0)
        return x * self.weight

    __call__ = forward

    def modules(self) -> Iterator[Counter]:
        yield self

    def named_buffers(self, recurse: bool = True) -> Iterator[tuple[str, tg.Tensor]]:
        yield "calls", self.calls

    def named_parameters(self) -> Iterator[tuple[str, tg.Tensor]]:
        yield "weight", self.weight


@pytest.mark.parametrize("in_place", [True, False])
def test_a_module_keeps_its_buffers_and_gets_its_names(in_place: bool) -> None:
    module = Counter(in_place)
    calls = module.calls
    view = tg.draw(module, 3.0).view
    kinds = {n.id: n.kind for n in view.nodes}
    assert list(kinds.items()) == [("x", "input"), ("weight", "parameter"), ("multiply_1", "operation")]
    assert module.calls is calls
    assert module.calls.item() == 0.0
    assert module.weight.grad is None
    assert module.weight.name is None


def test_buffers_come_back_after_an_error_too() -> None:
    module = Counter(in_place=False)
    calls = module.calls
    tg.draw(module, tg.Tensor([1.0, 2.0]))
    module.weight = tg.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    assert tg.draw(module, tg.Tensor([1.0, 2.0])).view.failure
    assert module.calls is calls


def test_gradients_are_run_where_they_are_wanted() -> None:
    def total(x: tg.Tensor) -> tg.Tensor:
        return (x * x).sum()

    def whole(x: tg.Tensor) -> tg.Tensor:
        return x * x

    x = [1.0, 2.0]
    assert tg.draw(total, x).view.sweep
    assert not tg.draw(total, x, gradients=False).view.sweep
    assert not tg.draw(whole, x).view.sweep
    fixed = [tg.draw(whole, x, gradients=True).view.nodes[-1].gradient for _ in range(2)]
    assert fixed[0] == fixed[1]
    assert fixed[0] is not None
    assert value_line(fixed[0]) == "[0.1 −0.1]"
    given = tg.draw(whole, x, gradients=[3.0, 4.0]).view.nodes[0].gradient
    assert given is not None
    assert value_line(given) == "[6 16]"


def test_several_outputs_take_several_cotangents() -> None:
    view = tg.draw(lambda x: {"a": tg.exp(x), "b": (tg.sin(x), 1.0, None)}, 0.0, gradients=[2.0, 3.0]).view
    gradient = view.nodes[0].gradient
    assert gradient is not None
    assert value_line(gradient) == "5"
    assert not tg.draw(lambda x: (tg.exp(x), tg.sin(x)), 0.0).view.sweep
    assert tg.draw(lambda x: (tg.exp(x), tg.sin(x)), 0.0, gradients=True).view.sweep


def test_a_result_that_needs_no_gradient_is_drawn_without() -> None:
    assert not tg.draw(lambda x: tg.exp(x), tg.Tensor(1.0)).view.sweep


def test_an_input_that_was_computed_before_is_an_input() -> None:
    before = tg.exp(tg.Tensor(1.0, requires_grad=True))
    view = tg.draw(lambda x: x * x, before).view
    assert [n.id for n in view.nodes] == ["x", "multiply_1"]
    assert view.nodes[0].received == 2


def test_what_a_function_must_return() -> None:
    with pytest.raises(tg.OperandError, match="must return Tensors; got object"):
        tg.draw(lambda x: object(), 1.0)


def test_an_error_of_ours_is_drawn_an_error_of_the_function_is_raised() -> None:
    def breaks(x: tg.Tensor) -> tg.Tensor:
        return tg.exp(x) @ np.ones((4, 2))

    view = tg.draw(breaks, [[1.0, 2.0]]).view
    assert view.failure.startswith("matmul")
    assert [(e.source, e.wrong) for e in view.edges] == [("x", False), ("exp_1", True), ("constant_1", True)]
    with pytest.raises(ZeroDivisionError):
        tg.draw(lambda x: tg.exp(x) / (1 // 0), 1.0)


def test_an_error_before_anything_was_computed_is_raised() -> None:
    with pytest.raises(tg.ShapeError, match="layer_norm"):
        tg.draw(lambda x: tg.functional.layer_norm(x, 7), [1.0, 2.0])


def test_a_wrong_cotangent_ends_the_run_after_the_forward_pass() -> None:
    drawing = tg.draw(lambda x: x * x, [1.0, 2.0], gradients=[1.0])
    assert "must have its shape (2,)" in drawing.view.failure


@pytest.mark.parametrize("target", [3, "x * x", None, np.ones(3)])
def test_what_cannot_be_drawn(target: Any) -> None:
    with pytest.raises(tg.OperandError, match="must be a Tensor, a trace, or a function or module with its inputs"):
        tg.draw(target)


def test_a_tensor_comes_alone() -> None:
    x = tg.Tensor(1.0, requires_grad=True)
    with pytest.raises(tg.OperandError, match=r"a Tensor to be drawn must come alone; got 1 more"):
        tg.draw(x, 2.0)


@pytest.mark.parametrize(("option", "value"), [("direction", "up"), ("theme", "sepia")])
def test_options_have_few_values(option: str, value: str) -> None:
    with pytest.raises(tg.InputError, match=f"{option} must be one of auto, .* got '{value}'"):
        tg.draw(lambda x: x, 1.0, **{option: value})


def test_a_tensor_draws_itself_with_the_caller_s_names() -> None:
    weights = tg.Tensor([1.0, 2.0], requires_grad=True)
    hidden = weights * weights
    assert hidden.draw().text.splitlines()[0].startswith("weights: leaf (2,) float64 = [1 2]")
    assert hidden.draw(depth=0).dot == tg.draw(hidden, depth=0).dot


def test_masks_shade_rows() -> None:
    drawing = tg.draw(lambda x: x * 2.0, [[1.0, 2.0], [0.0, 0.0]], mask=[1, 0])
    value = drawing.view.nodes[0].value
    assert value is not None
    assert value.pads == {1}
    assert "pad" in drawing.dot


@pytest.mark.parametrize(
    ("used", "loaded"), [("tinygrad_norm", []), ("tinygrad_norm.trace", ["viz", "viz.frames", "viz.trace"])]
)
def test_what_draws_is_loaded_when_something_is_drawn(used: str, loaded: list[str]) -> None:
    program = f"import sys, tinygrad_norm; {used}; print(sorted(m for m in sys.modules if 'viz' in m))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == str([f"tinygrad_norm.{name}" for name in loaded])


def test_the_room_has_its_public_names_and_no_others() -> None:
    assert set(viz.__all__) <= set(dir(viz))
    assert viz.Drawing is tg.Drawing
    with pytest.raises(AttributeError, match=r"module 'tinygrad_norm\.viz' has no attribute 'picture'"):
        _ = viz.picture


def test_a_first_layer_that_raises_is_drawn_in_its_place_with_what_it_got() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    drawing = tg.draw(model, np.ones((2, 5)))
    x, failed = drawing.view.nodes
    assert (failed.kind, failed.title, failed.formula) == ("failure", "Linear 3→4 raised", "got (2, 5)")
    assert [c.id for c in drawing.view.clusters] == ["Sequential", "0"]
    assert failed.cluster == "0"
    assert [(e.source, e.target, e.wrong) for e in drawing.view.edges] == [(x.id, failed.id, True)]
    assert "must be the weight's in_features" in drawing.svg


def test_a_later_layer_that_raises_lies_beside_those_that_ran() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Tanh(), nn.Linear(5, 2)))
    with tg.scope("around"):
        drawing = tg.draw(model, np.ones((2, 3)))
    failed = drawing.view.nodes[-1]
    (edge,) = (e for e in drawing.view.edges if e.target == failed.id)
    assert edge.source == "tanh_1"
    tanh = next(n for n in drawing.view.nodes if n.id == "tanh_1")
    parents = drawing.view.parents
    assert failed.cluster is not None
    assert tanh.cluster is not None
    assert parents[failed.cluster] == parents[tanh.cluster]
    assert [c.path for c in drawing.view.clusters][-1] == "around.1.1"
