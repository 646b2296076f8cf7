"""Families of elementwise functions: activations, special functions, kinks, domains, saturation and scales."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from .accept import error_function
from .case import away_from_zero, keep_sum, normal, positive, put, sigmoid
from .family import Family, at, slopes


def between(low: float, high: float, *shape: int) -> Any:
    """Return a drawer of uniform numbers."""
    return lambda rng: rng.uniform(low, high, shape or (5, 7))


def softplus(x: Any) -> Any:
    return np.logaddexp(0, x)


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def elu(x: Any) -> Any:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def selu(x: Any) -> Any:
    return 1.0507 * np.where(x > 0, x, 1.67326 * np.expm1(np.minimum(x, 0)))


def selu_slope(x: Any, _: Any) -> Any:
    return 1.0507 * np.where(x > 0, 1, 1.67326 * np.exp(np.minimum(x, 0)))


def mish_slope(x: Any, _: Any) -> Any:
    t = np.tanh(softplus(x))
    return t + x * sigmoid(x) * (1 - t**2)


def gelu_tanh(x: Any) -> Any:
    return x / 2 * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))


def gelu_tanh_slope(x: Any, cubic: float = 3 * 0.044715) -> Any:
    t = np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))
    return (1 + t) / 2 + x / 2 * (1 - t**2) * sqrt(2 / pi) * (1 + cubic * x**2)


def gelu_slope(x: Any, _: Any) -> Any:
    return (1 + error_function(x / sqrt(2))) / 2 + x * np.exp(-(x**2) / 2) / sqrt(2 * pi)


def strict_log(x: Any) -> Any:
    if np.any(x <= 0):
        raise ValueError("log of what is not positive")
    return np.log(x)


def one_loop(x: Any) -> Any:
    """Newton's iteration for the square root, until it stands still."""
    y = np.ones_like(x)
    for _ in range(100):
        y = (y + x / y) / 2
        if np.max(np.abs(y * y - x)) < 1e-9:
            return y
    raise ArithmeticError("no convergence")


