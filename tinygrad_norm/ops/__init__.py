"""The operations, by NumPy chapter: those of the engine, further primitives, and what is composed of them."""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from ..engine.primitive import LATE
from ..engine.primitives import indexing
from . import (
    constants,
    creation,
    elementwise,
    erf,
    layout,
    linalg,
    picking,
    products,
    reduction,
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

# This chapter stands in the engine alone and can be imported from here too.
sys.modules[f"{__name__}.indexing"] = indexing

LATE += [f"{__name__}.{chapter}" for chapter in ("decompositions", "fft", "matrices", "sampled")]

if TYPE_CHECKING:
    from . import decompositions, fft, matrices, sampled
else:

    def __getattr__(name: str) -> ModuleType:
        if name in __all__:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
