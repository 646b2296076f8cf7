"""The lab ``padding``: the same reviews with more and more pads, read by Transformers with each normalization.

A review's scores should not depend on how long its neighbors are. :func:`pad_effects` reads a batch as it is and with
extra pads, in training mode by the statistics of the batch, in evaluation mode by the running ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import numpy as np

from ... import nn
from ...context import no_grad
from ...engine.details.array import Array
from ...random import manual_seed
from ..document.lesson import Row, Table
from .evaluation import accuracy_and_loss, batch_norm_drift
from .experiment import (
    STYLES,
    Answer,
    Lab,
    LabOutcome,
    Line,
    Panel,
    Question,
    Session,
    by_norm,
    repeat_seed,
    unfinished,
)
from .networks import REVIEW_NORMS, ReviewClassifier
from .papers import BA, IOFFE_SZEGEDY, LAURENT, SHEN, WANG, ZHANG_SENNRICH
from .reviews import Review, epochs_of, in_batches, make_reviews, padded
from .training import TrainingPlan, losses

EXTRA_PADS = (4, 16, 64)
PADS = (0, *EXTRA_PADS)
BATCH = 64
"""How many held-out reviews are padded."""
BATCH_NORMS = ("batch", "masked_batch")
LEAST = 1e-17
"""Where a change of 0 is drawn, since a logarithmic axis has no place for it."""


@dataclass(frozen=True)
class PaddingPlan:
    """How much is learned, by how many networks with each norm."""

    training: int
    held_out: int
    epochs: int
    repeats: int


QUICK = PaddingPlan(training=1500, held_out=400, epochs=5, repeats=1)
FULL = PaddingPlan(training=2000, held_out=500, epochs=8, repeats=3)


@dataclass(frozen=True)
class PadEffect:
    """What so many `extra` pads at the end of each review did to a batch.

    The largest change of a score in each mode and the share of right answers in training mode; how far the statistics
    of the padded batch are from the running ones, None without batch norm.
    """

    extra: int
    padded_share: float
    training_change: float
    evaluation_change: float
    training_accuracy: float
    drift: float | None


@dataclass(frozen=True)
class Reader:
    """How a network reads that has learned reviews, and what pads do to it.

    In evaluation mode: right answers on the reviews that it learned (`known`); right answers and loss on held-out ones,
    and how far the statistics of their batches, as they come, are from the running ones. The first effect is that of no
    extra pads.
    """

    known: float
    accuracy: float
    loss: float
    drift: float | None
    effects: tuple[PadEffect, ...]


def pad_effects(model: nn.Module, reviews: Sequence[Review]) -> tuple[PadEffect, ...]:
    """Return what 0 and then each of :data:`EXTRA_PADS` extra pads do to a batch of reviews.

    The model itself is not changed, and left in evaluation mode.
    """
    effects: list[PadEffect] = []
    first: tuple[Array, Array] | None = None
    for extra in PADS:
        batch = padded(reviews, extra)
        now = scores(model.train(), batch.ids, batch.pads), scores(model.eval(), batch.ids, batch.pads)
        first = now if first is None else first
        training, evaluation = (float(np.abs(a - b).max()) for a, b in zip(now, first, strict=True))
        right = float((now[0].argmax(-1) == batch.labels).mean())
        moved = batch_norm_drift(model, [(batch.ids, batch.pads)])
        effects.append(PadEffect(extra, batch.padded_share, training, evaluation, right, moved))
    return tuple(effects)


@no_grad()
def scores(model: nn.Module, ids: Array, pads: Array) -> Array:
    """Return a copy's scores, so that the running statistics of the model stay as they are."""
    result: Array = deepcopy(model)(ids, pads).numpy()
    return result


def effects(readers: Sequence[Reader], extra: int) -> list[PadEffect]:
    """Return what so many extra pads did in each repeat."""
    return [effect for reader in readers for effect in reader.effects if effect.extra == extra]


def largest_change(readers: Sequence[Reader], extra: int) -> float:
    """Return the largest change of a score by so many extra pads, in training mode, over the repeats."""
    return max(effect.training_change for effect in effects(readers, extra))


def right_when_padded(readers: Sequence[Reader], extra: int) -> float:
    """Return the mean share of right answers with so many extra pads, in training mode."""
    return fmean(effect.training_accuracy for effect in effects(readers, extra))


def distance_when_padded(readers: Sequence[Reader], extra: int) -> float:
    """Return the mean distance of batches with so many extra pads from the running statistics of a batch norm."""
    return fmean(effect.drift for effect in effects(readers, extra) if effect.drift is not None)