ACTIVATIONS = (
    slopes(
        "hard sigmoid",
        lambda x: np.clip(x / 6 + 0.5, 0, 1),
        lambda x, _: (np.abs(x) < 3) / 6,
        normal(5, 7, scale=4),
        wrong={
            ("leak", "leak"): lambda x, _: 1 / 6 + 0 * x,
            ("1/6 forgotten", "scale-missing"): lambda x, _: np.abs(x) < 3,
        },
    ),
    slopes(
        "elu",
        elu,
        lambda x, y: np.where(x > 0, 1, y + 1),
        wrong={
            ("of the output", "output-for-input"): lambda x, y: np.where(x > 0, 1, np.exp(y)),
            ("1 forgotten", "term-missing"): lambda x, y: np.where(x > 0, 1, y),
        },
    ),
    slopes(
        "selu", selu, selu_slope, wrong={("scale forgotten", "known-factor"): lambda x, y: selu_slope(x, y) / 1.0507}
    ),
    slopes(
        "softsign",
        lambda x: x / (1 + np.abs(x)),
        lambda x, _: 1 / (1 + np.abs(x)) ** 2,
        wrong={("not squared", "not-squared"): lambda x, _: 1 / (1 + np.abs(x))},
    ),
    slopes(
        "mish",
        lambda x: x * np.tanh(softplus(x)),
        mish_slope,
        {"": normal(5, 7), " far out": normal(5, 7, scale=20)},
        wrong={
            ("second term forgotten", "product-rule"): lambda x, _: np.tanh(softplus(x)),
            ("first term forgotten", "product-rule"): lambda x, y: mish_slope(x, y) - np.tanh(softplus(x)),
        },
    ),
    slopes(
        "gelu by tanh",
        gelu_tanh,
        lambda x, _: gelu_tanh_slope(x),
        {"": normal(5, 7), " far out": normal(5, 7, scale=10)},
        wrong={("cubic term forgotten", "path-dropped"): lambda x, _: gelu_tanh_slope(x, 0)},
    ),
    slopes(
        "silu",
        lambda x: x * sigmoid(x),
        lambda x, y: y + sigmoid(x) * (1 - y),
        {"": normal(5, 7), " far out": normal(5, 7, scale=9)},
        wrong={
            ("factor in the wrong place", "unnamed"): lambda x, y: sigmoid(x) + y * (1 - y),
            ("sigmoid alone", "product-rule"): lambda x, y: sigmoid(x),
        },
    ),
    slopes(
        "log-sigmoid",
        lambda x: -np.logaddexp(0, -x),
        lambda x, _: sigmoid(-x),
        {"": normal(5, 7), " far out": normal(5, 7, scale=20)},
        wrong={
            ("of −x", "complement"): lambda x, _: sigmoid(x),
            ("sign", "sign-flipped"): lambda x, _: -sigmoid(-x),
        },
    ),
    slopes(
        "sharp softplus",
        lambda x: np.logaddexp(0, 10 * x) / 10,
        lambda x, _: sigmoid(10 * x),
        wrong={("not divided by 10", "known-factor"): lambda x, _: 10 * sigmoid(10 * x)},
    ),
    slopes(
        "sigmoid at temperature ½",
        lambda x: sigmoid(x / 0.5),
        lambda x, y: y * (1 - y) / 0.5,
        wrong={
            ("1/τ forgotten", "known-factor"): lambda x, y: y * (1 - y),
            ("one factor forgotten", "factor-missing"): lambda x, y: y / 0.5,
            ("1 − y²", "term-missing"): lambda x, y: (1 - y**2) / 0.5,
        },
    ),
    slopes(
        "soft shrinkage",
        lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
        lambda x, _: np.abs(x) > 0.5,
        {"": normal(5, 7), ", edges at the point": put(put(normal(5, 7), 0.5, 0, 8), -0.5, 3)},
        wrong={
            ("leak", "leak"): lambda x, _: 1 + 0 * x,
            ("mask inverted", "inverted-mask"): lambda x, _: np.abs(x) < 0.5,
        },
    ),
    slopes(
        "hinge",
        lambda x: np.maximum(1 - x, 0),
        lambda x, _: -1.0 * (x < 1),
        {"": normal(5, 7), ", exact hits": put(normal(5, 7), 1.0, *range(0, 24, 2))},
        wrong={("sign", "sign-flipped"): lambda x, _: 1.0 * (x < 1), ("leak", "leak"): lambda x, _: -1 + 0 * x},
    ),
    slopes(
        "smoothstep",
        lambda x: np.where(x < 0, 0, np.where(x > 1, 1, 3 * x**2 - 2 * x**3)),
        lambda x, _: 6 * x * (1 - x) * ((x > 0) & (x < 1)),
        {"": between(-0.5, 1.5), ", ends at the point": put(put(between(-0.5, 1.5), 0, 2), 1, 4)},
        wrong={("outside too", "leak"): lambda x, _: 6 * x * (1 - x)},
    ),
    slopes(
        "Huber",
        lambda x: np.where(np.abs(x) < 2, x**2 / 2, 2 * np.abs(x) - 2),
        lambda x, _: np.clip(x, -2, 2),
        normal(5, 7, scale=2),
        wrong={
            ("not clipped", "wrong-operand"): lambda x, _: x,
            ("δ forgotten", "some-scaled"): lambda x, _: np.where(np.abs(x) < 2, x, np.sign(x)),
        },
    ),
    slopes(
        "pinball",
        lambda x: np.maximum(0.3 * x, -0.7 * x),
        lambda x, _: np.where(x > 0, 0.3, -0.7),
        {"": normal(5, 7), " at its kink": put(normal(5, 7), 0, *range(20))},
        wrong={
            ("branches exchanged", "branches-exchanged"): lambda x, _: np.where(x > 0, -0.7, 0.3),
            ("sign of one branch", "some-signs"): lambda x, _: np.where(x > 0, 0.3, 0.7),
        },
    ),
    slopes(
        "relu, 24 zeros of 30",
        relu,
        lambda x, _: 1.0 * (x > 0),
        put(put(normal(5, 6), 0, *range(24)), 1.5, 29),  # were all others negative, there would be no mistake
        wrong={
            ("halved", "half"): lambda x, _: 0.5 * (x > 0),
            ("sign", "sign-flipped"): lambda x, _: -1.0 * (x > 0),
        },
    ),
    slopes(
        "L1 with exact hits",
        np.abs,
        lambda x, _: np.sign(x),
        put(normal(5, 7), 0, *range(0, 35, 3)),
        wrong={
            ("sign", "sign-flipped"): lambda x, _: -np.sign(x),
            ("sign forgotten", "some-signs"): lambda x, _: 1 + 0 * x,
        },
    ),
    slopes(
        "rounding", np.round, None, wrong={("straight through", "local-derivative-missing"): lambda x, _: 1 + 0 * x}
    ),
    slopes(
        "a step on a slope",
        lambda x: 0.5 * x + (x > 0),
        lambda x, _: 0.5 + 0 * x,
        wrong={("surrogate", "unnamed"): lambda x, _: 0.5 + 1 / (1 + x**2)},
    ),
)

