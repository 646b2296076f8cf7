"""All functions that work entry by entry: the primitive ones of the engine, and what is composed of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.primitive import composition
from ..engine.primitives import elementwise as smooth
from ..engine.primitives import piecewise
from ..engine.primitives.elementwise import *  # noqa: F403  # this room offers all of them
from ..engine.primitives.piecewise import *  # noqa: F403  # and these
from ..engine.tensor import Data, Tensor, as_tensor, wrap


@composition(np.copy)
def copy(x: Data) -> Tensor:
    """Return a new Tensor with the same values, connected to this one."""
    x = as_tensor(x)
    return wrap(x.numpy(), None) if x.dtype.kind == "b" else smooth.positive(x)


@composition(np.clip)
def clip(x: Data, min: Any = None, max: Any = None) -> Tensor:
    """Limit values to [min, max]; the gradient on the limits is 1, outside 0."""
    if isinstance(min, (int, float, type(None))) and isinstance(max, (int, float, type(None))):
        return piecewise.clip_between(x, lower=min, upper=max)
    limited = as_tensor(x)
    if min is not None:
        limited = piecewise.where(limited.data >= np.asarray(min), limited, min)
    if max is not None:
        limited = piecewise.where(limited.data <= np.asarray(max), limited, max)
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
