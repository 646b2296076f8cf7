"""Step 2: batch norm on the 5×3 table, and the linear layer the notes say it came from."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ....engine.tensor import Tensor
from ...document.lesson import Claim, Fact, Fold, Formula, Paragraph, Plain, Row, Step, Table
from ...document.numerals import CellValue, closeness, subscript, write
from .. import exact_arithmetic as exact
from .. import linear_layer
from ..gradient_paths import paths_of_gradient
from ..norm_formula import BATCH, columns_of, difference_from_functional, normalize
from ..notes import FEATURE_NAMES, FEATURES, NEURON_NAMES, OUTPUTS, WORKED_BIAS, WORKED_ROWS, WORKED_WEIGHT
from ..settings import DEFAULT_LAYER_EPS, Settings
from ..slips.scale_and_shift import default_scale, identity_scale, scale_index
from ..slips.worked_values import batch_norm_values, judge_value
from ..tensor_tables import NEURONS, ROW_LABELS, floats, tensor_rows


def batch_norm_step(settings: Settings) -> Step:
    """Return step 2."""
    return Step(
        2,
        "Batch norm, a revision",
        (
            Paragraph(
                "Five rows with two features f go through a linear layer and come out as three "
                "neurons z. Batch norm normalizes each neuron over the rows, so down its column, and "
                "gives it a scale γ and a shift β of its own, to be learned."
            ),
            *_claims(settings),
            Fold(
                "The table: its statistics, and batch norm in closed form",
                (_table(), _statistics(), *_normalized(settings)),
            ),
            Fold("The other lines of that page", (*_other_claims(settings), _two_rows(settings))),
            Fold("Backward: the graph, and the three ways of a gradient", paths_of_gradient(BATCH, settings)),
            Fold("Did these rows come from a linear layer?", _layer()),
        ),
        take_away=(
            "Batch norm goes down a column, and each column has its own γ and β.",
            "Above the mean is positive, below it negative: many a slip shows at sight.",
        ),
    )


def _table() -> Table:
    return Table(
        "table",
        "Features and neurons",
        (*FEATURE_NAMES, *NEURON_NAMES),
        tuple(Row(label, (*f, *z)) for label, f, z in zip(ROW_LABELS, FEATURES, OUTPUTS, strict=True)),
        "row",
    )


def _statistics() -> Table:
    population, sample = (normalize(NEURONS, BATCH, ddof) for ddof in (0, 1))
    parts = (population.mean, population.variance, population.deviation)
    computed = zip(*(floats(part) for part in (*parts, sample.variance, sample.deviation)), strict=True)
    rows = []
    for name, numbers, (mean, variance, deviation, *of_sample) in zip(
        NEURON_NAMES, map(exact.rationals, columns_of(OUTPUTS)), computed, strict=True
    ):
        of_all = exact.variance(numbers), variance, deviation
        rows.append(Row(name, (exact.mean(numbers), mean, *of_all, exact.variance(numbers, ddof=1), *of_sample)))
    return Table(
        "statistics",
        "Statistics of each column: exact, and as the engine computes them",
        ("μ exact", "μ", "σ² exact", "σ²", "σ", "s² exact", "s²", "s"),
        tuple(rows),
        "neuron",
        ("", ".4g", "", ".4g", ".6f", "", ".4g", ".6f"),
        "σ² divides by n: the population variance, which normalization uses. s² divides by n − 1, as "
        "one does to estimate from a sample.",
    )


def _normalized(settings: Settings) -> tuple[Plain, ...]:
    result = settings.normalize(NEURONS, BATCH).normalized
    forms = [settings.closed_form(numbers) for numbers in columns_of(OUTPUTS)]
    gaps = [form.gap(engine) for form, engine in zip(forms, columns_of(result.tolist()), strict=True)]
    agreement = difference_from_functional(NEURONS, BATCH, settings.table_eps)
    return (
        Table("normalized", "After batch norm", NEURON_NAMES, tensor_rows(ROW_LABELS, result), "row"),
        Table(
            "closed_forms",
            "The same in closed form, rows 1 to 5, and how far the engine's floats are from it",
            ("x̂", "gap"),
            tuple(Row(name, (str(form), gap)) for name, form, gap in zip(NEURON_NAMES, forms, gaps, strict=True)),
            "neuron",
            ".1g",
        ),
        Fact(
            "default",
            "γ starts at 1 and β at 0, so at first the layer's output is x̂ itself. The layer "
            "functional.batch_norm, dividing by n with ε = {eps:g}, agrees with this formula "
            + closeness(agreement)
            + ".",
            {"eps": settings.table_eps, "gap": agreement},
        ),
    )


def _claims(settings: Settings) -> tuple[Claim, ...]:
    """Return what the batch-norm page says of the first two values."""
    first, second, *_ = (judge_value(value, settings) for value in batch_norm_values())
    return first, second


def _other_claims(settings: Settings) -> tuple[Claim, ...]:
    """Return what else it says, in its order."""
    *_, third, second_row = (judge_value(value, settings) for value in batch_norm_values())
    return default_scale(settings), scale_index(settings), third, identity_scale(settings), second_row


def _two_rows(settings: Settings) -> Fact:
    """Return what batch norm makes of every pair of rows."""
    sizes: list[float] = []
    ties = 0
    for pair in combinations(OUTPUTS, 2):
        top = settings.normalize(Tensor(pair).astype(float), BATCH)
        for (first, second), z in zip(columns_of(pair), top.normalized.tolist()[0], strict=True):
            if first == second:
                ties += 1
            else:
                sizes.append(abs(z))
    tied = normalize(Tensor([[1.0], [1.0]]), BATCH, settings.ddof, settings.layer_eps or DEFAULT_LAYER_EPS)
    values: dict[str, CellValue] = {
        "columns": len(sizes) + ties,
        "ties": ties,
        "tied": tied.normalized[0, 0].item(),
        "least": min(sizes),
        "most": max(sizes),
    }
    if max(sizes) - min(sizes) < 1e-12:
        size = "all that is left is which is larger: it becomes {most:.6g}, the other −{most:.6g}"
    else:
        size = "they become plus and minus one number, from {least:.6g} to {most:.6g}"
    return Fact(
        "two_rows",
        f"With only two rows {size}. Where the two tie, as in {{ties}} of the {{columns}} columns that the "
        "pairs of rows of this table have, x̂ is {tied} with a positive ε, and 0/0 without.",
        values,
    )


def _layer() -> tuple[Plain, ...]:
    relation = linear_layer.relation(FEATURES, OUTPUTS)
    fits = [linear_layer.fit_neuron(FEATURES, numbers) for numbers in columns_of(OUTPUTS)]
    return (
        Paragraph("The notes write z as a linear layer of f, and work out two rows of it:"),
        Formula(_equations()),
        Paragraph(
            "Can one layer give all five rows? Least squares finds the best layer there is; R² is the share of a "
            "neuron's variance that it explains."
        ),
        Fact(
            "no_linear_layer",
            "No. {combination} is {on_features} on the rows of [f, 1], so it would have to be 0 on "
            "the rows of z as well, for any weights and bias. It is {on_outputs}.",
            {
                "combination": relation.text,
                "weights": relation.weights,
                "on_features": relation.on_features,
                "on_outputs": relation.on_outputs,
            },
        ),
        Table(
            "least_squares",
            "The best layer there is, exactly (least squares in fractions)",
            ("w for f₁", "w for f₂", "b", "R²", "gradient", "Newton"),
            tuple(
                Row(f"neuron {i}", (*fit.exact.coefficients, float(fit.exact.r_squared), fit.gradient, fit.newton_gap))
                for i, fit in enumerate(fits, start=1)
            ),
            formats=("", "", "", ".3f", ".1g", ".1g"),
            note="Gradient: the largest entry of the "
            "engine's gradient of the mean squared error at this point, 0 but for rounding: nothing is better. Newton: "
            "how far from it one lands by the engine's first and second derivatives at zero.",
        ),
        _kept_rows(),
    )


def _equations() -> str:
    """Return the equations of the worked rows: each neuron has two weights and a bias of its own."""
    worked = list(zip(FEATURES[:WORKED_ROWS], OUTPUTS, strict=False))
    lines = []
    for k, name in enumerate(NEURON_NAMES):
        w, v, bias = subscript(2 * k + 1), subscript(2 * k + 2), subscript(k + 1)
        lines.append("     ".join(f"{name} = {a}w{w} + {b}w{v} + b{bias} = {z[k]}" for (a, b), z in worked))
    heads = [f"row {row + 1}".ljust(lines[0].index("     ")) for row in range(WORKED_ROWS)]
    return "\n".join(["     ".join(heads).rstrip(), *lines])


def _kept_rows() -> Table:
    z = Tensor(FEATURES) @ Tensor(WORKED_WEIGHT) + Tensor(WORKED_BIAS)
    same = np.all(z.numpy() == np.array(OUTPUTS), axis=1)
    rows = tuple(
        Row(label, (*map(int, values), "the same" if equal else "differ"))
        for label, values, equal in zip(ROW_LABELS, z.tolist(), same, strict=True)
    )
    return Table(
        "kept_rows",
        f"A layer that keeps the {WORKED_ROWS} rows worked out: W = {_matrix(WORKED_WEIGHT)}, b = {write(WORKED_BIAS)}",
        (*NEURON_NAMES, "the notes"),
        rows,
        "row",
    )


def _matrix(rows: tuple[tuple[int, ...], ...]) -> str:
    return "[" + ", ".join(f"[{write(row)[1:-1]}]" for row in rows) + "]"
