"""The lab ``batch-noise``: regularization, by the law of a mini-batch's noise and by what noise does to training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .... import functional as F
from .... import nn, optim
from ....engine.details.array import Array
from ....random import manual_seed
from ...document.lesson import Row, Table
from .batch_noise_verdicts import LIMITS, QUESTIONS, learned, verdicts
from .digits import digits
from .networks import NORMS, GhostBatchNorm, MakeNorm, Perceptron
from .noise_law import Noise, measure, populations
from .report import Lab, Line, Outcome, Panel
from .session import Session
from .training import Fit, fit

TRAIN, HELD_OUT = 200, 797
BATCH = 64
GROUPS = (64, 16, 8, 4, 2)
"""Sizes of the groups of a batch of 64 that share statistics."""


@dataclass(frozen=True)
class Size:
    """How much is measured and trained."""

    draws: int
    batches: tuple[int, ...]
    places: tuple[float, ...]
    steps: int
    repeats: int
    depth: int = 2
    width: int = 128
    rate: float = 0.1
    momentum: float = 0.9


QUICK = Size(draws=20_000, batches=(64, 256), places=(0.0, 2.0), steps=150, repeats=4)
FULL = Size(draws=50_000, batches=(32, 128, 512), places=(0.0, 1.0, 2.0), steps=400, repeats=10)

MeasureJob = tuple[int, int, float]
"""Number of the population, batch size, x̂."""
TrainJob = tuple[str, int]
"""Norm and repeat."""


def hidden_values(seed: int) -> Array:
    """Return what the first hidden unit of an untrained network gives for every digit: a population from life."""
    data = digits(seed, held_out=0)
    manual_seed(seed)
    model = Perceptron(NORMS["none"], depth=1, width=8)
    model(data.images)
    return model.last_input[:, 0].astype(np.float64)


def layer_norm_spread(rng: np.random.Generator) -> float:
    """Return how much a row's layer norm varies over random batches: largest minus smallest value, which is 0."""
    row = rng.standard_normal(BATCH)
    outputs = [F.layer_norm(np.vstack([row, rng.standard_normal((7, BATCH))]), BATCH)[0].numpy() for _ in range(100)]
    return float(np.ptp(outputs, axis=0).max())


def norm_choices() -> Mapping[str, MakeNorm]:
    """Return the norms that are trained: none, layer norm, and batch norm with groups of each size."""

    def ghost(size: int) -> Callable[[int], nn.Module]:
        return lambda units: GhostBatchNorm(units, size)

    return {"none": NORMS["none"], "layer": NORMS["layer"], **{f"batch of {size}": ghost(size) for size in GROUPS}}


def trained(job: TrainJob, seed: int, size: Size) -> Fit:
    """Train on 200 digits; the same seed and repeat give all norms the same digits, weights and batches."""
    norm, repeat = job
    (drawn,) = np.random.SeedSequence((seed, repeat)).generate_state(1)
    data = digits(int(drawn), HELD_OUT, TRAIN)
    manual_seed(int(drawn))
    model = Perceptron(norm_choices()[norm], size.depth, size.width)
    optimizer = optim.SGD(model.parameters(), lr=size.rate, momentum=size.momentum)
    return fit(model, data, optimizer, size.steps, np.random.default_rng(int(drawn)), batch=BATCH)


def run(session: Session, size: Size | None = None) -> Outcome:
    """Measure the noise, train, and judge."""
    size = size or (QUICK if session.quick else FULL)
    rng = np.random.default_rng(session.seed)
    known = populations(hidden_values(session.seed), rng)
    places = [(i, batch, place) for i in range(len(known)) for batch in size.batches for place in size.places]
    noises = session.each(
        "measuring noise", places, lambda job: measure(known[job[0]], job[2], job[1], size.draws, rng)
    )
    jobs = [(norm, repeat) for repeat in range(size.repeats) for norm in norm_choices()]
    fits = session.each("training", jobs, lambda job: trained(job, session.seed, size))
    findings = (
        verdicts(tuple(noises.values()), layer_norm_spread(rng), by_norm(fits))
        if len(noises) == len(places) and len(fits) == len(jobs)
        else tuple(question.unfinished() for question in QUESTIONS)
    )
    return Outcome(
        findings, (_noise_table(noises), _training_table(by_norm(fits), size)), _panels(noises, by_norm(fits))
    )


