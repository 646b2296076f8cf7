"""The models' parts put together from elementary operations, for any library with NumPy's methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EPS = 1e-5


def linear(x: Any, weight: Any, bias: Any) -> Any:
    """Return x @ weight + bias."""
    return x @ weight + bias


def norm(
    square: Callable[[Any], Any], sqrt: Callable[[Any], Any], over_rows: bool = False
) -> Callable[[Any, Any, Any], Any]:
    """Return (x − mean)/√(var + eps) · γ + β as a function of x, γ, β: over the last axis, or over all others."""

    def normalize(x: Any, gamma: Any, beta: Any) -> Any:
        axes = tuple(range(x.ndim - 1)) if over_rows else (x.ndim - 1,)
        centered = x - x.mean(axes, keepdims=True)
        variance = square(centered).mean(axes, keepdims=True)
        return centered / sqrt(variance + EPS) * gamma + beta

    return normalize


def attention(softmax: Callable[[Any], Any], q: Any, k: Any, v: Any) -> Any:
    """Return softmax(q kᵀ / √d) v."""
    return softmax((q * (1 / q.shape[-1] ** 0.5)) @ k.swapaxes(-1, -2)) @ v
