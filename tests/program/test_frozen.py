"""What a program could freeze in silence: each way is an error that names the place, or records anew."""

from __future__ import annotations

import copy
import math
import operator
import os
import random
import time
import types
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn

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


def branch_on_shape(x: tg.Tensor) -> tg.Tensor:
    picked = x[x.data > 0]
    return picked.sum() * 2 if picked.shape[0] > 2 else picked.sum() * 3


def different_entries(x: tg.Tensor) -> tg.Tensor:
    return x.sum() * len(np.unique(x.data > 0))


def looked_up(x: tg.Tensor) -> tg.Tensor:
    return x * {True: 2.0, False: 3.0}[bool(x.sum() > 0)]


def truncated(x: tg.Tensor) -> tg.Tensor:
    return x * int(x[0, 0] * 8.3)


def sorted_by_python(x: tg.Tensor) -> tg.Tensor:
    return x[:, sorted(range(3), key=lambda i: x.data[0, i])]


def masked_by_where(x: tg.Tensor) -> tg.Tensor:
    return x * np.where(x.data > 0.2, 2.0, 5.0)


FOLLOWED = [branch, branch_on_data, loop, argsort, shape_from_data, position, listed]
FOLLOWED += [branch_on_shape, different_entries, looked_up, truncated, sorted_by_python, masked_by_where]


@pytest.mark.parametrize("function", FOLLOWED)
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


def rounded(x: tg.Tensor) -> tg.Tensor:
    return x * round(x.sum().item(), 1)


def formatted(x: tg.Tensor) -> tg.Tensor:
    return x * float(f"{x.sum().item():.1f}")


def among(x: tg.Tensor) -> tg.Tensor:
    return x * 2 if 0.3 in x.data else x * 3


NUMBERS = iter(range(10**6))
GENERATOR = np.random.default_rng(0)


def next_number(x: tg.Tensor) -> tg.Tensor:
    return x * next(NUMBERS)


def drawn(x: tg.Tensor) -> tg.Tensor:
    return x + GENERATOR.standard_normal()


def inner_backward(x: tg.Tensor) -> tg.Tensor:
    leaf = tg.Tensor(x.numpy(), requires_grad=True)
    (leaf**3).sum().backward()
    assert leaf.grad is not None
    return x * leaf.grad


def inner_gradients(x: tg.Tensor) -> tg.Tensor:
    return tg.gradients((x**3).sum(), x) * 2


def gradient_as_result(x: tg.Tensor) -> tg.Tensor:
    return tg.gradients((x**3).sum(), x)


def inner_grad(x: tg.Tensor) -> tg.Tensor:
    (x**3).sum().backward()
    assert x.grad is not None
    return x * x.grad


UNRECORDED = ", made by a backward pass that was not recorded. Pass create_graph=True there"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (inner_gradients, f"multiply at test_frozen.py.* took.*{UNRECORDED}"),
        (gradient_as_result, f"the result took.*{UNRECORDED}"),
        (inner_grad, f"multiply at test_frozen.py.* took.*{UNRECORDED}"),
        (item, "copy of some at test_frozen.py"),
        (number, "copy of some at test_frozen.py"),
        (copied_order, "copy of some at test_frozen.py"),
        (copied, "copy of some at test_frozen.py"),
        (dropout, "multiply in dropout at test_frozen.py.* took"),
        (noise, "add at test_frozen.py"),
        (clock, "multiply at test_frozen.py"),
        (counter, "multiply at test_frozen.py.* took 1, and then 2"),
        (more_each_time, "multiply at test_frozen.py.* in only one of them"),
        (from_outside, "must not become an array unseen.*test_frozen.py"),
        (close_by, "read at test_frozen.py.*, True, was False at the other"),
        (rounded, "copy of some at test_frozen.py"),
        (formatted, "copy of some at test_frozen.py"),
        (among, "read at test_frozen.py.*, True, was False at the other"),
        (next_number, "multiply at test_frozen.py.* took 0, and then 1"),
        (drawn, "add at test_frozen.py"),
        (inner_backward, "copy of some at test_frozen.py"),
    ],
)
def test_an_error_names_the_place(function: Callable[..., Any], said: str) -> None:
    COUNT[0] = 0
    with pytest.raises(tg.GraphError, match=said):
        tg.program(function, X)


