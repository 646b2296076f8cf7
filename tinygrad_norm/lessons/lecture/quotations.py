"""What the notes say, by the name of the claim it becomes; nothing here is computed.

Beside the tables this is the other place where numbers of the notes are typed: the ones that they claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SAYS: Mapping[str, str] = MappingProxyType(
    {
        "stability": "improved training stability: fewer extreme values, so gradients explode or vanish less",
        "convergence": "faster convergence: the gradients have more consistent magnitudes",
        "covariate_shift": "mitigating internal covariate shift: layer inputs change less during training",
        "regularization": "regularization effect: batch norm adds noise through the mini-batches",
        "first_value": "(7 − μ₁)/σ₁ = 0.36",
        "second_value": "(5 − μ₂)/σ₂ = −0.21",
        "scale_index": "(5 − μ₂)/σ₂ is then scaled as −0.21 γ₁ + β₂",
        "third_value": "(4 − μ₃)/σ₃ = 0.12",
        "identity_scale": "0.12 γ₃ + β₃ = 5",
        "second_row_value": "(2 − μ₁)/σ₁ = 0.71",
        "pad_stays_zero": "self-attention leaves a pad's row at 0 0 0",
        "outputs_are_given": "the embeddings go through self-attention, and Hi comes out as 6.5 …",
        "statistics_not_true": "after padding, mean and std are not true",
        "cannot_use": "we can not use batch norm",
        "row_value": "layer norm, first row: (7 − μ₁)/σ₁ = 0.3",
        "row_statistics": "layer norm, first row: ((5 − μ₁)/σ₁) γ₂ + β₂",
        "direction": "batch norm affects other embeddings, because we calculate horizontally",
        "one_token_two_means": "last page: (6.5 − μ₁)/σ₁, then (2.4 − μ₂)/σ₂",
        "pad_row": "pad: ((0 − μ₃)/σ₃) γ₃ + β₃ = 0",
        "zeros_do_not_affect": "in layer norm, zero doesn't affect other embedding values",
    }
)
"""Every line of the notes that the lecture judges."""

CLAIMED: Mapping[str, str] = MappingProxyType(
    {
        "first_value": "0.36",
        "second_value": "-0.21",
        "third_value": "0.12",
        "second_row_value": "0.71",
        "row_value": "0.3",
    }
)
"""The results of ``(x − μ)/σ`` that the notes give, with as many digits."""

CLAIMED_OUTPUT = 5
"""What the notes say the third value becomes after γ₃ and β₃."""
