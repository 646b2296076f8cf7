"""What the comparison with PyTorch does not see of convolutions and pools: misuse, infinities, ties, empty batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm import nn

RNG = np.random.default_rng(5)


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 3),
    st.integers(1, 3),
    st.integers(0, 2),
)
def test_a_convolution_is_its_formula(
    groups: int, channels: int, length: int, kernel: int, stride: int, padding: int, dilation: int, batch: int
) -> None:
    assume(length + 2 * padding >= dilation * (kernel - 1) + 1)
    x = RNG.standard_normal((batch, groups * channels, length))
    weight = RNG.standard_normal((2 * groups, channels, kernel))
    y = F.conv1d(x, weight, None, stride, padding, dilation, groups)
    framed = np.pad(x, ((0, 0), (0, 0), (padding, padding)))
    expected = np.zeros((batch, 2 * groups, (framed.shape[-1] - dilation * (kernel - 1) - 1) // stride + 1))
    for b, o, t in np.ndindex(expected.shape):
        own = slice(o // 2 * channels, (o // 2 + 1) * channels)
        seen = framed[b, own, stride * t : stride * t + dilation * (kernel - 1) + 1 : dilation]
        expected[b, o, t] = (weight[o] * seen).sum()
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


def test_dtypes_stay() -> None:
    x, weight = np.ones((2, 4, 5), np.float32), np.ones((3, 4, 2), np.float32)
    for y in (F.conv1d(x, weight), F.max_pool1d(x, 2), F.avg_pool1d(x, 3, padding=1, count_include_pad=False)):
        assert y.dtype == np.float32
    assert F.max_pool2d([[[1, 2], [3, 4]]], 2).dtype == np.float64


def test_of_several_largest_entries_the_first_has_the_gradient() -> None:
    x = tg.zeros((1, 1, 4, 4), requires_grad=True)
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad.data[0, 0].tolist() == [[1.0, 0.0, 1.0, 0.0], [0.0] * 4] * 2


def test_infinities_and_nan_in_a_max_pool() -> None:
    """A window of −∞ only has −∞, and its gradient goes to an entry of x, never to the frame."""
    x = tg.Tensor(np.full((1, 5), -np.inf), requires_grad=True)
    y = F.max_pool1d(x, 3, 2, 1, 2)
    assert y.tolist() == [[-np.inf, -np.inf]]
    y.backward([[1.0, 2.0]])
    assert x.grad.tolist() == [[0.0, 3.0, 0.0, 0.0, 0.0]]
    assert np.isnan(F.max_pool1d([[0.0, np.nan, 1.0, 2.0]], 2).data).tolist() == [[True, False]]


def test_what_does_not_fit_is_an_error() -> None:
    x = np.ones((1, 4, 3))
    for message, call in [
        (
            r"conv1d: x must be \(batch, channels, length\).*window of 5 positions",
            lambda: F.conv1d(x, np.ones((2, 4, 5))),
        ),
        (r"conv2d: x must be \(batch, channels, height, width\)", lambda: F.conv2d(x[0], np.ones((2, 4, 1, 1)))),
        (
            r"conv1d: x must have the weight's channels times groups, 2 · 1; got",
            lambda: F.conv1d(x, np.ones((2, 2, 1))),
        ),
        (
            r"conv1d: the weight must be \(out_channels, .* and groups=2",
            lambda: F.conv1d(x, np.ones((3, 2, 1)), groups=2),
        ),
        (r"conv1d: the bias must have shape \(2,\).*got \(3,\)", lambda: F.conv1d(x, np.ones((2, 4, 1)), np.ones(3))),
        (r"max_pool1d: x must be .* room for a window of 4 positions", lambda: F.max_pool1d(x, 4)),
        (r"avg_pool2d: x must be \(batch, channels, height, width\)", lambda: F.avg_pool2d(x[0], 2)),
    ]:
        with pytest.raises(tg.ShapeError, match=message):
            call()
    weight = np.ones((2, 4, 2))
    for message, call in [
        (r"conv1d: stride must be a whole number from 1 up; got 0", lambda: F.conv1d(x, weight, stride=0)),
        (
            r"conv1d: padding must be 'same', 'valid' or numbers; got 'full'",
            lambda: F.conv1d(x, weight, padding="full"),
        ),
        (r"'same' must come with stride 1; got \(2,\)", lambda: F.conv1d(x, weight, padding="same", stride=2)),
        (r"from 1 up, or 2 of them; got \(2, 2, 2\)", lambda: F.max_pool2d(x, (2, 2, 2))),
        (r"divisor_override must be a whole number from 1 up; got 0", lambda: F.avg_pool2d(x, 2, divisor_override=0)),
        (r"max_pool1d: padding must be at most half of kernel_size", lambda: F.max_pool1d(x, 2, padding=2)),
        (r"Conv1d: in_channels and out_channels must be divisible by groups", lambda: nn.Conv1d(4, 3, 1, groups=2)),
        (r"Conv2d: padding_mode must be one of zeros, .*; got 'same'", lambda: nn.Conv2d(1, 1, 1, padding_mode="same")),
    ]:
        with pytest.raises(tg.InputError, match=message):
            call()


def test_empty_batches_pass() -> None:
    x = tg.zeros((0, 4, 6), requires_grad=True)
    for y in (F.conv1d(x, np.ones((2, 4, 3))), F.max_pool1d(x, 2), F.avg_pool1d(x, 2)):
        assert y.shape[0] == 0
        y.sum().backward()
