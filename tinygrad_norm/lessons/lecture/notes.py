"""What the handwritten notes give and what they claim; nothing in this file is computed.

``FEATURES`` and ``OUTPUTS`` are the 5×3 table of the batch-norm pages; ``REVIEWS`` the sentences; ``VARIANTS`` the
padded 8×3 tables, by the page they stand on; ``SAYS`` every line that the lecture judges. Numbers of the lecture are
typed only here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from ...errors import InputError
from ..document.lesson import PAD

FEATURE_NAMES = ("f₁", "f₂")
NEURON_NAMES = ("z₁", "z₂", "z₃")
DIMENSION_NAMES = ("x₁", "x₂", "x₃")

FEATURES = ((2, 3), (1, 1), (5, 4), (6, 1), (7, 1))
"""Inputs ``(row, feature)`` of the linear layer on the batch-norm page."""

OUTPUTS = ((7, 5, 4), (2, 3, 4), (1, 2, 3), (7, 5, 6), (3, 3, 4))
"""What the notes say that layer gives, ``(row, neuron)``."""

WORKED_ROWS = 2
"""How many rows of the layer the notes write out as equations."""

WORKED_WEIGHT = ((1, 0, 2), (2, 1, -1))
WORKED_BIAS = (-1, 2, 3)
"""A layer ``(feature, neuron)`` of small whole numbers that does give the rows written out."""

REVIEWS = (
    (("Hi", "Nitish"), 1),
    (("How", "are", "you", "today"), 0),
    (("I", "am", "good"), 0),
    (("You?",), 1),
)
"""The four reviews, word by word, and their sentiment."""

BATCH_SIZE = 2

STEP_7_BATCH = 32
STEP_7_LENGTH = 32
STEP_7_LONGEST = 100
"""Step 7: sentences in the batch, words in most of them, words in the longest."""


class Token(NamedTuple):
    """One position of the padded batch: the word, its embedding and its attention output."""

    word: str
    embedding: tuple[float, float, float]
    output: tuple[float, float, float]

    @property
    def is_pad(self) -> bool:
        """Whether it is none of the words."""
        return self.word == PAD


@dataclass(frozen=True)
class Variant:
    """The padded batch as one page of the notes writes it: two sentences of four positions, ``(sentence, position)``.

    The name is what ``--variant`` calls it, the page says where in the notes it stands.
    """

    name: str
    page: str
    sentences: tuple[tuple[Token, ...], ...]

    @property
    def tokens(self) -> tuple[Token, ...]:
        """All positions, one sentence after the other."""
        return tuple(token for sentence in self.sentences for token in sentence)

    @property
    def real(self) -> tuple[bool, ...]:
        """For each position, whether it is a word."""
        return tuple(not token.is_pad for token in self.tokens)

    @property
    def words(self) -> tuple[Token, ...]:
        """The positions without the pads."""
        return tuple(token for token in self.tokens if not token.is_pad)


_ZERO = (0.0, 0.0, 0.0)
_PAD = Token(PAD, _ZERO, _ZERO)


def _variant(name: str, page: str, changes: Mapping[str, Token]) -> Variant:
    words = {token.word: token for token in _FIRST} | dict(changes)
    hi, nitish, *second = (words[token.word] for token in _FIRST)
    return Variant(name, page, ((hi, nitish, _PAD, _PAD), tuple(second)))


_FIRST = (
    Token("Hi", (0.2, 0.45, 0.71), (6.5, 2.41, 3.21)),
    Token("Nitish", (0.4, 0.3, 0.8), (2.21, 0.4, 3.6)),
    Token("How", (0.3, 0.5, 0.34), (7.5, 9.2, 1.5)),
    Token("are", (0.1, 0.0, 0.25), (2.2, 1.1, 6.7)),
    Token("You", (0.33, 0.56, 0.9), (2.9, 6.0, 9.0)),
    Token("today", (0.11, 0.4, 0.54), (9.9, 2.3, 6.5)),
)
_ON_BATCH_NORM_PAGE = {
    "Nitish": Token("Nitish", (0.21, 0.3, 0.8), (2.21, 0.4, 3.6)),
    "How": Token("How", (0.1, 0.5, 0.34), (7.5, 9.2, 1.5)),
}
_ON_LAYER_NORM_PAGE = _ON_BATCH_NORM_PAGE | {
    "are": Token("are", (0.1, 0.0, 0.35), (2.2, 1.1, 6.7)),
}
_ON_LAST_PAGE = _ON_LAYER_NORM_PAGE | {
    "Hi": Token("Hi", (0.2, 0.45, 0.71), (6.5, 2.4, 2.2)),
    "Nitish": Token("Nitish", (0.21, 0.3, 0.8), (2.2, 0.4, 3.6)),
}

VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        variant.name: variant
        for variant in (
            _variant("attention-page", "the pages on padding and self-attention", {}),
            _variant("batch-norm-page", "the page on batch normalization", _ON_BATCH_NORM_PAGE),
            _variant("layer-norm-page", "the first page on layer norm", _ON_LAYER_NORM_PAGE),
            _variant("last-page", "the last page", _ON_LAST_PAGE),
        )
    }
)
"""The padded batch by name; the notes copy it four times and change a number or two each time."""

DEFAULT_VARIANT = "attention-page"


def find_variant(name: str) -> Variant:
    """Return the padded batch called `name`.

    InputError if the notes have no page of that name; the message lists the names.

    >>> find_variant("last-page").tokens[0].output
    (6.5, 2.4, 2.2)
    """
    try:
        return VARIANTS[name]
    except KeyError:
        known = ", ".join(VARIANTS)
        raise InputError(f"the variant must be a page of the notes; got {name!r}. Choose one of: {known}.") from None


SAYS: Mapping[str, str] = MappingProxyType(
    {
        "stability": "improved training stability: fewer extreme values, so gradients explode or vanish less",
        "convergence": "faster convergence: the gradients have more consistent magnitudes",
        "covariate_shift": "mitigating internal covariate shift: layer inputs change less during training",
        "regularization": "regularization effect: batch norm adds noise through the mini-batches",
        "first_value": "(7 − μ₁)/σ₁ = 0.36",
        "default_scale": "0.36 γ₁ + β₁ = 0.36, with the defaults (1, 0)",
        "second_value": "(5 − μ₂)/σ₂ = −0.21",
        "scale_index": "(5 − μ₂)/σ₂ is then scaled as −0.21 γ₁ + β₂",
        "third_value": "(4 − μ₃)/σ₃ = 0.12",
        "identity_scale": "0.12 γ₃ + β₃ = 5",
        "second_row_value": "(2 − μ₁)/σ₁ = 0.71",
        "pad_stays_zero": "self-attention leaves a pad's row at 0 0 0",
        "outputs_are_given": "the embeddings go through self-attention, and Hi comes out as 6.5 …",
        "self_attention": "batch normalization does not work well with self attention",
        "sequential_data": "batch normalization is not good with sequential data",
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
