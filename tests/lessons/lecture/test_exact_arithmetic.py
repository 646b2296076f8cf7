from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tinygrad_norm.lessons.lecture import exact_arithmetic as exact

fractions = st.fractions(-20, 20, max_denominator=12)
vectors = st.lists(fractions, min_size=2, max_size=6)


@given(vectors, st.sampled_from([0, 1]))
def test_mean_and_variance_are_those_of_numpy(numbers: list[Fraction], ddof: int) -> None:
    floats = [float(x) for x in numbers]
    assert float(exact.mean(numbers)) == pytest.approx(np.mean(floats), abs=1e-12)
    assert float(exact.variance(numbers, ddof)) == pytest.approx(np.var(floats, ddof=ddof), abs=1e-11)


@given(vectors, st.sampled_from([0, 1]), st.sampled_from([0.0, 1e-5, 0.5]))
def test_closed_form_is_the_normalized_vector(numbers: list[Fraction], ddof: int, eps: float) -> None:
    assume(len(set(numbers)) > 1)
    floats = np.array([float(x) for x in numbers])
    expected = (floats - floats.mean()) / np.sqrt(floats.var(ddof=ddof) + eps)
    form = exact.normalized(numbers, ddof, eps)
    np.testing.assert_allclose(form.values, expected, atol=1e-12)
    assert np.gcd.reduce(form.numerators) == 1


@pytest.mark.parametrize(
    ("numbers", "ddof", "eps", "text"),
    [
        ([7, 5, 4], 0, 0.0, "(5, −1, −4)/√14"),
        ([2, 3, 4], 0, 0.0, "(−1, 0, 1)·√(3/2)"),
        ([2, 3, 4], 1, 0.0, "(−1, 0, 1)"),
        ([5, 3, 2, 5, 3], 0, 0.0, "(7/6, −1/2, −4/3, 7/6, −1/2)"),
        ([7, 2, 1, 7, 3], 0, 0.25, "(3, −2, −3, 3, −1)/√(6.4 + ε)"),
        ([7, 5, 0], 0, 0.0, "(3, 1, −4)/√(26/3)"),
        ([0.5, 1, 1], 0, 0.0, "(−2, 1, 1)/√2"),
    ],
)
def test_closed_form_as_text(numbers: list[float], ddof: int, eps: float, text: str) -> None:
    assert str(exact.normalized(exact.rationals(numbers), ddof, eps)) == text


matrices = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(fractions, min_size=width, max_size=width), min_size=1, max_size=4)
)


@given(matrices)
def test_null_space(matrix: list[list[Fraction]]) -> None:
    basis = exact.null_space(matrix)
    rank = np.linalg.matrix_rank(np.array(matrix, dtype=float), tol=1e-9)
    assert len(basis) == len(matrix[0]) - rank
    for vector in basis:
        assert set(exact.combine(vector, exact.transpose(matrix))) == {0}


@given(st.lists(st.tuples(fractions, fractions, fractions), min_size=4, max_size=7))
def test_least_squares_is_that_of_numpy(rows: list[tuple[Fraction, ...]]) -> None:
    design = [(a, b, Fraction(1)) for a, b, _ in rows]
    target = [y for _, _, y in rows]
    as_floats = np.array(design, dtype=float)
    assume(np.linalg.cond(as_floats) < 1e3)
    assume(exact.variance(target) > 0)
    fit = exact.least_squares(design, target)
    expected, *_ = np.linalg.lstsq(as_floats, np.array(target, dtype=float), rcond=None)
    np.testing.assert_allclose([float(c) for c in fit.coefficients], expected, atol=1e-8)
    residual = np.array(target, dtype=float) - as_floats @ expected
    spread = np.var(np.array(target, dtype=float)) * len(target)
    assert float(fit.r_squared) == pytest.approx(1 - residual @ residual / spread, abs=1e-8)


def test_whole_keeps_the_sign_and_the_proportion() -> None:
    assert exact.whole([Fraction(-1, 2), Fraction(1, 3)]) == (-3, 2)
    assert exact.whole([Fraction(0), Fraction(0)]) == (0, 0)