def distance(readers: Sequence[Reader]) -> float:
    """Return the mean distance of batches as they come from the running statistics of a batch norm."""
    return fmean(reader.drift for reader in readers if reader.drift is not None)


def right(readers: Sequence[Reader]) -> float:
    """Return the mean share of right answers on held-out reviews, in evaluation mode."""
    return fmean(reader.accuracy for reader in readers)


def trained(job: tuple[str, int], seed: int, plan: PaddingPlan) -> Reader:
    """Train and pad; the same seed and repeat give all norms the same reviews, weights and batches."""
    norm, repeat = job
    drawn = repeat_seed(seed, repeat)
    reviews = make_reviews(plan.training + plan.held_out, drawn)
    training, held_out = reviews[: plan.training], reviews[plan.training :]
    how = TrainingPlan(plan.epochs, drawn, dtype="float64")
    manual_seed(drawn)
    model = ReviewClassifier(norm, dtype=how.dtype)
    epoch, steps = epochs_of(training, how.batch)
    for _ in losses(model, epoch, steps, how):
        pass
    known, _ = accuracy_and_loss(model, padded(training).as_examples())
    accuracy, loss = accuracy_and_loss(model, padded(held_out).as_examples())
    moved = batch_norm_drift(model, ((batch.ids, batch.pads) for batch in in_batches(held_out, how.batch)))
    return Reader(known, accuracy, loss, moved, pad_effects(model, held_out[:BATCH]))


def run(session: Session, plan: PaddingPlan | None = None) -> LabOutcome:
    """Train, pad, and judge."""
    plan = plan or (QUICK if session.quick else FULL)
    jobs = [(norm, repeat) for repeat in range(plan.repeats) for norm in REVIEW_NORMS]
    done = session.trainings("training", jobs, partial(trained, seed=session.seed, plan=plan))
    readers = by_norm(done)
    answers = verdicts(readers) if len(done) == len(jobs) else unfinished(QUESTIONS)
    return LabOutcome(answers, _tables(readers, plan), _panels(readers))


SAME = 1e-12
"""Up to which change scores count as the same. They are of size 1; a sum of more zeros rounds differently, by 1e-15."""
MOVED = 0.05
"""From which change on a score counts as changed."""
FAR = 0.25
"""How many running deviations between a batch's means and the running means count as far."""
FARTHER = 2.0
"""How many times farther counts as clearly farther."""
FEWER = 0.05
"""How large a difference of two shares of right answers counts; from seed to seed they differ by several points."""

Readers = Mapping[str, Sequence[Reader]]
"""By norm, from each repeat."""

MOST = EXTRA_PADS[-1]
_UNMOVED = f"No number of extra pads changes a score by more than {SAME:g}, in training mode"

LAYER = Question(
    "layer",
    BA,
    "Layer norm takes mean and variance from a single case; other cases do not enter, in training or later.",
    f"{_UNMOVED}.",
)
RMS = Question(
    "rms",
    ZHANG_SENNRICH,
    "RMS norm takes one number from a single case, the root mean square of its features, and no mean.",
    f"{_UNMOVED}.",
)
MASKED = Question(
    "masked",
    LAURENT,
    "Where sequences are padded to one length, batch statistics are to be taken over all positions that are no pads.",
    f"{_UNMOVED}.",
)
RUNNING = Question(
    "running",
    IOFFE_SZEGEDY,
    "In use batch norm takes fixed statistics instead of the batch's: the output depends on the input alone.",
    f"No number of extra pads changes a score by more than {SAME:g} in evaluation mode, whether pads were "
    "counted in training or not.",
)
COMPANY = Question(
    "company",
    IOFFE_SZEGEDY,
    "In training, what batch norm makes of a case depends on whatever else is in the mini-batch.",
    f"If pads are counted, each number of extra pads changes a score by at least {MOVED:g} in training mode; without a "
    f"norm, none changes one by more than {SAME:g}.",
)
STRAYS = Question(
    "strays",
    SHEN,
    "While a Transformer learns from text, statistics of batches fluctuate strongly and stray from the running ones.",
    f"Means of held-out batches, as they come, are at least {FAR:g} running deviations from the running means "
    f"(reproduced); or with {MOST} extra pads they are at least {FARTHER:g} times as far as without, and as with pads "
    "left out (in part).",
)
WORSE = Question(
    "worse",
    SHEN,
    "With batch norm in place of layer norm a Transformer does clearly worse, in translation and as a language model.",
    f"With batch norm at least {100 * FEWER:g} points fewer of the held-out reviews are right.",
)
CLOSE = Question(
    "close",
    WANG,
    "Batch norm fails on text where its statistics differ between training and use; where they stay close, it can do "
    "much better than layer norm.",
    f"Means of held-out batches, as they come, are less than {FAR:g} running deviations from the running means; and "
    f"less than {100 * FEWER:g} points fewer of the held-out reviews are right than with layer norm (in part: neither "
    "failing nor much better can be seen here).",
)

