"""The switches hold where they are set and nowhere else: blocks and functions."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg


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
            r"NaN or an infinity from a finite cotangent of shape \(2,\). Look at that input's values",
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


def test_a_decorator_without_parentheses() -> None:
    with pytest.raises(
        tg.OperandError, match=r"no_grad takes no arguments; got <function .*Write @tg.no_grad\(\) with"
    ):

        @tg.no_grad
        def f() -> None:
            """Do nothing."""


def test_one_setting_may_be_entered_in_several_threads_at_once() -> None:
    setting, ready, seen = tg.no_grad(), threading.Barrier(2), []

    def work() -> None:
        for _ in range(20):
            with setting:
                ready.wait()
                with setting:
                    seen.append(tracked())
                seen.append(tracked())
                ready.wait()
            seen.append(not tracked())

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 120
    assert not any(seen)


def test_a_forward_function_without_return(planted: None) -> None:
    def forward(x: Any, /) -> Any:
        x * 2  # the mistake

    made = tg.primitive(forward, vjp=lambda g: (g,), samples=[tg.sample((3,))], name="planted")
    with (
        tg.scope("model"),
        pytest.raises(tg.OperandError, match=r"planted in model must return an array .* without ret"),
    ):
        made(tg.Tensor([1.0]))
