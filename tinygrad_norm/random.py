"""The package's random numbers: one generator a thread or task, seeded by ``manual_seed``."""

from __future__ import annotations

from contextvars import ContextVar

import numpy as np

_GENERATOR: ContextVar[np.random.Generator | None] = ContextVar("generator", default=None)


def manual_seed(seed: int) -> np.random.Generator:
    """Seed the generator that initialization and dropout draw from, and return it.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.manual_seed(0).integers(10) == tg.manual_seed(0).integers(10)
    np.True_
    """
    generator = np.random.default_rng(seed)
    _GENERATOR.set(generator)
    return generator


def generator() -> np.random.Generator:
    """Return the current generator; without ``manual_seed`` it is seeded by the system."""
    current = _GENERATOR.get()
    if current is None:
        current = np.random.default_rng()
        _GENERATOR.set(current)
    return current
