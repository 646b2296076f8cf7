"""Sums: right, wide enough, and for a row the same in any company."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm.engine.details import summation
from tinygrad_norm.engine.details.summation import (
    average,
    kept_shape,
    reduced_axes,
    reduced_count,
    sum_product_to,
    sum_to,
    total,
)
from tinygrad_norm.errors import VJPError

LENGTHS = (1, 2, 3, 5, 7, 8, 16, 31, 33, 64, 65, 100, 300, 1000, 1025, 3000)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", LENGTHS)
def test_the_sum_of_a_row_does_not_depend_on_its_company(n: int, dtype: type) -> None:
    """Layer norm gives a token the same output in any batch, to the last bit, because this holds."""
    rng = np.random.default_rng(n)
    for rows in (1, 2, 3, 5, 17, 101, 3000):
        x = (rng.normal(size=(rows, n)) * 10 ** rng.uniform(-3, 3, (rows, 1))).astype(dtype)
        sums = total(x, -1)
        order = rng.permutation(rows)
        np.testing.assert_array_equal(total(np.ascontiguousarray(x[order]), -1), sums[order])
        np.testing.assert_array_equal(total(x.reshape(1, rows, n), -1)[0], sums)
        np.testing.assert_array_equal(total(x, 1, keepdims=True)[:, 0], sums)
        for i in range(min(rows, 20)):
            assert total(np.ascontiguousarray(x[i : i + 1]), -1)[0] == sums[i]


@given(
    shape=st.lists(st.sampled_from([1, 2, 3, 40, 70]), min_size=1, max_size=3).map(tuple),
    data=st.data(),
    dtype=st.sampled_from([np.float32, np.float64]),
    keepdims=st.booleans(),
)
def test_sums_agree_with_wide_ones(shape: tuple[int, ...], data: st.DataObject, dtype: type, keepdims: bool) -> None:
    axis = data.draw(st.none() | st.integers(-len(shape), len(shape) - 1) | st.just(tuple(range(len(shape)))))
    x = np.random.default_rng(0).normal(3.0, 1.0, shape).astype(dtype)
    expected = x.astype(np.longdouble).sum(axis, keepdims=keepdims)
    found = total(x, axis, keepdims)
    assert found.dtype == dtype
    assert np.shape(found) == expected.shape
    # Pairwise or in blocks of 64: a few dozen roundings at the most.
    np.testing.assert_allclose(found, expected.astype(np.float64), rtol=32 * np.finfo(dtype).eps)


@pytest.mark.parametrize("shape", [(10_000, 3), (100, 100, 3), (10_007, 5)])
def test_many_rows_of_float32_lose_no_digits(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).normal(100.0, 1.0, shape).astype(np.float32)
    axes = tuple(range(len(shape) - 1))
    exact = x.astype(np.float64).sum(axes)
    # NumPy's own sum of these is off by 2e-6.
    np.testing.assert_allclose(total(x, axes), exact, rtol=1.2e-7)


# Equal entries are the worst: every addition rounds the same way. Rows of 1024 summed in order (in four lanes) are off
# by 9.4e-7, of 2048 by 1.9e-6; blocks of 64 rows by 2.4e-7, of 256 by 5e-7; 65 rows in NumPy's order by 7e-7.
LENGTHS_AROUND_LIMITS = (64, 65, 100, 1000, 1023, 1024, 1025, 2048, 3000, 16_384, 20_033)


def equal_entries(n: int) -> np.ndarray:
    return np.repeat(np.random.default_rng(0).uniform(1, 2, (100, 1)).astype(np.float32), n, axis=1)


def worst_error(sums: np.ndarray, rows: np.ndarray) -> float:
    exact = rows[:, 0].astype(np.float64) * rows.shape[1]  # 24 bits times 15
    return float(np.max(np.abs(sums - exact) / exact))


@pytest.mark.parametrize("n", LENGTHS_AROUND_LIMITS)
def test_no_length_of_a_row_loses_digits(n: int) -> None:
    x = equal_entries(n)
    assert worst_error(total(x, -1), x) < 1.2e-6
    assert worst_error(sum_product_to(x, np.ones_like(x), (100, 1))[:, 0], x) < 1.2e-6


@pytest.mark.parametrize("n", LENGTHS_AROUND_LIMITS)
def test_no_number_of_rows_loses_digits(n: int) -> None:
    x = equal_entries(n)
    assert worst_error(total(np.ascontiguousarray(x.T), 0), x) < 4e-7
    assert worst_error(total(x.T, 0), x) < 1.2e-6


def test_in_order_a_longer_row_would_lose_digits() -> None:
    x = equal_entries(2048)
    assert worst_error(np.einsum("ij->i", x), x) > 1.2e-6


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """``way(shape, axis)``: how ones of this shape are summed."""
    taken: list[str] = []

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **how: [taken.append(name), function(*args, **how)][1]

    monkeypatch.setattr(summation, "add_reduce", noting("NumPy", summation.add_reduce))
    monkeypatch.setattr(summation, "sum_rows", noting("blocks", summation.sum_rows))
    monkeypatch.setattr(np, "einsum", noting("in order", np.einsum))

    def of(shape: tuple[int, ...], axis: Any, order: Literal["C", "F"] = "C") -> str:
        taken.clear()
        total(np.ones(shape, order=order), axis)
        return taken[0] if taken else "product"

    return of


@pytest.mark.parametrize(
    ("shape", "axis", "expected"),
    [
        ((9, 31), -1, "NumPy"),
        ((9, 32), -1, "in order"),
        ((9, 1024), -1, "in order"),
        ((9, 1025), -1, "NumPy"),
        ((9, 2, 512), (1, 2), "in order"),
        ((64, 256), 0, "product"),
        ((65, 3), 0, "NumPy"),
        ((127, 129), 0, "NumPy"),
        ((128, 128), 0, "blocks"),
        ((8, 8, 256), (0, 1), "NumPy"),
        ((8, 16, 128), (0, 1), "blocks"),
        ((5, 6), None, "product"),
        ((5, 1000), None, "NumPy"),
    ],
)
def test_the_way_that_is_fast_for_a_shape(way: Callable[..., str], shape: Any, axis: Any, expected: str) -> None:
    assert way(shape, axis) == expected


@pytest.mark.parametrize(("shape", "axis"), [((9, 32), -1), ((128, 128), 0)])
def test_what_would_be_copied_first_is_left_to_numpy(way: Callable[..., str], shape: Any, axis: Any) -> None:
    assert way(shape, axis, order="F") == "NumPy"


# Every kernel, every layout, every axis

SHAPES = [
    (),
    (3,),
    (0, 4),
    (130, 140),
    (20_033, 1),  # one row more than the blocks hold
    (1, 20_000),
    (70, 16, 17),
    (17, 16, 70),
    (2, 3, 4, 1000),
    (200, 64),
]


def every_axis(ndim: int) -> list[Any]:
    return [
        None,
        *range(-ndim, ndim),
        *[(a,) for a in range(ndim)],
        *[(a, b) for a in range(ndim) for b in range(ndim) if a != b],
    ]


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


@pytest.mark.parametrize("shape", [(3, 5), (300, 500)])
@pytest.mark.parametrize("axis", [2, -3, (0, 2), (0, 0), (0, -2)])
def test_axes_that_numpy_refuses(shape: Any, axis: Any) -> None:
    for reduce in (total, np.add.reduce):
        with pytest.raises(ValueError, match=r"axis"):
            reduce(np.ones(shape), axis)


@pytest.mark.parametrize("axis", [1.0, True, np.float64(1), (1.0,), (0, True), [1], np.array(1), "1"])
@pytest.mark.parametrize("reduce", [total, average])
def test_what_only_equals_an_axis(reduce: Any, axis: Any) -> None:
    for known in (1, (1,), (0, 1)):  # the memory of kernels takes equal keys for the same
        reduce(np.ones((3, 5)), known)
    with pytest.raises(tg.OperandError, match=r"an axis must be an integer, several a tuple .*; got .*Count from 0"):
        reduce(np.ones((3, 5)), axis)
    assert reduce(np.ones((3, 5)), (np.int64(1),)).shape == (3,)


@pytest.mark.parametrize("axis", [1, -2, (0, 1)])
def test_axes_that_a_single_number_does_not_have(axis: Any) -> None:
    for reduce in (total, np.add.reduce):
        with pytest.raises(ValueError, match=r"axis"):
            reduce(np.array(1.0), axis)
    with pytest.raises(ValueError, match=r"axis"):
        reduced_axes((), axis)


def test_shapes_and_counts() -> None:
    assert reduced_axes((2, 3, 5), (-1, 0)) == (0, 2)
    assert kept_shape((2, 3, 5), (-1, 0)) == (1, 3, 1)
    assert reduced_count((2, 3, 5), (-1, 0)) == 10
    assert reduced_axes((), 0) == reduced_axes((), -1) == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_averages(dtype: Any, rng: np.random.Generator) -> None:
    x = rng.integers(1, 65, (64, 70)).astype(dtype)
    for axis in every_axis(2):
        mean = average(x, axis, keepdims=True)
        exact = x.astype(np.float64).mean(axis, keepdims=True)
        assert mean.dtype == dtype
        # The sum is a whole number, exact but for float16, whose sum is formed in float64; then one or two roundings.
        np.testing.assert_allclose(mean, exact, rtol=2 * np.finfo(dtype).eps)
    assert average(np.full(70_000, 60_000, dtype)) == dtype(60_000)  # a sum past the largest float16


def test_infinities_and_nans_pass_through() -> None:
    x = np.ones((300, 100))
    x[5, 3], x[7, 4] = np.inf, np.nan
    sums = total(x, 0)
    assert sums[3] == np.inf
    assert np.isnan(sums[4])
    assert np.count_nonzero(np.isfinite(sums)) == 98


TARGETS = [
    ((4, 40), (4, 1)),
    ((3, 4, 40), (3, 1, 1)),
    ((3, 4, 40), (4, 1)),
    ((5, 40), (40,)),
    ((7, 1000), (7, 1)),
    ((2, 1025), (2, 1)),
    ((2, 3), (3,)),
    ((2, 3), (1,)),
    ((2, 3, 4), (1,)),
    ((2, 3, 4), (3, 1)),
    ((1, 3), (1,)),
    ((40,), ()),
    ((40,), (1,)),
    ((300, 200), (1, 200)),
    ((300, 200), (200,)),
    ((300, 200), (1, 1)),
    ((2, 3), (2, 3)),
    ((5, 2, 3), (1, 3)),
    ((0, 4), (1, 4)),
    ((3, 0), (3, 1)),
]


@pytest.mark.parametrize(("shape", "target"), TARGETS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_summing_back_to_what_was_broadcast(shape: Any, target: Any, dtype: Any, rng: np.random.Generator) -> None:
    x, y = (rng.integers(-3, 4, shape).astype(dtype) for _ in range(2))
    # What broadcasting does, the other way round: Σ ⟨sum_to(x), z⟩ = ⟨x, z broadcast⟩, on whole numbers exactly.
    z = rng.integers(-3, 4, target).astype(np.float64)
    for a in (x, np.asfortranarray(x)):
        for summed, whole in ((sum_to(a, target), x), (sum_product_to(a, y, target), x * y)):
            assert summed.shape == target
            assert summed.dtype == dtype
            assert np.sum(summed * z) == np.sum(whole * np.broadcast_to(z, shape))
    wide = y.astype(np.float64)
    mixed = sum_product_to(x, wide, target)
    assert mixed.dtype == np.float64
    assert np.array_equal(mixed, sum_to(x * wide, target))
    tensor = sum_to(tg.Tensor(x), target)
    assert isinstance(tensor, tg.Tensor)
    assert tensor.shape == target
    assert np.array_equal(tensor, sum_to(x, target))


def test_the_total_of_a_matrix_in_one_entry() -> None:
    x = np.arange(6.0).reshape(2, 3)
    for g in (x, x.astype(np.float32), tg.Tensor(x)):
        summed = sum_to(g, (1,))
        assert type(summed) is type(g)
        assert summed.tolist() == [15.0]
    assert sum_product_to(x, x, (1,)).tolist() == [55.0]


def test_the_factors_of_a_product_may_broadcast() -> None:
    x, column = np.arange(6.0).reshape(2, 3), np.array([[1.0], [10.0]])
    assert sum_product_to(x, column, (2, 1)).tolist() == [[3.0], [120.0]]
    assert sum_product_to(column, x, (1, 3)).tolist() == [[30.0, 41.0, 52.0]]


@pytest.mark.parametrize(("shape", "target"), [((3,), (2, 3)), ((3, 5), (5, 5)), ((3, 5), (3,)), ((3,), (0,))])
def test_what_cannot_be_summed_back(shape: Any, target: Any) -> None:
    for call in (
        lambda: sum_to(np.ones(shape), target),
        lambda: sum_product_to(np.ones(shape), np.ones(shape), target),
    ):
        with pytest.raises(VJPError, match=r"must have a shape that .* broadcasts to; got .* Correct the rule"):
            call()


@pytest.mark.parametrize(
    "arranged", [np.ascontiguousarray, np.asfortranarray, lambda x: np.repeat(x, 2, axis=1)[:, ::2]]
)
@pytest.mark.parametrize("rows", [2_000, 20_000])
def test_rows_keep_their_digits_in_every_layout(arranged: Any, rows: int) -> None:
    x = arranged(np.random.default_rng(1).normal(100.0, 1.0, (rows, 3)).astype(np.float32))
    # One rounding of a sum in float64, or of a few of them in blocks.
    np.testing.assert_allclose(total(x, 0), x.astype(np.float64).sum(0), rtol=1.2e-7)
