"""The arguments that the exercises are graded with: the lecture's tables and random ones."""

from __future__ import annotations

import numpy as np

from ..lecture.notes import DEFAULT_VARIANT, FEATURES, OUTPUTS, PAD, find_variant
from .answers import Floats

LECTURE = "the lecture's table"
PADDED = "the padded table"
RANDOM = "random data"


def outputs_table() -> Floats:
    """Return the 5×3 table z ``(row, neuron)``."""
    return np.array(OUTPUTS, dtype=np.float64)


def features_table() -> Floats:
    """Return the 5×2 table f ``(row, feature)`` that z is said to come from."""
    return np.array(FEATURES, dtype=np.float64)


def padded_table() -> Floats:
    """Return the attention outputs of the padded batch ``(position, feature)``, 8×3, pads being rows of zeros."""
    return np.array([token.output for token in find_variant(DEFAULT_VARIANT).tokens])


def real_positions() -> np.ndarray:
    """Return for each position of the padded batch whether it is a word ``(position,)``."""
    return np.array(find_variant(DEFAULT_VARIANT).real)


def embeddings() -> list[tuple[Floats, np.ndarray]]:
    """Return embeddings ``(position, feature)`` and real positions of each sentence of the padded batch."""
    return [
        (np.array([t.embedding for t in sentence]), np.array([t.word != PAD for t in sentence]))
        for sentence in find_variant(DEFAULT_VARIANT).sentences
    ]


def spread(generator: np.random.Generator, *shape: int) -> Floats:
    """Return a random table whose columns differ in mean and scale, so that no statistic looks like another."""
    table = generator.standard_normal(shape)
    scale, offset = generator.uniform(0.5, 3.0, shape[-1]), generator.uniform(-4.0, 4.0, shape[-1])
    return np.asarray(scale * table + offset)


def factors(generator: np.random.Generator, count: int) -> Floats:
    """Return random weights of both signs, none near 0 or 1."""
    return np.asarray(generator.choice([-1.0, 1.0], count) * generator.uniform(1.5, 3.0, count))
