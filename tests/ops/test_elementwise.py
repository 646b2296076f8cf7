"""Ties, kinks and edges of the elementwise operations, to second order; and broadcasting, drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.engine.primitive import NUMPY, PRIMITIVES, load_late

INF = np.inf
NAN = float("nan")


def slopes(f: Callable[[tg.Tensor], tg.Tensor], x: float, orders: int = 2) -> list[float]:
    """Return f′(x), f″(x), …"""
    found = []
    for _ in range(orders):
        f = tg.grad(f)
        found.append(f(x).item())
    return found


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (tg.Tensor.relu, 0.0, [0.0, 0.0]),
        (tg.Tensor.relu, -0.0, [0.0, 0.0]),
        (tg.Tensor.relu, 5e-324, [1.0, 0.0]),
        (abs, 0.0, [0.0, 0.0]),
        (abs, -2.0, [-1.0, 0.0]),
        (tg.sign, 0.0, [0.0, 0.0]),
        (tg.floor, 1.0, [0.0, 0.0]),
        (lambda x: tg.clip(x, -1, 1), 1.0, [1.0, 0.0]),
        (lambda x: tg.clip(x, -1, 1), -1.0, [1.0, 0.0]),
        (lambda x: tg.clip(x, -1, 1), 1.0 + 1e-15, [0.0, 0.0]),
        (lambda x: tg.clip(x, 2, 1), 1.5, [0.0, 0.0]),
        (lambda x: tg.clip(x, None, None), 1.5, [1.0, 0.0]),
        (lambda x: tg.clip(x, np.array(1.0), np.array(2.0)), 1.0, [1.0, 0.0]),
        (lambda x: tg.maximum(x, 1.0), 1.0, [0.5, 0.0]),
        (lambda x: tg.minimum(1.0, x), 1.0, [0.5, 0.0]),
        (lambda x: tg.maximum(x, x), 1.0, [1.0, 0.0]),
        (lambda x: tg.maximum(x, x * x), 1.0, [1.5, 1.0]),
        (lambda x: x**0, 0.0, [0.0, 0.0]),
        (lambda x: x**0.0, 0.0, [0.0, 0.0]),
        (lambda x: x ** np.array(0.0), 0.0, [0.0, 0.0]),
        (lambda x: x**1, 0.0, [1.0, 0.0]),
        (lambda x: x ** np.array(1.0), 0.0, [1.0, 0.0]),
        (lambda x: x**2, 0.0, [0.0, 2.0]),
        (lambda x: x**2.0, 0.0, [0.0, 2.0]),
        (lambda x: x ** np.array(2.0), 0.0, [0.0, 2.0]),
        (lambda x: x**3, -2.0, [12.0, -12.0]),
        (lambda x: x ** np.array([3.0])[0], -2.0, [12.0, -12.0]),
        (lambda x: x**-1, 2.0, [-0.25, 0.25]),
        (lambda y: 0.0**y, 2.0, [0.0, 0.0]),
        (lambda y: 0.0**y, 0.0, [0.0, 0.0]),
        (lambda y: np.array(0.0) ** y, 0.0, [0.0, 0.0]),
        (lambda y: 1.0**y, 3.0, [0.0, 0.0]),
        (lambda y: 2**y, 3.0, [8 * np.log(2), 8 * np.log(2) ** 2]),
        (lambda y: True**y, 3.0, [0.0, 0.0]),
        (lambda x: x % 2.0, 4.0, [1.0, 0.0]),
        (lambda x: 7.0 % x, 2.0, [-3.0, 0.0]),
        (lambda x: tg.logaddexp(x, -INF), 1.0, [1.0, 0.0]),
        (lambda x: tg.logaddexp(x, x), 1.0, [1.0, 0.0]),
        (lambda x: tg.where(True, x, x * x), 3.0, [1.0, 0.0]),
        (tg.ceil, 1.0, [0.0, 0.0]),
        (tg.trunc, -1.0, [0.0, 0.0]),
        (tg.round, 0.5, [0.0, 0.0]),
        (lambda x: tg.round(x, 1), 0.25, [0.0, 0.0]),
        (lambda x: tg.heaviside(0.0, x), 2.0, [1.0, 0.0]),
        (lambda x: tg.heaviside(x, 2.0), 0.0, [0.0, 0.0]),
        (lambda x: tg.fmax(x, 1.0), 1.0, [0.5, 0.0]),
        (lambda x: tg.fmin(x, NAN), 1.0, [1.0, 0.0]),
        (lambda x: tg.fmax(NAN, x), 1.0, [1.0, 0.0]),
        (lambda x: tg.copysign(x, -1.0), 2.0, [-1.0, 0.0]),
        (lambda x: tg.copysign(x, 1.0), 0.0, [0.0, 0.0]),
        (lambda x: tg.copysign(2.0, x), 3.0, [0.0, 0.0]),
        (lambda x: tg.fmod(-7.0, x), 2.0, [3.0, 0.0]),
        (lambda x: tg.fmod(0.7, x), 0.1, [-6.0, 0.0]),
        (lambda x: tg.fmod(x, 2.0), -4.0, [1.0, 0.0]),
        (lambda x: tg.hypot(x, 0.0), 0.0, [0.0]),
        (lambda x: tg.arctan2(x, 0.0), 0.0, [0.0]),
        (lambda x: tg.arctan2(0.0, x), -2.0, [0.0, 0.0]),
        (lambda x: tg.arctan2(x, -2.0), 0.0, [-0.5, 0.0]),
        (lambda x: tg.logaddexp2(x, -INF), 1.0, [1.0, 0.0]),
        (lambda x: tg.logaddexp2(x, x), 1.0, [1.0, 0.0]),
        (tg.sinc, 0.0, [0.0, -(np.pi**2) / 3, 0.0, np.pi**4 / 5]),
        (tg.sinc, 1e-8, [-(np.pi**2) / 3 * 1e-8, -(np.pi**2) / 3]),
        (tg.sinc, 1.0, [-1.0, 2.0]),
        (tg.exp2, 3.0, [8 * np.log(2), 8 * np.log(2) ** 2]),
        (tg.cbrt, -8.0, [1 / 12, 1 / 144]),
        (lambda x: np.nan_to_num(x), INF, [0.0, 0.0]),
        (lambda x: np.nan_to_num(x), 2.0, [1.0, 0.0]),
        (np.real, 2.0, [1.0, 0.0]),
        (np.conjugate, 2.0, [1.0, 0.0]),
        (np.fabs, -2.0, [-1.0, 0.0]),
        (np.degrees, 2.0, [180 / np.pi, 0.0]),
        (lambda x: tg.where(False, x, x * x), 3.0, [6.0, 2.0]),
    ],
)
def test_slopes_where_a_function_has_a_kink(f: Any, x: float, expected: list[float]) -> None:
    assert slopes(f, x, len(expected)) == pytest.approx(expected, rel=1e-13, abs=1e-15)


def test_the_square_root_at_zero_is_infinitely_steep() -> None:
    with np.errstate(divide="ignore"):
        assert slopes(tg.sqrt, 0.0, 1) == [INF]
        assert slopes(lambda x: x**0.5, 0.0, 1) == [INF]


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (tg.arcsin, 1.0, INF),
        (tg.arccos, -1.0, -INF),
        (tg.arctanh, 1.0, INF),
        (tg.arccosh, 1.0, INF),
        (tg.cbrt, 0.0, INF),
    ],
)
def test_ends_of_a_domain_are_infinitely_steep(f: Any, x: float, slope: float) -> None:
    with np.errstate(divide="ignore"):
        assert slopes(f, x, 1) == [slope]


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (tg.arcsinh, 300.0, 1 / 300),
        (lambda x: tg.arctan2(x, 300.0), 400.0, 300 / 500**2),
        (lambda x: tg.arctan2(300.0, x), 400.0, -300 / 500**2),
        (lambda x: tg.hypot(300.0, x), 400.0, 0.8),
        (tg.arccosh, 300.0, 1 / 300),
        (lambda x: tg.trapezoid(np.array([1.0, 1.0], np.float16) * x), 60000.0, 1.0),
    ],
)
def test_no_square_leaves_the_range_of_float16(f: Any, x: float, slope: float) -> None:
    leaf = tg.Tensor(x, dtype=np.float16, requires_grad=True)
    y = f(leaf)
    assert y.dtype == np.float16
    found = tg.gradients(y, leaf)
    assert found.dtype == np.float16
    assert found.item() == pytest.approx(slope, rel=0.02)


@given(st.floats(-1e3, 1e3), st.integers(-3, 3))
def test_what_is_exact_in_numpy_is_exact_here(x: float, n: int) -> None:
    t = tg.Tensor(x)
    for f in (np.rad2deg, np.degrees, np.deg2rad, np.radians, np.fix, np.rint, np.cbrt, np.arcsinh, np.fabs):
        assert f(t).item() == f(x)
    assert np.round(t, n).item() == np.round(x, n)
    assert [part.item() for part in np.modf(t)] == [float(part) for part in np.modf(x)]
    assert np.sinc(t).item() == pytest.approx(np.sinc(x), rel=1e-13, abs=1e-16)


def test_infinities() -> None:
    x = tg.Tensor([INF, -INF], requires_grad=True)
    assert [part.tolist() for part in np.modf(x)] == [[0.0, -0.0], [INF, -INF]]
    assert np.nan_to_num(x, posinf=3.0).tolist() == [3.0, -np.finfo(float).max]
    half = tg.Tensor([INF, NAN], dtype=np.float16)
    assert np.nan_to_num(half).dtype == np.float16
    assert np.nan_to_num(half).tolist() == [65504.0, 0.0]
    both = [tg.Tensor(v, requires_grad=True) for v in (INF, INF)]
    assert [g.item() for g in tg.gradients(tg.logaddexp2(*both), both)] == [0.5, 0.5]


def test_the_whole_quotient_has_no_gradient_and_the_remainder_has() -> None:
    x = tg.Tensor(7.5, requires_grad=True)
    whole, rest = np.divmod(x, 2.0)
    assert (whole.item(), rest.item()) == (3.0, 1.5)
    assert not whole.requires_grad
    assert tg.gradients(rest, x).item() == 1.0


def test_a_float_power_is_a_float64() -> None:
    x = tg.Tensor([2.0, 3.0], dtype=np.float32, requires_grad=True)
    y = tg.float_power(x, 2)
    assert y.dtype == np.float64
    assert tg.gradients(y.sum(), x).dtype == np.float32
    assert tg.float_power(tg.Tensor([2]), -1).tolist() == [0.5]


def test_a_negative_base_has_no_slope_by_its_exponent() -> None:
    with np.errstate(invalid="ignore"):
        assert np.isnan(tg.grad(lambda y: (-2.0) ** y)(2.0).item())
    assert tg.grad(lambda x: x**2.0)(-2.0).item() == -4.0


def test_logaddexp_of_nothing() -> None:
    x, y = (tg.Tensor([-INF, -INF, 0.0], requires_grad=True) for _ in range(2))
    out = tg.logaddexp(x, y + np.array([0.0, 1.0, -INF]))
    assert out.tolist()[0] == -INF
    dx, dy = tg.gradients(out, [x, y], np.ones(3), create_graph=True)
    assert dx.tolist() == [0.0, 0.0, 1.0]
    assert dy.tolist() == [0.0, 0.0, 0.0]
    assert tg.gradients(dx.sum(), x).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("x", "y", "shares"),
    [
        (INF, 1.0, (1.0, 0.0)),
        (INF, -INF, (1.0, 0.0)),
        (INF, INF, (0.5, 0.5)),
        (2.0, 2.0, (0.5, 0.5)),
        (-INF, 1.0, (0.0, 1.0)),
        (-INF, -INF, (0.0, 0.0)),
        (800.0, 1.0, (1.0, 0.0)),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logaddexp_at_infinity_has_the_slopes_of_its_limit(x: float, y: float, shares: Any, dtype: Any) -> None:
    # With an ordinary entry beside it, which must keep its own share.
    xs, ys = (tg.Tensor([v, 0.0], requires_grad=True, dtype=dtype) for v in (x, y))
    for ends, expected in (((xs, ys), shares), ((ys, xs), shares[::-1])):
        out = tg.logaddexp(*ends)
        first = tg.gradients(out, ends, [1.0, 1.0], create_graph=True)
        assert [g.tolist() for g in first] == [pytest.approx([share, 0.5]) for share in expected]
        assert [g.dtype for g in first] == [dtype] * 2
        second = tg.gradients(first[0].sum(), ends)
        curvature = 0.25 if x == y == 2.0 else 0.0
        assert [g.tolist() for g in second] == [pytest.approx([s * curvature, s * 0.25]) for s in (1, -1)]


def test_softplus_at_infinity() -> None:
    x = tg.Tensor([-INF, 0.0, INF], requires_grad=True)
    first = tg.gradients(tg.functional.softplus(x), x, np.ones(3), create_graph=True)
    assert first.tolist() == pytest.approx([0.0, 0.5, 1.0])
    assert tg.gradients(first.sum(), x).tolist() == pytest.approx([0.0, 0.25, 0.0])


def test_a_branch_that_is_not_taken_gets_no_nan() -> None:
    x = tg.Tensor([0.0, 4.0], requires_grad=True)
    safe = tg.where(x > 0, x, 1.0)
    tg.where(x > 0, safe.log(), 0.0).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 0.25]


FLAT_BELOW_ZERO: list[Callable[[tg.Tensor], tg.Tensor]] = [tg.Tensor.relu, lambda x: tg.clip(x, 0.0, None)]


@pytest.mark.parametrize("f", FLAT_BELOW_ZERO)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("create_graph", [False, True])
def test_an_infinite_cotangent_ends_where_the_slope_is_zero(f: Any, dtype: Any, create_graph: bool) -> None:
    x = tg.Tensor([-1.0, -2.0, 3.0, 4.0], requires_grad=True, dtype=dtype)
    found = tg.gradients(f(x), x, [INF, -INF, 2.0, INF], create_graph=create_graph)
    assert found.tolist() == [0.0, 0.0, 2.0, INF]
    assert found.dtype == dtype
    one = tg.Tensor(-1.0, requires_grad=True, dtype=dtype)
    assert tg.gradients(f(one), one, INF, create_graph=create_graph).item() == 0.0


@pytest.mark.parametrize("f", FLAT_BELOW_ZERO)
def test_a_root_of_what_was_cut_off_at_zero(f: Any) -> None:
    x = tg.Tensor([-1.0, 4.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        assert tg.gradients(tg.sqrt(f(x)).sum(), x).tolist() == [0.0, 0.25]


def test_expm1_and_log1p_are_exact_for_small_numbers() -> None:
    assert tg.expm1(1e-20).item() == 1e-20
    assert tg.log1p(1e-20).item() == 1e-20
    assert slopes(tg.expm1, 1e-20) == [1.0, 1.0]


def test_integers_and_booleans() -> None:
    i, b = tg.Tensor([7, -7]), tg.Tensor([True, False])
    assert (i % 3).tolist() == [1, 2]
    assert (i % 3).dtype == np.int64
    assert (i // 2).tolist() == [3, -4]
    assert (-8 // tg.Tensor([3])).tolist() == [-3]
    assert (i / 2).dtype == np.float64
    assert (b & [True, True]).tolist() == [True, False]
    assert (True | b).tolist() == [True, True]
    assert (b ^ True).tolist() == (~b).tolist() == [False, True]
    assert tg.erf(tg.Tensor([0, 1])).dtype == np.float64
    assert np.fabs(i).dtype == np.fabs(i.numpy()).dtype == np.float64
    for f in (np.real, np.conjugate, np.nan_to_num, np.trunc, np.ceil, np.rot90):
        assert f(tg.Tensor([[1, 2]])).dtype == np.int64
    assert np.real(b).tolist() == np.nan_to_num(b).tolist() == [True, False]
    assert np.rot90(b.reshape(1, 2), 4).tolist() == [[True, False]]


def test_clip_between_arrays_sends_gradients_to_the_limits() -> None:
    x, low, high = (tg.Tensor(v, requires_grad=True) for v in ([-2.0, 0.5, 3.0], [-1.0, -1.0, -1.0], 2.0))
    y = tg.clip(x, low, high)
    assert y.tolist() == [-1.0, 0.5, 2.0]
    found = tg.gradients(y, [x, low, high], [1.0, 10.0, 100.0])
    assert [g.tolist() for g in found] == [[0.0, 10.0, 0.0], [1.0, 0.0, 0.0], 100.0]


@st.composite
def broadcastable(draw: st.DrawFn, operands: int = 2) -> list[np.ndarray]:
    shapes = draw(
        hnp.mutually_broadcastable_shapes(num_shapes=operands, min_dims=0, max_dims=4, min_side=0, max_side=3)
    )
    numbers = st.floats(-4, 4, allow_subnormal=False).map(lambda v: round(v, 3))
    return [draw(hnp.arrays(np.float64, shape, elements=numbers)) for shape in shapes.input_shapes]


@given(xs=broadcastable(), name=st.sampled_from(["add", "subtract", "multiply", "logaddexp", "maximum", "minimum"]))
def test_broadcasting(xs: Any, name: str) -> None:
    ufunc = getattr(np, name)
    leaves = [tg.Tensor(x, requires_grad=True) for x in xs]
    y = ufunc(*leaves)
    expected = ufunc(*xs)
    assert np.array_equal(y, expected)
    # The gradient is that of the same operation on operands broadcast beforehand, summed back by hand.
    u = np.cos(np.arange(expected.size)).reshape(expected.shape)
    wide = [tg.Tensor(np.broadcast_to(x, expected.shape), requires_grad=True) for x in xs]
    for mine, full, x in zip(tg.gradients(y, leaves, u), tg.gradients(ufunc(*wide), wide, u), xs, strict=True):
        axes = tuple(range(full.ndim - x.ndim))
        summed = np.asarray(full).sum(axis=axes)
        ones = tuple(a for a, n in enumerate(x.shape) if n == 1 and summed.shape[a] != 1)
        np.testing.assert_allclose(np.asarray(mine), summed.sum(axis=ones, keepdims=True), atol=1e-13)


@given(xs=broadcastable(3))
def test_broadcasting_of_three(xs: Any) -> None:
    a, b, c = (tg.Tensor(x, requires_grad=True) for x in xs)
    y = tg.where(a > 0, b * 2, c) / (1 + a * a)
    expected = np.where(xs[0] > 0, xs[1] * 2, xs[2]) / (1 + xs[0] ** 2)
    np.testing.assert_allclose(y.data, expected, rtol=1e-15)
    for g, x in zip(tg.gradients(y, [a, b, c], np.ones(y.shape)), xs, strict=True):
        assert g.shape == x.shape


@pytest.mark.parametrize(
    ("f", "values", "gradient"),
    [
        # NaN is compared with nothing: its cotangent passes, as in PyTorch.
        (lambda x: F.relu(x), [NAN, -1.0, 2.0], [1.0, 0.0, 1.0]),
        (lambda x: tg.maximum(x, 1.0), [NAN, 0.0, 2.0], [1.0, 0.0, 1.0]),
        (lambda x: tg.minimum(x, 1.0), [NAN, 0.0, 2.0], [1.0, 1.0, 0.0]),
        (lambda x: np.clip(x, np.zeros(3), np.ones(3)), [NAN, 0.5, 2.0], [1.0, 1.0, 0.0]),
        (lambda x: np.clip(x, np.array([NAN, 0.0, 0.0]), None), [0.5, 0.5, -1.0], [0.0, 1.0, 0.0]),
    ],
)
def test_nan_stays_nan(f: Callable[..., Any], values: list[float], gradient: list[float]) -> None:
    x = tg.Tensor(values, requires_grad=True)
    y = f(x)
    assert np.isnan(y.data[0])
    assert np.isfinite(y.data[1:]).all()
    assert tg.gradients(y.sum(), x).tolist() == gradient


def test_the_extreme_of_an_axis_with_nan_is_nan() -> None:
    x = tg.Tensor([[NAN, 3.0, NAN], [1.0, 5.0, 2.0]], requires_grad=True)
    for reduce in (np.max, np.min):
        y = reduce(x, axis=1)
        assert np.isnan(y.data[0])
        assert tg.gradients(y[0], x).tolist() == [[0.5, 0.0, 0.5], [0.0] * 3]


load_late()
UFUNCS = [f for f in NUMPY if isinstance(f, np.ufunc) and f.nin <= 2 and f.nout == 1 and f.signature is None]
SMOOTH = [p for p in PRIMITIVES.values() if p.native and p.elementwise and p.arity == 1 and not p.params]


def far_points(dtype: Any) -> np.ndarray:
    """Numbers of every size that a dtype has, of both signs, and those where an exponential ends."""
    limits = np.finfo(dtype)
    large = float(limits.max)
    sizes = [0.0, float(limits.tiny), 1e-3, 0.5, 1.0, 3.0, 30.0, 88.5, 89.0, 700.0, 710.0, 710.4]
    sizes = [v for v in [*sizes, large**0.5 * 1.5, large / 4, large] if v <= large]
    return np.array([s * v for v in sizes for s in (1.0, -1.0)], dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("function", UFUNCS, ids=lambda f: str(f.__name__))
def test_values_are_numpys_to_the_ends_of_the_range(function: Any, dtype: Any) -> None:
    points = np.concatenate([far_points(dtype), np.array([INF, -INF, NAN], dtype)])
    xs = [points] if function.nin == 1 else np.meshgrid(points, points)
    with np.errstate(all="ignore"):
        try:
            expected = function(*xs)
        except TypeError:  # a function of integers
            return
        found = NUMPY[function](*map(tg.Tensor, xs)).data
    assert found.dtype == expected.dtype
    if expected.dtype.kind == "f":
        limits = np.finfo(dtype)
        np.testing.assert_allclose(found, expected, 8 * limits.eps, 8 * float(limits.smallest_subnormal))
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("function", SMOOTH, ids=lambda p: p.name)
def test_a_rule_overflows_only_where_the_derivative_does(function: Any, dtype: Any) -> None:
    for point in far_points(dtype):
        x = tg.Tensor(point, requires_grad=True)
        with np.errstate(all="ignore"):
            y = function(x)
        for _ in range(2):
            with np.errstate(all="raise", under="ignore"):
                try:
                    found = tg.gradients(y, x, create_graph=True)
                except tg.AnomalyError:
                    found = None
            with np.errstate(all="ignore"):
                quiet = tg.gradients(y, x, create_graph=True)
            assert found is not None or not np.isfinite(quiet.item()), point
            if not np.isfinite(quiet.item()) or not quiet.requires_grad:
                break
            y = quiet
