"""Step 8: layer norm across the features, forward and backward.

Backward, three questions: from whom does a gradient come (``across_rows``), how much does a row magnify it
(``gradient_factors``), and what arrives from a given cotangent (``cotangent_effect``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ....engine.tensor import Tensor
from ....program import program
from ....transforms import jacobian, vjp
from ...document.lesson import Claim, Fact, Fold, Paragraph, Plain, Row, Step, Table
from ...document.numerals import closeness, write
from ...program_examples import EXAMPLES
from ..gradient_paths import paths_of_gradient
from ..moving_pictures import circle, gradient_parts
from ..norm_formula import BATCH, LAYER, difference_from_functional, normalize
from ..notes import NEURON_NAMES, OUTPUTS
from ..settings import Settings
from ..slips import claim_on
from ..slips.scale_and_shift import direction, one_token_two_means, pad_row, row_statistics_feature_parameters
from ..slips.worked_values import judge_value, layer_norm_value
from ..tensor_tables import NEURONS, ROW_LABELS, attention_outputs, floats, token_table

SEED = 0


def layer_norm_step(settings: Settings) -> Step:
    """Return step 8."""
    ways, graph, *paths = paths_of_gradient(LAYER, settings)
    return Step(
        8,
        "Layer norm, across the features",
        (
            Paragraph(
                "Layer norm gives every row a mean and a deviation of its own, taken over its "
                "features. The scale γ and the shift β still belong to the feature, and are shared by "
                "all rows."
            ),
            circle(settings),
            judge_value(layer_norm_value(), settings),
            direction(settings),
            row_statistics_feature_parameters(settings),
            pad_row(settings),
            zeros_do_not_affect(settings),
            gradient_parts(settings),
            graph,
            Paragraph(
                "In one sentence: batch norm asks the batch about a feature, layer norm asks a token "
                "about itself; so pads, company and batch size can change the one and not the other."
            ),
            Fold("The table after layer norm, and what it forgets", (_table(settings), *_shape_of_outputs(settings))),
            Fold("The padded table, and the last page", (_padded(settings), one_token_two_means(settings))),
            Fold(
                "Backward, number by number",
                (
                    Paragraph("Backward, the same picture. A gradient stays in its row."),
                    ways,
                    *paths,
                    _factors(settings),
                    *_directions(settings),
                    _written_out(),
                ),
            ),
        ),
        take_away=(
            "Layer norm goes along a row: no other token, and no pad, can change it.",
            "It does not see what is added to a whole row, nor, but for ε, its scale.",
        ),
    )


def _table(settings: Settings) -> Table:
    steps = settings.normalize(NEURONS, LAYER)
    rows = []
    for index, numbers in enumerate(OUTPUTS):
        statistics = steps.mean[index, 0].item(), steps.deviation[index, 0].item()
        values = *floats(steps.normalized[index]), *statistics, str(settings.closed_form(numbers))
        rows.append(Row(ROW_LABELS[index], values))
    return Table(
        "normalized",
        "The table of step 2 after layer norm, with the statistics of each row",
        (*NEURON_NAMES, "row μ", "row σ", "in closed form"),
        tuple(rows),
        "row",
    )


def _shape_of_outputs(settings: Settings) -> tuple[Plain, ...]:
    """Return what layer norm forgets, and the circle on which three features end."""
    result = settings.normalize(NEURONS, LAYER).normalized
    values = result.numpy()
    radii = np.linalg.norm(values, axis=1)
    gap = max(settings.closed_form(numbers).gap(row) for numbers, row in zip(OUTPUTS, result.tolist(), strict=True))
    layer = difference_from_functional(NEURONS, LAYER, settings.table_eps)
    on_circle = (
        "so every output lies on one circle, of radius √{squares} = {most:.6f}. Mean and deviation are "
        "taken out of each row; of three numbers one angle is left."
        if not settings.table_eps
        else "so with this ε every output lies inside the circle of radius √{squares}, at {least:.6f} "
        "to {most:.6f} from its center."
    )
    return (
        *_twins(values),
        Fact(
            "circle",
            f"The three values of a row sum to 0, and without ε their squares sum to {{squares}}: {on_circle}",
            {"squares": len(NEURON_NAMES) - settings.ddof, "least": float(radii.min()), "most": float(radii.max())},
        ),
        Fact(
            "agreement",
            f"The engine's floats agree with the closed forms {closeness(gap, 'closed')}; the layer "
            f"functional.layer_norm, dividing by n, agrees with this formula {closeness(layer, 'layer')}.",
            {"closed": gap, "layer": layer},
        ),
    )


def _twins(values: np.ndarray) -> tuple[Fact, ...]:
    """Return a fact for each pair of different rows with the same output."""
    facts = []
    for i, j in combinations(range(len(OUTPUTS)), 2):
        gap = float(np.abs(values[i] - values[j]).max())
        if OUTPUTS[i] != OUTPUTS[j] and gap < 1e-12:
            shift = OUTPUTS[i][0] - OUTPUTS[j][0]
            facts.append(
                Fact(
                    f"twins_{i + 1}_{j + 1}",
                    "Rows {i} and {j} differ, {a} and {b}, and come out the same, " + closeness(gap) + ": one is the "
                    "other plus {shift} everywhere, and layer norm does not see what is added to a whole row.",
                    {"i": i + 1, "j": j + 1, "a": OUTPUTS[i], "b": OUTPUTS[j], "gap": gap, "shift": shift},
                )
            )
    return tuple(facts)


def _padded(settings: Settings) -> Table:
    tokens = settings.batch.tokens
    return token_table(
        "padded",
        f"The padded outputs after layer norm, ε = {write(settings.layer_eps)}",
        tokens,
        normalize(attention_outputs(tokens), LAYER, settings.ddof, settings.layer_eps).normalized,
        note="" if settings.layer_eps else "Without ε a row of zeros is 0/0.",
    )


def _written_out() -> Fact:
    """Say how long the backward pass is that the engine writes out, and that it is the engine's own."""
    function, arguments = EXAMPLES["layer_norm"]
    made = program(function, *arguments)
    g = np.random.default_rng(SEED).standard_normal(np.shape(OUTPUTS))
    leaves = [Tensor(a, requires_grad=True) for a in arguments]
    function(*leaves).backward(g)
    gap = max(
        float(np.abs(mine - leaf.grad.data).max())
        for mine, leaf in zip(made.vjp(g, *arguments), leaves, strict=True)
        if leaf.grad is not None
    )
    lines = made.source.partition("saved\n")[2].count(" = ")
    return Fact(
        "written_out",
        "Written out as NumPy, the backward pass of layer norm has {lines} lines (tinygrad-norm program layer_norm "
        "prints them); they agree with the engine's gradients " + closeness(gap) + ".",
        {"lines": lines, "gap": gap},
    )


