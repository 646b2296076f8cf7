"""Jacobians and Hessians against closed forms, to third order."""

from __future__ import annotations

import numpy as np

import tinygrad_norm as tg


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
    assert tg.jacobian(lambda t: tg.ones(2) + 0 * t[0])(x).tolist() == [[0.0] * 3] * 2


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
