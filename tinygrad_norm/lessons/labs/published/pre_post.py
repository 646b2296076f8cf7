"""The lab ``pre-post``: layer norm after or before the parts of a Transformer, gradients by depth, training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from .... import optim
from ....engine.details.array import Array
from ....random import manual_seed
from ...document.lesson import Row, Table
from .digits import Digits, digits
from .papers import XIONG
from .report import Finding, Lab, Line, Outcome, Panel, Question
from .session import Session
from .training import Fit, fit
from .transformers import DigitTransformer, last_layer_gradient

PLACES = {"Post-LN": False, "Pre-LN": True}
HELD_OUT = 360
FLAT = 0.15
"""Up to which power of the depth a gradient counts as flat."""
ROOT = (-0.65, -0.35)
"""Which powers of the depth count as 1/√L."""
FAILS = 0.5
"""Below this accuracy a training has failed (guessing gives 0.1)…"""
TRAINS = 0.6
"""…and from this one on it has succeeded."""
BETTER = 0.15
"""By how much the accuracy must be higher to count as better."""


@dataclass(frozen=True)
class Size:
    """How much is measured and trained.

    The high rate is one at which it matters where the norm is; the low one, one at which it does not.
    """

    depths: tuple[int, ...]
    features: int
    draws: int
    steps: int
    warm_up: int
    repeats: int
    depth: int = 6
    trained_features: int = 32
    high: float = 0.01
    low: float = 0.002
    batch: int = 32


QUICK = Size((2, 4, 8, 16, 32), features=32, draws=12, steps=120, warm_up=80, repeats=1)
FULL = Size((2, 4, 8, 16, 32), features=64, draws=40, steps=200, warm_up=100, repeats=3)


@dataclass(frozen=True)
class Arm:
    """One way to train."""

    place: str
    warm_up: bool
    rate: float

    @property
    def course(self) -> str:
        """Where the norm is and whether there is a warm-up, for a legend."""
        return f"{self.place}, {'with' if self.warm_up else 'without'} warm-up"

    @property
    def name(self) -> str:
        """All of it, for a table."""
        return f"{self.course}, rate {self.rate:g}"


FLAT_POST = Question(
    "post_is_flat",
    XIONG,
    "Post-LN: at initialization the gradient of the last layer is as large as it is, however deep the network: "
    "O(d√ln d).",
    f"A power of the depth fitted to the mean norms lies between −{FLAT:g} and {FLAT:g}.",
)
ROOT_PRE = Question(
    "pre_falls",
    XIONG,
    "Pre-LN: at initialization the gradient of the last layer falls with the depth L as 1/√L: O(d√(ln d/L)).",
    f"The power fitted to the mean norms lies between −{-ROOT[0]:g} and −{-ROOT[1]:g}.",
)
WITHOUT = Question(
    "without_warm_up",
    XIONG,
    "Without warm-up, at the rate usual with it, Post-LN fails (IWSLT14: 8.45 BLEU instead of 34) and Pre-LN trains.",
    f"At the high rate fewer than {FAILS:.0%} of the held-out digits are right with Post-LN, at least {TRAINS:.0%} "
    "with Pre-LN.",
)
WARM_UP = Question(
    "warm_up_helps",
    XIONG,
    "With warm-up Post-LN trains at that rate.",
    f"At the high rate warm-up raises the accuracy of Post-LN by at least {BETTER:.0%}.",
)
COMPARABLE = Question(
    "pre_needs_none",
    XIONG,
    "Pre-LN without warm-up does as well as Post-LN with it.",
    f"At the high rate Post-LN with warm-up is not better: its accuracy is higher by less than {BETTER:.0%}.",
)

QUESTIONS = (FLAT_POST, ROOT_PRE, WITHOUT, WARM_UP, COMPARABLE)


def gradient_norms(job: tuple[str, int], seed: int, size: Size) -> float:
    """Return the mean norm of the gradient of the last layer over random encoders and cases."""
    place, depth = job
    manual_seed(seed)
    rng = np.random.default_rng((seed, depth))
    return fmean(last_layer_gradient(depth, size.features, PLACES[place], rng) for _ in range(size.draws))


def power(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the power p of the least-squares fit y ∝ xᵖ of the logarithms.

    Examples
    --------
    >>> round(power([1, 4, 16], [3.0, 1.5, 0.75]), 12)
    -0.5
    """
    return float(np.polyfit(np.log(xs), np.log(ys), 1)[0])


def arms(size: Size) -> list[Arm]:
    """Return the ways to train: all four at the high rate, those without warm-up at the low one."""
    high = [Arm(place, warm_up, size.high) for place in PLACES for warm_up in (False, True)]
    return [*high, *(Arm(place, False, size.low) for place in PLACES)]


def trained(arm: Arm, repeat: int, data: Digits, seed: int, size: Size) -> Fit:
    """Train a Transformer by Adam; the same seed and repeat give all arms the same batches."""
    manual_seed(int(np.random.SeedSequence((seed, repeat)).generate_state(1)[0]))
    model = DigitTransformer(size.depth, size.trained_features, PLACES[arm.place])
    optimizer = optim.Adam(model.parameters(), lr=arm.rate, betas=(0.9, 0.98))

    def set_rate(step: int, images: Array, classes: Array) -> None:
        if arm.warm_up:
            optimizer.param_groups[0]["lr"] = arm.rate * min(1.0, step / size.warm_up)

    rng = np.random.default_rng((seed, repeat))
    return fit(model, data, optimizer, size.steps, rng, batch=size.batch, look_every=20, before_step=set_rate)


