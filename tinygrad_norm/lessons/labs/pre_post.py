"""The lab ``pre-post``: layer norm after or before the parts of a Transformer, gradients by depth, training.

The encoders have the norm after each residual sum (Post-LN) or before each part (Pre-LN), as in Xiong et al. 2020.
Weights are drawn from Xavier normal distributions and biases are 0, as in their section 3. Pre-LN has one more norm at
the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import numpy as np

from ... import functional as F
from ... import nn, optim
from ...engine.details.array import Array
from ...engine.tensor import Tensor, as_tensor
from ...random import generator, manual_seed
from ..document.lesson import Row, Table
from .digits import CLASSES, Digits, digits
from .evaluation import Examples
from .experiment import Answer, Lab, LabOutcome, Line, Panel, Question, Session, repeat_seed, unfinished
from .papers import XIONG
from .training import WatchedTraining, train_watched

DTYPE = np.float32
ROWS = COLUMNS = 8
"""A digit is a sentence of 8 words, its rows, of 8 features."""


class Encoder(nn.Module):
    """Encoder layers one after the other, each with weights of its own.

    Shapes: x (batch, time, features), result the same.
    """

    def __init__(self, depth: int, features: int, pre: bool, heads: int = 4) -> None:
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                features, heads, 2 * features, dropout=0.0, batch_first=True, norm_first=pre, dtype=DTYPE
            )
            for _ in range(depth)
        )
        self.last_norm = nn.LayerNorm(features, dtype=DTYPE) if pre else nn.Identity()
        draw_weights(self.layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the encoded positions."""
        for layer in self.layers:
            x = layer(x)
        encoded: Tensor = self.last_norm(x)
        return encoded


class DigitTransformer(nn.Module):
    """Scores for a digit that is read row by row: linear, learned places, encoder, mean over the rows, linear.

    Shapes: images (batch, 64), result (batch, 10).
    """

    def __init__(self, depth: int, features: int, pre: bool) -> None:
        self.words = nn.Linear(COLUMNS, features, dtype=DTYPE)
        self.places = nn.Parameter((0.1 * generator().standard_normal((ROWS, features))).astype(DTYPE))
        self.encoder = Encoder(depth, features, pre)
        self.scores = nn.Linear(features, CLASSES, dtype=DTYPE)

    def forward(self, images: Array) -> Tensor:
        """Return the scores."""
        rows = as_tensor(images.reshape(-1, ROWS, COLUMNS))
        encoded = self.encoder(self.words(rows) + self.places)
        scores: Tensor = self.scores(encoded.mean(1))
        return scores


def draw_weights(module: nn.Module) -> None:
    """Draw every matrix anew from a Xavier normal distribution and set every bias to 0; norms are left alone."""
    for name, parameter in module.named_parameters():
        if parameter.ndim == 2:
            nn.init.xavier_normal_(parameter)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def last_layer_gradient(depth: int, features: int, pre: bool, rng: np.random.Generator) -> float:
    """Return the norm of the gradient of the last feed-forward matrix of an untrained encoder, for one random case.

    The case is a sentence of eight random words; the loss that of naming a random class from the first one. The
    generator of ``manual_seed`` draws the weights.
    """
    encoder = Encoder(depth, features, pre)
    head = nn.Linear(features, CLASSES, dtype=DTYPE)
    draw_weights(head)
    x = rng.standard_normal((1, ROWS, features)).astype(DTYPE)
    loss = F.cross_entropy(head(encoder(as_tensor(x))[:, 0]), rng.integers(0, CLASSES, 1))
    loss.backward()
    (*_, last) = encoder.layers
    gradient: Tensor = last.linear2.weight.grad
    return float(np.linalg.norm(gradient.numpy()))


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
class PrePostPlan:
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


QUICK = PrePostPlan((2, 4, 8, 16, 32), features=32, draws=12, steps=120, warm_up=80, repeats=1)
FULL = PrePostPlan((2, 4, 8, 16, 32), features=64, draws=40, steps=200, warm_up=100, repeats=3)


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


def gradient_norms(job: tuple[str, int], seed: int, plan: PrePostPlan) -> float:
    """Return the mean norm of the gradient of the last layer over random encoders and cases."""
    place, depth = job
    manual_seed(seed)
    rng = np.random.default_rng((seed, depth))
    return fmean(last_layer_gradient(depth, plan.features, PLACES[place], rng) for _ in range(plan.draws))


