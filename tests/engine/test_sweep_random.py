"""Graphs drawn at random: reverse mode against forward mode, which is computed here with dual numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_norm as tg

Dual = tuple[np.ndarray, np.ndarray]  # a value and its derivative along the tangents of the leaves

BINARY: list[tuple[Callable[[Any, Any], Any], Callable[[Dual, Dual], np.ndarray]]] = [
    (lambda a, b: a + b, lambda a, b: a[1] + b[1]),
    (lambda a, b: a - b, lambda a, b: a[1] - b[1]),
    (lambda a, b: a * b, lambda a, b: a[1] * b[0] + a[0] * b[1]),
    (lambda a, b: np.where(a > b, a, b), lambda a, b: np.where(a[0] > b[0], a[1], b[1])),
]
# Linear, so the tangent goes through the same function.
LINEAR: list[Callable[[Any], Any]] = [
    lambda a: -a,
    lambda a: a.T,
    lambda a: a[::-1],
    lambda a: a[np.array([1, 1, 0])],
    lambda a: a + np.sum(a, axis=0),
    lambda a: a - np.mean(a, axis=1, keepdims=True),
    lambda a: np.broadcast_to(np.sum(a), (3, 3)),
    lambda a: np.stack([a[0], a[2], a[0]]),
    lambda a: np.cumsum(a, axis=0),
    lambda a: a @ np.arange(9.0).reshape(3, 3) * 0.25,
]

steps = st.lists(
    st.tuples(st.integers(0, 5 + len(LINEAR)), st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=14
)


@settings(max_examples=150)
@given(steps=steps, leaves=st.integers(1, 3), seed=st.integers(0, 2**32 - 1))
def test_reverse_mode_agrees_with_forward_mode(steps: Any, leaves: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = [rng.uniform(-1.2, 1.2, (3, 3)) for _ in range(leaves)]
    tangents = [rng.standard_normal((3, 3)) for _ in range(leaves)]
    tensors = [tg.Tensor(x, requires_grad=True) for x in points]
    inputs = list(tensors)
    duals: list[Dual] = list(zip(points, tangents, strict=True))
    for kind, i, j in steps:
        a, b = i % len(tensors), j % len(tensors)
        if kind < 6:
            f, derivative = BINARY[kind % len(BINARY)]
            tensors.append(f(tensors[a], tensors[b]))
            duals.append((f(duals[a][0], duals[b][0]), derivative(duals[a], duals[b])))
        else:
            g = LINEAR[kind - 6]
            tensors.append(g(tensors[a]))
            duals.append((g(duals[a][0]), g(duals[a][1])))
    ends = tensors[-2:]
    us = [rng.standard_normal((3, 3)) for _ in ends]
    expected = sum(float(np.sum(u * d[1])) for u, d in zip(us, duals[-2:], strict=True))
    size = 1.0 + sum(float(np.sum(np.abs(u * d[1]))) for u, d in zip(us, duals[-2:], strict=True))
    for t, d in zip(tensors, duals, strict=True):
        np.testing.assert_allclose(t.data, d[0], rtol=1e-12, atol=1e-12)

    for create_graph in (False, True, False):
        found = tg.gradients(ends, inputs, us, create_graph=create_graph)
        mine = sum(float(np.sum(g.data * v)) for g, v in zip(found, tangents, strict=True))
        assert abs(mine - expected) <= 1e-10 * size

    # The same by way of every tensor in between: nothing is counted twice or lost where a path is cut in two.
    middle = len(tensors) // 2
    at_middle = tg.gradients(ends, tensors[: middle + 1], us)
    assert all(np.all(np.isfinite(g)) for g in at_middle)
    for t in tensors:
        if not t.is_leaf:
            t.retain_grad()
    total = sum(((end * u).sum() for end, u in zip(ends, us, strict=True)), start=tg.Tensor(0.0))
    total.backward()
    for t, g in zip(tensors[: middle + 1], at_middle, strict=True):
        kept = np.zeros((3, 3)) if t.grad is None else np.asarray(t.grad)
        np.testing.assert_allclose(kept, np.asarray(g), rtol=1e-10, atol=1e-10 * size)
