"""Indexing as NumPy does it, basic and advanced; cotangents of repeated entries add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_norm as tg
from tinygrad_norm.engine.primitives.indexing import frozen_index, is_basic
from tinygrad_norm.ops.picking import check_indices

shapes = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


def along_one_axis(n: int, length: int) -> st.SearchStrategy[Any]:
    """An index into an axis of n entries: all of them, one, a slice, or an array of ``length``."""
    array = hnp.arrays(np.intp, length, elements=st.integers(-n, n - 1))
    return st.one_of(st.just(slice(None)), st.integers(-n, n - 1), st.slices(n), array)


@st.composite
def shape_and_index(draw: st.DrawFn) -> tuple[Any, Any]:
    """A shape and an index into it: slices and integers, integer arrays that broadcast, boolean arrays, mixtures."""
    shape = draw(shapes)
    kind = draw(st.sampled_from(["basic", "integers", "boolean", "mixed"]))
    if kind == "basic":
        return shape, draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    if kind == "boolean":
        axes = draw(st.integers(1, len(shape)))
        return shape, draw(hnp.arrays(np.bool_, shape[:axes]))
    if kind == "integers":
        size = hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)
        return shape, draw(hnp.integer_array_indices(shape, result_shape=size))
    index: list[Any] = []
    length = draw(st.integers(0, 3))
    for n in shape:
        if draw(st.booleans()):
            index.append(np.newaxis)
        index.append(draw(along_one_axis(n, length)))
    return shape, tuple(index)


@settings(max_examples=150)
@given(drawn=shape_and_index(), seed=st.integers(0, 2**32 - 1))
def test_any_index(drawn: Any, seed: int) -> None:
    shape, index = drawn
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    expected = x[index]
    t = tg.Tensor(x, requires_grad=True)
    y = t[index]
    assert y.shape == expected.shape
    assert np.array_equal(y, expected)
    # The adjoint, written out: entry by entry.
    u = rng.standard_normal(expected.shape)
    places = np.asarray(np.arange(x.size).reshape(shape)[index])
    wanted = np.zeros(x.size)
    for place, weight in zip(places.ravel(), u.ravel(), strict=True):
        wanted[place] += weight
    g = tg.Tensor(u, requires_grad=True)
    found = tg.gradients(y, t, g, create_graph=True)
    np.testing.assert_allclose(found.data.ravel(), wanted, atol=1e-14)
    # And the adjoint of the adjoint is the index again.
    v = rng.standard_normal(shape)
    if found.requires_grad:
        assert np.array_equal(tg.gradients(found, g, v), v[index])


@pytest.mark.parametrize(
    "index",
    [
        tg.Tensor(1),
        tg.Tensor([0, 0]),
        tg.Tensor([True, False]),
        [0, 1, 0],
        [[0, 1]],
        True,
        False,
        np.True_,
        np.int64(1),
        None,
        (tg.Tensor([0, 1]), slice(tg.Tensor(0), 2)),
        ([0, 1], [1, 2]),
        ((0, 1),),
        [],
        slice(5, 2),
        (Ellipsis, -1),
        (None, 0, None),
        (np.array(1), slice(None)),
        (slice(None), np.array([[0], [2]])),
        (np.array([True, False]), 1),
        np.zeros((2, 3), bool),
    ],
)
def test_kinds_of_index(index: Any) -> None:
    x = np.arange(6.0).reshape(2, 3)
    plain = np.asarray(index) if isinstance(index, tg.Tensor) else index
    if isinstance(index, tuple) and isinstance(index[0], tg.Tensor):
        plain = (np.array([0, 1]), slice(0, 2))
    t = tg.Tensor(x, requires_grad=True)
    assert np.array_equal(t[index], x[plain])
    mask = np.zeros_like(x)
    np.add.at(mask, plain, 1.0)
    assert np.array_equal(tg.gradients(t[index].sum(), t), mask)


def test_an_index_with_a_gradient_is_a_value() -> None:
    x = tg.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    assert x[x > 1.5].tolist() == [2.0, 3.0]
    assert x[np.argsort(-x)].tolist() == [3.0, 2.0, 1.0]


def test_a_loop_takes_every_row() -> None:
    x = tg.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    total = sum((row * float(k) for k, row in enumerate(x, 1)), start=tg.zeros(2))
    total.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[1.0, 1.0], [2.0, 2.0]]
    a, b = x
    assert a.requires_grad
    assert b.tolist() == [3.0, 4.0]


def test_is_basic() -> None:
    assert all(is_basic(i) for i in (0, slice(None), None, ..., np.int64(1), (0, None, ..., slice(1))))
    assert not any(is_basic(i) for i in ([0], np.array([0]), True, np.array(True), (0, [1]), (0, np.array(1))))


def test_a_frozen_index_holds_copies() -> None:
    a = np.array([0, 1])
    frozen = frozen_index((a, [1, 2], None, tg.Tensor([0])))
    a[0] = 9
    assert [p.tolist() if p is not None else None for p in frozen] == [[0, 1], [1, 2], None, [0]]
    assert frozen_index([]).dtype == np.intp
    assert frozen_index(np.zeros((0, 3), bool)).dtype == np.bool_


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([0.5], r"indices must be integers; got dtype float64. Convert them with astype\(int\)"),
        ([0, 3], r"indices into axis 1 must lie in \[-3, 3\); got 3. Check where the indices come from"),
        ([-4], r"got -4"),
    ],
)
def test_checked_indices(indices: Any, message: str) -> None:
    with pytest.raises(tg.IndexRangeError, match=message):
        check_indices(indices, 3, 1)
    assert check_indices([], 3, 1).dtype == np.intp
    assert check_indices([-3, 2], 3, 1).tolist() == [-3, 2]
    assert check_indices(tg.Tensor([True, False]), 3, 1).tolist() == [1, 0]
