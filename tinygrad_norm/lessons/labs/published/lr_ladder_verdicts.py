"""What was published about learning rates and normalization, and how the ladder's rungs are judged by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log

import numpy as np

from .papers import BJORCK, IOFFE_SZEGEDY, SANTURKAR, XU, ZHANG_SENNRICH
from .report import Finding, Question

LARGER = 3.0
"""How many times larger a rate must be to count as larger: a rung of the ladder."""
FASTER = 1.25
"""How many times fewer steps count as faster…"""
MUCH_FASTER = 10.0
"""…and how many as the order of magnitude that was published."""
ALIKE = 2.5
"""Up to which factor of steps two norms count as alike."""
WORSE = 1.5
"""From which factor on a loss counts as worse."""


@dataclass(frozen=True)
class Rung:
    """How the training at one rate went.

    Attributes
    ----------
    reached : int or None
        Steps to 90% of the held-out digits.
    loss : float
        On the training digits at the end; ∞ if it diverged.
    diverged : bool
        Whether it did.
    shift : float
        How far a unit's mean input moved from step to step, in deviations.
    """

    reached: int | None
    loss: float
    diverged: bool
    shift: float


RATES = Question(
    "larger_rates",
    BJORCK,
    "Large learning rates train networks with batch norm; without it they diverge, and the rate must be orders of "
    "magnitude smaller (ResNet-110 on CIFAR-10: 0.1 against 0.0001).",
    f"The largest rate that reaches 90% is at least {LARGER:g} times as large with batch norm as without.",
)
SAME_RATE = Question(
    "same_small_rate",
    BJORCK,
    "At the same small learning rate, networks with and without batch norm do about equally well: the advantage "
    "lies in the rate.",
    "At the smallest rate of the ladder the loss with batch norm is not below the loss without.",
)
STEPS = Question(
    "fewer_steps",
    IOFFE_SZEGEDY,
    "With batch norm and a larger rate, Inception reaches its accuracy on ImageNet in 14 times fewer steps.",
    f"At the best rate of each, batch norm needs at least {MUCH_FASTER:g} times fewer steps to 90% (reproduced), or "
    f"{FASTER:g} times fewer (in part).",
)
NOISE = Question(
    "noise_after_batch_norm",
    SANTURKAR,
    "With noise after batch norm, which makes the inputs of layers less stable than without any norm, networks "
    "train nearly as well as with batch norm and far better than without: a reason to doubt that reducing "
    "covariate shift is why it helps.",
    f"Inputs of the last layer shift more than without a norm; yet 90% takes at most {ALIKE:g} times the steps of "
    "batch norm and fewer than without a norm, and the largest rate that reaches it is larger than without.",
)
RMS = Question(
    "rms_is_enough",
    ZHANG_SENNRICH,
    "Dividing by the root mean square, without subtracting the mean, does about as well as layer norm.",
    f"The largest rates that reach 90% are the same to one rung, and the fewest steps to a factor of {ALIKE:g}.",
)
DETACHED = Question(
    "derivatives_of_statistics",
    XU,
    "Layer norm whose mean and deviation send no gradient back does worse than layer norm, and worse than no norm: the "
    "backward pass matters, not only the normalized values.",
    f"At the rates up to a tenth, the loss at the end is on (geometric) average at least {WORSE:g} times that of "
    "layer norm and of no norm.",
)

QUESTIONS = (RATES, SAME_RATE, STEPS, NOISE, RMS, DETACHED)

LIMITS = (
    "Small perceptrons on 1,437 images of 8×8 pixels, not the deep convolutional networks that the papers train; "
    "factors depend on size, so only their direction and rough size are compared.",
    "The network without a norm starts from weights drawn for ReLU, which help it; from PyTorch's default weights six "
    "layers without a norm hardly train in as many steps.",
    "Layer norm and RMS norm gain little over no norm in these networks (see the tables): what the ladder shows "
    "for batch norm it does not show for them. Their place is the Transformer: see the lab pre-post.",
    "That noise after batch norm does no harm speaks against covariate shift as the reason; it does not prove another.",
)


def verdicts(rungs: Mapping[tuple[str, float], Rung], rates: Sequence[float]) -> tuple[Finding, ...]:
    """Judge a complete ladder."""

    def largest(norm: str) -> float:
        return max((rate for rate in rates if rungs[norm, rate].reached is not None), default=0.0)

    def fewest(norm: str) -> float:
        return min((rungs[norm, rate].reached or inf for rate in rates), default=inf)

    return (
        _larger_rates(largest("batch"), largest("none")),
        _same_small_rate(rates[0], rungs["batch", rates[0]].loss, rungs["none", rates[0]].loss),
        _fewer_steps(fewest("batch"), fewest("none")),
        _noise(
            {norm: _shift(rungs, norm, rates) for norm in ("none", "batch", "noisy batch")},
            {norm: fewest(norm) for norm in ("none", "batch", "noisy batch")},
            {norm: largest(norm) for norm in ("none", "noisy batch")},
        ),
        _rms({norm: largest(norm) for norm in ("layer", "rms")}, {norm: fewest(norm) for norm in ("layer", "rms")}),
        _detached({n: _mean_loss(rungs, n, rates) for n in ("none", "layer", "detached layer")}),
    )


def _larger_rates(batch: float, none: float) -> Finding:
    return RATES.experiment(
        batch >= LARGER * none > 0,
        "90% is reached at rates up to {batch:g} with batch norm and up to {none:g} without: {factor:.3g} times.",
        {"batch": batch, "none": none, "factor": batch / none if none else inf},
    )


def _same_small_rate(rate: float, batch: float, none: float) -> Finding:
    return SAME_RATE.experiment(
        batch >= none,
        "At rate {rate:g} the loss ends at {batch:.3f} with batch norm and at {none:.3f} without.",
        {"rate": rate, "batch": batch, "none": none},
    )


def _fewer_steps(batch: float, none: float) -> Finding:
    factor = none / batch
    return STEPS.answer(
        "reproduced" if factor >= MUCH_FASTER else "in part" if factor >= FASTER else "not reproduced",
        "At the best rate of each, 90% takes {batch:g} steps with batch norm and {none:g} without: {factor:.2g} "
        "times fewer.",
        {"batch": batch, "none": none, "factor": factor},
    )


def _noise(shift: Mapping[str, float], steps: Mapping[str, float], largest: Mapping[str, float]) -> Finding:
    noisy, batch, none = steps["noisy batch"], steps["batch"], steps["none"]
    return NOISE.experiment(
        shift["noisy batch"] > shift["none"]
        and noisy <= ALIKE * batch
        and noisy < none
        and largest["noisy batch"] > largest["none"],
        "From step to step the inputs of the last layer move by {shift_noisy:.2f} deviations with noisy batch "
        "norm, {shift_none:.2f} without a norm, {shift_batch:.3f} with batch norm; 90% takes {noisy:g}, {none:g} "
        "and {batch:g} steps. Rates up to {largest_noisy:g} reach it with noisy batch norm, {largest_none:g} "
        "without a norm.",
        {
            **{f"shift_{norm.split()[0]}": value for norm, value in shift.items()},
            "noisy": noisy,
            "none": none,
            "batch": batch,
            "largest_noisy": largest["noisy batch"],
            "largest_none": largest["none"],
        },
    )


def _rms(largest: Mapping[str, float], fewest: Mapping[str, float]) -> Finding:
    rungs_apart = abs(log(largest["rms"] / largest["layer"], 3)) if min(largest.values()) else inf
    steps_apart = max(fewest.values()) / min(fewest.values())
    return RMS.experiment(
        rungs_apart < 1.2 and steps_apart <= ALIKE,
        "90% is reached at rates up to {rms:g} with RMS norm and {layer:g} with layer norm, at best in "
        "{rms_steps:g} and {layer_steps:g} steps.",
        {**largest, **{f"{norm}_steps": steps for norm, steps in fewest.items()}},
    )


def _detached(loss: Mapping[str, float]) -> Finding:
    detached = loss["detached layer"]
    return DETACHED.experiment(
        detached >= WORSE * max(loss["layer"], loss["none"]),
        "The loss ends on average at {detached:.3f} with detached layer norm, {layer:.3f} with layer norm, "
        "{none:.3f} without.",
        {"detached": detached, "layer": loss["layer"], "none": loss["none"]},
    )


def _small(rates: Sequence[float]) -> list[float]:
    return [rate for rate in rates if rate <= 0.1]


def _mean_loss(rungs: Mapping[tuple[str, float], Rung], norm: str, rates: Sequence[float]) -> float:
    return float(np.exp(np.mean([np.log(rungs[norm, rate].loss) for rate in _small(rates)])))


def _shift(rungs: Mapping[tuple[str, float], Rung], norm: str, rates: Sequence[float]) -> float:
    """Return the shift at the largest of the small rates, at which all of them train."""
    return rungs[norm, _small(rates)[-1]].shift
