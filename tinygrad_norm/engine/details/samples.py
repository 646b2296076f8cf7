"""Where an operation is tested: the shapes, the kinds of numbers, the parameters.

``sample((3, 5), (5,), domain="positive", axis=0)`` is one such point; ``unary()`` and ``binary()`` are the usual ones
of functions that work entry by entry. A domain keeps away from where a derivative jumps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import InputError
from .array import Array, Shape

DOMAINS: dict[str, Callable[[np.random.Generator, Shape], Array]] = {
    "any": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2.5, shape),
    "unit": lambda rng, shape: rng.uniform(-0.9, 0.9, shape),
    # Away from a kink or a pole at zero, on both sides of it.
    "nonzero": lambda rng, shape: rng.choice([-1.0, 1.0], shape) * rng.uniform(0.4, 2.0, shape),
    # No two entries closer than 0.3, so that no step of a finite difference crosses a tie.
    "distinct": lambda rng, shape: rng.permutation(int(np.prod(shape))).reshape(shape) * 0.3 - 1.1,
    "boolean": lambda rng, shape: rng.random(shape) < 0.5,
    # Away from the integers.
    "fraction": lambda rng, shape: rng.integers(-3, 4, shape) + rng.uniform(0.2, 0.8, shape),
    "whole": lambda rng, shape: rng.choice([-2.0, -1.0, 1.0, 2.0], shape),
    # About one entry in three is zero: rows with none, one and several.
    "with zeros": lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) < 0.67),
    "zero": lambda rng, shape: np.zeros(shape),
}


@dataclass(frozen=True)
class Sample:
    """One point at which a primitive is tested: input shapes, their domains, the parameters."""

    shapes: tuple[Shape, ...]
    domains: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)

    def draw(self, rng: np.random.Generator) -> list[Array]:
        """Return input arrays for this sample."""
        return [np.asarray(DOMAINS[d](rng, s)) for s, d in zip(self.shapes, self.domains, strict=True)]


def sample(*shapes: Shape, domain: str | tuple[str, ...] = "any", **params: Any) -> Sample:
    """Return the sample with these input shapes; ``domain`` names :data:`DOMAINS`, one for all or one each."""
    domains = (domain,) * len(shapes) if isinstance(domain, str) else domain
    if len(domains) != len(shapes) or not DOMAINS.keys() >= set(domains):
        raise InputError(
            f"a sample must name a known domain for each of its {len(shapes)} input(s); got {', '.join(domains)}. "
            f"Choose from: {', '.join(DOMAINS)}."
        )
    return Sample(shapes, domains, params)


def unary(domain: str = "any") -> tuple[Sample, ...]:
    """Return the usual samples of a function of one array: 0-d, size one, a matrix, empty."""
    return tuple(sample(s, domain=domain) for s in [(), (1,), (3, 5), (2, 3, 1), (0, 4)])


def binary(x: str = "any", y: str = "any") -> tuple[Sample, ...]:
    """Return the usual samples of a broadcasting function of two arrays."""
    pairs = [
        ((), ()), ((3, 5), (3, 5)), ((3, 5), (5,)), ((3, 1), (1, 5)), ((), (2, 3)),
        ((2, 1, 3), (7, 1)), ((0, 4), (4,)),
    ]  # fmt: skip
    return tuple(sample(*pair, domain=(x, y)) for pair in pairs)
