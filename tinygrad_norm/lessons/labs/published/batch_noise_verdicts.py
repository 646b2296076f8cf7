"""What was published about the noise of mini-batches, and how ours is judged by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean, median

from .noise_law import Noise
from .papers import BA, HOFFER, IOFFE_SZEGEDY, LUO, TEYE, WU_HE
from .report import Finding, Question
from .training import Fit

CLOSE = 0.1
"""How far a measured variance may be from the law at the largest B; the law is right to first order in 1/B."""
LESS = 0.8
"""Up to which share of the other a loss counts as clearly smaller."""


@dataclass(frozen=True)
class Learned:
    """How the trainings with one norm went: medians of the steps to 90%, means of the losses at the end.

    ``steps`` is ∞ if most did not get there.
    """

    steps: float
    loss: float
    held_out_loss: float
    accuracy: float


def learned(fits: Sequence[Fit]) -> Learned:
    """Return medians and means of several trainings."""
    return Learned(
        median(fit.reached or inf for fit in fits),
        fmean(fit.loss for fit in fits),
        fmean(fit.held_out_loss for fit in fits),
        fmean(fit.accuracy for fit in fits),
    )


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

LIMITS = (
    "Small perceptrons and 200 digits to learn from, so that there is something to overfit. Accuracies differ by "
    "one or two points at most, and not always in the same direction: losses are compared.",
    "Noise is one of several effects of batch norm; layer norm, which has none, lowers the held-out loss too (see "
    "the table). Only the comparison of group sizes isolates the noise.",
    "The law is right to first order in 1/B. In a small batch a value is part of its own statistics, which makes an "
    "unusual one vary less.",
)


def verdicts(noises: Sequence[Noise], spread: float, fits: Mapping[str, Sequence[Fit]]) -> tuple[Finding, ...]:
    """Judge complete measurements."""
    found = {norm: learned(some) for norm, some in fits.items()}
    return (
        _law(noises),
        NO_NOISE.identity(spread == 0, "In 100 random batches its outputs differ by {spread:g}.", {"spread": spread}),
        _regularizes(found),
        _ghosts(found),
        _too_much(found),
    )


def _law(noises: Sequence[Noise]) -> Finding:
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


def _regularizes(found: Mapping[str, Learned]) -> Finding:
    batch, none = found["batch of 64"].held_out_loss, found["none"].held_out_loss
    return REGULARIZES.experiment(
        batch <= LESS * none,
        "Held-out loss {batch:.3f} with batch norm, {none:.3f} without; layer norm, without noise, {layer:.3f}.",
        {"batch": batch, "none": none, "layer": found["layer"].held_out_loss},
    )


def _ghosts(found: Mapping[str, Learned]) -> Finding:
    whole, sixteen, eight = (found[f"batch of {size}"].held_out_loss for size in (64, 16, 8))
    best = min(sixteen, eight)
    return GHOSTS.answer(
        "reproduced" if best <= LESS * whole else "in part" if best < whole else "not reproduced",
        "Held-out loss {whole:.3f} with the batch of 64, {sixteen:.3f} in groups of 16, {eight:.3f} in groups of 8.",
        {"whole": whole, "sixteen": sixteen, "eight": eight},
    )


def _too_much(found: Mapping[str, Learned]) -> Finding:
    whole, two = found["batch of 64"], found["batch of 2"]
    return TOO_MUCH.experiment(
        two.steps == inf and whole.steps < inf and two.held_out_loss >= 2 * whole.held_out_loss,
        "In groups of 2 the held-out loss is {two:.3f} and {accuracy:.1%} are right; with the batch of 64 it is "
        "{whole:.3f}, and 90% takes {steps:g} steps.",
        {
            "two": two.held_out_loss,
            "accuracy": two.accuracy,
            "whole": whole.held_out_loss,
            "steps": whole.steps,
        },
    )
