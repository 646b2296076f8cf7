"""The lecture's table: five words of two features through a linear layer and a layer norm; forward and backward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..composed import EPS
from ..declaration import Bar, Peer, Setting, Step, Workload
from ..dialect import Dialect, Problem, differentiating, gradients_of
from ..libraries import hips_autograd, jax_jit, my_grad, ours, ours_program, pytorch

TABLE = np.array([[2.0, 3.0], [1.0, 1.0], [5.0, 4.0], [6.0, 1.0], [7.0, 1.0]])


def model(d: Dialect, x: Mapping[str, Any], p: Mapping[str, Any]) -> Any:
    """Return Σ y² for y = LayerNorm(x W + b)."""
    y = d.layer_norm(d.linear(x["x"], p["W"], p["b"]), p["gamma"], p["beta"])
    return d.total(y * y)


def problem(setting: Setting) -> Problem:
    """Return the table and random parameters."""
    rng = np.random.default_rng(setting.seed)
    parameters = {
        "W": rng.normal(size=(2, 3)),
        "b": rng.normal(size=3),
        "gamma": rng.uniform(0.5, 1.5, 3),
        "beta": rng.normal(size=3),
    }
    return Problem(model, {"x": TABLE}, parameters)


def by_hand(setting: Setting) -> Step:
    """Return both passes on arrays as one would write them for this network, with its parameters' gradients."""
    p = problem(setting).parameters
    add, found = np.add.reduce, {}

    def step() -> None:
        z = TABLE @ p["W"] + p["b"]
        centered = z - add(z, -1, keepdims=True) / 3
        deviation = np.sqrt(add(centered * centered, -1, keepdims=True) / 3 + EPS)
        normalized = centered / deviation
        y = normalized * p["gamma"] + p["beta"]
        found["result"] = add(y * y, None)
        g_y = 2 * y
        found["beta"], found["gamma"] = add(g_y, 0), add(g_y * normalized, 0)
        g_normalized = g_y * p["gamma"]
        projected = normalized * (add(g_normalized * normalized, -1, keepdims=True) / 3)
        g_centered = (g_normalized - projected) / deviation
        g_z = g_centered - add(g_centered, -1, keepdims=True) / 3
        found["b"], found["W"] = add(g_z, 0), TABLE.T @ g_z

    def numbers() -> dict[str, Any]:
        return {"result": np.asarray(found["result"]), **gradients_of({name: found[name] for name in p})}

    return Step({"step": step}, numbers)


def bare_forward(setting: Setting) -> Step:
    """Return the forward pass alone, as one would write it in NumPy: the floor of every library on NumPy."""
    x, p = TABLE, problem(setting).parameters
    result: list[Any] = []
    add = np.add.reduce

    def step() -> None:
        z = x @ p["W"] + p["b"]
        centered = z - add(z, -1, keepdims=True) / 3
        variance = add(centered * centered, -1, keepdims=True) / 3
        y = centered / np.sqrt(variance + EPS) * p["gamma"] + p["beta"]
        result[:] = [add(y * y, None)]

    return Step({"step": step}, lambda: {"result": np.asarray(result[0])})


TINY = Workload(
    id="tiny",
    title="the lecture's table, 5 × 2 → Linear → LayerNorm → Σ y², float64, forward and backward",
    peers=(
        *(
            differentiating(library, problem)
            for library in (
                ours.LIBRARY,
                ours_program.LIBRARY,
                ours_program.ARRAYS,
                pytorch.COMPOSED,
                pytorch.FUSED,
                jax_jit.LIBRARY,
                my_grad.LIBRARY,
                hips_autograd.LIBRARY,
            )
        ),
        Peer("by-hand", None, by_hand),
        Peer("numpy-forward", None, bare_forward),
    ),
    bars=(
        Bar(0.7, "torch-composed"),
        Bar(0.25, "mygrad"),
        Bar(0.25, "autograd"),
        Bar(1.0, "torch-fused", aim=True),
        Bar(0.35, "torch-fused", of="program"),
        Bar(0.15, "mygrad", of="program"),
        Bar(1.0, "jax-jit", of="program"),
        Bar(1.3, "by-hand", of="program"),
        Bar(1.05, "by-hand", of="program-arrays"),
    ),
    repeat=100,
    rounds=60,
)
