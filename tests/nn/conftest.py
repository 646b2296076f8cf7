"""What the tests of layers share: a numeric check of first and second derivatives by inputs and parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg

DIRECTIONS = 3


def flat(result: Any) -> list[tg.Tensor]:
    """A result's Tensors, one after the other."""
    if isinstance(result, tuple):
        return [r for part in result for r in flat(part)]
    return [] if result is None else [result]


@pytest.fixture
def check_derivatives(derivative: Callable[..., np.ndarray], close: Callable[..., None]) -> Callable[..., None]:
    """An assertion that first and second derivatives are right, with random parameters, cotangents and directions."""

    def check(module: tg.nn.Module, inputs: Sequence[Any], seed: int = 0, **kwargs: Any) -> None:
        rng = np.random.default_rng(seed)
        for p in module.parameters():
            p.data = rng.standard_normal(p.shape) * 0.5 + (p.ndim == 1)
        xs = [tg.Tensor(x, requires_grad=np.asarray(x).dtype.kind == "f") for x in inputs]
        variables = [*(x for x in xs if x.requires_grad), *module.parameters()]
        start = [v.data for v in variables]
        weights = [rng.standard_normal(v.shape) for v in variables]
        cotangents: list[np.ndarray] = []

        def value(*point: Any) -> tg.Tensor:
            """⟨cotangents, results⟩ at a point; dropout drops the same every time."""
            for v, array in zip(variables, point, strict=True):
                v.data = array
            tg.manual_seed(seed)
            results = flat(module(*xs, **kwargs))
            if not cotangents:
                cotangents.extend(rng.standard_normal(r.shape) for r in results)
            return sum(((r * c).sum() for r, c in zip(results, cotangents, strict=True)), tg.Tensor(0.0))

        def slope(*point: Any) -> tg.Tensor:
            """⟨weights, gradient⟩ at a point."""
            gradients = tg.gradients(value(*point), variables, create_graph=True)
            return sum(((g * w).sum() for g, w in zip(gradients, weights, strict=True)), tg.Tensor(0.0))

        for f in (value, slope):
            y = f(*start)
            found = tg.gradients(y, variables) if y.requires_grad else [tg.zeros(v.shape) for v in variables]
            for _ in range(DIRECTIONS):
                drawn = [rng.standard_normal(v.shape) for v in variables]
                # Of length one, whatever the number of variables: the differences' step is a length.
                length = np.sqrt(sum(float(np.vdot(d, d)) for d in drawn))
                along = [d / length for d in drawn]
                exact = sum(float(np.vdot(np.asarray(g), d)) for g, d in zip(found, along, strict=True))
                close(exact, derivative(lambda *p, f=f: f(*p).item(), start, along))

    return check
