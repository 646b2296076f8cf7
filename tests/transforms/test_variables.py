"""What a transform does with its arguments, with Tensors that the function closes over, and with its results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


def test_nothing_touches_a_gradient_or_an_argument() -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    array = np.array([1.0, 2.0])
    for f in (tg.grad, tg.value_and_grad):
        f(lambda t: (t * w).sum())(x)
        f(lambda t: (t * w).sum())(array)
    tg.vjp(lambda t: t * w, x)[1]([1.0, 1.0])
    tg.jvp(lambda t: t * w, (x,), ([1.0, 1.0],))
    tg.jacobian(lambda t: t * w)(x)
    tg.hvp(lambda t: (t * t * w).sum(), x, [1.0, 0.0])
    tg.gradients((x * w).sum(), [x, w])
    assert x.grad is None
    assert w.grad is None
    assert array.tolist() == [1.0, 2.0]


def test_closures_over_tracked_tensors_stay_connected() -> None:
    w = leaf(3.0)
    slope = tg.grad(lambda x: w * x * x)(2.0)
    assert slope.item() == 12.0
    slope.backward()
    assert w.grad is not None
    assert w.grad.item() == 4.0
    for make in (
        lambda: tg.value_and_grad(lambda x: w * x)(2.0)[0],
        lambda: tg.vjp(lambda x: w * x, 2.0)[0],
        lambda: tg.vjp(lambda x: w * x, 2.0)[1](1.0)[0],
        lambda: tg.jvp(lambda x: w * x, (2.0,), (1.0,))[1],
        lambda: tg.jacobian(lambda x: w * x)(2.0),
        lambda: tg.hvp(lambda x: w * x * x, 2.0, 1.0),
        lambda: tg.hessian(lambda x: w * x * x)(2.0),
    ):
        assert make().requires_grad
        with tg.no_grad():
            assert not make().requires_grad


def test_without_a_closure_the_results_are_plain() -> None:
    for result in (
        tg.grad(lambda x: x * x)(2.0),
        tg.value_and_grad(lambda x: x * x)(2.0)[0],
        tg.vjp(tg.exp, 2.0)[0],
        tg.vjp(tg.exp, 2.0)[1](1.0)[0],
        *tg.jvp(tg.exp, (2.0,), (1.0,)),
        tg.jacobian(tg.exp)(2.0),
        tg.hvp(lambda x: x**3, 2.0, 1.0),
    ):
        assert not result.requires_grad


def test_an_argument_on_the_tape_stays_on_it() -> None:
    x = leaf(2.0)
    h = x * x
    slope = tg.grad(lambda t: t**3)(h)  # 3h² = 3x⁴
    assert slope.item() == 48.0
    assert tg.gradients(slope, x).item() == 12 * 8.0
    y, pullback = tg.vjp(lambda t: t**2, h)
    assert tg.gradients(y, x).item() == 4 * 8.0
    assert tg.gradients(pullback(1.0)[0], x).item() == 2 * 2 * 2.0


@pytest.mark.parametrize("under", [tg.no_grad, tg.enable_grad])
def test_derivatives_are_right_under_no_grad(under: Any) -> None:
    with under():
        assert tg.grad(tg.grad(lambda x: x**3))(2.0).item() == 12.0
        assert tg.hessian(lambda x: (x**3).sum())([1.0, 2.0]).tolist() == [[6.0, 0.0], [0.0, 12.0]]
        assert tg.hvp(lambda x: (x**3).sum(), [1.0, 2.0], [1.0, 1.0]).tolist() == [6.0, 12.0]
        assert tg.jvp(tg.exp, (0.0,), (2.0,))[1].item() == 2.0
        y, pullback = tg.vjp(tg.exp, leaf(0.0))
        assert pullback(3.0)[0].item() == 3.0
        assert y.requires_grad == (under is tg.enable_grad)
