"""Checking the gradients of a self-attention layer with all its parameters against numeric derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

import tinygrad_norm as tg

from ..declaration import OURS, Array, Peer, Setting, Step, Workload
from ..dialect import Dialect
from ..libraries import ours, pytorch

BATCH, WORDS, WIDTH, HEADS = 2, 5, 8, 2
NAMES = ("Wq", "Wk", "Wv", "Wo", "bq", "bk", "bv", "bo")


def attention(d: Dialect) -> Callable[..., Any]:
    """Return self-attention as a function of the words and the eight parameters."""

    def layer(x: Any, *parameters: Any) -> Any:
        p = dict(zip(NAMES, parameters, strict=True))

        def heads(t: Any) -> Any:
            return t.reshape((BATCH, WORDS, HEADS, WIDTH // HEADS)).swapaxes(1, 2)

        q, k, v = (heads(d.linear(x, p[f"W{name}"], p[f"b{name}"])) for name in "qkv")
        return d.linear(d.attention(q, k, v).swapaxes(1, 2).reshape((BATCH, WORDS, WIDTH)), p["Wo"], p["bo"])

    return layer


def inputs(setting: Setting) -> list[Array]:
    """Return random words and parameters, in float64."""
    rng = np.random.default_rng(setting.seed)
    weights = [rng.normal(size=(WIDTH, WIDTH)) / WIDTH**0.5 for _ in range(4)]
    biases = [0.1 * rng.normal(size=WIDTH) for _ in range(4)]
    return [rng.normal(size=(BATCH, WORDS, WIDTH)), *weights, *biases]


def checking(run: Callable[[], Any]) -> Step:
    """Return the step that runs a check and keeps whether it passes."""
    verdicts: list[bool] = []

    def step() -> None:
        verdicts[:] = [bool(run())]

    return Step({"step": step}, lambda: {"passes": np.array(verdicts[0])})


def with_ours(setting: Setting) -> Step:
    """Return the step of this project's check."""
    layer, arrays = attention(ours.load()), inputs(setting)
    return checking(lambda: tg.gradcheck(layer, arrays, seed=setting.seed))


def with_torch(setting: Setting) -> Step:
    """Return the step of PyTorch's check."""
    torch: Any = import_module("torch")
    layer = attention(pytorch.put_together())
    tensors: Sequence[Any] = [torch.tensor(array, requires_grad=True) for array in inputs(setting)]
    return checking(lambda: torch.autograd.gradcheck(layer, tensors))


CHECK = Workload(
    id="check",
    title=f"gradcheck of self-attention, {BATCH} × {WORDS} × {WIDTH}, {HEADS} heads, by the words and all parameters",
    peers=(Peer(OURS, None, with_ours), Peer("torch-composed", "torch", with_torch)),
    bars=(),
    rounds=7,
)
