"""Threads differentiate at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


InThread = Callable[[Callable[[], Any]], Any]


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


def test_threads_may_share_a_leaf(in_thread: InThread) -> None:
    x = leaf(np.ones(3))
    in_thread(lambda: (x * 2.0).sum().backward())
    (x * 3.0).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [5.0] * 3


def test_no_update_of_a_shared_leaf_is_lost() -> None:
    for _ in range(10):
        x = leaf(np.zeros(300_000))
        ready = threading.Barrier(4)

        def work(x: tg.Tensor = x, ready: threading.Barrier = ready) -> None:
            losses = [x.sum() for _ in range(50)]
            ready.wait()
            for loss in losses:
                loss.backward()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert x.grad is not None
        assert np.all(x.grad.data == 200.0)