def by_norm(fits: Mapping[TrainJob, Fit]) -> dict[str, list[Fit]]:
    """Return the trainings of each norm that has been trained."""
    found: dict[str, list[Fit]] = {}
    for (norm, _), one in fits.items():
        found.setdefault(norm, []).append(one)
    return found


def _noise_table(noises: Mapping[MeasureJob, Noise]) -> Table:
    return Table(
        "noise",
        "How much a batch-normalized value varies over random batches",
        ("skewness", "kurtosis", "x̂", "B", "variance · B", "by the law", "ratio"),
        tuple(
            Row(
                noise.population.name,
                (
                    noise.population.skewness,
                    noise.population.kurtosis,
                    noise.standardized,
                    noise.size,
                    noise.measured * noise.size,
                    noise.by_law * noise.size,
                    noise.measured / noise.by_law,
                ),
            )
            for noise in noises.values()
        ),
        "population",
        (".2f", ".2f", ".2f", "", ".3f", ".3f", ".3f"),
        "The hidden unit is one of an untrained network, over all digits.",
    )


def _training_table(fits: Mapping[str, list[Fit]], size: Size) -> Table:
    rows = []
    for norm, some in fits.items():
        found = learned(some)
        rows.append(Row(norm, (found.steps, found.loss, found.held_out_loss, found.accuracy)))
    return Table(
        "training",
        f"Learning {TRAIN} digits, {size.steps} steps: averages over the repeats",
        ("steps to 90%", "loss", "held-out loss", "held out, right"),
        tuple(rows),
        "statistics",
        ("g", ".4f", ".3f", ".1%"),
        "∞: most did not get there. A batch of 64 always makes the step; the number says how many cases share "
        "statistics.",
    )


def _panels(noises: Mapping[MeasureJob, Noise], fits: Mapping[str, list[Fit]]) -> tuple[Panel, ...]:
    names = tuple(dict.fromkeys(noise.population.name for noise in noises.values()))
    measured = tuple(
        Line(
            name,
            tuple((noise.by_law, noise.measured) for noise in noises.values() if noise.population.name == name),
            style,
            "marks",
        )
        for style, name in enumerate(names)
    )
    ends = [noise.by_law for noise in noises.values()]
    diagonal = (Line("the law", ((min(ends), min(ends)), (max(ends), max(ends))), 0, "dashed"),) if ends else ()
    found = {norm: learned(some) for norm, some in fits.items()}
    losses = (("held-out loss", "held_out_loss"), ("loss on the 200 learned", "loss"))
    return (
        Panel(
            "noise",
            "Variance of a batch-normalized value",
            "by the law",
            "measured",
            (*measured, *diagonal),
            log_x=True,
            log_y=True,
        ),
        Panel(
            "training",
            "After learning 200 digits",
            "who shares statistics",
            "loss",
            tuple(
                Line(
                    label,
                    tuple((float(i), getattr(found[norm], value)) for i, norm in enumerate(found)),
                    style,
                )
                for style, (label, value) in enumerate(losses)
            ),
            log_y=True,
            names=tuple(norm.replace(" of", "\nof") for norm in found),
        ),
    )


LAB = Lab(
    "batch-noise",
    "How much noise does a mini-batch add, and does it regularize?",
    ("regularization",),
    "A value is put into thousands of random batches and normalized there. Then perceptrons learn 200 digits by "
    "heart with batches of 64, of which groups of 64, 16, 8, 4 or 2 share batch statistics (ghost batch norm): the "
    "same steps, more and more noise.",
    QUESTIONS,
    LIMITS,
    run,
)
