"""What came of a training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TextIO

from ... import functional as F
from ... import nn
from ...context import no_grad
from ...engine.details.array import Array
from .drift import drift
from .fit import Course, Settings

NORMS = ("layer", "rms", "batch", "masked_batch", "none")


class Examples(NamedTuple):
    """What a model takes, and the classes that it should find."""

    inputs: tuple[Any, ...]
    classes: Array


@dataclass(frozen=True)
class Outcome:
    """Shares of right answers, loss on held-out examples, drift of the batch statistics (see :func:`.drift.drift`)."""

    norm: str
    course: Course
    training_accuracy: float
    accuracy: float
    loss: float
    drift: float | None
    parameters: int


class Trained(NamedTuple):
    """A trained model and how well it does."""

    outcome: Outcome
    model: nn.Module


Train = Callable[[str, Settings, "TextIO | None"], Trained]
"""From a normalization's name, settings and a stream for the progress sign to a trained model."""


@no_grad()
def judged(
    norm: str, model: nn.Module, course: Course, training: Examples, held_out: Examples, batches: Iterable[Examples]
) -> Trained:
    """Return the model with how it answers in evaluation mode; ``batches`` of held-out examples measure the drift."""
    model.eval()
    known, _ = accuracy_and_loss(model, training)
    accuracy, loss = accuracy_and_loss(model, held_out)
    size = sum(p.size for p in model.parameters())
    moved = drift(model, (batch.inputs for batch in batches))
    return Trained(Outcome(norm, course, known, accuracy, loss, moved, size), model)


def accuracy_and_loss(model: nn.Module, examples: Examples) -> tuple[float, float]:
    """Return the share of examples whose largest score is the right class, and the cross-entropy."""
    scores = model(*examples.inputs)
    right = scores.data.argmax(-1) == examples.classes
    return float(right.mean()), float(F.cross_entropy(scores, examples.classes).item())
