"""What a case of the corpus is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Pair = tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]
#: Draws a function, a backward pass and a point.
Maker = Callable[[np.random.Generator], Pair]


@dataclass(frozen=True)
class Case:
    """A function, a backward pass and a point, drawn from a seed; and what the check must say about it.

    ``expect`` is ``right`` for a case to accept; for a planted mistake its code, or ``unnamed``.
    """

    name: str
    make: Maker
    expect: str = "right"


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


def elementwise(f: Callable[..., Any], slope: Callable[..., Any], draw: Callable[..., Any] | None = None) -> Maker:
    """Return the maker of an elementwise case: ``slope(x, out)`` times g is its gradient."""
    return fixed(f, lambda g, out, x: g * slope(x, out), *([] if draw is None else [draw]))


def fixed(forward: Callable[..., Any], backward: Callable[..., Any], *draws: Callable[..., Any]) -> Maker:
    """Return the maker of a case whose functions do not depend on the seed; one Gaussian (5, 7) unless drawn."""
    return lambda rng: (forward, backward, tuple(draw(rng) for draw in draws or [normal(5, 7)]))


#: What several inputs are often drawn from: two of one shape, rows or columns with a scale and a shift, and so on.
PAIR = (normal(5, 7), normal(5, 7))
BIASED = (normal(5, 7), normal(7))
ROWS = (normal(5, 7), normal(7), normal(7))
COLUMNS = (normal(7, 5), normal(5), normal(5))
FACTORS = (normal(5, 3), normal(3, 7))
SQUARE = (normal(5, 3), normal(3, 3))
HEADS = (normal(2, 5, 3), normal(2, 5, 3), normal(2, 5, 3))


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
