"""What was published about norms, padding and batch norm on text, and how ours is judged by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from .extra_pads import EXTRA_PADS, PadEffect, Reader
from .papers import BA, IOFFE_SZEGEDY, LAURENT, SHEN, WANG, ZHANG_SENNRICH
from .report import Finding, Question

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
    "Batch norm fails on text if its statistics differ between training and use; where they stay close, it does as "
    "well as layer norm or better.",
    f"Means of held-out batches, as they come, are less than {FAR:g} running deviations from the running means; and "
    f"less than {100 * FEWER:g} points fewer of the held-out reviews are right than with layer norm.",
)

QUESTIONS = (LAYER, RMS, MASKED, RUNNING, COMPANY, STRAYS, WORSE, CLOSE)

LIMITS = (
    "Short reviews of a small grammar and two layers: a network without any norm learns them as well, so the task "
    "cannot tell good norms from bad ones. The quick version stops before they are learned; who is ahead there is who "
    "learns sooner.",
    "Padding is one reason for statistics to stray, and the only one tried. The code of Shen et al. fills pads with "
    "the mean of the real positions, so that what they saw in text has other reasons.",
    "Pads change scores, but hardly an answer: the two scores of a learned review are far apart.",
    "In evaluation mode pads no longer matter, but the running statistics of plain batch norm hold the share of pads "
    "in the batches of the training.",
)


def verdicts(readers: Readers) -> tuple[Finding, ...]:
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


def _most_changed(readers: Sequence[Reader]) -> float:
    return max(largest_change(readers, extra) for extra in EXTRA_PADS)


def _indifferent(question: Question, readers: Sequence[Reader]) -> Finding:
    change = _most_changed(readers)
    return question.identity(
        change <= SAME,
        "Up to {extra} extra pads change a score by at most {change:.1g}.",
        {"extra": MOST, "change": change},
    )


def _running(batch: Sequence[Reader], masked: Sequence[Reader]) -> Finding:
    counted, left_out = (
        max(effect.evaluation_change for reader in readers for effect in reader.effects) for readers in (batch, masked)
    )
    return RUNNING.identity(
        max(counted, left_out) <= SAME,
        "Up to {extra} extra pads change a score by at most {counted:.1g} if pads were counted, {left_out:.1g} if not.",
        {"extra": MOST, "counted": counted, "left_out": left_out},
    )


def _company(batch: Sequence[Reader], none: Sequence[Reader]) -> Finding:
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


def _strays(batch: Sequence[Reader], masked: Sequence[Reader]) -> Finding:
    natural, unpadded = distance(batch), distance_when_padded(batch, 0)
    padded, left_out = (distance_when_padded(readers, MOST) for readers in (batch, masked))
    by_pads = padded >= FARTHER * max(unpadded, left_out)
    return STRAYS.answer(
        "reproduced" if natural >= FAR else "in part" if by_pads else "not reproduced",
        "As they come, {natural:.2f} running deviations; 64 reviews with {extra} extra pads {padded:.2f}, without "
        "{unpadded:.2f}, with pads left out {left_out:.2f}.",
        {"natural": natural, "extra": MOST, "padded": padded, "unpadded": unpadded, "left_out": left_out},
    )


def _worse(batch: Sequence[Reader], layer: Sequence[Reader]) -> Finding:
    return WORSE.experiment(
        right(layer) - right(batch) >= FEWER,
        "With batch norm {batch:.1%} are right, with layer norm {layer:.1%}.",
        {"batch": right(batch), "layer": right(layer)},
    )


def _close(batch: Sequence[Reader], layer: Sequence[Reader]) -> Finding:
    return CLOSE.experiment(
        distance(batch) < FAR and right(layer) - right(batch) < FEWER,
        "The distance is {distance:.2f} running deviations; with batch norm {batch:.1%} are right, with layer norm "
        "{layer:.1%}.",
        {"distance": distance(batch), "batch": right(batch), "layer": right(layer)},
    )
