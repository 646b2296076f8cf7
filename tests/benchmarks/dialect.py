"""One model, many libraries: a model is written once, in the words of a :class:`Dialect` that each library fills in.

A library may offer two dialects: its own fused functions, and the formulas of ``composed``, put together from its
elementary operations as this project's are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from .declaration import Array, Numbers, Peer, Setting, Step

Model: TypeAlias = Callable[["Dialect", Mapping[str, Any], Mapping[str, Any]], Any]
"""From a dialect, constants and parameters to a result."""


@dataclass(frozen=True)
class Problem:
    """A model with its numbers; the ``cotangent`` of its result is None where that is one number, a loss."""

    model: Model
    constants: Numbers
    parameters: Numbers
    cotangent: Array | None = None

    def timed(self, setting: Setting) -> Problem:
        """Return the problem in float32, in which it is timed, or in float64, in which the peers are compared."""
        return self if setting.double else self.in_single()

    def in_single(self) -> Problem:
        """Return the problem with its floating-point numbers in float32."""
        cotangent = None if self.cotangent is None else single(self.cotangent)
        constants = {name: single(array) for name, array in self.constants.items()}
        return Problem(self.model, constants, {name: single(a) for name, a in self.parameters.items()}, cotangent)


def single(array: Array) -> Array:
    """Return an array of floating-point numbers in float32, another as it is."""
    return array.astype(np.float32) if array.dtype.kind == "f" else array


@dataclass(frozen=True)
class Dialect:
    """How a library says what the models are made of.

    ====================== ===================================================================================
    linear(x, w, b)        x @ w + b, the weight (in, out)
    layer_norm(x, γ, β)    over the last axis, eps 1e-5
    batch_norm(x, γ, β)    over all axes but the last, with the statistics of this batch, eps 1e-5
    attention(q, k, v)     softmax(q kᵀ / √d) v for (batch, heads, time, d)
    relu(x), tanh(x)       max(x, 0), and the hyperbolic tangent
    cross_entropy(z, y)    the mean of −log softmax(z) at the labels y
    total(x)               the sum of all entries
    differentiate(problem) the step that computes the result and the gradient of every parameter
    train(problem)         the step that does so and then takes a step of Adam (1e-3)
    ====================== ===================================================================================
    """

    linear: Callable[[Any, Any, Any], Any]
    layer_norm: Callable[[Any, Any, Any], Any]
    batch_norm: Callable[[Any, Any, Any], Any]
    attention: Callable[[Any, Any, Any], Any]
    relu: Callable[[Any], Any]
    tanh: Callable[[Any], Any]
    cross_entropy: Callable[[Any, Any], Any]
    total: Callable[[Any], Any]
    differentiate: Callable[[Dialect, Problem], Step]
    train: Callable[[Dialect, Problem], Step] | None = None


@dataclass(frozen=True)
class Library:
    """A peer's name, the package to install, and what imports it and returns its dialect."""

    name: str
    package: str | None
    load: Callable[[], Dialect]


def differentiating(library: Library, problem: Callable[[Setting], Problem]) -> Peer:
    """Return the peer that differentiates a problem in a library's words."""

    def build(setting: Setting) -> Step:
        dialect = library.load()
        return dialect.differentiate(dialect, problem(setting))

    return Peer(library.name, library.package, build)


def training(library: Library, problem: Callable[[Setting], Problem]) -> Peer:
    """Return the peer that trains on a problem in a library's words."""

    def build(setting: Setting) -> Step:
        dialect = library.load()
        assert dialect.train is not None
        return dialect.train(dialect, problem(setting))

    return Peer(library.name, library.package, build)


def gradients_of(gradients: Mapping[str, Any]) -> dict[str, Any]:
    """Return gradients under the names that the peers' numbers are compared by."""
    return {f"gradient of {name}": gradient for name, gradient in gradients.items()}
