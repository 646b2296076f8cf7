"""How the labs train a classifier, the same every time for the same seed.

:func:`fit` goes through all examples again and again, by AdamW with a falling rate; :func:`train_watched` takes random
batches with an optimizer of one's own, and watches when nine in ten are right and whether the loss diverges.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

import numpy as np

from ... import functional as F
from ... import nn, optim
from ...errors import AnomalyError, InputError
from .digits import Digits
from .evaluation import Examples, accuracy_and_loss
from .experiment import counting_on, one_thread


@dataclass(frozen=True)
class TrainingPlan:
    """How long and from which seed to train.

    How often all examples are seen, from 0 times; the seed of examples, first parameters and the order of the batches;
    the first learning rate, which falls to 0 along a cosine; the dtype of parameters and activations.
    """

    epochs: int = 8
    seed: int = 0
    batch: int = 32
    rate: float = 5e-3
    dtype: str = "float32"

    def __post_init__(self) -> None:
        for name, least in (("epochs", 0), ("seed", 0), ("batch", 2)):
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}; got {getattr(self, name)}. Choose a larger one.")
        if not self.rate > 0:
            raise InputError(f"rate must be positive; got {self.rate}. The default is {TrainingPlan.rate}.")


@dataclass(frozen=True)
class Course:
    """How a training went: the mean loss of each epoch (the last one perhaps cut short), and what it took."""

    losses: tuple[float, ...]
    steps: int
    seconds: float
    interrupted: bool


Epoch = Callable[[np.random.Generator], Iterable[Examples]]
"""From a generator, which decides the order, to the batches of one epoch."""


def fit(
    model: nn.Module, epoch: Epoch, steps: int, plan: TrainingPlan, label: str, stream: TextIO | None = None
) -> Course:
    """Train the model in place. Ctrl-C ends the training early and keeps what was learned.

    An epoch has so many steps. The label is what the progress sign calls it on the stream, standard error if left out;
    in a log, that is where there is no terminal, there is a line for each epoch.

    AnomalyError if the loss is no longer a finite number.
    """
    stream = stream or sys.stderr
    means: list[float] = []
    current: list[float] = []
    taken, start, interrupted = 0, time.perf_counter(), False
    counting = counting_on(stream, unit="step", keep=True)
    with counting(label, plan.epochs * steps) as count, one_thread():
        try:
            for loss in losses(model, epoch, steps, plan):
                current.append(loss)
                taken += 1
                if len(current) == steps:
                    means.append(float(np.mean(current)))
                    current = []
                    if not stream.isatty():
                        print(f"{label}: epoch {len(means)} of {plan.epochs}, loss {means[-1]:.4f}", file=stream)
                        stream.flush()
                count(f"loss={loss if current else means[-1]:.4f}")
        except KeyboardInterrupt:
            interrupted = True
    if current:
        means.append(float(np.mean(current)))
    return Course(tuple(means), taken, time.perf_counter() - start, interrupted)


def losses(model: nn.Module, epoch: Epoch, steps: int, plan: TrainingPlan) -> Iterator[float]:
    """Train the model in place, a step for each loss that is asked for; the parameters are those of :func:`fit`."""
    optimizer = optim.AdamW(model.named_parameters(), lr=plan.rate)
    schedule = optim.CosineAnnealingLR(optimizer, max(1, plan.epochs * steps))
    rng = np.random.default_rng(plan.seed)
    model.train()
    for _ in range(plan.epochs):
        for inputs, classes in epoch(rng):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(*inputs), classes)
            value = float(loss.item())
            if not math.isfinite(value):
                raise AnomalyError(
                    f"the loss must be a finite number; got {value}. No parameter was changed by this batch. Lower the "
                    "learning rate, or run the model under tg.detect_anomaly() to find the operation at fault."
                )
            loss.backward()
            optimizer.step()
            schedule.step()
            yield value


GOAL = 0.9
"""The share of held-out images to be named rightly."""


@dataclass(frozen=True)
class WatchedTraining:
    """How a training went that was watched.

    The first step after which the accuracy on held-out images was seen to be :data:`GOAL`, if any; accuracy and loss on
    held-out images and the loss on those trained on, at the end, in evaluation mode (0, ∞ and ∞ of a training that
    diverged); the loss of each step's batch.
    """

    reached: int | None
    accuracy: float
    held_out_loss: float
    loss: float
    losses: tuple[float, ...]


def train_watched(
    model: nn.Module,
    data: Digits,
    optimizer: optim.Optimizer,
    steps: int,
    rng: np.random.Generator,
    *,
    batch: int = 64,
    look_every: int = 5,
    before_step: Callable[[int, Examples], object] = lambda step, examples: None,
) -> WatchedTraining:
    """Train on random batches and look at the held-out images now and then.

    ``before_step`` is called with the number of each step, from 1, and its batch, when the gradients are there.
    """
    seen: list[float] = []
    reached = None
    with np.errstate(all="ignore"):
        for step in range(1, steps + 1):
            examples = data.training.take(rng.choice(len(data.training.classes), batch, replace=False))
            loss = F.cross_entropy(model(*examples.inputs), examples.classes)
            seen.append(float(loss.item()))
            optimizer.zero_grad()
            loss.backward()
            try:
                before_step(step, examples)
                optimizer.step()
            except AnomalyError:
                return WatchedTraining(reached, 0.0, math.inf, math.inf, tuple(seen))
            if reached is None and step % look_every == 0:
                accuracy, _ = accuracy_and_loss(model, data.held_out)
                reached = step if accuracy >= GOAL else None
        accuracy, held_out_loss = accuracy_and_loss(model, data.held_out)
        _, last_loss = accuracy_and_loss(model, data.training)
    if not math.isfinite(last_loss):
        return WatchedTraining(reached, 0.0, math.inf, math.inf, tuple(seen))
    return WatchedTraining(reached, accuracy, held_out_loss, last_loss, tuple(seen))