SPECIAL = (
    slopes(
        "sinc",
        lambda x: np.sin(x) / x,
        lambda x, y: (np.cos(x) - y) / x,
        {"": away_from_zero(5, 7), " near 0": lambda rng: 1e-3 * rng.standard_normal((5, 7))},
        wrong={("quotient rule by half", "term-missing"): lambda x, _: np.cos(x) / x},
    ),
    slopes(
        "√(1 + x²)",
        lambda x: np.sqrt(1 + x**2),
        lambda x, y: x / y,
        wrong={
            ("inner derivative forgotten", "power-rule"): lambda x, y: 1 / y,
            ("½ kept, 2 forgotten", "known-factor"): lambda x, y: x / (2 * y),
        },
    ),
    slopes(
        "normal density",
        lambda x: np.exp(-(x**2) / 2) / sqrt(2 * pi),
        lambda x, y: -x * y,
        wrong={
            ("sign", "sign-flipped"): lambda x, y: x * y,
            ("inner derivative forgotten", "power-rule"): lambda x, y: y,
            ("normalization forgotten", "constant-factor"): lambda x, y: -x * y * sqrt(2 * pi),
        },
    ),
    slopes(
        "log(1 + x²)",
        lambda x: np.log1p(x**2),
        lambda x, _: 2 * x / (1 + x**2),
        {"": away_from_zero(5, 7), " at 1e6": normal(5, 7, scale=1e6), " at 1e-6": normal(5, 7, scale=1e-6)},
        wrong={("inner derivative forgotten", "power-rule"): lambda x, _: 1 / (1 + x**2)},
    ),
    slopes(
        "arcsin",
        np.arcsin,
        lambda x, _: 1 / np.sqrt(1 - x**2),
        {"": between(-0.8, 0.8), " near its ends": between(0.999, 0.9999)},
        wrong={
            ("of the output", "output-for-input"): lambda x, y: 1 / np.sqrt(1 - y**2),
            ("root forgotten", "squared"): lambda x, _: 1 / (1 - x**2),
            ("upside down", "reciprocal"): lambda x, _: np.sqrt(1 - x**2),
        },
    ),
    slopes("arcosh from 1 on", np.arccosh, lambda x, _: 1 / np.sqrt(x**2 - 1), between(1.0, 2.8)),
    slopes(
        "artanh",
        np.arctanh,
        lambda x, _: 1 / (1 - x**2),
        between(-0.9, 0.9),
        wrong={("sign inside", "sign-inside"): lambda x, _: 1 / (1 + x**2)},
    ),
    slopes(
        "tan",
        np.tan,
        lambda x, y: 1 + y**2,
        between(-1.2, 1.2),
        wrong={
            ("not squared", "not-squared"): lambda x, y: 1 + y,
            ("of the input", "input-for-output"): lambda x, y: 1 + x**2,
            ("sign inside", "sign-inside"): lambda x, y: 1 - y**2,
        },
    ),
    slopes("cosh", np.cosh, lambda x, _: np.sinh(x), wrong={("sign of cos", "sign-flipped"): lambda x, _: -np.sinh(x)}),
    slopes(
        "erf",
        error_function,
        lambda x, _: 2 / sqrt(pi) * np.exp(-(x**2)),
        normal(3, 5),
        wrong={
            ("2 forgotten", "half"): lambda x, _: 1 / sqrt(pi) * np.exp(-(x**2)),
            ("another bell", "factor-missing"): lambda x, _: 2 / sqrt(pi) * np.exp(-(x**2) / 2),
            ("√π forgotten", "constant-factor"): lambda x, _: 2 * np.exp(-(x**2)),
        },
    ),
    slopes(
        "x log x",
        lambda x: x * np.log(x),
        lambda x, _: np.log(x) + 1,
        positive(5, 7),
        wrong={("+1 forgotten", "product-rule"): lambda x, _: np.log(x)},
    ),
    slopes(
        "logit",
        lambda x: np.log(x / (1 - x)),
        lambda x, _: 1 / (x * (1 - x)),
        between(0.05, 0.95),
        wrong={
            ("upside down", "reciprocal"): lambda x, _: x * (1 - x),
            ("one term", "factor-extra"): lambda x, _: 1 / x,
        },
    ),
    slopes(
        "1/√x",
        lambda x: x**-0.5,
        lambda x, y: -0.5 * y / x,
        positive(5, 7),
        wrong={
            ("exponent not lowered", "power-rule"): lambda x, y: -0.5 * y,
            ("sign", "sign-flipped"): lambda x, y: 0.5 * y / x,
            ("½ forgotten", "known-factor"): lambda x, y: -y / x,
        },
    ),
    slopes(
        "x³ of three rows",
        lambda x: x**3,
        lambda x, _: 3 * x**2,
        normal(3, 5),
        wrong={
            ("3 forgotten", "known-factor"): lambda x, _: x**2,
            ("3 applied twice", "known-factor"): lambda x, _: 9 * x**2,
        },
    ),
    slopes(
        "2 cos² − 1",
        lambda x: 2 * np.cos(x) ** 2 - 1,
        lambda x, _: -2 * np.sin(2 * x),
        wrong={
            ("of x for 2x", "another-point"): lambda x, _: -2 * np.sin(x),
            ("2 forgotten", "known-factor"): lambda x, _: -np.sin(2 * x),
        },
    ),
    slopes("x − sin x near 0", lambda x: x - np.sin(x), lambda x, _: 2 * np.sin(x / 2) ** 2, normal(5, 7, scale=0.1)),
    slopes("(1 − cos x)/x² near 0", lambda x: (1 - np.cos(x)) / x**2, lambda x, _: -x / 12, normal(3, 5, scale=1e-4)),
    slopes("eˣ − 1 by expm1, tiny", np.expm1, lambda x, _: np.exp(x), normal(5, 7, scale=1e-9)),
    slopes("log(1 + x) by log1p, tiny", np.log1p, lambda x, _: 1 / (1 + x), normal(5, 7, scale=1e-9)),
)

