"""The lab ``padding``: the same reviews with more and more pads, read by Transformers with each normalization."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from ....context import no_grad
from ....random import manual_seed
from ...document.lesson import Row, Table
from ..batches import in_batches, padded
from ..classifier import ReviewClassifier
from ..drift import drift
from ..fit import Settings, losses
from ..outcome import NORMS, accuracy_and_loss
from ..reviews import make_reviews
from ..train_reviews import as_examples, epochs_of
from .extra_pads import EXTRA_PADS, Reader, pad_effects
from .padding_verdicts import (
    LIMITS,
    QUESTIONS,
    SAME,
    Readers,
    distance,
    distance_when_padded,
    effects,
    largest_change,
    right,
    right_when_padded,
    verdicts,
)
from .report import Lab, Line, Outcome, Panel
from .session import Session

PADS = (0, *EXTRA_PADS)
BATCH = 64
"""How many held-out reviews are padded."""
BATCH_NORMS = ("batch", "masked_batch")
STYLES = {"none": 0, "batch": 1, "masked_batch": 2, "layer": 3, "rms": 4}
LEAST = 1e-17
"""Where a change of 0 is drawn, since a logarithmic axis has no place for it."""


@dataclass(frozen=True)
class Size:
    """How much is learned, by how many networks with each norm."""

    training: int
    held_out: int
    epochs: int
    repeats: int


QUICK = Size(training=1500, held_out=400, epochs=5, repeats=1)
FULL = Size(training=2000, held_out=500, epochs=8, repeats=3)

Job = tuple[str, int]
"""Norm and repeat."""


def trained(job: Job, seed: int, size: Size) -> Reader:
    """Train and pad; the same seed and repeat give all norms the same reviews, weights and batches."""
    norm, repeat = job
    drawn = int(np.random.SeedSequence((seed, repeat)).generate_state(1)[0])
    reviews = make_reviews(size.training + size.held_out, drawn)
    training, held_out = reviews[: size.training], reviews[size.training :]
    settings = Settings(size.epochs, drawn, dtype="float64")
    manual_seed(drawn)
    model = ReviewClassifier(norm, dtype=settings.dtype)
    epoch, steps = epochs_of(training, settings.batch)
    for _ in losses(model, epoch, steps, settings):
        pass
    with no_grad():
        model.eval()
        known, _ = accuracy_and_loss(model, as_examples(padded(training)))
        accuracy, loss = accuracy_and_loss(model, as_examples(padded(held_out)))
    moved = drift(model, ((batch.ids, batch.pads) for batch in in_batches(held_out, settings.batch)))
    return Reader(known, accuracy, loss, moved, pad_effects(model, held_out[:BATCH]))


def run(session: Session, size: Size | None = None) -> Outcome:
    """Train, pad, and judge."""
    size = size or (QUICK if session.quick else FULL)
    jobs = [(norm, repeat) for repeat in range(size.repeats) for norm in NORMS]
    done = session.each("training", jobs, lambda job: trained(job, session.seed, size))
    complete = len(done) == len(jobs)
    readers = by_norm(done)
    findings = verdicts(readers) if complete else tuple(question.unfinished() for question in QUESTIONS)
    tables = (_change_table(readers), _right_table(readers), _distance_table(readers), _training_table(readers, size))
    return Outcome(findings, tables, _panels(readers))


def by_norm(done: Mapping[Job, Reader]) -> dict[str, list[Reader]]:
    """Return the networks with each norm that has been trained."""
    found: dict[str, list[Reader]] = {}
    for (norm, _), reader in done.items():
        found.setdefault(norm, []).append(reader)
    return found


def _change_table(readers: Readers) -> Table:
    title = f"Largest change of a score in training mode, by extra pads at the end of each of {BATCH} reviews"
    return _by_pads("changes", title, readers, EXTRA_PADS, largest_change, ".2g", f"Up to {SAME:g} counts as rounding.")


def _right_table(readers: Readers) -> Table:
    title = f"Right answers to the {BATCH} reviews in training mode, by extra pads"
    return _by_pads("right", title, readers, PADS, right_when_padded, ".1%")


def _distance_table(readers: Readers) -> Table:
    title = "Distance of the batch's means from the running means, in running deviations, by extra pads"
    norms = {norm: readers[norm] for norm in BATCH_NORMS if norm in readers}
    note = "The root mean square over layers and features. " + _shares(readers)
    return _by_pads("distances", title, norms, PADS, distance_when_padded, ".2f", note)


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


def _training_table(readers: Readers, size: Size) -> Table:
    return Table(
        "training",
        f"After {size.epochs} epochs, in evaluation mode: averages over the repeats",
        ("loss", "held out, right", "learned, right", "distance"),
        tuple(
            Row(
                norm,
                (
                    fmean(reader.loss for reader in some),
                    right(some),
                    fmean(reader.known for reader in some),
                    distance(some) if norm in BATCH_NORMS else None,
                ),
            )
            for norm, some in readers.items()
        ),
        "norm",
        (".3f", ".1%", ".1%", ".2f"),
        "The loss is that of held-out reviews, the distance that of their batches of 32 as they come.",
    )


def _panels(readers: Readers) -> tuple[Panel, ...]:
    def change(norm: str) -> tuple[tuple[float, float], ...]:
        changes = [largest_change(readers[norm], extra) for extra in EXTRA_PADS]
        return tuple((float(i), max(found, LEAST)) for i, found in enumerate(changes))

    def moved(norm: str) -> tuple[tuple[float, float], ...]:
        return tuple((float(i), distance_when_padded(readers[norm], extra)) for i, extra in enumerate(PADS))

    rounding = Line("rounding is below", ((0.0, SAME), (len(EXTRA_PADS) - 1.0, SAME)), 5, "dashed")
    return (
        Panel(
            "changes",
            "The same reviews padded further, in training mode",
            "extra pads",
            "largest change of a score",
            (*(Line(norm, change(norm), STYLES[norm]) for norm in readers), rounding),
            log_y=True,
            names=tuple(f"{extra}" for extra in EXTRA_PADS),
        ),
        Panel(
            "distances",
            "How far the batch's means are from the running means",
            "extra pads",
            "running deviations",
            tuple(Line(norm, moved(norm), STYLES[norm]) for norm in BATCH_NORMS if norm in readers),
            log_y=True,
            names=tuple(f"{extra}" for extra in PADS),
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
    LIMITS,
    run,
)
