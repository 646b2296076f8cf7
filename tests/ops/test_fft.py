"""Fourier transforms by real pairs: NumPy's numbers, exact adjoints, one composed of the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm.ops.fft import fft_pair, irfft_pair, rfft_pair


def numbers(z: Any) -> Any:
    return z.data[..., 0] + 1j * z.data[..., 1]


@given(shape=st.lists(st.integers(1, 6), min_size=1, max_size=3), data=st.data())
def test_numpys_numbers_and_back(shape: list[int], data: Any) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.random.default_rng(sum(shape)).standard_normal(shape)
    z = rfft_pair(tg.Tensor(x), axis)
    np.testing.assert_allclose(numbers(z), np.fft.rfft(x, axis=axis), atol=1e-14)
    np.testing.assert_allclose(irfft_pair(z, n=shape[axis], axis=axis).data, x, atol=1e-14)
    whole = fft_pair(np.stack([x, -x], -1), axis=axis)
    np.testing.assert_allclose(numbers(whole), np.fft.fft(x - 1j * x, axis=axis), atol=1e-13)
    np.testing.assert_allclose(fft_pair(whole, axis=axis, inverse=True).data, np.stack([x, -x], -1), atol=1e-14)


def test_two_axes_are_one_after_the_other(rng: Any, check_to_second_order: Any) -> None:
    x = rng.standard_normal((3, 4))

    def power(x: Any) -> Any:
        z = fft_pair(rfft_pair(x), axis=0)
        return (z * z).sum(-1)

    np.testing.assert_allclose(power(tg.Tensor(x)).data, np.abs(np.fft.rfft2(x)) ** 2, rtol=1e-13)
    check_to_second_order(power, [x])


def test_a_convolution_by_its_spectrum(rng: Any) -> None:
    x, y = rng.standard_normal((2, 5))
    a, b = tg.Tensor(x, requires_grad=True), tg.Tensor(y, requires_grad=True)
    p, q = rfft_pair(a), rfft_pair(b)
    product = tg.stack([p[:, 0] * q[:, 0] - p[:, 1] * q[:, 1], p[:, 0] * q[:, 1] + p[:, 1] * q[:, 0]], -1)
    round_ = irfft_pair(product, n=5)
    np.testing.assert_allclose(round_.data, [sum(x[k] * y[i - k] for k in range(5)) for i in range(5)], atol=1e-14)
    u = rng.standard_normal(5)
    expected = [sum(u[i] * y[i - k] for i in range(5)) for k in range(5)]
    np.testing.assert_allclose(tg.gradients(round_, a, u).data, expected, atol=1e-14)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: irfft_pair(x),
            tg.ShapeError,
            r"irfft_pair: complex numbers must be pairs.*got shape \(5, 3\)\. Use",
        ),
        (
            lambda x: irfft_pair(x[:, :2], n=3),
            tg.InputError,
            r"n must be 8 or 9 for 5 numbers along axis 0; got 3\. Cut",
        ),
        (lambda x: fft_pair(x[:, :2], axis=1), tg.ShapeError, r"fft_pair: .*the axis must lie in"),
        (lambda x: np.fft.fftshift(x, 2), tg.ShapeError, r"fftshift: the axis must lie in"),
    ],
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(tg.ones((5, 3)))
