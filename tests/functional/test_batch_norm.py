"""Batch norm: training, masked, eval, along any channel axis, to second order; what stands in a pad changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F  # PyTorch's name for it

# (shape, channel_axis): x, whose channels number 4 in each.
LAYOUTS = [((5, 4), 1), ((5, 4), -1), ((3, 4, 2), 1), ((3, 2, 4), -1), ((3, 2, 4), 2), ((4, 6), 0), ((2, 4, 2, 2), -3)]
WEIGHT, BIAS, MEAN, VARIANCE = (np.random.default_rng(7).random((4, 4)) + 0.5).tolist()


def positions(shape: Any, axis: int) -> tuple[int, ...]:
    return tuple(n for a, n in enumerate(shape) if a != axis % len(shape))


def a_mask(shape: Any, axis: int) -> np.ndarray:
    mask = np.random.default_rng(3).random(positions(shape, axis)) < 0.7
    mask.flat[:2] = True
    mask.flat[-1] = False
    return mask


def batch(x: Any, w: Any, b: Any, how: str, shape: Any, axis: int) -> tg.Tensor:
    options: dict[str, Any] = {"channel_axis": axis, "training": how != "eval"}
    if "masked" in how:
        options["mask"] = a_mask(shape, axis)
    if "eval" in how:
        options |= {"running_mean": MEAN, "running_var": VARIANCE, "training": False}
    return F.batch_norm(x, weight=w, bias=b, **options)


@pytest.mark.parametrize(("shape", "axis"), LAYOUTS)
@pytest.mark.parametrize("how", ["training", "training masked", "eval", "eval masked"])
def test_to_second_order(shape: Any, axis: int, how: str, check_to_second_order: Any, rng: np.random.Generator) -> None:
    xs = [rng.standard_normal(shape), rng.standard_normal(4), rng.standard_normal(4)]
    check_to_second_order(lambda x, w, b: batch(x, w, b, how, shape, axis), xs)


def test_running_statistics_have_gradients_to_second_order(
    check_to_second_order: Any, rng: np.random.Generator
) -> None:
    xs = [rng.standard_normal((5, 3)), rng.standard_normal(3), rng.random(3) + 0.5]
    check_to_second_order(lambda x, m, v: F.batch_norm(x, m, v), xs)


@pytest.mark.parametrize(("shape", "axis"), LAYOUTS)
def test_the_channel_axis_is_only_a_place(shape: Any, axis: int, rng: np.random.Generator) -> None:
    x = rng.standard_normal(shape)
    last = np.moveaxis(x, axis, -1)
    for how in ("training", "eval"):
        one, other = batch(x, WEIGHT, BIAS, how, shape, axis), batch(last, WEIGHT, BIAS, how, last.shape, -1)
        np.testing.assert_allclose(np.moveaxis(np.asarray(one), axis, -1), np.asarray(other), rtol=1e-13, atol=1e-14)
    mask = a_mask(shape, axis)
    one = F.batch_norm(x, training=True, mask=mask, channel_axis=axis)
    other = F.batch_norm(last, training=True, mask=mask, channel_axis=-1)
    np.testing.assert_allclose(np.moveaxis(np.asarray(one), axis, -1), np.asarray(other), rtol=1e-13, atol=1e-14)


def test_every_channel_is_centered_and_scaled(rng: np.random.Generator) -> None:
    x = rng.standard_normal((50, 3, 2)) * [[[5.0], [1.0], [0.1]]][0] + 7
    y = np.asarray(F.batch_norm(x, training=True, eps=0))
    np.testing.assert_allclose(y.mean((0, 2)), 0, atol=1e-13)
    np.testing.assert_allclose(y.std((0, 2)), 1, rtol=1e-12)


def test_a_mask_of_ones_is_no_mask(rng: np.random.Generator) -> None:
    x = rng.standard_normal((4, 3, 2))
    plain = F.batch_norm(x, training=True)
    for mask in (np.ones((4, 2), bool), np.ones((4, 2), int), np.ones((4, 2)), tg.ones((4, 2))):
        np.testing.assert_allclose(
            np.asarray(F.batch_norm(x, training=True, mask=mask)), np.asarray(plain), rtol=1e-13, atol=1e-15
        )


def test_masked_statistics_are_those_of_the_real_rows_alone(rng: np.random.Generator) -> None:
    x = rng.standard_normal((6, 3))
    mask = np.array([1, 1, 0, 1, 0, 1], bool)
    y = np.asarray(F.batch_norm(x, training=True, mask=mask))
    np.testing.assert_allclose(y[mask], np.asarray(F.batch_norm(x[mask], training=True)), rtol=1e-13)
    assert np.all(y[~mask] == 0)


@pytest.mark.parametrize("how", ["training masked", "eval masked"])
@pytest.mark.parametrize("pad", [0.0, 1e300, -7.5, np.nan, np.inf, -np.inf])
def test_pads_of_any_content_change_not_one_bit(how: str, pad: float, rng: np.random.Generator) -> None:
    shape = (3, 5, 4)
    mask = a_mask(shape, -1)
    values = rng.standard_normal(shape)
    u, v = rng.standard_normal(shape), rng.standard_normal(shape)
    found = []
    for content in (0.0, pad):
        x, w, b = (tg.Tensor(t, requires_grad=True) for t in (np.where(mask[..., None], values, content), WEIGHT, BIAS))
        with np.errstate(over="raise", invalid="raise"):
            y = batch(x, w, b, how, shape, -1)
            first = tg.gradients(y, [x, w, b], u, create_graph=True)
            second = tg.gradients(first, [x, w, b], [v, v[0, 0], v[0, 1]])
        y.backward(u)
        found.append([t.data for t in (y, *first, *second, x.grad, w.grad, b.grad)])
    for zero, other in zip(*found, strict=True):
        assert np.array_equal(zero, other)
        assert np.all(np.isfinite(zero))
    assert np.all(found[1][0][~mask] == 0)
    assert np.all(found[1][1][~mask] == 0)


def test_float32_statistics_of_ten_thousand_rows(rng: np.random.Generator) -> None:
    x = (rng.standard_normal((10_000, 4)) * 0.1 + 100).astype(np.float32)
    exact = np.asarray(F.batch_norm(x.astype(np.float64), training=True))
    for mask in (None, np.ones(10_000, bool)):
        y = F.batch_norm(x, training=True, mask=mask)
        assert y.dtype == np.float32
        # One rounding of the mean, 4e-6 at a hundred, is 4e-5 of a deviation of a tenth.
        np.testing.assert_allclose(np.asarray(y, np.float64), exact, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_stays_narrow(dtype: Any, rng: np.random.Generator) -> None:
    x = tg.Tensor(rng.standard_normal((6, 3)), requires_grad=True, dtype=dtype)
    for mask in (None, [1, 1, 1, 1, 0, 1]):
        y = F.batch_norm(x, training=True, mask=mask)
        assert y.dtype == dtype
        assert tg.gradients(y, x, np.ones(y.shape), create_graph=True).dtype == dtype


def test_nothing_passed_in_is_changed(rng: np.random.Generator) -> None:
    x, mean, variance = rng.standard_normal((4, 3)), np.zeros(3), np.ones(3)
    kept = [a.copy() for a in (x, mean, variance)]
    F.batch_norm(x, mean, variance, training=True, momentum=0.5)
    assert all(np.array_equal(a, k) for a, k in zip((x, mean, variance), kept, strict=True))
    trained = F.batch_norm(x, mean, variance, training=True)
    assert np.array_equal(trained, F.batch_norm(x))
    assert not np.array_equal(trained, F.batch_norm(x, mean, variance))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: F.batch_norm(x[:1], training=True),
            tg.InputError,
            r"batch_norm: a channel must have at least two real values in training, since one value has no "
            r"deviation; got 1 in x of shape \(1, 3\). Use a larger batch, eval mode .* or layer_norm",
        ),
        (lambda x: F.batch_norm(x, mask=[1, 0, 0, 0]), tg.InputError, r"got 1 in x of shape \(4, 3\) under the mask"),
        (lambda x: F.batch_norm(x, mask=[0] * 4), tg.InputError, r"got 0 in x .*under the mask"),
        (
            lambda x: F.batch_norm(x, mask=np.ones((4, 3))),
            tg.ShapeError,
            r"the mask must have x's shape without the channel axis, \(4,\); got \(4, 3\) for x \(4, 3\). It "
            r"holds True at real positions",
        ),
        (
            lambda x: F.batch_norm(x, mask=[1, 2, 1, 1]),
            tg.InputError,
            r"the mask must hold True and False .*Write mask != 0",
        ),
        (lambda x: F.batch_norm(x, mask=[1.0, np.nan, 1.0, 1.0]), tg.InputError, r"the mask must hold True and False"),
        (
            lambda x: F.batch_norm(x[0]),
            tg.ShapeError,
            r"batch_norm: x must have a batch axis and channel_axis=1; got shape \(3,\). Insert",
        ),
        (lambda x: F.batch_norm(x, channel_axis=2), tg.ShapeError, r"channel_axis=2; got shape \(4, 3\)"),
        (
            lambda x: F.batch_norm(x, weight=np.ones(4)),
            tg.ShapeError,
            r"batch_norm: the weight must have shape \(3,\).*got \(4,\)",
        ),
        (
            lambda x: F.batch_norm(x, bias=np.ones((1, 3))),
            tg.ShapeError,
            r"batch_norm: the bias must have shape \(3,\)",
        ),
        (
            lambda x: F.batch_norm(x, np.ones(4), np.ones(3)),
            tg.ShapeError,
            r"batch_norm: the running_mean must have shape \(3,\)",
        ),
        (
            lambda x: F.batch_norm(x, np.ones(3), np.ones(4)),
            tg.ShapeError,
            r"batch_norm: the running_var must have shape \(3,\)",
        ),
        (
            lambda x: F.batch_norm(x, np.ones(3)),
            tg.InputError,
            r"must be given together in eval mode; got only running_mean. Pass both",
        ),
        (lambda x: F.batch_norm(x, None, np.ones(3)), tg.InputError, r"got only running_var"),
        (lambda x: F.batch_norm(x, eps=-1.0), tg.InputError, r"batch_norm: eps must not be negative; got -1.0"),
    ],
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(tg.Tensor(np.arange(12.0).reshape(4, 3)))
