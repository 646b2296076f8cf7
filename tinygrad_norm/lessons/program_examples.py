"""Functions worth writing out as programs, each with its parameters as arguments, at the lecture's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from .. import functional
from ..engine.tensor import Tensor
from .graph_examples import KEYS, QUERIES, VALUES
from .lecture.notes import FEATURES, OUTPUTS, WORKED_BIAS, WORKED_WEIGHT

X = np.array(OUTPUTS, dtype=float)
GAMMA, BETA = np.ones(3), np.zeros(3)


def linear(x: Any, weight: Any, bias: Any) -> Tensor:
    """Return the linear layer of the lecture's two worked rows."""
    return functional.linear(x, weight, bias)


def layer_norm(x: Any, gamma: Any, beta: Any) -> Tensor:
    """Return layer normalization over three features."""
    return functional.layer_norm(x, 3, gamma, beta)


def batch_norm(x: Any, gamma: Any, beta: Any) -> Tensor:
    """Return batch normalization with the statistics of the batch."""
    return functional.batch_norm(x, weight=gamma, bias=beta)


def rms_norm(x: Any, gamma: Any) -> Tensor:
    """Return RMS normalization over three features."""
    return functional.rms_norm(x, 3, gamma, 1e-5)


def softmax(x: Any) -> Tensor:
    """Return exponentials that sum to 1 in each row."""
    return functional.softmax(x)


def attention(q: Any, k: Any, v: Any) -> Tensor:
    """Return scaled dot-product attention."""
    return functional.scaled_dot_product_attention(q, k, v)


def cross_entropy(x: Any, target: Any) -> Tensor:
    """Return the mean cross-entropy of rows of logits."""
    return functional.cross_entropy(x, target)


EXAMPLES: Mapping[str, tuple[Callable[..., Tensor], tuple[Any, ...]]] = MappingProxyType(
    {
        "linear": (linear, (np.array(FEATURES, float), np.array(WORKED_WEIGHT, float).T, np.array(WORKED_BIAS, float))),
        "layer_norm": (layer_norm, (X, GAMMA, BETA)),
        "batch_norm": (batch_norm, (X, GAMMA, BETA)),
        "rms_norm": (rms_norm, (X, GAMMA)),
        "softmax": (softmax, (X,)),
        "attention": (attention, (np.array(QUERIES), np.array(KEYS), np.array(VALUES))),
        "cross_entropy": (cross_entropy, (X, np.array([0, 1, 2, 0, 1]))),
    }
)
"""Each by name: the function, and where to record it."""