QUESTIONS = (LAYER, RMS, MASKED, RUNNING, COMPANY, STRAYS, WORSE, CLOSE)


def verdicts(readers: Readers) -> tuple[Answer, ...]:
    """Judge complete measurements."""
    return (
        _indifferent(LAYER, readers["layer"]),
        _indifferent(RMS, readers["rms"]),
        _indifferent(MASKED, readers["masked_batch"]),
        _running(readers["batch"], readers["masked_batch"]),
        _company(readers["batch"], readers["none"]),
        _strays(readers["batch"], readers["masked_batch"]),
        _worse(readers["batch"], readers["layer"]),
        _close(readers["batch"], readers["layer"]),
    )


def _most_changed(readers: Sequence[Reader]) -> float:
    return max(largest_change(readers, extra) for extra in EXTRA_PADS)


def _indifferent(question: Question, readers: Sequence[Reader]) -> Answer:
    change = _most_changed(readers)
    return question.identity(
        change <= SAME,
        "Up to {extra} extra pads change a score by at most {change:.1g}.",
        {"extra": MOST, "change": change},
    )


def _running(batch: Sequence[Reader], masked: Sequence[Reader]) -> Answer:
    counted, left_out = (
        max(effect.evaluation_change for reader in readers for effect in reader.effects) for readers in (batch, masked)
    )
    return RUNNING.identity(
        max(counted, left_out) <= SAME,
        "Up to {extra} extra pads change a score by at most {counted:.1g} if pads were counted, {left_out:.1g} if not.",
        {"extra": MOST, "counted": counted, "left_out": left_out},
    )


def _company(batch: Sequence[Reader], none: Sequence[Reader]) -> Answer:
    # Every single training must show it.
    least = [min(largest_change([reader], extra) for reader in batch) for extra in EXTRA_PADS]
    return COMPANY.experiment(
        min(least) >= MOVED and _most_changed(none) <= SAME,
        "{few} extra pads change a score by {changed_by_few:.2g}, {many} by {changed_by_many:.2g}; with {many}, "
        "{padded:.1%} of the answers are right, {unpadded:.1%} without. Without a norm a score changes by at most "
        "{none:.1g}.",
        {
            "few": EXTRA_PADS[0],
            "changed_by_few": least[0],
            "many": MOST,
            "changed_by_many": least[-1],
            "padded": right_when_padded(batch, MOST),
            "unpadded": right_when_padded(batch, 0),
            "none": _most_changed(none),
        },
    )


def _strays(batch: Sequence[Reader], masked: Sequence[Reader]) -> Answer:
    natural, unpadded = distance(batch), distance_when_padded(batch, 0)
    padded, left_out = (distance_when_padded(readers, MOST) for readers in (batch, masked))
    by_pads = padded >= FARTHER * max(unpadded, left_out)
    return STRAYS.answer(
        "reproduced" if natural >= FAR else "in part" if by_pads else "not reproduced",
        "As they come, {natural:.2f} running deviations; 64 reviews with {extra} extra pads {padded:.2f}, without "
        "{unpadded:.2f}, with pads left out {left_out:.2f}.",
        {"natural": natural, "extra": MOST, "padded": padded, "unpadded": unpadded, "left_out": left_out},
    )


def _worse(batch: Sequence[Reader], layer: Sequence[Reader]) -> Answer:
    return WORSE.experiment(
        right(layer) - right(batch) >= FEWER,
        "With batch norm {batch:.1%} are right, with layer norm {layer:.1%}.",
        {"batch": right(batch), "layer": right(layer)},
    )


def _close(batch: Sequence[Reader], layer: Sequence[Reader]) -> Answer:
    near = distance(batch) < FAR and right(layer) - right(batch) < FEWER
    return CLOSE.answer(
        "in part" if near else "not reproduced",
        "The distance is {distance:.2f} running deviations; with batch norm {batch:.1%} are right, with layer norm "
        "{layer:.1%}.",
        {"distance": distance(batch), "batch": right(batch), "layer": right(layer)},
    )


