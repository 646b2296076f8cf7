"""Where the arrays go: one long vector, in which each has its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


class Store:
    """The vector that all arrays go into."""

    def __init__(self) -> None:
        self.parts: list[np.ndarray] = []
        self.length = 0

    def put(self, tensor: torch.Tensor) -> dict[str, Any]:
        array = tensor.detach().numpy()
        kind = {"f": "f", "i": "i", "b": "b"}[array.dtype.kind]
        entry = {"at": self.length, "shape": list(array.shape), "kind": kind}
        self.parts.append(array.astype(np.float64).ravel())
        self.length += array.size
        return entry

    def vector(self) -> np.ndarray:
        return np.concatenate(self.parts)


def randn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64)


def ints(high: int, *shape: int) -> torch.Tensor:
    return torch.randint(high, shape)
