"""From a finished tape to the text of its drawing: plain graph data, then DOT, every operation visible."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

import tinygrad_norm as tg

from ..declaration import OURS, Bar, Numbers, Peer, Setting, Step, Workload

SIZES = (300, 3_000, 10_000)
OPERATIONS = 3
"""A layer is x + tanh(x · w): three operations."""


def deep(x: Any, w: Any, layers: int) -> Any:
    """Return the result of so many layers."""
    for _ in range(layers):
        x = x + (x * w).tanh()
    return x


def writing(result: Any, values: Callable[[Any], Any], dot: Callable[[Any], str]) -> Step:
    """Return the step that writes a result's graph."""
    texts: list[str] = []

    def step() -> None:
        texts[:] = [dot(result)]

    def numbers() -> Numbers:
        return {"result": np.asarray(values(result)), "is a graph": np.array("digraph" in texts[0])}

    return Step({"step": step}, numbers)


def start(setting: Setting) -> tuple[Any, Any]:
    """Return the first layer's input and the weights."""
    rng = np.random.default_rng(setting.seed)
    return rng.normal(size=4), rng.normal(size=4)


def with_ours(size: int) -> Callable[[Setting], Step]:
    """Return what builds this project's step."""

    def build(setting: Setting) -> Step:
        x, w = (tg.Tensor(array, requires_grad=True) for array in start(setting))
        result = deep(x, w, size // OPERATIONS)
        return writing(result, lambda y: y.numpy(), lambda y: str(tg.draw(y, depth=None).dot))

    return build


def with_torchviz(size: int) -> Callable[[Setting], Step]:
    """Return what builds torchviz's step."""

    def build(setting: Setting) -> Step:
        torch: Any = import_module("torch")
        torchviz: Any = import_module("torchviz")
        x, w = (torch.tensor(array, requires_grad=True) for array in start(setting))
        result = deep(x, w, size // OPERATIONS)
        return writing(result, lambda y: y.detach().numpy(), lambda y: str(torchviz.make_dot(y).source))

    return build


def graph(size: int) -> Workload:
    """Return the workload of one size."""
    return Workload(
        id=f"graph-{size}",
        title=f"plain graph and DOT text of {size:,} operations",
        peers=(Peer(OURS, None, with_ours(size)), Peer("torchviz", "torchviz", with_torchviz(size))),
        bars=(Bar(1.0),) if size == max(SIZES) else (),
        rounds=5,
    )


GRAPHS = tuple(graph(size) for size in SIZES)
