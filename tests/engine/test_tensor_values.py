"""A Tensor's values never change, whoever holds the array it was made of, and every way to change them says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


def test_the_data_given_are_copied() -> None:
    a = np.ones(3)
    t, y = tg.Tensor(a), tg.ones(3) * a
    x = leaf(np.full(3, 2.0))
    product = x * a
    a[:] = 9.0
    assert t.tolist() == y.tolist() == [1.0] * 3
    product.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0] * 3


def test_a_given_gradient_is_copied() -> None:
    x, g = leaf(np.ones(3)), np.ones(3)
    (x + 0.0).backward(g)
    g[:] = 9.0
    assert x.grad is not None
    assert x.grad.tolist() == [1.0] * 3


def test_an_index_given_is_copied() -> None:
    x, i = leaf(np.arange(3.0)), np.array([0, 0])
    y = x[i]
    i[:] = 2
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 0.0, 0.0]


def test_every_way_to_change_values_is_closed() -> None:
    t, a = leaf([1.0, 2.0]), np.zeros(2)
    with pytest.raises(tg.OperandError, match=r"must stay as the tape saw them; got an assignment.*Write tg.where"):
        t[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        t.data[...] = 1
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(t.detach())[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        (t * 2).data[0] = 1
    with pytest.raises(tg.OperandError, match="in-place operator on an array"):
        a += t
    with pytest.raises(tg.OperandError, match="out="):
        np.exp(a, out=t)
    with pytest.raises(tg.OperandError, match="out="):
        np.any(a, out=t)
    with pytest.raises(tg.OperandError, match="out="):
        np.argmax(a, 0, t)
    mask = [True, False]
    writes: list[Callable[[], Any]] = [
        lambda: np.copyto(a, t),
        lambda: np.copyto(t, a),
        lambda: np.put(a, [0], t),
        lambda: np.place(a, mask, t),
        lambda: np.putmask(t, mask, a),
        lambda: np.fill_diagonal(t, 1.0),
    ]
    for write in writes:
        with pytest.raises(tg.OperandError, match="to be written into must be a plain array"):
            write()
    for name in ("sort", "fill", "resize", "put", "itemset", "setflags"):
        assert not hasattr(t, name)
    assert t.tolist() == [1.0, 2.0]
    assert a.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: leaf([[1.0, 2.0], [3.0, 4.0]]),
        lambda: leaf(5.0),
        lambda: tg.ones((2, 2)),
        lambda: tg.ones((2, 3)).T,
        lambda: tg.ones((2, 3)).reshape(6)[::2],
        lambda: tg.broadcast_to(tg.ones(3), (4, 3)),
        lambda: tg.ones(3) * 2,
        lambda: tg.ones(3).sum(),
        lambda: tg.ones((200, 200)).sum(0),
        lambda: tg.Tensor([1, 2]) > 1,
    ],
)
def test_a_view_cannot_be_made_writable_again(make: Callable[[], tg.Tensor]) -> None:
    t = make()
    before = t.tolist()
    for view in (t.data, np.asarray(t.detach()), t.data[...], t.data[None]):
        with pytest.raises(ValueError, match="cannot set WRITEABLE flag to True"):
            view.flags.writeable = True
        with pytest.raises(ValueError, match="cannot set WRITEABLE flag to True"):
            view.setflags(write=True)
    assert t.tolist() == before


def test_a_gradient_cannot_be_made_writable_either() -> None:
    x = leaf(np.ones(3))
    for _ in range(3):  # a gradient that was looked at is still added to
        (x * 2.0 + x * x + x).sum().backward()
        assert x.grad is not None
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            x.grad.data.flags.writeable = True
    assert x.grad is not None
    assert x.grad.tolist() == [15.0] * 3


def test_nothing_of_the_user_s_becomes_read_only() -> None:
    a, g = np.ones(3), np.ones(3)
    x = leaf(a)
    y = x * a
    y.backward(g)
    assert x.grad is not None
    for t in (x, y, x.grad):
        assert not t.data.flags.writeable
    assert a.flags.writeable
    assert g.flags.writeable
    assert x.numpy().flags.writeable


def test_an_in_place_operator_on_a_result_makes_a_new_tensor() -> None:
    leaf_of_it = leaf([1.0, 2.0])
    before = t = leaf_of_it * 1
    t += 1
    t *= 2
    assert t is not before
    assert before.tolist() == [1.0, 2.0]
    assert t.tolist() == [4.0, 6.0]
    t.sum().backward()
    assert leaf_of_it.grad is not None
    assert leaf_of_it.grad.tolist() == [2.0, 2.0]


def test_numpy_gives_a_copy_of_ones_own() -> None:
    t = tg.Tensor([1.0, 2.0])
    mine = t.numpy()
    mine[0] = 9.0
    assert t.tolist() == [1.0, 2.0]
    assert np.array(t, copy=True).flags.writeable
    assert np.asarray(t, dtype=np.float32).dtype == np.float32
    assert not np.asarray(t).flags.writeable


def test_new_data_and_a_tape_recorded_before() -> None:
    w, x = leaf([2.0, 3.0]), tg.Tensor([5.0, 7.0])
    y = (w * w * x).sum()
    slope = tg.gradients(y, w, create_graph=True)
    w.data = [100.0, 100.0]
    assert w.tolist() == [100.0, 100.0]
    assert tg.gradients(slope.sum(), w).tolist() == [10.0, 14.0]
    y.backward()
    assert w.grad is not None
    assert w.grad.tolist() == [2 * 2.0 * 5.0, 2 * 3.0 * 7.0]
    assert (w * 1.0).sum().item() == 200.0


def test_new_data_must_fit() -> None:
    w = leaf([1.0, 2.0], dtype=np.float32)
    w.data = np.array([3.0, 4.0])
    assert w.dtype == np.float32
    with pytest.raises(
        tg.ShapeError, match=r"go to a leaf and have its shape \(2,\); got shape \(3,\) for a leaf. Make a new"
    ):
        w.data = [1.0, 2.0, 3.0]
    with pytest.raises(tg.ShapeError, match=r"got shape \(2,\) for the result of an operation"):
        (w * 2).data = [1.0, 2.0]
