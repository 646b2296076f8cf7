"""Planted mistakes in elementwise functions, reductions, shapes and indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import (
    BIASED,
    PAIR,
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
)

#: Neighbors change places.
EXCHANGED = np.arange(30).reshape(15, 2)[:, ::-1].ravel()


def duplicate_rows(rng: np.random.Generator) -> Pair:
    index = np.array([2, 0, 2, 4, 2, 1, 3])

    def backward(g: Any, x: Any) -> Any:
        dx = np.zeros_like(x)
        dx[index] = g  # the last of several contributions wins
        return dx

    return lambda x: x[index], backward, (rng.standard_normal((5, 3)),)


def permuted_again(rng: np.random.Generator) -> Pair:
    order = np.array([1, 2, 3, 4, 0])
    return lambda x: x[order], lambda g, x: g[order], (rng.standard_normal((5, 3)),)


def sort_backward_wrong_way(rng: np.random.Generator) -> Pair:
    return (
        lambda x: np.sort(x),
        lambda g, x: g[np.argsort(x)],
        (np.array([1.0, 2, 3, 4, 5, 6, 0]) + rng.uniform(0, 0.5, 7),),
    )


def branches_swapped(rng: np.random.Generator) -> Pair:
    chosen = rng.permutation(35).reshape(5, 7) % 3 == 0
    return (
        lambda a, b: np.where(chosen, a, b),
        lambda g, a, b: (g * ~chosen, g * chosen),
        (rng.standard_normal((5, 7)), rng.standard_normal((5, 7))),
    )


def dropout(backward: Any) -> Any:
    def make(rng: np.random.Generator) -> Pair:
        kept = rng.permutation(35).reshape(5, 7) % 10 < 7
        mask = kept / 0.7
        return lambda x: x * mask, lambda g, x: backward(g, kept, mask), (rng.standard_normal((5, 7)),)

    return make


def accumulating(rng: np.random.Generator) -> Pair:
    total = np.zeros((3, 5))

    def backward(g: Any, x: Any) -> Any:
        nonlocal total
        total = total + 2 * g * x
        return total

    return np.square, backward, (rng.standard_normal((3, 5)),)


def noisy_forward(rng: np.random.Generator) -> Pair:
    noise = np.random.default_rng(0)
    return (
        lambda x: x * (noise.random(x.shape) < 0.5),
        lambda g, x: g * 0.5,
        (rng.standard_normal((3, 5)),),
    )


def shifts_its_input(x: Any) -> Any:
    x += 1
    return x**2


def overwrites_g(g: Any, x: Any) -> Any:
    g *= 2 * x
    return g


def by_memory_order(g: Any, x: Any) -> Any:
    # ravel(order="K") reads memory as it lies: right for C order only
    return (g.ravel(order="K") * 2 * np.ascontiguousarray(x).ravel()).reshape(x.shape)


ELEMENTWISE: dict[tuple[str, str], Maker] = {
    ("exp, sign flipped", "sign-flipped"): elementwise(np.exp, lambda _, y: -y),
    ("cos, sign flipped", "sign-flipped"): elementwise(np.cos, lambda x, _: np.sin(x)),
    ("1/x, sign lost", "sign-flipped"): elementwise(lambda x: 1 / x, lambda x, _: 1 / x**2, away_from_zero(5, 7)),
    ("x², counted twice", "twice"): elementwise(np.square, lambda x, _: 4 * x),
    ("x·x, one contribution overwritten", "half"): elementwise(np.square, lambda x, _: x),
    ("tanh, zero", "zero"): elementwise(np.tanh, lambda x, _: 0 * x),
    ("a·b, detached b", "zero"): fixed(lambda a, b: a * b, lambda g, a, b: (g * b, None), *PAIR),
    ("tanh, not multiplied by g", "not-multiplied-by-g"): fixed(np.tanh, lambda g, y, x: 1 - y**2),
    ("sigmoid, multiplied by g twice", "multiplied-by-g-twice"): fixed(sigmoid, lambda g, y, x: g * g * y * (1 - y)),
    ("exp, gradient clipped", "not-linear"): fixed(np.exp, lambda g, y, x: np.clip(g * y, -1e3, 1e3)),
    ("sigmoid, local derivative missing", "local-derivative-missing"): elementwise(sigmoid, lambda x, _: 1 + 0 * x),
    ("a·b, local derivative missing", "local-derivative-missing"): fixed(
        lambda a, b: a * b, lambda g, a, b: (g, g * a), *PAIR
    ),
    ("a·b, own factor instead of the other", "wrong-operand"): fixed(
        lambda a, b: a * b, lambda g, a, b: (g * a, g * a), *PAIR
    ),
    ("a·b, gradients in the wrong order", "swapped-inputs"): fixed(
        lambda a, b: a * b, lambda g, a, b: (g * a, g * b), *PAIR
    ),
    ("x³, exponent not lowered", "power-rule"): elementwise(lambda x: x**3, lambda x, _: 3 * x**3),
    ("x³, exponent lowered twice", "power-rule"): elementwise(lambda x: x**3, lambda x, _: 3 * x, away_from_zero(5, 7)),
    ("√x, multiplied for divided", "power-rule"): elementwise(np.sqrt, lambda _, y: 0.5 * y, positive(5, 7)),
    ("log, multiplied for divided", "power-rule"): elementwise(np.log, lambda x, _: x, positive(5, 7)),
    ("a/b, b not squared", "power-rule"): fixed(
        lambda a, b: a / b, lambda g, a, b: (g / b, -g * a / b), normal(5, 7), away_from_zero(5, 7)
    ),
    ("tanh, of the input", "input-for-output"): elementwise(np.tanh, lambda x, _: 1 - x**2),
    ("sigmoid, of the input", "input-for-output"): elementwise(sigmoid, lambda x, _: x * (1 - x)),
    ("sin, of the output", "output-for-input"): elementwise(np.sin, lambda _, y: np.cos(y)),
    ("tanh, not squared", "not-squared"): elementwise(np.tanh, lambda _, y: 1 - y),
    ("x·tanh(x), second term forgotten", "product-rule"): elementwise(
        lambda x: x * np.tanh(x), lambda x, _: np.tanh(x)
    ),
    ("silu, wrong middle term", "term-missing"): elementwise(lambda x: x * sigmoid(x), lambda x, y: sigmoid(x) + y),
    ("relu, leak", "leak"): elementwise(lambda x: np.maximum(x, 0), lambda x, _: 1 + 0 * x),
    ("relu, wrong at the kink", "unnamed"): elementwise(
        lambda x: np.maximum(x, 0), lambda x, _: np.where(x == 0, 7, x > 0), put(normal(5, 7), 0, 3)
    ),
    ("relu, mask inverted", "inverted-mask"): elementwise(lambda x: np.maximum(x, 0), lambda x, _: x < 0),
    ("clip, leak", "leak"): elementwise(lambda x: np.clip(x, -1, 1), lambda x, _: 1 + 0 * x),
    ("where, branches swapped", "swapped-inputs"): branches_swapped,
    ("dropout, scale forgotten", "scale-missing"): dropout(lambda g, kept, mask: g * kept),
    ("dropout, mask forgotten", "leak"): dropout(lambda g, kept, mask: g / 0.7),
    ("3x + 2, slope forgotten", "scale-missing"): elementwise(lambda x: 3 * x + 2, lambda x, _: 1 + 0 * x),
    ("exp, computed in float32", "float32"): elementwise(np.exp, lambda _, y: y.astype(np.float32)),
    ("exp, returned in float32", "float32"): fixed(np.exp, lambda g, y, x: (g * y).astype(np.float32)),
    ("x² at 1e8, off by 1e-6", "constant-factor"): elementwise(
        np.square, lambda x, _: 2.000002 * x, normal(5, 7, offset=1e8)
    ),
    ("1e-6 x², sign flipped", "sign-flipped"): elementwise(lambda x: 1e-6 * x**2, lambda x, _: -2e-6 * x),
    ("a single number, counted twice", "twice"): fixed(
        np.tanh, lambda g, y, x: 2 * g * (1 - y**2), lambda rng: np.array(rng.standard_normal())
    ),
    ("one wrong entry of 35", "one-entry"): elementwise(
        np.sin, lambda x, _: np.where(np.arange(35).reshape(5, 7) == 17, 2, 1) * np.cos(x)
    ),
}

REDUCTIONS: dict[tuple[str, str], Maker] = {
    ("mean, 1/n forgotten", "mean-as-sum"): fixed(lambda x: x.mean(0), lambda g, x: g + 0 * x),
    ("sum, divided by n", "sum-as-mean"): fixed(lambda x: x.sum(1), lambda g, x: g[:, None] / 7 + 0 * x),
    ("variance, n − 1 for n", "n-minus-one"): fixed(
        lambda x: x.var(1), lambda g, x: g[:, None] * 2 * (x - keep_mean(x)) / 6
    ),
    ("deviation, 1/σ forgotten", "sigma-missing"): fixed(
        lambda x: x.std(1, keepdims=True), lambda g, y, x: g * (x - keep_mean(x)) / 7
    ),
    ("norm, division forgotten", "norm-missing"): fixed(lambda x: np.sqrt(keep_sum(x**2)), lambda g, y, x: g * x),
    ("norm, divided by its square", "norm-twice"): fixed(
        lambda x: np.sqrt(keep_sum(x**2)), lambda g, y, x: g * x / y**2
    ),
    ("logsumexp, not normalized", "sum-exp-missing"): fixed(
        lambda x: np.log(keep_sum(np.exp(x))), lambda g, y, x: g * np.exp(x)
    ),
    ("max, to every entry", "leak"): fixed(lambda x: x.max(1, keepdims=True), lambda g, x: g + 0 * x),
    ("centering, the mean's path forgotten", "mean-path-missing"): fixed(lambda x: x - keep_mean(x), lambda g, x: g),
    ("cumulative sum, not reversed", "not-transposed"): fixed(
        lambda x: np.cumsum(x, 1), lambda g, x: np.cumsum(g, 1), normal(3, 7)
    ),
    ("product, all zeros ignored", "gradient-not-finite"): fixed(
        lambda x: x.prod(1, keepdims=True), lambda g, y, x: g * y / x, put(normal(3, 5), 0, 1)
    ),
    ("broadcast bias, not summed", "broadcast-not-reduced"): fixed(lambda x, b: x + b, lambda g, x, b: (g, g), *BIASED),
    ("broadcast bias, averaged", "sum-as-mean"): fixed(lambda x, b: x + b, lambda g, x, b: (g, g.mean(0)), *BIASED),
    ("broadcast bias, first row only", "contributions-overwritten"): fixed(
        lambda x, b: x + b, lambda g, x, b: (g, g[0]), *BIASED
    ),
    ("broadcast bias, wrong axis", "wrong-axis-sum"): fixed(
        lambda x, b: x + b, lambda g, x, b: (g, g.sum(1)), normal(7, 7), normal(7)
    ),
    ("sum, not spread back", "not-broadcast-back"): fixed(lambda x: x.sum(1), lambda g, x: g[:, None]),
    ("squeezed by mistake", "wrong-shape"): fixed(lambda x: x * 2, lambda g, x: (2 * g).reshape(5, 7), normal(5, 1, 7)),
}

PLACES: dict[tuple[str, str], Maker] = {
    ("transpose, not undone", "transposed"): fixed(lambda x: x.T, lambda g, x: g),
    ("transpose of a square, not undone", "transposed"): fixed(lambda x: 3 * x.T, lambda g, x: 3 * g, normal(5, 5)),
    ("axes, permuted again", "permutation-not-inverted"): fixed(
        lambda x: x.transpose(1, 2, 0), lambda g, x: g.transpose(1, 2, 0), normal(3, 3, 3)
    ),
    ("rows, permuted again", "permutation-not-inverted"): permuted_again,
    ("sort, argsort for its inverse", "permutation-not-inverted"): sort_backward_wrong_way,
    ("roll, in the same direction", "permutation-not-inverted"): fixed(
        lambda x: np.roll(x, 2, 1), lambda g, x: np.roll(g, 2, 1), normal(3, 7)
    ),
    ("roll, off by one", "shifted"): fixed(lambda x: np.roll(x, 2, 1), lambda g, x: np.roll(g, -1, 1), normal(3, 7)),
    ("flip, not undone", "flipped"): fixed(lambda x: x[:, ::-1] ** 3, lambda g, x: 3 * g * x[:, ::-1] ** 2),
    ("reshape, in column order", "memory-order"): fixed(
        lambda x: x.reshape(7, 5), lambda g, x: g.reshape(5, 7, order="F")
    ),
    ("entries exchanged in pairs", "misplaced"): fixed(
        np.tanh, lambda g, y, x: (g * (1 - y**2)).reshape(-1)[EXCHANGED].reshape(x.shape), normal(5, 6)
    ),
    ("difference, one of two terms", "path-dropped"): fixed(
        lambda x: np.diff(x), lambda g, x: np.pad(g, ((0, 0), (1, 0))), normal(3, 7)
    ),
    ("pad, off by one", "shifted"): fixed(lambda x: np.pad(x, (2, 2)), lambda g, x: g[1:-3], normal(7)),
    ("strided slice, entries left out", "silent-outputs"): fixed(
        lambda x: x[:6] * x[:6], lambda g, x: np.concatenate([2 * g[:4] * x[:4], np.zeros(3)]), normal(7)
    ),
    ("moving sum, last window forgotten", "silent-outputs"): fixed(
        lambda x: x[1:] + x[:-1], lambda g, x: np.pad(g[:-1], (0, 2)) + np.pad(g[:-1], (1, 1)), normal(7)
    ),
    ("window products, edge entry forgotten", "entries-dropped"): fixed(
        lambda x: x[1:] * x[:-1], lambda g, x: np.pad(g * x[:-1], (1, 0)) + np.pad((g * x[1:])[1:], (1, 1)), normal(7)
    ),
    ("rows by index, duplicates overwritten", "contributions-overwritten"): duplicate_rows,
    ("concatenate, halves exchanged", "swapped-inputs"): fixed(
        lambda a, b: np.concatenate([a, b]), lambda g, a, b: (g[5:], g[:5]), normal(5, 3), normal(5, 3)
    ),
    ("two outputs, one sends nothing", "contributions-overwritten"): fixed(
        lambda x: (np.exp(x), x.sum(0)), lambda g, x: g[0] * np.exp(x), normal(3, 5)
    ),
}

HYGIENE: dict[tuple[str, str], Maker] = {
    ("forward changes its input", "input-changed"): fixed(shifts_its_input, lambda g, x: 2 * g * (x + 1), normal(3, 5)),
    ("backward changes g", "cotangent-changed"): fixed(np.square, overwrites_g, normal(3, 5)),
    ("forward draws random numbers", "random"): noisy_forward,
    ("backward remembers the last call", "another-answer"): accumulating,
    ("backward depends on the memory order", "layout"): fixed(np.square, by_memory_order, normal(3, 5)),
    ("forward gives NaN", "not-finite"): elementwise(np.log, lambda x, _: 1 / x, normal(5, 7, offset=-9)),
}
