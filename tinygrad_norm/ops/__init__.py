"""The operations, by NumPy chapter: primitives with their derivatives, and what is composed of them."""

from . import compositions, constants, elementwise, indexing, linalg, reduction, shape

__all__ = ["compositions", "constants", "elementwise", "indexing", "linalg", "reduction", "shape"]
