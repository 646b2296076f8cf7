"""The sweep: every contribution arrives once, in order, at any depth; a released graph says so; nothing leaks."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.summation import broadcast_axes, sum_to
from tinygrad_norm.tape import STATE, Node


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Reference counts alone must free everything."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# Shapes of graphs


def test_a_tensor_used_twice() -> None:
    x = leaf([1.0, -2.0, 3.0])
    (x * x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, -4.0, 6.0]


def test_a_diamond() -> None:
    x = leaf(3.0)
    left, right = x * 2.0, x.exp()
    (left * right).backward()
    assert x.grad is not None
    assert x.grad.item() == pytest.approx(2 * np.exp(3.0) * (1 + 3.0))


def test_a_tower_of_diamonds_is_not_walked_path_by_path() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(200):  # 2²⁰⁰ paths
        y = y * 0.5 + y * 0.5
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 1.0


def test_a_late_branch_waits_for_all_its_contributions() -> None:
    x = leaf(2.0)
    early = x * x
    late = early * 3.0
    total = early + late * early
    total.backward()
    # d/dx (x² + 3x⁴)
    assert x.grad is not None
    assert x.grad.item() == 2 * 2.0 + 12 * 8.0


def test_contributions_of_many_branches_add_up_without_touching_each_other() -> None:
    x, w = leaf(np.ones(4)), leaf(np.arange(4.0))
    h = x + w
    parts = [h * float(k) for k in range(5)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    total.retain_grad()
    h.retain_grad()
    total.backward(np.array([1.0, 2.0, 3.0, 4.0]))
    for t, factor in ((total, 1.0), (h, 10.0), (x, 10.0), (w, 10.0)):
        assert t.grad is not None
        assert t.grad.tolist() == [factor * v for v in (1.0, 2.0, 3.0, 4.0)]


def test_two_outputs_of_one_graph_add_up_in_the_leaf() -> None:
    x = leaf(2.0)
    y = x * x
    (y * 1.0).backward(retain_graph=True)
    (y * 10.0).backward()
    assert x.grad is not None
    assert x.grad.item() == 44.0


def test_a_leaf_is_its_own_gradient() -> None:
    x = leaf([1.0, 2.0])
    x.backward([3.0, 4.0])
    x.backward([3.0, 4.0])
    assert x.grad is not None
    assert x.grad.tolist() == [6.0, 8.0]


def test_inputs_that_need_no_gradient_get_none() -> None:
    x, c = leaf(2.0), tg.Tensor(5.0)
    y = x * c
    y.backward()
    assert c.grad is None
    assert not c.requires_grad
    assert y.grad is None


# A million operations


def test_a_million_operations_build_differentiate_and_are_freed(no_collector: None) -> None:
    x = leaf(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + 1.0
    assert sys.getrecursionlimit() < 100_000
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 1.0
    last = weakref.ref(y.node)
    first = weakref.ref(x.node)
    del y
    assert last() is None
    assert first() is x.node
    assert x.node is not None
    assert sys.getrefcount(x.node) < 10


def test_a_long_chain_to_second_order() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(5_000):
        y = y * 1.0001
    slope = tg.gradients(y * y, x, create_graph=True)
    assert tg.gradients(slope, x).item() == pytest.approx(2 * 1.0001**10_000, rel=1e-9)


# Release


def test_a_second_backward_says_what_to_do() -> None:
    x = leaf([1.0, 2.0])
    with tg.scope("model"):
        y = (x * x).sum()
    y.backward()
    with pytest.raises(
        tg.GraphReleasedError,
        match=r"graph of sum in model must still hold its saved arrays; an earlier backward\(\) released them. "
        r"Call that one with retain_graph=True, or compute the result anew.",
    ):
        y.backward()
    with pytest.raises(tg.GraphReleasedError):
        tg.gradients(y, x)
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_released_part_is_noticed_also_where_nothing_was_saved() -> None:
    x = leaf(1.0)
    shared = x + 1.0
    (shared * 2.0).backward()
    with pytest.raises(tg.GraphReleasedError, match="graph of add must"):
        (shared * 3.0).backward()


def test_retain_graph_and_gradients_keep_the_graph() -> None:
    x = leaf(3.0)
    y = x * x
    y.backward(retain_graph=True)
    assert tg.gradients(y, x).item() == 6.0
    y.backward(create_graph=True)
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 18.0


def test_backward_drops_what_was_saved() -> None:
    x = leaf(np.ones(3))
    y = (x * x).exp()
    saved = weakref.ref(y.node.saved[0])
    y.sum().backward()
    assert y.node.saved is None
    assert saved() is not None  # y itself still shows its values
    del y
    assert saved() is None


# An error on the way leaves every gradient as it was


@pytest.mark.usefixtures("planted")
def test_a_failing_rule_changes_no_gradient() -> None:
    broken = tg.primitive(lambda x, /: x * 1.0, vjp=lambda g: 1 / 0, samples=[tg.sample((3,))], name="broken")
    x, w = leaf(np.ones(3)), leaf(np.ones(3))
    w.grad = tg.Tensor(np.full(3, 7.0))
    y = (broken(x) + w).sum()
    with pytest.raises(ZeroDivisionError):
        y.backward()
    assert x.grad is None
    assert w.grad is not None
    assert w.grad.tolist() == [7.0] * 3


# Memory


def test_an_intermediate_nobody_needs_is_freed_at_once(no_collector: None) -> None:
    x = leaf(np.ones(1000))
    middle = x + 1.0  # addition saves nothing
    array = weakref.ref(middle._array)
    end = middle + 1.0
    assert array() is not None
    del middle
    assert array() is None
    end.sum().backward()


def test_an_array_that_a_rule_needs_lives_as_long_as_the_graph(no_collector: None) -> None:
    x = leaf(np.ones(1000))
    middle = x.exp()
    array, node = weakref.ref(middle._array), weakref.ref(middle.node)
    end = (middle * 2.0).sum()
    del middle
    assert array() is not None
    assert node() is not None
    del end
    assert array() is None
    assert node() is None


def test_the_operand_of_a_constant_is_not_kept(no_collector: None) -> None:
    data = tg.Tensor(np.ones((50, 4)))
    w = leaf(np.ones((4, 2)))
    hidden = data @ w  # the gradient of w needs data, not w
    weights = weakref.ref(w._array)
    w.data = np.zeros((4, 2))
    assert weights() is None
    hidden.sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [[50.0, 50.0]] * 4


def training_step(w: tg.Tensor, x: np.ndarray) -> None:
    loss = tg.functional.layer_norm((x @ w).tanh(), 5).square().mean() + (w * w).sum()
    loss.backward()
    assert w.grad is not None
    w.data = w.data - 0.01 * w.grad.data
    w.grad = None


def test_nothing_grows_over_a_thousand_steps(no_collector: None, rng: np.random.Generator) -> None:
    x, w = rng.standard_normal((7, 3)), leaf(rng.standard_normal((3, 5)))

    def alive() -> int:
        return sum(type(o) in (Node, tg.Tensor, dict, tuple, np.ndarray) for o in gc.get_objects())

    for _ in range(10):
        training_step(w, x)
    before = alive()
    blocks = sys.getallocatedblocks()
    for _ in range(1_000):
        training_step(w, x)
    assert alive() <= before
    # One object lost a step would be a thousand.
    assert sys.getallocatedblocks() < blocks + 500


def test_a_gradient_of_a_gradient_is_freed_too(no_collector: None) -> None:
    x = leaf(np.ones(10))
    slope = tg.gradients((x.exp() * x).sum(), x, create_graph=True)
    node = weakref.ref(slope.node)
    curvature = tg.gradients(slope.sum(), x)
    del slope
    assert node() is None
    assert curvature.tolist() == pytest.approx([3 * np.e] * 10)


# Threads


def in_thread(work: Callable[[], Any]) -> Any:
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def test_two_threads_differentiate_at_once() -> None:
    barrier = threading.Barrier(2)

    def work(k: float) -> list[float]:
        x = leaf(k)
        y = x
        barrier.wait()
        for _ in range(2_000):
            y = y * 1.001
        barrier.wait()
        return [tg.gradients(y, x).item(), tg.grad(tg.grad(lambda t: t**3))(k).item()]

    results: dict[float, Any] = {}
    threads = [threading.Thread(target=lambda k=k: results.update({k: work(k)})) for k in (1.0, 2.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in (1.0, 2.0):
        assert results[k] == pytest.approx([1.001**2000, 6 * k])


def test_threads_may_share_a_leaf() -> None:
    x = leaf(np.ones(3))
    in_thread(lambda: (x * 2.0).sum().backward())
    (x * 3.0).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [5.0] * 3


def test_a_new_thread_starts_with_the_defaults() -> None:
    with tg.no_grad(), tg.scope("outer"):
        assert in_thread(STATE.get) == (True, None, False, None)


# The adjoint of broadcasting


@pytest.mark.parametrize(
    ("shape", "target", "axes"),
    [((3, 5), (3, 5), ()), ((2, 3, 5), (3, 5), (0,)), ((3, 5), (3, 1), (1,)), ((3, 5), (), (0, 1)), ((2, 3), (1, 1), (0, 1)),
     ((3,), (2, 3), None), ((3, 5), (5, 5), None), ((0, 4), (1, 4), (0,))],
)  # fmt: skip
def test_summing_back(shape: Any, target: Any, axes: Any) -> None:
    assert broadcast_axes(shape, target) == axes
    g = np.arange(np.prod(shape), dtype=float).reshape(shape)
    if axes is None:
        with pytest.raises(tg.VJPError, match=r"must have a shape that .* broadcasts to; got .* Correct the rule"):
            sum_to(g, target)
    else:
        assert np.array_equal(sum_to(g, target), g.sum(axes).reshape(target) if axes else g)


def test_a_node_and_a_scope_show_themselves() -> None:
    x = leaf(1.0)
    with tg.scope("encoder"), tg.scope("norm"):
        y = x * 2.0
    assert repr(y.node).startswith("<node ")
    assert repr(y.node).endswith(" multiply in encoder.norm>")
    assert repr(x.node).endswith(" leaf>")
    assert y.node.scope.path == "encoder.norm"
    assert repr(y.node.scope) == "<scope encoder.norm>"
