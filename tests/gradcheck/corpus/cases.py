"""All cases: right functions to accept and planted mistakes to reject, with every seed."""

from __future__ import annotations

from collections.abc import Mapping

from . import algebra, classroom, elementwise, layers, reject_layers, reject_simple, sequences
from .accept import CORRECT
from .case import Case, Maker


def planted(*tables: Mapping[tuple[str, str], Maker]) -> tuple[Case, ...]:
    """Return the cases of tables from (what is wrong, its code) to a maker."""
    return tuple(Case(name, make, code) for table in tables for (name, code), make in table.items())


FAMILIES = (*elementwise.FAMILIES, *layers.FAMILIES, *sequences.FAMILIES, *algebra.FAMILIES, *classroom.FAMILIES)
LAYER_NORM = planted(reject_layers.LAYER_NORM)

ACCEPT = (
    *(Case(name, make) for name, make in CORRECT.items()),
    *(case for family in FAMILIES for case in family.right()),
)
REJECT = (
    *planted(reject_simple.ELEMENTWISE, reject_simple.REDUCTIONS, reject_simple.PLACES, reject_layers.PRODUCTS),
    *LAYER_NORM,
    *planted(reject_layers.MORE_NORMS, reject_layers.COUPLED, reject_simple.HYGIENE),
    *(case for family in FAMILIES for case in family.wrong()),
    *planted(algebra.UNFIT),
)

#: Right functions whose program has another slope than the limit that their backward pass is about.
STOP_AT_A_TOLERANCE = ("Newton's root, in a loop", "fixed point to 1e-6")

#: Cases about which the check may say that it cannot tell, or that nothing is seen, and why that is true of them.
UNDECIDABLE = {
    "sigmoid, at 35": "the values are 1 up to rounding",
    "tanh, at 18": "the values are 1 up to rounding",
    "exp at −700": "the values are below 1e-300",
    "softmax at temperature ½, large logits": "every row is 0 and 1 up to rounding",
    "attention of large scores": "some weights are 1 up to rounding",
    "log(1 − tanh²), at 13": "1 − tanh² is a few units in the last place",
    "log(1 + eˣ) written out, at −30": "1 + eˣ is rounded to a few units in the last place",
    "float16 inside": "the values lie on the grid of float16",
    "rounded to 1e-3": "the values lie on a grid of 1e-3",
    "rounded to 1e-8": "the values lie on a grid of 1e-8",
    "cancellation to one digit": "the values lie on a grid of 1/8",
    "(1 − cos x)/x² near 0": "rounding is larger than the movement",
    "solution, σ down to 1e-10": "the solution is known to six digits",
    "inverse, σ down to 1e-12": "the inverse is known to four digits",
    "Newton's root, in a loop": "the loop stops at 1e-9, and so the function jumps by as much",
    "fixed point to 1e-6": "the loop stops at 1e-6, and so the function jumps by as much",
    "rounding, straight through": "the values are whole numbers: a slope of 1 rounded to them, or of 0 with jumps",
}