FAR = X * 1e4


def filled(function: Callable[[Any], Any]) -> Any:
    """Return an array that a function filled."""
    array = np.zeros(X.shape)
    function(array)
    return array


# What a caller may compute from values; further down, a branch asks whether it has a large entry.
MADE_OF_VALUES: dict[str, Callable[[Any], Any]] = {
    "asarray": lambda v: np.asarray(v),
    "array": lambda v: np.array(v),
    "array of entries": lambda v: np.array([v[0, 0], v[1, 0]]),
    "tolist": lambda v: v.tolist(),
    "item": lambda v: v[1, 0].item(),
    "item at an index": lambda v: v.item(1, 0),
    "item at a number": lambda v: v.item(3),
    "float": lambda v: float(v[1, 0]),
    "round": lambda v: round(v[1, 0], 1),
    "round to a whole number": lambda v: round(v[1, 0]),
    "floor": lambda v: math.floor(v[1, 0]),
    "exp of Python": lambda v: math.exp(v[1, 0] / 1e3) * 1e3,
    "sum of Python": lambda v: sum(v[1]),
    "format": lambda v: float(f"{v[1, 0]:.0f}"),
    "flat": lambda v: list(v.flat),
    "view": lambda v: v.view(np.float64),
    "real": lambda v: v.real,
    "bytes": lambda v: np.frombuffer(v.tobytes()),
    "memory": lambda v: memoryview(np.asarray(v))[1, 0],
    "DLPack": lambda v: np.from_dlpack(v),
    "compress": lambda v: v.compress([True, False, True], axis=1),
    "choose": lambda v: np.choose(0, [v, v]),
    "split": lambda v: np.array_split(v, 2)[1],
    "vectorize": lambda v: np.vectorize(lambda entry: 2 * entry)(v),
    "histogram": lambda v: np.histogram(v, 2)[1],
    "polynomial": lambda v: np.polyfit(np.arange(3.0), v[1], 1),
    "nditer": lambda v: [float(entry) for entry in np.nditer(v)],
    "ndenumerate": lambda v: [entry for _, entry in np.ndenumerate(v)],
    "copied by Python": lambda v: copy.deepcopy(v),
    "copyto": lambda v: filled(lambda a: np.copyto(a, v)),
    "assigned": lambda v: filled(lambda a: operator.setitem(a, slice(None), v)),
    "assigned through a mask": lambda v: filled(lambda a: operator.setitem(a, v > 1e3, 1e4)),
    "added in place": lambda v: filled(lambda a: operator.iadd(a, v)),
    "out": lambda v: filled(lambda a: np.add(v, 1, out=a)),
    "add.at": lambda v: filled(lambda a: np.add.at(a, np.s_[:], v)),
    "put": lambda v: filled(lambda a: np.put(a, np.arange(6), v)),
    "place": lambda v: filled(lambda a: np.place(a, a == 0, v)),
    "putmask": lambda v: filled(lambda a: np.putmask(a, v > 1e3, 1e4)),
    "fill_diagonal": lambda v: filled(lambda a: np.fill_diagonal(a, v[1])),
}


@pytest.mark.parametrize("way", MADE_OF_VALUES)
def test_a_branch_that_no_close_point_takes_is_not_frozen(way: str) -> None:
    make = MADE_OF_VALUES[way]

    def far_branch(x: tg.Tensor) -> tg.Tensor:
        return x * 2 if np.max(make(x.data)) > 1e3 else x * 3

    found: Any
    try:
        program = tg.program(far_branch, X)
        found = program(X), program(FAR)
    except tg.GraphError as error:
        found = str(error)
    assert "test_frozen.py:" in found if isinstance(found, str) else np.array_equal(found, (X * 3, FAR * 2))


