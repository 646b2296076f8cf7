"""Correct backward passes, many of them at hostile points. Every one must be accepted, with every seed."""

from __future__ import annotations

from math import erf, pi, sqrt
from typing import Any

import numpy as np

from .case import (
    BIASED,
    COLUMNS,
    FACTORS,
    HEADS,
    ROWS,
    SQUARE,
    Maker,
    Pair,
    away_from_zero,
    elementwise,
    fixed,
    keep_mean,
    keep_sum,
    normal,
    positive,
    put,
    sigmoid,
    softmax,
)

EPS = 1e-5
error_function = np.vectorize(erf, otypes=[float])


def layer_norm(x: Any, gamma: Any, beta: Any) -> Any:
    c = x - keep_mean(x)
    return c / np.sqrt(keep_mean(c * c) + EPS) * gamma + beta


def layer_norm_backward(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
    c = x - keep_mean(x)
    s = np.sqrt(keep_mean(c * c) + EPS)
    x_hat, h = c / s, g * gamma
    dx = (h - keep_mean(h) - x_hat * keep_mean(h * x_hat)) / s
    return dx, (g * x_hat).sum(0), g.sum(0)


def batch_norm(x: Any, gamma: Any, beta: Any) -> Any:
    c = x - keep_mean(x, 0)
    return c / np.sqrt(keep_mean(c * c, 0) + EPS) * gamma + beta


def batch_norm_backward(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
    c = x - keep_mean(x, 0)
    s = np.sqrt(keep_mean(c * c, 0) + EPS)
    x_hat, h = c / s, g * gamma
    return (h - keep_mean(h, 0) - x_hat * keep_mean(h * x_hat, 0)) / s, (g * x_hat).sum(0), g.sum(0)


def rms_norm(x: Any, gamma: Any) -> Any:
    return x / np.sqrt(keep_mean(x * x) + EPS) * gamma


def rms_norm_backward(g: Any, x: Any, gamma: Any) -> Any:
    s = np.sqrt(keep_mean(x * x) + EPS)
    x_hat, h = x / s, g * gamma
    return (h - x_hat * keep_mean(h * x_hat)) / s, (g * x_hat).sum(0)


def attention(q: Any, k: Any, v: Any) -> Any:
    return softmax(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])) @ v


def attention_backward(g: Any, q: Any, k: Any, v: Any) -> Any:
    scale = 1 / np.sqrt(q.shape[-1])
    a = softmax(q @ k.swapaxes(-1, -2) * scale)
    da = g @ v.swapaxes(-1, -2)
    ds = a * (da - keep_sum(da * a)) * scale
    return ds @ k, ds.swapaxes(-1, -2) @ q, a.swapaxes(-1, -2) @ g


def cross_entropy(logits: Any, labels: Any) -> Any:
    shifted = logits - logits.max(-1, keepdims=True)
    logp = shifted - np.log(keep_sum(np.exp(shifted)))
    return -np.mean(logp[np.arange(len(labels)), labels])


def cross_entropy_backward(g: Any, logits: Any, labels: Any) -> Any:
    p = softmax(logits)
    p[np.arange(len(labels)), labels] -= 1
    return g * p / len(labels), None


def gather_rows(rng: np.random.Generator) -> Pair:
    index = np.array([2, 0, 2, 4, 2])

    def backward(g: Any, x: Any) -> Any:
        dx = np.zeros_like(x)
        np.add.at(dx, index, g)
        return dx

    return lambda x: x[index], backward, (rng.standard_normal((5, 3)),)


def sort_rows(rng: np.random.Generator) -> Pair:
    def backward(g: Any, x: Any) -> Any:
        dx = np.zeros_like(x)
        np.put_along_axis(dx, np.argsort(x, -1), g, -1)
        return dx

    return lambda x: np.sort(x, -1), backward, (rng.standard_normal((3, 7)),)


def dropout(rng: np.random.Generator) -> Pair:
    mask = (rng.random((5, 7)) < 0.7) / 0.7
    return lambda x: x * mask, lambda g, x: g * mask, (rng.standard_normal((5, 7)),)


def select(rng: np.random.Generator) -> Pair:
    chosen = rng.random((5, 7)) < 0.5
    return (
        lambda a, b: np.where(chosen, a, b),
        lambda g, a, b: (g * chosen, g * ~chosen),
        (rng.standard_normal((5, 7)), rng.standard_normal((5, 7))),
    )


