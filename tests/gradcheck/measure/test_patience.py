"""Functions that do not come back."""

from __future__ import annotations

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


def test_what_a_function_raises_is_not_held_back() -> None:
    with Patience() as patient, pytest.raises(ZeroDivisionError):
        patient.call(lambda x: x / 0 if x is None else 1 // 0, np.ones(1))  # type: ignore[arg-type, return-value]
