"""A batch in parts on threads: loss and gradients are those of the whole; what belongs to all parts is refused."""

from __future__ import annotations

from threading import Thread
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.engine.tensor import accumulating

RNG = np.random.default_rng(6)
X, T = RNG.standard_normal((7, 5, 6)), RNG.standard_normal((7, 5, 6))


@pytest.mark.parametrize("n", [1, 2, 3, 7])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_is_the_whole_batch_to_rounding(n: int, dtype: Any) -> None:
    model = nn.TransformerEncoderLayer(6, 2, 7, 0.0, batch_first=True).astype(dtype)
    x, t = X.astype(dtype), T.astype(dtype)

    def loss(x: Any, t: Any, scale: float = 1.0) -> tg.Tensor:
        return tg.functional.mse_loss(model(x) * scale, t)

    whole = loss(x, t, scale=2.0)
    whole.backward()
    expected = [p.grad.data for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    found = tg.split_batch(loss, n)(x, tg.Tensor(t), scale=2.0)
    assert not found.requires_grad
    assert found.dtype == dtype
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(found.data, whole.data, rtol=8 * eps)
    for p, e in zip(model.parameters(), expected, strict=True):
        assert p.grad is not None
        # Sums of 35 terms in another order: at most so many roundings of the largest of them.
        np.testing.assert_allclose(p.grad.data, e, rtol=0, atol=35 * eps * max(1.0, float(np.abs(e).max())))


def test_a_program_can_be_split_too() -> None:
    model = nn.Linear(6, 2)
    whole = (model(X) ** 2).mean()
    expected = [g.data for g in tg.gradients(whole, list(model.parameters()))]
    for _ in range(20):  # each time both threads record anew, one of them perhaps while the other adds its gradients
        program = tg.program(lambda x: (model(x) ** 2).mean(), X[:3])
        model.zero_grad()
        np.testing.assert_allclose(tg.split_batch(program, 2)(X).data, whole.data, rtol=1e-14)
        for p, e in zip(model.parameters(), expected, strict=True):
            assert p.grad is not None
            np.testing.assert_allclose(p.grad.data, e, rtol=1e-12)


def test_no_gradient_is_added_while_a_program_is_recorded() -> None:
    w, free = tg.Tensor(np.ones(6), requires_grad=True), []

    def attempt() -> None:
        free.append(accumulating.acquire(blocking=False))
        if free[-1]:
            accumulating.release()

    def loss(x: Any) -> tg.Tensor:
        other = Thread(target=attempt)
        other.start()
        other.join()
        return (x @ w).mean()

    tg.program(loss, X)
    assert set(free) == {False}


@pytest.mark.parametrize("function", [False, True])
def test_batch_norm_in_training_is_refused_and_nothing_has_changed(function: bool) -> None:
    model = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6))
    before = {k: v.copy() for k, v in model.state_dict().items()}

    def loss(x: Any) -> tg.Tensor:
        y = tg.functional.batch_norm(model[0](x)) if function else model(x)
        return (y**2).mean()

    with pytest.raises(tg.InputError, match=r"no operation may look at the whole batch; .*batch_norm takes its mean"):
        tg.split_batch(loss)(X[:, 0])
    assert all(np.array_equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    model.eval()
    if not function:
        np.testing.assert_allclose(tg.split_batch(loss)(X[:, 0]).data, loss(X[:, 0]).data, rtol=1e-13)


def test_what_cannot_be_split_is_refused() -> None:
    w = tg.Tensor(np.ones(6), requires_grad=True)
    with pytest.raises(tg.InputError, match="n must be a positive integer; got 0"):
        tg.split_batch(lambda x: (x @ w).mean(), 0)
    for args in ((X, T[:3]), (X[:1],), (np.array(1.0),), ()):
        with pytest.raises(tg.ShapeError, match="arrays must have one batch axis of at least 2 entries"):
            tg.split_batch(lambda *xs: (xs[0] @ w).mean())(*args)
    with pytest.raises(tg.OperandError, match=r"the loss must be one number; got shape"):
        tg.split_batch(lambda x: x @ w)(X)
    with pytest.raises(tg.ShapeError, match="matmul"):
        tg.split_batch(lambda x: (x @ w[:2]).mean())(X)


def test_blas_has_one_thread_meanwhile() -> None:
    threads = pytest.importorskip("threadpoolctl", reason="threadpoolctl is not installed").threadpool_info
    w, seen = tg.Tensor(np.ones(6), requires_grad=True), set()

    def loss(x: Any) -> tg.Tensor:
        seen.update(found["num_threads"] for found in threads() if found["user_api"] == "blas")
        return (x @ w).mean()

    step, before = tg.split_batch(loss), threads()
    step(X)
    seen.clear()  # its first call begins with one that looks for batch norms
    step(X)
    assert seen == {1}
    assert threads() == before
