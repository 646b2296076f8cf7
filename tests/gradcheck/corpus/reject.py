"""All planted mistakes. Every one must be rejected, with every seed, and none may get a wrong name."""

from __future__ import annotations

from .reject_layers import COUPLED, LAYER_NORM, MORE_NORMS, PRODUCTS
from .reject_simple import ELEMENTWISE, HYGIENE, PLACES, REDUCTIONS

REJECT = (*ELEMENTWISE, *REDUCTIONS, *PLACES, *PRODUCTS, *LAYER_NORM, *MORE_NORMS, *COUPLED, *HYGIENE)
