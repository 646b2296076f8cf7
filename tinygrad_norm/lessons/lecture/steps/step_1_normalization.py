"""Step 1: what normalization is, on one column and one row of the notes' table."""

from __future__ import annotations

from ....engine.tensor import Tensor
from ...document.lesson import Fact, Fold, Formula, Paragraph, Plain, Row, Step, Table
from .. import exact_arithmetic as exact
from ..moving_pictures import sweep
from ..norm_formula import BATCH, LAYER, Normalization, columns_of, normalize
from ..notes import NEURON_NAMES, OUTPUTS
from ..settings import Settings
from ..tensor_tables import NEURONS, floats


def normalization_step(settings: Settings) -> Step:
    """Return step 1."""
    divisor = f"({settings.divisor})" if settings.ddof else settings.divisor
    return Step(
        1,
        "What normalization is",
        (
            Paragraph(
                "To normalize a set of numbers is to shift and scale it until its mean is 0 and its "
                "variance is 1. Their order stays, and so do the ratios of the distances between them. A small number "
                "ε under the root keeps the division from being one by 0; where it is 0, all is exact."
            ),
            sweep(BATCH, settings),
            sweep(LAYER, settings),
            Formula(f"μ  = (x₁ + … + xₙ)/n\nσ² = ((x₁ − μ)² + … + (xₙ − μ)²)/{divisor}\nx̂  = (x − μ)/√(σ² + ε)"),
            Paragraph(
                "What do we normalize? Any numbers of a network: its inputs, or what a layer gives. "
                "The choice is which numbers belong together. Batch norm takes one feature of all "
                "rows, down a column; layer norm takes all features of one row, along it."
            ),
            Fold(
                "One column and one row, number by number",
                (
                    *_worked("column", f"Down a column: {NEURON_NAMES[0]} of five rows", settings),
                    *_worked("row", "Along a row: the three neurons of row 1", settings),
                    _check(settings),
                ),
            ),
        ),
        take_away=(
            "To normalize numbers is to give them mean 0 and variance 1.",
            "What matters is which numbers belong together: a column, or a row.",
        ),
    )


def _worked(key: str, title: str, settings: Settings) -> tuple[Plain, ...]:
    """Return one column or row with every intermediate, and its statistics in a sentence."""
    numbers = columns_of(OUTPUTS)[0] if key == "column" else OUTPUTS[0]
    labels = [f"row {i + 1}" for i in range(len(numbers))] if key == "column" else NEURON_NAMES
    steps = settings.normalize(Tensor([[float(x)] for x in numbers]), BATCH)
    squares = floats(steps.centered * steps.centered)
    parts = (numbers, floats(steps.centered), squares, floats(steps.normalized))
    table = Table(
        key,
        title,
        ("x", "x − μ", "(x − μ)²", "x̂"),
        tuple(Row(label, row) for label, row in zip(labels, zip(*parts, strict=True), strict=True)),
        formats=("", ".4f", ".4f", ".6f"),
    )
    return table, _statistics(key, numbers, steps, settings)


def _statistics(key: str, numbers: tuple[float, ...], steps: Normalization, settings: Settings) -> Fact:
    fractions = exact.rationals(numbers)
    center = exact.mean(fractions)
    parts = len(numbers) - settings.ddof
    variance = exact.variance(fractions, settings.ddof)
    squares = variance * parts
    return Fact(
        f"{key}_statistics",
        "μ = {sum}/{n} = {mean:.6g}, σ² = "
        + ("{squares}" if squares.denominator == 1 else "({squares})")
        + "/{parts} = {variance:.6g}, σ = {deviation:.6f}.",
        {
            "sum": center * len(numbers),
            "n": len(numbers),
            "mean": steps.mean.item(),
            "squares": squares,
            "parts": parts,
            "variance": steps.variance.item(),
            "deviation": steps.deviation.item(),
        },
    )


def _check(settings: Settings) -> Fact:
    """Return what mean and variance every column and row of the table has after normalization."""
    means: list[float] = []
    variances: list[float] = []
    for axis in (BATCH, LAYER):
        result = settings.normalize(NEURONS, axis).normalized
        again = normalize(result, axis, settings.ddof)
        means += floats(again.mean)
        variances += floats(again.variance)
    values = {
        "sets": len(means),
        "eps": settings.table_eps,
        "mean_error": max(map(abs, means)),
        "least_variance": min(variances),
        "largest_variance": max(variances),
        "variance_error": max(abs(v - 1) for v in variances),
    }
    if settings.table_eps:
        text = (
            "With ε = {eps:g} the means are 0 (to {mean_error:.1g}) and the variances σ²/(σ² + ε): "
            "from {least_variance:.6g} to {largest_variance:.6g} over the {sets} columns and rows."
        )
    else:
        text = (
            "All {sets} columns and rows of the table come out with mean 0 (to {mean_error:.1g}) "
            "and variance 1 (to {variance_error:.1g})."
        )
    return Fact("check", text, values)