SATURATION = (
    slopes(
        "log(1 − tanh²), at 13",
        lambda x: np.log(1 - np.tanh(x) ** 2),
        lambda x, _: -2 * np.tanh(x),
        normal(5, 7, offset=13),
    ),
    slopes(
        "log(1 − tanh²), at 5",
        lambda x: np.log(1 - np.tanh(x) ** 2),
        lambda x, _: -2 * np.tanh(x),
        normal(5, 7, offset=5),
    ),
    slopes(
        "log(1 + eˣ) written out, at −30",
        lambda x: np.log(1 + np.exp(x)),
        lambda x, _: sigmoid(x),
        normal(5, 7, offset=-30),
    ),
    slopes(
        "log(1 + eˣ) written out, at −10",
        lambda x: np.log(1 + np.exp(x)),
        lambda x, _: sigmoid(x),
        normal(5, 7, offset=-10),
    ),
    slopes(
        "exact gelu, at −7", lambda x: x * (1 + error_function(x / sqrt(2))) / 2, gelu_slope, normal(3, 5, offset=-7)
    ),
    slopes("sigmoid, at 35", sigmoid, lambda x, _: sigmoid(x) * sigmoid(-x), normal(5, 7, offset=35)),
    slopes("tanh, at 18", np.tanh, lambda x, _: 1 / np.cosh(x) ** 2, normal(5, 7, offset=18)),
    slopes(
        "float16 inside", lambda x: (x.astype(np.float16) * np.float16(1.5)).astype(float), lambda x, _: 1.5 + 0 * x
    ),
    slopes("float32 inside", lambda x: np.sin(x.astype(np.float32)), lambda x, _: np.cos(x)),
    slopes("rounded to 1e-8", lambda x: np.round(np.sin(x), 8), lambda x, _: np.cos(x)),
    slopes("rounded to 1e-3", lambda x: np.round(np.sin(x), 3), lambda x, _: np.cos(x)),
    slopes("float32 inside, a sum", lambda x: (x.astype(np.float32) ** 2).sum(1, keepdims=True), lambda x, _: 2 * x),
    slopes("cancellation to one digit", lambda x: (1e15 + x) - 1e15, lambda x, _: 1 + 0 * x),
)

