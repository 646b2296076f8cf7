"""Products with a Jacobian: against closed forms, differences and each other, nested."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg


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
        (lambda x: tg.concatenate([x, tg.ones(1)]), [1.0, 2.0, 0.0]),
    ],
)
def test_jvp_of_degenerate_functions(f: Any, tangent: Any) -> None:
    assert tg.jvp(f, ([3.0, 4.0],), ([1.0, 2.0],))[1].tolist() == tangent


@pytest.mark.parametrize("f", [lambda x: tg.Tensor([5.0, 6.0]), lambda x: x.detach() * 2, lambda x: tg.Tensor(x.data)])
@pytest.mark.parametrize(
    "transform",
    [
        lambda f: tg.jvp(f, ([3.0, 4.0],), ([1.0, 2.0],)),
        lambda f: tg.vjp(f, [3.0, 4.0])[1]([1.0, 1.0]),
        lambda f: tg.jacobian(f)([3.0, 4.0]),
        lambda f: tg.grad(lambda x: f(x).sum())([3.0, 4.0]),
        lambda f: tg.hessian(lambda x: f(x).sum())([3.0, 4.0]),
        lambda f: tg.hvp(lambda x: f(x).sum(), [3.0, 4.0], [1.0, 0.0]),
    ],
)
def test_a_function_whose_result_left_the_graph(f: Any, transform: Any) -> None:
    with pytest.raises(
        tg.GraphError, match=r"an output must be differentiated along a graph; got .*which was (com|det)"
    ):
        transform(f)


def test_jvp_nests() -> None:
    def second(x: Any) -> Any:
        return tg.jvp(lambda t: tg.jvp(lambda s: s**4, (t,), (1.0,))[1], (x,), (1.0,))[1]

    assert second(2.0).item() == 48.0
    assert tg.grad(lambda x: tg.jvp(lambda t: t**4, (x,), (1.0,))[1])(2.0).item() == 48.0
    assert tg.jvp(tg.grad(lambda t: t**4), (2.0,), (1.0,))[1].item() == 48.0
