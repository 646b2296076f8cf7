"""The operations, by NumPy chapter: primitives with their derivatives, and what is composed of them."""

import sys

from ..engine.primitives import erf, indexing, linalg, reduction, shape
from . import constants, creation, elementwise, layout, picking, products, statistics

__all__ = [
    "constants",
    "creation",
    "elementwise",
    "erf",
    "indexing",
    "layout",
    "linalg",
    "picking",
    "products",
    "reduction",
    "shape",
    "statistics",
]

# The primitives stand in the engine and can be imported from here too, as ``tinygrad_norm.ops.reduction``.
for _chapter in (erf, indexing, linalg, reduction, shape):
    sys.modules[f"{__name__}.{_chapter.__name__.rpartition('.')[2]}"] = _chapter
