"""The pictures of the lecture that can be moved: the sweep of a table, a word among pads, the circle, the gradient.

Each scene is computed with the engine when the lecture is, for every place of its slider.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ...engine.details.array import Array
from ...engine.tensor import Tensor
from ...transforms import vjp
from ..document.moving import Cells, Dots, Moving, Plane, Scene
from .law_of_pads import with_zero_rows
from .norm_formula import BATCH, LAYER, normalize
from .notes import DIMENSION_NAMES, NEURON_NAMES
from .settings import DEFAULT_LAYER_EPS, DIVISORS, Settings
from .tensor_tables import NEURONS, ROW_LABELS, attention_outputs, floats

MOST_PADS = 20

RADII = (0.0, DEFAULT_LAYER_EPS, *(4.0**k for k in range(-3, 3)))
"""Epsilons that pull the circle in."""

SEED = 0

IN_THE_PLANE = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, -2.0]]) / np.sqrt([[2.0], [6.0]])
"""Two directions at right angles, both orthogonal to (1, 1, 1): what is left of three numbers without their mean."""


def swept(axis: int, rows: Mapping[str, Sequence[float]], columns: Sequence[str], ddof: int, eps: float) -> Moving:
    """Return a table that is normalized set by set: down each column for batch norm, along each row for layer norm."""
    x = Tensor(list(rows.values())).astype(float)
    steps = normalize(x, axis, ddof, eps)
    before, after, mean, deviation = (part.numpy() for part in (x, steps.normalized, steps.mean, steps.variance.sqrt()))
    cells = {label: tuple(row) for label, row in rows.items()}
    dots, sets = (list(rows), list(columns)) if axis == BATCH else (list(columns), list(rows))

    def scene(name: str) -> Scene:
        k = sets.index(name)
        at = np.s_[:, k] if axis == BATCH else np.s_[k]
        center, spread = mean.ravel()[k].item(), deviation.ravel()[k].item()
        marks = {"μ−σ": center - spread, "μ": center, "μ+σ": center + spread}
        return Scene(
            (
                Cells("the table", tuple(columns), cells, **{_SETS[axis]: k}),
                Dots("x", dict(zip(dots, before[at].tolist(), strict=True)), "x", marks),
                Dots("x̂", dict(zip(dots, after[at].tolist(), strict=True)), "x̂"),
            ),
            {"μ": center, "σ": spread},
        )

    norm, way = ("Batch norm", "down each column") if axis == BATCH else ("Layer norm", "along each row")
    return Moving(
        f"swept_{_SETS[axis]}s",
        f"{norm} goes {way}: before, and after",
        {_SETS[axis]: tuple(sets)},
        scene,
        formats=".5g",
        note="The dots keep their order and the ratios of their distances; only the ruler below them changes: μ "
        f"becomes 0, and what is σ away from it becomes {'less than 1, because of ε' if eps else '1'}.",
    )


_SETS = {BATCH: "column", LAYER: "row"}


def sweep(axis: int, settings: Settings) -> Moving:
    """Return the sweep of the notes' table."""
    rows = dict(zip(ROW_LABELS, NEURONS.tolist(), strict=True))
    return swept(axis, rows, NEURON_NAMES, settings.ddof, settings.table_eps)


def among_pads(settings: Settings) -> Moving:
    """Return the first word of the batch among 0 to 20 pads, under both norms."""
    words = settings.batch.words
    outputs = attention_outputs(words)

    def scene(pads: int, eps: float, divisor: str, mask: str) -> Scene:
        ddof = DIVISORS.index(divisor)
        table = with_zero_rows(outputs, pads)
        real = np.arange(len(table)) < len(words) if mask == MASKED else None
        by_batch = normalize(table, BATCH, ddof, eps, real).normalized[0]
        by_layer = normalize(table[:1], LAYER, ddof, eps).normalized[0]
        return Scene(
            tuple(
                Dots(f"{words[0].word} under {name} norm", dict(zip(DIMENSION_NAMES, floats(row), strict=True)), "x̂")
                for name, row in (("batch", by_batch), ("layer", by_layer))
            )
        )

    pads = len(settings.batch.tokens) - len(words)
    return Moving(
        "among_pads",
        f"The word {words[0].word} among ever more pads",
        {
            "pads": tuple(range(MOST_PADS + 1)),
            "ε": tuple(sorted({0.0, DEFAULT_LAYER_EPS, 1.0, settings.table_eps})),
            "variances divide by": DIVISORS,
            "statistics of": (UNMASKED, MASKED),
        },
        scene,
        (pads, settings.table_eps, settings.divisor, UNMASKED),
        note="Each pad is one more row of zeros in the batch. Under batch norm the dots wander, and some cross 0; "
        "under layer norm they stay, and with a mask they stay under both.",
    )


