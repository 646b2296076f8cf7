"""Planted mistakes in the pieces of a backward pass: each must get the name it has, and cost no other point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_norm.gradcheck import Entry
from tinygrad_norm.lessons.exercises import checked_gradients
from tinygrad_norm.lessons.exercises.cases import Case

Grade = Callable[..., Any]
OnlyFault = Callable[..., Any]
Planted = tuple[str, str, str, Callable[..., Any]]


def mean(x: Any, axis: int = 1) -> Any:
    return x.mean(axis, keepdims=True)


def centered(x: Any, axis: int = 1) -> Any:
    return x - mean(x, axis)


def back(g: Any, shape: tuple[int, ...]) -> Any:
    """The right answer to exercise 6."""
    while g.ndim > len(shape):
        g = g.sum(0)
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1)
    return g.sum(stretched, keepdims=True)


def only_stretched(g: Any, shape: tuple[int, ...]) -> Any:
    return back(g, (1,) * (g.ndim - len(shape)) + shape)


def only_in_front(g: Any, shape: tuple[int, ...]) -> Any:
    return g.sum(tuple(range(g.ndim - len(shape))))


def keepdims_forgotten(g: Any, shape: tuple[int, ...]) -> Any:
    return np.squeeze(back(g, shape), tuple(axis for axis, n in enumerate(shape) if n == 1))


def first_copy(g: Any, shape: tuple[int, ...]) -> Any:
    g = g[(0,) * (g.ndim - len(shape))]
    return g[tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)]


FRONT, STRETCHED = "axes put in front", "axes stretched from 1"
SUMMED_BACK: list[tuple[str, dict[str, str], Callable[..., Any]]] = [
    ("not summed", {FRONT: "the broadcast over axis 0 is not summed back",
                    STRETCHED: "the broadcast over axis 1 is not summed back"}, lambda g, shape: g),
    ("only stretched", {FRONT: "the broadcast over axis 0 is not summed back",
                        STRETCHED: "the broadcast over axis 0 is not summed back"}, only_stretched),
    ("only in front", {STRETCHED: "the broadcast over axis 1 is not summed back"}, only_in_front),
    ("mean", {FRONT: "divided by 5 where nothing should be", STRETCHED: "divided by 7 where nothing should be"},
     lambda g, shape: back(g, shape) * np.prod(shape) / g.size),
    ("zero", {FRONT: "nothing arrives here", STRETCHED: "nothing arrives here"}, lambda g, shape: np.zeros(shape)),
    ("sign", {FRONT: "the sign is flipped", STRETCHED: "the sign is flipped"}, lambda g, shape: -back(g, shape)),
    ("first copy", {FRONT: "contributions are overwritten", STRETCHED: "contributions are overwritten"}, first_copy),
    ("keepdims", {STRETCHED: "right numbers in the shape (5,) instead of (5, 1)"}, keepdims_forgotten),
    ("unnamed", {FRONT: "is wrong, in a way that has no name here",
                 STRETCHED: "is wrong, in a way that has no name here"},
     lambda g, shape: back(g, shape) * 1.1 + back(np.cumsum(g).reshape(g.shape), shape)),
]  # fmt: skip

X, GAMMA, BETA = "gradient of x", "gradient of gamma", "gradient of beta"
SCALE_AND_SHIFT: list[Planted] = [
    ("scale_and_shift_backward", label, expected, wrong)
    for label, expected, wrong in (
        (X, "the cotangent is passed on unchanged: the local derivative is missing",
         lambda g, x, c, b: (g, (g * x).sum(0), g.sum(0))),
        (GAMMA, "the broadcast over axis 0 is not summed back", lambda g, x, c, b: (g * c, g * x, g.sum(0))),
        (GAMMA, "the cotangent is passed on unchanged", lambda g, x, c, b: (g * c, g.sum(0), g.sum(0))),
        (BETA, "divided by 5 where nothing should be", lambda g, x, c, b: (g * c, (g * x).sum(0), g.mean(0))),
        (BETA, "the broadcast over axis 0 is not summed back", lambda g, x, c, b: (g * c, (g * x).sum(0), g)),
        (BETA, "twice too large", lambda g, x, c, b: (g * c, (g * x).sum(0), 2 * g.sum(0))),
    )
]  # fmt: skip

MEAN, CENTER = "through the mean", "through x − mean"
MEANS: list[Planted] = [
    ("mean_backward", MEAN, expected, wrong)
    for expected, wrong in (
        ("the 1/7 of a mean is missing", lambda g, x: np.ones_like(x) * g[:, None]),
        ("divided by the number of rows, not of features", lambda g, x: np.ones_like(x) * g[:, None] / len(x)),
        ("the gradient of a reduction is not spread back", lambda g, x: g / x.shape[1]),
        ("the sign is flipped", lambda g, x: -np.ones_like(x) * g[:, None] / x.shape[1]),
        ("the gradient is not multiplied by the incoming gradient g", lambda g, x: np.ones_like(x) / x.shape[1]),
        ("multiplied by x", lambda g, x: x * g[:, None] / x.shape[1]),
        ("n and n − 1 are confused (n = 7)", lambda g, x: np.ones_like(x) * g[:, None] / (x.shape[1] - 1)),
        ("nothing arrives here", lambda g, x: 0 * x),
    )
] + [
    ("center_backward", CENTER, expected, wrong)
    for expected, wrong in (
        ("the path through the MEAN is missing along axis 1", lambda g, x: g),
        ("the direct way is missing", lambda g, x: 0 * x - mean(g)),
        ("what comes through the mean has the wrong sign", lambda g, x: g + mean(g)),
        ("the sum of g is subtracted, not its mean", lambda g, x: g - g.sum(1, keepdims=True)),
        ("the mean of g is taken down the columns", lambda g, x: g - mean(g, 0)),
        ("the mean of g is taken over the whole table", lambda g, x: g - g.mean()),
        ("treated as an elementwise function", lambda g, x: g * (1 - 1 / x.shape[1])),
        ("the sign is flipped", lambda g, x: mean(g) - g),
    )
]


def var_back(g: Any, x: Any, factor: float = 2.0, n: int | None = None) -> Any:
    return g[:, None] * factor * centered(x) / (n or x.shape[1])


VARIANCE, DEVIATION = "through the variance", "through the deviation"
VARIANCES: list[Planted] = [
    ("variance_backward", VARIANCE, expected, wrong)
    for expected, wrong in (
        ("half of it is missing", lambda g, x: var_back(g, x, 1)),
        ("n and n − 1 are confused (n = 7)", lambda g, x: var_back(g, x, n=x.shape[1] - 1)),
        ("the 1/7 of a mean is missing", lambda g, x: var_back(g, x, n=1)),
        ("x stands where x − mean belongs", lambda g, x: g[:, None] * 2 * x / x.shape[1]),
        ("the mean of the column is subtracted", lambda g, x: g[:, None] * 2 * centered(x, 0) / x.shape[1]),
        ("divided by the number of rows", lambda g, x: var_back(g, x, n=len(x))),
        ("the sign is flipped", lambda g, x: var_back(g, x, -2)),
        ("the gradient is not multiplied by the incoming gradient g", lambda g, x: var_back(np.ones(len(x)), x)),
        ("the gradient has shape (5,), its input (5, 7)", lambda g, x: var_back(g, x).sum(1)),
    )
] + [
    ("deviation_backward", DEVIATION, expected, wrong)
    for expected, wrong in (
        ("twice too large", lambda g, x: var_back(g / x.std(1), x)),
        ("the division by σ along axis 1 is missing", lambda g, x: var_back(g, x, 1)),
        ("divided by 2v where 2σ belongs", lambda g, x: var_back(g / x.var(1), x, 1)),
        ("n and n − 1 are confused (n = 7)", lambda g, x: var_back(g / x.std(1), x, 1, x.shape[1] - 1)),
        ("σ is computed with n − 1", lambda g, x: var_back(g / x.std(1, ddof=1), x, 1)),
        ("computed with n − 1", lambda g, x: var_back(g / x.std(1, ddof=1), x, 1, x.shape[1] - 1)),
        ("x stands where x − mean belongs", lambda g, x: (g / x.std(1))[:, None] * x / x.shape[1]),
        ("this is the gradient of the variance", lambda g, x: var_back(g, x)),
        ("half of it is missing", lambda g, x: var_back(g / x.std(1), x, 0.5)),
    )
]

V = "gradient of v"
ROOTS: list[Planted] = [
    ("inverse_root_backward", V, expected, wrong)
    for expected, wrong in (
        ("the sign is flipped", lambda g, v, e: 0.5 * g * (v + e) ** -1.5),
        ("twice too large", lambda g, v, e: -g * (v + e) ** -1.5),
        ("the power is still −1/2", lambda g, v, e: -0.5 * g / np.sqrt(v + e)),
        ("the power is −1 where", lambda g, v, e: -0.5 * g / (v + e)),
        ("the power is −2 where", lambda g, v, e: -0.5 * g / (v + e) ** 2),
        ("this is the derivative of √(v + ε)", lambda g, v, e: g / (2 * np.sqrt(v + e))),
        ("this is the derivative of 1/(v + ε)", lambda g, v, e: -g / (v + e) ** 2),
        ("ε is forgotten on the way back", lambda g, v, e: -0.5 * g * v**-1.5),
        ("ε stands outside the root", lambda g, v, e: -0.5 * g / (np.sqrt(v) + e) ** 3),
        ("the gradient is set to 0 where v is 0", lambda g, v, e: np.where(v == 0, 0, -0.5 * g * (v + e) ** -1.5)),
        ("the gradient is not multiplied by the incoming gradient g", lambda g, v, e: -0.5 * (v + e) ** -1.5),
        ("nothing arrives here", lambda g, v, e: 0 * v),
    )
] + [
    ("inverse_deviation_backward", X, expected, wrong)
    for expected, wrong in (
        ("the gradient of x is not finite",  # over σ, which is 0/0 at a row of zeros
         lambda g, x, e: (-g * (x.var(1) + e) ** -1.5 * x.std(1) / x.std(1))[:, None] * centered(x) / x.shape[1]),
        ("half of it is missing", lambda g, x, e: var_back(-0.5 * g * (x.var(1) + e) ** -1.5, x, 1)),
        ("twice too large", lambda g, x, e: var_back(-g * (x.var(1) + e) ** -1.5, x)),
        ("the sign is flipped", lambda g, x, e: var_back(0.5 * g * (x.var(1) + e) ** -1.5, x)),
        ("the 1/7 of a mean is missing", lambda g, x, e: var_back(-0.5 * g * (x.var(1) + e) ** -1.5, x, n=1)),
        ("x stands where x − mean belongs", lambda g, x, e: (-g * (x.var(1) + e) ** -1.5)[:, None] * x / x.shape[1]),
        ("ε is forgotten on the way back", lambda g, x, e: var_back(-0.5 * g * x.var(1) ** -1.5, x)),
        ("the slope of 1/√(v + ε) is missing", lambda g, x, e: var_back(g, x)),
        ("the power is still −1/2", lambda g, x, e: var_back(-0.5 * g * (x.var(1) + e) ** -0.5, x)),
        ("the gradient of v is handed to every entry as it is",
         lambda g, x, e: np.ones_like(x) * (-0.5 * g * (x.var(1) + e) ** -1.5)[:, None]),
    )
]  # fmt: skip


PLANTED = [
    (number, *planted)
    for number, mistakes in ((6, SCALE_AND_SHIFT), (7, MEANS), (8, VARIANCES), (9, ROOTS))
    for planted in mistakes
]


@pytest.mark.parametrize(
    ("number", "function", "label", "expected", "wrong"),
    PLANTED,
    ids=[f"{p[0]}-{p[2]}-{p[3]}" for p in PLANTED],
)
def test_a_planted_mistake_gets_its_name(
    only_fault: OnlyFault, number: int, function: str, label: str, expected: str, wrong: Callable[..., Any]
) -> None:
    verdict = only_fault(number, function, label, expected, wrong)
    assert verdict.code
    assert verdict.detail[-1].startswith("seen on ")


@pytest.mark.parametrize(("expected", "wrong"), [p[1:] for p in SUMMED_BACK], ids=[p[0] for p in SUMMED_BACK])
def test_a_mistake_in_summing_back(grade: Grade, expected: dict[str, str], wrong: Callable[..., Any]) -> None:
    verdicts = grade(6, sum_back=wrong)
    assert [v.label for v in verdicts.values() if not v.passed] == list(expected)
    for label, beginning in expected.items():
        assert verdicts[label].message.startswith(beginning)


def test_every_gradient_exercise_has_at_least_five_planted_mistakes() -> None:
    functions = [planted[1] for planted in PLANTED] + ["sum_back"] * len(SUMMED_BACK)
    assert {name for name in functions if functions.count(name) < 5} == set()


def test_swapped_gradients(grade: Grade) -> None:
    verdicts = grade(6, scale_and_shift_backward=lambda g, x, c, b: (g * c, g.sum(0), (g * x).sum(0)))
    assert verdicts[GAMMA].message == "this is the gradient of beta"
    assert verdicts[BETA].message == "this is the gradient of gamma"


def test_a_mistake_at_zero_says_where_it_was_seen(grade: Grade) -> None:
    verdicts = grade(9, inverse_root_backward=lambda g, v, e: np.where(v == 0, 0, -0.5 * g * (v + e) ** -1.5))
    assert verdicts[V].detail[-1] == ("seen on the variances of the padded table, two of them 0; right on random data")


def test_what_cannot_be_told_is_not_called_wrong() -> None:
    entry = Entry("x", (3,), 1, "cannot tell", 3, 3, 0, 0, (1,), 0.5, 0.4, 0.3, 1.0)
    verdict = checked_gradients._mistake(
        "gradient of x", checked_gradients._Sight(Case("random data", ()), entry, None, None), []
    )
    assert (verdict.passed, verdict.message, verdict.code) == (False, "could not be checked", "")
    assert verdict.detail[0].startswith("x: CANNOT TELL")


def test_the_backward_pass_changes_its_arguments(grade: Grade) -> None:
    def backward(g: Any, x: Any) -> Any:
        x -= mean(x)
        return g[:, None] * 2 * x / x.shape[1]

    assert grade(8, variance_backward=backward)[VARIANCE].message == "the backward pass changes the input x"


def test_a_backward_pass_with_a_memory(grade: Grade) -> None:
    total = np.zeros(3)

    def backward(g: Any, x: Any) -> Any:
        nonlocal total
        total = total + 1
        return var_back(g, x) * total[0]

    verdict = grade(8, variance_backward=backward)[VARIANCE]
    assert verdict.message == "the backward pass gives another answer the second time"
