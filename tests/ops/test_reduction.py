"""Reductions: ties share, zeros in a product, any axes, and digits kept where NumPy would lose them."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_norm as tg


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


@pytest.mark.parametrize(
    ("values", "axis", "expected"),
    [
        ([1.0, 3.0, 3.0], None, [0.0, 0.5, 0.5]),
        ([3.0, 3.0, 3.0], 0, [1 / 3] * 3),
        ([[1.0, 2.0], [1.0, 0.0]], 0, [[0.5, 1.0], [0.5, 0.0]]),
        ([[2.0, 2.0], [1.0, 0.0]], 1, [[0.5, 0.5], [1.0, 0.0]]),
        ([[2.0, 2.0], [2.0, 2.0]], (0, 1), [[0.25] * 2] * 2),
        (5.0, None, 1.0),
    ],
)
def test_tied_entries_share_equally(values: Any, axis: Any, expected: Any) -> None:
    for sign, reduce in ((1.0, tg.max), (-1.0, tg.min)):
        x = leaf(np.array(values) * sign)
        for keepdims in (False, True):
            found = tg.gradients(reduce(x, axis=axis, keepdims=keepdims).sum(), x)
            np.testing.assert_allclose(np.asarray(found), expected)


def test_a_tie_of_infinities() -> None:
    x = leaf([np.inf, np.inf, 0.0])
    assert tg.gradients(x.max(), x).tolist() == [0.5, 0.5, 0.0]


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
        ([2.0, 0.0, 4.0], [0.0, 8.0, 0.0]),
        ([0.0, 0.0, 4.0], [0.0, 0.0, 0.0]),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        ([0.0], [1.0]),
        ([], []),
    ],
)
def test_products_with_zeros_to_third_order(values: list[float], first: list[float]) -> None:
    x = np.array(values)
    n = len(x)

    def without(*out: int) -> float:
        return float(np.prod(np.delete(x, list(out)))) if len(set(out)) == len(out) else 0.0

    slope = tg.grad(tg.prod)
    assert slope(x).tolist() == first
    hessian = np.asarray(tg.jacobian(slope)(x))
    np.testing.assert_allclose(
        hessian, [[without(i, j) for j in range(n)] for i in range(n)] or np.zeros((0, 0)), atol=1e-12
    )
    third = np.asarray(tg.jacobian(tg.jacobian(slope))(x))
    wanted = [[[without(i, j, k) for k in range(n)] for j in range(n)] for i in range(n)]
    np.testing.assert_allclose(third, wanted or np.zeros((0, 0, 0)), atol=1e-12)


@pytest.mark.parametrize(
    "values",
    [
        [1e-10, 3.0, -2.0],
        [1e-10, 3.0, -2.0, 0.7, 1e8],
        [1e-200, 2.0, 1e-9, 5.0],
        [1e-12, 0.0, 2.0, 3.0],
        [1e150, 1e-150, 1e-3, 7.0],
    ],
)
def test_products_with_tiny_entries_to_third_order(values: list[float]) -> None:
    n = len(values)

    def without(*out: int) -> float:
        others = (Fraction(v) for k, v in enumerate(values) if k not in out)
        return float(prod(others)) if len(set(out)) == len(out) else 0.0

    slope = tg.grad(tg.prod)
    np.testing.assert_allclose(np.asarray(slope(values)), [without(i) for i in range(n)], rtol=1e-14)
    hessian = [[without(i, j) for j in range(n)] for i in range(n)]
    np.testing.assert_allclose(np.asarray(tg.jacobian(slope)(values)), hessian, rtol=1e-14)
    third = [[[without(i, j, k) for k in range(n)] for j in range(n)] for i in range(n)]
    np.testing.assert_allclose(np.asarray(tg.jacobian(tg.jacobian(slope))(values)), third, rtol=1e-14)


@pytest.mark.parametrize("values", [[1e-200, 1e-200, 3.0], [1e200, 1e200, 3.0], [1e-160, 1e-160]])
def test_a_product_that_leaves_the_range_of_floats_has_its_slopes(values: list[float]) -> None:
    x = leaf(values)
    with np.errstate(over="ignore", under="ignore"):
        found = tg.gradients(x.prod(), x).tolist()
        wanted = [float(np.prod(values[:i] + values[i + 1 :])) for i in range(len(values))]
    assert found == pytest.approx(wanted, rel=1e-14, abs=0)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_the_product_of_the_others_of_any_number(n: int, axis: int | None, rng: np.random.Generator) -> None:
    for rows in (0, 2):
        t = leaf(rng.standard_normal((rows, n) if axis else (n, rows)))
        plain = tg.gradients(t.prod(axis).sum(), t)
        recorded = tg.gradients(t.prod(axis).sum(), t, create_graph=True)
        assert recorded.shape == t.shape
        np.testing.assert_allclose(recorded.data, plain.data, rtol=1e-13)


def test_a_long_product_is_differentiated_twice_in_little_memory() -> None:
    n = 20_000  # n² numbers would be 3 GB
    x = leaf(np.linspace(0.999, 1.001, n))
    v = np.cos(np.arange(n))
    slope = tg.gradients(x.prod(), x, create_graph=True)
    twice = np.asarray(tg.gradients((slope * v).sum(), x))
    ratios = v / x.data
    np.testing.assert_allclose(twice, x.prod().item() / x.data * (ratios.sum() - ratios), rtol=1e-9, atol=1e-9)


def test_cumprod_with_zeros() -> None:
    x = np.array([2.0, 0.0, 3.0, 0.0])
    # ∂(x₀x₁…xᵢ)/∂xⱼ for j ≤ i
    wanted = [[1, 0, 0, 0], [0, 2, 0, 0], [0, 6, 0, 0], [0, 0, 0, 0]]
    assert tg.jacobian(tg.cumprod)(x).tolist() == wanted


axes_of = st.integers(0, 4).flatmap(
    lambda ndim: st.tuples(
        hnp.array_shapes(min_dims=ndim, max_dims=ndim, min_side=1, max_side=4) if ndim else st.just(()),
        st.one_of(st.none(), st.lists(st.integers(0, max(ndim - 1, 0)), unique=True, max_size=ndim).map(tuple)),
        st.booleans(),
        st.integers(0, 2**32 - 1),
    )
)


@given(drawn=axes_of, name=st.sampled_from(["sum", "mean", "prod", "max", "min", "var", "std"]))
def test_any_axes(drawn: Any, name: str) -> None:
    shape, axis, keepdims, seed = drawn
    rng = np.random.default_rng(seed)
    # Distinct entries away from zero.
    x = (rng.permutation(int(np.prod(shape))).reshape(shape) + 1.0) * 0.37 - 0.2
    how: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    if axis and rng.random() < 0.5:
        how["axis"] = tuple(a - len(shape) for a in axis)
    f, t = getattr(np, name), leaf(x)
    y = f(t, **how)
    expected = f(x, **how)
    np.testing.assert_allclose(y.data, expected, rtol=1e-13)
    u, v = rng.standard_normal(expected.shape), rng.standard_normal(shape)
    if name == "std" and np.any(expected == 0):  # its slope there is set, not a limit
        return
    step = 1e-5
    numeric = np.sum(u * (f(x + step * v, **how) - f(x - step * v, **how))) / (2 * step)
    mine = np.sum(np.asarray(tg.gradients(y, t, u)) * v)
    assert mine == pytest.approx(numeric, rel=1e-6, abs=1e-6 * (1 + np.abs(expected).max(initial=0)))


@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=4), data=st.data())
def test_running_sums_along_any_axis(shape: Any, data: st.DataObject) -> None:
    axis = data.draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1)))
    x = np.random.default_rng(0).standard_normal(shape)
    t = leaf(x)
    y = tg.cumsum(t, axis=axis)
    np.testing.assert_allclose(y.data, np.cumsum(x, axis), rtol=1e-14)
    # ∂ Σᵢ cumsumᵢ / ∂xⱼ counts the sums that xⱼ is part of.
    n = x.size if axis is None else shape[axis]
    count = np.arange(n, 0, -1.0)
    if axis is None:
        count = count.reshape(shape)
    else:
        count = np.moveaxis(np.broadcast_to(count, (*np.delete(shape, axis), n)), -1, axis)
    np.testing.assert_allclose(np.asarray(tg.gradients(y.sum(), t)), count)


# Digits


@pytest.mark.parametrize("rows", [100, 10_000, 10_007])
@pytest.mark.parametrize("axis", [0, -1, None, (0, 1)])
def test_float32_sums_keep_their_digits(rows: int, axis: Any, rng: np.random.Generator) -> None:
    shape = (4, rows) if axis == -1 else (rows, 4)
    x = (rng.random(shape) + 1.0).astype(np.float32)
    exact = x.astype(np.float64)
    for reduce in (np.sum, np.mean):
        result = reduce(tg.Tensor(x), axis=axis)
        assert result.dtype == np.float32
        np.testing.assert_allclose(np.asarray(result, dtype=np.float64), reduce(exact, axis=axis), rtol=5e-7)
    # NumPy's own sum over rows is several times worse: what this test would catch.
    if axis == 0 and rows > 5_000:
        assert np.max(np.abs(x.sum(axis=0) / exact.sum(axis=0) - 1)) > 2e-6


def test_float32_broadcast_gradients_keep_their_digits(rng: np.random.Generator) -> None:
    b = leaf(np.zeros(4, np.float32))
    u = (rng.random((10_000, 4)) + 1.0).astype(np.float32)
    (b + np.zeros((10_000, 4), np.float32)).backward(u)
    assert b.grad is not None
    np.testing.assert_allclose(np.asarray(b.grad, dtype=np.float64), u.astype(np.float64).sum(axis=0), rtol=5e-7)


def test_a_float16_mean_may_pass_the_largest_float16() -> None:
    x = leaf(np.full(1000, 100.0, np.float16))
    y = x.mean()
    assert y.item() == 100.0
    assert y.dtype == np.float16
    y.backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float16


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.uint8])
def test_reductions_of_integers(dtype: Any) -> None:
    x = np.array([[1, 0, 1], [1, 1, 0]], dtype)
    t = tg.Tensor(x)
    for name in ("sum", "prod", "max", "min", "mean", "var", "cumsum"):
        expected = getattr(np, name)(x, axis=1)
        result = getattr(t, name)(axis=1)
        assert result.dtype == expected.dtype
        np.testing.assert_allclose(np.asarray(result), expected)


@pytest.mark.parametrize(
    "name",
    ["sum", "mean", "max", "min", "prod", "cumsum", "cumprod", "var", "std", "median", "average", "sort", "diff"],
)
def test_an_axis_is_an_integer(name: str) -> None:
    f, x = getattr(tg, name), leaf(np.arange(6.0).reshape(2, 3))
    f(x, axis=1)
    for axis in (1.0, True, "1", np.array(1)):
        with pytest.raises(tg.OperandError, match=r"^\w+: an axis must be an integer, several a tuple of them; got"):
            f(x, axis=axis)