def _with_derivatives(settings: Settings) -> Tensor:
    """Return the padded outputs; without ε only the words, for 0/0 has no derivative."""
    return attention_outputs(settings.batch.tokens if settings.layer_eps else settings.batch.words)


def zeros_do_not_affect(settings: Settings) -> Claim:
    """Judge "in layer norm, zero doesn't affect other embedding values", which is right."""
    x = _with_derivatives(settings)
    by_layer = across_rows(x, LAYER, settings.ddof, settings.layer_eps)
    by_batch = across_rows(x, BATCH, settings.ddof, settings.layer_eps)
    exactly = "exactly {layer:g}" if by_layer == 0 else "{layer:g}"
    return claim_on(
        "zeros_do_not_affect",
        "right" if by_layer == 0 else "slip",
        f"All derivatives of a token's output by another token's input are {exactly}"
        + ("." if settings.layer_eps else "; the pads, 0/0, have none."),
        "No statistic is shared between rows. For batch norm over the same table the largest such "
        "derivative is {batch:.4f}.",
        {"layer": by_layer, "batch": by_batch},
    )


def _factors(settings: Settings) -> Table:
    given = iter(gradient_factors(_with_derivatives(settings), settings.ddof, settings.layer_eps))
    rows = []
    for token in settings.batch.tokens:
        factor = math.inf if token.is_pad and not settings.layer_eps else next(given)
        rows.append(Row(token.word, (factor,), token.is_pad))
    return Table(
        "factors",
        "The most that layer norm can multiply a gradient by, position by position",
        ("factor",),
        tuple(rows),
        "token",
        ".4f",
        "A factor is the largest singular value of the row's Jacobian, its outputs' derivatives by its inputs: "
        "1/√(σ² + ε) up to the divisor; for a row of zeros it is 1/√ε. So keep pads out of the loss: mask it.",
    )


