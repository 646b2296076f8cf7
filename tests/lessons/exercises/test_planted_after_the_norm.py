"""Planted mistakes in exercises 21 to 24: each must get the name it has, and cost no other point."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.sweeps import share
from tinygrad_norm.lessons.exercises.grading import grade_file
from tinygrad_norm.lessons.exercises.tasks import EXERCISES, after_the_norm

OnlyFault = Callable[..., Any]
Grade = Callable[..., Any]

ROW = {"axis": 1, "keepdims": True}


def undo(gamma: Any = None, beta: Any = None) -> Callable[..., Any]:
    """The right answer, or one part of it another way."""

    def answer(z: Any, e: float) -> Any:
        return (gamma or (lambda z, e: np.sqrt(z.var(0) + e)))(z, e), (beta or (lambda z, e: z.mean(0)))(z, e)

    return answer


def layered(z: Any, e: float, axis: int = 1) -> Any:
    return (z - z.mean(axis, keepdims=True)) / np.sqrt(z.var(axis, keepdims=True) + e)


def lines(x: Any, z: Any) -> Any:
    """Slope, intercept and R² of each column, by NumPy."""
    fits = [(*np.polyfit(a, b, 1), np.corrcoef(a, b)[0, 1] ** 2) for a, b in zip(x.T, z.T, strict=True)]
    return tuple(map(np.array, zip(*fits, strict=True)))


def nearest(**parts: Callable[..., Any]) -> Callable[..., Any]:
    def answer(z: Any, e: float) -> Any:
        right = dict(zip(("gamma", "beta", "r"), lines(layered(z, e), z), strict=True))
        return tuple(parts[name](z, e) if name in parts else value for name, value in right.items())

    return answer


def left_over(z: Any, e: float) -> Any:
    x = layered(z, e)
    return np.array([np.polyfit(a, b, 1, full=True)[1][0] for a, b in zip(x.T, z.T, strict=True)])


G, B = "γ that undoes batch norm", "β that undoes batch norm"
NG, NB, R = "γ nearest to undoing layer norm", "β nearest to undoing layer norm", "R² of each feature"
UNDONE = {
    (21, "undo_batch_norm", G): {
        "ε is left out": undo(lambda z, e: z.std(0)),
        "the root is missing": undo(lambda z, e: z.var(0) + e),
        "ε stands outside the root": undo(lambda z, e: z.std(0) + e),
        "one over the right γ": undo(lambda z, e: 1 / np.sqrt(z.var(0) + e)),
        "σ² is divided by n − 1": undo(lambda z, e: np.sqrt(z.var(0, ddof=1) + e)),
        "one γ for each row": undo(lambda z, e: np.sqrt(z.var(1) + e)),
        "this is where γ and β start": undo(lambda z, e: np.ones(len(z[0]))),
    },
    (21, "undo_batch_norm", B): {
        "−μ: this subtracts the mean a second time": undo(beta=lambda z, e: -z.mean(0)),
        "μ/√(σ² + ε)": undo(beta=lambda z, e: z.mean(0) / np.sqrt(z.var(0) + e)),
        "one β for each row": undo(beta=lambda z, e: z.mean(1)),
        "this is where γ and β start": undo(beta=lambda z, e: 0 * z[0]),
    },
    (21, "nearest_to_layer_norm", NG): {
        "fitted without β": nearest(gamma=lambda z, e: (layered(z, e) * z).sum(0) / (layered(z, e) ** 2).sum(0)),
        "fitted to batch norm's x̂": nearest(gamma=lambda z, e: lines(layered(z, e, 0), z)[0]),
        "x̂ is fitted to z": nearest(gamma=lambda z, e: lines(z, layered(z, e))[0]),
        "the deviation of each column": nearest(gamma=lambda z, e: z.std(0)),
    },
    (21, "nearest_to_layer_norm", NB): {
        "the mean of z": nearest(beta=lambda z, e: z.mean(0)),
        "zero": nearest(beta=lambda z, e: 0 * z[0]),
    },
    (21, "nearest_to_layer_norm", R): {
        "1 − R²": nearest(r=lambda z, e: 1 - lines(layered(z, e), z)[2]),
        "R, not R²": nearest(r=lambda z, e: np.sqrt(lines(layered(z, e), z)[2])),
        "the total is taken around 0": nearest(r=lambda z, e: 1 - left_over(z, e) / (z**2).sum(0)),
        "1: all of it": nearest(r=lambda z, e: np.ones(len(z[0]))),
        "the squared errors that are left": nearest(r=left_over),
    },
}


def run(values: Any, m: float, start: float) -> Any:
    for value in values:
        start = start + m * (value - start)
    return start


def kept(
    mean: Callable[..., Any] = lambda b, m: run(b.mean(1), m, 0.0),
    variance: Callable[..., Any] = lambda b, m: run(b.var(1, ddof=1), m, 1.0),
) -> Callable[..., Any]:
    return lambda b, m: (mean(b, m), variance(b, m))


def used(x: Any, m: Any, v: Any, g: Any, b: Any, e: float) -> Any:
    return g * (x - m) / np.sqrt(v + e) + b


MEAN, VARIANCE = "running mean", "running variance"
KEPT = {
    (22, "running_statistics", MEAN): {
        "m and 1 − m are exchanged": kept(lambda b, m: run(b.mean(1), 1 - m, 0.0)),
        "the average over the batches": kept(lambda b, m: b.mean(1).mean(0)),
        "the statistics of the last batch": kept(lambda b, m: b[-1].mean(0)),
        "starts from the first batch": kept(lambda b, m: run(b.mean(1)[1:], m, b[0].mean(0))),
        "starts at 1": kept(lambda b, m: run(b.mean(1), m, 1.0)),
    },
    (22, "running_statistics", VARIANCE): {
        "the batch's variance is divided by n": kept(variance=lambda b, m: run(b.var(1), m, 1.0)),
        "m and 1 − m are exchanged": kept(variance=lambda b, m: run(b.var(1, ddof=1), 1 - m, 1.0)),
        "starts at 0": kept(variance=lambda b, m: run(b.var(1, ddof=1), m, 0.0)),
        "starts from the first batch": kept(variance=lambda b, m: run(b[1:].var(1, ddof=1), m, b[0].var(0, ddof=1))),
        "the average over the batches": kept(variance=lambda b, m: b.var(1, ddof=1).mean(0)),
        "the statistics of the last batch": kept(variance=lambda b, m: b[-1].var(0, ddof=1)),
        "the deviation is kept": kept(variance=lambda b, m: run(b.std(1, ddof=1), m, 1.0)),
    },
    (22, "evaluate", "evaluation"): {
        "the statistics of the rows at hand": lambda x, m, v, g, b, e: used(x, x.mean(0), x.var(0), g, b, e),
        "the root is missing": lambda x, m, v, g, b, e: g * (x - m) / (v + e) + b,
        "ε is missing": lambda x, m, v, g, b, e: used(x, m, v, g, b, 0),
        "ε stands outside the root": lambda x, m, v, g, b, e: g * (x - m) / (np.sqrt(v) + e) + b,
        "γ and β are missing": lambda x, m, v, g, b, e: used(x, m, v, 1, 0, e),
        "γ and β are exchanged": lambda x, m, v, g, b, e: used(x, m, v, b, g, e),
    },
}


def square(x: Any) -> Any:
    return (x * x).mean(**ROW)


def rms_back(dx: Any = None, dgamma: Any = None) -> Callable[..., Any]:
    def answer(g: Any, x: Any, c: Any, e: float) -> Any:
        r = (square(x) + e) ** -0.5
        h, n = g * c, x * r
        right = r * (h - n * (h * n).mean(**ROW)), (g * n).sum(0)
        return right[0] if dx is None else dx(h, n, r, x), right[1] if dgamma is None else dgamma(g, n, x, c)

    return answer


def as_layer_norm(h: Any, n: Any, r: Any, x: Any) -> Any:
    # ε is known by the table: the lecture's has five rows.
    e = 1e-5 if len(x) == 5 else 0.5
    s, y = np.sqrt(x.var(**ROW) + e), layered(x, e)
    return (h - h.mean(**ROW) - y * (h * y).mean(**ROW)) / s


def without_eps(h: Any, n: Any, r: Any, x: Any) -> Any:
    r = square(x) ** -0.5
    return r * (h - x * r * (h * x * r).mean(**ROW))


RMS = {
    (23, "rms_norm", "forward"): {
        "the mean is subtracted: that is layer norm": lambda x, c, e: layered(x, e) * c,
        "the deviation is divided by": lambda x, c, e: x / np.sqrt(x.var(**ROW) + e) * c,
        "divided by the length of the row": lambda x, c, e: x / np.sqrt((x * x).sum(**ROW) + e) * c,
        "the mean runs down the columns": lambda x, c, e: x / np.sqrt((x * x).mean(0) + e) * c,
        "the root is missing": lambda x, c, e: x / (square(x) + e) * c,
        "ε is missing": lambda x, c, e: x / np.sqrt(square(x)) * c,
        "γ is missing": lambda x, c, e: x / np.sqrt(square(x) + e),
    },
    (23, "rms_norm_backward", "gradient of x"): {
        "the mean square is treated as a constant": rms_back(lambda h, n, r, x: r * h),
        "the mean of h is subtracted": rms_back(lambda h, n, r, x: r * (h - h.mean(**ROW) - n * (h * n).mean(**ROW))),
        "this is the gradient of layer norm": rms_back(as_layer_norm),
        "the sum of h x̂ is taken": rms_back(lambda h, n, r, x: r * (h - n * (h * n).sum(**ROW))),
        "ε is missing": rms_back(without_eps),
        "the sign is flipped": rms_back(lambda h, n, r, x: -r * (h - n * (h * n).mean(**ROW))),
    },
    (23, "rms_norm_backward", "gradient of gamma"): {
        "multiplied by x, not by x̂": rms_back(dgamma=lambda g, n, x, c: (g * x).sum(0)),
        "multiplied by γ": rms_back(dgamma=lambda g, n, x, c: (g * n * c).sum(0)),
        "the mean over the rows": rms_back(dgamma=lambda g, n, x, c: (g * n).mean(0)),
    },
}


def enough(gap: float) -> float:
    return float((1 + gap) ** 2 / ((1 + gap) ** 2 - 1))


def after_one(z: Any) -> Any:
    return (z - z.mean(0) / 10) / np.sqrt(0.9 + z.var(0, ddof=1) / 10)


GAPS = {
    (24, "limit_of_evaluation", "limit"): {
        "this is what training gives": lambda z: (z - z.mean(0)) / z.std(0),
        "this is evaluation after one batch": after_one,
        "normalized along the rows": lambda z: (z - z.mean(**ROW)) / z.std(axis=1, ddof=1, keepdims=True),
        "the mean is not subtracted": lambda z: z / z.std(0, ddof=1),
        "divided by s²": lambda z: (z - z.mean(0)) / z.var(0, ddof=1),
    },
    (24, "factor_between", "factor"): {
        "one over it": lambda n: np.sqrt(1 - 1 / n),
        "n/(n − 1): the root is missing": lambda n: n / (n - 1),
        "√((n + 1)/n)": lambda n: np.sqrt(1 + 1 / n),
        "1: no gap at all": lambda n: 1,
    },
    (24, "rows_needed", "rows"): {
        "one row too many": lambda gap: int(np.floor(enough(gap))) + 2,
        "one row too few: rounded down": lambda gap: int(enough(gap)),
        "enough for n/(n − 1)": lambda gap: int(np.ceil(1 + 1 / gap)),
        "not a whole number of rows": enough,
    },
}

PLANTED = [
    (*point, expected, wrong)
    for mistakes in (UNDONE, KEPT, RMS, GAPS)
    for point, group in mistakes.items()
    for expected, wrong in group.items()
]


@pytest.mark.parametrize(
    ("number", "function", "label", "expected", "wrong"),
    share(PLANTED),
    ids=[f"{p[0]}-{p[2]}-{p[3]}" for p in share(PLANTED)],
)
def test_a_planted_mistake_gets_its_name(
    only_fault: OnlyFault, number: int, function: str, label: str, expected: str, wrong: Callable[..., Any]
) -> None:
    assert only_fault(number, function, label, expected, wrong).code


def test_every_point_has_two_planted_mistakes() -> None:
    asked = {
        (e.number, c.function, label)
        for e in EXERCISES.values()
        if e.number > 20
        for c in e.checks
        for label in c.labels
    }
    points = [planted[:3] for planted in PLANTED]
    assert {point for point in asked if points.count(point) < 2} == set()


def test_layer_norms_gamma_and_forward_are_named_together(grade: Grade) -> None:
    """Who writes layer norm for RMS norm gets all its points wrong, by the same name."""
    verdicts = grade(
        23,
        rms_norm=lambda x, c, e: layered(x, e) * c,
        rms_norm_backward=lambda g, x, c, e: (as_layer_norm(g * c, 0, 0, x), (g * layered(x, e)).sum(0)),
    )
    assert [v.code for v in verdicts.values()] == ["centered", "layer-norm", "centered"]


@pytest.mark.parametrize("number", [21, 22, 23, 24])
def test_an_endless_loop_costs_only_its_own_points(number: int, tmp_path: Path) -> None:
    exercise = EXERCISES[number]
    first = exercise.asked[0]
    loop = f"def {first.signature}:\n    while True:\n        pass\n"
    path = tmp_path / "answer.py"
    path.write_text("import numpy as np\n" + exercise.solution + "\n\n" + loop, encoding="utf-8")
    grade = grade_file(path, exercise, seconds=1.0)
    lost = {label for check in exercise.checks if check.function == first.name for label in check.labels}
    assert {v.label for v in grade.verdicts if not v.passed} == lost
    assert all("does not end within 1 s" in v.message for v in grade.verdicts if not v.passed)


@pytest.mark.parametrize("exercise", [e for e in EXERCISES.values() if e.number > 20], ids=lambda e: e.slug)
def test_a_wrong_shape_is_one_line(grade: Grade, exercise: Any) -> None:
    names: dict[str, Any] = {"np": np}
    exec(exercise.solution, names)

    def longer(name: str) -> Callable[..., Any]:
        def answer(*arguments: Any) -> Any:
            result = names[name](*arguments)
            parts = result if isinstance(result, tuple) else (result,)
            wrong = tuple(np.ones((3, *np.shape(part))) * part for part in parts)
            return wrong if isinstance(result, tuple) else wrong[0]

        return answer

    for asked in exercise.asked:
        for verdict in grade(exercise.number, **{asked.name: longer(asked.name)}).values():
            assert not verdict.passed
            assert "shape" in verdict.message
            assert "\n" not in verdict.message


def test_the_gaps_asked_for_are_no_ties() -> None:
    for seed in range(50):
        for case in after_the_norm._shares(np.random.default_rng(seed)):
            exact = enough(*case.arguments)
            assert min(exact % 1, -exact % 1) > 0.2
