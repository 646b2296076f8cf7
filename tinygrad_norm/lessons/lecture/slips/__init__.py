"""What the notes claim, judged: each claim with the truth, computed, and the reason it must be so."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ...document.lesson import Claim, Judgment
from ...document.numerals import Values
from ..notes import SAYS

QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "scale_index": "Whose γ scales the value of the second neuron?",
        "identity_scale": "What do γ = 1 and β = 0 do to a value?",
        "pad_stays_zero": "A pad asks with zeros, so all its scores are 0. What does softmax make of them?",
        "direction": "Which numbers share a mean in batch norm: those of a row, or those of a column?",
        "one_token_two_means": "Two numbers of one token: how many means does layer norm take from them?",
    }
)
"""What to ask before a slip is explained; the worked values ask for themselves."""

NO_VALUES: Values = MappingProxyType({})


def claim_on(key: str, verdict: Judgment, truth: str, why: str, values: Values = NO_VALUES) -> Claim:
    """Return the claim that a line of the notes becomes, by its key in ``SAYS``."""
    return Claim(key, SAYS[key], verdict, truth, why, values, QUESTIONS.get(key, ""))
