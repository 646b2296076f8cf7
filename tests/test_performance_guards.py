"""What makes a step fast, held without a clock: how many operations, calls, arrays and bytes it takes.

Timings depend on the machine; these counts do not. A limit says what the engine needs today: less is welcome (then
lower the limit), more needs a reason.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import tinygrad_norm as tg
from tests.benchmarks.declaration import Setting
from tests.benchmarks.dialect import Problem
from tests.benchmarks.libraries import ours
from tests.benchmarks.workloads import encoder, tiny
from tinygrad_norm.engine import tensor as recording
from tinygrad_norm.engine.tape import Node
from tinygrad_norm.engine.tensor import wrap

ROOT = Path(__file__).resolve().parents[1]
DIALECT = ours.load()
PROBLEMS: dict[str, Problem] = {
    "tiny": tiny.problem(Setting()),
    "encoder-layer": encoder.problem(64, "layer", batch=8, words=25)(Setting()),
    "encoder-batch": encoder.problem(64, "batch", batch=8, words=25)(Setting()),
}
NUMPY_ONLY = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)


def tensors(problem: Problem) -> tuple[dict[str, tg.Tensor], dict[str, tg.Tensor]]:
    constants = {name: tg.Tensor(array) for name, array in problem.constants.items()}
    return constants, {name: tg.Tensor(a, requires_grad=True, name=name) for name, a in problem.parameters.items()}


def nodes_of(result: tg.Tensor) -> list[Node]:
    """Every operation behind a result."""
    assert result.node is not None
    seen, stack = {result.node}, [result.node]
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return [node for node in seen if node.primitive is not None]


def stepper(name: str) -> tuple[Callable[[], None], dict[str, tg.Tensor]]:
    problem = PROBLEMS[name]
    constants, parameters = tensors(problem)

    def step() -> None:
        for parameter in parameters.values():
            parameter.grad = None
        problem.model(DIALECT, constants, parameters).backward(problem.cotangent)

    return step, parameters


# Operations


OPERATIONS = {
    "tiny": Counter(matmul=1, add=3, mean=2, subtract=1, square=1, sqrt=1, divide=1, multiply=2, sum=1),
    # Six linear layers, attention of six operations, a relu, a residual sum, nine to move the heads; a norm of nine
    # and, as the input needs no gradient, only the scale and shift of the first one, and no first residual sum.
    "encoder-layer": Counter(matmul=8, add=11, reshape=4, transpose=5, exp=1, sum=1, relu=1)
    + Counter(mean=2, subtract=2, square=1, sqrt=1, divide=2, multiply=3),
}


@pytest.mark.parametrize(("name", "expected"), OPERATIONS.items())
def test_the_operations_of_a_step(name: str, expected: Counter[str]) -> None:
    problem = PROBLEMS[name]
    result = problem.model(DIALECT, *tensors(problem))
    assert Counter(node.primitive.name for node in nodes_of(result) if node.primitive) == expected


def test_batch_norm_costs_as_many_operations_as_layer_norm() -> None:
    counts = [
        len(nodes_of(p.model(DIALECT, *tensors(p)))) for p in (PROBLEMS["encoder-layer"], PROBLEMS["encoder-batch"])
    ]
    assert counts[0] == counts[1]


# NumPy's calls. Operators, ufuncs and functions on a subclass of ndarray all pass through it, so it can count them.
# Each ufunc call without ``out`` is also one new array.


class Counting(np.ndarray):
    """An array that counts what NumPy is asked to do with it."""

    calls: ClassVar[Counter[str]] = Counter()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        self.calls[ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"] += 1
        if "out" in kwargs:
            kwargs["out"] = tuple(plain(x) for x in kwargs["out"])
        result = getattr(ufunc, method)(*(plain(x) for x in inputs), **kwargs)
        return result.view(Counting) if isinstance(result, np.ndarray) else result

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        self.calls[function.__name__] += 1
        return super().__array_function__(function, types, args, kwargs)

    def dot(self, other: Any) -> Any:  # type: ignore[override]  # without out
        self.calls["dot"] += 1
        return super().dot(other)


def plain(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, Counting) else x


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[Counter[str], Counter[str]]]:
    """Count the NumPy calls of a problem's forward pass and of its backward pass."""
    # The engine turns a subclass into a plain array, as it should; here it must let this one through.
    monkeypatch.setattr(recording, "ndarray", Counting)

    def count(name: str) -> tuple[Counter[str], Counter[str]]:
        problem = PROBLEMS[name]
        constants, parameters = tensors(problem)
        for tensor in [*constants.values(), *parameters.values()]:
            tensor._array = tensor._array.view(Counting)
        Counting.calls.clear()
        result = problem.model(DIALECT, constants, parameters)
        forward = Counter(Counting.calls)
        result.backward(problem.cotangent)
        return forward, Counting.calls - forward

    return count


