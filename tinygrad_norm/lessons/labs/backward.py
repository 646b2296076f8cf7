"""The lab ``backward``: what flows back through a normalization, path by path, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ..document.lesson import Row, Table
from ..lecture.notes import OUTPUTS
from .closed_forms import CASES, Given, Paths, closed_form_gaps, given, path_gaps, paths, row_gradient, theorem_gaps
from .experiment import Answer, Lab, LabOutcome, Line, Panel, Question, Session
from .papers import IOFFE_SZEGEDY, SANTURKAR, XU

EXACT = 1e-12
"""Up to which relative difference two computations in float64 agree."""
INPUTS = {True: 100, False: 2000}
"""Random inputs, in a quick run and in a full one."""

PATHS = Question(
    "three_paths",
    IOFFE_SZEGEDY,
    "The gradient reaches the input of a normalization directly, through the mean and through the deviation: g/σ, "
    "−mean(g)/σ and −x̂·mean(g x̂)/σ; the gradient is their sum.",
    f"Each path of the composed norm is its formula, and their sum the gradient, to {EXACT:g} of the direct path.",
)
CLOSED = Question(
    "closed_form",
    IOFFE_SZEGEDY,
    "With gain and bias the backward pass has a closed form.",
    "Layer norm, batch norm and RMS norm, composed of primitives, have the gradients of their closed forms to "
    f"{EXACT:g}.",
)
THEOREM = Question(
    "theorem_4_1",
    SANTURKAR,
    "Theorem 4.1: batch norm makes gradients smaller than the division by σ does, by the parts along (1, …, 1) and "
    "along ŷ: ‖∇y‖² is at most γ²/σ² (‖g‖² − ⟨1, g⟩²/m − ⟨g, ŷ⟩²/m).",
    f"Without ε it is an equation, to {EXACT:g} of γ²/σ² ‖g‖²; with ε the left side is smaller.",
)
FOUR = Question(
    "four_cases",
    XU,
    "Theorem 1: through the mean, layer norm centers a row's gradient; through the deviation, it shrinks its "
    "variance, which with the deviation detached is D/σ².",
    f"In each of the four cases mean and variance of the gradient are those of the theorem, to {EXACT:g} of the "
    "size of g/σ; and no variance exceeds D/σ².",
)

QUESTIONS = (PATHS, CLOSED, THEOREM, FOUR)


Worst = Mapping[str, float]
"""Of each quantity the largest value over all inputs."""


def worst(found: Iterable[Worst]) -> Worst:
    """Return the largest value of each quantity.

    >>> worst([{"a": 1.0, "b": 5.0}, {"a": 2.0, "b": 3.0}])
    {'a': 2.0, 'b': 5.0}
    """
    whole = list(found)
    return {name: max(one[name] for one in whole) for name in whole[0]}


def case_gaps(at: Given) -> Worst:
    """Return for each case how far the gradient is from the theorem, and its variance as a share of the bound."""
    gradients = {case: row_gradient(at.x, at.cotangent, *detached) for case, detached in CASES.items()}
    gaps = {case: gradient.gap for case, gradient in gradients.items()}
    return gaps | {f"share, {case}": gradient.share for case, gradient in gradients.items()}


def run(session: Session, inputs: int | None = None) -> LabOutcome:
    """Compare both sides of every equation at random inputs."""
    numbers = range(inputs or INPUTS[session.quick])
    asked = {number: given(np.random.default_rng((session.seed, number))) for number in numbers}
    path = session.each("paths", numbers, lambda number: path_gaps(asked[number]))
    closed = session.each("closed forms", numbers, lambda number: closed_form_gaps(asked[number]))
    norms = session.each("theorem 4.1", numbers, lambda number: theorem_gaps(asked[number]))
    cases = session.each("four cases", numbers, lambda number: case_gaps(asked[number]))
    judges = ((PATHS, path, _paths), (CLOSED, closed, _closed), (THEOREM, norms, _theorem), (FOUR, cases, _four))
    answers = tuple(
        judge(worst(found.values())) if len(found) == len(numbers) else question.unfinished()
        for question, found, judge in judges
    )
    example = example_paths(session.seed)
    return LabOutcome(
        answers, (_example_table(example), _case_table(cases)), (_path_panel(example), _case_panel(asked))
    )


def _paths(found: Worst) -> Answer:
    return PATHS.identity(
        max(found.values()) <= EXACT,
        "Direct to {direct:.1g}, through the mean to {by_mean:.1g}, through the deviation to {by_deviation:.1g}; "
        "their sum to {sum:.1g}.",
        found,
    )


def _closed(found: Worst) -> Answer:
    return CLOSED.identity(
        max(found.values()) <= EXACT,
        "Layer norm to {layer:.1g}, batch norm to {batch:.1g}, RMS norm to {rms:.1g}.",
        {name.split()[0].lower(): gap for name, gap in found.items()},
    )


def _theorem(found: Worst) -> Answer:
    return THEOREM.identity(
        found["equation"] <= EXACT and found["excess"] <= EXACT,
        "The two sides differ by {equation:.1g} without ε; with it left minus right is at most {excess:.1g}.",
        found,
    )


def _four(found: Worst) -> Answer:
    gap = max(found[case] for case in CASES)
    share = max(found[f"share, {case}"] for case in CASES)
    return FOUR.identity(
        gap <= EXACT and share <= 1 + EXACT,
        "In the four cases the gradient is that of the theorem to {gap:.1g}, and no variance exceeds the bound by "
        "more than {excess:.1g} of it.",
        {"gap": gap, "excess": max(share - 1, 0.0)},
    )


def example_paths(seed: int) -> Paths:
    """Return the paths to the first row of the lecture's table through layer norm, for a random cotangent."""
    x = np.array(OUTPUTS[:1], dtype=float)
    return paths(x, np.random.default_rng(seed).standard_normal(x.shape), axis=1, eps=0.0)


