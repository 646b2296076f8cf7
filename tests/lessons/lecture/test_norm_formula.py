from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_norm.engine.tensor import Tensor
from tinygrad_norm.lessons.lecture.norm_formula import (
    BATCH,
    LAYER,
    columns_of,
    difference_from_functional,
    normalize,
    smallest_largest,
)

tables = hnp.arrays(float, st.tuples(st.integers(2, 6), st.integers(2, 6)), elements=st.integers(-50, 50))


@given(tables, st.sampled_from([BATCH, LAYER]), st.sampled_from([0, 1]), st.sampled_from([1e-5, 0.5]))
def test_every_intermediate_is_that_of_numpy(table: np.ndarray, axis: int, ddof: int, eps: float) -> None:
    steps = normalize(Tensor(table), axis, ddof, eps)
    mean = table.mean(axis=axis, keepdims=True)
    variance = table.var(axis=axis, ddof=ddof, keepdims=True)
    np.testing.assert_allclose(steps.mean.numpy(), mean, atol=1e-12)
    np.testing.assert_allclose(steps.centered.numpy(), table - mean, atol=1e-12)
    np.testing.assert_allclose(steps.variance.numpy(), variance, atol=1e-10)
    np.testing.assert_allclose(steps.deviation.numpy(), np.sqrt(variance), atol=1e-10)
    np.testing.assert_allclose(steps.normalized.numpy(), (table - mean) / np.sqrt(variance + eps), atol=1e-10)


@pytest.mark.parametrize("axis", [BATCH, LAYER])
@pytest.mark.parametrize("eps", [0.0, 1e-5])
def test_the_layers_of_the_engine_agree(axis: int, eps: float) -> None:
    table = np.random.default_rng(0).standard_normal((4, 3))
    assert difference_from_functional(Tensor(table), axis, eps) < 1e-15


def test_zero_by_zero_is_nan_in_both_without_a_warning() -> None:
    table = Tensor([[2.0, 2.0], [1.0, 5.0]])
    assert np.isnan(normalize(table, LAYER).normalized.numpy()).tolist() == [[True, True], [False, False]]
    assert difference_from_functional(table, LAYER, 0.0) < 1e-15


@given(st.lists(st.integers(-99, 99), min_size=2, max_size=8), st.sampled_from([0, 1]))
def test_the_largest_of_n_numbers_reaches_the_bound(numbers: list[int], ddof: int) -> None:
    assume(len(set(numbers)) > 1)
    column = Tensor([[float(x)] for x in numbers])
    largest = normalize(column, BATCH, ddof).normalized.numpy().max()
    assert largest >= smallest_largest(len(numbers), ddof) - 1e-12


@pytest.mark.parametrize("count", [2, 3, 5, 9])
@pytest.mark.parametrize("ddof", [0, 1])
def test_the_bound_is_attained(count: int, ddof: int) -> None:
    column = Tensor([[1.0]] * (count - 1) + [[0.0]])
    largest = normalize(column, BATCH, ddof).normalized.numpy().max()
    assert largest == pytest.approx(smallest_largest(count, ddof), rel=1e-12)


def test_columns_of() -> None:
    assert columns_of(((1, 2), (3, 4), (5, 6))) == [(1, 3, 5), (2, 4, 6)]
