"""Activations and softmax: exact where naive formulas overflow or cancel, to second order, with the stated kinks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F  # PyTorch's name for it

INF = np.inf
SMOOTH: list[tuple[str, Any]] = [
    ("tanh", F.tanh),
    ("sigmoid", F.sigmoid),
    ("silu", F.silu),
    ("softplus", F.softplus),
    ("softplus3", lambda x: F.softplus(x, 3.0)),
    ("gelu", F.gelu),
    ("gelu tanh", lambda x: F.gelu(x, approximate="tanh")),
    ("elu", F.elu),
    ("relu", F.relu),
    ("leaky", lambda x: F.leaky_relu(x, 0.2)),
    ("softmax", F.softmax),
    ("softmax0", lambda x: F.softmax(x, axis=0)),
    ("log_softmax", F.log_softmax),
    ("logsumexp", F.logsumexp),
    ("logsumexp all", lambda x: F.logsumexp(x, axis=(0, 1))),
]


@pytest.mark.parametrize(("name", "f"), SMOOTH)
@pytest.mark.parametrize("seed", [0, 1])
def test_to_second_order(name: str, f: Any, seed: int, check_to_second_order: Any) -> None:
    x = np.random.default_rng(seed).permutation(15).reshape(3, 5) * 0.43 - 3.05
    check_to_second_order(f, [x], seed=seed)


@pytest.mark.parametrize(("name", "f"), SMOOTH)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_stays_narrow(name: str, f: Any, dtype: Any) -> None:
    wide = np.linspace(-3, 3.1, 10).reshape(2, 5)
    x = tg.Tensor(wide, requires_grad=True, dtype=dtype)
    y = f(x)
    assert y.dtype == dtype
    g = tg.gradients(y, x, np.ones(y.shape), create_graph=True)
    assert g.dtype == dtype
    np.testing.assert_allclose(
        y.data.astype(np.float64), f(tg.Tensor(wide)).data, rtol=0, atol=20 * float(np.finfo(dtype).eps)
    )


@pytest.mark.parametrize(
    ("f", "x", "y", "first", "second"),
    [
        (F.relu, 0.0, 0.0, 0.0, 0.0),
        (F.leaky_relu, 0.0, 0.0, 0.01, 0.0),
        (F.elu, 0.0, 0.0, 1.0, 1.0),  # the branch of x ≤ 0
        (F.softplus, 0.0, math.log(2), 0.5, 0.25),
        (F.sigmoid, 0.0, 0.5, 0.25, 0.0),
        (F.silu, 0.0, 0.0, 0.5, 0.5),
        (F.gelu, 0.0, 0.0, 0.5, math.sqrt(2 / math.pi)),
        (lambda x: F.gelu(x, "tanh"), 0.0, 0.0, 0.5, math.sqrt(2 / math.pi)),
        (F.softplus, 1000.0, 1000.0, 1.0, 0.0),
        (F.softplus, -1000.0, 0.0, 0.0, 0.0),
        (F.sigmoid, 1000.0, 1.0, 0.0, 0.0),
        (F.sigmoid, -1000.0, 0.0, 0.0, 0.0),
        (F.sigmoid, -40.0, math.exp(-40), math.exp(-40), math.exp(-40)),
        (F.sigmoid, -INF, 0.0, 0.0, 0.0),
        (F.silu, -40.0, -40 * math.exp(-40), -39 * math.exp(-40), -38 * math.exp(-40)),
        (F.softplus, -40.0, math.exp(-40), math.exp(-40), math.exp(-40)),
        (F.elu, 1000.0, 1000.0, 1.0, 0.0),
        (F.elu, -1e-20, -1e-20, 1.0, 1.0),
        (F.gelu, 1000.0, 1000.0, 1.0, 0.0),
        (F.gelu, -1000.0, 0.0, 0.0, 0.0),
    ],
)
def test_where_naive_formulas_fail(f: Any, x: float, y: float, first: float, second: float) -> None:
    slope = tg.grad(f)
    assert [f(x).item(), slope(x).item(), tg.grad(slope)(x).item()] == pytest.approx(
        [y, first, second], rel=1e-13, abs=1e-300
    )


def test_sigmoid_of_minus_x_complements_it() -> None:
    x = np.linspace(-30, 30, 601)
    s = np.asarray(F.sigmoid(x))
    np.testing.assert_allclose(s + s[::-1], 1.0, rtol=1e-15)
    np.testing.assert_allclose(s, np.exp(-np.logaddexp(0, -x)), rtol=2e-15)


# softmax and its relatives


def test_shifts_change_nothing() -> None:
    x = np.array([[1.0, 2.0, 4.0]])
    for shift in (1024.0, -1024.0, 2.0**40):  # exact sums
        np.testing.assert_array_equal(np.asarray(F.softmax(x + shift)), np.asarray(F.softmax(x)))
    assert F.logsumexp(x + 1000.0).item() == pytest.approx(F.logsumexp(x).item() + 1000.0, rel=1e-15)
    assert F.log_softmax([0.0, -1e4]).tolist() == [0.0, -1e4]


def rows(f: Any, x: np.ndarray) -> tuple[Any, Any, Any]:
    """Value, gradient and gradient of the gradient for weights 1, 10, 100."""
    t = tg.Tensor(x, requires_grad=True)
    y = f(t)
    u = np.array([1.0, 10.0, 100.0][: y.shape[-1]]) if y.ndim else 1.0
    g = tg.gradients(y, t, np.broadcast_to(u, y.shape), create_graph=True)
    h = tg.gradients(g, t, np.ones(g.shape)) if g.requires_grad else tg.zeros(x.shape)
    return y.data, g.data, h.data


def test_rows_of_minus_infinity() -> None:
    x = np.array([[-INF, -INF, -INF], [0.0, -INF, 0.0], [0.0, 0.0, 0.0]])
    for f, empty in ((F.softmax, 0.0), (F.log_softmax, -INF)):
        y, g, h = rows(f, x)
        assert np.all(y[0] == empty)
        assert np.all(g[0] == 0.0)
        assert np.all(h[0] == 0.0)
        assert np.all(np.isfinite(g))
        assert np.all(np.isfinite(h))
        # The other rows are what they are without the empty one.
        alone = rows(f, x[1:])
        assert all(np.array_equal(a[1:], b) for a, b in zip((y, g, h), alone, strict=True))
    t = tg.Tensor(x, requires_grad=True)
    y = F.logsumexp(t)
    assert y.tolist() == [-INF, pytest.approx(math.log(2)), pytest.approx(math.log(3))]
    g = tg.gradients(y, t, [1.0, 2.0, 3.0], create_graph=True)
    np.testing.assert_allclose(g.data, [[0.0] * 3, [1.0, 0.0, 1.0], [1.0] * 3])
    assert np.all(np.isfinite(tg.gradients(g.sum(), t)))


def test_infinite_and_missing_entries() -> None:
    assert F.logsumexp([INF, 0.0]).item() == INF
    assert F.logsumexp(np.zeros((2, 0))).tolist() == [-INF, -INF]
    assert F.softmax(np.zeros((2, 0))).shape == (2, 0)
    assert F.logsumexp([[1.0, 2.0]], keepdims=True).shape == (1, 1)
    assert F.softmax([1, 1]).tolist() == [0.5, 0.5]
    assert np.isnan(F.softmax([np.nan, 0.0])).all()


@pytest.mark.parametrize("row", [[1.0, INF, 2.0], [INF, INF, 0.0], [-INF, INF, 0.0]])
def test_a_row_with_infinity_is_nan_as_in_pytorch_and_warns_of_nothing(row: list[float]) -> None:
    x = np.array([row, [0.0, 1.0, 2.0]])
    for f in (F.softmax, F.log_softmax):
        y, g, h = rows(f, x)
        assert np.isnan([y[0], g[0], h[0]]).all()
        # The other row is what it is alone.
        assert all(np.array_equal(a[1:], b) for a, b in zip((y, g, h), rows(f, x[1:]), strict=True))


EXTREMES = [0.0, -0.0, 20.0, -20.0, 700.0, -700.0]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize(("name", "f"), SMOOTH)
def test_where_the_value_is_a_number_nothing_overflows(name: str, f: Any, dtype: str) -> None:
    """Neither a warning, which is an error here, nor a NaN: forward, backward, and backward of that."""
    limits = np.finfo(dtype)
    for value in (*EXTREMES, *(s * float(v) for s in (1, -1) for v in (limits.max / 4, limits.tiny))):
        x = tg.Tensor(np.array([[value, 0.0]], dtype), requires_grad=True)
        y = f(x)
        g = tg.gradients(y, x, tg.ones(y.shape), create_graph=True)
        assert np.isfinite(g.data).all(), value
        if g.requires_grad:
            assert np.isfinite(tg.gradients(g.sum(), x)).all(), value


def test_softmax_sums_to_one_and_its_gradient_to_zero(rng: np.random.Generator) -> None:
    x = tg.Tensor(rng.standard_normal((4, 6)) * 30, requires_grad=True)
    y = F.softmax(x)
    np.testing.assert_allclose(y.sum(-1).data, 1.0, rtol=1e-15)
    g = tg.gradients(y, x, rng.standard_normal((4, 6)))
    np.testing.assert_allclose(np.asarray(g.sum(-1)), 0.0, atol=1e-15)


def test_every_composition_runs_in_a_scope_of_its_name() -> None:
    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    for name in ("sigmoid", "silu", "softplus", "gelu", "elu", "leaky_relu", "softmax", "log_softmax", "logsumexp"):
        node = getattr(F, name)(x).node
        assert node.scope.path == name
        assert node.scope.kind == "function"
    assert F.relu(x).node.scope is None


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: F.softplus(x, 0.0),
            tg.InputError,
            r"softplus: beta must be positive; got 0.0. PyTorch's default is 1",
        ),
        (lambda x: F.gelu(x, "fast"), tg.InputError, r"gelu: approximate must be 'none' or 'tanh'; got 'fast'. Choose"),
        (lambda x: F.softmax(x, 2), tg.ShapeError, r"softmax: the axes must be axes of shape \(2, 3\); got 2.*Count"),
        (lambda x: F.softmax(x, 1.0), tg.OperandError, r"softmax: an axis must be an integer.*; got 1.0. Count from"),
        (lambda x: F.log_softmax(x, -3), tg.ShapeError, r"softmax: the axes must be .*got -3"),
        (lambda x: F.logsumexp(x, (0, 0)), tg.ShapeError, r"softmax: the axes must be .*duplicate"),
        (
            lambda x: F.linear(x, np.ones((4, 2))),
            tg.ShapeError,
            r"linear: the last axis of x must be the weight's in_features; got x \(2, 3\) and weight \(4, 2\) "
            r"\(out_features, in_features\). Transpose",
        ),
        (lambda x: F.linear(x, np.ones(3)), tg.ShapeError, r"linear: .*weight \(3,\)"),
        (
            lambda x: F.linear(x, np.ones((4, 3)), np.ones(3)),
            tg.ShapeError,
            r"linear: the bias must have shape \(4,\).*got \(3,\)",
        ),
        (lambda x: F.linear(1.0, np.ones((4, 3))), tg.ShapeError, r"linear: the last axis of x"),
    ],
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(tg.ones((2, 3)))
