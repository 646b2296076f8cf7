"""Train a classifier of digits and watch it: when it reaches nine in ten, and whether it diverges."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .... import functional as F
from .... import nn, optim
from ....context import no_grad
from ....engine.details.array import Array
from ....errors import AnomalyError
from .digits import Digits

BeforeStep = Callable[[int, Array, Array], object]

GOAL = 0.9
"""The share of held-out images to be named rightly."""


@dataclass(frozen=True)
class Fit:
    """How a training went.

    Attributes
    ----------
    reached : int or None
        The first step after which the accuracy on held-out images was seen to be :data:`GOAL`.
    accuracy, held_out_loss, loss : float
        At the end, in evaluation mode: on the held-out images, and on those trained on. Of a training that diverged:
        0, ∞ and ∞.
    losses : tuple of float
        Of the batch of each step.
    """

    reached: int | None
    accuracy: float
    held_out_loss: float
    loss: float
    losses: tuple[float, ...]

    @property
    def diverged(self) -> bool:
        """Whether the loss left the numbers."""
        return math.isinf(self.loss)


def fit(
    model: nn.Module,
    data: Digits,
    optimizer: optim.Optimizer,
    steps: int,
    rng: np.random.Generator,
    *,
    batch: int = 64,
    look_every: int = 5,
    before_step: BeforeStep = lambda step, images, classes: None,
) -> Fit:
    """Train on random batches and look at the held-out images now and then.

    ``before_step`` is called with the number of each step, from 1, and its batch, when the gradients are there.
    """
    losses: list[float] = []
    reached = None
    with np.errstate(all="ignore"):
        for step in range(1, steps + 1):
            chosen = rng.choice(len(data.images), batch, replace=False)
            images, classes = data.images[chosen], data.classes[chosen]
            loss = F.cross_entropy(model(images), classes)
            losses.append(float(loss.item()))
            optimizer.zero_grad()
            loss.backward()
            try:
                before_step(step, images, classes)
                optimizer.step()
            except AnomalyError:
                return Fit(reached, 0.0, math.inf, math.inf, tuple(losses))
            if reached is None and step % look_every == 0:
                accuracy, _ = judged(model, data.held_out_images, data.held_out_classes)
                reached = step if accuracy >= GOAL else None
        accuracy, held_out_loss = judged(model, data.held_out_images, data.held_out_classes)
        _, last_loss = judged(model, data.images, data.classes)
    if not math.isfinite(last_loss):
        return Fit(reached, 0.0, math.inf, math.inf, tuple(losses))
    return Fit(reached, accuracy, held_out_loss, last_loss, tuple(losses))


@no_grad()
def judged(model: nn.Module, images: Array, classes: Array) -> tuple[float, float]:
    """Return accuracy and loss in evaluation mode; the model is left in training mode."""
    model.eval()
    scores = model(images)
    model.train()
    right = scores.data.argmax(1) == classes
    return float(right.mean()), float(F.cross_entropy(scores, classes).item())
