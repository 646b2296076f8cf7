"""How well a trained classifier does: right answers and loss, and how far batch norms are from what they learned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

from ... import functional as F
from ... import nn
from ...context import no_grad
from ...engine.details.array import Array


def rows_in_batches(count: int, size: int, rng: np.random.Generator | None = None) -> Iterator[Array]:
    """Yield the numbers of `count` rows in batches, in a random order if there is a generator.

    A last batch of one is left out: it has no deviation for a batch norm to divide by.
    """
    order = np.arange(count) if rng is None else rng.permutation(count)
    for start in range(0, count, size):
        rows = order[start : start + size]
        if len(rows) > 1 or count == 1:
            yield rows


class Examples(NamedTuple):
    """What a model takes, and the classes that it should find."""

    inputs: tuple[Any, ...]
    classes: Array

    def take(self, rows: Array) -> Examples:
        """Return these rows of each input, and their classes."""
        return Examples(tuple(part[rows] for part in self.inputs), self.classes[rows])

    def in_batches(self, size: int, rng: np.random.Generator | None = None) -> Iterator[Examples]:
        """Yield all of them in batches (see :func:`rows_in_batches`)."""
        return map(self.take, rows_in_batches(len(self.classes), size, rng))


@no_grad()
def accuracy_and_loss(model: nn.Module, examples: Examples) -> tuple[float, float]:
    """Return the share of examples whose largest score is the right class, and the cross-entropy.

    Both are those of evaluation mode; the model is left in the mode it was in.
    """
    mode = model.training
    scores = model.eval()(*examples.inputs)
    model.train(mode)
    right = scores.data.argmax(-1) == examples.classes
    return float(right.mean()), float(F.cross_entropy(scores, examples.classes).item())


@no_grad()
def batch_norm_drift(model: nn.Module, batches: Iterable[tuple[Any, ...]]) -> float | None:
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
