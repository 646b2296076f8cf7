"""All functions that work entry by entry: the primitive ones of the engine, and what is composed of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.details.array import Array
from ..engine.details.samples import samples_at
from ..engine.primitive import composition, elementwise
from ..engine.primitives import elementwise as smooth
from ..engine.primitives import piecewise
from ..engine.primitives.elementwise import *  # noqa: F403  # this room offers all of them
from ..engine.primitives.piecewise import *  # noqa: F403  # and these
from ..engine.tensor import Data, Tensor, as_tensor, wrap
from .constants import plain
from .erf import erf_values


def _erf(x: Array, /) -> Array:
    return erf_values(x)


erf = elementwise(
    _erf,
    vjp=lambda g, x: (g * (2 / math.sqrt(math.pi)) * np.exp(-x * x),),
    formula="2/√π ∫₀ˣ exp(−t²) dt",
    rule=("ḡ · 2/√π · exp(−x²)",),
)


def _share(g: Any, out: Any, x: Any, y: Any) -> Any:
    if np.isfinite(out).all():
        return g * np.exp(x - out)
    # The limit: an infinite input takes all, two share, and two −∞ get nothing. Their difference to out would be NaN.
    same = (x == out) & np.isinf(out)
    share = np.exp(np.where(same, 0, x) - np.where(same, 0, out))
    share = np.where(same & (x == y), 0.5 * share, share)
    return g * np.where(out == -np.inf, 0, share)


logaddexp = elementwise(
    np.logaddexp,
    vjp=(lambda g, out, x, y: _share(g, out, x, y), lambda g, out, x, y: _share(g, out, y, x)),
    formula="log(eˣ + eʸ)",
    rule=("ḡ · exp(x − out)", "ḡ · exp(y − out)"),
    note="Two inputs of +∞ share the cotangent equally; two of −∞ get none.",
)


def _clip(x: Array, /, lower: float | None = None, upper: float | None = None) -> Array:
    result: Array = np.clip(x, lower, upper)
    return result


def _clip_rule(g: Any, x: Any, lower: float | None, upper: float | None) -> Any:
    inside = (x == x) if lower is None else (x >= lower)
    if upper is not None:
        inside = inside & (x <= upper)
    return (piecewise.masked(g, inside),)


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
    if isinstance(min, (int, float, type(None))) and isinstance(max, (int, float, type(None))):
        return clip_between(x, lower=min, upper=max)
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


@composition(np.tan)
def tan(x: Data) -> Tensor:
    """Return the tangent of radians."""
    return smooth.sin(x) / smooth.cos(x)


@composition(np.sinh)
def sinh(x: Data) -> Tensor:
    """Return the hyperbolic sine."""
    return 0.5 * (smooth.expm1(x) - smooth.expm1(smooth.negative(x)))


@composition(np.cosh)
def cosh(x: Data) -> Tensor:
    """Return the hyperbolic cosine."""
    return 0.5 * (smooth.exp(x) + smooth.exp(smooth.negative(x)))
