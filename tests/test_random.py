"""One generator a thread or task, seeded by ``manual_seed``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import Context

import numpy as np

import tinygrad_norm as tg
from tinygrad_norm.random import generator


def test_a_seed_gives_the_same_numbers() -> None:
    tg.manual_seed(3)
    first = generator().random(4)
    assert np.array_equal(tg.manual_seed(3).random(4), first)
    assert generator() is generator()


def test_without_a_seed_the_system_gives_one() -> None:
    assert Context().run(lambda: generator().random()) != Context().run(lambda: generator().random())
    assert Context().run(lambda: generator() is generator())


def test_a_thread_has_its_own_generator() -> None:
    mine = tg.manual_seed(0)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(generator).result() is not mine
    assert generator() is mine
