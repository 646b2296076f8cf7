"""The training loop of the labs: AdamW with a falling rate, the same every time for the same seed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

from ... import functional as F
from ... import nn, optim
from ...engine.details.array import Array
from ...errors import AnomalyError, InputError
from .progress import progress
from .threads import one_thread

Example = tuple[tuple[Any, ...], Array]
"""What the model takes, and the classes that it should find."""


@dataclass(frozen=True)
class Settings:
    """How long and from which seed to train.

    Attributes
    ----------
    epochs : int
        Times that all examples are seen, from 0.
    seed : int
        Decides examples, first parameters, order of the batches.
    rate : float
        First learning rate; it falls to 0 along a cosine.
    dtype : str
        Of parameters and activations.
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
            raise InputError(f"rate must be positive; got {self.rate}. The default is {Settings.rate}.")


@dataclass(frozen=True)
class Course:
    """How a training went: the mean loss of each epoch (the last one perhaps cut short), and what it took."""

    losses: tuple[float, ...]
    steps: int
    seconds: float
    interrupted: bool


def fit(
    model: nn.Module,
    examples: Callable[[np.random.Generator], Iterable[Example]],
    steps: int,
    settings: Settings,
    label: str,
    stream: TextIO | None = None,
) -> Course:
    """Train the model in place. Ctrl-C ends the training early and keeps what was learned.

    Parameters
    ----------
    examples : from a generator, which decides the order, to the batches of one epoch
    steps : batches in an epoch
    label : what the progress sign calls it; shown on ``stream``, standard error when left out

    Raises
    ------
    AnomalyError
        The loss is no longer a finite number.
    """
    means: list[float] = []
    current: list[float] = []
    taken, start, interrupted = 0, time.perf_counter(), False
    with progress(stream or sys.stderr, label, settings.epochs, steps) as tick, one_thread():
        try:
            for loss in losses(model, examples, steps, settings):
                current.append(loss)
                taken += 1
                if len(current) < steps:
                    tick(loss)
                    continue
                means.append(float(np.mean(current)))
                current = []
                tick(means[-1], len(means))
        except KeyboardInterrupt:
            interrupted = True
    if current:
        means.append(float(np.mean(current)))
    return Course(tuple(means), taken, time.perf_counter() - start, interrupted)


def losses(
    model: nn.Module, examples: Callable[[np.random.Generator], Iterable[Example]], steps: int, settings: Settings
) -> Iterator[float]:
    """Train the model in place, a step for each loss that is asked for; the parameters are those of :func:`fit`."""
    optimizer = optim.AdamW(model.named_parameters(), lr=settings.rate)
    schedule = optim.CosineAnnealingLR(optimizer, max(1, settings.epochs * steps))
    rng = np.random.default_rng(settings.seed)
    model.train()
    for _ in range(settings.epochs):
        for inputs, classes in examples(rng):
            loss = step(model, optimizer, inputs, classes)
            schedule.step()
            yield loss


def step(model: nn.Module, optimizer: optim.Optimizer, inputs: tuple[Any, ...], classes: Array) -> float:
    """Take one step and return the loss before it."""
    optimizer.zero_grad()
    loss = F.cross_entropy(model(*inputs), classes)
    value = float(loss.item())
    if not np.isfinite(value):
        raise AnomalyError(
            f"the loss must be a finite number; got {value}. No parameter was changed by this batch. Lower the "
            "learning rate, or run the model under tg.detect_anomaly() to find the operation at fault."
        )
    loss.backward()
    optimizer.step()
    return value
