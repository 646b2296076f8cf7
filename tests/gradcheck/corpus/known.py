"""Functions with a known derivative, to compare the measured bar with the true error.

The derivatives are evaluated in extended precision. Constants inside a function are powers of two, so that the argument
which NumPy sees is exactly the one that the derivative is evaluated at.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

ENTRIES = 11
#: (scale, offset) of the points: ordinary, tiny, large, far from zero.
EVERYWHERE = ((1.0, 0.0), (1e-3, 0.0), (1e-8, 0.0), (30.0, 0.0), (1e8, 0.0), (1.0, 1e4), (1.0, 1e8))
MODERATE = ((1.0, 0.0), (1e-3, 0.0), (1e-8, 0.0), (3.0, 0.0), (1.0, 5.0))
ORDINARY = ((1.0, 0.0), (1e-3, 0.0), (30.0, 0.0), (1.0, 100.0))


@dataclass(frozen=True)
class Known:
    """An elementwise function, its derivative, and the scales and offsets of its points."""

    name: str
    function: Callable[[Any], Any]
    derivative: Callable[[Any], Any]
    points: tuple[tuple[float, float], ...] = MODERATE


erf = np.vectorize(math.erf, otypes=[float])
erfc = np.vectorize(lambda v: math.erfc(float(v)), otypes=[float])


def gelu(x: Any) -> Any:
    """Return ½ x (1 + erf(x/√2))."""
    return x * (1 + erf(x / np.sqrt(2))) / 2


def gelu_slope(x: Any) -> Any:
    """Return the derivative of :func:`gelu`, without its cancellation."""
    return erfc(-x / np.sqrt(2)) / 2 + x * np.exp(-x * x / 2) / np.sqrt(2 * np.longdouble(np.pi))


def logistic(x: Any) -> Any:
    """Return 1/(1 + e⁻ˣ)."""
    return 1 / (1 + np.exp(-x))


KNOWN = (
    Known("exp(x)", np.exp, np.exp),
    Known("sin(x)", np.sin, np.cos, ORDINARY),
    Known("cos(x)", np.cos, lambda x: -np.sin(x), ORDINARY),
    Known("tanh(x)", np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    Known("logistic(x)", logistic, lambda x: 1 / (2 + np.exp(x) + np.exp(-x))),
    Known("log(1 + exp(x))", lambda x: np.logaddexp(0, x), logistic),
    Known("log|x|", lambda x: np.log(np.abs(x)), lambda x: 1 / x, EVERYWHERE),
    Known("1/x", lambda x: 1 / x, lambda x: -1 / x**2, EVERYWHERE),
    Known("√|x|", lambda x: np.sqrt(np.abs(x)), lambda x: np.sign(x) / (2 * np.sqrt(np.abs(x))), EVERYWHERE),
    Known("∛x", np.cbrt, lambda x: 1 / (3 * np.cbrt(x) ** 2), EVERYWHERE),
    Known("x²", np.square, lambda x: 2 * x, EVERYWHERE),
    Known("x³", lambda x: x**3, lambda x: 3 * x**2, EVERYWHERE),
    Known("x⁷", lambda x: x**7, lambda x: 7 * x**6, MODERATE),
    Known("2⁻²⁰ x²", lambda x: 2.0**-20 * x**2, lambda x: 2.0**-19 * x, EVERYWHERE),
    Known("x² − 2x + 1", lambda x: x**2 - 2 * x + 1, lambda x: 2 * x - 2, EVERYWHERE),
    Known("x⁵ − 3x⁴ + x²", lambda x: x**5 - 3 * x**4 + x**2, lambda x: 5 * x**4 - 12 * x**3 + 2 * x),
    Known("3x + 7", lambda x: 3 * x + 7, lambda x: 3 + 0 * x, EVERYWHERE),
    Known("|x|", np.abs, np.sign, EVERYWHERE),
    Known("max(x, 0)", lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0, EVERYWHERE),
    Known("⌊x⌋ + x", lambda x: np.floor(x) + x, lambda x: 1 + 0 * x, ((1.0, 0.0), (1e-3, 0.0))),
    Known("exp(−x²)", lambda x: np.exp(-(x**2)), lambda x: -2 * x * np.exp(-(x**2))),
    Known("1/(1 + x²)", lambda x: 1 / (1 + x**2), lambda x: -2 * x / (1 + x**2) ** 2, EVERYWHERE),
    Known("1/(1 + 2¹⁴ x²)", lambda x: 1 / (1 + 2.0**14 * x**2), lambda x: -(2.0**15) * x / (1 + 2.0**14 * x**2) ** 2),
    Known("arctan(x)", np.arctan, lambda x: 1 / (1 + x**2), ORDINARY),
    Known("arsinh(x)", np.arcsinh, lambda x: 1 / np.sqrt(1 + x**2), EVERYWHERE),
    Known("cosh(x)", np.cosh, np.sinh),
    Known("sin(8x)", lambda x: np.sin(8 * x), lambda x: 8 * np.cos(8 * x), ORDINARY),
    Known("sin(1024x)", lambda x: np.sin(1024 * x), lambda x: 1024 * np.cos(1024 * x), ((1.0, 0.0), (1e-3, 0.0))),
    Known(
        "exp(sin(4x))", lambda x: np.exp(np.sin(4 * x)), lambda x: 4 * np.cos(4 * x) * np.exp(np.sin(4 * x)), ORDINARY
    ),
    Known("2²⁰ + sin(x)", lambda x: 2.0**20 + np.sin(x), np.cos, ORDINARY),
    Known("(1 + 2⁻²⁰ x) − 1", lambda x: (1 + 2.0**-20 * x) - 1, lambda x: 2.0**-20 + 0 * x, ORDINARY),
)

#: Functions whose values lie on a grid, or that saturate: their finest steps agree with each other on a wrong slope.
GRIDS = (
    Known("sin(x) to eight decimals", lambda x: np.round(np.sin(x), 8), np.cos, ((1.0, 0.0), (30.0, 0.0))),
    Known("sin(x to eight decimals)", lambda x: np.sin(np.round(x, 8)), np.cos, ((1.0, 0.0), (30.0, 0.0))),
    Known("sin(x) to six decimals", lambda x: np.round(np.sin(x), 6), np.cos, ((1.0, 0.0), (1.0, 100.0))),
    Known("(10⁴ + sin x) − 10⁴", lambda x: (1e4 + np.sin(x)) - 1e4, np.cos, ((1.0, 0.0), (1e-3, 0.0), (30.0, 0.0))),
    Known(
        "1 + 2⁻³⁵ sin x", lambda x: 1 + 2.0**-35 * np.sin(x), lambda x: 2.0**-35 * np.cos(x), ((1.0, 0.0), (30.0, 0.0))
    ),
    Known("tanh in float32", lambda x: np.tanh(x.astype(np.float32)), lambda x: 1 / np.cosh(x) ** 2),
    Known(
        "log(1 − tanh²)", lambda x: np.log(1 - np.tanh(x) ** 2), lambda x: -2 * np.tanh(x), ((0.5, 9.0), (0.5, 13.0))
    ),
    Known("log(1 + exp)", lambda x: np.log(1 + np.exp(x)), logistic, tuple((1.0, at) for at in (-20.0, -30.0, -33.0))),
    Known("1 − logistic", lambda x: 1 - logistic(x), lambda x: -logistic(x) * logistic(-x), ((1.0, 20.0), (1.0, 30.0))),
    Known("gelu", gelu, gelu_slope, tuple((0.3, at) for at in (-5.0, -6.0, -7.0, -7.5, -8.0))),
    Known(
        "√(x² + 1) − x",
        lambda x: np.sqrt(x * x + 1) - x,
        lambda x: x / np.sqrt(x * x + 1) - 1,
        ((1.0, 1e4), (1.0, 1e6)),
    ),
    Known("1 − cos", lambda x: 1 - np.cos(x), np.sin, ((1e-4, 0.0), (1e-6, 0.0), (1e-7, 0.0))),
)
