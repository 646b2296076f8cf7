"""Attention: with every kind of mask to second order; what is masked is nothing, not a small number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F  # PyTorch's name for it
from tinygrad_norm.functional.attention import attention_weights

attention = F.scaled_dot_product_attention
MASK = np.array([[True, True, False], [False, False, False], [False, True, True], [True, True, True]])
ADDITIVE = np.array([[0.3, -1.0, -np.inf], [-np.inf] * 3, [0.0, 1.0, 2.0], [-0.5, 0.5, -np.inf]])
MASKS: dict[str, dict[str, Any]] = {
    "none": {},
    "scale": {"scale": 0.3},
    "causal": {"is_causal": True},
    "boolean": {"attn_mask": MASK},
    "additive": {"attn_mask": ADDITIVE},
    "keys": {"attn_mask": MASK[2]},
    "of a batch": {"attn_mask": np.stack([MASK, ~MASK])},
}


@pytest.fixture
def qkv(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.standard_normal(s) for s in ((2, 4, 5), (2, 3, 5), (2, 3, 6))]


@pytest.mark.parametrize("how", MASKS.values(), ids=MASKS.keys())
def test_to_second_order(how: Any, qkv: Any, check_to_second_order: Any) -> None:
    check_to_second_order(lambda q, k, v: attention(q, k, v, **how), qkv)


def test_an_additive_mask_has_a_gradient_to_second_order(
    qkv: Any, check_to_second_order: Any, rng: np.random.Generator
) -> None:
    check_to_second_order(lambda q, k, m: attention(q, k, qkv[2], attn_mask=m), [*qkv[:2], rng.standard_normal((4, 3))])


def test_the_scale_may_be_learned(qkv: Any, check_to_second_order: Any) -> None:
    check_to_second_order(lambda q, s: attention(q, *qkv[1:], scale=s), [qkv[0], np.array(0.4)])


def test_a_row_that_may_attend_to_nothing_is_zero(qkv: Any) -> None:
    for mask in (MASK, np.where(MASK, 0.0, -np.inf)):
        q, k, v = (tg.Tensor(a, requires_grad=True) for a in qkv)
        y = attention(q, k, v, attn_mask=mask)
        weights = attention_weights(q, k, attn_mask=mask)
        assert np.all(y.data[:, 1] == 0)
        assert np.all(weights.data[:, ~MASK] == 0)
        np.testing.assert_allclose(weights.data.sum(-1), np.broadcast_to([1.0, 0.0, 1.0, 1.0], (2, 4)), rtol=1e-15)
        found = tg.gradients(y, [q, k, v], np.ones(y.shape), create_graph=True)
        second = tg.gradients(found, [q, k, v], [np.ones(a.shape) for a in qkv])
        assert all(np.all(np.isfinite(g)) for g in (*found, *second))
        assert np.all(found[0].data[:, 1] == 0)
        assert np.all(np.asarray(second[0])[:, 1] == 0)


def test_a_masked_key_changes_not_one_bit(qkv: Any) -> None:
    q, k, v = qkv
    mask = np.array([True, True, False])
    other_k, other_v = k.copy(), v.copy()
    other_k[:, 2], other_v[:, 2] = 1e3, -1e3
    found = []
    for keys, contents in ((k, v), (other_k, other_v)):
        leaves = [tg.Tensor(a, requires_grad=True) for a in (q, keys, contents)]
        y = attention(*leaves, attn_mask=mask)
        found.append([t.data for t in (y, *tg.gradients(y, leaves, np.ones(y.shape)))])
    assert np.array_equal(found[0][0], found[1][0])
    for one, other in zip(found[0][1:], found[1][1:], strict=True):
        assert np.array_equal(one[:, :2], other[:, :2])
    assert np.all(found[1][2][:, 2] == 0)
    assert np.all(found[1][3][:, 2] == 0)
    np.testing.assert_allclose(found[0][0], np.asarray(attention(q, k[:, :2], v[:, :2])), rtol=1e-13)


def test_causal_is_the_lower_triangle(qkv: Any) -> None:
    q, k, v = qkv
    assert np.array_equal(attention(q, k, v, is_causal=True), attention(q, k, v, attn_mask=np.tri(4, 3, dtype=bool)))
    assert np.array_equal(
        attention(q, k, v, is_causal=True), attention(q, k, v, attn_mask=tg.tril(tg.ones((4, 3), dtype=bool)))
    )


def test_axes_in_front_broadcast(rng: np.random.Generator) -> None:
    q, k, v = (rng.standard_normal(s) for s in ((7, 1, 4, 5), (2, 3, 5), (3, 6)))
    y = attention(q, k, v)
    assert y.shape == (7, 2, 4, 6)
    np.testing.assert_allclose(np.asarray(y[3, 1]), np.asarray(attention(q[3, 0], k[1], v)), rtol=1e-13)


def test_float32_stays_float32(qkv: Any) -> None:
    q, k, v = (tg.Tensor(a, requires_grad=True, dtype=np.float32) for a in qkv)
    for mask in (None, MASK, ADDITIVE.astype(np.float32)):
        y = attention(q, k, v, attn_mask=mask)
        assert y.dtype == np.float32
        assert {g.dtype for g in tg.gradients(y, [q, k, v], np.ones(y.shape), create_graph=True)} == {
            np.dtype(np.float32)
        }


def test_dropout_is_seeded_and_keeps_the_mean(qkv: Any) -> None:
    q, k, v = qkv[0], qkv[1], np.ones((2, 3, 6))
    tg.manual_seed(3)
    once = attention(q, k, v, dropout_p=0.5)
    tg.manual_seed(3)
    assert np.array_equal(once, attention(q, k, v, dropout_p=0.5))
    assert not np.array_equal(once, attention(q, k, v, dropout_p=0.5))
    many = np.mean([np.asarray(attention(q, k, v, dropout_p=0.5)).mean() for _ in range(400)])
    # 400 · 8 rows of sums of 3 weights, each kept or not: a deviation of about 0.6 / √3200.
    assert abs(many - 1) < 5 * 0.6 / np.sqrt(3200)
    assert np.array_equal(attention(q, k, v, dropout_p=0.0), attention(q, k, v))
    narrow = attention(*(a.astype(np.float32) for a in (q, k, v)), dropout_p=0.5)
    assert narrow.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda q, k, v: attention(q, v, v),
            tg.ShapeError,
            r"attention: queries and keys must be \(…, length, d\) with the same d; got \(2, 4, 5\) and \(2, 3, "
            r"6\). Check the projections",
        ),
        (lambda q, k, v: attention(q[0, 0], k, v), tg.ShapeError, r"attention: queries and keys"),
        (
            lambda q, k, v: attention(q, k, q),
            tg.ShapeError,
            r"matmul in scaled_dot_product_attention: the last axis .*\(3\)",
        ),
        (
            lambda q, k, v: attention(q, k, v, attn_mask=MASK.T),
            tg.ShapeError,
            r"attn_mask must broadcast to \(…, queries, keys\) = \(2, 4, 3\); got \(3, 4\). Insert axes",
        ),
        (
            lambda q, k, v: attention(q, k, v, attn_mask=np.ones((5, 2, 4, 3), bool)),
            tg.ShapeError,
            r"attn_mask must broadcast .*\(5, 2, 4",
        ),
        (
            lambda q, k, v: attention(q, k, v, attn_mask=MASK.astype(int)),
            tg.InputError,
            r"attn_mask must be boolean .* or floating .*got int64, which could mean either. Write mask != 0",
        ),
        (
            lambda q, k, v: attention(q, k, v, attn_mask=MASK, is_causal=True),
            tg.InputError,
            r"is_causal must stand alone; got an attn_mask",
        ),
        (
            lambda q, k, v: attention(q, k, v, dropout_p=1.0),
            tg.InputError,
            r"dropout_p must lie in \[0, 1\); got 1.0. 0 switches it off",
        ),
        (
            lambda q, k, v: attention(q, k, v, dropout_p=-0.1),
            tg.InputError,
            r"dropout_p must lie in \[0, 1\); got -0.1",
        ),
    ],
)
def test_errors(call: Any, error: Any, message: str, qkv: Any) -> None:
    with pytest.raises(error, match=message):
        call(*map(tg.Tensor, qkv))
