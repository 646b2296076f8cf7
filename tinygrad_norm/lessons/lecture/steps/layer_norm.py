"""Step 8: layer norm across the features, forward and backward."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from ....engine.tensor import Tensor
from ...document.lesson import Block, Claim, Fact, Paragraph, Row, Step, Table, Value
from ...document.numerals import closeness, write
from .. import exact
from ..layer_norm_gradients import across_rows, cotangent_effect, gradient_factors
from ..normalizing import BATCH, LAYER, difference_from_functional, normalize
from ..quotations import SAYS
from ..settings import Settings
from ..slips.pads import direction
from ..slips.scale_and_shift import one_token_two_means, pad_row, row_statistics_feature_parameters
from ..slips.worked_values import judge, layer_norm_value
from ..tables import NEURON_NAMES, OUTPUTS, PAD
from ..tensor_tables import floats, token_table
from .gradient_paths import paths_of_gradient

SEED = 0
ROW_LABELS = tuple(str(i + 1) for i in range(len(OUTPUTS)))


def layer_norm_step(settings: Settings) -> Step:
    """Return step 8."""
    return Step(
        8,
        "Layer norm, across the features",
        (
            Paragraph(
                "Layer norm gives every row a mean and a deviation of its own, taken over its "
                "features. The scale γ and the shift β still belong to the feature, and are shared by "
                "all rows."
            ),
            _table(settings),
            *_shape_of_outputs(settings),
            judge(layer_norm_value(), settings),
            row_statistics_feature_parameters(settings),
            direction(settings),
            *_padded(settings),
            one_token_two_means(settings),
            pad_row(settings),
            zeros_do_not_affect(settings),
            Paragraph("Backward, the same picture. A gradient stays in its row."),
            *paths_of_gradient(LAYER, settings),
            _factors(settings),
            *_directions(settings),
            Paragraph(
                "In one sentence: batch norm asks the batch about a feature, layer norm asks a token "
                "about itself; so pads, company and batch size can change the one and not the other."
            ),
        ),
    )


def _neurons() -> Tensor:
    return Tensor(OUTPUTS).astype(float)


def _table(settings: Settings) -> Table:
    steps = normalize(_neurons(), LAYER, settings.ddof, settings.table_eps)
    rows = []
    for index, numbers in enumerate(OUTPUTS):
        form = exact.normalized(exact.rationals(numbers), settings.ddof, settings.table_eps)
        values: tuple[Value, ...] = (
            *floats(steps.normalized[index]),
            steps.mean[index, 0].item(),
            steps.deviation[index, 0].item(),
            str(form),
        )
        rows.append(Row(ROW_LABELS[index], values))
    return Table(
        "normalized",
        "The table of step 3 after layer norm, with the statistics of each row",
        (*NEURON_NAMES, "row μ", "row σ", "in closed form"),
        tuple(rows),
        "row",
    )


def _shape_of_outputs(settings: Settings) -> tuple[Block, ...]:
    """Return what layer norm forgets, and the circle on which three features end."""
    result = normalize(_neurons(), LAYER, settings.ddof, settings.table_eps).normalized
    values = result.numpy()
    radii = np.linalg.norm(values, axis=1)
    forms = [exact.normalized(exact.rationals(numbers), settings.ddof, settings.table_eps) for numbers in OUTPUTS]
    gap = max(
        abs(a - b)
        for form, row in zip(forms, result.tolist(), strict=True)
        for a, b in zip(form.values, row, strict=True)
    )
    layer = difference_from_functional(_neurons(), LAYER, settings.table_eps)
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
            {
                "squares": len(NEURON_NAMES) - settings.ddof,
                "least": float(radii.min()),
                "most": float(radii.max()),
            },
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
                    {
                        "i": i + 1,
                        "j": j + 1,
                        "a": OUTPUTS[i],
                        "b": OUTPUTS[j],
                        "gap": gap,
                        "shift": shift,
                    },
                )
            )
    return tuple(facts)


def _padded(settings: Settings) -> tuple[Block, ...]:
    tokens = settings.batch.tokens
    x = Tensor([token.output for token in tokens])
    result = normalize(x, LAYER, settings.ddof, settings.layer_eps).normalized
    table = token_table(
        "padded",
        f"The padded outputs after layer norm, ε = {write(settings.layer_eps)}",
        tokens,
        result,
        note="" if settings.layer_eps else "Without ε a row of zeros is 0/0.",
    )
    return (table,)


def _with_derivatives(settings: Settings) -> Tensor:
    """Return the padded outputs; without ε only the words, for 0/0 has no derivative."""
    tokens = settings.batch.tokens
    return Tensor([token.output for token in tokens if settings.layer_eps or token.word != PAD])


def zeros_do_not_affect(settings: Settings) -> Claim:
    """Judge "in layer norm, zero doesn't affect other embedding values", which is right."""
    x = _with_derivatives(settings)
    by_layer = across_rows(x, LAYER, settings.ddof, settings.layer_eps)
    by_batch = across_rows(x, BATCH, settings.ddof, settings.layer_eps)
    exactly = "exactly {layer:g}" if by_layer == 0 else "{layer:g}"
    return Claim(
        "zeros_do_not_affect",
        SAYS["zeros_do_not_affect"],
        "right" if by_layer == 0 else "slip",
        f"All derivatives of a token's output by another token's input are {exactly}"
        + ("." if settings.layer_eps else "; the pads, 0/0, have none."),
        "No statistic is shared between rows. For batch norm over the same table the largest such "
        "derivative is {batch:.4f}.",
        {"layer": by_layer, "batch": by_batch},
    )


def _factors(settings: Settings) -> Table:
    tokens = settings.batch.tokens
    given = iter(gradient_factors(_with_derivatives(settings), settings.ddof, settings.layer_eps))
    rows = []
    for token in tokens:
        pad = token.word == PAD
        factor = math.inf if pad and not settings.layer_eps else next(given)
        rows.append(Row(token.word, (factor,), pad))
    return Table(
        "factors",
        "The most that layer norm can multiply a gradient by, position by position",
        ("factor",),
        tuple(rows),
        "token",
        ".4f",
        "A factor is the largest singular value of the row's Jacobian, 1/√(σ² + ε) up to the divisor; "
        "for a row of zeros it is 1/√ε. So keep pads out of the loss: mask it.",
    )


def _directions(settings: Settings) -> tuple[Block, ...]:
    x = _neurons()
    output = normalize(x, LAYER, settings.ddof, settings.table_eps).normalized
    noise = Tensor(np.random.default_rng(SEED).standard_normal(x.shape))
    ones = Tensor(np.ones(x.shape))
    effects = {
        "sum(y)": cotangent_effect(x, ones, settings.ddof, settings.table_eps),
        "sum(y²)": cotangent_effect(x, output * 2, settings.ddof, settings.table_eps),
        "random": cotangent_effect(x, noise, settings.ddof, settings.table_eps),
    }
    blind = max(effects["sum(y)"].largest, effects["sum(y²)"].largest)
    table = Table(
        "cotangents",
        "What three losses send back through layer norm on the table of step 3",
        ("largest gradient",),
        tuple(Row(name, (effect.largest,)) for name, effect in effects.items()),
        "loss",
        ".2g",
        f"Random: sum(c · y) with random numbers c (seed {SEED}).",
    )
    orthogonal = Fact(
        "orthogonal",
        "The random gradient is orthogonal to (1, …, 1) in every row, to {along_ones:.1g}"
        + (
            ", and to x̂, to {along_output:.1g}: no step along the gradient can follow a shift or a "
            "stretch of the row, which the output does not see."
            if not settings.table_eps
            else ". Along x̂ a share of up to {along_output:.1g} is left; without ε it would be 0."
        ),
        {
            "along_ones": effects["random"].along_ones,
            "along_output": effects["random"].along_output,
        },
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
    return orthogonal, table, blindness