def _directions(settings: Settings) -> tuple[Plain, ...]:
    cotangents = {
        "sum(y)": Tensor(np.ones(NEURONS.shape)),
        "sum(y²)": settings.normalize(NEURONS, LAYER).normalized * 2,
        "random": Tensor(np.random.default_rng(SEED).standard_normal(NEURONS.shape)),
    }
    effects = {
        name: cotangent_effect(NEURONS, cotangent, settings.ddof, settings.table_eps)
        for name, cotangent in cotangents.items()
    }
    blind = max(effects["sum(y)"].largest, effects["sum(y²)"].largest)
    table = Table(
        "cotangents",
        "What three losses send back through layer norm on the table of step 2",
        ("largest gradient",),
        tuple(Row(name, (effect.largest,)) for name, effect in effects.items()),
        "loss",
        ".2g",
        f"Random: sum(c · y) with random numbers c (seed {SEED}).",
    )
    orthogonal = Fact(
        "orthogonal",
        "What comes back from the random loss is orthogonal to (1, …, 1) in every row, to {along_ones:.1g}"
        + (
            ", and to x̂, to {along_output:.1g}: no step along the gradient can follow a shift or a "
            "stretch of the row, which the output does not see."
            if not settings.table_eps
            else ". Along x̂ a share of up to {along_output:.1g} is left; without ε it would be 0."
        ),
        {"along_ones": effects["random"].along_ones, "along_output": effects["random"].along_output},
    )
    why = (
        "The sum of a layer-norm output is constant, and so is the sum of its squares. "
        if not settings.table_eps
        else "The sum of a layer-norm output is constant; the sum of its squares nearly, if ε is small. "
    )
    blindness = Fact(
        "blind",
        why + "A gradient check that back-propagates sum(y) compares 0 with 0 and sees nothing, "
        "whatever the backward pass does. Use random cotangents.",
        {"largest_of_sums": blind, "random": effects["random"].largest},
    )
    return table, orthogonal, blindness


def across_rows(x: Tensor, axis: int, ddof: int, eps: float) -> float:
    """Return the largest derivative of a row's output by an entry of another row.

    >>> x = Tensor([[1.0, 2.0, 4.0], [3.0, 5.0, 1.0]])
    >>> across_rows(x, axis=1, ddof=0, eps=0.0), across_rows(x, axis=0, ddof=0, eps=1.0) > 0.1
    (0.0, True)
    """
    slopes = jacobian(lambda t: normalize(t, axis, ddof, eps).normalized)(x).numpy()
    rows = range(x.shape[0])
    return max(float(np.abs(slopes[i, :, j]).max()) for i in rows for j in rows if i != j)


def gradient_factors(x: Tensor, ddof: int, eps: float) -> tuple[float, ...]:
    """Return for each row how much layer norm can magnify a gradient: its largest singular value.

    The Jacobian of a row is ``(I − 11ᵀ/n − x̂x̂ᵀ/n)/√(σ² + ε)``: a projection over the deviation.

    >>> [round(factor, 4) for factor in gradient_factors(Tensor([[0.0, 0.0, 0.0]]), 0, 1e-4)]
    [100.0]
    """
    slopes = jacobian(lambda t: normalize(t, LAYER, ddof, eps).normalized)(x).numpy()
    return tuple(float(np.linalg.norm(slopes[i, :, i], 2)) for i in range(x.shape[0]))


@dataclass(frozen=True)
class CotangentEffect:
    """What a cotangent of the output becomes at the input of layer norm: the largest entry of the gradient.

    And the largest share of a row's gradient that points along (1, …, 1) or along x̂: the cosine of the angle between
    them, 0 if they are orthogonal.
    """

    largest: float
    along_ones: float
    along_output: float


def cotangent_effect(x: Tensor, cotangent: Tensor, ddof: int, eps: float) -> CotangentEffect:
    """Send `cotangent` back through layer norm over `x` and look at the gradient row by row."""
    output, pull_back = vjp(lambda t: normalize(t, LAYER, ddof, eps).normalized, x)
    gradient = pull_back(cotangent)[0].numpy()
    ones = np.ones_like(gradient)
    return CotangentEffect(
        float(np.abs(gradient).max()),
        _largest_cosine(gradient, ones),
        _largest_cosine(gradient, output.numpy()),
    )


def _largest_cosine(a: np.ndarray, b: np.ndarray) -> float:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    # A gradient that is zero points nowhere: its share along anything is 0.
    cosines = np.abs((a * b).sum(axis=1)) / np.where(lengths > 0, lengths, 1.0)
    return float(cosines.max())
