"""The operations, by NumPy chapter: those of the engine, further primitives, and what is composed of them."""

import sys

from ..engine.primitives import indexing, reduction
from . import (
    constants,
    creation,
    decompositions,
    elementwise,
    erf,
    fft,
    layout,
    linalg,
    matrices,
    picking,
    products,
    sampled,
    shape,
    statistics,
)

__all__ = [
    "constants",
    "creation",
    "decompositions",
    "elementwise",
    "erf",
    "fft",
    "indexing",
    "layout",
    "linalg",
    "matrices",
    "picking",
    "products",
    "reduction",
    "sampled",
    "shape",
    "statistics",
]

# These chapters stand in the engine alone and can be imported from here too, as ``tinygrad_norm.ops.reduction``.
for _chapter in (indexing, reduction):
    sys.modules[f"{__name__}.{_chapter.__name__.rpartition('.')[2]}"] = _chapter
