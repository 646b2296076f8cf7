"""The switches hold where they are set and nowhere else: blocks, functions, threads, tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.tape import STATE, Setting


def tracked() -> bool:
    return (tg.Tensor(1.0, requires_grad=True) * 2.0).requires_grad


def test_no_grad_as_a_block_and_nested() -> None:
    assert tracked()
    with tg.no_grad():
        assert not tracked()
        with tg.enable_grad():
            assert tracked()
            with tg.no_grad():
                assert not tracked()
            assert tracked()
        assert not tracked()
    assert tracked()


def test_one_switch_may_be_entered_twice() -> None:
    switch = tg.no_grad()
    with switch, switch:
        assert not tracked()
    assert tracked()


def test_no_grad_ends_with_an_error() -> None:
    with pytest.raises(RuntimeError, match="inside"), tg.no_grad():
        raise RuntimeError("inside")
    assert tracked()


def test_as_decorators() -> None:
    @tg.no_grad()
    def without(depth: int) -> list[bool]:
        """What it says."""
        return [tracked(), *(without(depth - 1) if depth else []), tracked()]

    @tg.enable_grad()
    def with_it() -> bool:
        return tracked()

    assert without.__doc__ == "What it says."
    assert without.__name__ == "without"
    assert not any(without(3))
    with tg.no_grad():
        assert with_it()
        assert not tracked()
    assert tracked()


def test_a_generator_cannot_be_decorated() -> None:
    def numbers() -> Iterator[int]:
        yield 1

    async def later() -> AsyncIterator[int]:
        yield 1

    for function in (numbers, later):
        with pytest.raises(
            tg.OperandError, match=r"no_grad must decorate a function that runs when it is called; got the gen"
        ):
            tg.no_grad()(function)


def test_no_grad_in_one_thread_does_not_leak_into_another() -> None:
    inside, go_on = threading.Event(), threading.Event()
    seen: list[bool] = []

    def other() -> None:
        with tg.no_grad():
            inside.set()
            go_on.wait(10)
            seen.append(tracked())
        seen.append(tracked())

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    assert tracked()
    go_on.set()
    thread.join()
    assert seen == [False, True]
    with tg.no_grad(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(tracked).result()


def test_tasks_keep_their_own_state() -> None:
    @tg.no_grad()
    async def without(turns: asyncio.Semaphore) -> list[bool]:
        found = [tracked()]
        for _ in range(3):
            await asyncio.sleep(0)
            found.append(tracked())
        return found

    async def with_scope(name: str) -> list[Any]:
        found = []
        with tg.scope(name):
            for _ in range(3):
                await asyncio.sleep(0)
                found.append(STATE.get().scope)
        return [s.path if s else None for s in found]

    async def main() -> list[Any]:
        turns = asyncio.Semaphore(1)
        return await asyncio.gather(without(turns), with_scope("a"), without(turns), with_scope("b"))

    assert asyncio.run(main()) == [[False] * 4, ["a"] * 3, [False] * 4, ["b"] * 3]
    assert tracked()


def test_a_task_inherits_and_does_not_give_back() -> None:
    async def child() -> bool:
        before = tracked()
        STATE.set(STATE.get()._replace(recording=True))
        return before

    async def main() -> tuple[bool, bool]:
        with tg.no_grad():
            return await asyncio.create_task(child()), tracked()

    assert asyncio.run(main()) == (False, False)


def test_under_no_grad_nothing_is_recorded_or_saved() -> None:
    x = tg.Tensor(np.ones(3), requires_grad=True)
    with tg.no_grad():
        y = tg.functional.layer_norm(x * x, 3)
    assert y.node is None
    assert y.is_leaf
    assert not y.requires_grad


def test_a_leaf_made_under_no_grad_is_a_leaf() -> None:
    with tg.no_grad():
        x = tg.Tensor(3.0, requires_grad=True)
    (x * x).backward()
    assert x.grad is not None
    assert x.grad.item() == 6.0


def test_backward_works_under_no_grad_and_create_graph_records_there() -> None:
    x = tg.Tensor(3.0, requires_grad=True)
    y = x**3
    with tg.no_grad():
        slope = tg.gradients(y, x, create_graph=True)
        y.backward()
    assert tg.gradients(slope, x).item() == 18.0
    assert x.grad is not None
    assert not x.grad.requires_grad


def test_a_setting_must_say_what_it_changes() -> None:
    with pytest.raises(TypeError, match=r"must define change\(\)"), Setting():
        pass


# Anomalies: the first operation that made a NaN or an infinity


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (
            lambda: tg.log(tg.Tensor([[1.0, 0.0]])),
            r"log in model: .*an infinity appeared at index \(0, 1\) of the result",
        ),
        (lambda: tg.sqrt(-1.0), r"sqrt in model: .*a NaN appeared at index \(\) of the result, shape \(\)"),
        (lambda: tg.Tensor([1.0, 0.0]) / [1.0, 0.0], r"divide in model: .*a NaN appeared at index \(1,\)"),
        (lambda: tg.concatenate([tg.exp([1000.0]), [1.0]]), r"exp in model: .*an infinity appeared at index \(0,\)"),
    ],
)
def test_anomaly_forward(compute: Any, message: str) -> None:
    with (
        np.errstate(all="ignore"),
        tg.detect_anomaly(),
        tg.scope("model"),
        pytest.raises(tg.AnomalyError, match=message),
    ):
        compute()


def test_an_anomaly_that_came_in_is_not_blamed_on_who_passes_it_on() -> None:
    with tg.detect_anomaly():
        assert np.isnan(tg.Tensor([np.nan, 1.0]) * 2.0)[0]
        assert np.isinf(tg.Tensor([np.inf, 1.0]) + 2)[0]
        assert not np.any(tg.Tensor([True, False]) & True & np.array([False]))


def test_anomaly_backward() -> None:
    x = tg.Tensor([4.0, 0.0], requires_grad=True)
    with tg.detect_anomaly(), tg.scope("model"), np.errstate(divide="ignore"):
        y = tg.sqrt(x).sum()
        with pytest.raises(
            tg.AnomalyError,
            match=r"sqrt in model: every gradient must be finite; the backward rule for input 0 ḡ / \(2√x\) made a "
            r"NaN or an "
            r"infinity from a finite cotangent of shape \(2,\). Look at that input's values",
        ):
            y.backward()
    assert x.grad is None


def test_anomaly_backward_with_create_graph_and_as_decorator() -> None:
    @tg.detect_anomaly()
    def slope(x: tg.Tensor) -> tg.Tensor:
        return tg.gradients(tg.sqrt(x), x, create_graph=True)

    assert slope(tg.Tensor(4.0, requires_grad=True)).item() == 0.25
    with np.errstate(divide="ignore"), pytest.raises(tg.AnomalyError):
        slope(tg.Tensor(0.0, requires_grad=True))


def test_without_detection_nothing_is_raised() -> None:
    with np.errstate(divide="ignore"):
        assert tg.grad(tg.sqrt)(0.0).item() == np.inf