def _tables(readers: Readers, plan: PaddingPlan) -> tuple[Table, ...]:
    changes = f"Largest change of a score in training mode, by extra pads at the end of each of {BATCH} reviews"
    rights = f"Right answers to the {BATCH} reviews in training mode, by extra pads"
    distances = "Distance of the batch's means from the running means, in running deviations, by extra pads"
    rounding = f"Up to {SAME:g} counts as rounding."
    norms = {norm: readers[norm] for norm in BATCH_NORMS if norm in readers}
    layers = f"The root mean square over layers and features. {_shares(readers)}"
    return (
        _by_pads("changes", changes, readers, EXTRA_PADS, largest_change, ".2g", rounding),
        _by_pads("right", rights, readers, PADS, right_when_padded, ".1%"),
        _by_pads("distances", distances, norms, PADS, distance_when_padded, ".2f", layers),
        _training_table(readers, plan),
    )


def _by_pads(
    key: str,
    title: str,
    readers: Readers,
    pads: Sequence[int],
    value: Callable[[Sequence[Reader], int], float],
    form: str,
    note: str = "",
) -> Table:
    rows = tuple(Row(norm, tuple(value(some, extra) for extra in pads)) for norm, some in readers.items())
    return Table(key, title, tuple(f"{extra}" for extra in pads), rows, "extra pads", form, note)


def _shares(readers: Readers) -> str:
    if not readers:
        return ""
    some = next(iter(readers.values()))
    shares = [fmean(effect.padded_share for effect in effects(some, extra)) for extra in PADS]
    return f"Of all positions {', '.join(f'{share:.0%}' for share in shares)} are pads."


def _training_table(readers: Readers, plan: PaddingPlan) -> Table:
    def values(norm: str, some: Sequence[Reader]) -> tuple[float | None, ...]:
        loss, known = fmean(reader.loss for reader in some), fmean(reader.known for reader in some)
        return loss, right(some), known, distance(some) if norm in BATCH_NORMS else None

    return Table(
        "training",
        f"After {plan.epochs} epochs, in evaluation mode: averages over the repeats",
        ("loss", "held out, right", "learned, right", "distance"),
        tuple(Row(norm, values(norm, some)) for norm, some in readers.items()),
        "norm",
        (".3f", ".1%", ".1%", ".2f"),
        "The loss is that of held-out reviews, the distance that of their batches of 32 as they come.",
    )


def _panels(readers: Readers) -> tuple[Panel, ...]:
    def line(norm: str, pads: Sequence[int], value: Callable[[Sequence[Reader], int], float]) -> Line:
        points = tuple((float(i), max(value(readers[norm], extra), LEAST)) for i, extra in enumerate(pads))
        return Line(norm, points, STYLES[norm])

    rounding = Line("rounding is below", ((0.0, SAME), (len(EXTRA_PADS) - 1.0, SAME)), 5, "dashed")
    return (
        Panel(
            "changes",
            "The same reviews padded further, in training mode",
            "extra pads",
            "largest change of a score",
            (*(line(norm, EXTRA_PADS, largest_change) for norm in readers), rounding),
            log_y=True,
            names=tuple(map(str, EXTRA_PADS)),
        ),
        Panel(
            "distances",
            "How far the batch's means are from the running means",
            "extra pads",
            "running deviations",
            tuple(line(norm, PADS, distance_when_padded) for norm in BATCH_NORMS if norm in readers),
            log_y=True,
            names=tuple(map(str, PADS)),
        ),
    )


LAB = Lab(
    "padding",
    "Which normalization minds how far a sentence is padded?",
    (),
    "Transformers of two layers, alike but for the norm, learn the sentiment of reviews. Then 64 other reviews get "
    "4, 16 and 64 more pads than they need, and are read in training mode, by the statistics of the batch, and in "
    "evaluation mode, by the running ones. Attention and the mean that is scored leave pads out: only the norm can "
    "mind them.",
    QUESTIONS,
    (
        "Short reviews of a small grammar and two layers: a network without any norm learns them as well, so the task "
        "cannot tell good norms from bad ones. The quick version stops before they are learned; who is ahead there is "
        "who learns sooner.",
        "Padding is one reason for statistics to stray, and the only one tried. The code of Shen et al. fills pads "
        "with the mean of the real positions, so that what they saw in text has other reasons.",
        "Of what Wang et al. find, that batch norm fails where its statistics differ between training and use is not "
        "tested: here they never do, as the reviews come. Nor is that it can be much better: all norms learn the task.",
        "Pads change scores, but hardly an answer: the two scores of a learned review are far apart.",
        "In evaluation mode pads no longer matter, but the running statistics of plain batch norm hold the share of "
        "pads in the batches of the training.",
    ),
    run,
)
