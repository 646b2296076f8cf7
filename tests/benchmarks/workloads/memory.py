"""What 200 steps of an encoder block take from the machine at their peak, and what each step adds for good."""

from __future__ import annotations

from ..declaration import Bar, Workload
from ..dialect import differentiating
from ..libraries import ours, pytorch
from .encoder import problem

MEMORY = Workload(
    id="memory",
    title="encoder block of encoder64 (LayerNorm), 200 steps in a process of its own",
    peers=tuple(
        differentiating(library, problem(64, "layer"))
        for library in (ours.LIBRARY, pytorch.COMPOSED, pytorch.FUSED)
    ),
    bars=(
        Bar(1.2, "torch-composed", "peak memory"),
        Bar(1.0, "torch-composed", "peak memory", aim=True),
        Bar(1.2, "torch-fused", "peak memory", aim=True),
        # A leak of one gradient of a bias would be 256 bytes a step.
        Bar(256, quantity="growth"),
    ),
    tolerance=2e-4,
    timed=False,
    memory_steps=200,
)  # fmt: skip
