"""The lab ``train``: the same small model trained with each normalization, on reviews or on digits, and compared.

:func:`train_on_reviews` and :func:`train_on_digits` train one; :func:`comparison_text`, :func:`comparison_data` and
:func:`plot_comparison` set several beside each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

from ... import nn
from ...errors import InputError
from ...random import manual_seed
from ...terminal.table import aligned
from .digits import CLASSES, PIXELS, Digits, bundled_digits
from .evaluation import Examples, accuracy_and_loss, batch_norm_drift
from .experiment import STYLES, Line, Panel
from .networks import REVIEW_NORMS, ReviewClassifier
from .pictures import write_panels
from .reviews import epochs_of, in_batches, make_reviews, padded
from .training import Course, TrainingPlan, fit


@dataclass(frozen=True)
class TrainingOutcome:
    """What came of a training with one norm.

    Shares of right answers, loss on held-out examples, drift of the batch statistics (see
    :func:`.evaluation.batch_norm_drift`).
    """

    norm: str
    course: Course
    training_accuracy: float
    accuracy: float
    loss: float
    drift: float | None
    parameters: int


class Trained(NamedTuple):
    """A trained model and how well it does."""

    outcome: TrainingOutcome
    model: nn.Module


Train = Callable[[str, TrainingPlan, "TextIO | None"], Trained]
"""From a normalization's name, a plan and a stream for the progress sign to a trained model."""


def judged(
    norm: str, model: nn.Module, course: Course, training: Examples, held_out: Examples, batches: Iterable[Examples]
) -> Trained:
    """Return the model with how it answers in evaluation mode; ``batches`` of held-out examples measure the drift."""
    model.eval()
    known, _ = accuracy_and_loss(model, training)
    accuracy, loss = accuracy_and_loss(model, held_out)
    size = sum(p.size for p in model.parameters())
    drift = batch_norm_drift(model, (batch.inputs for batch in batches))
    return Trained(TrainingOutcome(norm, course, known, accuracy, loss, drift, size), model)


TRAINING, HELD_OUT = 2000, 500
"""How many reviews are learned, and how many others test."""


def train_on_reviews(norm: str, plan: TrainingPlan, stream: TextIO | None = None) -> Trained:
    """Return a trained :class:`.networks.ReviewClassifier`; the held-out reviews are none of those it saw."""
    reviews = make_reviews(TRAINING + HELD_OUT, plan.seed)
    training, held_out = reviews[:TRAINING], reviews[TRAINING:]
    manual_seed(plan.seed)
    model = ReviewClassifier(norm, dtype=plan.dtype)
    epoch, steps = epochs_of(training, plan.batch)
    course = fit(model, epoch, steps, plan, norm, stream)
    batches = (batch.as_examples() for batch in in_batches(held_out, plan.batch))
    return judged(norm, model, course, padded(training).as_examples(), padded(held_out).as_examples(), batches)


WIDTH, HIDDEN_LAYERS = 64, 3
LAYERS: dict[str, Callable[[Any], nn.Module | None]] = {
    "layer": lambda dtype: nn.LayerNorm(WIDTH, dtype=dtype),
    "rms": lambda dtype: nn.RMSNorm(WIDTH, eps=1e-5, dtype=dtype),
    "batch": lambda dtype: nn.BatchNorm1d(WIDTH, dtype=dtype),
    "none": lambda dtype: None,
}


def train_on_digits(norm: str, plan: TrainingPlan, stream: TextIO | None = None) -> Trained:
    """Return a trained 3×64 network; a fifth of the 1797 images is held out."""
    if norm not in LAYERS:
        raise InputError(
            f"digits: norm must be one of {', '.join(LAYERS)}; got {norm!r}. Images have no pads to mask: take 'batch'."
        )
    training, held_out = split_digits(plan)
    manual_seed(plan.seed)
    model = digit_network(norm, plan.dtype)
    epoch, steps = partial(training.in_batches, plan.batch), len(list(training.in_batches(plan.batch)))
    course = fit(model, epoch, steps, plan, norm, stream)
    return judged(norm, model, course, training, held_out, held_out.in_batches(plan.batch))


def digit_network(norm: str, dtype: Any) -> nn.Sequential:
    """Return three times linear, norm, relu, and a linear layer to ten scores."""
    model = nn.Sequential()
    for _ in range(HIDDEN_LAYERS):
        model.append(nn.Linear(PIXELS, WIDTH, dtype=dtype))
        layer = LAYERS[norm](dtype)
        if layer is not None:
            model.append(layer)
        model.append(nn.ReLU())
    model.append(nn.Linear(WIDTH, CLASSES, dtype=dtype))
    return model


def split_digits(plan: TrainingPlan) -> Digits:
    """Return images of 8×8 pixels in [0, 1] and their digits, shuffled and cut into four fifths and one fifth."""
    images, classes = bundled_digits()
    whole = Examples(((images / 16).astype(plan.dtype),), classes)
    order = np.random.default_rng(plan.seed).permutation(len(classes))
    cut = len(order) * 4 // 5
    return Digits(whole.take(order[:cut]), whole.take(order[cut:]))


TASKS: dict[str, tuple[Train, tuple[str, ...]]] = {
    "reviews": (train_on_reviews, REVIEW_NORMS),
    "digits": (train_on_digits, tuple(LAYERS)),
}
"""What can be learned: who trains a model for it, with which norms."""


def comparison_text(outcomes: Sequence[TrainingOutcome], task: str) -> str:
    """Return the outcomes of several trainings as a table."""
    heading = ("norm", "steps", "loss", "trained on", "held out", "drift", "seconds")
    lines = (
        f"Training on {task}; right answers on examples trained on and on held-out ones, in evaluation mode",
        "",
        *aligned([heading, *map(_cells, outcomes)], "lr"),
        "",
        "loss: cross-entropy of the held-out examples. drift: distance of a batch's means from the running means,",
        "in running deviations (root mean square over features); a norm without running statistics has none.",
    )
    return "\n".join(lines)


def _cells(outcome: TrainingOutcome) -> tuple[str, ...]:
    course = outcome.course
    return (
        outcome.norm + (" (interrupted)" if course.interrupted else ""),
        str(course.steps),
        f"{outcome.loss:.4f}",
        f"{outcome.training_accuracy:.1%}",
        f"{outcome.accuracy:.1%}",
        "–" if outcome.drift is None else f"{outcome.drift:.2f}",
        f"{course.seconds:.1f}",
    )


def comparison_data(outcomes: Sequence[TrainingOutcome]) -> list[dict[str, Any]]:
    """Return the outcomes as plain data."""
    return [asdict(outcome) for outcome in outcomes]


def plot_comparison(outcomes: Sequence[TrainingOutcome], task: str, path: Path) -> None:
    """Draw the loss of each epoch under each norm."""
    lines = tuple(
        Line(
            f"{outcome.norm}: {outcome.accuracy:.1%} held out",
            tuple((float(epoch), loss) for epoch, loss in enumerate(outcome.course.losses, 1)),
            STYLES[outcome.norm],
        )
        for outcome in outcomes
    )
    write_panels([Panel("training", f"Training on {task}", "epoch", "mean loss", lines, log_y=True)], path)
