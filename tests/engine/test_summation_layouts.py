"""Sums are as exact in every layout of memory: against ``math.fsum``, over axes and dtypes.

The bound is 2 ulp times √(1 + log₂ n) of the sum of |x|. A sum in float64 that is rounded once keeps it with proof. A
pairwise sum adds a few dozen roundings of either sign to it at the most, so that it keeps the bound all but surely; a
sum in order breaks it from a few thousand float32 on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.engine.details.summation import average, total


def layouts(x: np.ndarray) -> dict[str, np.ndarray]:
    """The same numbers, laid out in memory in every way that users meet."""
    wide = np.repeat(x, 2, axis=-1) if x.ndim else x
    axes = tuple(reversed(range(x.ndim)))
    return {
        "C": np.ascontiguousarray(x),
        "Fortran": np.asfortranarray(x),
        "transposed": np.ascontiguousarray(x.transpose(axes)).transpose(axes),
        "reversed": np.ascontiguousarray(x[..., ::-1])[..., ::-1] if x.ndim else x,
        "every second": wide[..., ::2] if x.ndim else x,
        "middle first": np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0) if x.ndim else x,
    }


def bound(values: np.ndarray, dtype: Any) -> float:
    return 2 * float(np.finfo(dtype).eps) * math.sqrt(1 + math.log2(max(len(values), 1))) * math.fsum(abs(values))


@given(
    shape=st.lists(st.sampled_from([1, 3, 70, 1500]), min_size=1, max_size=3)
    .map(tuple)
    .filter(lambda s: np.prod(s) < 5e5),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    offset=st.sampled_from([0.0, 1.0]),
    data=st.data(),
)
def test_sums_and_means_of_every_layout(shape: tuple[int, ...], dtype: Any, offset: float, data: st.DataObject) -> None:
    axis = data.draw(st.none() | st.integers(0, len(shape) - 1) | st.just(tuple(range(len(shape)))))
    x = (np.random.default_rng(len(shape)).normal(offset, 0.3, shape) / 64).astype(dtype)
    axes = tuple(range(len(shape))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    rows = np.moveaxis(x, axes, range(-len(axes), 0)).reshape(-1, math.prod(shape[a] for a in axes)).astype(np.float64)
    for name, laid in layouts(x).items():
        sums, means = np.ravel(total(laid, axis)), np.ravel(average(laid, axis))
        for row, found, mean in zip(rows[:20], sums[:20], means[:20], strict=True):
            exact, allowed = math.fsum(row), bound(row, dtype)
            assert abs(float(found) - exact) <= allowed, name
            assert abs(float(mean) - exact / len(row)) <= allowed / len(row) + np.finfo(dtype).smallest_subnormal, name


@pytest.mark.parametrize("order", ["C", "F"])
def test_what_rests_on_sums_keeps_its_digits_in_every_layout(order: Any) -> None:
    """A tenth, a million times: NumPy's own sum of the transposed rows is off by a hundredth."""
    x = np.full((2, 1_000_000), 0.1, np.float32, order=order)
    x[1] += 1
    exact = x.astype(np.float64)
    t = tg.Tensor(x)
    close = {"rtol": 2 * np.finfo(np.float32).eps * math.sqrt(1 + math.log2(1_000_000))}
    np.testing.assert_allclose(t.sum(axis=1).data, exact.sum(axis=1), **close)
    np.testing.assert_allclose(t.mean(axis=1).data, exact.mean(axis=1), **close)
    np.testing.assert_allclose(np.linalg.norm(t, axis=1).data, np.linalg.norm(exact, axis=1), **close)
    np.testing.assert_allclose(F.softmax(t, axis=1).data, 1e-6, **close)
    noisy = np.asarray(np.random.default_rng(0).normal(10.0, 1.0, (2, 100_000)), np.float32, order=order)
    wide = noisy.astype(np.float64)
    np.testing.assert_allclose(np.var(tg.Tensor(noisy), axis=1).data, wide.var(axis=1), rtol=1e-6)
    normal = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(F.layer_norm(tg.Tensor(noisy), 100_000).data, normal, atol=3e-6)


def test_a_count_never_passes_through_float16() -> None:
    x = tg.Tensor(np.full(100_000, 0.5, np.float16), requires_grad=True)
    x.mean().backward(np.float16(1.0) * np.ones(()))
    assert x.grad is not None
    assert x.grad.dtype == np.float16
    np.testing.assert_allclose(x.grad.data, 1e-5, rtol=0.01)
