"""How much the company of a mini-batch moves a batch-normalized value: measured, and by a law.

A value x of a population with mean μ, deviation σ, skewness s and kurtosis κ has x̂ = (x − μ)/σ. In a random batch of B
it becomes (x − μ_B)/σ_B. To first order in 1/B, with Var μ_B = σ²/B, Var σ²_B = (κ − 1)σ⁴/B and Cov(μ_B, σ²_B) = sσ³/B,

    Var = (1 + s x̂ + x̂² (κ − 1)/4) / B.

For a symmetric population s = 0. Layer norm's value has no variance: it knows no company.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ... import functional as F
from ...engine.details.array import Array


@dataclass(frozen=True)
class Population:
    """A large set of numbers, and what the law needs of it.

    >>> coin = Population("coin", np.array([-1.0, 1.0]))
    >>> coin.skewness, coin.kurtosis
    (0.0, 1.0)
    """

    name: str
    numbers: Array

    @property
    def standardized(self) -> Array:
        """Its numbers with mean 0 and variance 1."""
        result: Array = (self.numbers - self.numbers.mean()) / self.numbers.std()
        return result

    @property
    def skewness(self) -> float:
        """Mean of x̂³; 0 if it is symmetric."""
        return float((self.standardized**3).mean())

    @property
    def kurtosis(self) -> float:
        """Mean of x̂⁴; 3 for a normal distribution, 1 for a coin."""
        return float((self.standardized**4).mean())


def law(standardized: float, size: int, skewness: float, kurtosis: float) -> float:
    """Return the variance of a batch-normalized value by the law above.

    >>> law(standardized=2.0, size=10, skewness=0.0, kurtosis=3.0)
    0.3
    """
    return (1 + skewness * standardized + standardized**2 * (kurtosis - 1) / 4) / size


@dataclass(frozen=True)
class Noise:
    """The variance of one value x̂ of a population in random batches of B = `size`, measured and by the law."""

    population: Population
    standardized: float
    size: int
    measured: float
    by_law: float


def measure(population: Population, standardized: float, size: int, draws: int, rng: np.random.Generator) -> Noise:
    """Put one value into random batches and normalize it there, with the engine's batch norm.

    The value is the population's nearest to x̂ = `standardized`. A batch is the value and `size` − 1 others, drawn with
    replacement; each batch is a column, so that one call normalizes thousands.
    """
    whole = population.standardized
    value = float(whole[np.abs(whole - standardized).argmin()])
    found = []
    for start in range(0, draws, CHUNK):
        columns = min(CHUNK, draws - start)
        batches = rng.choice(whole, (size, columns))
        batches[0] = value
        found.append(F.batch_norm(batches, training=True, eps=0.0)[0].numpy())
    variance = float(np.concatenate(found).var())
    return Noise(population, value, size, variance, law(value, size, population.skewness, population.kurtosis))


CHUNK = 2000
"""Batches in one call: few enough for their numbers to stay in the cache."""


def populations(hidden: Array, rng: np.random.Generator, size: int = 100_000) -> tuple[Population, ...]:
    """Return a normal, a flat and a peaked population (kurtosis 3, 1.8 and 6), and the given hidden unit's values."""
    return (
        Population("normal", rng.standard_normal(size)),
        Population("uniform", rng.uniform(-1, 1, size)),
        Population("Laplace", rng.laplace(size=size)),
        Population("hidden unit", hidden),
    )
