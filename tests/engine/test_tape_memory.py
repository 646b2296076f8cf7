"""What the tape holds on to: nothing that nobody needs, at any depth, with the garbage collector switched off."""

from __future__ import annotations

import gc
import sys
import tracemalloc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tests.sweeps import EVERYTHING
from tinygrad_norm.engine.tape import Node


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Reference counts alone must free everything."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_long_chain_is_built_differentiated_and_freed(no_collector: None) -> None:
    x = leaf(1.0)
    y = x
    for _ in range(1_000_000 if EVERYTHING else 200_000):
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


@pytest.mark.parametrize("how", ["backward", "gradients", "retain_grad"])
def test_a_recorded_backward_pass_leaves_no_cycle(no_collector: None, how: str) -> None:
    def step() -> list[weakref.ref[Any]]:
        x = leaf([1.0, 2.0])
        middle = x * x
        if how == "retain_grad":
            middle.retain_grad()
        y = (middle * x).sum()
        if how == "gradients":
            kept = tg.gradients(y, x, create_graph=True)
        else:
            y.backward(create_graph=True)
            kept = x.grad
            assert (middle.grad is not None) == (how == "retain_grad")
        assert tg.gradients(kept.sum(), x).tolist() == [6.0, 12.0]
        return [weakref.ref(o) for o in (x, x.node, middle, middle.node, y, kept, kept.node)]

    assert [r() for r in step()] == [None] * 7


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


@pytest.fixture
def traced(no_collector: None) -> Iterator[None]:
    """What is made from here on is known by the line that made it."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def ours() -> tuple[int, int]:
    """The Nodes and Tensors that live, and the blocks of memory that the lines of the package hold.

    What else the process holds, and when it lets go of it, is not the tape's doing.
    """
    blocks = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, f"{Path(tg.__file__).parent}/*")])
    return sum(type(o) in (Node, tg.Tensor) for o in gc.get_objects()), len(blocks.traces)


def test_nothing_grows_over_a_thousand_steps(traced: None, rng: np.random.Generator) -> None:
    x, w = rng.standard_normal((7, 3)), leaf(rng.standard_normal((3, 5)))
    for _ in range(10):
        training_step(w, x)
    objects, blocks = ours()
    for _ in range(1_000):
        training_step(w, x)
    assert ours()[0] <= objects
    # One object lost a step would be a thousand.
    assert ours()[1] < blocks + 500


def test_growth_would_be_found(traced: None, rng: np.random.Generator) -> None:
    x, w = rng.standard_normal((7, 3)), leaf(rng.standard_normal((3, 5)))
    training_step(w, x)
    objects, blocks = ours()
    kept = []
    for _ in range(10):
        kept.append((x @ w).node)
        training_step(w, x)
    assert ours()[0] == objects + len(kept)
    assert ours()[1] >= blocks + len(kept)


def test_a_gradient_of_a_gradient_is_freed_too(no_collector: None) -> None:
    x = leaf(np.ones(10))
    slope = tg.gradients((x.exp() * x).sum(), x, create_graph=True)
    node = weakref.ref(slope.node)
    curvature = tg.gradients(slope.sum(), x)
    del slope
    assert node() is None
    assert curvature.tolist() == pytest.approx([3 * np.e] * 10)
