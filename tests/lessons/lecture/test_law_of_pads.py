from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_norm.engine.tensor import Tensor
from tinygrad_norm.lessons.lecture import exact_arithmetic as exact
from tinygrad_norm.lessons.lecture.law_of_pads import Spread, exact_spread, pads_to_change_sign, with_zero_rows

decimals = st.integers(-999, 999).map(lambda n: n / 100)


@given(st.lists(decimals, min_size=1, max_size=7), st.integers(0, 9))
def test_the_law_is_exact(numbers: list[float], pads: int) -> None:
    share = Fraction(pads, pads + len(numbers))
    assert exact_spread(numbers).padded(share) == exact_spread(numbers + [0.0] * pads)


@given(st.fractions(-9, 9, max_denominator=9), st.fractions(0, 9, max_denominator=9))
def test_break_even(mean: Fraction, variance: Fraction) -> None:
    real = Spread(mean, variance)
    at = real.break_even
    if at == 0:
        shares = [Fraction(i, 20) for i in range(20)]
        assert all(real.padded(share).variance <= variance for share in shares)
    else:
        assert real.padded(at).variance == variance
        assert real.padded(at / 2).variance >= variance


def test_deviation() -> None:
    assert Spread(Fraction(0), Fraction(36, 25)).deviation == 1.2


@given(st.lists(decimals, min_size=2, max_size=5))
def test_pads_to_change_sign_is_the_first_count_that_does(numbers: list[float]) -> None:
    value, given_mean = exact.rational(numbers[0]), exact.mean(exact.rationals(numbers))

    def sign(pads: int) -> int:
        mean = given_mean * len(numbers) / (len(numbers) + pads)
        return (value > mean) - (value < mean)

    found = pads_to_change_sign(numbers[0], numbers)
    if found is None:
        counts = [1, 10, 10**3, 10**6]
        assert sign(0) == 0 or all(sign(pads) == sign(0) for pads in counts)
    else:
        assert sign(found) == -sign(0) != 0
        assert sign(found - 1) in (sign(0), 0)


def test_with_zero_rows() -> None:
    real = Tensor([[1.0, 2.0]])
    np.testing.assert_array_equal(with_zero_rows(real, 2).numpy(), [[1, 2], [0, 0], [0, 0]])
    np.testing.assert_array_equal(with_zero_rows(real, 0).numpy(), [[1, 2]])


def test_a_word_at_zero_never_changes_sign() -> None:
    assert pads_to_change_sign(0.0, [0.0, 4.0]) is None
    assert pads_to_change_sign(3.0, [3.0, 3.0]) is None
    with pytest.raises(ZeroDivisionError):
        exact_spread([])
