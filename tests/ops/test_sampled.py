"""Differences, areas, slopes, convolution and interpolation: NumPy's values, gradients to second order, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_norm as tg

Y = np.sin(np.arange(24.0)).reshape(2, 3, 4)
PLACES = np.array([0.0, 0.4, 1.0, 1.7])


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (lambda x, y: tg.trapezoid(x, y, axis=1), [(2, 3, 4), (3,)]),
        (lambda x, y: tg.trapezoid(x, y), [(3, 4), (3, 4)]),
        (lambda x, dx: tg.trapezoid(x, dx=dx), [(4,), ()]),
        (lambda x: np.gradient(x, axis=0, edge_order=2), [(4, 2)]),
        (lambda x, y: np.gradient(x, y, edge_order=2), [(4,), (4,)]),
        (lambda x, h: np.gradient(x, h), [(4,), ()]),
        (lambda x, y: tg.convolve(x, y, "same"), [(4,), (3,)]),
        (lambda x, y: tg.correlate(x, y, "full"), [(2,), (3,)]),
        (lambda x, xp, fp: tg.interp(x, np.arange(5) + 0.1 * xp, fp), [(3,), (5,), (5,)]),
        (lambda x, a, b: tg.ediff1d(x, a, b), [(2, 3), (2,), ()]),
        (lambda x, a: tg.diff(x, 2, 0, prepend=a), [(2, 3), (1, 3)]),
    ],
)
def test_to_second_order(f: Any, shapes: Any, check_to_second_order: Any, rng: np.random.Generator) -> None:
    check_to_second_order(f, [np.asarray(rng.uniform(0.5, 1.5, shape)) for shape in shapes])


@given(n=st.integers(1, 6), m=st.integers(1, 6), mode=st.sampled_from(["full", "same", "valid"]))
def test_sliding_products(n: int, m: int, mode: Any) -> None:
    xs = np.cos(np.arange(n) + 1.0), np.sin(np.arange(m) + 2.0)
    for f in (np.convolve, np.correlate):
        x, y = (tg.Tensor(v, requires_grad=True) for v in xs)
        result, expected = f(x, y, mode=mode), f(*xs, mode=mode)
        np.testing.assert_allclose(np.asarray(result.detach()), expected, rtol=0, atol=1e-14)
        u = np.cos(np.arange(result.size))
        # Linear in each: the derivative by an entry is the product with a unit vector.
        for k, g in enumerate(tg.gradients(result, [x, y], u)):
            rows = [f(*(unit if j == k else v for j, v in enumerate(xs)), mode=mode) for unit in np.eye(xs[k].size)]
            np.testing.assert_allclose(np.asarray(g), np.array(rows) @ u, atol=1e-14)


@given(st.lists(st.integers(-8, 24), min_size=1, max_size=9), st.integers(1, 5), st.booleans())
def test_interpolation(x: list[int], n: int, periodic: bool) -> None:
    places, points = 0.5 * np.array(x), np.arange(n) ** 1.5
    period = 7.25 if periodic else None
    t = tg.Tensor(np.cos(np.arange(n)), requires_grad=True)
    result = np.interp(places, points, t, period=period)
    expected = np.interp(places, points, t.numpy(), period=period)
    np.testing.assert_allclose(np.asarray(result.detach()), expected, rtol=1e-12, atol=1e-13)
    rows = [np.interp(places, points, unit, period=period) for unit in np.eye(n)]
    np.testing.assert_allclose(np.asarray(tg.gradients(result.sum(), t)), np.sum(rows, axis=1), atol=1e-12)


@given(shape=st.lists(st.integers(3, 5), min_size=1, max_size=3), edge_order=st.sampled_from([1, 2]), data=st.data())
def test_slopes(shape: list[int], edge_order: Any, data: st.DataObject) -> None:
    x = np.cos(np.arange(float(np.prod(shape)))).reshape(shape)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    for spacing in (0.25, np.arange(shape[axis]) ** 1.3):
        found = np.gradient(tg.Tensor(x), spacing, axis=axis, edge_order=edge_order)
        np.testing.assert_allclose(
            np.asarray(found), np.gradient(x, spacing, axis=axis, edge_order=edge_order), rtol=1e-12, atol=1e-13
        )
    assert np.gradient(tg.Tensor(x, dtype=np.float32), np.arange(shape[axis]), axis=axis).dtype == np.float32


def test_a_line_has_the_slope_of_the_part_to_the_right_of_a_point_and_none_outside() -> None:
    x = tg.Tensor([-1.0, 0.0, 1.0, 1.5, 3.0, 4.0], requires_grad=True)
    y = tg.interp(x, [0.0, 1.0, 3.0], [0.0, 2.0, 3.0])
    assert tg.gradients(y.sum(), x).tolist() == [0.0, 2.0, 0.5, 0.5, 0.5, 0.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: tg.diff(x, -1), r"diff: the differences must be taken a number of times n >= 0; got -1"),
        (lambda x: np.gradient(x, 1.0, 2.0, 3.0, 4.0), r"gradient: there must be one spacing .*got 4 spacing"),
        (lambda x: np.gradient(x, axis=0, edge_order=2), r"gradient: .*more samples than that .*axes \[0\] of shape"),
        (
            lambda x: np.gradient(x, [1.0, 2.0], axis=1),
            r"gradient: the places .* one for each of the 3 along axis 1; got",
        ),
        (lambda x: tg.convolve(x, [1.0]), r"convolve: both must be vectors .*; got shape \(2, 3, 4\). Use ravel"),
        (lambda x: tg.correlate([], [1.0]), r"correlate: both must be vectors .*; got shape \(0,\)"),
        (lambda x: tg.convolve([1.0], [1.0], mode="all"), r"the mode must be 'full', 'same' or 'valid'; got 'all'"),
        (lambda x: tg.interp(x, [0.0, 1.0], [1.0]), r"interp: xp and fp .* got shapes \(2,\) and \(1,\)"),
        (lambda x: tg.interp(x, [1.0, 0.0], [1.0, 2.0]), r"interp: .*xp must increase"),
        (lambda x: tg.trapezoid(x, axis=3), r"trapezoid: the axis must lie in \[-3, 3\)"),
    ],
)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises((tg.InputError, tg.ShapeError), match=message):
        call(tg.Tensor(Y))
