"""Operations that work entry by entry and are put together from pieces: rounding, limits, choices.

Where a function has no derivative, at a kink or a jump, the note says which value stands in for it; all follow PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...samples import samples_at
from ..details.array import PLAIN, Array
from ..primitive import elementwise, primitive

absolute = elementwise(
    np.absolute,
    vjp=lambda g, x: (g * np.sign(x),),
    symbol="|x|",
    formula="|x|",
    rule=("ḡ · sign x",),
    domain="nonzero",
    note="The derivative at 0 is 0.",
)
sign = elementwise(
    np.sign,
    vjp=lambda g: (np.zeros_like(g),),
    formula="sign x",
    rule=("0",),
    domain="nonzero",
    note="Piecewise constant: the derivative is 0 everywhere.",
)


def _relu(x: Array, /) -> Array:
    result: Array = np.maximum(x, 0)
    return result


def _masked(x: Any, mask: Any, /) -> Any:
    # A product takes a seventh of the time of np.where, and by numbers half of that by booleans.
    factor = mask.astype(x.dtype)
    try:
        with np.errstate(invalid="raise"):
            factor *= x
            return factor
    except FloatingPointError:  # 0 · ∞
        return np.where(mask, x, 0)


masked = primitive(
    _masked,
    vjp=(lambda g, mask: kept(g, mask), None),
    formula="x where the mask holds, else 0",
    rule=("ḡ where the mask holds", ""),
    samples=[*samples_at("() (), 3x5 3x5, 0x4 0x4", ("any", "boolean"))],
)


def kept(g: Any, mask: Any) -> Any:
    """Return ḡ where the mask holds and 0 elsewhere."""
    return _masked(g, mask) if isinstance(g, PLAIN) else masked(g, mask)


relu = elementwise(
    # The result is 0 where the derivative is; where it is NaN the cotangent passes.
    _relu,
    vjp=lambda g, out: (kept(g, out != 0),),
    formula="max(x, 0)",
    rule=("ḡ · [x > 0]",),
    domain="nonzero",
    note="The derivative at 0 is 0.",
)


def _where(condition: Array, x: Array, y: Array, /) -> Array:
    return np.where(condition, x, y)


where = elementwise(
    _where,
    numpy=(np.where,),
    vjp=(None, lambda g, condition: np.where(condition, g, 0), lambda g, condition: np.where(condition, 0, g)),
    formula="condition ? x : y",
    rule=("", "ḡ where condition", "ḡ where not condition"),
    domain=("boolean", "any", "any"),
)