DOMAINS = (
    slopes("log that raises, at 1e-3", strict_log, lambda x, _: 1 / x, between(1e-3, 2.0)),
    slopes("√(1 − x²) at its ends", lambda x: np.sqrt(1 - x**2), lambda x, y: -x / y, between(0.99, 0.9999)),
    slopes(
        "log of 1 − x², some near 1",
        lambda x: np.log(1 - x**2),
        lambda x, _: -2 * x / (1 - x**2),
        between(-0.999, 0.999),
    ),
    slopes(
        "x to the x",
        lambda x: x**x,
        lambda x, y: y * (np.log(x) + 1),
        between(0.01, 3),
        wrong={("log forgotten", "wrong-operand"): lambda x, y: y},
    ),
    slopes("√ of data from 0.001 to 1000", np.sqrt, lambda x, y: 0.5 / y, lambda rng: 10 ** rng.uniform(-3, 3, (5, 7))),
    slopes(
        "Newton's root, in a loop",
        one_loop,
        lambda x, y: 0.5 / y,
        positive(3, 5),
        wrong={("½ forgotten", "twice"): lambda x, y: 1 / y},
    ),
)

SCALES = (
    slopes(
        "a square",
        lambda x: x * x,
        lambda x, _: 2 * x,
        {f" at {scale:g}": normal(5, 7, scale=scale) for scale in (1e-150, 1e-30, 1e100)},
        wrong={("at 1e-150, sign", "sign-flipped"): lambda x, _: -2 * x},
    ),
    slopes(
        "a reciprocal",
        lambda x: 1 / x,
        lambda x, y: -y * y,
        {f" at {scale:g}": (lambda s: lambda rng: s * away_from_zero(5, 7)(rng))(scale) for scale in (1e-100, 1e100)},
        wrong={("at 1e-100, not squared", "not-squared"): lambda x, y: -y},
    ),
    slopes("exp", np.exp, lambda _, y: y, {" at −700": normal(5, 7, offset=-700), " at 700": normal(5, 7, offset=700)}),
    slopes("log at 1e300", np.log, lambda x, _: 1 / x, lambda rng: 1e300 * positive(5, 7)(rng)),
    slopes("1e-200 sin", lambda x: 1e-200 * np.sin(x), lambda x, _: 1e-200 * np.cos(x)),
    slopes(
        "1e200 sin",
        lambda x: 1e200 * np.sin(x),
        lambda x, _: 1e200 * np.cos(x),
        normal(5, 7, scale=3),
        wrong={("cos with its sign lost", "some-signs"): lambda x, _: 1e200 * np.abs(np.cos(x))},
    ),
    slopes("1e12 plus sin", lambda x: 1e12 + np.sin(x), lambda x, _: np.cos(x)),
    slopes(
        "columns from 1e-6 to 1e6",
        lambda x: np.tanh(x) * x,
        lambda x, y: np.tanh(x) + x / np.cosh(np.minimum(np.abs(x), 300)) ** 2,
        lambda rng: rng.standard_normal((5, 7)) * np.logspace(-6, 6, 7),
    ),
    slopes(
        "float32 input",
        lambda x: np.sin(x),
        lambda x, _: np.cos(x),
        lambda rng: rng.standard_normal((5, 7)).astype(np.float32),
        wrong={("sign", "sign-flipped"): lambda x, _: -np.cos(x)},
    ),
    slopes(
        "one entry",
        np.cos,
        lambda x, _: -np.sin(x),
        normal(1),
        wrong={("sign", "sign-flipped"): lambda x, _: np.sin(x)},
    ),
    slopes(
        "1500 entries",
        np.tanh,
        lambda x, y: 1 - y**2,
        normal(30, 50),
        wrong={
            ("sign", "sign-flipped"): lambda x, y: y**2 - 1,
            ("counted twice", "twice"): lambda x, y: 2 * (1 - y**2),
            ("not squared", "not-squared"): lambda x, y: 1 - y,
            ("of the input", "input-for-output"): lambda x, y: 1 - x**2,
        },
    ),
)

