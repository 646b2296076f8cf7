"""Mistakes inside a hand-written backward pass that only a sweep over its recorded forward pass explains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Finding

RNG = np.random.default_rng(5)
X, W, V = RNG.standard_normal((5, 3)), RNG.standard_normal((3, 3)), RNG.standard_normal((3, 2))


def gate(x: Any, w: Any, v: Any) -> Any:
    h = np.tanh(x @ w)
    return (h * np.sin(h)) @ v


def gate_rule(g: Any, x: Any, w: Any, v: Any, **slip: Any) -> Any:
    h = np.tanh(x @ w)
    d = g @ v.T
    first, second = d * np.sin(h), d * h * np.cos(slip.get("at", h))
    dh = slip.get("one", 1) * first + slip.get("two", 1) * second
    dz = dh * (1 - h**2 if slip.get("local", True) else 1)
    return dz @ (w if slip.get("untransposed") else w.T), x.T @ dz, (h * np.sin(h)).T @ g


def finding(**slip: Any) -> Finding:
    report = tg.check_vjp(gate, lambda g, x, w, v: gate_rule(g, x, w, v, **slip), (X, W, V))
    assert report.status == "wrong"
    assert report.finding is not None, report
    return report.finding


def test_the_right_rule_has_no_name() -> None:
    assert tg.check_vjp(gate, gate_rule, (X, W, V)).ok


@pytest.mark.parametrize(
    ("slip", "code", "word"),
    [
        ({"two": 0}, "path-dropped", "sin"),
        ({"two": -1}, "path-sign", "sin"),
        ({"two": 2}, "path-twice", "sin"),
        ({"one": 0.3}, "path-coefficient", "multiplied by 0.3"),
        ({"local": False}, "inner-derivative-missing", "tanh"),
        ({"at": X @ W}, "inner-value", "the result of matmul"),
    ],
)
def test_a_step_that_is_wrong_is_named_with_its_line(slip: dict[str, Any], code: str, word: str) -> None:
    found = finding(**slip)
    assert found.code == code
    assert word in found.name
    assert "`" in found.name
    assert found.leftover < 1e-9
    assert found.why


@pytest.mark.parametrize(
    ("times", "code", "word"),
    [
        ((1, 0, 0), "path-dropped", "2 of the 3 places where x is used is missing"),
        ((-1, 1, -1), "path-sign", "2 of the 3 places where x is used has the wrong sign"),
        ((2, 1, 2), "path-twice", "2 of the 3 places where x is used is counted two times"),
    ],
)
def test_of_several_uses_of_an_input_each_counts_once(times: tuple[int, ...], code: str, word: str) -> None:
    def cube(x: Any) -> Any:
        return x @ x @ x

    def rule(g: Any, x: Any) -> Any:
        t = x.T
        return times[0] * g @ t @ t + times[1] * t @ g @ t + times[2] * t @ t @ g

    found = tg.check_vjp(cube, rule, W).finding
    assert found is not None
    assert found.code == code
    assert word in found.name


def test_nothing_is_said_of_what_no_single_step_explains() -> None:
    mixed = np.eye(5) + np.random.default_rng(1).standard_normal((5, 5)) / 5

    def backward(g: Any, x: Any, w: Any, v: Any) -> Any:
        dx, *others = gate_rule(g, x, w, v)
        return (mixed @ dx, *others)

    report = tg.check_vjp(gate, backward, (X, W, V))
    assert report.status == "wrong"
    assert report.finding is None, report


def recurrent(x: Any, w: Any) -> Any:
    h = x[0]
    for k in range(1, 5):
        h = np.tanh(x[k] + h @ w)
    return h


def recurrent_rule(g: Any, x: Any, w: Any, untransposed: bool) -> Any:
    states = [x[0]]
    for k in range(1, 5):
        states.append(np.tanh(x[k] + states[-1] @ w))
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for k in range(4, 0, -1):
        dx[k] = g * (1 - states[k] ** 2)
        dw += np.outer(states[k - 1], dx[k])
        g = dx[k] @ (w if untransposed else w.T)
    dx[0] = g
    return dx, dw


def test_a_step_of_a_loop_is_wrong_each_time() -> None:
    assert tg.check_vjp(recurrent, lambda g, x, w: recurrent_rule(g, x, w, False), (X, W)).ok
    report = tg.check_vjp(recurrent, lambda g, x, w: recurrent_rule(g, x, w, True), (X, W))
    assert report.finding is not None, report
    assert report.finding.code == "inner-not-transposed"
    assert "each step of" in report.finding.name


def test_what_cannot_be_recorded_is_wrong_without_a_name() -> None:
    def forward(x: Any) -> Any:
        out = np.zeros_like(x)
        for i in range(3):
            out[i] = np.sin(x[i]) * np.tanh(x[i])
        return out

    def backward(g: Any, x: Any) -> Any:
        return g * np.cos(x) * np.tanh(x) * np.where(np.arange(3) == 1, 1.1, 0.7)

    report = tg.check_vjp(forward, backward, X[0])
    assert report.status == "wrong"
