"""Edges and misuse of the losses; values and gradients stand in the comparison with PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F

RNG = np.random.default_rng(5)
X = RNG.standard_normal((5, 3))
P = RNG.uniform(0.1, 0.9, (5, 3))
SOFT = P / P.sum(-1, keepdims=True)
CLASSES = np.array([0, 2, 1, 1, 0])


def test_first_and_second_order(check_to_second_order: Callable[..., None]) -> None:
    losses: list[Callable[[Any], tg.Tensor]] = [
        lambda x: F.cross_entropy(x, CLASSES, [0.5, 1.0, 2.0], label_smoothing=0.1),
        lambda x: F.cross_entropy(x, np.where(CLASSES == 1, -100, CLASSES), reduction="none"),
        lambda x: F.cross_entropy(x, SOFT),
        lambda x: F.nll_loss(x, CLASSES),
        lambda x: F.mse_loss(x, P),
        lambda x: F.l1_loss(x, P),
        lambda x: F.smooth_l1_loss(x, P, beta=0.7),
        lambda x: F.huber_loss(x, P, delta=0.7),
        lambda x: F.binary_cross_entropy(F.sigmoid(x), P),
        lambda x: F.binary_cross_entropy_with_logits(x, P, pos_weight=[1.0, 2.0, 3.0]),
        lambda x: F.kl_div(x, P),
        lambda x: F.kl_div(P, F.softmax(x)),
    ]
    for loss in losses:
        check_to_second_order(loss, [X])


def test_logits_far_apart_do_not_overflow() -> None:
    assert F.cross_entropy([[1e4, 0.0]], [1]).item() == 1e4
    assert F.cross_entropy([[-np.inf, 0.0]], [1]).item() == 0.0
    logits = tg.Tensor([[-1e4, 1e4]], requires_grad=True)
    F.binary_cross_entropy_with_logits(logits, [[1.0, 0.0]], reduction="sum").backward()
    assert logits.grad.tolist() == [[-1.0, 1.0]]


def test_ignored_positions_count_in_nothing() -> None:
    x = tg.Tensor(np.where([[False, False, True]] * 5, -np.inf, X), requires_grad=True)
    loss = F.cross_entropy(x, [0, -100, 1, 1, -100])
    assert loss.item() == pytest.approx(F.cross_entropy(x.data[[0, 2, 3]], [0, 1, 1]).item(), rel=1e-14)
    loss.backward()
    assert not x.grad.data[[1, 4]].any()
    assert np.isfinite(x.grad.data).all()


def test_a_mean_of_nothing_is_an_error() -> None:
    with pytest.raises(tg.InputError, match=r"at least one target that counts; got only ignore_index in shape \(2,\)"):
        F.cross_entropy(X[:2], [-100, -100])
    assert F.cross_entropy(X[:2], [-100, -100], reduction="sum").item() == 0.0
    with pytest.raises(tg.InputError, match=r"a mean must have something to average; got losses of shape \(0, 3\)"):
        F.mse_loss(X[:0], X[:0])
    assert F.mse_loss(X[:0], X[:0], reduction="sum").item() == 0.0


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (
            [0, 3, 1, 1, 0],
            tg.IndexRangeError,
            r"a target must be a class in \[0, 3\) or ignore_index=-100; got 3 at position \(1,\)\. Count the classes "
            "from 0",
        ),
        ([0, -1, 1, 1, 0], tg.IndexRangeError, "got -1 at position"),
        ([0, 1], tg.ShapeError, r"the input's shape without its axis of 3 classes, \(5,\); got \(2,\)"),
        (np.zeros(5), tg.ShapeError, r"must hold probabilities of the input's shape; got shape \(5,\) for 3 classes"),
        (np.zeros(5, dtype=bool), tg.OperandError, "class numbers as integers; got dtype bool"),
    ],
)
def test_targets_must_be_classes(target: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match="cross_entropy: .*" + message):
        F.cross_entropy(X, target)


def test_classes_and_their_weights_must_fit() -> None:
    with pytest.raises(tg.ShapeError, match=r"with at least one class; got shape \(\)"):
        F.cross_entropy(1.0, 0)
    with pytest.raises(tg.ShapeError, match=r"one factor for each of the 3 classes; got shape \(5,\)"):
        F.nll_loss(X, CLASSES, weight=np.ones(5))
    with pytest.raises(tg.InputError, match=r"label_smoothing must lie in \[0, 1\]; got 1\.1"):
        F.cross_entropy(X, CLASSES, label_smoothing=1.1)


def test_shapes_must_be_alike() -> None:
    """Broadcasting (5, 1) with (5,) would compare everything with everything."""
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.kl_div, F.binary_cross_entropy):
        with pytest.raises(tg.ShapeError, match=r"the target must have the prediction's shape \(5, 1\); got \(5,\)"):
            loss(np.ones((5, 1)), np.ones(5))


@pytest.mark.parametrize(
    "call",
    [
        lambda r: F.mse_loss(X, P, reduction=r),
        lambda r: F.cross_entropy(X, CLASSES, reduction=r),
        lambda r: F.cross_entropy(X, SOFT, reduction=r),
        lambda r: F.kl_div(X, P, reduction=r),
    ],
)
def test_a_reduction_must_be_known(call: Any) -> None:
    with pytest.raises(tg.InputError, match=r"reduction must be one of mean, .*sum, none; got 'average'"):
        call("average")


def test_options_must_make_sense() -> None:
    with pytest.raises(tg.InputError, match="beta must not be negative; got -1"):
        F.smooth_l1_loss(X, P, beta=-1)
    with pytest.raises(tg.InputError, match="delta must be positive; got 0"):
        F.huber_loss(X, P, delta=0)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_probabilities_must_be_probabilities(wrong: float) -> None:
    with pytest.raises(tg.InputError, match=r"a probability must lie in \[0, 1\]; got .*\. Apply sigmoid first"):
        F.binary_cross_entropy([0.5, wrong], [1.0, 1.0])


def test_certain_probabilities_have_finite_losses() -> None:
    p = tg.Tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    losses = F.binary_cross_entropy(p, [0.0, 1.0, 1.0, 0.0], reduction="none")
    assert losses.tolist() == [0.0, 0.0, 100.0, 100.0]
    losses.sum().backward()
    assert np.isfinite(p.grad.data).all()


def test_a_target_of_zero_has_no_divergence() -> None:
    t = tg.Tensor([0.0, 1.0], requires_grad=True)
    assert F.kl_div([-3.0, -0.5], t, reduction="none").tolist() == [0.0, 0.5]


def test_a_batch_of_one_number_has_a_batchmean() -> None:
    assert F.kl_div(-1.0, 1.0, reduction="batchmean").item() == 1.0


def test_integer_targets_do_not_widen_float32() -> None:
    x = tg.Tensor(X, dtype=np.float32)
    assert F.binary_cross_entropy_with_logits(x, np.ones((5, 3), dtype=int)).dtype == np.float32
    assert F.cross_entropy(x, CLASSES, weight=[1.0, 2.0, 3.0], label_smoothing=0.1).dtype == np.float32