UNMASKED, MASKED = "all rows", "the words (mask)"


def circle(settings: Settings) -> Moving:
    """Return the five rows on the circle on which layer norm lays them, and what an epsilon does to it."""
    centered = in_the_plane(normalize(NEURONS, LAYER).centered.numpy())

    def scene(eps: float) -> Scene:
        points = in_the_plane(normalize(NEURONS, LAYER, settings.ddof, eps).normalized.numpy())
        arrows = dict(zip(ROW_LABELS, zip(centered, points, strict=True), strict=True))
        radii = [math.hypot(x, y) for x, y in points]
        return Scene(
            (
                Plane(
                    "The rows without their means, from above: (1, 1, 1) points at you",
                    dict(zip(ROW_LABELS, points, strict=True)),
                    arrows,
                    radius(settings),
                ),
                Dots("distance from the middle", dict(zip(ROW_LABELS, radii, strict=True)), "distance"),
            ),
            {
                f"angle of row {name}": math.degrees(math.atan2(y, x))
                for name, (x, y) in zip(ROW_LABELS, points, strict=True)
            },
        )

    return Moving(
        "circle",
        "Layer norm lays every row on one circle",
        {"ε": tuple(sorted({*RADII, settings.table_eps}))},
        scene,
        (settings.table_eps,),
        ".3f",
        "An arrow leads from x − μ to x̂. Of three numbers one angle is left, and rows 2 and 3 have become one. An ε "
        "pulls the rows in, those of small deviation most.",
    )


def radius(settings: Settings) -> float:
    """Return that of the circle: the squares of a row sum to n, or to n − 1."""
    return math.sqrt(len(NEURON_NAMES) - settings.ddof)


def in_the_plane(rows: Array) -> list[tuple[float, float]]:
    """Return rows of three numbers as points of the plane in which they sum to 0.

    >>> [round(c, 4) for c in in_the_plane(np.array([[1.0, 0.0, -1.0]]))[0]]
    [0.7071, 1.2247]
    """
    return [(float(x), float(y)) for x, y in rows @ IN_THE_PLANE.T]


def gradient_parts(settings: Settings) -> Moving:
    """Return what becomes of a random gradient on its way through layer norm, row by row.

    What it has lost at the last stage but one is read from the engine's gradient: that, times the deviation.
    """
    eps = settings.table_eps
    arriving = np.random.default_rng(SEED).standard_normal(NEURONS.shape)
    arriving /= np.linalg.norm(arriving, axis=LAYER, keepdims=True)
    steps = normalize(NEURONS, LAYER, settings.ddof, eps)
    x_hat, pull_back = vjp(lambda t: normalize(t, LAYER, settings.ddof, eps).normalized, NEURONS)
    arrived = pull_back(Tensor(arriving))[0].numpy()
    last = f"without that along x̂{', nearly' if eps else ''}"
    stages = {
        "ḡ arrives": arriving,
        "without its part along (1, 1, 1)": arriving - arriving.mean(axis=LAYER, keepdims=True),
        last: arrived * (steps.variance + eps).sqrt().numpy(),
        f"divided by {'√(σ² + ε)' if eps else 'σ'}": arrived,
    }

    def scene(stage: str, row: str) -> Scene:
        k = ROW_LABELS.index(row)
        gradient, place = stages[stage][k], x_hat.numpy()[k]
        ones, along = np.ones(3) / np.sqrt(3), place / np.linalg.norm(place)
        directions = {"along 1": ones, "along x̂": along, "along the circle": np.cross(ones, along)}
        start, end = in_the_plane(np.stack([place, place + gradient]))
        return Scene(
            (
                Plane(
                    "The row on its circle, and the gradient there", {"x̂": start}, {"g": (start, end)}, radius(settings)
                ),
                Dots("the gradient's parts", {name: float(gradient @ of) for name, of in directions.items()}, "part"),
            ),
            {f"by {name}": float(entry) for name, entry in zip(NEURON_NAMES, gradient, strict=True)},
        )

    return Moving(
        "gradient_parts",
        "A gradient loses two of its three parts on its way back through layer norm",
        {"stage": tuple(stages), "row": ROW_LABELS},
        scene,
        note=f"ḡ has a random direction (seed {SEED}) and length 1. What is left at the end is what the engine's "
        "backward pass gives: nothing that would shift the row or stretch it, for layer norm sees neither.",
    )
