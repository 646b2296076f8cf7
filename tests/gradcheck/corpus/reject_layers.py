"""Planted mistakes in products, normalizations, softmax, attention and losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .accept import EPS, attention, batch_norm, layer_norm, rms_norm
from .case import (
    BIASED,
    COLUMNS,
    FACTORS,
    HEADS,
    PAIR,
    ROWS,
    SQUARE,
    Maker,
    fixed,
    keep_mean,
    keep_sum,
    normal,
    softmax,
)

Norm = Callable[..., Any]


def layer_norm_with(mistake: Norm) -> Norm:
    """Return the maker of a layer norm whose dx is ``mistake(g, x, γ, h, x̂, σ, m)``; its dγ and dβ are right."""

    def backward(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
        c = x - keep_mean(x)
        s = np.sqrt(keep_mean(c * c) + EPS)
        return mistake(g, x, gamma, g * gamma, c / s, s, keep_mean), (g * c / s).sum(0), g.sum(0)

    return fixed(layer_norm, backward, *ROWS)


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
LAYER_NORM: dict[tuple[str, str], Maker] = {
    ("layer norm, mean path missing", "mean-path-missing"): layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - n * m(h * n)) / s
    ),
    ("layer norm, variance path missing", "variance-path-missing"): layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h)) / s
    ),
    ("layer norm, both paths missing", "statistics-constant"): layer_norm_with(lambda g, x, w, h, n, s, m: h / s),
    ("layer norm, variance path with the wrong sign", "variance-path-sign"): layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h) + n * m(h * n)) / s
    ),
    ("layer norm, n − 1", "n-minus-one"): layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h) - n * keep_sum(h * n) / 6) / s
    ),
    ("layer norm, 1/σ forgotten", "sigma-missing"): layer_norm_with(
        lambda g, x, w, h, n, s, m: h - m(h) - n * m(h * n)
    ),
    ("layer norm, eps outside the root", "eps-outside"): layer_norm_with(eps_outside),
    ("layer norm, wrong axis", "wrong-axis"): layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h, 0) - n * m(h * n, 0)) / s
    ),
    ("layer norm, γ forgotten", "gain-missing"): layer_norm_with(
        lambda g, x, w, h, n, s, m: (g - m(g) - n * m(g * n)) / s
    ),
    ("layer norm, zero", "zero"): layer_norm_with(lambda g, x, w, h, n, s, m: 0 * h),
}

MORE_NORMS: dict[tuple[str, str], Maker] = {
    ("layer norm, sign flipped", "sign-flipped"): layer_norm_with(
        lambda g, x, w, h, n, s, m: (-h + m(h) + n * m(h * n)) / s
    ),
    ("layer norm, σ squared", "sigma-twice"): layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h) - n * m(h * n)) / s**2
    ),
    ("layer norm, mean path with the wrong sign", "mean-path-sign"): layer_norm_with(
        lambda g, x, w, h, n, s, m: (h + m(h) - n * m(h * n)) / s
    ),
    ("layer norm, sums for means", "path-coefficient"): layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - keep_sum(h) - n * keep_sum(h * n)) / s
    ),
    ("layer norm, half of the variance path", "path-coefficient"): layer_norm_with(
        lambda g, x, w, h, n, s, m: (h - m(h) - n * m(h * n) / 2) / s
    ),
    ("layer norm, γ after the means", "gain-after"): layer_norm_with(
        lambda g, x, w, h, n, s, m: w * (g - m(g) - n * m(g * n)) / s
    ),
    ("layer norm, eps forgotten", "eps-missing"): layer_norm_with(eps_forgotten),
    ("layer norm, sample deviation", "n-minus-one"): layer_norm_with(sample_deviation),
    ("layer norm, raw x in the gradient of γ", "wrong-operand"): fixed(
        layer_norm, lambda g, x, gamma, beta: (_dx(g, x, gamma), (g * x).sum(0), g.sum(0)), *ROWS
    ),
    ("layer norm, γ and β exchanged", "swapped-inputs"): fixed(
        layer_norm, lambda g, x, gamma, beta: (_dx(g, x, gamma), g.sum(0), (g * _hat(x)).sum(0)), *ROWS
    ),
    ("layer norm, γ averaged over the batch", "sum-as-mean"): fixed(
        layer_norm, lambda g, x, gamma, beta: (_dx(g, x, gamma), (g * _hat(x)).mean(0), g.sum(0)), *ROWS
    ),
    ("layer norm, γ not reduced", "broadcast-not-reduced"): fixed(
        layer_norm, lambda g, x, gamma, beta: (_dx(g, x, gamma), g * _hat(x), g.sum(0)), *ROWS
    ),
    ("batch norm, both paths missing", "statistics-constant"): fixed(
        batch_norm, lambda g, x, gamma, beta: (g * gamma / _sigma(x, 0), (g * _hat(x, 0)).sum(0), g.sum(0)), *COLUMNS
    ),
    ("batch norm, variance path missing", "variance-path-missing"): fixed(
        batch_norm,
        lambda g, x, w, b: ((g - keep_mean(g, 0)) * w / _sigma(x, 0), (g * _hat(x, 0)).sum(0), g.sum(0)),
        *COLUMNS,
    ),
    ("batch norm, along the features", "wrong-axis"): fixed(
        batch_norm, lambda g, x, gamma, beta: (_dx(g, x, gamma), (g * _hat(x, 0)).sum(0), g.sum(0)), *COLUMNS
    ),
    ("rms norm, path through the scale missing", "variance-path-missing"): fixed(
        rms_norm, lambda g, x, w: (g * w / _rms(x), (g * x / _rms(x)).sum(0)), *BIASED
    ),
    ("centered, then a linear map, mean path missing", "mean-path-missing"): fixed(
        lambda x, w: (x - keep_mean(x)) @ w,
        lambda g, x, w: (g @ w.T, (x - keep_mean(x)).T @ g),
        normal(5, 7),
        normal(7, 3),
    ),
    ("norm, then a linear map, both paths missing", "statistics-constant"): fixed(
        lambda x, w: _hat(x) @ w, lambda g, x, w: (g @ w.T / _sigma(x), _hat(x).T @ g), normal(5, 7), normal(7, 11)
    ),
    ("norm, then a linear map, variance path missing", "variance-path-wrong"): fixed(
        lambda x, w: _hat(x) @ w,
        lambda g, x, w: (((g @ w.T) - keep_mean(g @ w.T)) / _sigma(x), _hat(x).T @ g),
        normal(5, 7),
        normal(7, 11),
    ),
}


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

    return fixed(attention, backward, *HEADS)


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

PRODUCTS: dict[tuple[str, str], Maker] = {
    ("x @ w, w not transposed", "not-transposed"): fixed(lambda x, w: x @ w, lambda g, x, w: (g @ w, x.T @ g), *SQUARE),
    ("x @ w, dw transposed", "transposed"): fixed(lambda x, w: x @ w, lambda g, x, w: (g @ w.T, g.T @ x), *FACTORS),
    ("x @ w, square dw transposed", "transposed"): fixed(
        lambda x, w: x @ w, lambda g, x, w: (g @ w.T, g.T @ x), *SQUARE
    ),
    ("x @ w, averaged over the batch", "sum-as-mean"): fixed(
        lambda x, w: x @ w, lambda g, x, w: (g @ w.T, x.T @ g / 5), *FACTORS
    ),
    ("column times row, not reduced", "broadcast-not-reduced"): fixed(
        lambda a, b: a * b, lambda g, a, b: (g * b, keep_sum(g * a, 0)), normal(5, 1), normal(1, 7)
    ),
    ("residual block, skip forgotten", "skip-missing"): fixed(
        lambda x, w: x + np.tanh(x @ w),
        lambda g, x, w: ((g * (1 - np.tanh(x @ w) ** 2)) @ w.T, x.T @ (g * (1 - np.tanh(x @ w) ** 2))),
        *SQUARE,
    ),
    ("residual block, skip counted twice", "skip-twice"): fixed(
        lambda x, w: x + np.tanh(x @ w),
        lambda g, x, w: (2 * g + (g * (1 - np.tanh(x @ w) ** 2)) @ w.T, x.T @ (g * (1 - np.tanh(x @ w) ** 2))),
        *SQUARE,
    ),
    ("x @ xᵀ, one of two paths", "path-dropped"): fixed(lambda x: x @ x.T, lambda g, x: g @ x, normal(5, 3)),
}

COUPLED: dict[tuple[str, str], Maker] = {
    ("softmax, coupling missing", "coupling-missing"): fixed(softmax, lambda g, y, x: g * y),
    ("softmax, coupling with the wrong sign", "coupling-sign"): fixed(
        softmax, lambda g, y, x: y * (g + keep_sum(g * y))
    ),
    ("softmax, as if elementwise", "treated-as-elementwise"): fixed(softmax, lambda g, y, x: g * y * (1 - y)),
    ("log-softmax, coupling missing", "coupling-missing"): fixed(lambda x: np.log(softmax(x)), lambda g, y, x: g),
    ("log-softmax, coupled without the softmax", "coupling-wrong"): fixed(
        lambda x: np.log(softmax(x)), lambda g, y, x: g - keep_sum(g)
    ),
    ("attention, 1/√d forgotten for q", "root-of-size"): attention_with(lambda *v: dq(*v) * 3**0.5, dk, dv),
    ("attention, 1/√d forgotten for k", "root-of-size"): attention_with(dq, lambda *v: dk(*v) * 3**0.5, dv),
    ("attention, weights not transposed", "not-transposed"): attention_with(dq, dk, lambda g, a, *_: a @ g),
    ("attention, softmax coupling missing", "path-dropped"): attention_with(
        lambda g, a, ds, q, k, v: a * (g @ v.swapaxes(-1, -2)) / 3**0.5 @ k, dk, dv
    ),
    ("attention, q and k exchanged", "swapped-inputs"): attention_with(dk, dq, dv),
    ("cross-entropy, 1/n forgotten", "mean-as-sum"): fixed(
        mean_nll, lambda g, x, t: (g * minus_onehot(x, t), None), *LABELS
    ),
    ("cross-entropy, sign flipped", "sign-flipped"): fixed(
        mean_nll, lambda g, x, t: (-g * minus_onehot(x, t) / 5, None), *LABELS
    ),
    ("cross-entropy, labels forgotten", "term-missing"): fixed(
        mean_nll, lambda g, x, t: (g * softmax(x) / 5, None), *LABELS
    ),
    ("squared error, 2 forgotten", "half"): fixed(
        lambda x, t: np.mean((x - t) ** 2), lambda g, x, t: (g * (x - t) / 35, -2 * g * (x - t) / 35), *PAIR
    ),
}
