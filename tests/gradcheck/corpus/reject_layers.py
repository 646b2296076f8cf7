"""Planted mistakes in products, normalizations, softmax, attention and losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .accept import EPS, attention, batch_norm, layer_norm, rms_norm
from .case import Case, fixed, keep_mean, keep_sum, normal, softmax

Norm = Callable[..., Any]


def layer_norm_with(mistake: Norm) -> Norm:
    """Return the maker of a layer norm whose dx is ``mistake(g, x, γ, h, x̂, σ, m)``; its dγ and dβ are right."""

    def backward(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
        c = x - keep_mean(x)
        s = np.sqrt(keep_mean(c * c) + EPS)
        return mistake(g, x, gamma, g * gamma, c / s, s, keep_mean), (g * c / s).sum(0), g.sum(0)

    return fixed(layer_norm, backward, normal(5, 7), normal(7), normal(7))


def eps_outside(g: Any, x: Any, gamma: Any, h: Any, x_hat: Any, s: Any, m: Any) -> Any:
    c = x - m(x)
    s = np.sqrt(m(c * c)) + EPS
    return (h - m(h) - c / s * m(h * c / s)) / s


def eps_forgotten(g: Any, x: Any, gamma: Any, h: Any, x_hat: Any, s: Any, m: Any) -> Any:
    c = x - m(x)
    s = np.sqrt(m(c * c))
    return (h - m(h) - c / s * m(h * c / s)) / s


def sample_deviation(g: Any, x: Any, gamma: Any, h: Any, x_hat: Any, s: Any, m: Any) -> Any:
    s = np.sqrt(x.var(-1, ddof=1, keepdims=True) + EPS)
    x_hat = (x - m(x)) / s
    return (h - m(h) - x_hat * m(h * x_hat)) / s


#: Ten wrong backward passes of one layer norm: they must get ten different names.
LAYER_NORM = (
    Case("layer norm, mean path missing", layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - n * m(h * n)) / s), "mean-path-missing"),
    Case("layer norm, variance path missing", layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h)) / s), "variance-path-missing"),
    Case("layer norm, both paths missing", layer_norm_with(
        lambda g, x, w, h, n, s, m: h / s), "statistics-constant"),
    Case("layer norm, variance path with the wrong sign", layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h) + n * m(h * n)) / s), "variance-path-sign"),
    Case("layer norm, n − 1", layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h) - n * keep_sum(h * n) / 6) / s), "n-minus-one"),
    Case("layer norm, 1/σ forgotten", layer_norm_with(
        lambda g, x, w, h, n, s, m: h - m(h) - n * m(h * n)), "sigma-missing"),
    Case("layer norm, eps outside the root", layer_norm_with(eps_outside), "eps-outside"),
    Case("layer norm, wrong axis", layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h, 0) - n * m(h * n, 0)) / s), "wrong-axis"),
    Case("layer norm, γ forgotten", layer_norm_with(
        lambda g, x, w, h, n, s, m: (g - m(g) - n * m(g * n)) / s), "gain-missing"),
    Case("layer norm, zero", layer_norm_with(
        lambda g, x, w, h, n, s, m: 0 * h), "zero"),
)  # fmt: skip

MORE_NORMS = (
    Case("layer norm, sign flipped", layer_norm_with(
        lambda g, x, w, h, n, s, m: (-h + m(h) + n * m(h * n)) / s), "sign-flipped"),
    Case("layer norm, σ squared", layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h) - n * m(h * n)) / s**2), "sigma-twice"),
    Case("layer norm, mean path with the wrong sign", layer_norm_with(
        lambda g, x, w, h, n, s, m: (h + m(h) - n * m(h * n)) / s), "mean-path-sign"),
    Case("layer norm, sums for means", layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - keep_sum(h) - n * keep_sum(h * n)) / s), "path-coefficient"),
    Case("layer norm, half of the variance path", layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h) - n * m(h * n) / 2) / s), "path-coefficient"),
    Case("layer norm, γ after the means", layer_norm_with(
        lambda g, x, w, h, n, s, m: w * (g - m(g) - n * m(g * n)) / s), "gain-after"),
    Case("layer norm, eps forgotten", layer_norm_with(eps_forgotten), "eps-missing"),
    Case("layer norm, sample deviation", layer_norm_with(sample_deviation), "n-minus-one"),
    Case("layer norm, raw x in the gradient of γ", fixed(
        layer_norm, lambda g, x, gamma, beta: (_dx(g, x, gamma), (g * x).sum(0), g.sum(0)),
        normal(5, 7), normal(7), normal(7)), "wrong-operand"),
    Case("layer norm, γ and β exchanged", fixed(
        layer_norm, lambda g, x, gamma, beta: (_dx(g, x, gamma), g.sum(0), (g * _hat(x)).sum(0)),
        normal(5, 7), normal(7), normal(7)), "swapped-inputs"),
    Case("layer norm, γ averaged over the batch", fixed(
        layer_norm, lambda g, x, gamma, beta: (_dx(g, x, gamma), (g * _hat(x)).mean(0), g.sum(0)),
        normal(5, 7), normal(7), normal(7)), "sum-as-mean"),
    Case("layer norm, γ not reduced", fixed(
        layer_norm, lambda g, x, gamma, beta: (_dx(g, x, gamma), g * _hat(x), g.sum(0)),
        normal(5, 7), normal(7), normal(7)), "broadcast-not-reduced"),
    Case("batch norm, both paths missing", fixed(
        batch_norm, lambda g, x, gamma, beta: (g * gamma / _sigma(x, 0), (g * _hat(x, 0)).sum(0), g.sum(0)),
        normal(7, 5), normal(5), normal(5)), "statistics-constant"),
    Case("batch norm, variance path missing", fixed(
        batch_norm,
        lambda g, x, w, b: ((g - keep_mean(g, 0)) * w / _sigma(x, 0), (g * _hat(x, 0)).sum(0), g.sum(0)),
        normal(7, 5), normal(5), normal(5)), "variance-path-missing"),
    Case("batch norm, along the features", fixed(
        batch_norm, lambda g, x, gamma, beta: (_dx(g, x, gamma), (g * _hat(x, 0)).sum(0), g.sum(0)),
        normal(7, 5), normal(5), normal(5)), "wrong-axis"),
    Case("rms norm, path through the scale missing", fixed(
        rms_norm, lambda g, x, w: (g * w / _rms(x), (g * x / _rms(x)).sum(0)), normal(5, 7), normal(7)),
        "variance-path-missing"),
    Case("centered, then a linear map, mean path missing", fixed(
        lambda x, w: (x - keep_mean(x)) @ w, lambda g, x, w: (g @ w.T, (x - keep_mean(x)).T @ g),
        normal(5, 7), normal(7, 3)), "mean-path-missing"),
    Case("norm, then a linear map, both paths missing", fixed(
        lambda x, w: _hat(x) @ w, lambda g, x, w: (g @ w.T / _sigma(x), _hat(x).T @ g),
        normal(5, 7), normal(7, 11)), "statistics-constant"),
    Case("norm, then a linear map, variance path missing", fixed(
        lambda x, w: _hat(x) @ w, lambda g, x, w: (((g @ w.T) - keep_mean(g @ w.T)) / _sigma(x), _hat(x).T @ g),
        normal(5, 7), normal(7, 11)), "variance-path-wrong"),
)  # fmt: skip


def _sigma(x: Any, axis: int = -1) -> Any:
    return np.sqrt(keep_mean((x - keep_mean(x, axis)) ** 2, axis) + EPS)


def _rms(x: Any) -> Any:
    return np.sqrt(keep_mean(x * x) + EPS)


def _hat(x: Any, axis: int = -1) -> Any:
    return (x - keep_mean(x, axis)) / _sigma(x, axis)


def _dx(g: Any, x: Any, gamma: Any) -> Any:
    h, n = g * gamma, _hat(x)
    return (h - keep_mean(h) - n * keep_mean(h * n)) / _sigma(x)


def attention_with(dq: Norm, dk: Norm, dv: Norm) -> Norm:
    """Return the maker of an attention with these gradients of ``(g, a, ds, q, k, v)``, ds already scaled."""

    def backward(g: Any, q: Any, k: Any, v: Any) -> Any:
        scale = 1 / np.sqrt(q.shape[-1])
        a = softmax(q @ k.swapaxes(-1, -2) * scale)
        da = g @ v.swapaxes(-1, -2)
        ds = a * (da - keep_sum(da * a)) * scale
        values = (g, a, ds, q, k, v)
        return dq(*values), dk(*values), dv(*values)

    return fixed(attention, backward, normal(2, 5, 3), normal(2, 5, 3), normal(2, 5, 3))


def dq(g: Any, a: Any, ds: Any, q: Any, k: Any, v: Any) -> Any:
    return ds @ k


def dk(g: Any, a: Any, ds: Any, q: Any, k: Any, v: Any) -> Any:
    return ds.swapaxes(-1, -2) @ q


def dv(g: Any, a: Any, ds: Any, q: Any, k: Any, v: Any) -> Any:
    return a.swapaxes(-1, -2) @ g


def mean_nll(logits: Any, labels: Any) -> Any:
    return -np.mean(np.log(softmax(logits))[np.arange(len(labels)), labels])


def minus_onehot(logits: Any, labels: Any) -> Any:
    p = softmax(logits)
    p[np.arange(len(labels)), labels] -= 1
    return p


LABELS = (normal(5, 7), lambda rng: rng.integers(0, 7, 5))

PRODUCTS = (
    Case("x @ w, w not transposed", fixed(
        lambda x, w: x @ w, lambda g, x, w: (g @ w, x.T @ g), normal(5, 3), normal(3, 3)), "not-transposed"),
    Case("x @ w, dw transposed", fixed(
        lambda x, w: x @ w, lambda g, x, w: (g @ w.T, g.T @ x), normal(5, 3), normal(3, 7)), "transposed"),
    Case("x @ w, square dw transposed", fixed(
        lambda x, w: x @ w, lambda g, x, w: (g @ w.T, g.T @ x), normal(5, 3), normal(3, 3)), "transposed"),
    Case("x @ w, averaged over the batch", fixed(
        lambda x, w: x @ w, lambda g, x, w: (g @ w.T, x.T @ g / 5), normal(5, 3), normal(3, 7)), "sum-as-mean"),
    Case("column times row, not reduced", fixed(
        lambda a, b: a * b, lambda g, a, b: (g * b, keep_sum(g * a, 0)), normal(5, 1), normal(1, 7)),
        "broadcast-not-reduced"),
    Case("residual block, skip forgotten", fixed(
        lambda x, w: x + np.tanh(x @ w),
        lambda g, x, w: ((g * (1 - np.tanh(x @ w) ** 2)) @ w.T, x.T @ (g * (1 - np.tanh(x @ w) ** 2))),
        normal(5, 3), normal(3, 3)), "skip-missing"),
    Case("residual block, skip counted twice", fixed(
        lambda x, w: x + np.tanh(x @ w),
        lambda g, x, w: (2 * g + (g * (1 - np.tanh(x @ w) ** 2)) @ w.T, x.T @ (g * (1 - np.tanh(x @ w) ** 2))),
        normal(5, 3), normal(3, 3)), "skip-twice"),
    Case("x @ xᵀ, one of two paths", fixed(lambda x: x @ x.T, lambda g, x: g @ x, normal(5, 3)), "unnamed"),
)  # fmt: skip

COUPLED = (
    Case("softmax, coupling missing", fixed(softmax, lambda g, y, x: g * y, normal(5, 7)), "coupling-missing"),
    Case("softmax, coupling with the wrong sign", fixed(
        softmax, lambda g, y, x: y * (g + keep_sum(g * y)), normal(5, 7)), "coupling-sign"),
    Case("softmax, as if elementwise", fixed(
        softmax, lambda g, y, x: g * y * (1 - y), normal(5, 7)), "treated-as-elementwise"),
    Case("log-softmax, coupling missing", fixed(
        lambda x: np.log(softmax(x)), lambda g, y, x: g, normal(5, 7)), "coupling-missing"),
    Case("log-softmax, coupled without the softmax", fixed(
        lambda x: np.log(softmax(x)), lambda g, y, x: g - keep_sum(g), normal(5, 7)), "unnamed"),
    Case("attention, 1/√d forgotten for q", attention_with(
        lambda *v: dq(*v) * 3**0.5, dk, dv), "root-of-size"),
    Case("attention, 1/√d forgotten for k", attention_with(
        dq, lambda *v: dk(*v) * 3**0.5, dv), "root-of-size"),
    Case("attention, weights not transposed", attention_with(
        dq, dk, lambda g, a, *_: a @ g), "not-transposed"),
    Case("attention, softmax coupling missing", attention_with(
        lambda g, a, ds, q, k, v: a * (g @ v.swapaxes(-1, -2)) / 3**0.5 @ k, dk, dv), "unnamed"),
    Case("attention, q and k exchanged", attention_with(dk, dq, dv), "swapped-inputs"),
    Case("cross-entropy, 1/n forgotten", fixed(
        mean_nll, lambda g, x, t: (g * minus_onehot(x, t), None), *LABELS), "mean-as-sum"),
    Case("cross-entropy, sign flipped", fixed(
        mean_nll, lambda g, x, t: (-g * minus_onehot(x, t) / 5, None), *LABELS), "sign-flipped"),
    Case("cross-entropy, labels forgotten", fixed(
        mean_nll, lambda g, x, t: (g * softmax(x) / 5, None), *LABELS), "unnamed"),
    Case("squared error, 2 forgotten", fixed(
        lambda x, t: np.mean((x - t) ** 2), lambda g, x, t: (g * (x - t) / 35, -2 * g * (x - t) / 35),
        normal(5, 7), normal(5, 7)), "half"),
)  # fmt: skip
