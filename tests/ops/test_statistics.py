"""Variance, deviation and norms: exact to second order, in two passes, with PyTorch's slopes at zero."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_norm as tg


def leaf(values: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: tg.var(x, axis=0),
        lambda x: tg.var(x, axis=1, ddof=1),
        lambda x: tg.std(x, axis=0),
        lambda x: tg.std(x, ddof=1, keepdims=True),
        lambda x: tg.norm(x, axis=1),
        lambda x: tg.norm(x),
        lambda x: tg.norm(x, ord=1, axis=0),
        lambda x: tg.norm(x, ord=np.inf, axis=1),
        lambda x: tg.cumprod(x, axis=1),
        lambda x: tg.ptp(x, axis=0),
        lambda x: tg.diff(x, 2, axis=1),
    ],
)
def test_to_second_order(f: Any, check_to_second_order: Any, rng: np.random.Generator) -> None:
    check_to_second_order(f, [rng.permutation(20).reshape(4, 5) * 0.31 - 3.05])


@pytest.mark.parametrize(
    "f", [tg.std, tg.norm, lambda x: tg.std(x, ddof=1), lambda x: tg.norm(x, ord=2), lambda x: tg.norm(x, ord=1)]
)
def test_the_slope_at_zero_is_zero(f: Any) -> None:
    x = leaf(np.zeros(4))
    y = f(x)
    slope = tg.gradients(y, x, create_graph=True)
    assert y.item() == 0.0
    assert slope.tolist() == [0.0] * 4
    if slope.requires_grad:
        assert np.all(np.isfinite(tg.gradients(slope.sum(), x)))


def test_only_the_rows_that_are_zero_are_set_to_zero() -> None:
    x = leaf([[0.0, 0.0], [3.0, 4.0]])
    assert tg.norm(x, axis=1).tolist() == [0.0, 5.0]
    np.testing.assert_allclose(
        np.asarray(tg.gradients(tg.norm(x, axis=1).sum(), x)), [[0.0, 0.0], [0.6, 0.8]], rtol=1e-15
    )


def test_the_variance_of_a_large_offset_is_computed_in_two_passes() -> None:
    x = np.array([1e8, 1e8 + 1, 1e8 + 2])
    assert tg.var(x).item() == pytest.approx(2 / 3, rel=1e-12)
    assert tg.var(x.astype(np.float32) * 0 + np.float32([4096.0, 4097.0, 4098.0])).item() == pytest.approx(
        2 / 3, rel=1e-6
    )


def test_float32_variance_over_many_rows(rng: np.random.Generator) -> None:
    x = (rng.standard_normal((10_000, 3)) + 100.0).astype(np.float32)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(np.asarray(tg.var(x, axis=0)), exact.var(axis=0), rtol=2e-6)
    np.testing.assert_allclose(np.asarray(tg.mean(x, axis=0)), exact.mean(axis=0), rtol=2e-7)


# Weights, ranks, and what is not NaN


@pytest.mark.parametrize(
    "f",
    [
        lambda x: tg.median(x, axis=0),
        lambda x: tg.median(x, axis=1),
        lambda x: tg.quantile(x, [0.1, 0.6], axis=1),
        lambda x: tg.percentile(x, 37.0),
        lambda x: tg.nanquantile(holed(x), [0.2, 0.9], axis=0),
        lambda x: tg.nanvar(holed(x), axis=0),
        lambda x: tg.nanstd(holed(x), axis=1, ddof=1),
        lambda x: tg.nanmean(holed(x), axis=1),
        lambda x: tg.nanprod(holed(x), axis=0),
        lambda x: tg.nanmax(holed(x), axis=0),
        lambda x: tg.average(x, weights=x * x + 1, axis=1),
        lambda x: tg.var(x, axis=1, mean=x.mean(1, keepdims=True), correction=1),
        lambda x: tg.std(x, mean=x[0]),
        lambda x: tg.cumulative_prod(x, axis=1, include_initial=True),
        lambda x: tg.nancumprod(holed(x), axis=0),
    ],
)
def test_more_to_second_order(f: Any, check_to_second_order: Any, rng: np.random.Generator) -> None:
    check_to_second_order(f, [rng.permutation(20).reshape(4, 5) * 0.31 - 3.05])


def holed(x: tg.Tensor) -> tg.Tensor:
    """Some entries of x as NaN."""
    return tg.where(np.eye(4, 5, dtype=bool), np.nan, x)


@given(
    x=hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4),
        elements=st.sampled_from([-2.5, -1.0, 0.0, 0.25, 1.0, 7.0, np.nan]),
    ),
    q=st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), max_size=2),
    data=st.data(),
)
def test_ranks_and_sums_with_holes(x: Any, q: list[float], data: st.DataObject) -> None:
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1) | st.just(tuple(range(x.ndim))))
    keepdims = data.draw(st.booleans())
    t = tg.Tensor(x, requires_grad=True)
    share: Any = q or 0.3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy warns where nothing is left
        for call in (
            lambda x: np.quantile(x, share, axis=axis, keepdims=keepdims),
            lambda x: np.nanquantile(x, share, axis=axis, keepdims=keepdims),
            lambda x: np.median(x, axis=axis, keepdims=keepdims),
            lambda x: np.nanmedian(x, axis=axis, keepdims=keepdims),
            lambda x: np.nanmean(x, axis=axis, keepdims=keepdims),
            lambda x: np.nanvar(x, axis=axis, keepdims=keepdims, ddof=1),
            lambda x: np.nanmax(x, axis=axis, keepdims=keepdims),
            lambda x: np.nansum(x, axis=axis, keepdims=keepdims),
        ):
            expected, found = call(x), call(t)
            assert found.shape == np.shape(expected)
            np.testing.assert_allclose(np.asarray(found.detach()), expected, rtol=1e-12, atol=1e-14)
            if np.isfinite(found.data).all():
                assert np.isfinite(tg.gradients(found.sum(), t).data).all()


def test_the_gradient_of_a_rank_goes_to_the_entries_it_was_made_of() -> None:
    x = leaf([5.0, 1.0, 4.0, 2.0])
    assert tg.gradients(tg.median(x), x).tolist() == [0.0, 0.0, 0.5, 0.5]
    assert tg.gradients(tg.quantile(x, 0.25), x).tolist() == pytest.approx([0.0, 0.25, 0.0, 0.75])
    assert tg.gradients(tg.quantile(x, 1), x).tolist() == [1.0, 0.0, 0.0, 0.0]
    infinite = leaf([np.inf, 1.0, np.inf, -np.inf, 2.0])
    assert tg.quantile(infinite, [0.0, 0.5, 0.75, 1.0]).tolist() == [-np.inf, 2.0, np.inf, np.inf]
    assert tg.gradients(tg.quantile(infinite, 0.5), infinite).tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]
    missing = leaf([1.0, np.nan, 2.0])
    assert np.isnan(tg.median(missing).item())
    assert tg.gradients(tg.nanmedian(missing), missing).tolist() == [0.5, 0.0, 0.5]


def test_nothing_but_nan() -> None:
    x = leaf([[np.nan, np.nan], [1.0, np.nan]])
    for f in (tg.nanmean, tg.nanmax, tg.nanmin, tg.nanmedian, tg.nanvar, tg.nanstd):
        y = f(x, axis=1)
        assert np.isnan(y.data[0])
        assert tg.gradients(y[1], x).tolist()[1] == [0.0 if f in (tg.nanvar, tg.nanstd) else 1.0, 0.0]
    assert tg.nansum(x, axis=1).tolist() == [0.0, 1.0]
    assert tg.nanprod(x, axis=1).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "f",
    [
        tg.nanmean,
        tg.nanstd,
        tg.nanvar,
        tg.std,
        lambda x: tg.average(x, weights=np.ones(x.shape, np.float16)),
        tg.median,
        tg.average,
    ],
)
def test_no_count_or_square_leaves_the_range_of_float16(f: Any) -> None:
    x = leaf(np.where(np.arange(70_000) % 2, 300, 100).astype(np.float16))
    y = f(x)
    assert y.dtype == np.float16
    assert np.isfinite(y.item()) or f is tg.nanvar
    assert y.item() == pytest.approx(float(f(leaf(x.data.astype(float))).item()), rel=1e-3)
    assert np.isfinite(tg.gradients(y, x).data).all()


def test_the_median_of_large_numbers_of_float16() -> None:
    assert tg.median(leaf(np.float16([60000, 60032]))).item() == 60032.0
    assert tg.median(leaf(np.float16([-60000, 60000]))).item() == 0.0


def test_a_weight_that_is_learned_has_a_gradient() -> None:
    w = leaf([1.0, 3.0])
    mean, weight = tg.average([10.0, 20.0], weights=w, returned=True)
    assert mean.item() == 17.5
    assert tg.gradients(mean, w).tolist() == [-1.875, 0.625]
    assert tg.gradients(weight, w).tolist() == [1.0, 1.0]


def test_a_mean_that_is_given_is_not_computed_and_has_its_gradient() -> None:
    x, m = leaf([1.0, 2.0, 6.0]), leaf([2.0])
    y = tg.var(x, mean=m)
    assert y.item() == pytest.approx(17 / 3)
    assert tg.gradients(y, m).tolist() == pytest.approx([-2.0])
    assert tg.gradients(tg.var(x, mean=x.mean(keepdims=True)), x).tolist() == pytest.approx(
        tg.gradients(tg.var(x), x).tolist()
    )


ERRORS: dict[type[Exception], list[tuple[Any, ...]]] = {
    tg.InputError: [
        (
            lambda x: tg.var(x, ddof=1, correction=1),
            r"var: what is subtracted .*must be said once; got " r"ddof=1 and correction=1",
        ),
        (lambda x: tg.nanstd(x, ddof=1, correction=1), r"nanstd: what is subtracted"),
        (lambda x: tg.quantile(x, 1.5), r"quantile: q must lie from 0 to 1 .* got q=1.5"),
        (lambda x: tg.quantile(x, np.nan), r"quantile: q must lie"),
        (lambda x: tg.percentile(x, 101), r"percentile: q must lie from 0 to 1 \(in percent, to 100\)"),
        (lambda x: tg.quantile(x, 0.5, method="lower"), r"interpolated linearly; .*method='lower'"),
        (lambda x: tg.median(x[:0]), r"median: there must be an entry .* None; got shape \(0, 3\)"),
        (lambda x: tg.average(x, 0, weights=[1.0, -1.0]), r"average: the weights must not add up to 0"),
        (lambda x: tg.cumulative_sum(x), r"cumulative_sum: the axis must be named .* got shape"),
        (lambda x: tg.cumulative_prod(x), r"cumulative_prod: the axis must be named"),
        (lambda x: x.var(0, ddof=2), r"var: the 2 entries of axis 0 \(shape \(2, 3\)\) must be more than ddof=2.*Use"),
        (lambda x: x.std(ddof=7), "var: the 6 entries of axis None"),
        (lambda x: x[:0].var(0), "var: the 0 entries"),
    ],
    tg.ShapeError: [
        (lambda x: tg.median(x, axis=2), r"median: the axes must be axes of shape \(2, 3\); got 2"),
        (lambda x: tg.average(x, weights=[1.0, 2.0]), r"average: the weights must have the shape \(2"),
        (lambda x: tg.average(x, 0, weights=[1.0, 2.0, 3.0]), r"or that of axis 0; got \(3,\)"),
        (lambda x: x.var(2), r"var: the axes must be axes of shape \(2, 3\); got 2: axis 2 is out of bounds.*Count"),
        (lambda x: tg.cumprod(x, 2), r"cumprod: the axis must lie in \[-2, 2\) for shape \(2, 3\); got 2. Count"),
        (lambda x: tg.diff(x, 1, -3), r"diff: the axis must lie in \[-2, 2\)"),
        (lambda x: tg.ptp(x, 4), "max: .*axis 4 is out of bounds"),
    ],
    tg.OperandError: [
        (
            lambda x: tg.quantile(x, tg.Tensor(0.5, requires_grad=True)),
            r"q must be a number; got .*lost. Pass value.detach",
        ),
    ],
}


@pytest.mark.parametrize(
    ("error", "call", "message"), [(error, *row) for error, rows in ERRORS.items() for row in rows]
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(tg.ones((2, 3)))