def convolve(rng: np.random.Generator) -> Pair:
    def backward(g: Any, x: Any, w: Any) -> Any:
        return np.convolve(g, w[::-1]), np.convolve(g, x[::-1], mode="valid")[::-1][::-1]

    return (
        lambda x, w: np.convolve(x, w, mode="valid"),
        backward,
        (rng.standard_normal(11), rng.standard_normal(3)),
    )


def max_ties(g: Any, out: Any, x: Any) -> Any:
    top = x == out
    return g * top / top.sum(-1, keepdims=True)


def std_backward(g: Any, out: Any, x: Any) -> Any:
    return g * (x - keep_mean(x)) / (x.shape[-1] * out)


def logsumexp(x: Any) -> Any:
    top = x.max(-1, keepdims=True)
    return top + np.log(keep_sum(np.exp(x - top)))


def prod_backward(g: Any, x: Any) -> Any:
    rest = np.array([[np.prod(np.delete(row, i)) for i in range(len(row))] for row in x])
    return g * rest


def smooth_l1(x: Any) -> Any:
    return np.where(np.abs(x) < 1, x**2 / 2, np.abs(x) - 0.5)


def cumsum_backward(g: Any, x: Any) -> Any:
    return np.flip(np.cumsum(np.flip(g, -1), -1), -1)


def residual(x: Any, w: Any) -> Any:
    return x + np.tanh(x @ w)


def residual_backward(g: Any, x: Any, w: Any) -> Any:
    h = g * (1 - np.tanh(x @ w) ** 2)
    return g + h @ w.T, x.T @ h


def gelu_slope(x: Any, _: Any) -> Any:
    return (1 + error_function(x / sqrt(2))) / 2 + x * np.exp(-(x**2) / 2) / sqrt(2 * pi)


