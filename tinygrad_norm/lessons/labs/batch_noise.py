"""The lab ``batch-noise``: regularization, by the law of a mini-batch's noise and by what noise does to training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from statistics import fmean, median

import numpy as np

from ... import functional as F
from ... import nn, optim
from ...engine.details.array import Array
from ...random import manual_seed
from ..document.lesson import Row, Table
from .digits import digits
from .experiment import Answer, Lab, LabOutcome, Line, Panel, Question, Session, by_norm, repeat_seed, unfinished
from .networks import NORMS, GhostBatchNorm, MakeNorm, Perceptron
from .noise_law import Noise, measure, populations
from .papers import BA, HOFFER, IOFFE_SZEGEDY, LUO, TEYE, WU_HE
from .training import WatchedTraining, train_watched

TRAIN, HELD_OUT = 200, 797
BATCH = 64
GROUPS = (64, 16, 8, 4, 2)
"""Sizes of the groups of a batch of 64 that share statistics."""


@dataclass(frozen=True)
class BatchNoisePlan:
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


QUICK = BatchNoisePlan(draws=20_000, batches=(64, 256), places=(0.0, 2.0), steps=150, repeats=4)
FULL = BatchNoisePlan(draws=50_000, batches=(32, 128, 512), places=(0.0, 1.0, 2.0), steps=400, repeats=10)

TrainJob = tuple[str, int]
"""Norm and repeat."""


def hidden_values(seed: int) -> Array:
    """Return what the first hidden unit of an untrained network gives for every digit: a population from life."""
    data = digits(seed, held_out=0)
    manual_seed(seed)
    model = Perceptron(NORMS["none"], depth=1, width=8)
    model(*data.training.inputs)
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


def trained(job: TrainJob, seed: int, plan: BatchNoisePlan) -> WatchedTraining:
    """Train on 200 digits; the same seed and repeat give all norms the same digits, weights and batches."""
    norm, repeat = job
    drawn = repeat_seed(seed, repeat)
    data = digits(drawn, HELD_OUT, TRAIN)
    manual_seed(drawn)
    model = Perceptron(norm_choices()[norm], plan.depth, plan.width)
    optimizer = optim.SGD(model.parameters(), lr=plan.rate, momentum=plan.momentum)
    return train_watched(model, data, optimizer, plan.steps, np.random.default_rng(drawn), batch=BATCH)


@dataclass(frozen=True)
class Learned:
    """How the trainings with one norm went: medians of the steps to 90%, means of the losses at the end.

    ``steps`` is ∞ if most did not get there.
    """

    steps: float
    loss: float
    held_out_loss: float
    accuracy: float


def learned(some: Sequence[WatchedTraining]) -> Learned:
    """Return medians and means of several trainings."""
    return Learned(
        median(one.reached or inf for one in some),
        fmean(one.loss for one in some),
        fmean(one.held_out_loss for one in some),
        fmean(one.accuracy for one in some),
    )


def run(session: Session, plan: BatchNoisePlan | None = None) -> LabOutcome:
    """Measure the noise, train, and judge."""
    plan = plan or (QUICK if session.quick else FULL)
    rng = np.random.default_rng(session.seed)
    known = populations(hidden_values(session.seed), rng)
    places = [(i, batch, place) for i in range(len(known)) for batch in plan.batches for place in plan.places]

    def noise_at(job: tuple[int, int, float]) -> Noise:
        i, batch, place = job
        return measure(known[i], place, batch, plan.draws, rng)

    noises = tuple(session.each("measuring noise", places, noise_at).values())
    jobs = [(norm, repeat) for repeat in range(plan.repeats) for norm in norm_choices()]
    done = session.trainings("training", jobs, partial(trained, seed=session.seed, plan=plan))
    found = {norm: learned(some) for norm, some in by_norm(done).items()}
    complete = len(noises) == len(places) and len(done) == len(jobs)
    answers = verdicts(noises, layer_norm_spread(rng), found) if complete else unfinished(QUESTIONS)
    tables = (_noise_table(noises), _training_table(found, plan))
    return LabOutcome(answers, tables, (_noise_panel(noises), _training_panel(found)))


CLOSE = 0.1
"""How far a measured variance may be from the law at the largest B; the law is right to first order in 1/B."""
LESS = 0.8
"""Up to which share of the other a loss counts as clearly smaller."""

LAW = Question(
    "noise_law",
    LUO,
    "Batch mean and deviation are random about those of the population, with variances σ²/B and (κ − 1)σ²/(4B) "
    f"(after {TEYE.short}). Together: a normalized value varies by (1 + x̂²(κ − 1)/4)/B, if the population is "
    "symmetric.",
    f"At the largest B the measured variance is within {CLOSE:.0%} of the law in every case, with s x̂/B added for "
    "a skewness s; and on average it is closer there than at the smallest B.",
    (TEYE,),
)
NO_NOISE = Question(
    "layer_norm_has_none",
    BA,
    "Layer norm computes the same for a case whatever batch it is in.",
    "It is the same to the last bit.",
)
REGULARIZES = Question(
    "regularizes",
    IOFFE_SZEGEDY,
    "A case is seen with other cases and so no longer gives the same values: batch norm regularizes, and dropout "
    "can be reduced or left out.",
    f"After learning 200 digits by heart, the mean loss on held-out digits with batch norm is at most {LESS:g} of "
    "that without.",
)
GHOSTS = Question(
    "more_noise_generalizes",
    HOFFER,
    "Statistics of small groups of a large batch (ghost batch norm) generalize better than those of the whole batch.",
    f"The mean loss on held-out digits with groups of 16 or of 8 is at most {LESS:g} of that with the whole batch "
    "of 64 (reproduced), or below it (in part).",
)
TOO_MUCH = Question(
    "too_much_noise",
    WU_HE,
    "With very small batches batch norm does badly (ResNet-50 on ImageNet: 34.7% error with 2 images, 23.6% with 32).",
    "With groups of 2 most trainings do not reach 90%, with the whole batch they do; and the loss on held-out "
    "digits is at least twice as large.",
)

QUESTIONS = (LAW, NO_NOISE, REGULARIZES, GHOSTS, TOO_MUCH)


def verdicts(noises: Sequence[Noise], spread: float, found: Mapping[str, Learned]) -> tuple[Answer, ...]:
    """Judge complete measurements."""
    return (
        _law(noises),
        NO_NOISE.identity(spread == 0, "In 100 random batches its outputs differ by {spread:g}.", {"spread": spread}),
        _regularizes(found),
        _ghosts(found),
        _too_much(found),
    )


def _law(noises: Sequence[Noise]) -> Answer:
    sizes = [noise.size for noise in noises]
    few, many = (
        [noise.measured / noise.by_law for noise in noises if noise.size == size] for size in (min(sizes), max(sizes))
    )
    return LAW.experiment(
        all(abs(ratio - 1) <= CLOSE for ratio in many) and _mean_gap(many) < _mean_gap(few),
        "With B = {largest} the measured variance is {least:.3f} to {most:.3f} of the law's, with B = {smallest} "
        "{few_least:.3f} to {few_most:.3f}.",
        {
            "largest": max(sizes),
            "least": min(many),
            "most": max(many),
            "smallest": min(sizes),
            "few_least": min(few),
            "few_most": max(few),
        },
    )


def _mean_gap(ratios: Sequence[float]) -> float:
    return fmean(abs(ratio - 1) for ratio in ratios)


def _regularizes(found: Mapping[str, Learned]) -> Answer:
    batch, none = found["batch of 64"].held_out_loss, found["none"].held_out_loss
    return REGULARIZES.experiment(
        batch <= LESS * none,
        "Held-out loss {batch:.3f} with batch norm, {none:.3f} without; layer norm, without noise, {layer:.3f}.",
        {"batch": batch, "none": none, "layer": found["layer"].held_out_loss},
    )


def _ghosts(found: Mapping[str, Learned]) -> Answer:
    whole, sixteen, eight = (found[f"batch of {size}"].held_out_loss for size in (64, 16, 8))
    best = min(sixteen, eight)
    return GHOSTS.answer(
        "reproduced" if best <= LESS * whole else "in part" if best < whole else "not reproduced",
        "Held-out loss {whole:.3f} with the batch of 64, {sixteen:.3f} in groups of 16, {eight:.3f} in groups of 8.",
        {"whole": whole, "sixteen": sixteen, "eight": eight},
    )


def _too_much(found: Mapping[str, Learned]) -> Answer:
    whole, two = found["batch of 64"], found["batch of 2"]
    return TOO_MUCH.experiment(
        two.steps == inf and whole.steps < inf and two.held_out_loss >= 2 * whole.held_out_loss,
        "In groups of 2 the held-out loss is {two:.3f} and {accuracy:.1%} are right; with the batch of 64 it is "
        "{whole:.3f}, and 90% takes {steps:g} steps.",
        {"two": two.held_out_loss, "accuracy": two.accuracy, "whole": whole.held_out_loss, "steps": whole.steps},
    )


def _noise_table(noises: Sequence[Noise]) -> Table:
    def values(noise: Noise) -> tuple[float, ...]:
        moments = (noise.population.skewness, noise.population.kurtosis, noise.standardized, noise.size)
        return (*moments, noise.measured * noise.size, noise.by_law * noise.size, noise.measured / noise.by_law)

    return Table(
        "noise",
        "How much a batch-normalized value varies over random batches",
        ("skewness", "kurtosis", "x̂", "B", "variance · B", "by the law", "ratio"),
        tuple(Row(noise.population.name, values(noise)) for noise in noises),
        "population",
        (".2f", ".2f", ".2f", "", ".3f", ".3f", ".3f"),
        "The hidden unit is one of an untrained network, over all digits.",
    )


def _noise_panel(noises: Sequence[Noise]) -> Panel:
    points: dict[str, list[tuple[float, float]]] = {}
    for noise in noises:
        points.setdefault(noise.population.name, []).append((noise.by_law, noise.measured))
    lines = [Line(name, tuple(found), style, "marks") for style, (name, found) in enumerate(points.items())]
    if noises:
        ends = [pick(noise.by_law for noise in noises) for pick in (min, max)]
        lines.append(Line("the law", tuple((end, end) for end in ends), 0, "dashed"))
    title = "Variance of a batch-normalized value"
    return Panel("noise", title, "by the law", "measured", tuple(lines), log_x=True, log_y=True)


def _training_table(found: Mapping[str, Learned], plan: BatchNoisePlan) -> Table:
    return Table(
        "training",
        f"Learning {TRAIN} digits, {plan.steps} steps: averages over the repeats",
        ("steps to 90%", "loss", "held-out loss", "held out, right"),
        tuple(Row(norm, (one.steps, one.loss, one.held_out_loss, one.accuracy)) for norm, one in found.items()),
        "statistics",
        ("g", ".4f", ".3f", ".1%"),
        "∞: most did not get there. A batch of 64 always makes the step; the number says how many cases share "
        "statistics.",
    )


def _training_panel(found: Mapping[str, Learned]) -> Panel:
    held_out = tuple((float(i), one.held_out_loss) for i, one in enumerate(found.values()))
    learned_ones = tuple((float(i), one.loss) for i, one in enumerate(found.values()))
    return Panel(
        "training",
        "After learning 200 digits",
        "who shares statistics",
        "loss",
        (Line("held-out loss", held_out, 0), Line("loss on the 200 learned", learned_ones, 1)),
        log_y=True,
        names=tuple(norm.replace(" of", "\nof") for norm in found),
    )


LAB = Lab(
    "batch-noise",
    "How much noise does a mini-batch add, and does it regularize?",
    ("regularization",),
    "A value is put into thousands of random batches and normalized there. Then perceptrons learn 200 digits by "
    "heart with batches of 64, of which groups of 64, 16, 8, 4 or 2 share batch statistics (ghost batch norm): the "
    "same steps, more and more noise.",
    QUESTIONS,
    (
        "Small perceptrons and 200 digits to learn from, so that there is something to overfit. Accuracies differ by "
        "one or two points at most, and not always in the same direction: losses are compared.",
        "Noise is one of several effects of batch norm; layer norm, which has none, lowers the held-out loss too (see "
        "the table). Only the comparison of group sizes isolates the noise.",
        "The law is right to first order in 1/B. In a small batch a value is part of its own statistics, which makes "
        "an unusual one vary less.",
    ),
    run,
)