def _example_rows(found: Paths) -> dict[str, tuple[float, ...]]:
    names = ("direct", "through the mean", "through the deviation", "gradient")
    values = (found.direct, found.by_mean, found.by_deviation, found.total)
    return {name: tuple(map(float, rows[0])) for name, rows in zip(names, values, strict=True)}


def _example_table(found: Paths) -> Table:
    return Table(
        "paths",
        "What flows back to the lecture's first row (7, 5, 4) through layer norm, for a random cotangent",
        ("z₁", "z₂", "z₃", "sum"),
        tuple(Row(name, (*values, sum(values))) for name, values in _example_rows(found).items()),
        "path",
        ".6f",
        "The path through the mean takes away the sum. What is left is orthogonal to (1, 1, 1) and, by the path "
        "through the deviation, to x̂: of three directions one remains.",
    )


def _case_table(cases: Mapping[int, Worst]) -> Table:
    found = worst(cases.values()) if cases else {}
    shares = {case: [one[f"share, {case}"] for one in cases.values()] for case in CASES}
    return Table(
        "cases",
        "Layer norm with detached statistics, at random inputs",
        ("mean of the gradient", "variance σ²/D, least", "most", "gap to the theorem"),
        tuple(
            Row(case, ("mean(g)/σ" if detached else "0", min(shares[case]), max(shares[case]), found[case]))
            for case, (detached, _) in CASES.items()
            if cases
        ),
        "detached",
        ("", ".4f", ".4f", ".1g"),
    )


def _path_panel(found: Paths) -> Panel:
    lines = _example_rows(found)
    return Panel(
        "paths",
        "What flows back to (7, 5, 4) through layer norm",
        "feature",
        "gradient",
        tuple(
            Line(name, tuple((i + 0.2 * (style - 1.5), value) for i, value in enumerate(values)), style, "bars")
            for style, (name, values) in enumerate(lines.items())
        ),
        names=("z₁", "z₂", "z₃"),
    )


def _case_panel(asked: Mapping[int, Given]) -> Panel:
    inputs = list(asked.values())[:50]

    def shares(case: str) -> tuple[tuple[float, float], ...]:
        return tuple((float(at.x.shape[1]), row_gradient(at.x, at.cotangent, *CASES[case]).share) for at in inputs)

    return Panel(
        "cases",
        "Variance of a row's gradient, by what is detached",
        "features",
        "share of D/σ²",
        tuple(Line(case, shares(case), style, "marks") for style, case in enumerate(CASES)),
    )


LAB = Lab(
    "backward",
    "What flows back through a normalization, and on which paths?",
    ("stability", "convergence"),
    "Random inputs of random size and scale are normalized by layers composed of primitives, and what flows back "
    "is compared with formulas, in float64. All of it is exact: nothing is trained.",
    QUESTIONS,
    (
        "These are statements about one layer. That smaller or centered gradients train better does not follow: "
        "see the labs lr-ladder and landscape.",
        "Theorem 4.1 compares with a network whose activations and gradients are the same but for the norm.",
    ),
    run,
)
