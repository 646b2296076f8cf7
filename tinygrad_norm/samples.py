"""Where an operation is tested: the shapes, the kinds of numbers, the parameters.

``sample((3, 5), (5,), domain="positive", axis=0)`` is one such point; ``usual_samples(2)`` are those
of functions of two arrays that work entry by entry. A domain keeps away from where a derivative jumps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .errors import InputError

if TYPE_CHECKING:
    from .engine.details.array import Array, Shape

DOMAINS: dict[str, Callable[[np.random.Generator, Shape], Array]] = {
    "any": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2.5, shape),
    "above one": lambda rng, shape: rng.uniform(1.4, 3.0, shape),
    # Away from the halves, where rounding jumps.
    "third": lambda rng, shape: rng.integers(-3, 4, shape) + rng.uniform(-0.3, 0.3, shape),
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
    "regular": lambda rng, shape: regular(rng, shape),
}


def regular(rng: np.random.Generator, shape: Shape) -> Array:
    """Return matrices of full rank; the symmetric ones of their lower triangles are positive definite."""
    noise = 0.3 * rng.standard_normal(shape)
    return noise + np.eye(shape[-2], shape[-1]) * np.arange(2, 2 + shape[-1]) if len(shape) > 1 else noise + 2


class Sample(NamedTuple):
    """One point at which a primitive is tested: input shapes, their domains, the parameters."""

    shapes: tuple[Shape, ...]
    domains: tuple[str, ...]
    params: Mapping[str, Any]

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


def samples_at(cases: str, domain: str | tuple[str, ...] = "any", **params: Any) -> tuple[Sample, ...]:
    """Return samples that differ only in their shapes: ``"3x5 5x2, 5 5, ()"`` has two inputs in the first two cases.

    >>> [point.shapes for point in samples_at("3x5 5x2, ()")]
    [((3, 5), (5, 2)), ((),)]
    """
    found = []
    for case in cases.split(","):
        shapes = [() if text == "()" else tuple(map(int, text.split("x"))) for text in case.split()]
        found.append(sample(*shapes, domain=domain, **params))
    return tuple(found)


USUAL = {
    1: "(), 1, 3x5, 2x3x1, 0x4",
    2: "() (), 3x5 3x5, 3x5 5, 3x1 1x5, () 2x3, 2x1x3 7x1, 0x4 4",
    3: "() () (), 3x5 3x5 (), 5 3x1 3x5, 0x4 4 0x4",
}
"""The usual shapes of functions of one, two and three arrays: 0-d, size one, a matrix, broadcast, empty."""


@cache
def usual_samples(inputs: int, domain: str | tuple[str, ...] = "any") -> tuple[Sample, ...]:
    """Return the usual samples of a function that works entry by entry on so many arrays."""
    return samples_at(USUAL[inputs], domain) if inputs in USUAL else ()
