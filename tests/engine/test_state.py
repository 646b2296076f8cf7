"""The state is that of a thread or a task: what is set in one is not seen in another. A scope names a place."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import tinygrad_norm as tg
from tinygrad_norm.context import Setting
from tinygrad_norm.engine.complaints import where
from tinygrad_norm.engine.tape import STATE, Scope


def tracked() -> bool:
    return (tg.Tensor(1.0, requires_grad=True) * 2.0).requires_grad


InThread = Callable[[Callable[[], Any]], Any]


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


def test_a_new_thread_starts_with_the_defaults(in_thread: InThread) -> None:
    with tg.no_grad(), tg.scope("outer"):
        state = in_thread(STATE.get)
        assert (state.recording, state.scope, state.anomaly, state.monitor) == (True, None, False, None)


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
        STATE.set(STATE.get().replaced(recording=True))
        return before

    async def main() -> tuple[bool, bool]:
        with tg.no_grad():
            return await asyncio.create_task(child()), tracked()

    assert asyncio.run(main()) == (False, False)


def test_a_setting_may_be_entered_again_within_itself() -> None:
    setting = tg.no_grad()
    with setting:
        with setting:
            assert not tracked()
        assert not tracked()
    assert tracked()


def test_a_setting_must_say_what_it_changes() -> None:
    with pytest.raises(TypeError, match=r"must define change\(\)"), Setting():
        pass


# Scopes


def test_a_scope_has_the_path_of_those_around_it() -> None:
    encoder = Scope("encoder", None, "scope")
    norm = Scope("norm", Scope("", encoder, "Module"), "LayerNorm")
    assert norm.path == "encoder.norm"
    assert repr(norm) == "<scope encoder.norm>"
    assert where(norm) == " in encoder.norm"
    assert where(Scope("", None, "Module")) == where(None) == ""


def test_the_scope_of_a_block_ends_with_it() -> None:
    with tg.scope("encoder"), tg.scope("norm"):
        inside = STATE.get().scope
    assert inside is not None
    assert inside.path == "encoder.norm"
    assert STATE.get().scope is None
