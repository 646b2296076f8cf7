"""What the notes claim, judged: each claim with the truth, computed, and the reason it must be so."""

from __future__ import annotations

from types import MappingProxyType

from ...document.lesson import Claim, Judgment, Values
from ..notes import SAYS

NO_VALUES: Values = MappingProxyType({})


def claim_on(key: str, verdict: Judgment, truth: str, why: str, values: Values = NO_VALUES) -> Claim:
    """Return the claim that a line of the notes becomes, by its key in ``SAYS``."""
    return Claim(key, SAYS[key], verdict, truth, why, values)
