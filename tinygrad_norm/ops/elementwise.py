"""All functions that work entry by entry: the primitive ones of the engine, and what is composed of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.details.array import Array, some
from ..engine.primitive import NUMPY, composition, elementwise
from ..engine.primitives import elementwise as smooth
from ..engine.primitives import piecewise
from ..engine.primitives.elementwise import *  # noqa: F403  # this room offers all of them
from ..engine.primitives.piecewise import *  # noqa: F403  # and these
from ..engine.tensor import Data, Tensor, as_tensor, wrap
from ..samples import samples_at
from .constants import plain
from .erf import erf_values


def _erf(x: Array, /) -> Array:
    return erf_values(x)


def _erf_rule(g: Any, x: Any) -> Any:
    with np.errstate(over="ignore"):  # exp(−∞) is the 0 that is wanted
        return (g * (2 / math.sqrt(math.pi)) * np.exp(-x * x),)


erf = elementwise(
    _erf,
    vjp=_erf_rule,
    formula="2/√π ∫₀ˣ exp(−t²) dt",
    rule=("ḡ · 2/√π · exp(−x²)",),
)


def _share(g: Any, out: Any, x: Any, y: Any, exp: Any = np.exp) -> Any:
    if not some(~np.isfinite(out)):
        return g * exp(x - out)
    # The limit: an infinite input takes all, two share, and two −∞ get nothing. Their difference to out would be NaN.
    same = (x == out) & np.isinf(out)
    share = exp(np.where(same, 0, x) - np.where(same, 0, out))
    share = np.where(same & (x == y), 0.5 * share, share)
    return g * np.where(out == -np.inf, 0, share)


logaddexp = elementwise(
    np.logaddexp,
    vjp=(lambda g, out, x, y: _share(g, out, x, y), lambda g, out, x, y: _share(g, out, y, x)),
    formula="log(eˣ + eʸ)",
    rule=("ḡ · exp(x − out)", "ḡ · exp(y − out)"),
    note="Two inputs of +∞ share the cotangent equally; two of −∞ get none.",
)
logaddexp2 = elementwise(
    np.logaddexp2,
    vjp=(lambda g, out, x, y: _share(g, out, x, y, np.exp2), lambda g, out, x, y: _share(g, out, y, x, np.exp2)),
    formula="log₂(2ˣ + 2ʸ)",
    rule=("ḡ · 2^(x − out)", "ḡ · 2^(y − out)"),
    note="Two inputs of +∞ share the cotangent equally; two of −∞ get none.",
)

# Other bases, roots, and the inverses of trigonometric and hyperbolic functions. No rule squares what may be large.

LN2, LN10 = math.log(2), math.log(10)
exp2 = elementwise(np.exp2, vjp=lambda g, out: (g * out * LN2,), formula="2ˣ", rule=("ḡ · 2ˣ · log 2",))
log2 = elementwise(
    np.log2, vjp=lambda g, x: (g / x / LN2,), formula="log₂ x", rule=("ḡ / (x · log 2)",), domain="positive"
)
log10 = elementwise(
    np.log10, vjp=lambda g, x: (g / x / LN10,), formula="log₁₀ x", rule=("ḡ / (x · log 10)",), domain="positive"
)
cbrt = elementwise(
    np.cbrt,
    vjp=lambda g, out: (g / out / out / 3,),
    symbol="∛",
    formula="∛x",
    rule=("ḡ / (3 ∛x²)",),
    domain="nonzero",
    note="The derivative at 0 is infinite.",
)
arcsin = elementwise(
    np.arcsin,
    vjp=lambda g, x: (g / np.sqrt((1 - x) * (1 + x)),),
    formula="arcsin x",
    rule=("ḡ / √(1 − x²)",),
    domain="unit",
    note="The derivative at −1 and 1 is infinite.",
)
arccos = elementwise(
    np.arccos,
    vjp=lambda g, x: (-g / np.sqrt((1 - x) * (1 + x)),),
    formula="arccos x",
    rule=("−ḡ / √(1 − x²)",),
    domain="unit",
    note="The derivative at −1 and 1 is infinite.",
)


def _arctan_rule(g: Any, x: Any) -> Any:
    with np.errstate(over="ignore"):  # 1 / ∞ is the 0 that is wanted
        return (g / (1 + x * x),)


arctan = elementwise(np.arctan, vjp=_arctan_rule, formula="arctan x", rule=("ḡ / (1 + x²)",))
arcsinh = elementwise(np.arcsinh, vjp=lambda g, x: (g / np.hypot(1, x),), formula="arsinh x", rule=("ḡ / √(1 + x²)",))
arccosh = elementwise(
    np.arccosh,
    vjp=lambda g, x: (g / np.sqrt(x - 1) / np.sqrt(x + 1),),
    formula="arcosh x",
    rule=("ḡ / √(x² − 1)",),
    domain="above one",
    note="The derivative at 1 is infinite.",
)
arctanh = elementwise(
    np.arctanh,
    vjp=lambda g, x: (g / (1 - x) / (1 + x),),
    formula="artanh x",
    rule=("ḡ / (1 − x²)",),
    domain="unit",
)


def _or_one(radius: Any) -> Any:
    return np.where(radius == 0, 1, radius)


hypot = elementwise(
    np.hypot,
    vjp=(lambda g, out, x: g * (x / _or_one(out)), lambda g, out, y: g * (y / _or_one(out))),
    formula="√(x² + y²)",
    rule=("ḡ · x / out", "ḡ · y / out"),
    domain="nonzero",
    note="The derivative at (0, 0) is 0.",
)


def _turn(g: Any, x: Any, y: Any) -> Any:
    radius = _or_one(np.hypot(x, y))
    return g * (y / radius) / radius


arctan2 = elementwise(
    np.arctan2,
    vjp=(_turn, lambda g, x, y: -_turn(g, y, x)),
    formula="the angle of the point (y, x)",
    rule=("ḡ · y / (x² + y²)", "−ḡ · x / (x² + y²)"),
    domain="nonzero",
    note="The derivative at (0, 0) is 0.",
)

tan = elementwise(
    np.tan, vjp=lambda g, out: (g * (1 + out * out),), formula="tan x", rule=("ḡ · (1 + tan² x)",), domain="unit"
)
sinh = elementwise(np.sinh, vjp=lambda g, x: (g * np.cosh(x),), formula="sinh x", rule=("ḡ · cosh x",))
cosh = elementwise(np.cosh, vjp=lambda g, x: (g * np.sinh(x),), formula="cosh x", rule=("ḡ · sinh x",))

# Steps: constant from jump to jump

STEP = "Piecewise constant: the derivative is 0 everywhere."
floor = elementwise(
    np.floor,
    vjp=lambda g: (np.zeros_like(g),),
    symbol="⌊x⌋",
    formula="⌊x⌋",
    rule=("0",),
    domain="fraction",
    note=STEP,
)
ceil = elementwise(
    np.ceil,
    vjp=lambda g: (np.zeros_like(g),),
    symbol="⌈x⌉",
    formula="⌈x⌉",
    rule=("0",),
    domain="fraction",
    note=STEP,
)
trunc = elementwise(
    np.trunc, vjp=lambda g: (np.zeros_like(g),), formula="x towards 0", rule=("0",), domain="fraction", note=STEP
)
NUMPY[np.fix] = trunc


def _round(x: Array, /, decimals: int = 0) -> Array:
    return np.round(x, decimals)


round = elementwise(
    _round,
    numpy=(np.round, np.around, np.rint),
    vjp=lambda g: (np.zeros_like(g),),
    formula="x rounded to so many decimals",
    rule=("0",),
    samples=[*samples_at("(), 3x5", "third"), *samples_at("3x5", "third", decimals=-1)],
    note=STEP,
)


def _larger(g: Any, x: Any, y: Any) -> Any:
    return np.where(x == y, 0.5 * g, np.where(x <= y, 0, g))


maximum = elementwise(
    np.maximum,
    vjp=(lambda g, x, y: _larger(g, x, y), lambda g, x, y: _larger(g, y, x)),
    symbol="max",
    formula="max(x, y)",
    rule=("ḡ · [x > y]", "ḡ · [y > x]"),
    note="A tie gives each input half; NaN gets ḡ.",
)
minimum = elementwise(
    np.minimum,
    vjp=(lambda g, x, y: _larger(g, y, x), lambda g, x, y: _larger(g, x, y)),
    symbol="min",
    formula="min(x, y)",
    rule=("ḡ · [x < y]", "ḡ · [y < x]"),
    note="A tie gives each input half; NaN gets ḡ.",
)
heaviside = elementwise(
    np.heaviside,
    vjp=(lambda g: np.zeros_like(g), lambda g, x: np.where(x == 0, g, 0)),
    formula="[x > 0], and y where x is 0",
    rule=("0", "ḡ where x is 0"),
    domain=("nonzero", "any"),
    note="Piecewise constant in x: the derivative is 0 everywhere.",
)
copysign = elementwise(
    np.copysign,
    vjp=(lambda g, x, y: np.where(np.signbit(y), -g, g) * np.sign(x), lambda g: np.zeros_like(g)),
    formula="|x| with the sign of y",
    rule=("ḡ · sign x · sign y", "0"),
    domain="nonzero",
    note="The derivative at x = 0 is 0.",
)
remainder = elementwise(
    np.remainder,
    vjp=(lambda g: g, lambda g, x, y: -g * np.floor_divide(x, y)),
    symbol="mod",
    formula="x − y⌊x / y⌋",
    rule=("ḡ", "−ḡ · ⌊x / y⌋"),
    domain=("fraction", "whole"),
    note="At the jumps the derivative is that of the piece to the right.",
)
fmod = elementwise(
    np.fmod,
    vjp=(lambda g: g, lambda g, out, x, y: -g * np.rint((x - out) / y)),
    formula="x − y · trunc(x / y)",
    rule=("ḡ", "−ḡ · trunc(x / y)"),
    domain=("fraction", "whole"),
    note="At the jumps the derivative is that of the piece away from 0.",
)


def _clip(x: Array, /, lower: float | None = None, upper: float | None = None) -> Array:
    result: Array = np.clip(x, lower, upper)
    return result


def _clip_rule(g: Any, x: Any, lower: float | None, upper: float | None) -> Any:
    inside = (x == x) if lower is None else (x >= lower)
    if upper is not None:
        inside = inside & (x <= upper)
    return (piecewise.kept(g, inside),)


clip_between = elementwise(
    _clip,
    vjp=_clip_rule,
    formula="min(max(x, lower), upper)",
    rule=("ḡ · [lower ≤ x ≤ upper]",),
    samples=[
        *samples_at("(), 3x5, 0x4", "distinct", lower=-0.35, upper=1.33),
        *samples_at("3x5", "distinct", lower=0.02),
        *samples_at("3x5", "distinct", upper=0.02),
    ],
    note="The derivative on the limits is 1.",
)


@composition(np.copy)
def copy(x: Data) -> Tensor:
    """Return a new Tensor with the same values, connected to this one."""
    x = as_tensor(x)
    return wrap(x.numpy(), None) if x.dtype.kind == "b" else smooth.positive(x)


@composition(np.clip)
def clip(x: Data, min: Any = None, max: Any = None) -> Tensor:
    """Limit values to [min, max]; the gradient on the limits is 1, outside 0."""
    number = (int, float, type(None))
    if isinstance(min, number) and isinstance(max, number):
        return clip_between(x, lower=min, upper=max)
    min, max = (limit if isinstance(limit, number) else as_tensor(limit) for limit in (min, max))
    limited = as_tensor(x)
    if min is not None:  # NaN, in the values or in a limit, is not hidden
        limited = piecewise.where((limited.data < plain(min)) | np.isnan(plain(min)), min, limited)
    if max is not None:
        limited = piecewise.where((limited.data > plain(max)) | np.isnan(plain(max)), max, limited)
    return limited


@composition(np.reciprocal)
def reciprocal(x: Data) -> Tensor:
    """Return 1 / x."""
    return smooth.divide(1.0, x)


@composition(np.fabs)
def fabs(x: Data) -> Tensor:
    """Return |x| as a floating-point number; its derivative at 0 is 0."""
    x = as_tensor(x)
    return piecewise.absolute(x if x.dtype.kind == "f" else x.astype(np.float64))


@composition(np.rad2deg, np.degrees)
def rad2deg(x: Data) -> Tensor:
    """Return radians in degrees."""
    return smooth.multiply(x, 180 / math.pi)


@composition(np.deg2rad, np.radians)
def deg2rad(x: Data) -> Tensor:
    """Return degrees in radians."""
    return smooth.multiply(x, math.pi / 180)


@composition(np.real, np.conjugate, np.real_if_close)
def real(x: Data, tol: float = 100) -> Tensor:
    """Return the values themselves: all Tensors are real, and so their own conjugates."""
    return copy(x)


@composition(np.fmax)
def fmax(x: Data, y: Data) -> Tensor:
    """Return the larger one, and where one is NaN the other; a tie gives each half."""
    return maximum(piecewise.where(np.isnan(x), y, x), piecewise.where(np.isnan(y), x, y))


@composition(np.fmin)
def fmin(x: Data, y: Data) -> Tensor:
    """Return the smaller one, and where one is NaN the other; a tie gives each half."""
    return minimum(piecewise.where(np.isnan(x), y, x), piecewise.where(np.isnan(y), x, y))


@composition(np.float_power)
def float_power(x: Data, y: Data) -> Tensor:
    """Return x^y, in float64 at least."""
    return smooth.power(smooth.multiply(x, np.float64(1)), y)


@composition(np.divmod)
def divmod(x: Data, y: Data) -> tuple[Tensor, Tensor]:
    """Return the whole quotient, without a gradient, and the remainder."""
    return NUMPY[np.floor_divide](x, y), remainder(x, y)


@composition(np.modf)
def modf(x: Data) -> tuple[Tensor, Tensor]:
    """Return what stands behind the point and what stands before it, both with the sign of x."""
    x = as_tensor(x)
    finite = piecewise.where(np.isinf(x.data), np.copysign(0, x.data), x)
    return fmod(finite, 1.0), trunc(x)


@composition(np.nan_to_num)
def nan_to_num(x: Data, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """Return x with numbers in the place of NaN and ±∞ (by default 0 and the largest ones); they get no gradient."""
    x = as_tensor(x)
    if x.dtype.kind != "f":
        return real(x)
    largest = float(np.finfo(x.dtype).max)
    x = piecewise.where(np.isnan(x.data), nan, x)
    x = piecewise.where(np.isposinf(x.data), largest if posinf is None else posinf, x)
    return piecewise.where(np.isneginf(x.data), -largest if neginf is None else neginf, x)


@composition(np.sinc)
def sinc(x: Data) -> Tensor:
    """Return sin(πx) / (πx), and 1 at 0; every derivative is right there too."""
    x = smooth.multiply(x, math.pi)
    near = np.abs(x.data) < 1
    squared = smooth.square(piecewise.where(near, x, 0))
    series: Any = 1.0
    for n in range(20, 0, -2):
        series = 1 - squared * series / (n * (n + 1))
    far = piecewise.where(near, 1, x)
    return piecewise.where(near, series, smooth.sin(far) / far)
