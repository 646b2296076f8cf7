"""A network of three linear layers on a batch of images: cross-entropy, backward, a step of Adam."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from ..declaration import OURS, Array, Bar, Setting, Workload
from ..dialect import Dialect, Problem, training
from ..libraries import hips_autograd, ours, ours_program, pytorch

WIDTHS = (784, 256, 256, 10)
BATCH = 128


def model(d: Dialect, x: Mapping[str, Any], p: Mapping[str, Any]) -> Any:
    """Return the cross-entropy of the batch."""
    h = x["images"]
    for layer in (1, 2):
        h = d.relu(d.linear(h, p[f"W{layer}"], p[f"b{layer}"]))
    return d.cross_entropy(d.linear(h, p["W3"], p["b3"]), x["labels"])


def problem(setting: Setting) -> Problem:
    """Return random images and labels."""
    rng = np.random.default_rng(setting.seed)
    parameters = {}
    for layer, (inward, outward) in enumerate(pairwise(WIDTHS), 1):
        parameters[f"W{layer}"] = rng.normal(size=(inward, outward)) * (2 / inward) ** 0.5
        parameters[f"b{layer}"] = np.zeros(outward)
    constants: dict[str, Array] = {
        "images": rng.random((BATCH, WIDTHS[0])),
        "labels": rng.integers(0, WIDTHS[-1], BATCH),
    }
    return Problem(model, constants, parameters).timed(setting)


MLP = Workload(
    id="mlp",
    title="784-256-256-10, batch 128, cross-entropy, backward, Adam step, float32",
    peers=tuple(
        training(library, problem)
        for library in (ours.LIBRARY, ours_program.LIBRARY, pytorch.FUSED, hips_autograd.LIBRARY)
    ),
    bars=(Bar(1.0, OURS, of="program"),),
    # Sums of up to 784 terms through four layers: 784^½ · 4 · 6e-8 ≈ 7e-6, and ten times that to spare.
    single=1e-4,
    memory_steps=20,
)
