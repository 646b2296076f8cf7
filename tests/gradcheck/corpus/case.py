"""What a case of the corpus is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Pair = tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]


@dataclass(frozen=True)
class Case:
    """A function, a backward pass and a point, drawn from a seed; and what the check must say about it.

    ``expect`` is ``right`` for a case to accept; for a planted mistake its code, or ``unnamed``.
    """

    name: str
    make: Callable[[np.random.Generator], Pair]
    expect: str = "right"


def elementwise(f: Callable[..., Any], slope: Callable[..., Any], draw: Callable[..., Any]) -> Callable[..., Pair]:
    """Return the maker of an elementwise case: ``slope(x, out)`` times g is its gradient."""

    def make(rng: np.random.Generator) -> Pair:
        return f, lambda g, out, x: g * slope(x, out), (draw(rng),)

    return make


def fixed(forward: Callable[..., Any], backward: Callable[..., Any], *draws: Callable[..., Any]) -> Callable[..., Pair]:
    """Return the maker of a case whose functions do not depend on the seed."""

    def make(rng: np.random.Generator) -> Pair:
        return forward, backward, tuple(draw(rng) for draw in draws)

    return make


def normal(*shape: int, scale: float = 1.0, offset: float = 0.0) -> Callable[[np.random.Generator], Any]:
    """Return a drawer of Gaussian arrays."""
    return lambda rng: offset + scale * rng.standard_normal(shape)


def positive(*shape: int) -> Callable[[np.random.Generator], Any]:
    """Return a drawer of numbers between ½ and 2½."""
    return lambda rng: rng.uniform(0.5, 2.5, shape)


def away_from_zero(*shape: int) -> Callable[[np.random.Generator], Any]:
    """Return a drawer of numbers of both signs, at least 0.3 from zero."""
    return lambda rng: rng.choice([-1.0, 1.0], shape) * rng.uniform(0.3, 2.0, shape)


def put(draw: Callable[..., Any], value: float, *places: int) -> Callable[[np.random.Generator], Any]:
    """Return a drawer that sets some flat entries to a value: a kink, a zero, a tie."""

    def drawn(rng: np.random.Generator) -> Any:
        x = draw(rng)
        x.reshape(-1)[list(places)] = value
        return x

    return drawn


def sigmoid(x: Any) -> Any:
    """Return 1/(1 + e⁻ˣ)."""
    return 1 / (1 + np.exp(-x))


def softmax(x: Any) -> Any:
    """Return the softmax along the last axis."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def keep_mean(x: Any, axis: int = -1) -> Any:
    """Return the mean along an axis, which stays."""
    return x.mean(axis, keepdims=True)


def keep_sum(x: Any, axis: int = -1) -> Any:
    """Return the sum along an axis, which stays."""
    return x.sum(axis, keepdims=True)
