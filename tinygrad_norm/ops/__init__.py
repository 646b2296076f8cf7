"""The operations, by NumPy chapter: primitives with their derivatives, and what is composed of them."""

from . import constants, creation, elementwise, layout, more_elementwise, picking, products, reduction, statistics

__all__ = [
    "constants",
    "creation",
    "elementwise",
    "layout",
    "more_elementwise",
    "picking",
    "products",
    "reduction",
    "statistics",
]
