"""All planted mistakes. Every one must be rejected, with every seed, and none may get a wrong name."""

from __future__ import annotations

from collections.abc import Mapping

from . import reject_layers
from .case import Case, Maker
from .reject_layers import COUPLED, MORE_NORMS, PRODUCTS
from .reject_simple import ELEMENTWISE, HYGIENE, PLACES, REDUCTIONS


def planted(*tables: Mapping[tuple[str, str], Maker]) -> tuple[Case, ...]:
    """Return the cases of tables from (what is wrong, its code) to a maker."""
    return tuple(Case(name, make, code) for table in tables for (name, code), make in table.items())


LAYER_NORM = planted(reject_layers.LAYER_NORM)
REJECT = (
    *planted(ELEMENTWISE, REDUCTIONS, PLACES, PRODUCTS),
    *LAYER_NORM,
    *planted(MORE_NORMS, COUPLED, HYGIENE),
)