@pytest.mark.parametrize(
    ("name", "forward", "backward"),
    # The 13 operations of tiny: two of them, the means, add and divide; its last sum is a product with ones, not seen.
    # Those of the block: 42 recorded, 7 of the first norm that are not, and softmax looks for the largest entry.
    [("tiny", 14, 20), ("encoder-layer", 45, 61), ("encoder-batch", 53, 65)],
)
def test_the_numpy_calls_of_a_step(
    counted: Callable[[str], tuple[Counter[str], Counter[str]]], name: str, forward: int, backward: int
) -> None:
    calls = counted(name)
    assert calls[0].total() <= forward, calls[0]
    assert calls[1].total() <= backward, calls[1]


def test_nothing_slow_is_called_in_a_step(counted: Callable[[str], tuple[Counter[str], Counter[str]]]) -> None:
    # Each takes 3 to 5 µs whatever the size, on small arrays ten times the arithmetic, or is slow on large ones.
    slow = {"mean", "var", "sum", "expand_dims", "swapaxes", "argsort", "moveaxis", "where", "copy"}
    for name in PROBLEMS:
        for calls in counted(name):
            assert not slow & set(calls)
    # A large array is spread as a view; a small one is filled in a tenth of the time.
    assert not any("broadcast_to" in calls for calls in counted("tiny"))


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Nothing may wait for the collector, nor be counted when it comes: who listens to it is called too."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_the_python_calls_of_a_step() -> None:
    # An operation of ``tiny`` takes three calls to record: the operator, apply, the save; and four to sweep, besides
    # its rules: which is newest, what it contributes, the asking, the adding. Limits are those of CPython 3.11
    # and a tenth more, as versions differ in what they inline.
    step, _ = stepper("tiny")
    step()
    events: Counter[str] = Counter()
    sys.setprofile(lambda frame, event, argument: events.update([event]))
    try:
        step()
    finally:
        sys.setprofile(None)
    assert events["call"] <= 213, events
    assert events["c_call"] <= 263, events


# Bytes


@pytest.fixture
def traced(no_collector: None) -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def live_arrays() -> tuple[int, int]:
    """Number and bytes of the arrays that NumPy holds."""
    traces = tracemalloc.take_snapshot().filter_traces([NUMPY_ONLY]).traces
    return len(traces), sum(trace.size for trace in traces)


