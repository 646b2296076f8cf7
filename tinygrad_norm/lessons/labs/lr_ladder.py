"""The lab ``lr-ladder``: stability and convergence, by training at every rung of a ladder of learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, isfinite, log, nan
from statistics import median

import numpy as np

from ... import optim
from ...engine.details.array import Array
from ...random import manual_seed
from ..document.lesson import Row, Table
from .digits import Digits, digits
from .evaluation import Examples
from .experiment import STYLES, Answer, Lab, LabOutcome, Line, Panel, Question, Session, repeat_seed, unfinished
from .networks import NORMS, Perceptron
from .papers import BJORCK, IOFFE_SZEGEDY, SANTURKAR, XU, ZHANG_SENNRICH
from .training import train_watched

HELD_OUT = 360
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
class LadderPlan:
    """How much is trained."""

    rates: tuple[float, ...]
    steps: int
    repeats: int
    depth: int = 6
    width: int = 64


QUICK = LadderPlan((0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0), steps=150, repeats=1)
FULL = LadderPlan((0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0), steps=300, repeats=3)


@dataclass(frozen=True)
class Rung:
    """How the training at one rate went.

    Steps to 90% of the held-out digits, None if they were not reached or the training diverged after all; the loss on
    the training digits at the end, ∞ if it diverged; how far a unit's mean input moved from step to step, in
    deviations.
    """

    reached: int | None
    loss: float
    shift: float


def trained(job: tuple[str, float, int], data: Digits, seed: int, plan: LadderPlan) -> Rung:
    """Train with a norm, at a rate; the same seed and repeat give all the same first weights and the same batches."""
    norm, rate, repeat = job
    manual_seed(repeat_seed(seed, repeat))
    model = Perceptron(NORMS[norm], plan.depth, plan.width)
    inputs: list[tuple[Array, Array]] = []

    def note(step: int, examples: Examples) -> None:
        inputs.append((model.last_input.mean(0), model.last_input.std(0)))

    optimizer, rng = optim.SGD(model.parameters(), lr=rate), np.random.default_rng((seed, repeat))
    found = train_watched(model, data, optimizer, plan.steps, rng, before_step=note)
    return Rung(found.reached if isfinite(found.loss) else None, found.loss, shift_of(inputs))


def shift_of(inputs: Sequence[tuple[Array, Array]]) -> float:
    """Return how far a unit's mean input moves from one step to the next, on average, in deviations of a unit's input.

    Given are mean and deviation (unit) of each step.
    """
    if len(inputs) < 2:
        return 0.0
    means, deviations = (np.array(part) for part in zip(*inputs, strict=True))
    return float(np.abs(np.diff(means, axis=0)).mean() / deviations.mean())


def middle(repeats: Sequence[Rung]) -> Rung:
    """Return the medians of several trainings; one that did not reach the goal or diverged counts as infinitely bad."""
    reached = median(rung.reached or inf for rung in repeats)
    loss = median(rung.loss for rung in repeats)
    return Rung(None if reached == inf else int(reached), loss, median(rung.shift for rung in repeats))


Rungs = Mapping[tuple[str, float], Rung]
"""By norm and learning rate."""


def run(session: Session, plan: LadderPlan | None = None) -> LabOutcome:
    """Climb the ladder and judge."""
    plan = plan or (QUICK if session.quick else FULL)
    data = digits(session.seed, HELD_OUT)
    jobs = [(norm, rate, repeat) for repeat in range(plan.repeats) for norm in NORMS for rate in plan.rates]
    done = session.trainings("training", jobs, partial(trained, data=data, seed=session.seed, plan=plan))
    rungs = {
        (norm, rate): middle([done[norm, rate, i] for i in range(plan.repeats)])
        for norm in NORMS
        for rate in plan.rates
        if all((norm, rate, i) in done for i in range(plan.repeats))
    }
    answers = verdicts(rungs, plan.rates) if len(done) == len(jobs) else unfinished(QUESTIONS)
    return LabOutcome(answers, _tables(rungs, plan), _panels(rungs, plan))


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
    f"At the smallest rate of the ladder the two losses differ at most by a factor of {WORSE:g} (reproduced), or at "
    "least the loss with batch norm is not the lower one (in part: no advantage, but not equally well).",
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


def verdicts(rungs: Rungs, rates: Sequence[float]) -> tuple[Answer, ...]:
    """Judge a complete ladder."""
    largest = {norm: max((at for at in rates if rungs[norm, at].reached is not None), default=0.0) for norm in NORMS}
    fewest = {norm: min(rungs[norm, rate].reached or inf for rate in rates) for norm in NORMS}
    # All norms train at a tenth; the shifts are compared there, the losses up to it.
    small = [rate for rate in rates if rate <= 0.1]
    shift = {norm: rungs[norm, small[-1]].shift for norm in NORMS}
    loss = {
        norm: float(np.exp(np.mean([np.log(rungs[norm, rate].loss) for rate in small])))
        for norm in ("none", "layer", "detached layer")
    }
    return (
        _larger_rates(largest["batch"], largest["none"]),
        _same_small_rate(rates[0], rungs["batch", rates[0]].loss, rungs["none", rates[0]].loss),
        _fewer_steps(fewest["batch"], fewest["none"]),
        _noise(shift, fewest, largest),
        _rms(largest, fewest),
        _detached(loss),
    )


def _larger_rates(batch: float, none: float) -> Answer:
    return RATES.experiment(
        batch >= LARGER * none > 0,
        "90% is reached at rates up to {batch:g} with batch norm and up to {none:g} without: {factor:.3g} times.",
        {"batch": batch, "none": none, "factor": batch / none if none else inf},
    )


def _same_small_rate(rate: float, batch: float, none: float) -> Answer:
    factor = batch / none
    return SAME_RATE.answer(
        "reproduced" if 1 / WORSE <= factor <= WORSE else "in part" if factor > 1 else "not reproduced",
        "At rate {rate:g} the loss ends at {batch:.3f} with batch norm and at {none:.3f} without: {factor:.2g} times "
        "as large.",
        {"rate": rate, "batch": batch, "none": none, "factor": factor},
    )


def _fewer_steps(batch: float, none: float) -> Answer:
    factor = none / batch
    return STEPS.answer(
        "reproduced" if factor >= MUCH_FASTER else "in part" if factor >= FASTER else "not reproduced",
        "At the best rate of each, 90% takes {batch:g} steps with batch norm and {none:g} without: {factor:.2g} "
        "times fewer.",
        {"batch": batch, "none": none, "factor": factor},
    )


def _noise(shift: Mapping[str, float], fewest: Mapping[str, float], largest: Mapping[str, float]) -> Answer:
    noisy, batch, none = fewest["noisy batch"], fewest["batch"], fewest["none"]
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
            "shift_none": shift["none"],
            "shift_batch": shift["batch"],
            "shift_noisy": shift["noisy batch"],
            "noisy": noisy,
            "none": none,
            "batch": batch,
            "largest_noisy": largest["noisy batch"],
            "largest_none": largest["none"],
        },
    )


def _rms(largest: Mapping[str, float], fewest: Mapping[str, float]) -> Answer:
    rms, layer, rms_steps, layer_steps = largest["rms"], largest["layer"], fewest["rms"], fewest["layer"]
    rungs_apart = abs(log(rms / layer, 3)) if min(rms, layer) else inf
    steps_apart = max(rms_steps, layer_steps) / min(rms_steps, layer_steps)
    return RMS.experiment(
        rungs_apart < 1.2 and steps_apart <= ALIKE,
        "90% is reached at rates up to {rms:g} with RMS norm and {layer:g} with layer norm, at best in "
        "{rms_steps:g} and {layer_steps:g} steps.",
        {"layer": layer, "rms": rms, "layer_steps": layer_steps, "rms_steps": rms_steps},
    )


def _detached(loss: Mapping[str, float]) -> Answer:
    detached = loss["detached layer"]
    return DETACHED.experiment(
        detached >= WORSE * max(loss["layer"], loss["none"]),
        "The loss ends on average at {detached:.3f} with detached layer norm, {layer:.3f} with layer norm, "
        "{none:.3f} without.",
        {"detached": detached, "layer": loss["layer"], "none": loss["none"]},
    )


def _tables(rungs: Rungs, plan: LadderPlan) -> tuple[Table, ...]:
    def table(key: str, title: str, value: str, form: str, note: str) -> Table:
        rows = tuple(
            Row(norm, tuple(getattr(rungs.get((norm, rate)), value, None) for rate in plan.rates)) for norm in NORMS
        )
        return Table(key, title, tuple(f"{rate:g}" for rate in plan.rates), rows, "norm", form, note)

    steps = f"Steps until 90% of the held-out digits are right, of {plan.steps}, by learning rate"
    loss = "Loss on the training digits at the end, by learning rate"
    return (
        table("steps", steps, "reached", "", "–: not reached, or diverged after all."),
        table("loss", loss, "loss", ".3f", "∞: diverged. Guessing gives 2.303."),
    )


def _panels(rungs: Rungs, plan: LadderPlan) -> tuple[Panel, ...]:
    def lines(value: str) -> tuple[Line, ...]:
        return tuple(Line(norm, points(norm, value), STYLES[norm]) for norm in NORMS)

    def points(norm: str, value: str) -> tuple[tuple[float, float], ...]:
        # Where there is nothing to show a line breaks, rather than to lead across a training that diverged.
        found = [(rate, getattr(rungs.get((norm, rate)), value, None)) for rate in plan.rates]
        return tuple((rate, nan if y is None or not isfinite(y) else float(y)) for rate, y in found)

    loss, steps = "Loss on the training digits at the end", "Steps until 90% of the held-out digits are right"
    return (
        Panel("loss", loss, "learning rate", "loss", lines("loss"), log_x=True, log_y=True),
        Panel("steps", steps, "learning rate", "steps", lines("reached"), log_x=True),
    )


LAB = Lab(
    "lr-ladder",
    "Does normalization let a network learn at larger rates, and in fewer steps?",
    ("stability", "convergence", "covariate_shift"),
    "Perceptrons of six hidden layers of 64 units, alike but for the norm, learn handwritten digits by plain "
    "stochastic gradient descent at every rate of a ladder, from the same weights and with the same batches of 64.",
    QUESTIONS,
    (
        "Small perceptrons on 1,437 images of 8×8 pixels, not the deep convolutional networks that the papers train; "
        "factors depend on size, so only their direction and rough size are compared.",
        "The network without a norm starts from weights drawn for ReLU, which help it; from PyTorch's default weights "
        "six layers without a norm hardly train in as many steps.",
        "Layer norm and RMS norm gain little over no norm in these networks (see the tables): what the ladder shows "
        "for batch norm it does not show for them. Their place is the Transformer: see the lab pre-post.",
        "That noise after batch norm does no harm speaks against covariate shift as the reason; it does not prove "
        "another.",
    ),
    run,
)
