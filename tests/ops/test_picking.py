"""take, sort, diagonals: cotangents go back to where the entries came from; bad axes and indices are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

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


@given(
    x=hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=5), elements=st.integers(-2, 2).map(float)),
    data=st.data(),
)
def test_the_largest_in_order(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    k = data.draw(st.integers(0, x.shape[axis]))
    t = tg.Tensor(x, requires_grad=True)
    for largest in (True, False):
        values, indices = tg.topk(t, np.int64(k), axis, largest=largest)
        # Of equal ones the first comes first.
        order = np.argsort(-x if largest else x, axis, kind="stable")
        assert np.array_equal(indices, np.take(order, range(k), axis))
        assert np.array_equal(values, np.take_along_axis(x, np.asarray(indices), axis))
        wanted = np.zeros(x.shape)
        np.put_along_axis(wanted, np.asarray(indices), 1.0, axis)
        assert np.array_equal(tg.gradients(values.sum(), t), wanted)
        assert not indices.requires_grad


def test_adding_at_indices_adds_up() -> None:
    x, v = tg.Tensor(np.zeros((2, 3)), requires_grad=True), tg.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = tg.index_add(x, [2, 2], v, axis=-1)
    assert y.tolist() == [[0.0, 0.0, 3.0], [0.0, 0.0, 7.0]]
    assert [g.tolist() for g in tg.gradients(y, [x, v], X)] == [X.tolist(), [[2.0, 2.0], [5.0, 5.0]]]
    assert tg.index_add(x, np.int64(1), 5.0).tolist() == [[0.0] * 3, [5.0] * 3]
    assert tg.scatter_add([1.0, 2.0], index=([0, 0],), shape=(2,)).tolist() == [3.0, 0.0]


def test_places_are_tensors_that_index() -> None:
    x = tg.Tensor(X, requires_grad=True)
    for places in (np.nonzero(x > 1), np.where(x > 1)):
        assert isinstance(places, tuple)
        assert tg.gradients(x[places].sum(), x).tolist() == (X > 1).astype(float).tolist()
    assert np.where(x > 1, x, 0.0).requires_grad


def test_the_first_of_equal_values_is_unique() -> None:
    x = tg.Tensor([3.0, 1.0, 3.0, 1.0], requires_grad=True)
    values, first, inverse, counts = tg.unique(x, True, True, True)
    assert [t.tolist() for t in (values, first, inverse, counts)] == [[1.0, 3.0], [1, 0], [1, 0, 1, 0], [2, 2]]
    assert tg.gradients(values, x, [1.0, 10.0]).tolist() == [10.0, 1.0, 0.0, 0.0]


def test_a_choice_keeps_the_dtype() -> None:
    x = tg.Tensor([1.0, 2.0], dtype=np.float32, requires_grad=True)
    for y in (
        np.select([[True, False]], [x], 0.5),
        np.choose([0, 1], [x, 0.5]),
        np.select([[True, False], [True, True]], [0.5, x]),
    ):
        assert y.dtype == np.float32
        assert tg.gradients(y.sum(), x).dtype == np.float32


ERRORS: dict[type[Exception], list[tuple[Any, ...]]] = {
    tg.ShapeError: [
        (lambda x: tg.topk(x, 1, 2), r"topk: the axis must lie in"),
        (lambda x: tg.index_add(x, [0], x), r"broadcast_to: .*shapes \(2, 3\), shape=\(1, 3\)"),
        (lambda x: tg.bincount([0, 1], x[0]), r"bincount: numbers and weights .* got shapes \(2,\) and \(3,"),
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
        (lambda x: tg.index_add(x, [2], x), r"indices into axis 0 must lie in \[-2, 2\); got 2"),
        (lambda x: tg.choose([2], [x, x]), r"must lie in \[-2, 2\); got 2"),
        (lambda x: tg.choose([-1], [x, x]), r"must lie in"),
        (lambda x: tg.compress([False, False, True], x, 0), r"indices into axis 0 must lie"),
        (lambda x: tg.partition(x, 3), r"indices into axis 1 must lie in \[-3, 3\); got 3"),
        (lambda x: tg.bincount([0, -1], x[0, :2]), r"must lie in"),
        (lambda x: x.take([6]), r"indices into axis 0 must lie in \[-6, 6\); got 6"),
        (lambda x: x.take([0.0]), "indices must be integers"),
        (lambda x: tg.take_along_axis(x, [[3]], 1), "indices into axis 1"),
    ],
    tg.InputError: [
        (lambda x: tg.topk(x, 4), r"topk: k must be a whole number from 0 to the axis's length 3; got 4"),
        (lambda x: tg.select([x > 0], []), r"select: there must be one choice .* got 1 and 0"),
    ],
    tg.OperandError: [
        (lambda x: np.put_along_axis(x, [[0]], 1.0, 0), r"an array to be written into must be a plain"),
    ],
}


@pytest.mark.parametrize(
    ("error", "call", "message"), [(error, *row) for error, rows in ERRORS.items() for row in rows]
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(tg.Tensor(X))