def base_of(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("name", ["encoder-layer", "encoder-batch"])
def test_a_forward_pass_keeps_what_the_rules_name_and_nothing_else(name: str) -> None:
    problem = PROBLEMS[name]
    constants, parameters = tensors(problem)
    start = live_arrays()[1]
    result = problem.model(DIALECT, constants, parameters)
    kept = live_arrays()[1] - start
    given = {id(t._array) for t in [*constants.values(), *parameters.values()]}
    named = {id(base): base for array in saved_arrays(result) if id(base := base_of(array)) not in given}
    expected = sum(array.nbytes for array in named.values()) + result.data.nbytes
    # Small arrays (statistics of one number a row, shapes) may come from NumPy's own cache: 1 % is a hundredth of one
    # array of activations.
    assert kept == pytest.approx(expected, rel=0.01)


def saved_arrays(result: tg.Tensor) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    for node in nodes_of(result):
        pending: list[Any] = list(node.saved or ())
        while pending:
            value = pending.pop()
            if isinstance(value, tuple):
                pending.extend(value)
            elif isinstance(value, np.ndarray):
                found.append(value)
    return found


X = tg.Tensor(np.linspace(0.5, 1.5, 6).reshape(2, 3), requires_grad=True)
Y = tg.Tensor(np.linspace(1.5, 2.5, 6).reshape(2, 3), requires_grad=True)
ROW = tg.Tensor([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("operation", "arrays"),
    [
        (lambda: X + Y, 0),
        (lambda: X - Y, 0),
        (lambda: X.sum(), 0),
        (lambda: X.mean(-1), 0),
        (lambda: X.T, 0),
        (lambda: X.reshape(-1), 0),
        (lambda: X * 2.0, 0),
        (lambda: X * ROW, 1),
        (lambda: X * Y, 2),
        (lambda: X / Y, 2),
        (lambda: X.exp(), 1),
        (lambda: X.square(), 1),
        (lambda: X @ Y.T, 2),
        (lambda: ROW @ X.T, 1),
        (lambda: X.relu(), 1),
        (lambda: X.sqrt(), 1),
        (lambda: X.tanh(), 1),
    ],
)
def test_the_arrays_that_an_operation_saves(operation: Callable[[], tg.Tensor], arrays: int) -> None:
    result = operation()
    assert result.node is not None
    own = [array for array in saved_arrays(wrap(result._array, result.node)) if array.ndim]
    before = {id(a) for parent in result.node.parents if parent and parent.primitive for a in saved_of(parent)}
    assert len({id(array) for array in own} - before) == arrays


def saved_of(node: Node) -> list[np.ndarray]:
    return saved_arrays(wrap(np.zeros(()), node))


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("name", ["tiny", "encoder-layer", "encoder-batch"])
def test_steps_leave_nothing_behind(name: str) -> None:
    step, parameters = stepper(name)
    for _ in range(3):
        step()
    before = live_arrays()
    for _ in range(200 if name == "tiny" else 5):
        step()
    assert live_arrays() == before
    assert all(parameter.grad is not None for parameter in parameters.values())


@pytest.mark.usefixtures("traced")
def test_a_leak_would_be_found() -> None:
    step, parameters = stepper("tiny")
    step()
    before = live_arrays()
    leak = []
    for _ in range(200):
        step()
        leak.append(parameters["W"].grad)
    assert live_arrays()[0] >= before[0] + 199


# Matrix products


def peak_of(run: Callable[[], object]) -> int:
    """The most bytes that a function had beyond what was there before."""
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    result = run()
    peak = tracemalloc.get_traced_memory()[1] - before
    del result
    return peak


SIDE, STACK = 96, 8
WIDE = tg.Tensor(np.ones((SIDE, 2 * SIDE)))
TALL = tg.Tensor(np.ones((2 * SIDE, SIDE)))
CUBE = tg.Tensor(np.ones((STACK, SIDE, 2 * SIDE)))
HEADS = tg.Tensor(np.ones((STACK, SIDE, 2, SIDE))).swapaxes(1, 2)


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize(
    ("left", "right"),
    [
        (WIDE, TALL),
        (WIDE, WIDE.T),
        (TALL.T, TALL),
        (TALL.T, WIDE.T),
        (CUBE, TALL),
        (CUBE, WIDE.mT),
        (CUBE, CUBE.mT),
        (HEADS, HEADS.mT),
        (HEADS.mT, HEADS),
        (HEADS, WIDE[:, :SIDE]),
    ],
)
def test_a_product_takes_no_copy_of_an_operand(left: tg.Tensor, right: tg.Tensor) -> None:
    size = (left @ right).data.nbytes
    smallest = min(left.data.nbytes, right.data.nbytes)
    assert peak_of(lambda: left @ right) < size + smallest / 8


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize(("left", "right"), [(WIDE, TALL), (CUBE, TALL), (CUBE, CUBE.mT), (HEADS, HEADS.mT)])
def test_the_gradients_of_a_product_take_no_copy_either(left: tg.Tensor, right: tg.Tensor) -> None:
    x, y = (tg.Tensor(t, requires_grad=True) for t in (left, right))
    result = x @ y
    cotangent = tg.Tensor(np.ones(result.shape))
    smallest = min(left.data.nbytes, right.data.nbytes)
    assert peak_of(lambda: result.backward(cotangent)) < x.data.nbytes + y.data.nbytes + smallest / 8


@pytest.mark.usefixtures("traced")
def test_a_copy_would_be_found() -> None:
    assert peak_of(lambda: TALL.data.T.copy() @ TALL.data) >= TALL.data.nbytes + SIDE * SIDE * 8


# The import

HEAVY = ("matplotlib", "graphviz", "torch", "difflib", "html", "sklearn", "safetensors", "json", "asyncio", "unittest")
HEAVY += ("dataclasses", "threading")
LAZY = ("viz", "gradcheck", "lessons", "nn", "optim", "io", "cli", "commands", "transforms", "functional.windows")
NEW_MODULES = """
import json, sys, numpy
before = set(sys.modules)
import tinygrad_norm
json.dump(sorted(set(sys.modules) - before), sys.stdout)
"""


def test_the_import_stays_lean() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NEW_MODULES], capture_output=True, encoding="utf-8", cwd=ROOT, check=True
    )
    loaded = json.loads(done.stdout)
    late = (*HEAVY, *(f"tinygrad_norm.{room}" for room in LAZY))
    assert not [m for m in loaded if m in late or m.startswith(tuple(name + "." for name in late))]
    # What of the standard library is new depends on the versions of Python and NumPy.
    own = [m for m in loaded if m.startswith("tinygrad_norm")]
    assert len(own) <= 55, own
    assert len(loaded) - len(own) <= 20, loaded
