"""What 200 steps of an encoder block take from the machine at their peak, and what each step adds for good."""

from __future__ import annotations

from dataclasses import replace

from tinygrad_norm.memory import SWITCH

from ..declaration import Bar, Workload
from ..dialect import differentiating
from ..libraries import ours, pytorch
from .encoder import problem

RETURNING = "tinygrad_norm-returning"
"""This project with freed memory given back to the system, as without its module ``memory``."""

BLOCK = problem(64, "layer")

MEMORY = Workload(
    id="memory",
    title="encoder block of encoder64 (LayerNorm), 200 steps in a process of its own",
    peers=(
        *(differentiating(library, BLOCK) for library in (ours.LIBRARY, pytorch.COMPOSED, pytorch.FUSED)),
        replace(differentiating(ours.LIBRARY, BLOCK), name=RETURNING, environment={SWITCH: "0"}),
    ),
    bars=(
        Bar(1.2, "torch-composed", "peak memory"),
        Bar(1.0, "torch-composed", "peak memory", aim=True),
        Bar(1.2, "torch-fused", "peak memory", aim=True),
        # A leak of one gradient of a bias would be 256 bytes a step.
        Bar(256, quantity="growth"),
    ),
    single=1e-4,
    memory_steps=200,
    apart=True,
    rounds=5,
)