CORRECT: dict[str, Maker] = {
    "exp": elementwise(np.exp, lambda _, y: y),
    "tanh": elementwise(np.tanh, lambda _, y: 1 - y**2),
    "sigmoid": elementwise(sigmoid, lambda _, y: y * (1 - y)),
    "log": elementwise(np.log, lambda x, _: 1 / x, positive(5, 7)),
    "log, entries down to 1e-6": elementwise(np.log, lambda x, _: 1 / x, put(positive(5, 7), 1e-6, 0)),
    "sqrt": elementwise(np.sqrt, lambda _, y: 0.5 / y, positive(5, 7)),
    "reciprocal": elementwise(lambda x: 1 / x, lambda x, _: -1 / x**2, away_from_zero(5, 7)),
    "sin": elementwise(np.sin, lambda x, _: np.cos(x)),
    "sin of 1000 x": elementwise(lambda x: np.sin(1000 * x), lambda x, _: 1000 * np.cos(1000 * x), normal(7)),
    "cube": elementwise(lambda x: x**3, lambda x, _: 3 * x**2),
    "gelu": elementwise(lambda x: x * (1 + error_function(x / sqrt(2))) / 2, gelu_slope, normal(3, 5)),
    "softplus far out": elementwise(lambda x: np.logaddexp(0, x), lambda x, _: sigmoid(x), normal(5, 7, scale=30)),
    "log-cosh": elementwise(lambda x: np.log(np.cosh(x)), lambda x, _: np.tanh(x)),
    "arctan": elementwise(np.arctan, lambda x, _: 1 / (1 + x**2)),
    # Kinks, also exactly at the point
    "relu": elementwise(lambda x: np.maximum(x, 0), lambda x, _: x > 0),
    "relu at the kink": elementwise(lambda x: np.maximum(x, 0), lambda x, _: x > 0, put(normal(5, 7), 0, 0, 9, 30)),
    "relu at the kink, slope ½": fixed(
        lambda x: np.maximum(x, 0), lambda g, x: g * np.where(x == 0, 0.5, x > 0), put(normal(5, 7), 0, 3, 4)
    ),
    "abs at the kink": elementwise(np.abs, lambda x, _: np.sign(x), put(normal(5, 7), 0, 0, 1, 2)),
    "leaky relu at the kink": elementwise(
        lambda x: np.where(x > 0, x, 0.01 * x), lambda x, _: np.where(x > 0, 1, 0.01), put(normal(5, 7), 0, 5, 6)
    ),
    "relu a hair from the kink": elementwise(
        lambda x: np.maximum(x, 0), lambda x, _: x > 0, put(put(normal(5, 7), 1e-7, 0), -1e-7, 1)
    ),
    "clip, edges at the point": elementwise(
        lambda x: np.clip(x, -1, 1), lambda x, _: np.abs(x) < 1, put(put(normal(5, 7), 1, 0), -1, 1)
    ),
    "smooth l1, joint at the point": elementwise(smooth_l1, lambda x, _: np.clip(x, -1, 1), put(normal(5, 7), 1, 3)),
    "maximum of two with ties": fixed(
        lambda a, b: np.maximum(a, b),
        lambda g, a, b: (g * ((a > b) + 0.5 * (a == b)), g * ((a < b) + 0.5 * (a == b))),
        put(normal(3, 5), 1, 0, 1),
        put(normal(3, 5), 1, 0, 1),
    ),
    "max of a row": fixed(lambda x: x.max(-1, keepdims=True), max_ties, normal(3, 5)),
    "max of a row with ties": fixed(lambda x: x.max(-1, keepdims=True), max_ties, put(normal(3, 5), 4, 0, 2)),
    "norm of a zero row": fixed(
        lambda x: np.sqrt(keep_sum(x**2)),
        lambda g, y, x: g * x / np.where(y > 0, y, 1),
        put(normal(3, 5), 0, 0, 1, 2, 3, 4),
    ),
    # Plateaus
    "relu, nearly all off": elementwise(
        lambda x: np.maximum(x, 0), lambda x, _: x > 0, put(normal(5, 7, offset=-9), 2, 4)
    ),
    "clip, nearly all outside": elementwise(
        lambda x: np.clip(x, -1, 1), lambda x, _: np.abs(x) < 1, put(normal(5, 7, offset=50), 0.5, 8, 9)
    ),
    "steps on a slope": elementwise(
        lambda x: np.floor(x) + x / 3,
        lambda x, _: 1 / 3 + 0 * x,
        lambda rng: rng.integers(-3, 4, (5, 7)) + rng.uniform(0.2, 0.8, (5, 7)),
    ),
    # Hostile scales and offsets
    "1e-6 x²": elementwise(lambda x: 1e-6 * x**2, lambda x, _: 2e-6 * x),
    "x² at 1e8": elementwise(np.square, lambda x, _: 2 * x, normal(5, 7, offset=1e8)),
    "x² of numbers near 1e-8": elementwise(np.square, lambda x, _: 2 * x, normal(5, 7, scale=1e-8)),
    "x² of numbers near 1e8": elementwise(np.square, lambda x, _: 2 * x, normal(5, 7, scale=1e8)),
    "scales from 1e-3 to 1e3 in one array": elementwise(
        np.square, lambda x, _: 2 * x, lambda rng: rng.standard_normal((5, 7)) * np.logspace(-3, 3, 7)
    ),
    "3 x at 1e-200": elementwise(lambda x: 3 * x, lambda x, _: 3 + 0 * x, normal(5, 7, scale=1e-200)),
    "3 x at 1e200": elementwise(lambda x: 3 * x, lambda x, _: 3 + 0 * x, normal(5, 7, scale=1e200)),
    "a million plus sin": elementwise(lambda x: 1e6 + np.sin(x), lambda x, _: np.cos(x)),
    "offset inside and out": elementwise(
        lambda x: 1e4 + (x - 1e4) ** 2, lambda x, _: 2 * (x - 1e4), normal(5, 7, offset=1e4)
    ),
    "a Gaussian, far into its tails": elementwise(
        lambda x: np.exp(-(x**2)), lambda x, y: -2 * x * y, normal(5, 7, scale=2)
    ),
    "a narrow resonance": elementwise(lambda x: 1 / (1 + 1e4 * x**2), lambda x, y: -2e4 * x * y**2),
    "sum of squares, scalar": fixed(lambda x: np.sum(x**2), lambda g, x: 2 * g * x, normal(7)),
    "a single number": fixed(np.tanh, lambda g, y, x: g * (1 - y**2), lambda rng: np.array(rng.standard_normal())),
    "zeros everywhere": elementwise(lambda x: np.exp(x) + x, lambda x, _: np.exp(x) + 1, lambda _: np.zeros((3, 5))),
    "all entries equal": elementwise(np.sin, lambda x, _: np.cos(x), lambda _: np.full((3, 5), 1.25)),
    # Reductions and shapes
    "mean over an axis": fixed(lambda x: x.mean(0), lambda g, x: np.broadcast_to(g / len(x), x.shape)),
    "variance": fixed(lambda x: x.var(-1, keepdims=True), lambda g, x: g * 2 * (x - keep_mean(x)) / x.shape[-1]),
    "deviation": fixed(lambda x: x.std(-1, keepdims=True), std_backward),
    "deviation at 1e6": fixed(lambda x: x.std(-1, keepdims=True), std_backward, normal(5, 7, offset=1e6)),
    "product with a zero": fixed(lambda x: x.prod(-1, keepdims=True), prod_backward, put(normal(3, 5), 0, 1)),
    "cumulative sum": fixed(lambda x: np.cumsum(x, -1), cumsum_backward, normal(3, 7)),
    "transpose": fixed(lambda x: x.transpose(1, 2, 0), lambda g, x: g.transpose(2, 0, 1), normal(2, 3, 5)),
    "roll": fixed(lambda x: np.roll(x, 2, -1), lambda g, x: np.roll(g, -2, -1), normal(3, 7)),
    "pad": fixed(lambda x: np.pad(x, ((1, 2), (0, 1))), lambda g, x: g[1:-2, :-1], normal(3, 5)),
    "concatenate": fixed(
        lambda a, b: np.concatenate([a, b]), lambda g, a, b: (g[: len(a)], g[len(a) :]), normal(2, 3), normal(5, 3)
    ),
    "rows by index, repeated": gather_rows,
    "sort": sort_rows,
    "two outputs": fixed(lambda x: (np.exp(x), x.sum(0)), lambda g, x: g[0] * np.exp(x) + g[1], normal(3, 5)),
    "the same array twice": fixed(lambda a, b: a * b, lambda g, a, b: (g * b, g * a), normal(3, 5), normal(3, 5)),
    "empty": elementwise(np.square, lambda x, _: 2 * x, lambda _: np.zeros((0, 5))),
    "one empty, one not": fixed(
        lambda a, b: np.concatenate([a, b]) ** 2,
        lambda g, a, b: (2 * g[:0], 2 * g * b),
        lambda _: np.zeros((0, 3)),
        normal(5, 3),
    ),
    # Products
    "matrix product": fixed(lambda x, w: x @ w, lambda g, x, w: (g @ w.T, x.T @ g), *FACTORS),
    "linear layer": fixed(
        lambda x, w, b: x @ w.T + b,
        lambda g, x, w, b: (g @ w, g.T @ x, g.sum(0)),
        normal(5, 3),
        normal(7, 3),
        normal(7),
    ),
    "batched product": fixed(
        lambda a, b: a @ b,
        lambda g, a, b: (g @ b.swapaxes(1, 2), a.swapaxes(1, 2) @ g),
        normal(2, 3, 5),
        normal(2, 5, 7),
    ),
    "broadcast column times row": fixed(
        lambda a, b: a * b, lambda g, a, b: (keep_sum(g * b), keep_sum(g * a, 0)), normal(5, 1), normal(1, 7)
    ),
    "quotient": fixed(lambda a, b: a / b, lambda g, a, b: (g / b, -g * a / b**2), normal(3, 5), away_from_zero(3, 5)),
    "power of two arrays": fixed(
        lambda a, b: a**b, lambda g, y, a, b: (g * b * a ** (b - 1), g * y * np.log(a)), positive(3, 5), normal(3, 5)
    ),
    "convolution": convolve,
    # Layers
    "layer norm": fixed(layer_norm, layer_norm_backward, *ROWS),
    "layer norm, a row of zeros": fixed(
        layer_norm, layer_norm_backward, put(normal(5, 7), 0, *range(7)), normal(7), normal(7)
    ),
    "layer norm at 1e4": fixed(layer_norm, layer_norm_backward, normal(5, 7, offset=1e4), normal(7), normal(7)),
    "layer norm at 1e-4": fixed(layer_norm, layer_norm_backward, normal(5, 7, scale=1e-4), normal(7), normal(7)),
    "batch norm": fixed(batch_norm, batch_norm_backward, *COLUMNS),
    "rms norm": fixed(rms_norm, rms_norm_backward, *BIASED),
    "softmax": fixed(softmax, lambda g, y, x: y * (g - keep_sum(g * y))),
    "softmax of large logits": fixed(softmax, lambda g, y, x: y * (g - keep_sum(g * y)), normal(5, 7, scale=10)),
    "log-softmax": fixed(lambda x: x - logsumexp(x), lambda g, y, x: g - np.exp(y) * keep_sum(g)),
    "logsumexp at 700": fixed(logsumexp, lambda g, y, x: g * np.exp(x - y), normal(5, 7, offset=700)),
    "attention": fixed(attention, attention_backward, *HEADS),
    "cross-entropy": fixed(cross_entropy, cross_entropy_backward, normal(5, 7), lambda rng: rng.integers(0, 7, 5)),
    "dropout with a fixed mask": dropout,
    "where": select,
    "residual block": fixed(residual, residual_backward, *SQUARE),
}
