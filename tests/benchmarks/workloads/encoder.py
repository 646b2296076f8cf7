"""A pre-norm encoder block of the Transformer, with LayerNorm or BatchNorm: forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import tinygrad_norm as tg

from ..declaration import OURS, Array, Bar, Peer, Setting, Step, Workload
from ..dialect import Dialect, Model, Problem, differentiating, gradients_of
from ..libraries import hips_autograd, jax_jit, ours, ours_program, pytorch

BATCH, WORDS, HEADS = 32, 100, 4
NORMS = {"layer": "LayerNorm", "batch": "BatchNorm"}


def block(norm: str) -> Model:
    """Return the block x + Attention(Norm(x)), then + MLP(Norm(·))."""

    def model(d: Dialect, constants: Mapping[str, Any], p: Mapping[str, Any]) -> Any:
        x = constants["x"]
        normalize = d.layer_norm if norm == "layer" else d.batch_norm
        batch, words, width = x.shape

        def heads(t: Any) -> Any:
            return t.reshape((batch, words, HEADS, width // HEADS)).swapaxes(1, 2)

        h = normalize(x, p["gamma1"], p["beta1"])
        q, k, v = (heads(d.linear(h, p[f"W{name}"], p[f"b{name}"])) for name in "qkv")
        attended = d.attention(q, k, v).swapaxes(1, 2).reshape((batch, words, width))
        x = x + d.linear(attended, p["Wo"], p["bo"])
        h = normalize(x, p["gamma2"], p["beta2"])
        return x + d.linear(d.relu(d.linear(h, p["W1"], p["b1"])), p["W2"], p["b2"])

    return model


def problem(width: int, norm: str, batch: int = BATCH, words: int = WORDS) -> Callable[[Setting], Problem]:
    """Return what makes the problem: random words, parameters and cotangent."""

    def make(setting: Setting) -> Problem:
        rng = np.random.default_rng(setting.seed)
        shapes = dict.fromkeys(("Wq", "Wk", "Wv", "Wo"), (width, width))
        shapes |= {"W1": (width, 4 * width), "W2": (4 * width, width)}
        parameters: dict[str, Array] = {}
        for name, shape in shapes.items():
            parameters[name] = rng.normal(size=shape) / shape[0] ** 0.5
            parameters[name.replace("W", "b")] = 0.1 * rng.normal(size=shape[1])
        for i in "12":
            parameters[f"gamma{i}"] = rng.uniform(0.5, 1.5, width)
            parameters[f"beta{i}"] = 0.1 * rng.normal(size=width)
        x, cotangent = rng.normal(size=(2, batch, words, width))
        return Problem(block(norm), {"x": x}, parameters, cotangent).timed(setting)

    return make


def matmuls(width: int) -> Callable[[Setting], Step]:
    """Return what makes the step that computes the block's matrix products and nothing else: the floor."""

    def build(setting: Setting) -> Step:
        rng = np.random.default_rng(setting.seed)
        rows, depth = BATCH * WORDS, width // HEADS

        def draw(*shape: int) -> Array:
            return rng.normal(size=shape).astype(np.float32)

        x, inner = draw(rows, width), draw(rows, 4 * width)
        square, wide, tall = draw(width, width), draw(width, 4 * width), draw(4 * width, width)
        q = draw(BATCH, WORDS, HEADS, depth).swapaxes(1, 2)
        weights = draw(BATCH, HEADS, WORDS, WORDS)

        def step() -> None:
            for _ in range(4):  # the projections: forward, by the input, by the weight
                x @ square
                x @ square.T
                x.T @ x
            for _ in range(2):  # scores and mixture: forward and by both operands
                q @ q.mT
                weights @ q
                weights.mT @ q
            x @ wide
            inner @ wide.T
            x.T @ inner
            inner @ tall
            x @ tall.T
            inner.T @ x

        return Step({"step": step}, dict)

    return build


def split(make: Callable[[Setting], Problem]) -> Callable[[Setting], Step]:
    """Return what makes the step that runs a program of half of the batch on two threads.

    What is split is a mean over the batch: of 32 times each sentence's share, so that the gradients are those of all.
    """

    def build(setting: Setting) -> Step:
        given, dialect = make(setting), ours.load()
        parameters = ours.leaves(given.parameters)

        def loss(x: Any, cotangent: Any) -> tg.Tensor:
            return tg.sum(given.model(dialect, {"x": x}, parameters) * cotangent) * (BATCH / len(x))

        x, cotangent = given.constants["x"], given.cotangent
        assert cotangent is not None
        half = BATCH // 2
        halves = tg.split_batch(tg.program(loss, x[:half], cotangent[:half]), 2)

        def step() -> None:
            for parameter in parameters.values():
                parameter.grad = None
            halves(x, cotangent)

        return Step({"step": step}, lambda: gradients_of({name: np.asarray(p.grad) for name, p in parameters.items()}))

    return build


def encoder(width: int, norm: str, bars: tuple[Bar, ...]) -> Workload:
    """Return the workload of one width and norm."""
    libraries = (
        ours.LIBRARY,
        ours_program.LIBRARY,
        pytorch.COMPOSED,
        pytorch.FUSED,
        jax_jit.LIBRARY,
        hips_autograd.LIBRARY,
    )
    return Workload(
        id=f"encoder{width}-{norm}",
        title=f"pre-norm encoder block, {BATCH} × {WORDS} × {width}, {HEADS} heads, {NORMS[norm]}, float32",
        peers=(
            *(differentiating(library, problem(width, norm)) for library in libraries),
            Peer("matmuls-only", None, matmuls(width)),
            *([Peer("split-batch", None, split(problem(width, norm)))] if norm == "layer" else []),
        ),
        bars=bars,
        # Six layers of sums over up to 1024 numbers: 1024^½ · 6 · 6e-8 ≈ 1e-5, and ten times that to spare.
        single=1e-4,
        rounds=30 if width < 100 else 15,
        memory_steps=10,
    )


AT_64 = (
    *(Bar(1.3, "torch-composed"), Bar(1.0, "torch-fused", aim=True)),
    *(Bar(0.97, OURS, of="program"), Bar(1.6, "matmuls-only", of="program")),
    *(Bar(1.1, "torch-fused", of="split-batch"), Bar(1.05, "torch-composed", of="split-batch")),
)
AT_256 = (
    *(Bar(1.0, "torch-composed"), Bar(1.1, "torch-fused"), Bar(1.2, "matmuls-only", aim=True)),
    *(Bar(1.05, "torch-fused", of="split-batch"), Bar(1.05, "torch-composed", of="split-batch")),
)
ENCODERS = tuple(encoder(width, norm, bars) for width, bars in ((64, AT_64), (256, AT_256)) for norm in NORMS)
