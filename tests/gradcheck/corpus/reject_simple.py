"""Planted mistakes in elementwise functions, reductions, shapes and indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import (
    Case,
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


def standardized_by(x: Any) -> Any:
    return keep_sum(x**2) ** 0.5


ELEMENTWISE = (
    Case("exp, sign flipped", elementwise(np.exp, lambda _, y: -y, normal(5, 7)), "sign-flipped"),
    Case("cos, sign flipped", elementwise(np.cos, lambda x, _: np.sin(x), normal(5, 7)), "sign-flipped"),
    Case("1/x, sign lost", elementwise(lambda x: 1 / x, lambda x, _: 1 / x**2, away_from_zero(5, 7)), "sign-flipped"),
    Case("x², counted twice", elementwise(np.square, lambda x, _: 4 * x, normal(5, 7)), "twice"),
    Case("x·x, one contribution overwritten", elementwise(np.square, lambda x, _: x, normal(5, 7)), "half"),
    Case("tanh, zero", elementwise(np.tanh, lambda x, _: 0 * x, normal(5, 7)), "zero"),
    Case("a·b, detached b",
        fixed(lambda a, b: a * b, lambda g, a, b: (g * b, None), normal(5, 7), normal(5, 7)), "zero"),
    Case("tanh, not multiplied by g", fixed(np.tanh, lambda g, y, x: 1 - y**2, normal(5, 7)), "not-multiplied-by-g"),
    Case("sigmoid, multiplied by g twice", fixed(
        sigmoid, lambda g, y, x: g * g * y * (1 - y), normal(5, 7)), "multiplied-by-g-twice"),
    Case("exp, gradient clipped", fixed(np.exp, lambda g, y, x: np.clip(g * y, -1e3, 1e3), normal(5, 7)), "not-linear"),
    Case("sigmoid, local derivative missing", elementwise(
        sigmoid, lambda x, _: 1 + 0 * x, normal(5, 7)), "local-derivative-missing"),
    Case("a·b, local derivative missing", fixed(
        lambda a, b: a * b, lambda g, a, b: (g, g * a), normal(5, 7), normal(5, 7)), "local-derivative-missing"),
    Case("a·b, own factor instead of the other", fixed(
        lambda a, b: a * b, lambda g, a, b: (g * a, g * a), normal(5, 7), normal(5, 7)), "wrong-operand"),
    Case("a·b, gradients in the wrong order", fixed(
        lambda a, b: a * b, lambda g, a, b: (g * a, g * b), normal(5, 7), normal(5, 7)), "swapped-inputs"),
    Case("x³, exponent not lowered", elementwise(lambda x: x**3, lambda x, _: 3 * x**3, normal(5, 7)), "power-rule"),
    Case("x³, exponent lowered twice",
        elementwise(lambda x: x**3, lambda x, _: 3 * x, away_from_zero(5, 7)), "power-rule"),
    Case("√x, multiplied for divided", elementwise(np.sqrt, lambda _, y: 0.5 * y, positive(5, 7)), "power-rule"),
    Case("log, multiplied for divided", elementwise(np.log, lambda x, _: x, positive(5, 7)), "power-rule"),
    Case("a/b, b not squared", fixed(
        lambda a, b: a / b, lambda g, a, b: (g / b, -g * a / b), normal(5, 7), away_from_zero(5, 7)), "power-rule"),
    Case("tanh, of the input", elementwise(np.tanh, lambda x, _: 1 - x**2, normal(5, 7)), "input-for-output"),
    Case("sigmoid, of the input", elementwise(sigmoid, lambda x, _: x * (1 - x), normal(5, 7)), "input-for-output"),
    Case("sin, of the output", elementwise(np.sin, lambda _, y: np.cos(y), normal(5, 7)), "output-for-input"),
    Case("tanh, not squared", elementwise(np.tanh, lambda _, y: 1 - y, normal(5, 7)), "unnamed"),
    Case("x·tanh(x), second term forgotten", elementwise(
        lambda x: x * np.tanh(x), lambda x, _: np.tanh(x), normal(5, 7)), "unnamed"),
    Case("silu, wrong middle term", elementwise(
        lambda x: x * sigmoid(x), lambda x, y: sigmoid(x) + y, normal(5, 7)), "unnamed"),
    Case("relu, leak", elementwise(lambda x: np.maximum(x, 0), lambda x, _: 1 + 0 * x, normal(5, 7)), "leak"),
    Case("relu, wrong at the kink", elementwise(
        lambda x: np.maximum(x, 0), lambda x, _: np.where(x == 0, 7, x > 0), put(normal(5, 7), 0, 3)), "unnamed"),
    Case("relu, mask inverted",
        elementwise(lambda x: np.maximum(x, 0), lambda x, _: x < 0, normal(5, 7)), "inverted-mask"),
    Case("clip, leak", elementwise(lambda x: np.clip(x, -1, 1), lambda x, _: 1 + 0 * x, normal(5, 7)), "leak"),
    Case("where, branches swapped", branches_swapped, "swapped-inputs"),
    Case("dropout, scale forgotten", dropout(lambda g, kept, mask: g * kept), "scale-missing"),
    Case("dropout, mask forgotten", dropout(lambda g, kept, mask: g / 0.7), "leak"),
    Case("3x + 2, slope forgotten", elementwise(
        lambda x: 3 * x + 2, lambda x, _: 1 + 0 * x, normal(5, 7)), "scale-missing"),
    Case("exp, computed in float32", elementwise(
        np.exp, lambda _, y: y.astype(np.float32), normal(5, 7)), "float32"),
    Case("exp, returned in float32", fixed(
        np.exp, lambda g, y, x: (g * y).astype(np.float32), normal(5, 7)), "float32"),
    Case("x² at 1e8, off by 1e-6", elementwise(
        np.square, lambda x, _: 2.000002 * x, normal(5, 7, offset=1e8)), "constant-factor"),
    Case("1e-6 x², sign flipped",
        elementwise(lambda x: 1e-6 * x**2, lambda x, _: -2e-6 * x, normal(5, 7)), "sign-flipped"),
    Case("a single number, counted twice", fixed(
        np.tanh, lambda g, y, x: 2 * g * (1 - y**2), lambda rng: np.array(rng.standard_normal())), "twice"),
    Case("one wrong entry of 35", elementwise(
        np.sin, lambda x, _: np.where(np.arange(35).reshape(5, 7) == 17, 2, 1) * np.cos(x), normal(5, 7)), "unnamed"),
)  # fmt: skip

REDUCTIONS = (
    Case("mean, 1/n forgotten", fixed(lambda x: x.mean(0), lambda g, x: g + 0 * x, normal(5, 7)), "mean-as-sum"),
    Case("sum, divided by n",
        fixed(lambda x: x.sum(1), lambda g, x: g[:, None] / 7 + 0 * x, normal(5, 7)), "sum-as-mean"),
    Case("variance, n − 1 for n", fixed(
        lambda x: x.var(1), lambda g, x: g[:, None] * 2 * (x - keep_mean(x)) / 6, normal(5, 7)), "n-minus-one"),
    Case("deviation, 1/σ forgotten", fixed(
        lambda x: x.std(1, keepdims=True), lambda g, y, x: g * (x - keep_mean(x)) / 7, normal(5, 7)), "sigma-missing"),
    Case("norm, division forgotten", fixed(
        lambda x: np.sqrt(keep_sum(x**2)), lambda g, y, x: g * x, normal(5, 7)), "norm-missing"),
    Case("norm, divided by its square", fixed(
        lambda x: np.sqrt(keep_sum(x**2)), lambda g, y, x: g * x / y**2, normal(5, 7)), "norm-twice"),
    Case("logsumexp, not normalized", fixed(
        lambda x: np.log(keep_sum(np.exp(x))), lambda g, y, x: g * np.exp(x), normal(5, 7)), "sum-exp-missing"),
    Case("max, to every entry", fixed(lambda x: x.max(1, keepdims=True), lambda g, x: g + 0 * x, normal(5, 7)), "leak"),
    Case("centering, the mean's path forgotten", fixed(
        lambda x: x - keep_mean(x), lambda g, x: g, normal(5, 7)), "mean-path-missing"),
    Case("cumulative sum, not reversed", fixed(
        lambda x: np.cumsum(x, 1), lambda g, x: np.cumsum(g, 1), normal(3, 7)), "not-transposed"),
    Case("product, all zeros ignored", fixed(
        lambda x: x.prod(1, keepdims=True), lambda g, y, x: g * y / x, put(normal(3, 5), 0, 1)), "gradient-not-finite"),
    Case("broadcast bias, not summed", fixed(
        lambda x, b: x + b, lambda g, x, b: (g, g), normal(5, 7), normal(7)), "broadcast-not-reduced"),
    Case("broadcast bias, averaged", fixed(
        lambda x, b: x + b, lambda g, x, b: (g, g.mean(0)), normal(5, 7), normal(7)), "sum-as-mean"),
    Case("broadcast bias, first row only", fixed(
        lambda x, b: x + b, lambda g, x, b: (g, g[0]), normal(5, 7), normal(7)), "contributions-overwritten"),
    Case("broadcast bias, wrong axis", fixed(
        lambda x, b: x + b, lambda g, x, b: (g, g.sum(1)), normal(7, 7), normal(7)), "wrong-axis-sum"),
    Case("sum, not spread back",
        fixed(lambda x: x.sum(1), lambda g, x: g[:, None], normal(5, 7)), "not-broadcast-back"),
    Case("squeezed by mistake", fixed(
        lambda x: x * 2, lambda g, x: (2 * g).reshape(5, 7), normal(5, 1, 7)), "wrong-shape"),
)  # fmt: skip

PLACES = (
    Case("transpose, not undone", fixed(lambda x: x.T, lambda g, x: g, normal(5, 7)), "transposed"),
    Case("transpose of a square, not undone", fixed(lambda x: 3 * x.T, lambda g, x: 3 * g, normal(5, 5)), "transposed"),
    Case("axes, permuted again", fixed(
        lambda x: x.transpose(1, 2, 0), lambda g, x: g.transpose(1, 2, 0), normal(3, 3, 3)),
        "permutation-not-inverted"),
    Case("rows, permuted again", permuted_again, "permutation-not-inverted"),
    Case("sort, argsort for its inverse", sort_backward_wrong_way, "permutation-not-inverted"),
    Case("roll, in the same direction", fixed(
        lambda x: np.roll(x, 2, 1), lambda g, x: np.roll(g, 2, 1), normal(3, 7)), "permutation-not-inverted"),
    Case("roll, off by one", fixed(
        lambda x: np.roll(x, 2, 1), lambda g, x: np.roll(g, -1, 1), normal(3, 7)), "shifted"),
    Case("flip, not undone",
        fixed(lambda x: x[:, ::-1] ** 3, lambda g, x: 3 * g * x[:, ::-1] ** 2, normal(5, 7)), "flipped"),
    Case("reshape, in column order", fixed(
        lambda x: x.reshape(7, 5), lambda g, x: g.reshape(5, 7, order="F"), normal(5, 7)), "memory-order"),
    Case("entries exchanged in pairs", fixed(
        np.tanh, lambda g, y, x: (g * (1 - y**2)).reshape(-1)[EXCHANGED].reshape(x.shape), normal(5, 6)), "misplaced"),
    Case("difference, one of two terms", fixed(
        lambda x: np.diff(x), lambda g, x: np.pad(g, ((0, 0), (1, 0))), normal(3, 7)), "path-dropped"),
    Case("pad, off by one", fixed(lambda x: np.pad(x, (2, 2)), lambda g, x: g[1:-3], normal(7)), "shifted"),
    Case("strided slice, entries left out", fixed(
        lambda x: x[:6] * x[:6], lambda g, x: np.concatenate([2 * g[:4] * x[:4], np.zeros(3)]), normal(7)),
        "silent-outputs"),
    Case("moving sum, last window forgotten", fixed(
        lambda x: x[1:] + x[:-1], lambda g, x: np.pad(g[:-1], (0, 2)) + np.pad(g[:-1], (1, 1)), normal(7)),
        "silent-outputs"),
    Case("window products, edge entry forgotten", fixed(
        lambda x: x[1:] * x[:-1],
        lambda g, x: np.pad(g * x[:-1], (1, 0)) + np.pad((g * x[1:])[1:], (1, 1)), normal(7)), "entries-dropped"),
    Case("rows by index, duplicates overwritten", duplicate_rows, "contributions-overwritten"),
    Case("concatenate, halves exchanged", fixed(
        lambda a, b: np.concatenate([a, b]), lambda g, a, b: (g[5:], g[:5]), normal(5, 3), normal(5, 3)),
        "swapped-inputs"),
    Case("two outputs, one sends nothing", fixed(
        lambda x: (np.exp(x), x.sum(0)), lambda g, x: g[0] * np.exp(x), normal(3, 5)), "contributions-overwritten"),
)  # fmt: skip

HYGIENE = (
    Case("forward changes its input", fixed(
        shifts_its_input, lambda g, x: 2 * g * (x + 1), normal(3, 5)), "input-changed"),
    Case("backward changes g", fixed(np.square, overwrites_g, normal(3, 5)), "cotangent-changed"),
    Case("forward draws random numbers", noisy_forward, "random"),
    Case("backward remembers the last call", accumulating, "another-answer"),
    Case("backward depends on the memory order", fixed(np.square, by_memory_order, normal(3, 5)), "layout"),
    Case("forward gives NaN", elementwise(np.log, lambda x, _: 1 / x, normal(5, 7, offset=-9)), "not-finite"),
)  # fmt: skip
