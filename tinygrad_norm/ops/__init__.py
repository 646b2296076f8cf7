"""The operations, by NumPy chapter: primitives with their derivatives, and what is composed of them."""

import sys

from ..engine.primitives import elementwise, erf, indexing, linalg, reduction, shape
from . import constants, creation, layout, more_elementwise, picking, products, statistics

__all__ = [
    "constants",
    "creation",
    "elementwise",
    "erf",
    "indexing",
    "layout",
    "linalg",
    "more_elementwise",
    "picking",
    "products",
    "reduction",
    "shape",
    "statistics",
]

# The primitives stand in the engine and can be imported from here too, as ``tinygrad_norm.ops.elementwise``.
for _chapter in (elementwise, erf, indexing, linalg, reduction, shape):
    sys.modules[f"{__name__}.{_chapter.__name__.rpartition('.')[2]}"] = _chapter
