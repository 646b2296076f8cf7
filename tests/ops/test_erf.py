"""erf against Python's own, everywhere: a few units in the last place, odd, monotone, exact at the ends."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.ops.erf import erf_values


def reference(x: np.ndarray) -> np.ndarray:
    return np.array([math.erf(v) for v in x.tolist()])


AROUND_THE_CUTS = [cut + np.linspace(-1e-12, 1e-12, 101) for cut in (0.46875, 4.0, 6.0)]
GRID = np.concatenate([np.linspace(-7, 7, 40_001), np.geomspace(1e-300, 10, 20_000), *AROUND_THE_CUTS])


def test_within_a_few_units_in_the_last_place() -> None:
    expected = reference(GRID)
    ulps = np.abs(erf_values(GRID) - expected) / np.spacing(np.abs(expected))
    assert ulps.max() <= 6


def test_symmetric_and_monotone() -> None:
    x = np.sort(np.abs(GRID))
    y = erf_values(x)
    assert np.array_equal(erf_values(-x), -y)
    # Neighbors may be misordered by their rounding, no more.
    assert np.all(np.diff(y) >= -4 * np.spacing(1.0))


@pytest.mark.parametrize(
    ("x", "y"),
    [(0.0, 0.0), (-0.0, -0.0), (np.inf, 1.0), (-np.inf, -1.0), (1e300, 1.0), (-1e300, -1.0), (5e-324, 5e-324)],
)
def test_ends(x: float, y: float) -> None:
    assert erf_values(np.array(x)) == y
    assert np.signbit(erf_values(np.array(x))) == np.signbit(y)


def test_not_a_number_stays_one() -> None:
    assert np.isnan(erf_values(np.array([np.nan, 1.0]))).tolist() == [True, False]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64])
def test_other_dtypes(dtype: type) -> None:
    x = np.arange(-3, 4).astype(dtype)
    y = erf_values(x)
    assert y.dtype == (dtype if dtype is not np.int64 else np.float64)
    np.testing.assert_allclose(y, reference(x.astype(float)), rtol=2 * float(np.finfo(y.dtype).eps))


def test_scalars_and_empty() -> None:
    assert tg.erf(0.5).shape == ()
    assert tg.erf(np.zeros((0, 3))).shape == (0, 3)
