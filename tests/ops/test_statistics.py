"""Variance, deviation and norms: exact to second order, in two passes, with PyTorch's slopes at zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

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


ERRORS: dict[type[Exception], list[tuple[Any, ...]]] = {
    tg.InputError: [
        (lambda x: x.var(0, ddof=2), r"var: the 2 entries of axis 0 \(shape \(2, 3\)\) must be more than ddof=2.*Use"),
        (lambda x: x.std(ddof=7), "var: the 6 entries of axis None"),
        (lambda x: x[:0].var(0), "var: the 0 entries"),
    ],
    tg.ShapeError: [
        (lambda x: x.var(2), r"var: the axes must be axes of shape \(2, 3\); got 2: axis 2 is out of bounds.*Count"),
        (lambda x: tg.cumprod(x, 2), r"cumprod: the axis must lie in \[-2, 2\) for shape \(2, 3\); got 2. Count"),
        (lambda x: tg.diff(x, 1, -3), r"diff: the axis must lie in \[-2, 2\)"),
        (lambda x: tg.ptp(x, 4), "max: .*axis 4 is out of bounds"),
    ],
}


@pytest.mark.parametrize(
    ("error", "call", "message"), [(error, *row) for error, rows in ERRORS.items() for row in rows]
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(tg.ones((2, 3)))
