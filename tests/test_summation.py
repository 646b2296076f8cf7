"""Every kernel of ``total`` gives NumPy's sums, for every layout, and refuses the axes NumPy refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_norm.summation import LARGE, kept_shape, layout, reduced_axes, reduced_count, removed_shape, total

SHAPES = [(), (3,), (0, 4), (130, 140), (20_000, 1), (1, 20_000), (70, 16, 17), (17, 16, 70), (2, 3, 4, 1000), (200, 64)]


def every_axis(ndim: int) -> list[Any]:
    return [None, *range(-ndim, ndim), *[(a,) for a in range(ndim)], *[(a, b) for a in range(ndim) for b in range(ndim) if a != b]]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64])
def test_total_is_the_sum(shape: Any, dtype: Any, rng: np.random.Generator) -> None:
    x = rng.integers(-8, 9, shape).astype(dtype)  # whole numbers: every order of summing gives the same
    for axis in every_axis(len(shape)):
        for keepdims in (False, True):
            for view in (x, np.asfortranarray(x), x[::-1] if shape else x):
                mine, numpys = total(view, axis, keepdims), np.add.reduce(view, axis, keepdims=keepdims)
                assert mine.shape == numpys.shape
                assert mine.dtype == numpys.dtype
                assert np.array_equal(mine, numpys)


def test_every_kernel_is_reached() -> None:
    assert LARGE <= 130 * 140
    assert layout((130, 140), -1) == "rows"
    assert layout((130, 140), 0) == "columns"
    assert layout((130, 140), None) == "else"
    assert layout((2, 20_000), 1) == "else"
    assert layout((70, 16, 17), (0, 2)) == "else"
    assert layout((3, 5), 0) == "else"


@pytest.mark.parametrize("shape", [(3, 5), (300, 500)])
@pytest.mark.parametrize("axis", [2, -3, (0, 2), (0, 0), (0, -2)])
def test_axes_that_numpy_refuses(shape: Any, axis: Any) -> None:
    for reduce in (total, np.add.reduce):
        with pytest.raises(ValueError, match=r"axis"):
            reduce(np.ones(shape), axis)


def test_shapes_and_counts() -> None:
    assert reduced_axes((2, 3, 5), (-1, 0)) == (0, 2)
    assert kept_shape((2, 3, 5), (-1, 0)) == (1, 3, 1)
    assert removed_shape((2, 3, 5), (-1, 0)) == (3,)
    assert reduced_count((2, 3, 5), (-1, 0)) == 10
    assert reduced_axes((), 0) == ()


def test_infinities_and_nans_pass_through() -> None:
    x = np.ones((300, 100))
    x[5, 3], x[7, 4] = np.inf, np.nan
    sums = total(x, 0)
    assert sums[3] == np.inf
    assert np.isnan(sums[4])
    assert np.count_nonzero(np.isfinite(sums)) == 98
