"""Many operations on few numbers: a network of single numbers as micrograd's, and a recurrent one over 20 steps."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from ..declaration import OURS, Array, Bar, Setting, Workload
from ..dialect import Dialect, Problem, differentiating
from ..libraries import hips_autograd, my_grad, ours, ours_program, pytorch

SIZES = (3, 4, 4, 1)
POINTS = (((2.0, 3.0, -1.0), 1.0), ((3.0, -1.0, 0.5), -1.0), ((0.5, 1.0, 1.0), -1.0), ((1.0, 1.0, -1.0), 1.0))
STEPS, BATCH, WIDTH = 20, 4, 16


def numbers_model(d: Dialect, x: Mapping[str, Any], p: Mapping[str, Any]) -> Any:
    """Return Σ (network − target)² over four points; every parameter is a single number."""
    total: Any = 0.0
    for point, target in POINTS:
        values: list[Any] = list(point)
        for layer, (inward, outward) in enumerate(pairwise(SIZES)):
            sums: list[Any] = [p[f"b{layer}{j}"] for j in range(outward)]
            for j in range(outward):
                for i in range(inward):
                    sums[j] = sums[j] + p[f"w{layer}{i}{j}"] * values[i]
            values = [d.tanh(s) for s in sums]
        total = total + (values[0] - target) ** 2
    return total


def numbers_problem(setting: Setting) -> Problem:
    """Return random weights, each a single number."""
    rng = np.random.default_rng(setting.seed)
    parameters: dict[str, Array] = {}
    for layer, (inward, outward) in enumerate(pairwise(SIZES)):
        parameters |= {f"w{layer}{i}{j}": np.array(rng.uniform(-1, 1)) for i in range(inward) for j in range(outward)}
        parameters |= {f"b{layer}{j}": np.array(rng.uniform(-1, 1)) for j in range(outward)}
    return Problem(numbers_model, {}, parameters)


def recurrent_model(d: Dialect, x: Mapping[str, Any], p: Mapping[str, Any]) -> Any:
    """Return Σ h² after 20 steps of h = tanh(x W + h U + b)."""
    h = x["h"]
    for t in range(STEPS):
        h = d.tanh(x[f"x{t}"] @ p["W"] + h @ p["U"] + p["b"])
    return d.total(h * h)


def recurrent_problem(setting: Setting) -> Problem:
    """Return random inputs and weights."""
    rng = np.random.default_rng(setting.seed)
    constants = {"h": np.zeros((BATCH, WIDTH)), **{f"x{t}": rng.normal(size=(BATCH, WIDTH)) for t in range(STEPS)}}
    weights = {name: rng.normal(size=(WIDTH, WIDTH)) / WIDTH**0.5 for name in "WU"}
    return Problem(recurrent_model, constants, {**weights, "b": rng.normal(size=WIDTH)})


LIBRARIES = (ours.LIBRARY, ours_program.LIBRARY, pytorch.COMPOSED, my_grad.LIBRARY, hips_autograd.LIBRARY)
NUMBERS = Workload(
    id="numbers",
    title="3-4-4-1 with tanh on four points, 41 parameters, every value a single number, forward and backward",
    peers=tuple(differentiating(library, numbers_problem) for library in LIBRARIES),
    bars=(Bar(0.2, OURS, of="program"),),
    repeat=5,
    rounds=40,
)
RECURRENT = Workload(
    id="recurrent",
    title="tanh(x W + h U + b) over 20 steps, batch 4, width 16, float64, forward and backward",
    peers=tuple(differentiating(library, recurrent_problem) for library in LIBRARIES),
    bars=(Bar(0.45, OURS, of="program"),),
    repeat=10,
    rounds=40,
)
