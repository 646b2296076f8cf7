"""Smooth operations that work entry by entry and broadcast, each with its derivative beside it.

The rules are written for the broadcast shape; the sweep sums each cotangent back to its input's shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...samples import samples_at
from ..details.array import PLAIN
from ..details.summation import sum_product_to, sum_to
from ..primitive import elementwise, primitive

# Arithmetic. All but the sum have one rule for each input: a constant factor then costs nothing.

add = elementwise(np.add, vjp=lambda g: (g, g), linear=True, symbol="+", formula="x + y", rule=("ḡ", "ḡ"))
subtract = elementwise(
    np.subtract,
    # A mean is often subtracted, which has few entries: the sign comes last.
    vjp=(lambda g: g, lambda g, y_shape: -sum_to(g, y_shape)),
    linear=True,
    symbol="−",
    formula="x − y",
    rule=("ḡ", "−ḡ"),
)
multiply = elementwise(
    np.multiply, vjp=(lambda g, y: g * y, lambda g, x: g * x), symbol="×", formula="x · y", rule=("ḡ · y", "ḡ · x")
)


sum_product = primitive(
    sum_product_to,
    name="sum_product",
    vjp=(lambda g, y: g * y, lambda g, x: g * x),
    formula="x · y summed to a shape",
    rule=("ḡ · y", "ḡ · x"),
    samples=[
        *samples_at("3x5 3x5", shape=(3, 1)),
        *samples_at("2x3x5 2x3x5", shape=(1, 5)),
        *samples_at("5 5", shape=()),
    ],
)


def _divide_by_divisor(g: Any, out: Any, y: Any) -> Any:
    # The divisor is often one number a row: summing before dividing is the same, and cheaper.
    kernel = sum_product_to if isinstance(g, PLAIN) else sum_product
    return -kernel(g, out, y.shape) / y


divide = elementwise(
    np.divide,
    vjp=(lambda g, y: g / y, _divide_by_divisor),
    symbol="÷",
    formula="x / y",
    rule=("ḡ / y", "−ḡ · out / y"),
    domain=("any", "nonzero"),
)
negative = elementwise(np.negative, vjp=lambda g: (-g,), linear=True, symbol="−", formula="−x", rule=("−ḡ",))
positive = elementwise(np.positive, vjp=lambda g: (g,), linear=True, symbol="=", formula="x", rule=("ḡ",))
square = elementwise(np.square, vjp=lambda g, x: (g * (x + x),), symbol="x²", formula="x²", rule=("ḡ · 2x",))
sqrt = elementwise(
    np.sqrt,
    vjp=lambda g, out: (g / (out + out),),
    symbol="√",
    formula="√x",
    rule=("ḡ / (2√x)",),
    domain="positive",
    note="The derivative at 0 is infinite.",
)


def _power_by_base(g: Any, x: Any, y: Any) -> Any:
    if type(y) in (int, float):  # a number, so that x keeps its dtype
        return g * (y * x ** (y - 1)) if y != 0 else np.zeros_like(g)
    # x⁰ is constant, also at 0, where y · x^(y−1) would be 0 · ∞.
    constant = y == 0
    return g * np.where(constant, 0, y * x ** np.where(constant, 1, y - 1))


def _power_by_exponent(g: Any, out: Any, x: Any, y: Any) -> Any:
    if isinstance(x, (int, float)):  # np.where would make a float64 of it
        x = out.dtype.type(x)
    # 0^y is constant for y ≥ 0; log(1) = 0 gives that zero without a warning.
    constant = (x == 0) & (y >= 0)
    return g * out * np.log(np.where(constant, 1, x))


power = elementwise(
    np.power,
    vjp=(_power_by_base, _power_by_exponent),
    symbol="xʸ",
    formula="x^y",
    rule=("ḡ · y · x^(y−1)", "ḡ · out · log x"),
    domain=("positive", "any"),
    note="x⁰ and 0^y (y ≥ 0) are constant. For x < 0 the derivative by y is NaN.",
)

# Exponentials, logarithms, trigonometry

exp = elementwise(np.exp, vjp=lambda g, out: (g * out,), formula="eˣ", rule=("ḡ · eˣ",))
expm1 = elementwise(np.expm1, vjp=lambda g, out: (g * (out + 1),), formula="eˣ − 1", rule=("ḡ · eˣ",))
log = elementwise(np.log, vjp=lambda g, x: (g / x,), formula="log x", rule=("ḡ / x",), domain="positive")
log1p = elementwise(
    np.log1p, vjp=lambda g, x: (g / (1 + x),), formula="log(1 + x)", rule=("ḡ / (1 + x)",), domain="unit"
)
sin = elementwise(np.sin, vjp=lambda g, x: (g * np.cos(x),), formula="sin x", rule=("ḡ · cos x",))
cos = elementwise(np.cos, vjp=lambda g, x: (-g * np.sin(x),), formula="cos x", rule=("−ḡ · sin x",))
tanh = elementwise(np.tanh, vjp=lambda g, out: (g * (1 - out * out),), formula="tanh x", rule=("ḡ · (1 − tanh² x)",))
