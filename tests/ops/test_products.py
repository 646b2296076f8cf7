"""dot, inner, vdot, outer and tensordot: NumPy's shapes, the right gradients, errors that name the axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_norm as tg


@pytest.mark.parametrize("f", [np.dot, np.inner, np.vdot, np.outer])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((), ()),
        ((3,), ()),
        ((), (2, 3)),
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((2, 3), (3, 3)),
        ((4, 2, 3), (3, 3)),
        ((2, 3), (5, 3, 3)),
        ((2, 2, 3), (2, 3, 3)),
    ],
)
def test_numpys_shapes_and_values(
    f: Any, a: Any, b: Any, rng: np.random.Generator, close: Any, derivative: Any
) -> None:
    xs = [rng.integers(-4, 5, s).astype(float) for s in (a, b)]
    try:
        expected = f(*xs)
    except ValueError:
        with pytest.raises(ValueError, match="must"):
            f(*map(tg.Tensor, xs))
        return
    leaves = [tg.Tensor(x, requires_grad=True) for x in xs]
    y = f(*leaves)
    assert y.shape == np.shape(expected)
    assert np.array_equal(y, expected)
    u, vs = rng.standard_normal(y.shape), [rng.standard_normal(s) for s in (a, b)]
    mine = sum(np.sum(np.asarray(g) * v) for g, v in zip(tg.gradients(y, leaves, u), vs, strict=True))
    close(mine, np.sum(u * derivative(f, xs, vs)))


@given(n=st.integers(0, 3), data=st.data())
def test_tensordot_over_any_axes(n: int, data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))
    rest = [data.draw(st.lists(st.integers(1, 3), max_size=2)) for _ in range(2)]
    orders = [data.draw(st.permutations(range(n + len(r)))) for r in rest]
    xs, axes = [], []
    for r, order in zip(rest, orders, strict=True):
        full = [*lengths, *r]
        xs.append(np.arange(float(np.prod(full))).reshape([full[i] for i in order]))
        axes.append([order.index(k) - (len(order) if data.draw(st.booleans()) else 0) for k in range(n)])
    leaves = [tg.Tensor(x, requires_grad=True) for x in xs]
    y = np.tensordot(*leaves, axes)
    expected = np.tensordot(*xs, axes)
    assert y.shape == expected.shape
    assert np.array_equal(y, expected)
    found = tg.gradients(y, leaves, np.ones(y.shape))
    assert np.sum(np.asarray(found[0]) * xs[0]) == np.sum(np.asarray(found[1]) * xs[1]) == np.sum(expected)


ERRORS: dict[type[Exception], list[tuple[Any, ...]]] = {
    tg.ShapeError: [
        (lambda x: tg.tensordot(x, x), None),
        (
            lambda x: tg.tensordot(x, x, 1),
            r"tensordot: the axes to contract must have equal lengths; "
            r"got axes \[1\] of \(2, 3\) and \[0\] of \(2, 3\). Name pairs",
        ),
        (lambda x: tg.tensordot(x, x, ((0, 1), (0,))), "must have equal lengths"),
        (lambda x: tg.tensordot(x, x, ((2,), (0,))), r"tensordot: the axis must lie in \[-2, 2\) for shape \(2, 3\)"),
        (lambda x: tg.tensordot(x, x, 3), "tensordot: the axis must lie in"),
        (lambda x: tg.inner(x, x.T), r"must have equal lengths; got axes \[1\] of \(2, 3\) and \[1\] of \(3, 2\)"),
        (lambda x: tg.dot(x, x), r"matmul: the last axis of the left operand \(3\)"),
        (lambda x: tg.vdot(x, x[0]), "matmul: the last axis"),
    ],
}


@pytest.mark.parametrize(
    ("error", "call", "message"), [(error, *row) for error, rows in ERRORS.items() for row in rows]
)
def test_errors(call: Any, error: Any, message: str | None) -> None:
    x = tg.ones((2, 3))
    if message is None:
        assert call(x).item() == 6.0
    else:
        with pytest.raises(error, match=message):
            call(x)