def power(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the power p of the least-squares fit y ∝ xᵖ of the logarithms."""
    return float(np.polyfit(np.log(xs), np.log(ys), 1)[0])


def arms(plan: PrePostPlan) -> list[Arm]:
    """Return the ways to train: all four at the high rate, those without warm-up at the low one."""
    high = [Arm(place, warm_up, plan.high) for place in PLACES for warm_up in (False, True)]
    return [*high, *(Arm(place, False, plan.low) for place in PLACES)]


def trained(job: tuple[Arm, int], data: Digits, seed: int, plan: PrePostPlan) -> WatchedTraining:
    """Train a Transformer by Adam; the same seed and repeat give all arms the same batches."""
    arm, repeat = job
    manual_seed(repeat_seed(seed, repeat))
    model = DigitTransformer(plan.depth, plan.trained_features, PLACES[arm.place])
    optimizer = optim.Adam(model.parameters(), lr=arm.rate, betas=(0.9, 0.98))

    def set_rate(step: int, examples: Examples) -> None:
        if arm.warm_up:
            optimizer.param_groups[0]["lr"] = arm.rate * min(1.0, step / plan.warm_up)

    rng = np.random.default_rng((seed, repeat))
    return train_watched(model, data, optimizer, plan.steps, rng, batch=plan.batch, look_every=20, before_step=set_rate)


def run(session: Session, plan: PrePostPlan | None = None) -> LabOutcome:
    """Measure gradients, train, and judge."""
    plan = plan or (QUICK if session.quick else FULL)
    depths = [(place, depth) for place in PLACES for depth in plan.depths]
    norms = session.each("measuring gradients", depths, lambda job: gradient_norms(job, session.seed, plan))
    data = digits(session.seed, HELD_OUT)
    jobs = [(arm, repeat) for repeat in range(plan.repeats) for arm in arms(plan)]
    done = session.trainings("training", jobs, partial(trained, data=data, seed=session.seed, plan=plan))
    found = {arm: [done[arm, i] for i in range(plan.repeats) if (arm, i) in done] for arm in arms(plan)}
    by_depth = _by_depth(norms, plan) if len(norms) == len(depths) else unfinished(QUESTIONS[:2])
    by_arm = _by_arm(found, plan) if len(done) == len(jobs) else unfinished(QUESTIONS[2:])
    tables = (_gradient_table(norms, plan), _training_table(found))
    return LabOutcome((*by_depth, *by_arm), tables, (_gradient_panel(norms), _training_panel(found, plan)))


def _by_depth(norms: Mapping[tuple[str, int], float], plan: PrePostPlan) -> tuple[Answer, ...]:
    post, pre = (power(plan.depths, [norms[place, depth] for depth in plan.depths]) for place in PLACES)
    text = "From {first} to {last} layers the norm goes as the depth to the power {power:.2f}."
    ends = {"first": plan.depths[0], "last": plan.depths[-1]}
    return (
        FLAT_POST.experiment(abs(post) <= FLAT, text, {**ends, "power": post}),
        ROOT_PRE.experiment(ROOT[0] <= pre <= ROOT[1], text, {**ends, "power": pre}),
    )


def _by_arm(found: Mapping[Arm, Sequence[WatchedTraining]], plan: PrePostPlan) -> tuple[Answer, ...]:
    def accuracy(place: str, warm_up: bool) -> float:
        return fmean(training.accuracy for training in found[Arm(place, warm_up, plan.high)])

    post, pre, warmed = accuracy("Post-LN", False), accuracy("Pre-LN", False), accuracy("Post-LN", True)
    return (
        WITHOUT.experiment(
            post < FAILS and pre >= TRAINS,
            "At rate {rate:g} without warm-up {post:.1%} are right with Post-LN and {pre:.1%} with Pre-LN.",
            {"rate": plan.high, "post": post, "pre": pre},
        ),
        WARM_UP.experiment(
            warmed >= post + BETTER,
            "At rate {rate:g} with Post-LN {warmed:.1%} are right with warm-up, {post:.1%} without.",
            {"rate": plan.high, "warmed": warmed, "post": post},
        ),
        COMPARABLE.experiment(
            warmed < pre + BETTER,
            "At rate {rate:g} {pre:.1%} are right with Pre-LN without warm-up, {warmed:.1%} with Post-LN and warm-up.",
            {"rate": plan.high, "pre": pre, "warmed": warmed},
        ),
    )


def _gradient_table(norms: Mapping[tuple[str, int], float], plan: PrePostPlan) -> Table:
    return Table(
        "gradients",
        "Norm of the gradient of the last feed-forward matrix, untrained, by number of layers",
        tuple(f"{depth}" for depth in plan.depths),
        tuple(Row(place, tuple(norms.get((place, depth)) for depth in plan.depths)) for place in PLACES),
        "layers",
        ".3f",
        f"Means over {plan.draws} random encoders and cases.",
    )


def _gradient_panel(norms: Mapping[tuple[str, int], float]) -> Panel:
    lines = tuple(
        Line(place, tuple((float(depth), norm) for (at, depth), norm in norms.items() if at == place), style)
        for style, place in enumerate(PLACES)
    )
    title = "Gradient of the last layer, untrained"
    return Panel("gradients", title, "layers", "norm", lines, log_x=True, log_y=True)


def _training_table(found: Mapping[Arm, Sequence[WatchedTraining]]) -> Table:
    return Table(
        "training",
        "Digits read row by row: the end of the training",
        ("loss", "held out, right"),
        tuple(
            Row(arm.name, (fmean(one.loss for one in some), fmean(one.accuracy for one in some)))
            for arm, some in found.items()
            if some
        ),
        "",
        (".3f", ".1%"),
        "Guessing gives a loss of 2.303 and 10%.",
    )


def _training_panel(found: Mapping[Arm, Sequence[WatchedTraining]], plan: PrePostPlan) -> Panel:
    lines = tuple(
        Line(
            arm.course, _smoothed(some[0].losses), list(PLACES).index(arm.place), "dashed" if arm.warm_up else "joined"
        )
        for arm, some in found.items()
        if some and arm.rate == plan.high
    )
    return Panel("training", f"Training at rate {plan.high:g}", "step", "loss, mean of ten steps", lines)


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
