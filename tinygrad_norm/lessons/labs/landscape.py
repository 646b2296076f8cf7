"""The lab ``landscape``: how much loss and gradient change along the gradient, with and without normalization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from ... import functional as F
from ... import optim
from ...engine.tensor import Tensor
from ...random import manual_seed
from ..document.lesson import Row, Table
from .digits import Digits, digits
from .evaluation import Examples
from .experiment import STYLES, Answer, Lab, LabOutcome, Line, Panel, Question, Session, unfinished
from .networks import NORMS, Perceptron
from .papers import SANTURKAR
from .training import train_watched

SHOWN = ("none", "batch", "layer", "rms")
REACH = (0.5, 1.0, 2.0, 4.0)
"""How far to look along the gradient, in learning rates."""
HELD_OUT = 360
SMOOTHER = 1.25
"""By which factor loss and gradient must vary less."""


@dataclass(frozen=True)
class LandscapePlan:
    """How much is trained and how often the landscape is looked at."""

    rates: tuple[float, ...]
    steps: int
    look_every: int
    depth: int = 6
    width: int = 64


QUICK = LandscapePlan((0.03, 0.1), steps=100, look_every=5)
FULL = LandscapePlan((0.03, 0.1, 0.3), steps=300, look_every=2)


@dataclass(frozen=True)
class View:
    """What is seen along the gradient from the weights of one step.

    The largest minus the smallest loss of the same batch; the largest distance ‖g′ − g‖ between the gradient there and
    here; and the largest such distance per distance of the weights.
    """

    loss_range: float
    gradient_change: float
    smoothness: float


def view(model: Perceptron, examples: Examples, rate: float) -> View:
    """Look along the negative gradient of a batch of examples, up to four learning rates away.

    The parameters must have the gradients of this batch. Weights and gradients are as before afterwards; running
    statistics are not.
    """
    parameters = list(model.parameters())
    here = [p.numpy() for p in parameters]
    gradients = [np.asarray(p.grad) for p in parameters]
    slope = np.concatenate([g.ravel() for g in gradients])
    losses = [float(F.cross_entropy(model(*examples.inputs), examples.classes).item())]
    changes, bends = [], []
    for reach in REACH:
        for p, values, gradient in zip(parameters, here, gradients, strict=True):
            p.data, p.grad = values - reach * rate * gradient, None
        loss = F.cross_entropy(model(*examples.inputs), examples.classes)
        loss.backward()
        losses.append(float(loss.item()))
        there = np.concatenate([np.asarray(p.grad).ravel() for p in parameters])
        changes.append(float(np.linalg.norm(there - slope)))
        bends.append(changes[-1] / (reach * rate * float(np.linalg.norm(slope))))
    for p, values, gradient in zip(parameters, here, gradients, strict=True):
        p.data, p.grad = values, Tensor(gradient)
    return View(max(losses) - min(losses), max(changes), max(bends))


Job = tuple[str, float]
"""Norm and learning rate."""


def views(job: Job, data: Digits, seed: int, plan: LandscapePlan) -> tuple[View, ...]:
    """Train, and look at the landscape every few steps, along the gradient that the step is about to take."""
    norm, rate = job
    manual_seed(seed)
    model = Perceptron(NORMS[norm], plan.depth, plan.width)
    found: list[View] = []

    def look(step: int, examples: Examples) -> None:
        if step % plan.look_every == 0:
            found.append(view(model, examples, rate))

    optimizer = optim.SGD(model.parameters(), lr=rate)
    train_watched(model, data, optimizer, plan.steps, np.random.default_rng(seed), before_step=look)
    return tuple(found)


RANGE = Question(
    "loss_range",
    SANTURKAR,
    "Along the gradient the loss of a network with batch norm varies in a much smaller range than without (VGG on "
    "CIFAR-10).",
    "The range of the loss from half to four learning rates along the gradient is, in the middle of all steps "
    f"looked at and at every rate, at least {SMOOTHER:g} times smaller with batch norm.",
)
PREDICTIVENESS = Question(
    "gradient_change",
    SANTURKAR,
    "With batch norm the gradient changes far less along its own direction: it predicts better what lies ahead.",
    f"The largest distance to the gradient there is at least {SMOOTHER:g} times smaller with batch norm, likewise.",
)
SMOOTHNESS = Question(
    "smoothness",
    SANTURKAR,
    "With batch norm the effective smoothness (the change of the gradient per distance) is better.",
    "The change of the gradient per distance is smaller with batch norm, likewise.",
)

QUESTIONS = (RANGE, PREDICTIVENESS, SMOOTHNESS)

Views = Mapping[Job, tuple[View, ...]]


def run(session: Session, plan: LandscapePlan | None = None) -> LabOutcome:
    """Train, look, and judge."""
    plan = plan or (QUICK if session.quick else FULL)
    data = digits(session.seed, HELD_OUT)
    jobs = [(norm, rate) for rate in plan.rates for norm in SHOWN]
    seen = session.trainings("training", jobs, partial(views, data=data, seed=session.seed, plan=plan))
    answers = verdicts(seen, plan.rates) if len(seen) == len(jobs) else unfinished(QUESTIONS)
    return LabOutcome(answers, (_table(seen),), _panels(seen, plan))


def verdicts(seen: Views, rates: tuple[float, ...]) -> tuple[Answer, ...]:
    """Judge by the least favorable of the rates."""

    def answer(question: Question, attribute: str, least: float, what: str) -> Answer:
        found = [_middle(seen["none", rate], attribute) / _middle(seen["batch", rate], attribute) for rate in rates]
        ours = f"{what} is {{least:.3g}} to {{most:.3g}} times smaller with batch norm, by learning rate."
        values = {"least": min(found), "most": max(found), "rates": len(rates)}
        return question.experiment(min(found) >= least, ours, values)

    return (
        answer(RANGE, "loss_range", SMOOTHER, "The range of the loss"),
        answer(PREDICTIVENESS, "gradient_change", SMOOTHER, "The change of the gradient"),
        answer(SMOOTHNESS, "smoothness", 1.0, "The change of the gradient per distance"),
    )


def _middle(seen: tuple[View, ...], attribute: str) -> float:
    return float(np.median([getattr(one, attribute) for one in seen]))


COLUMNS = {"loss_range": "range of the loss", "gradient_change": "‖g′ − g‖", "smoothness": "per distance"}


def _table(seen: Views) -> Table:
    return Table(
        "landscape",
        "Along the gradient, up to four learning rates away: the middle of all steps looked at",
        tuple(COLUMNS.values()),
        tuple(
            Row(f"{norm}, rate {rate:g}", tuple(_middle(found, attribute) for attribute in COLUMNS))
            for (norm, rate), found in seen.items()
            if found
        ),
        "norm and learning rate",
        ".3f",
        "g: the gradient of the step; g′: the gradient along it.",
    )


def _panels(seen: Views, plan: LandscapePlan) -> tuple[Panel, ...]:
    rate = plan.rates[-1]
    steps = range(plan.look_every, plan.steps + 1, plan.look_every)

    def line(norm: str, attribute: str) -> Line:
        found = zip(steps, seen.get((norm, rate), ()), strict=False)
        return Line(norm, tuple((float(step), getattr(one, attribute)) for step, one in found), STYLES[norm])

    def panel(attribute: str, title: str) -> Panel:
        lines = tuple(line(norm, attribute) for norm in SHOWN)
        return Panel(attribute, f"{title}, learning rate {rate:g}", "step", COLUMNS[attribute], lines, log_y=True)

    return (
        panel("loss_range", "Range of the loss along the gradient"),
        panel("gradient_change", "Change of the gradient along it"),
    )


LAB = Lab(
    "landscape",
    "Is the loss smoother along the gradient with batch norm?",
    ("stability", "convergence"),
    "Perceptrons of six hidden layers of 64 units learn digits. Every few steps the loss of the batch and its "
    "gradient are computed at half, one, two and four learning rates along the negative gradient, and the weights "
    "put back.",
    QUESTIONS,
    (
        "A path along one line says little of the landscape around it; this is the measure that the paper chose.",
        "The same learning rate is a different distance for different networks. All rates are small enough for the "
        "network without a norm to train.",
        "Batch norm makes a layer blind to the scale of its weights, so that part of the smoothness is a change of "
        "units.",
        "Small perceptrons on small images, not VGG on CIFAR-10.",
    ),
    run,
)
