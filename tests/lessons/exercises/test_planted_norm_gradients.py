"""Planted mistakes in the backward passes of whole norms: each must get the name it has, and cost no other point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Grade = Callable[..., Any]
OnlyFault = Callable[..., Any]
Planted = tuple[str, str, str, Callable[..., Any]]

X, GAMMA, BETA = "gradient of x", "gradient of gamma", "gradient of beta"


def mean(x: Any, axis: int = 1) -> Any:
    return x.mean(axis, keepdims=True)


def centered(x: Any, axis: int = 1) -> Any:
    return x - mean(x, axis)


def layer_norm(
    dx: Callable[..., Any] | None = None, dgamma: Callable[..., Any] | None = None, axis: int = 1
) -> Callable[..., Any]:
    """A backward pass of layer norm with another dx (of h, x̂, r, γ, g, eps) or dγ (of g, x, x̂, γ)."""

    def backward(g: Any, x: Any, gamma: Any, beta: Any, eps: Any) -> Any:
        r = 1 / np.sqrt(mean(centered(x, axis) ** 2, axis) + eps)
        n, h = centered(x, axis) * r, g * gamma
        right = r * (h - mean(h, axis) - n * mean(h * n, axis))
        first = right if dx is None else dx(h, n, r, gamma, g, eps)
        return first, (g * n).sum(0) if dgamma is None else dgamma(g, x, n, gamma), g.sum(0)

    return backward


def other_sigma(h: Any, n: Any, r: Any, other: Callable[[Any], Any]) -> Any:
    """The backward pass with another deviation in place of 1/r."""
    s = other(1 / r)
    n = n / r / s
    return (h - mean(h) - n * mean(h * n)) / s


LAYER_NORMS: list[Planted] = [
    ("layer_norm_backward", label, expected, wrong)
    for label, expected, wrong in (
        (X, "the path through the MEAN is missing along axis 1",
         layer_norm(lambda h, n, r, w, g, e: r * (h - n * mean(h * n)))),
        (X, "the path through the VARIANCE is missing along axis 1",
         layer_norm(lambda h, n, r, w, g, e: r * centered(h))),
        (X, "both statistics are treated as constants", layer_norm(lambda h, n, r, w, g, e: r * h)),
        (X, "the path through the VARIANCE has the wrong sign",
         layer_norm(lambda h, n, r, w, g, e: r * (centered(h) + n * mean(h * n)))),
        (X, "n and n − 1 are confused",
         layer_norm(lambda h, n, r, w, g, e: r * (centered(h) - n * mean(h * n) * len(h.T) / (len(h.T) - 1)))),
        (X, "the division by σ along axis 1 is missing",
         layer_norm(lambda h, n, r, w, g, e: centered(h) - n * mean(h * n))),
        (X, "divided by σ along axis 1 once too often",
         layer_norm(lambda h, n, r, w, g, e: r**2 * (centered(h) - n * mean(h * n)))),
        (X, "γ is forgotten", layer_norm(lambda h, n, r, w, g, e: r * (centered(g) - n * mean(g * n)))),
        (X, "γ is multiplied after the means",
         layer_norm(lambda h, n, r, w, g, e: w * r * (centered(g) - n * mean(g * n)))),
        (X, "eps stands outside the root",
         layer_norm(lambda h, n, r, w, g, e: other_sigma(h, n, r, lambda s: np.sqrt(s**2 - e) + e))),
        (X, "eps is forgotten", layer_norm(lambda h, n, r, w, g, e: other_sigma(h, n, r, lambda s: np.sqrt(s**2 - e)))),
        (X, "works along axis 0 instead of axis 1",
         layer_norm(lambda h, n, r, w, g, e: r * (h - mean(h, 0) - n * mean(h * n, 0)))),
        (X, "nothing arrives here", layer_norm(lambda h, n, r, w, g, e: 0 * h)),
        (GAMMA, "multiplied by x, not by x̂", layer_norm(None, lambda g, x, n, w: (g * x).sum(0))),
        (GAMMA, "multiplied by x − μ", layer_norm(None, lambda g, x, n, w: (g * centered(x)).sum(0))),
        (GAMMA, "multiplied by γ, which is only for the way to x",
         layer_norm(None, lambda g, x, n, w: (g * n * w).sum(0))),
        (GAMMA, "this is the gradient of β", layer_norm(None, lambda g, x, n, w: g.sum(0))),
        (GAMMA, "the broadcast over axis 0 is not summed back", layer_norm(None, lambda g, x, n, w: g * n)),
        (GAMMA, "the mean is not subtracted in x̂",
         layer_norm(None, lambda g, x, n, w: (g * x * mean(n / centered(x))).sum(0))),
    )
]  # fmt: skip


def masked(
    dx: Callable[..., Any] | None = None,
    dgamma: Callable[..., Any] | None = None,
    dbeta: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """A backward pass of masked batch norm: dx of the words from (h, x̂, r), dγ and dβ from (g, x, real, x̂)."""

    def backward(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
        r = 1 / np.sqrt(x[real].var(0) + eps)
        n = (x - x[real].mean(0)) * r
        h, words = (g * gamma)[real], n[real]
        right = r * (h - mean(h, 0) - words * mean(h * words, 0))
        out = np.zeros_like(x)
        out[real] = right if dx is None else dx(h, words, r)
        first = (g[real] * words).sum(0) if dgamma is None else dgamma(g, x, real, n)
        return out, first, g[real].sum(0) if dbeta is None else dbeta(g, x, real, n)

    return backward


def pads_counted(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
    """The means divide by all positions."""
    _, dgamma, dbeta = masked()(g, x, real, gamma, beta, eps)
    r = 1 / np.sqrt(x[real].var(0) + eps)
    n = np.where(real[:, None], (x - x[real].mean(0)) * r, 0)
    h = np.where(real[:, None], g * gamma, 0)
    return np.where(real[:, None], r * (h - mean(h, 0) - n * mean(h * n, 0)), 0), dgamma, dbeta


def pads_in(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
    """Plain batch norm; only what leaves and enters is masked."""
    _, dgamma, dbeta = masked()(g, x, real, gamma, beta, eps)
    dx, _, _ = masked()(g * real[:, None], x, real | True, gamma, beta, eps)
    return dx * real[:, None], dgamma, dbeta


def no_mask(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
    _, dgamma, dbeta = masked()(g, x, real, gamma, beta, eps)
    return masked()(g, x, real | True, gamma, beta, eps)[0], dgamma, dbeta


def pads_receive(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
    _, dgamma, dbeta = masked()(g, x, real, gamma, beta, eps)
    r = 1 / np.sqrt(x[real].var(0) + eps)
    n, h = (x - x[real].mean(0)) * r, g * gamma
    return r * (h - h[real].mean(0) - n * (h * n)[real].mean(0)), dgamma, dbeta


def inverted(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
    _, dgamma, dbeta = masked()(g, x, real, gamma, beta, eps)
    return masked()(g, x, ~real, gamma, beta, eps)[0], dgamma, dbeta


def plain_hat(x: Any) -> Any:
    return centered(x, 0) / np.sqrt(x.var(0) + (0.5 if len(x) == 7 else 1e-5))


MASKED: list[Planted] = [
    ("masked_batch_norm_backward", label, expected, wrong)
    for label, expected, wrong in (
        (X, "both statistics are treated as constants", masked(lambda h, n, r: r * h)),
        (X, "the path through the MEAN is missing along axis 0", masked(lambda h, n, r: r * (h - n * mean(h * n, 0)))),
        (X, "the path through the VARIANCE is missing along axis 0", masked(lambda h, n, r: r * centered(h, 0))),
        (X, "the division by σ along axis 0 is missing", masked(lambda h, n, r: centered(h, 0) - n * mean(h * n, 0))),
        (X, "works along axis 1 instead of axis 0", masked(lambda h, n, r: r * (centered(h) - n * mean(h * n)))),
        (X, "the means divide by all positions, pads included", pads_counted),
        (X, "the pads enter the statistics", pads_in),
        (X, "the pads enter the statistics and send their g back", no_mask),
        (X, "the pads receive a gradient, which must be 0", pads_receive),
        (X, "the mask is inverted", inverted),
        (X, "nothing arrives here", masked(lambda h, n, r: 0 * h)),
        (GAMMA, "the g of the pads is summed as well", masked(dgamma=lambda g, x, m, n: (g * n).sum(0))),
        (GAMMA, "the pads enter the statistics of x̂", masked(dgamma=lambda g, x, m, n: (g * plain_hat(x))[m].sum(0))),
        (GAMMA, "the pads enter the statistics of x̂ and send",
         masked(dgamma=lambda g, x, m, n: (g * plain_hat(x)).sum(0))),
        (GAMMA, "multiplied by x, not by x̂", masked(dgamma=lambda g, x, m, n: (g * x)[m].sum(0))),
        (BETA, "the g of the pads is summed as well", masked(dbeta=lambda g, x, m, n: g.sum(0))),
        (BETA, "the mean of g, not its sum", masked(dbeta=lambda g, x, m, n: g[m].mean(0))),
    )
]  # fmt: skip

PLANTED = [(10, *planted) for planted in LAYER_NORMS] + [(11, *planted) for planted in MASKED]


@pytest.mark.parametrize(
    ("number", "function", "label", "expected", "wrong"),
    PLANTED,
    ids=[f"{p[0]}-{p[2]}-{p[3]}" for p in PLANTED],
)
def test_a_planted_mistake_gets_its_name(
    only_fault: OnlyFault, number: int, function: str, label: str, expected: str, wrong: Callable[..., Any]
) -> None:
    verdict = only_fault(number, function, label, expected, wrong)
    assert verdict.code
    assert verdict.detail[-1].startswith("seen on ")


def test_axes_confused_everywhere(grade: Grade) -> None:
    verdicts = grade(10, layer_norm_backward=layer_norm(axis=0))
    assert verdicts[X].message == "works along axis 0 instead of axis 1"
    assert verdicts[GAMMA].message == "x̂ is normalized down the columns, not along the rows"
    assert verdicts[BETA].passed


def test_a_nan_costs_only_its_own_gradient(grade: Grade) -> None:
    verdicts = grade(10, layer_norm_backward=layer_norm(lambda h, n, r, w, g, e: h * np.nan))
    assert verdicts[X].message == "the gradient of x is not finite"
    assert verdicts[GAMMA].passed
    assert verdicts[BETA].passed
