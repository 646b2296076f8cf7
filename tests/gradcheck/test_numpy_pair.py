"""How hand-written backward passes are called, and what they and their functions may not write into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Report
from tinygrad_norm.gradcheck.numpy_pair import calling_convention

X = np.random.default_rng(0).standard_normal((3, 5))
Y = np.random.default_rng(1).standard_normal((3, 5))


def codes(report: Report) -> list[str]:
    return [fault.code for fault in report.faults]


def test_backward_may_take_the_output_and_be_called_by_position() -> None:
    def with_out(g: Any, out: Any, x: Any) -> Any:
        return g * out

    def by_count(a: Any, b: Any, c: Any) -> Any:
        return a * b

    def with_rest(g: Any, out: Any, *inputs: Any) -> Any:
        return g * out

    assert tg.check_vjp(np.exp, with_out, X).ok
    assert tg.check_vjp(np.exp, with_rest, X).ok
    assert tg.check_vjp(np.exp, by_count, X).ok
    assert tg.check_vjp(np.exp, lambda *args: args[0] * np.exp(args[1]), X).ok
    two = tg.check_vjp(lambda x: (np.exp(x), np.sin(x)), lambda g, out, x: g[0] * out[0] + g[1] * np.cos(x), X)
    assert two.ok
    # A built-in function without a signature gets g and the inputs.
    assert tg.check_vjp(lambda x: 1.0 * x, lambda g, x: np.positive(g), X).ok


def test_gradients_may_be_given_for_all_inputs_or_the_floating_ones() -> None:
    labels = np.array([0, 2, 1])

    def pick(x: Any, i: Any) -> Any:
        return x[np.arange(3), i]

    def place(g: Any, x: Any, i: Any) -> Any:
        dx = np.zeros_like(x)
        dx[np.arange(3), i] = g
        return dx

    assert tg.check_vjp(pick, place, (X, labels)).ok
    assert tg.check_vjp(pick, lambda g, x, i: (place(g, x, i), None), (X, labels)).ok
    product = tg.check_vjp(lambda a, b: a * b, lambda g, a, b: [g * a], (X, X.copy()), wrt="b")
    assert product.ok


def test_an_input_may_have_the_name_of_an_output() -> None:
    assert tg.check_vjp(lambda x, y: x * y * y, lambda g, x, y: (g * y * y, 2 * g * x * y), (X, Y)).ok
    assert tg.check_vjp(lambda y, x: x * y * y, lambda g, y, x: (2 * g * x * y, g * y * y), (Y, X)).ok
    assert tg.check_vjp(lambda out: out**2, lambda g, out: 2 * g * out, X).ok
    assert tg.check_vjp(lambda y: y**2, lambda g, y, scale=2: scale * g * y, X).ok
    assert tg.check_vjp(lambda x: np.exp(x), lambda g, y, x, scale=1: scale * g * y, X).ok


def affine(x: Any, w: Any, b: Any) -> Any:
    return x @ w + b, (x, w, b)


def affine_backward(dout: Any, cache: Any) -> Any:
    x, w, _ = cache
    return dout @ w.T, x.T @ dout, dout.sum(0)


def cell(x: Any, h: Any) -> Any:
    new = np.tanh(x + 2 * h)
    return new, new * h, {"new": new, "h": h}


def cell_backward(dnew: Any, dproduct: Any, cache: Any) -> Any:
    d = (dnew + dproduct * cache["h"]) * (1 - cache["new"] ** 2)
    return d, 2 * d + dproduct * cache["new"]


def test_a_function_may_return_a_cache_for_its_backward_pass() -> None:
    factors = X, np.random.default_rng(2).standard_normal((5, 2)), np.zeros(2)
    assert tg.check_vjp(affine, affine_backward, factors).ok
    assert tg.check_vjp(lambda x: (np.maximum(x, 0), x), lambda dout, cache: dout * (cache > 0), X).ok
    assert tg.check_vjp(lambda x: (np.exp(x), [np.exp(x)]), lambda g, kept: g * kept.pop(), X).ok
    assert tg.check_vjp(cell, cell_backward, (X, Y)).ok
    both = tg.check_vjp(cell, lambda g, cache: cell_backward(*g, cache), (X, Y))
    assert both.ok
    # Two arrays are two outputs where nothing says that the second is a cache.
    assert tg.check_vjp(lambda x: (np.exp(x), x**2), lambda g, x: g[0] * np.exp(x) + 2 * g[1] * x, X).ok
    wrong = tg.check_vjp(
        affine, lambda g, cache: (-affine_backward(g, cache)[0], *affine_backward(g, cache)[1:]), factors
    )
    assert wrong.cause == "the sign is flipped"


def test_a_dictionary_that_the_function_fills_is_new_each_time() -> None:
    def norm(x: Any, options: dict[str, Any]) -> Any:
        options["mean"] = 0.9 * options.get("mean", 0) + 0.1 * x.mean(0)
        return x - options["mean"]

    given: dict[str, Any] = {}
    assert tg.check_vjp(norm, lambda g, x, options: (g - 0.1 * g.sum(0) / len(x), None), (X, given)).ok
    assert given == {}


class Tanh:
    """A layer that remembers its input, as many courses write them."""

    def forward(self, x: Any) -> Any:
        self.inputs = [x]
        return np.tanh(x)

    def backward(self, g: Any) -> Any:
        return g * (1 - np.tanh(self.inputs.pop()) ** 2)


class Forgetful(Tanh):
    """The classic slip: 1 − tanh in place of 1 − tanh²."""

    def backward(self, g: Any) -> Any:
        return g * (1 - np.tanh(self.inputs.pop()))


@pytest.mark.parametrize("large", [False, True])
def test_a_layer_may_remember_and_the_function_runs_before_each_backward_pass(large: bool) -> None:
    x = np.tile(X, (100, 1)) + np.arange(300.0)[:, None] / 300 if large else X
    layer, wrong = Tanh(), Forgetful()
    assert tg.check_vjp(layer.forward, layer.backward, x).ok
    assert tg.check_vjp(layer.forward, lambda g, x: layer.backward(g), x).ok
    remembered = tg.check_vjp(wrong.forward, wrong.backward, x)
    assert remembered.status == "wrong"
    assert remembered.faults == ()
    # What is known about a mistake does not depend on how the layer is written.
    plain = tg.check_vjp(np.tanh, lambda g, x: g * (1 - np.tanh(x)), x)
    assert remembered.cause == plain.cause


def write(array: Any, value: Any, result: Any) -> Any:
    """Overwrite an array before a result is handed on."""
    array[...] = value
    return result


@pytest.mark.parametrize(
    ("forward", "backward", "inputs", "code", "name"),
    [
        (
            np.tanh,
            lambda g, out, x: g * write(out, out * out, 1 - out**2 * out**0),
            (X,),
            "output-changed",
            "the output",
        ),
        (
            lambda x: (np.tanh(x), np.tanh(x)),
            lambda g, out, x: (g[0] + g[1]) * write(out[1], 0, 1 - np.tanh(x) ** 2),
            (X,),
            "output-changed",
            "the output",
        ),
        (
            lambda x, i: write(i, 0, x[i.copy()]),
            lambda g, x, i: write_at(g, i, len(x)),
            (X[0], np.array([3, 0, 1])),
            "argument-changed",
            "its argument i",
        ),
        (
            lambda x, i: x[i],
            lambda g, x, i: write(i, 0, write_at(g, i, len(x))),
            (X[0], np.array([3, 0, 1])),
            "argument-changed",
            "the argument i",
        ),
        (
            lambda x, c: x * c + write(c, 0, 0),
            lambda g, x, c: (g * c, None),
            (X, Y),
            "argument-changed",
            "its argument c",
        ),
    ],
)
def test_writing_into_what_belongs_to_others_is_a_fault(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: Any, code: str, name: str
) -> None:
    report = tg.check_vjp(forward, backward, inputs, wrt="x" if name.endswith(" c") else None)
    assert code in codes(report)
    assert any(fault.name.endswith(f"changes {name}") for fault in report.faults)


def write_at(g: Any, i: Any, size: int) -> Any:
    """Return an array of zeros with g added at the indices."""
    out = np.zeros(size)
    np.add.at(out, i, g)
    return out


def test_a_cache_may_be_used_up_but_not_the_output_in_it() -> None:
    assert tg.check_vjp(lambda x: (np.exp(x), [x]), lambda g, cache: g * np.exp(cache.pop()), X).ok
    report = tg.check_vjp(
        lambda x: (y := np.exp(x), {"y": y}), lambda g, cache: g * write(cache["y"], 0, cache["y"]), X
    )
    assert "output-changed" in codes(report)


def test_what_is_neither_numbers_nor_a_cache_is_refused() -> None:
    with pytest.raises(tg.errors.OperandError, match=r"forward must return real numbers .* got list"):
        tg.check_vjp(lambda x: [[1.0], [[1.0], [1.0, 2.0]]], lambda g, x: g, X)


def test_a_backward_pass_without_a_signature_gets_the_inputs() -> None:
    assert calling_convention(max, ["x"], (1.0, {})) == "inputs"
    assert calling_convention(lambda *rest: rest, ["x"], 1.0) == "inputs"


def test_a_gradient_of_more_bits_than_its_input_is_said() -> None:
    x = np.linspace(0.1, 1.0, 6, dtype=np.float32)
    wide = tg.check_vjp(lambda v: v * 2, lambda g, v: g * np.full(6, 2.0), x)
    assert wide.ok
    assert "the gradient of v is float64, the input float32" in wide.notes[0]
    half = tg.check_vjp(np.tanh, lambda g, out, v: (g * (1 - out**2)).astype(np.float32), x.astype(np.float16))
    assert "is float32, the input float16" in str(half)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_gradient_of_its_inputs_dtype_needs_no_word(dtype: type) -> None:
    x = np.linspace(0.1, 1.0, 6).astype(dtype)
    assert not tg.check_vjp(np.tanh, lambda g, out, v: g * (1 - out**2), x).notes
    assert not tg.check_vjp(lambda v: v * 2, lambda g, v: None if v is None else 2 * g, x).notes
