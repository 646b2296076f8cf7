"""The gradient of a function: every kind of argument, any order, nested functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_norm as tg


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


def test_grad_of_every_kind_of_argument() -> None:
    for x in (3.0, 3, np.float64(3.0), np.array(3), tg.Tensor(3.0), leaf(3.0)):
        slope = tg.grad(lambda t: t * t)(x)
        assert isinstance(slope, tg.Tensor)
        assert slope.item() == 6.0
    assert tg.grad(lambda t: (t * t).sum())([1, 2]).tolist() == [2.0, 4.0]
    assert tg.grad(lambda t: (t * t).sum())(np.ones(2, np.float32)).dtype == np.float32


def test_argnums() -> None:
    def f(x: Any, y: Any, *, power: int = 1) -> tg.Tensor:
        return (x**2 * y**power).sum()

    assert tg.grad(f)(2.0, 5.0).item() == 20.0
    assert tg.grad(f, 1)(2.0, 5.0).item() == 4.0
    assert tg.grad(f, -1)(2.0, 5.0, power=2).item() == 40.0
    both = tg.grad(f, (1, 0))(2.0, 5.0)
    assert isinstance(both, tuple)
    assert [g.item() for g in both] == [4.0, 20.0]
    assert isinstance(tg.grad(f, (0,))(2.0, 5.0), tuple)
    value, slope = tg.value_and_grad(f)(2.0, 5.0)
    assert (value.item(), slope.item()) == (20.0, 20.0)
    assert not value.requires_grad
    assert tg.jacobian(f, 1)(2.0, 5.0).item() == 4.0
    assert tg.hessian(f, 1)(2.0, 5.0, power=3).item() == 2.0**2 * 6 * 5


def test_derivatives_nest() -> None:
    def f(t: Any) -> Any:
        return t**5

    derivative: Callable[..., Any] = f
    wanted = [5 * 2.0**4, 20 * 2.0**3, 60 * 2.0**2, 120 * 2.0, 120.0, 0.0]
    for value in wanted:
        derivative = tg.grad(derivative)
        assert derivative(2.0).item() == value


def test_a_derivative_inside_a_function_is_not_confused_with_the_one_outside() -> None:
    # d/dx [x · d/dy (x + y)] = 1, not 2: each level has its own variable.
    assert tg.grad(lambda x: x * tg.grad(lambda y: x + y)(1.0))(1.0).item() == 1.0
    # d/dx [x · d/dy (x y²)] at y = x: the inner is 2xy, so 2x²y + … = d/dx (2x² · 3) = 12x
    assert tg.grad(lambda x: x * tg.grad(lambda y: x * y * y)(3.0))(2.0).item() == 24.0
    # with y a function of x both paths count: d/dx [2x · x] = 4x
    assert tg.grad(lambda x: tg.grad(lambda y: x * y * y / 1.0)(x))(3.0).item() == 12.0


def test_no_grad_inside_the_function_is_a_constant() -> None:
    def f(x: tg.Tensor) -> tg.Tensor:
        with tg.no_grad():
            scale = x * 10.0
        return x * scale

    assert tg.grad(f)(2.0).item() == 20.0
