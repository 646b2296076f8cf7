"""What a reader of the lecture may choose: the page of the notes, the divisor, the epsilon.

:class:`Settings` holds the choices, and normalizes by them: in floats with the engine, or exactly, as a closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...engine.tensor import Tensor
from ...errors import InputError
from . import exact_arithmetic as exact
from .norm_formula import Normalization, normalize
from .notes import DEFAULT_VARIANT, Variant, find_variant

DIVISORS = ("n", "n − 1")
"""What the sum of squares is divided by, for a sentence, by ``ddof``."""

DEFAULT_LAYER_EPS = 1e-5
"""Epsilon of layer norm over a table with pads, where without one a pad is 0/0."""


@dataclass(frozen=True)
class Settings:
    """The choices behind one run of the lecture.

    The variant names the padded table, a key of :data:`~tinygrad_norm.lessons.lecture.notes.VARIANTS`. The variance
    divides by ``n − ddof``: 0 is the population variance that normalization uses. ``eps`` is added to every variance;
    None is 0 wherever no pad row is normalized on its own, and 1e-5 in layer norm over the padded table.

    InputError if a choice is outside these.

    >>> Settings(ddof=1).divisor
    'n − 1'
    """

    variant: str = DEFAULT_VARIANT
    ddof: int = 0
    eps: float | None = None

    def __post_init__(self) -> None:
        find_variant(self.variant)
        if self.ddof not in (0, 1):
            raise InputError(
                f"ddof must be 0 (divide by n) or 1 (divide by n − 1); got {self.ddof}. Normalization layers use 0."
            )
        if self.eps is not None and not (math.isfinite(self.eps) and self.eps >= 0):
            raise InputError(
                f"eps must be a finite number of at least 0; got {self.eps:g}. It is added to the variance: try 1e-5."
            )

    @property
    def batch(self) -> Variant:
        """The padded table chosen."""
        return find_variant(self.variant)

    @property
    def table_eps(self) -> float:
        """Epsilon where every set of numbers has a spread of its own."""
        return self.eps if self.eps is not None else 0.0

    @property
    def layer_eps(self) -> float:
        """Epsilon of layer norm over a table with pads."""
        return self.eps if self.eps is not None else DEFAULT_LAYER_EPS

    @property
    def divisor(self) -> str:
        """What the sum of squares is divided by, for a sentence."""
        return DIVISORS[self.ddof]

    def normalize(self, x: Tensor, axis: int) -> Normalization:
        """Normalize a table in which every set of numbers has a spread of its own."""
        return normalize(x, axis, self.ddof, self.table_eps)

    def closed_form(self, numbers: Sequence[float]) -> exact.ClosedForm:
        """Return the same of one column or row, exactly."""
        return exact.normalized(exact.rationals(numbers), self.ddof, self.table_eps)