def test_text_of_values_is_that_of_an_array() -> None:
    said = []

    def shown(x: tg.Tensor) -> tg.Tensor:
        said.append((str(x.data), repr(x.data)))
        return x * 2

    tg.program(shown, X)
    assert said[0] == (str(X), repr(X))


def test_a_function_must_return_something() -> None:
    with pytest.raises(tg.OperandError, match=r"must get a function that returns a Tensor.*got None"):
        tg.program(lambda x: None, X)


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


class Scaled:
    """Callable, with an attribute of its own, one of its class and a method."""

    shift = 1.0

    def __init__(self) -> None:
        self.factor, self.options = 2.0, {"powers": [1.0]}

    def __call__(self, x: Any) -> Any:
        return x * self.factor + self.shift

    def powered(self, x: Any) -> Any:
        return x ** self.options["powers"][0]


OBJECT = Scaled()
SETTINGS = types.ModuleType("settings")
vars(SETTINGS)["FACTOR"] = 2.0


def of_object(x: Any) -> Any:
    return x * OBJECT.factor


def of_module(x: Any) -> Any:
    return x * SETTINGS.FACTOR


def of_environment(x: Any) -> Any:
    return x * float(os.environ.get("FACTOR_OF_A_TEST", "2")) * len(os.getenv("FACTOR_OF_A_TEST", ""))


def of_default(x: Any, factors: Any = [2.0], *, shifts: Any = {"by": 1.0}) -> Any:  # noqa: B006  # which is changed
    return x * factors[0] + shifts["by"]


def power(x: Any, powers: Any) -> Any:
    return x ** powers[0]


class Net(nn.Module):
    width = 2.0

    def __init__(self) -> None:
        super().__init__()
        self.options, self.table = {"factor": 2.0}, np.ones(3)

    def forward(self, x: Any) -> Any:
        return x * self.width * self.options["factor"] + self.table


NET = Net()
POWERS = [2.0]


@pytest.mark.parametrize(
    ("function", "change"),
    [
        (OBJECT, lambda patch: patch.setattr(OBJECT, "factor", 5.0)),
        (OBJECT, lambda patch: patch.setattr(Scaled, "shift", 5.0)),
        (OBJECT.powered, lambda patch: OBJECT.options["powers"].append(OBJECT.options["powers"].pop() + 1)),
        (of_object, lambda patch: patch.setattr(OBJECT, "factor", 5.0)),
        (of_module, lambda patch: patch.setattr(SETTINGS, "FACTOR", 5.0)),
        (of_environment, lambda patch: patch.setenv("FACTOR_OF_A_TEST", "5")),
        (of_default, lambda patch: of_default.__defaults__[0].insert(0, 5.0)),
        (of_default, lambda patch: patch.setattr(of_default, "__defaults__", ([7.0],))),
        (of_default, lambda patch: patch.setitem(of_default.__kwdefaults__["shifts"], "by", 5.0)),
        (partial(power, powers=POWERS), lambda patch: POWERS.insert(0, 3.0)),
        (through_another, lambda patch: patch.setitem(globals(), "with_global", lambda x: x * 7)),
        (NET, lambda patch: patch.setitem(NET.options, "factor", 5.0)),
        (NET, lambda patch: NET.table.fill(5.0)),
        (NET, lambda patch: patch.setattr(Net, "width", 5.0)),
    ],
)
def test_what_an_object_holds_records_anew_when_it_changes(
    function: Any, change: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def value(result: Any) -> Any:
        return np.asarray(result.data if isinstance(result, tg.Tensor) else result)

    x = np.abs(X)
    program = tg.program(function, x)
    before = value(function(tg.Tensor(x)))
    assert np.array_equal(value(program(x)), before)
    leaf = tg.Tensor(x, requires_grad=True)
    program(leaf)
    change(monkeypatch)
    after = value(function(tg.Tensor(x)))
    assert not np.array_equal(after, before)
    assert np.array_equal(value(program(leaf)), after)
    assert np.array_equal(value(program(x)), after)
    assert np.array_equal(program.forward(x)[0], after)


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
