"""How far the statistics that a batch norm sees are from the running ones that it uses in evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import numpy as np

from ... import nn
from ...context import no_grad


@no_grad()
def drift(model: nn.Module, batches: Iterable[tuple[Any, ...]]) -> float | None:
    """Return the distance of the batches' means from the running means, in running deviations.

    The root mean square, over batches, batch-norm layers and features, of (batch mean − running mean) / running
    deviation; None for a model without batch norm. Of n independent positions one would expect about 1/√n.
    """
    if not batch_norms(model):
        return None
    squares = []
    for inputs in batches:
        # With momentum 1 a copy's running statistics become those of the batch.
        copy = deepcopy(model).eval()
        for layer in batch_norms(copy):
            layer.momentum = 1.0
            layer.train()
        copy(*inputs)
        for seen, kept in zip(batch_norms(copy), batch_norms(model), strict=True):
            deviation = np.sqrt(np.asarray(kept.running_var) + kept.eps)
            squares.append(((np.asarray(seen.running_mean) - np.asarray(kept.running_mean)) / deviation) ** 2)
    return float(np.sqrt(np.mean(squares)))


def batch_norms(model: nn.Module) -> list[nn.BatchNorm1d]:
    """Return the batch-norm layers of a model."""
    return [part for part in model.modules() if isinstance(part, nn.BatchNorm1d)]
