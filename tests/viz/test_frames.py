"""What the variables around an operation call its values, and which variables say nothing."""

from __future__ import annotations

import sys
from types import FrameType

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.functional.composition import composed
from tinygrad_norm.viz.frames import array_key, is_shown, key_of, variables_of


def test_what_identifies_a_value() -> None:
    x, c = tg.Tensor(1.0, requires_grad=True), tg.Tensor(1.0)
    assert key_of(x) is x.node
    assert key_of(c) == id(c)
    assert key_of(c.detach()) != key_of(c)


def test_the_names_that_a_frame_has_for_values() -> None:
    def inside(argument: tg.Tensor, fresh: tg.Tensor) -> None:
        alias = argument
        _hidden = tg.Tensor(2.0)
        number = 3.0
        other = np.zeros(3)
        frame = sys._getframe()
        found = variables_of(frame, results={key_of(argument): 0}, arrays={id(weights)})
        assert found == {key_of(alias): "alias", key_of(fresh): "fresh", array_key(weights): "weights"}
        assert (number, other.size) == (3.0, 3)

    weights = np.ones(3)
    inside(tg.Tensor(1.0), tg.Tensor(2.0, requires_grad=True))


@pytest.mark.usefixtures("planted")
def test_the_user_s_frames_and_those_of_compositions_are_shown() -> None:
    shown: dict[str, bool] = {}

    def look(x: np.ndarray, /) -> np.ndarray:
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            shown.setdefault(frame.f_code.co_name, is_shown(frame))
            frame = frame.f_back
        return x

    looking = tg.primitive(look, vjp=lambda g: (g,), samples=[tg.sample(())], name="looking")
    composed(looking.__call__)(1.0)
    assert shown["look"]
    assert shown["scoped"]
    assert not shown["apply"]


def test_values_are_named_by_the_variables_that_hold_them() -> None:
    def inner(x: tg.Tensor) -> tg.Tensor:
        doubled = x * 2.0
        return doubled + 1.0

    with tg.trace() as t:
        a = tg.Tensor(1.0, requires_grad=True)
        result = inner(tg.exp(a))
        del a
    assert result.requires_grad
    names = [t.variables.get(r.key) for r in t.records]
    # An argument names nothing: x is whatever was passed. The outer name of a value stands.
    assert names == [None, "doubled", "result"]


def test_compositions_name_their_parts_and_arrays() -> None:
    with tg.trace() as t:
        z = tg.Tensor([[7.0, 5.0, 4.0]], requires_grad=True)
        weights = F.softmax(z)
    assert weights.requires_grad
    names = list(t.variables.values())
    assert {"z", "weights", "exponentials", "total", "largest"} <= set(names)


def test_the_engine_s_own_variables_name_nothing() -> None:
    with tg.trace() as t:
        tg.Tensor([1.0, 4.0], requires_grad=True).std()
    assert t.variables == {}


def test_a_helper_does_not_name_what_it_was_given() -> None:
    """Neither by an alias in a helper, nor by another helper whose frame lies where the first one's lay."""
    with tg.trace() as t:
        x = tg.Tensor([[1.0, 2.0, 4.0]], requires_grad=True)
        out = F.layer_norm(x + F.relu(x), 3)
    assert out.requires_grad
    names = {r.primitive.name: t.variables.get(r.key) for r in t.records[:3]}
    assert names == {"relu": None, "add": None, "mean": None}
    assert "centered" in t.variables.values()
    assert not hasattr(t, "frames")
    assert (t._stack, t._before) == ([], [])
