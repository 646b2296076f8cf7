"""Every operator and method of a Tensor gives what NumPy's gives on an array."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg

X = np.array([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6]])
BITS = np.array([[True, False, True]])


ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.floordiv, operator.mod]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


@pytest.mark.parametrize("f", ARITHMETIC + COMPARISONS)
def test_binary_operators(f: Any) -> None:
    for other in (X + 0.1, 2, 1.5, np.float64(2.5), np.array([1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]):
        value = np.asarray(other)
        a = np.abs(X) + 0.1
        assert np.array_equal(f(tg.Tensor(a), other), f(a, value))
        assert np.array_equal(f(np.abs(value), tg.Tensor(a)), f(np.abs(value), a))
        assert np.array_equal(f(tg.Tensor(a), tg.Tensor(np.abs(value))), f(a, np.abs(value)))


@pytest.mark.parametrize("f", [operator.and_, operator.or_, operator.xor])
def test_logical_operators(f: Any) -> None:
    for other in (~BITS, True, [True, True, False]):
        assert np.array_equal(f(tg.Tensor(BITS), other), f(BITS, np.asarray(other)))
        assert np.array_equal(f(other, tg.Tensor(BITS)), f(np.asarray(other), BITS))


@pytest.mark.parametrize("f", [operator.neg, operator.pos, operator.abs])
def test_unary_operators(f: Any) -> None:
    assert np.array_equal(f(tg.Tensor(X)), f(X))
    assert np.array_equal(~tg.Tensor(BITS), ~BITS)


def test_matrix_product_on_both_sides() -> None:
    t = tg.Tensor(X)
    for result in (t @ X.T, X @ t.T, t @ tg.Tensor(X.T), t @ X.T.tolist()):
        assert isinstance(result, tg.Tensor)
        assert np.array_equal(result, X @ X.T)


ELEMENTWISE = ("exp", "expm1", "square", "sin", "cos", "tanh", "abs", "sign")
REDUCTIONS = ("sum", "mean", "var", "std", "max", "min", "prod", "all", "any", "argmax", "argmin")
ALONG_AN_AXIS = (*REDUCTIONS, "cumsum", "cumprod", "argsort")
WITHOUT_ARGUMENTS = (*ELEMENTWISE, *ALONG_AN_AXIS, "transpose", "ravel", "squeeze", "diagonal", "trace", "copy")
METHODS: list[tuple[str, tuple[Any, ...], Any]] = [
    *[(name, (), getattr(np, name)) for name in WITHOUT_ARGUMENTS],
    *[(name, (1,), getattr(np, name)) for name in ALONG_AN_AXIS],
    ("round", (1,), np.round),
    ("clip", (-0.5, 0.5), np.clip),
    ("clip", (0.0,), lambda x, low: np.clip(x, low, None)),
    ("reshape", (3, 2), lambda x, *s: np.reshape(x, s)),
    ("reshape", ((3, 2),), np.reshape),
    ("reshape", (-1,), np.reshape),
    ("transpose", (1, 0), lambda x, *a: np.transpose(x, a)),
    ("transpose", ((1, 0),), np.transpose),
    ("transpose", (None,), np.transpose),
    ("swapaxes", (0, 1), np.swapaxes),
    ("flatten", (), np.ravel),
    ("repeat", (2,), np.repeat),
    ("repeat", (2, 1), np.repeat),
    ("take", ([5, 0],), np.take),
    ("take", ([1], 1), np.take),
    ("diagonal", (1,), np.diagonal),
    ("trace", (-1,), np.trace),
    ("dot", (X.T,), np.dot),
    ("astype", (np.float32,), np.astype),
    ("astype", (int,), np.astype),
    ("relu", (), lambda x: np.maximum(x, 0)),
    ("numpy", (), np.array),
    ("tolist", (), lambda x: x.tolist()),
    ("detach", (), np.array),
]


@pytest.mark.parametrize(("name", "arguments", "numpys"), METHODS)
def test_methods(name: str, arguments: Any, numpys: Any) -> None:
    result, expected = getattr(tg.Tensor(X), name)(*arguments), numpys(X, *arguments)
    np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-15)
    assert np.asarray(result).dtype == np.asarray(expected).dtype


@pytest.mark.parametrize("name", ["log", "log1p", "sqrt"])
def test_methods_of_positive_numbers(name: str) -> None:
    assert np.array_equal(getattr(tg.Tensor(np.abs(X)), name)(), getattr(np, name)(np.abs(X)))


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "max", "min", "prod", "argmax", "argmin", "all", "any"])
def test_keepdims(name: str) -> None:
    assert getattr(tg.Tensor(X), name)(axis=0, keepdims=True).shape == (1, 3)
    assert getattr(tg.Tensor(X), name)(keepdims=True).shape == (1, 1)


def test_ddof() -> None:
    assert tg.Tensor(X).var(0, ddof=1).tolist() == pytest.approx(X.var(0, ddof=1).tolist())
    assert tg.Tensor(X).std(ddof=1).item() == pytest.approx(X.std(ddof=1))


def test_transposes_as_attributes() -> None:
    t = tg.Tensor(X[None])
    assert t.T.shape == (3, 2, 1)
    assert t.mT.shape == (1, 3, 2)
    assert tg.Tensor(1.0).T.shape == ()
