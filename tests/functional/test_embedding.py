from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F

TABLE = np.arange(12.0).reshape(4, 3)


def test_first_and_second_order_with_repeated_ids(check_to_second_order: Callable[..., None]) -> None:
    check_to_second_order(lambda w: F.embedding([[0, 2, 2], [3, 0, 0]], w).square(), [TABLE])


def test_ids_of_any_shape_give_rows() -> None:
    assert F.embedding(2, TABLE).tolist() == TABLE[2].tolist()
    assert F.embedding(np.zeros((2, 0), dtype=int), TABLE).shape == (2, 0, 3)
    assert F.embedding(tg.Tensor([[1]]), TABLE).shape == (1, 1, 3)


def test_a_pad_s_row_has_its_value_and_no_gradient() -> None:
    w = tg.Tensor(TABLE, requires_grad=True)
    out = F.embedding([1, 2, 1], w, padding_idx=-3)
    np.testing.assert_array_equal(out.data, TABLE[[1, 2, 1]])
    out.sum().backward()
    assert w.grad.data.sum(-1).tolist() == [0.0, 0.0, 3.0, 0.0]


def test_misuse() -> None:
    with pytest.raises(tg.ShapeError, match=r"weight must be \(ids, features\); got shape \(3,\)"):
        F.embedding([0], [1.0, 2.0, 3.0])
    with pytest.raises(tg.InputError, match="padding_idx must be one of the 4 ids; got -5"):
        F.embedding([0], TABLE, padding_idx=-5)
    with pytest.raises(tg.IndexRangeError, match=r"an id must lie in \[0, 4\); got 9 at position \(1,\)"):
        F.embedding([0, 9], TABLE)


def test_one_hot_rows() -> None:
    assert F.one_hot([[1], [0]], num_classes=3).tolist() == [[[0, 1, 0]], [[1, 0, 0]]]
    assert F.one_hot(2).shape == (3,)
    with pytest.raises(tg.IndexRangeError, match=r"one_hot: an id must lie in \[0, 2\); got 2"):
        F.one_hot([2], num_classes=2)
    with pytest.raises(tg.InputError, match="num_classes must be given where there are no class numbers"):
        F.one_hot(np.zeros(0, dtype=int))
