from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tinygrad_norm.lessons.labs import noise_law
from tinygrad_norm.lessons.labs.noise_law import Noise, Population, law, measure, populations

COIN = Population("coin", np.array([-1.0, 1.0]))


def test_moments_of_known_populations() -> None:
    normal, flat, peaked, own = populations(np.array([0.0, 0.0, 3.0]), np.random.default_rng(0))
    assert (normal.kurtosis, flat.kurtosis, peaked.kurtosis) == pytest.approx((3, 1.8, 6), rel=0.05)
    assert abs(normal.skewness) < 0.03
    assert own.skewness == pytest.approx(1 / np.sqrt(2))
    assert (COIN.kurtosis, COIN.skewness) == (1, 0)


def test_the_law_of_a_coin_has_no_part_of_the_deviation() -> None:
    assert law(1.0, 10, COIN.skewness, COIN.kurtosis) == 0.1
    assert law(-2.0, 10, 0.5, 3.0) == pytest.approx((1 - 1 + 2) / 10)


def skewed(rng: np.random.Generator) -> Population:
    return Population("exponential", rng.exponential(size=50_000))


@pytest.mark.parametrize("place", [-0.8, 0.0, 1.5])
def test_the_measured_variance_follows_the_law(place: float) -> None:
    rng = np.random.default_rng(0)
    for population in (*populations(np.array([0.0, 1.0]), rng, 50_000)[:3], skewed(rng)):
        noise = measure(population, place, 512, 2500, rng)
        # 2,500 draws know a variance to 3%; the terms left out are about (κ + x̂²)/B: 2%.
        assert noise.measured == pytest.approx(noise.by_law, rel=0.12)


def test_without_the_skewness_the_law_fails() -> None:
    rng = np.random.default_rng(1)
    population = skewed(rng)
    noise = measure(population, -0.8, 512, 2500, rng)
    assert abs(noise.measured / law(-0.8, 512, 0.0, population.kurtosis) - 1) > 0.4


def test_the_variance_falls_as_the_batch_grows() -> None:
    rng = np.random.default_rng(2)
    population = populations(np.array([0.0, 1.0]), rng, 50_000)[0]
    small, large = (measure(population, 0.0, size, 3000, rng).measured for size in (32, 128))
    assert small / large == pytest.approx(4, rel=0.15)


def test_a_planted_norm_with_half_the_noise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(x: np.ndarray, **options: object) -> object:
        return real(x, **options) * 0.7

    real: Callable[..., object] = noise_law.F.batch_norm
    monkeypatch.setattr(noise_law.F, "batch_norm", planted)
    rng = np.random.default_rng(0)
    noise = measure(populations(np.array([0.0, 1.0]), rng, 50_000)[0], 1.0, 256, 2500, rng)
    assert noise.measured / noise.by_law < 0.6


def test_the_value_is_the_nearest_of_the_population() -> None:
    noise = measure(COIN, 0.7, 64, 10, np.random.default_rng(0))
    assert noise.standardized == 1.0
    assert isinstance(replace(noise, size=1), Noise)
