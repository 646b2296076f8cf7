"""Functions that do not come back."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck.measure import patience
from tinygrad_norm.gradcheck.measure.patience import Patience, TookTooLongError


def newton(a: Any) -> Any:
    """The root by Newton's method, which never ends for a negative number."""
    x = np.ones_like(a)
    while np.max(np.abs(x * x - a)) > 1e-12 * np.max(np.abs(a)):
        x = (x + a / x) / 2
    return x


def endless(x: Any) -> Any:
    while True:
        x = x + 0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LEAST", 0.02)


@pytest.mark.usefixtures("impatient")
def test_a_loop_that_does_not_end_off_the_point_is_not_here() -> None:
    x = np.array([1.0, 2.8, 1.5, 0.2])
    assert tg.check_vjp(newton, lambda g, a: g / 2 / np.sqrt(a), x).ok
    assert tg.check_vjp(newton, lambda g, a: g / np.sqrt(a), x).cause is not None


@pytest.mark.usefixtures("impatient")
def test_a_call_that_is_stopped_gives_nothing_and_leaves_the_next_alone() -> None:
    def swallowing(x: Any) -> Any:
        try:
            return endless(x)
        except BaseException:
            return x

    def raising(x: Any) -> Any:
        try:
            return endless(x)
        except TookTooLongError:
            raise KeyError from None

    one = np.ones(1)
    with Patience() as patient:
        assert patient.call(np.negative, one) == -1
        for function in (endless, endless, swallowing):
            patient.call(function, one)
        with pytest.raises(KeyError):
            patient.call(raising, one)
        for _ in range(100):
            assert patient.call(np.negative, one) is not None


@pytest.mark.usefixtures("impatient")
def test_a_loop_that_waits_and_does_not_compute_is_stopped_too() -> None:
    never = threading.Event()

    def waiting(x: Any) -> Any:
        while not never.wait(0.001):
            pass
        return x

    with Patience() as patient:
        assert patient.call(np.negative, np.ones(1)) == -1
        assert patient.call(waiting, np.ones(1)) is None


@pytest.mark.parametrize(
    ("waited", "computed", "late"),
    [
        (2.0, 0.1, False),  # the machine was busy with something else
        (0.1, 2.0, False),  # other threads have computed
        (2.0, 2.0, True),
        (50.0, 0.1, True),
    ],
)
def test_neither_a_busy_machine_nor_other_threads_make_a_call_late(
    waited: float, computed: float, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient, now = Patience(), [0.0, 0.0]
    patient._caller, patient._limit, patient._number = 0, 1.0, 1  # no thread has this number: nothing is raised
    monkeypatch.setattr(patience.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(patience.time, "process_time", lambda: now[1])
    patient.stop_if_late()
    now[:] = waited, computed
    patient.stop_if_late()
    assert patient._fired is late


def test_what_a_function_raises_is_not_held_back() -> None:
    with Patience() as patient, pytest.raises(ZeroDivisionError):
        patient.call(lambda x: x / 0 if x is None else 1 // 0, np.ones(1))  # type: ignore[arg-type, return-value]
