from __future__ import annotations

from collections.abc import Callable

import pytest

from tinygrad_norm.lessons.labs.published.session import Session


def test_ctrl_c_keeps_what_was_done_and_skips_the_rest() -> None:
    session, seen = Session(), []

    def work(job: int) -> int:
        seen.append(job)
        if job == 3:
            raise KeyboardInterrupt
        return job * job

    assert session.each("squares", (1, 2, 3, 4), work) == {1: 1, 2: 4}
    assert session.interrupted
    assert session.each("more", (5,), work) == {}
    assert seen == [1, 2, 3]


def test_ctrl_c_between_jobs(interrupted_after: Callable[[int], Session]) -> None:
    session = interrupted_after(2)
    assert session.each("squares", (1, 2, 3), lambda n: n) == {1: 1, 2: 2}
    assert session.interrupted
    session = interrupted_after(0)
    assert session.each("squares", (1,), lambda n: n) == {}


def test_another_error_is_not_kept_quiet() -> None:
    session = Session()
    with pytest.raises(ZeroDivisionError):
        session.each("division", (0,), lambda n: 1 / n)
    assert not session.interrupted
