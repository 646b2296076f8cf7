"""What a program could freeze in silence: each way is an error that names the place, or records anew."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg

X = np.array([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6]])
OTHER = np.array([[-0.9, 0.2, -1.7], [0.1, -0.3, 0.8]])
ORDERS = np.array([2, 0, 1])


def branch(x: tg.Tensor) -> tg.Tensor:
    return x * 2 if x.sum() > 0 else x * 3


def branch_on_data(x: tg.Tensor) -> tg.Tensor:
    return x * 2 if np.any(x.data > 1.5) else x * 3


def loop(x: tg.Tensor) -> tg.Tensor:
    y = x
    while np.abs(y.data).max() < 4:
        y = y * 2
    return y


def argsort(x: tg.Tensor) -> tg.Tensor:
    return x[:, np.argsort(x.data[0])]


def shape_from_data(x: tg.Tensor) -> tg.Tensor:
    return x.sum() * tg.ones(int(np.count_nonzero(x.data > 0)))


def position(x: tg.Tensor) -> tg.Tensor:
    return x[int(x[:, 0].argmax())]


def listed(x: tg.Tensor) -> tg.Tensor:
    return x * np.array((x.data > 0).tolist())


def close_by(x: tg.Tensor) -> tg.Tensor:
    return x * 2 if np.allclose(x, X) else x * 3


@pytest.mark.parametrize("function", [branch, branch_on_data, loop, argsort, shape_from_data, position, listed])
def test_records_anew_or_follows_the_values(function: Callable[..., Any]) -> None:
    program = tg.program(function, X)
    for values in (X, OTHER, -X, X * 1.5, OTHER):
        leaf, other = tg.Tensor(values, requires_grad=True), tg.Tensor(values, requires_grad=True)
        mine, theirs = program(leaf), function(other)
        assert np.array_equal(mine.data, theirs.data)
        g = np.cos(np.arange(mine.size)).reshape(mine.shape)
        mine.backward(g)
        theirs.backward(g)
        assert leaf.grad is not None
        assert other.grad is not None
        assert np.array_equal(leaf.grad.data, other.grad.data)
        assert np.array_equal(program(values), theirs.data)


COUNT = [0]


def item(x: tg.Tensor) -> tg.Tensor:
    largest = x.data.max().item()
    return x * largest


def number(x: tg.Tensor) -> tg.Tensor:
    return x * float(x.detach().sum())


def copied_order(x: tg.Tensor) -> tg.Tensor:
    order = np.argsort(np.array(x.data)[0])
    return x[:, order]


def copied(x: tg.Tensor) -> tg.Tensor:
    return x * np.tanh(x.numpy())


def dropout(x: tg.Tensor) -> tg.Tensor:
    return tg.functional.dropout(x, 0.5)


def noise(x: tg.Tensor) -> tg.Tensor:
    return x + random.random()


def clock(x: tg.Tensor) -> tg.Tensor:
    return x * time.perf_counter_ns()


def counter(x: tg.Tensor) -> tg.Tensor:
    COUNT[0] += 1
    return x * COUNT[0]


def more_each_time(x: tg.Tensor) -> tg.Tensor:
    COUNT[0] += 1
    for _ in range(COUNT[0]):
        x = x * 2
    return x


def from_outside(x: tg.Tensor) -> tg.Tensor:
    return x * np.asarray(x)


def inner_backward(x: tg.Tensor) -> tg.Tensor:
    leaf = tg.Tensor(x.numpy(), requires_grad=True)
    (leaf**3).sum().backward()
    assert leaf.grad is not None
    return x * leaf.grad


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (item, "multiply at test_frozen.py.* took 1.9, and then"),
        (number, "multiply at test_frozen.py"),
        (copied_order, "getitem at test_frozen.py"),
        (copied, "multiply at test_frozen.py.* took"),
        (dropout, "multiply in dropout at test_frozen.py.* took"),
        (noise, "add at test_frozen.py"),
        (clock, "multiply at test_frozen.py"),
        (counter, "multiply at test_frozen.py.* took 1, and then 2"),
        (more_each_time, "multiply at test_frozen.py.* in only one of them"),
        (from_outside, "must not become an array unseen.*test_frozen.py"),
        (close_by, "read at test_frozen.py.*, True, was False at the other"),
        (inner_backward, "must be an argument|multiply at test_frozen.py"),
    ],
)
def test_an_error_names_the_place(function: Callable[..., Any], said: str) -> None:
    COUNT[0] = 0
    with pytest.raises(tg.GraphError, match=said):
        tg.program(function, X)


def test_a_factor_from_many_zeros_is_found() -> None:
    with pytest.raises(tg.GraphError, match="multiply"):
        tg.program(lambda x, b: x * (1 + b.data.max().item()), X, np.zeros(3))


FACTOR = 2.0
STEPS = [1.0, 2.0]
TABLE = np.array([1.0, 2.0, 3.0])


def with_global(x: tg.Tensor) -> tg.Tensor:
    return x * FACTOR


def with_list(x: tg.Tensor) -> tg.Tensor:
    for step in STEPS:
        x = x * step
    return x


def with_table(x: tg.Tensor) -> tg.Tensor:
    return x * TABLE


def through_another(x: tg.Tensor) -> tg.Tensor:
    return with_global(x) + 1


@pytest.mark.parametrize("function", [with_global, with_list, with_table, through_another])
def test_a_value_that_the_function_reads_records_anew_when_it_changes(
    function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tg.program(function, X)
    assert np.array_equal(program(X), function(X).data)
    monkeypatch.setitem(globals(), "FACTOR", 5.0)
    STEPS.append(3.0)
    TABLE[0] = 7.0
    try:
        assert np.array_equal(program(X), function(X).data)
        assert np.array_equal(program.forward(X)[0], function(X).data)
    finally:
        STEPS.pop()
        TABLE[0] = 1.0


def test_a_closure_and_a_default_record_anew() -> None:
    factor = 2.0

    def scaled(x: tg.Tensor) -> tg.Tensor:
        return x * factor

    program = tg.program(scaled, X)
    factor = 3.0
    assert np.array_equal(program(X), X * 3)


def test_settings_of_a_module_record_anew() -> None:
    layer = tg.nn.BatchNorm1d(3)
    program = tg.program(layer, X)
    layer.eval()
    assert np.array_equal(program(X).data, layer(X).data)
    layer.eps = 0.5
    assert np.array_equal(program(X).data, layer(X).data)


def test_a_model_that_grows_records_anew() -> None:
    model = tg.nn.Sequential(tg.nn.Linear(3, 3))
    program = tg.program(model, X)
    model.append(tg.nn.ReLU())
    assert np.array_equal(program(X).data, model(X).data)
    assert program(X).data.min() == 0


def test_a_function_with_more_ways_than_are_kept_runs_itself() -> None:
    def power(x: tg.Tensor, n: np.ndarray) -> tg.Tensor:
        y = x
        for _ in range(int(n)):
            y = y * x
        return y

    program = tg.program(power, X, np.array(1))
    for n in range(30):
        assert np.array_equal(program(X, np.array(n)), power(tg.Tensor(X), np.array(n)).data)
    leaf = tg.Tensor(X, requires_grad=True)
    program(leaf, np.array(29)).sum().backward()
    assert leaf.grad is not None
    with pytest.raises(tg.GraphError, match="more than 16 ways"):
        program.forward(X, np.array(29))