TWO = (
    Family(
        "logaddexp",
        np.logaddexp,
        lambda g, y, a, b: (g * np.exp(a - y), g * np.exp(b - y)),
        at(normal(5, 7), normal(5, 7)),
        {
            ("exchanged", "swapped-inputs"): lambda g, y, a, b: (g * np.exp(b - y), g * np.exp(a - y)),
            ("not normalized", "factor-extra"): lambda g, y, a, b: (g * np.exp(a), g * np.exp(b)),
        },
    ),
    Family(
        "hypot",
        np.hypot,
        lambda g, y, a, b: (g * a / y, g * b / y),
        at(normal(5, 7), normal(5, 7)),
        {
            ("division forgotten", "factor-extra"): lambda g, y, a, b: (g * a, g * b),
            ("exchanged", "swapped-inputs"): lambda g, y, a, b: (g * b / y, g * a / y),
        },
    ),
    Family(
        "arctan2",
        np.arctan2,
        lambda g, a, b: (g * b / (a * a + b * b), -g * a / (a * a + b * b)),
        at(normal(5, 7), normal(5, 7)),
        {
            ("signs exchanged", "sign-flipped"): lambda g, a, b: (-g * b / (a * a + b * b), g * a / (a * a + b * b)),
            ("second sign lost", "sign-flipped"): lambda g, a, b: (g * b / (a * a + b * b), g * a / (a * a + b * b)),
            ("not divided", "wrong-operand"): lambda g, a, b: (g * b, -g * a),
        },
    ),
    Family(
        "interpolated",
        lambda a, b, t: a + (b - a) * t,
        lambda g, a, b, t: (g * (1 - t), g * t, keep_sum(g * (b - a))),
        at(normal(5, 7), normal(5, 7), between(0.1, 0.9, 5, 1)),
        {
            ("weights exchanged", "swapped-inputs"): lambda g, a, b, t: (g * t, g * (1 - t), keep_sum(g * (b - a))),
            ("difference reversed", "sign-flipped"): lambda g, a, b, t: (g * (1 - t), g * t, keep_sum(g * (a - b))),
        },
    ),
    Family(
        "a + 2 b c",
        lambda a, b, c: a + 2 * b * c,
        lambda g, a, b, c: (g, 2 * g * c, 2 * g * b),
        at(normal(5, 7), normal(5, 7), normal(5, 7)),
        {
            ("2 forgotten", "known-factor"): lambda g, a, b, c: (g, g * c, 2 * g * b),
            ("own factor", "wrong-operand"): lambda g, a, b, c: (g, 2 * g * b, 2 * g * b),
        },
    ),
    Family(
        "prelu",
        lambda x, a: np.where(x > 0, x, a * x),
        lambda g, x, a: (g * np.where(x > 0, 1, a), (g * np.minimum(x, 0)).sum(0)),
        at(normal(5, 7), between(0.1, 0.4, 7)),
        {
            ("slope not reduced", "broadcast-not-reduced"): lambda g, x, a: (
                g * np.where(x > 0, 1, a),
                g * np.minimum(x, 0),
            ),
            ("slope fed by all", "leak"): lambda g, x, a: (g * np.where(x > 0, 1, a), (g * x).sum(0)),
            ("slope forgotten", "silent-outputs"): lambda g, x, a: (g * (x > 0), (g * np.minimum(x, 0)).sum(0)),
        },
    ),
    Family(
        "dynamic tanh, α = 3",
        lambda x, a, w: w * np.tanh(a * x),
        lambda g, x, a, w: (
            g * w * a * (1 - np.tanh(a * x) ** 2),
            np.sum(g * w * x * (1 - np.tanh(a * x) ** 2)),
            (g * np.tanh(a * x)).sum(0),
        ),
        at(normal(3, 5), lambda _: np.array(3.0), normal(5)),
        {
            ("α forgotten", "known-factor"): lambda g, x, a, w: (
                g * w * (1 - np.tanh(a * x) ** 2),
                np.sum(g * w * x * (1 - np.tanh(a * x) ** 2)),
                (g * np.tanh(a * x)).sum(0),
            ),
            ("x forgotten for α", "factor-missing"): lambda g, x, a, w: (
                g * w * a * (1 - np.tanh(a * x) ** 2),
                np.sum(g * w * (1 - np.tanh(a * x) ** 2)),
                (g * np.tanh(a * x)).sum(0),
            ),
            ("γ forgotten", "factor-missing"): lambda g, x, a, w: (
                g * a * (1 - np.tanh(a * x) ** 2),
                np.sum(g * w * x * (1 - np.tanh(a * x) ** 2)),
                (g * np.tanh(a * x)).sum(0),
            ),
        },
    ),
    Family(
        "power with its exponent an input",
        lambda a, p: a**p,
        lambda g, y, a, p: (g * p * a ** (p - 1), np.sum(g * y * np.log(a))),
        at(positive(3, 5), lambda _: np.array(2.5)),
        {
            ("exponent not lowered", "power-rule"): lambda g, y, a, p: (g * p * y, np.sum(g * y * np.log(a))),
            ("exponent forgotten", "known-factor"): lambda g, y, a, p: (g * a ** (p - 1), np.sum(g * y * np.log(a))),
            ("log forgotten", "factor-missing"): lambda g, y, a, p: (g * p * a ** (p - 1), np.sum(g * y)),
        },
    ),
    Family(
        "clip between two inputs",
        np.clip,
        lambda g, x, a, b: (g * ((x > a) & (x < b)), g * (x <= a), g * (x >= b)),
        at(normal(5, 7), between(-1, -0.5), between(0.5, 1)),
        {
            ("bounds get nothing", "zero"): lambda g, x, a, b: (g * ((x > a) & (x < b)), None, None),
            ("bounds exchanged", "swapped-inputs"): lambda g, x, a, b: (
                g * ((x > a) & (x < b)),
                g * (x >= b),
                g * (x <= a),
            ),
        },
    ),
    Family(
        "complex product in real numbers",
        lambda a, b, c, d: (a * c - b * d, a * d + b * c),
        lambda g, a, b, c, d: (g[0] * c + g[1] * d, g[1] * c - g[0] * d, g[0] * a + g[1] * b, g[1] * a - g[0] * b),
        at(*[normal(3, 5)] * 4),
        {
            ("not conjugated", "some-signs"): lambda g, a, b, c, d: (
                g[0] * c - g[1] * d,
                g[1] * c + g[0] * d,
                g[0] * a + g[1] * b,
                g[1] * a - g[0] * b,
            ),
        },
    ),
)

FAMILIES = (*ACTIVATIONS, *SPECIAL, *SATURATION, *DOMAINS, *SCALES, *TWO)
