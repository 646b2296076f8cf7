"""The arguments that answers are tried with: the lecture's tables and random ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..lecture.notes import DEFAULT_VARIANT, FEATURES, OUTPUTS, find_variant

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

LECTURE = "the lecture's table"
PADDED = "the padded table"
RANDOM = "random data"


@dataclass(frozen=True)
class Case:
    """One set of arguments, and what the verdict calls it."""

    name: str
    arguments: tuple[Any, ...]


Cases: TypeAlias = Callable[[np.random.Generator], Sequence[Case]]
"""Gives the arguments to try: sizes that differ tell mistakes apart best."""


def outputs_table() -> Floats:
    """Return the 5×3 table z ``(row, neuron)``."""
    return np.array(OUTPUTS, dtype=np.float64)


def features_table() -> Floats:
    """Return the 5×2 table f ``(row, feature)`` that z is said to come from."""
    return np.array(FEATURES, dtype=np.float64)


def padded_table() -> Floats:
    """Return the attention outputs of the padded batch ``(position, feature)``, 8×3, pads being rows of zeros."""
    return np.array([token.output for token in find_variant(DEFAULT_VARIANT).tokens])


def real_positions() -> Mask:
    """Return for each position of the padded batch whether it is a word ``(position,)``."""
    return np.array(find_variant(DEFAULT_VARIANT).real)


def embeddings() -> list[tuple[Floats, Mask]]:
    """Return embeddings ``(position, feature)`` and real positions of each sentence of the padded batch."""
    return [
        (np.array([t.embedding for t in sentence]), np.array([not t.is_pad for t in sentence]))
        for sentence in find_variant(DEFAULT_VARIANT).sentences
    ]


def random_table(generator: np.random.Generator, *shape: int) -> Floats:
    """Return a random table whose columns differ in mean and scale, so that no statistic looks like another."""
    table = generator.standard_normal(shape)
    scale, offset = generator.uniform(0.5, 3.0, shape[-1]), generator.uniform(-4.0, 4.0, shape[-1])
    return np.asarray(scale * table + offset)


def gamma_and_beta(generator: np.random.Generator, features: int) -> tuple[Floats, Floats]:
    """Return random weights of both signs, none near 0 or 1."""
    gamma, beta = (
        generator.choice([-1.0, 1.0], features) * generator.uniform(1.5, 3.0, features) for _ in ("gamma", "beta")
    )
    return gamma, beta


def random_and_lecture(generator: np.random.Generator) -> Sequence[Case]:
    """Return a random table, then the lecture's."""
    return Case(RANDOM, (random_table(generator, 5, 7),)), Case(LECTURE, (outputs_table(),))
