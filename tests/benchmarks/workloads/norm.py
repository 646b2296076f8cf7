"""LayerNorm and BatchNorm alone, on 3200 positions of 512 features: forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..declaration import Bar, Setting, Workload
from ..dialect import Dialect, Model, Problem, differentiating
from ..libraries import hips_autograd, jax_jit, ours, ours_program, pytorch

ROWS, FEATURES = 3200, 512


def normalized(norm: str) -> Model:
    """Return the norm of the parameter x."""

    def model(d: Dialect, constants: Mapping[str, Any], p: Mapping[str, Any]) -> Any:
        return (d.layer_norm if norm == "layer" else d.batch_norm)(p["x"], p["gamma"], p["beta"])

    return model


def problem(norm: str) -> Callable[[Setting], Problem]:
    """Return what makes random rows and a random cotangent."""

    def make(setting: Setting) -> Problem:
        rng = np.random.default_rng(setting.seed)
        x, cotangent = rng.normal(size=(2, ROWS, FEATURES))
        gamma, beta = rng.uniform(0.5, 1.5, (2, FEATURES))
        return Problem(normalized(norm), {}, {"x": x, "gamma": gamma, "beta": beta}, cotangent).timed(setting)

    return make


LIBRARIES = (
    ours.LIBRARY,
    ours_program.LIBRARY,
    pytorch.COMPOSED,
    pytorch.FUSED,
    jax_jit.LIBRARY,
    hips_autograd.LIBRARY,
)
NORMS = tuple(
    Workload(
        id=f"norm-{norm}",
        title=f"{name} alone, {ROWS} × {FEATURES}, float32, forward and backward",
        peers=tuple(differentiating(library, problem(norm)) for library in LIBRARIES),
        bars=(Bar(4.2, "torch-fused"), Bar(limit, "torch-fused", of="program")),
        # Sums over 3200 rows: 3200^½ · 6e-8 ≈ 3e-6, through two statistics, and ten times that to spare.
        single=1e-4,
        memory_steps=20,
    )
    for norm, name, limit in (("layer", "LayerNorm", 3.2), ("batch", "BatchNorm", 3.8))
)
