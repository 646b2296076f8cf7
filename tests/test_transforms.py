"""Derivatives as functions: against closed forms and differences, nested, over closures, at every order; errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

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


def test_derivatives_nest() -> None:
    f: Callable[..., Any] = lambda t: t**5  # noqa: E731
    wanted = [5 * 2.0**4, 20 * 2.0**3, 60 * 2.0**2, 120 * 2.0, 120.0, 0.0]
    for value in wanted:
        f = tg.grad(f)
        assert f(2.0).item() == value


def test_a_derivative_inside_a_function_is_not_confused_with_the_one_outside() -> None:
    # d/dx [x · d/dy (x + y)] = 1, not 2: each level has its own variable.
    assert tg.grad(lambda x: x * tg.grad(lambda y: x + y)(1.0))(1.0).item() == 1.0
    # d/dx [x · d/dy (x y²)] at y = x: the inner is 2xy, so 2x²y + … = d/dx (2x² · 3) = 12x
    assert tg.grad(lambda x: x * tg.grad(lambda y: x * y * y)(3.0))(2.0).item() == 24.0
    # with y a function of x both paths count: d/dx [2x · x] = 4x
    assert tg.grad(lambda x: tg.grad(lambda y: x * y * y / 1.0)(x))(3.0).item() == 12.0


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
        tg.grad(lambda x: x * x)(2.0), tg.value_and_grad(lambda x: x * x)(2.0)[0], tg.vjp(tg.exp, 2.0)[0],
        tg.vjp(tg.exp, 2.0)[1](1.0)[0], *tg.jvp(tg.exp, (2.0,), (1.0,)), tg.jacobian(tg.exp)(2.0),
        tg.hvp(lambda x: x**3, 2.0, 1.0),
    ):  # fmt: skip
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


def test_no_grad_inside_the_function_is_a_constant() -> None:
    def f(x: tg.Tensor) -> tg.Tensor:
        with tg.no_grad():
            scale = x * 10.0
        return x * scale

    assert tg.grad(f)(2.0).item() == 20.0


# vjp and jvp


def test_vjp_with_several_inputs_and_outputs(rng: np.random.Generator) -> None:
    a, b = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))

    def f(x: tg.Tensor, y: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        return x @ y, x.sum(axis=1)

    ys, pullback = tg.vjp(f, a, b)
    assert isinstance(ys, tuple)
    u, v = rng.standard_normal((3, 2)), rng.standard_normal(3)
    da, db = pullback(u, v)
    np.testing.assert_allclose(np.asarray(da), u @ b.T + v[:, None])
    np.testing.assert_allclose(np.asarray(db), a.T @ u)
    again = pullback(u, v)
    assert np.array_equal(again[0], da)
    assert isinstance(tg.vjp(lambda x: [x, x * 2], a)[0], list)


def test_jvp_against_differences_and_the_vjp(rng: np.random.Generator, derivative: Any, close: Any) -> None:
    def f(x: Any, y: Any) -> Any:
        return tg.functional.layer_norm(tg.Tensor(x) if isinstance(x, np.ndarray) else x, 4) @ y

    x, y = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    dx, dy = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    value, tangent = tg.jvp(f, (x, y), (dx, dy))
    np.testing.assert_allclose(np.asarray(value), np.asarray(f(x, y)))
    close(tangent, derivative(f, (x, y), (dx, dy)))
    u = rng.standard_normal((3, 2))
    back = tg.vjp(f, x, y)[1](u)
    left = np.sum(np.asarray(tangent) * u)
    assert left == pytest.approx(np.sum(np.asarray(back[0]) * dx) + np.sum(np.asarray(back[1]) * dy), rel=1e-12)


@pytest.mark.parametrize(
    ("f", "tangent"),
    [
        (lambda x: x, [1.0, 2.0]),
        (lambda x: x * 0.0, [0.0, 0.0]),
        (lambda x: tg.Tensor([5.0, 6.0]), [0.0, 0.0]),
        (lambda x: x.detach() * 2, [0.0, 0.0]),
        (lambda x: tg.concatenate([x, tg.ones(1)]), [1.0, 2.0, 0.0]),
    ],
)
def test_jvp_of_degenerate_functions(f: Any, tangent: Any) -> None:
    assert tg.jvp(f, ([3.0, 4.0],), ([1.0, 2.0],))[1].tolist() == tangent


def test_jvp_nests() -> None:
    def second(x: Any) -> Any:
        return tg.jvp(lambda t: tg.jvp(lambda s: s**4, (t,), (1.0,))[1], (x,), (1.0,))[1]

    assert second(2.0).item() == 48.0
    assert tg.grad(lambda x: tg.jvp(lambda t: t**4, (x,), (1.0,))[1])(2.0).item() == 48.0
    assert tg.jvp(tg.grad(lambda t: t**4), (2.0,), (1.0,))[1].item() == 48.0


# jacobian, hessian, hvp


def test_jacobian_against_closed_forms(rng: np.random.Generator) -> None:
    m, x = rng.standard_normal((2, 3)), rng.standard_normal(3)
    np.testing.assert_allclose(np.asarray(tg.jacobian(lambda t: m @ t)(x)), m)
    p = np.asarray(tg.functional.softmax(x))
    np.testing.assert_allclose(
        np.asarray(tg.jacobian(tg.functional.softmax)(x)), np.diag(p) - np.outer(p, p), atol=1e-15
    )
    full = tg.jacobian(lambda t: t.T)(m)
    assert full.shape == (3, 2, 2, 3)
    assert all(full[j, i, i, j].item() == 1.0 for i in range(2) for j in range(3))
    assert full.sum().item() == 6.0
    assert tg.jacobian(lambda t: t[:0])(x).shape == (0, 3)
    assert tg.jacobian(lambda t: (t * t).sum())(x).shape == (3,)
    assert tg.jacobian(lambda t: tg.ones(2))(x).tolist() == [[0.0] * 3] * 2


def test_hessian_against_closed_forms(rng: np.random.Generator) -> None:
    a, x = rng.standard_normal((3, 3)), rng.standard_normal(3)
    np.testing.assert_allclose(np.asarray(tg.hessian(lambda t: t @ (a @ t))(x)), a + a.T, atol=1e-14)
    # logsumexp: diag(p) − p pᵀ
    p = np.asarray(tg.functional.softmax(x))
    h = np.asarray(tg.hessian(tg.functional.logsumexp)(x))
    np.testing.assert_allclose(h, np.diag(p) - np.outer(p, p), atol=1e-15)
    np.testing.assert_allclose(np.asarray(tg.hessian(lambda t: (t**3).sum())(a)).reshape(9, 9), np.diag(6 * a.ravel()))
    v = rng.standard_normal(3)
    np.testing.assert_allclose(np.asarray(tg.hvp(tg.functional.logsumexp, x, v)), h @ v, atol=1e-15)


def test_third_derivatives_of_a_composition() -> None:
    # softplus‴ = σ(1−σ)(1−2σ)
    x = np.array([-1.5, 0.0, 0.3])
    s = 1 / (1 + np.exp(-x))
    third = tg.jacobian(tg.grad(lambda t: tg.grad(lambda r: tg.functional.softplus(r).sum())(t).sum()))(x)
    np.testing.assert_allclose(np.diagonal(np.asarray(third)), s * (1 - s) * (1 - 2 * s), atol=1e-14)
