"""Which numbers and arrays of a forward pass are found, and under which names."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinygrad_norm.gradcheck.forward_constants import constants_of

TEMPERATURE = 0.25
TABLE = np.arange(3.0)


def inner(x: Any, scale: float = 7.5) -> Any:
    return x * scale


def outer(x: Any, *, shift: float = 4.5) -> Any:
    return inner(x / TEMPERATURE) + shift + sum(TABLE[k] for k in range(2))


class Layer:
    def __init__(self) -> None:
        self.eps = 1e-3
        self.name = "a"
        self.on = True

    def forward(self, x: Any) -> Any:
        return x / self.eps * 11


class Slotted:
    __slots__ = ()

    def __call__(self, x: Any) -> Any:
        return 13 * x


def test_literals_globals_defaults_and_called_functions_are_found() -> None:
    found = constants_of(outer, {})
    assert {name: found[name] for name in ("TEMPERATURE", "shift", "scale", "2")} == {
        "TEMPERATURE": 0.25,
        "shift": 4.5,
        "scale": 7.5,
        "2": 2.0,
    }
    assert found["TABLE"] is TABLE


def test_a_layer_tells_its_own_numbers() -> None:
    layer = Layer()
    for function in (layer, layer.forward):
        assert constants_of(function, {}) == {"self.eps": 1e-3, "11": 11.0}
    assert constants_of(Slotted(), {}) == {"13": 13.0}


def test_what_is_no_number_of_interest_is_left_out() -> None:
    huge = np.zeros(20_000)

    def f(x: Any) -> Any:
        return x[0] * 1 - True * x + huge.sum() + late

    assert constants_of(f, {"text": "a", "flag": True, "empty": np.zeros(0), "n": 10**5000, "m": float("nan")}) == {}
    late = 2.5
    assert constants_of(f, {"k": 3}) == {"k": 3.0, "late": 2.5}
    assert constants_of(np.exp, {}) == {}
    assert constants_of(print, {}) == {}


def test_what_a_partial_fixes_is_known() -> None:
    assert constants_of(partial(inner, scale=2.5), {}) == {"scale": 2.5}