def run(session: Session, size: Size | None = None) -> Outcome:
    """Measure gradients, train, and judge."""
    size = size or (QUICK if session.quick else FULL)
    depths = [(place, depth) for place in PLACES for depth in size.depths]
    norms = session.each("measuring gradients", depths, lambda job: gradient_norms(job, session.seed, size))
    data = digits(session.seed, HELD_OUT)
    jobs = [(arm, repeat) for repeat in range(size.repeats) for arm in arms(size)]
    fits = session.each("training", jobs, lambda job: trained(*job, data, session.seed, size))
    found = {arm: [fits[arm, i] for i in range(size.repeats) if (arm, i) in fits] for arm in arms(size)}
    by_depth = _by_depth(norms, size) if len(norms) == len(depths) else tuple(q.unfinished() for q in QUESTIONS[:2])
    by_arm = _by_arm(found, size) if len(fits) == len(jobs) else tuple(q.unfinished() for q in QUESTIONS[2:])
    return Outcome((*by_depth, *by_arm), (_gradient_table(norms, size), _training_table(found)), _panels(norms, found))


def _by_depth(norms: Mapping[tuple[str, int], float], size: Size) -> tuple[Finding, Finding]:
    post, pre = (power(size.depths, [norms[place, depth] for depth in size.depths]) for place in PLACES)
    text = "From {first} to {last} layers the norm goes as the depth to the power {power:.2f}."
    ends = {"first": size.depths[0], "last": size.depths[-1]}
    return (
        FLAT_POST.experiment(abs(post) <= FLAT, text, {**ends, "power": post}),
        ROOT_PRE.experiment(ROOT[0] <= pre <= ROOT[1], text, {**ends, "power": pre}),
    )


def _by_arm(found: Mapping[Arm, Sequence[Fit]], size: Size) -> tuple[Finding, Finding, Finding]:
    def accuracy(place: str, warm_up: bool) -> float:
        return fmean(fit.accuracy for fit in found[Arm(place, warm_up, size.high)])

    post, pre, warmed = accuracy("Post-LN", False), accuracy("Pre-LN", False), accuracy("Post-LN", True)
    rate = {"rate": size.high}
    return (
        WITHOUT.experiment(
            post < FAILS and pre >= TRAINS,
            "At rate {rate:g} without warm-up {post:.1%} are right with Post-LN and {pre:.1%} with Pre-LN.",
            {**rate, "post": post, "pre": pre},
        ),
        WARM_UP.experiment(
            warmed >= post + BETTER,
            "At rate {rate:g} with Post-LN {warmed:.1%} are right with warm-up, {post:.1%} without.",
            {**rate, "warmed": warmed, "post": post},
        ),
        COMPARABLE.experiment(
            warmed < pre + BETTER,
            "At rate {rate:g} {pre:.1%} are right with Pre-LN without warm-up, {warmed:.1%} with Post-LN and warm-up.",
            {**rate, "pre": pre, "warmed": warmed},
        ),
    )


def _gradient_table(norms: Mapping[tuple[str, int], float], size: Size) -> Table:
    return Table(
        "gradients",
        "Norm of the gradient of the last feed-forward matrix, untrained, by number of layers",
        tuple(f"{depth}" for depth in size.depths),
        tuple(Row(place, tuple(norms.get((place, depth)) for depth in size.depths)) for place in PLACES),
        "layers",
        ".3f",
        f"Means over {size.draws} random encoders and cases.",
    )


def _training_table(found: Mapping[Arm, Sequence[Fit]]) -> Table:
    return Table(
        "training",
        "Digits read row by row: the end of the training",
        ("loss", "held out, right"),
        tuple(
            Row(arm.name, (fmean(fit.loss for fit in fits), fmean(fit.accuracy for fit in fits)))
            for arm, fits in found.items()
            if fits
        ),
        "",
        (".3f", ".1%"),
        "Guessing gives a loss of 2.303 and 10%.",
    )


def _panels(norms: Mapping[tuple[str, int], float], found: Mapping[Arm, Sequence[Fit]]) -> tuple[Panel, ...]:
    by_place = tuple(
        Line(place, tuple((float(depth), norm) for (at, depth), norm in norms.items() if at == place), style)
        for style, place in enumerate(PLACES)
    )
    rate = max(arm.rate for arm in found)
    curves = tuple(
        Line(
            arm.course, _smoothed(fits[0].losses), list(PLACES).index(arm.place), "dashed" if arm.warm_up else "joined"
        )
        for arm, fits in found.items()
        if fits and arm.rate == rate
    )
    return (
        Panel(
            "gradients",
            "Gradient of the last layer, untrained",
            "layers",
            "norm",
            by_place,
            log_x=True,
            log_y=True,
        ),
        Panel("training", f"Training at rate {rate:g}", "step", "loss, mean of ten steps", curves),
    )


def _smoothed(losses: Sequence[float], window: int = 10) -> tuple[tuple[float, float], ...]:
    return tuple((float(end), fmean(losses[end - window : end])) for end in range(window, len(losses) + 1, window))


LAB = Lab(
    "pre-post",
    "Layer norm before or after each part of a Transformer: what becomes of the gradients?",
    ("stability", "convergence"),
    "First, gradients of untrained encoders of 2 to 32 layers, for random sentences. Then Transformers of six "
    "layers and 32 features learn to read digits row by row by Adam, with and without a linear warm-up of the rate.",
    QUESTIONS,
    (
        "The theorem bounds an expectation for wide networks with uniform attention; the measured encoders have random "
        "attention and 32 or 64 features.",
        "At the low rate both train without warm-up (see the table): six layers need it only at a high rate. The "
        "high rate is chosen so that the difference shows.",
        "Digits row by row, not translation; a few hundred steps. A single training varies by some seven points from "
        "seed to seed, and with it what can be called better.",
    ),
    run,
)
