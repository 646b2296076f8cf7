"""Operations that work entry by entry and broadcast, each with its derivative beside it.

The rules are written for the broadcast shape; the sweep sums each cotangent back to its input's shape.
Where a function has no derivative the note says which value stands in for it; all follow PyTorch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..details.array import Array
from ..details.samples import binary, sample, unary
from ..details.summation import sum_product_to
from ..primitive import elementwise
from .erf import erf_values

# Arithmetic. Multiply and divide have one rule for each input: a constant factor then costs nothing.

add = elementwise(
    np.add, vjp=lambda g: (g, g), linear=True,
    symbol="+", formula="x + y", rule=("ḡ", "ḡ"), samples=binary(),
)  # fmt: skip
subtract = elementwise(
    np.subtract, vjp=(lambda g: g, lambda g: -g), linear=True,
    symbol="−", formula="x − y", rule=("ḡ", "−ḡ"), samples=binary(),
)  # fmt: skip
multiply = elementwise(
    np.multiply, vjp=(lambda g, y: g * y, lambda g, x: g * x),
    symbol="×", formula="x · y", rule=("ḡ · y", "ḡ · x"), samples=binary(),
)  # fmt: skip
divide = elementwise(
    # The divisor is often one number a row: summing before dividing is the same, and cheaper.
    np.divide, vjp=(lambda g, y: g / y, lambda g, out, y: -sum_product_to(g, out, y.shape) / y),
    symbol="÷", formula="x / y", rule=("ḡ / y", "−ḡ · out / y"), samples=binary("any", "nonzero"),
)  # fmt: skip
negative = elementwise(
    np.negative, vjp=lambda g: (-g,), linear=True,
    symbol="−", formula="−x", rule=("−ḡ",), samples=unary(),
)  # fmt: skip
positive = elementwise(
    np.positive, vjp=lambda g: (g,), linear=True,
    symbol="=", formula="x", rule=("ḡ",), samples=unary(),
)  # fmt: skip
square = elementwise(
    np.square, vjp=lambda g, x: (g * (x + x),),
    symbol="x²", formula="x²", rule=("ḡ · 2x",), samples=unary(),
)  # fmt: skip
sqrt = elementwise(
    np.sqrt, vjp=lambda g, out: (g / (out + out),),
    symbol="√", formula="√x", rule=("ḡ / (2√x)",), samples=unary("positive"),
    note="The derivative at 0 is infinite.",
)  # fmt: skip


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
    np.power, vjp=(_power_by_base, _power_by_exponent),
    symbol="xʸ", formula="x^y", rule=("ḡ · y · x^(y−1)", "ḡ · out · log x"),
    samples=binary("positive", "any"),
    note="x⁰ and 0^y (y ≥ 0) are constant. For x < 0 the derivative by y is NaN.",
)  # fmt: skip

# Exponentials, logarithms, trigonometry

exp = elementwise(
    np.exp, vjp=lambda g, out: (g * out,),
    symbol="exp", formula="eˣ", rule=("ḡ · eˣ",), samples=unary(),
)  # fmt: skip
expm1 = elementwise(
    np.expm1, vjp=lambda g, out: (g * (out + 1),),
    symbol="expm1", formula="eˣ − 1", rule=("ḡ · eˣ",), samples=unary(),
)  # fmt: skip
log = elementwise(
    np.log, vjp=lambda g, x: (g / x,),
    symbol="log", formula="log x", rule=("ḡ / x",), samples=unary("positive"),
)  # fmt: skip
log1p = elementwise(
    np.log1p, vjp=lambda g, x: (g / (1 + x),),
    symbol="log1p", formula="log(1 + x)", rule=("ḡ / (1 + x)",), samples=unary("unit"),
)  # fmt: skip
sin = elementwise(
    np.sin, vjp=lambda g, x: (g * np.cos(x),),
    symbol="sin", formula="sin x", rule=("ḡ · cos x",), samples=unary(),
)  # fmt: skip
cos = elementwise(
    np.cos, vjp=lambda g, x: (-g * np.sin(x),),
    symbol="cos", formula="cos x", rule=("−ḡ · sin x",), samples=unary(),
)  # fmt: skip
tanh = elementwise(
    np.tanh, vjp=lambda g, out: (g * (1 - out * out),),
    symbol="tanh", formula="tanh x", rule=("ḡ · (1 − tanh² x)",), samples=unary(),
)  # fmt: skip
arctan = elementwise(
    np.arctan, vjp=lambda g, x: (g / (1 + x * x),),
    symbol="arctan", formula="arctan x", rule=("ḡ / (1 + x²)",), samples=unary(),
)  # fmt: skip


def _erf(x: Array, /) -> Array:
    return erf_values(x)


erf = elementwise(
    _erf, vjp=lambda g, x: (g * (2 / math.sqrt(math.pi)) * np.exp(-x * x),),
    symbol="erf", formula="2/√π ∫₀ˣ exp(−t²) dt", rule=("ḡ · 2/√π · exp(−x²)",), samples=unary(),
)  # fmt: skip


def _share(g: Any, out: Any, x: Any, y: Any) -> Any:
    if np.isfinite(out).all():
        return g * np.exp(x - out)
    # The limit: an infinite input takes all, two share, and two −∞ get nothing. Their difference to out would be NaN.
    same = (x == out) & np.isinf(out)
    share = np.exp(np.where(same, 0, x) - np.where(same, 0, out))
    share = np.where(same & (x == y), 0.5 * share, share)
    return g * np.where(out == -np.inf, 0, share)


logaddexp = elementwise(
    np.logaddexp, vjp=(lambda g, out, x, y: _share(g, out, x, y), lambda g, out, x, y: _share(g, out, y, x)),
    symbol="logaddexp", formula="log(eˣ + eʸ)", rule=("ḡ · exp(x − out)", "ḡ · exp(y − out)"),
    samples=binary(), note="Two inputs of +∞ share the cotangent equally; two of −∞ get none.",
)  # fmt: skip

# Kinks: piecewise functions

absolute = elementwise(
    np.absolute, vjp=lambda g, x: (g * np.sign(x),),
    symbol="|x|", formula="|x|", rule=("ḡ · sign x",), samples=unary("nonzero"),
    note="The derivative at 0 is 0.",
)  # fmt: skip
sign = elementwise(
    np.sign, vjp=lambda g: (np.zeros_like(g),),
    symbol="sign", formula="sign x", rule=("0",), samples=unary("nonzero"),
    note="Piecewise constant: the derivative is 0 everywhere.",
)  # fmt: skip
floor = elementwise(
    np.floor, vjp=lambda g: (np.zeros_like(g),),
    symbol="⌊x⌋", formula="⌊x⌋", rule=("0",), samples=unary("fraction"),
    note="Piecewise constant: the derivative is 0 everywhere.",
)  # fmt: skip
remainder = elementwise(
    np.remainder, vjp=(lambda g: g, lambda g, x, y: -g * np.floor_divide(x, y)),
    symbol="mod", formula="x − y⌊x / y⌋", rule=("ḡ", "−ḡ · ⌊x / y⌋"),
    samples=[sample(*point.shapes, domain=("fraction", "whole")) for point in binary()],
    note="At the jumps the derivative is that of the piece to the right.",
)  # fmt: skip


def _relu(x: Array, /) -> Array:
    result: Array = np.maximum(x, 0)
    return result


def _masked(g: Any, mask: Any) -> Any:
    """Return ḡ where the mask holds and 0 elsewhere."""
    # A product takes a seventh of the time of np.where, and by numbers half of that by booleans.
    factor = mask.astype(g.dtype)
    try:
        with np.errstate(invalid="raise"):
            factor *= g
            return factor
    except FloatingPointError:  # 0 · ∞
        return np.where(mask, g, 0)


relu = elementwise(
    _relu, vjp=lambda g, out: (_masked(g, out > 0),),
    symbol="relu", formula="max(x, 0)", rule=("ḡ · [x > 0]",), samples=unary("nonzero"),
    note="The derivative at 0 is 0.",
)  # fmt: skip


def _clip(x: Array, /, lower: float | None = None, upper: float | None = None) -> Array:
    result: Array = np.clip(x, lower, upper)
    return result


def _clip_rule(g: Any, x: Any, lower: float | None, upper: float | None) -> Any:
    inside = (x == x) if lower is None else (x >= lower)
    if upper is not None:
        inside = inside & (x <= upper)
    return (_masked(g, inside),)


clip_between = elementwise(
    _clip, vjp=_clip_rule, name="clip",
    symbol="clip", formula="min(max(x, lower), upper)", rule=("ḡ · [lower ≤ x ≤ upper]",),
    samples=[
        *(sample(s, domain="distinct", lower=-0.35, upper=1.33) for s in [(), (3, 5), (0, 4)]),
        sample((3, 5), domain="distinct", lower=0.02),
        sample((3, 5), domain="distinct", upper=0.02),
    ],
    note="The derivative on the limits is 1.",
)  # fmt: skip


def _larger(g: Any, x: Any, y: Any) -> Any:
    return np.where(x == y, 0.5 * g, np.where(x > y, g, 0))


maximum = elementwise(
    np.maximum, vjp=(lambda g, x, y: _larger(g, x, y), lambda g, x, y: _larger(g, y, x)),
    symbol="max", formula="max(x, y)", rule=("ḡ · [x > y]", "ḡ · [y > x]"), samples=binary(),
    note="A tie gives each input half.",
)  # fmt: skip
minimum = elementwise(
    np.minimum, vjp=(lambda g, x, y: _larger(g, y, x), lambda g, x, y: _larger(g, x, y)),
    symbol="min", formula="min(x, y)", rule=("ḡ · [x < y]", "ḡ · [y < x]"), samples=binary(),
    note="A tie gives each input half.",
)  # fmt: skip


def _where(condition: Array, x: Array, y: Array, /) -> Array:
    return np.where(condition, x, y)


where = elementwise(
    _where, numpy=(np.where,),
    vjp=(None, lambda g, condition: np.where(condition, g, 0), lambda g, condition: np.where(condition, 0, g)),
    symbol="where", formula="condition ? x : y", rule=("", "ḡ where condition", "ḡ where not condition"),
    samples=[
        sample(*shapes, domain=("boolean", "any", "any"))
        for shapes in [((), (), ()), ((3, 5), (3, 5), ()), ((5,), (3, 1), (3, 5)), ((0, 4), (4,), (0, 4))]
    ],
)  # fmt: skip
