"""The lab ``lr-ladder``: stability and convergence, by training at every rung of a ladder of learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from .... import optim
from ....engine.details.array import Array
from ....random import manual_seed
from ...document.lesson import Row, Table
from .digits import Digits, digits
from .lr_ladder_verdicts import LIMITS, QUESTIONS, Rung, verdicts
from .networks import NORMS, Perceptron
from .report import Lab, Line, Outcome, Panel
from .session import Session
from .training import fit

HELD_OUT = 360


@dataclass(frozen=True)
class Size:
    """How much is trained."""

    rates: tuple[float, ...]
    steps: int
    repeats: int
    depth: int = 6
    width: int = 64


QUICK = Size((0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0), steps=150, repeats=1)
FULL = Size((0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0), steps=300, repeats=3)

Job = tuple[str, float, int]
"""Norm, learning rate, repeat."""


def climb(session: Session, size: Size) -> dict[Job, Rung]:
    """Train every norm at every rate, as often as asked; return how it went."""
    data = digits(session.seed, HELD_OUT)
    jobs = [(norm, rate, repeat) for repeat in range(size.repeats) for norm in NORMS for rate in size.rates]
    return session.each("training", jobs, lambda job: trained(job, data, session.seed, size))


def trained(job: Job, data: Digits, seed: int, size: Size) -> Rung:
    """Train once. The same seed and repeat give all norms and rates the same first weights and the same batches."""
    norm, rate, repeat = job
    manual_seed(_mixed(seed, repeat))
    model = Perceptron(NORMS[norm], size.depth, size.width)
    inputs: list[tuple[Array, Array]] = []

    def note(step: int, images: Array, classes: Array) -> None:
        inputs.append((model.last_input.mean(0), model.last_input.std(0)))

    found = fit(
        model,
        data,
        optim.SGD(model.parameters(), lr=rate),
        size.steps,
        np.random.default_rng((seed, repeat)),
        before_step=note,
    )
    return Rung(found.reached, found.loss, found.diverged, shift_of(inputs))


def _mixed(seed: int, repeat: int) -> int:
    return int(np.random.SeedSequence((seed, repeat)).generate_state(1)[0])


def shift_of(inputs: Sequence[tuple[Array, Array]]) -> float:
    """Return how far a unit's mean input moves from one step to the next, on average, in deviations of a unit's input.

    Parameters
    ----------
    inputs : sequence of pairs
        Mean and deviation (unit) of each step.

    Examples
    --------
    >>> shift_of([(np.array([0.0, 1.0]), np.array([2.0, 2.0])), (np.array([0.5, 0.5]), np.array([2.0, 2.0]))])
    0.25
    """
    if len(inputs) < 2:
        return 0.0
    means, deviations = (np.array(part) for part in zip(*inputs, strict=True))
    return float(np.abs(np.diff(means, axis=0)).mean() / deviations.mean())


def run(session: Session, size: Size | None = None) -> Outcome:
    """Climb the ladder and judge."""
    size = size or (QUICK if session.quick else FULL)
    done = climb(session, size)
    rungs = {
        (norm, rate): middle([done[norm, rate, i] for i in range(size.repeats)])
        for norm in NORMS
        for rate in size.rates
        if all((norm, rate, i) in done for i in range(size.repeats))
    }
    complete = len(rungs) == len(NORMS) * len(size.rates)
    findings = verdicts(rungs, size.rates) if complete else tuple(question.unfinished() for question in QUESTIONS)
    return Outcome(findings, (_steps_table(rungs, size), _loss_table(rungs, size)), _panels(rungs, size))


def middle(repeats: list[Rung]) -> Rung:
    """Return the medians of several trainings; one that did not reach the goal or diverged counts as infinitely bad."""
    reached = median(rung.reached or float("inf") for rung in repeats)
    loss = median(rung.loss for rung in repeats)
    return Rung(
        None if reached == float("inf") else int(reached),
        loss,
        loss == float("inf"),
        median(rung.shift for rung in repeats),
    )


Rungs = Mapping[tuple[str, float], Rung]


def _steps_table(rungs: Rungs, size: Size) -> Table:
    return Table(
        "steps",
        f"Steps until 90% of the held-out digits are right, of {size.steps}, by learning rate",
        tuple(f"{rate:g}" for rate in size.rates),
        tuple(Row(norm, tuple(_reached(rungs.get((norm, rate))) for rate in size.rates)) for norm in NORMS),
        "norm",
        note="–: not reached.",
    )


def _reached(rung: Rung | None) -> int | None:
    return None if rung is None else rung.reached


def _loss_table(rungs: Rungs, size: Size) -> Table:
    return Table(
        "loss",
        "Loss on the training digits at the end, by learning rate",
        tuple(f"{rate:g}" for rate in size.rates),
        tuple(
            Row(norm, tuple(rungs[norm, rate].loss if (norm, rate) in rungs else None for rate in size.rates))
            for norm in NORMS
        ),
        "norm",
        ".3f",
        "∞: diverged. Guessing gives 2.303.",
    )


def _panels(rungs: Rungs, size: Size) -> tuple[Panel, ...]:
    def line(style: int, norm: str, value: str) -> Line:
        found = [(rate, getattr(rungs[norm, rate], value)) for rate in size.rates if (norm, rate) in rungs]
        points = tuple((rate, float(y)) for rate, y in found if y is not None and np.isfinite(y))
        return Line(norm, points, style)

    return (
        Panel(
            "loss",
            "Loss on the training digits at the end",
            "learning rate",
            "loss",
            tuple(line(i, norm, "loss") for i, norm in enumerate(NORMS)),
            log_x=True,
            log_y=True,
        ),
        Panel(
            "steps",
            "Steps until 90% of the held-out digits are right",
            "learning rate",
            "steps",
            tuple(line(i, norm, "reached") for i, norm in enumerate(NORMS)),
            log_x=True,
        ),
    )


LAB = Lab(
    "lr-ladder",
    "Does normalization let a network learn at larger rates, and in fewer steps?",
    ("stability", "convergence", "covariate_shift"),
    "Perceptrons of six hidden layers of 64 units, alike but for the norm, learn handwritten digits by plain "
    "stochastic gradient descent at every rate of a ladder, from the same weights and with the same batches of 64.",
    QUESTIONS,
    LIMITS,
    run,
)
