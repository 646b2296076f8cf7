"""float16 ends at 65,504: no count and no sum of a function passes through it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F

MANY = 70_000
LABELS = np.zeros(MANY, int)
LABELS[::2] = -100
CLASSES: dict[str, Callable[[tg.Tensor], tg.Tensor]] = {
    "softmax": F.softmax,
    "log_softmax": F.log_softmax,
    "logsumexp": F.logsumexp,
    "layer_norm": lambda x: F.layer_norm(x, MANY),
    "rms_norm": lambda x: F.rms_norm(x, MANY),
    "cross_entropy": lambda x: F.cross_entropy(x, 3),
    "cross_entropy, smoothed": lambda x: F.cross_entropy(x, 3, label_smoothing=0.1),
}
POSITIONS: dict[str, Callable[[tg.Tensor], tg.Tensor]] = {
    "cross_entropy": lambda x: F.cross_entropy(x, LABELS),
    "cross_entropy, weighted": lambda x: F.cross_entropy(x, LABELS, weight=[2.0, 1.0]),
    "cross_entropy, soft": lambda x: F.cross_entropy(x, np.full((MANY, 2), 0.5)),
    "nll_loss": lambda x: F.nll_loss(x - 2, LABELS),
    "mse_loss": lambda x: F.mse_loss(x, np.ones((MANY, 2), x.dtype)),
    "kl_div": lambda x: F.kl_div(x - 2, np.full((MANY, 2), 0.5, x.dtype), "batchmean"),
}


def agree_in_both(function: Callable[[tg.Tensor], tg.Tensor], values: np.ndarray, scale: float) -> None:
    """The result, and the gradient times ``scale``, are those of float64, as nearly as float16 can say them."""
    found = []
    for dtype in (np.float16, np.float64):
        x = tg.Tensor(values.astype(dtype), requires_grad=True)
        y = function(x)
        assert y.dtype == dtype
        y.backward(np.full(y.shape, scale, dtype))
        found.append((y.data, x.grad.data))
    for half, double in zip(*found, strict=True):
        np.testing.assert_allclose(half, double, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("name", CLASSES)
def test_more_classes_than_float16_can_count(name: str) -> None:
    values = (np.arange(MANY) % 5 - 2).astype(np.float16)
    agree_in_both(CLASSES[name], values, 1.0 if name.endswith(("norm", "softmax")) else 1000.0)


@pytest.mark.parametrize("name", POSITIONS)
def test_more_positions_than_float16_can_count(name: str) -> None:
    agree_in_both(POSITIONS[name], (np.arange(2 * MANY) % 5 - 2).reshape(MANY, 2).astype(np.float16), 1000.0)
