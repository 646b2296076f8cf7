"""A chain of scalar additions: what one recorded operation costs to build, to differentiate and to free."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

import tinygrad_norm as tg

from ..declaration import OURS, Bar, Numbers, Peer, Setting, Step, Workload

LENGTHS = {"chain": 100_000, "chain-million": 1_000_000}


def phases(length: int, start: Callable[[], Any], gradient: Callable[[Any], Any]) -> Step:
    """Return the step of a library whose numbers add with ``+`` and have a ``backward`` method."""
    ends: list[Any] = []
    gradients: list[Any] = []

    def build() -> None:
        x = y = start()
        for _ in range(length):
            y = y + 1.0
        ends[:] = [x, y]

    def backward() -> None:
        ends[1].backward()

    def free() -> None:
        gradients[:] = [gradient(ends[0])]
        ends.clear()

    def numbers() -> Numbers:
        return {"gradient": np.asarray(gradients[0])}

    return Step({"build": build, "backward": backward, "free": free}, numbers)


def with_ours(length: int) -> Callable[[Setting], Step]:
    """Return what builds this project's step."""
    return lambda setting: phases(length, lambda: tg.Tensor(1.0, requires_grad=True), lambda x: np.asarray(x.grad))


def with_torch(length: int) -> Callable[[Setting], Step]:
    """Return what builds PyTorch's step."""

    def build(setting: Setting) -> Step:
        torch: Any = import_module("torch")
        return phases(
            length, lambda: torch.tensor(1.0, dtype=torch.float64, requires_grad=True), lambda x: x.grad.numpy()
        )

    return build


def with_mygrad(length: int) -> Callable[[Setting], Step]:
    """Return what builds MyGrad's step."""

    def build(setting: Setting) -> Step:
        mygrad: Any = import_module("mygrad")
        return phases(length, lambda: mygrad.tensor(1.0), lambda x: x.grad)

    return build


def with_autograd(length: int) -> Callable[[Setting], Step]:
    """Return what builds autograd's step, whose tape is built and freed around one call."""

    def build(setting: Setting) -> Step:
        autograd: Any = import_module("autograd")
        results: list[Any] = []

        def long_sum(x: Any) -> Any:
            for _ in range(length):
                x = x + 1.0
            return x

        def forward() -> None:
            results[:] = [autograd.make_vjp(long_sum)(1.0)[0]]

        def backward() -> None:
            results.append(results[0](1.0))

        def free() -> None:
            results[:] = results[1:]

        return Step(
            {"build": forward, "backward": backward, "free": free}, lambda: {"gradient": np.asarray(results[0])}
        )

    return build


def chain(name: str, length: int) -> Workload:
    """Return the workload of one length; the slow libraries take part in the short one only."""
    peers = [Peer(OURS, None, with_ours(length)), Peer("torch-composed", "torch", with_torch(length))]
    if length <= 100_000:
        peers += [Peer("mygrad", "mygrad", with_mygrad(length)), Peer("autograd", "autograd", with_autograd(length))]
    return Workload(
        id=name,
        title=f"{length:,} scalar additions: build, backward, free; for each node",
        peers=tuple(peers),
        bars=(Bar(5e-6), Bar(2e-6, aim=True), Bar(500, quantity="peak memory")),
        units=length,
        rounds=7 if length <= 100_000 else 3,
        memory_steps=1,
    )


CHAINS = tuple(chain(name, length) for name, length in LENGTHS.items())
