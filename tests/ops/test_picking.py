"""take, sort, diagonals: cotangents go back to where the entries came from; bad axes and indices are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg

X = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 5.0]])


def pulled(f: Any, x: Any, u: Any) -> list[Any]:
    t = tg.Tensor(x, requires_grad=True)
    return tg.gradients(f(t), t, u).tolist()


def test_take_adds_up_what_was_taken_twice() -> None:
    assert pulled(lambda x: tg.take(x, [1, 1, 0]), X, [1.0, 10.0, 100.0]) == [[100.0, 11.0, 0.0], [0.0, 0.0, 0.0]]
    assert pulled(lambda x: x.take([2, 2], axis=1), X, [[1.0, 10.0], [2.0, 20.0]]) == [
        [0.0, 0.0, 11.0],
        [0.0, 0.0, 22.0],
    ]
    assert tg.take(X, 1, axis=0).shape == (3,)
    assert tg.take(X, np.zeros((2, 0), int), axis=1).shape == (2, 2, 0)


def test_sort_is_stable_and_undone_by_its_adjoint() -> None:
    assert pulled(tg.sort, X, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]) == [[3.0, 1.0, 2.0], [4.0, 5.0, 6.0]]
    assert pulled(lambda x: tg.sort(x, axis=None), X, np.arange(6.0)) == [[4.0, 0.0, 3.0], [1.0, 2.0, 5.0]]


def test_take_along_axis_follows_argsort() -> None:
    t = tg.Tensor(X)
    assert np.array_equal(tg.take_along_axis(t, np.argsort(t, axis=0), axis=0), np.sort(X, axis=0))
    assert np.array_equal(tg.take_along_axis(t, t.argsort(), -1), np.sort(X))
    assert np.array_equal(tg.take_along_axis(t, [[0], [1]], 1), np.take_along_axis(X, np.array([[0], [1]]), 1))


def test_diagonals() -> None:
    assert pulled(lambda x: x.diagonal(1), X, [1.0, 2.0]) == [[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]
    assert pulled(lambda x: x.trace(), X, 3.0) == [[3.0, 0.0, 0.0], [0.0, 3.0, 0.0]]
    assert pulled(tg.diag, [1.0, 2.0], [[1.0, 9.0], [9.0, 2.0]]) == [1.0, 2.0]
    assert tg.diag(tg.Tensor([1, 2])).dtype == np.int64
    assert tg.diag(tg.Tensor([1.0], dtype=np.float32), 2).dtype == np.float32
    assert tg.diagonal(tg.ones((2, 3)), -5).shape == (0,)


ERRORS: dict[type[Exception], list[tuple[Any, ...]]] = {
    tg.ShapeError: [
        (lambda x: x.take([0], axis=2), r"take: the axis must lie in \[-2, 2\) for shape \(2, 3\); got 2. Count from"),
        (lambda x: tg.Tensor(1.0).take([0], axis=0), r"take: the axis must lie in \[0, 0\) for shape \(\)"),
        (lambda x: tg.take_along_axis(x, [0], 1), r"as many axes as the data \(2\); got 1. Use np.expand_dims"),
        (lambda x: tg.take_along_axis(x, [[0]], 3), "take_along_axis: the axis must lie in"),
        (lambda x: tg.sort(x, 2), r"sort: the axis must lie in \[-2, 2\)"),
        (lambda x: x.diagonal(0, 0, 2), r"diagonal: the axis must lie in \[-2, 2\) for shape \(2, 3\); got 2"),
        (lambda x: x.diagonal(0, 1, -1), "diagonal: axis1 and axis2 must differ; got 1 and -1.*Name two"),
        (lambda x: x[0].trace(), r"diagonal: the axis must lie in \[-1, 1\) for shape \(3,\); got 1"),
        (lambda x: tg.diag(1.0), r"diag: x must be a vector or a matrix; got shape \(\). Use diagonal"),
        (lambda x: tg.diag(x[None]), r"diag: x must be a vector or a matrix; got shape \(1, 2, 3\)"),
    ],
    tg.IndexRangeError: [
        (lambda x: x.take([6]), r"indices into axis 0 must lie in \[-6, 6\); got 6"),
        (lambda x: x.take([0.0]), "indices must be integers"),
        (lambda x: tg.take_along_axis(x, [[3]], 1), "indices into axis 1"),
    ],
}


@pytest.mark.parametrize(
    ("error", "call", "message"), [(error, *row) for error, rows in ERRORS.items() for row in rows]
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(tg.Tensor(X))
