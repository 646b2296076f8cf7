"""Planted mistakes in values: each must get the name it has, and cost no other point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Planted = tuple[str, str, str, Callable[..., Any]]
Grade = Callable[..., Any]
OnlyFault = Callable[..., Any]


def statistics(mean: Any = None, variance: Any = None, deviation: Any = None) -> Callable[..., Any]:
    """Column statistics of which some are computed in another way."""
    right = (lambda z: z.mean(0)), (lambda z: z.var(0)), (lambda z: z.std(0))
    chosen = [mine or theirs for mine, theirs in zip((mean, variance, deviation), right, strict=True)]
    return lambda z: tuple(f(z) for f in chosen)


def mad(z: Any) -> Any:
    return abs(z - z.mean(0)).mean(0)


COLUMN_STATISTICS: list[Planted] = [
    ("column_statistics", label, expected, statistics(**{label: wrong}))
    for label, expected, wrong in (
        ("mean", "the mean of each row", lambda z: z.mean(1)),
        ("mean", "the mean of the whole table", lambda z: z.mean()),
        ("mean", "the sum: it is not divided by the number of rows", lambda z: z.sum(0)),
        ("mean", "divided by the number of columns", lambda z: z.sum(0) / len(z[0])),
        ("mean", "the median, not the mean", lambda z: np.median(z, 0)),
        ("variance", "divided by n − 1 in place of n", lambda z: ((z - z.mean(0)) ** 2).sum(0) / (len(z) - 1)),
        ("variance", "the variance of each row", lambda z: z.var(1)),
        ("variance", "this is the deviation: one root too many", lambda z: z.std(0)),
        ("variance", "the sum of squares: it is not divided by n", lambda z: ((z - z.mean(0)) ** 2).sum(0)),
        ("variance", "the mean is not subtracted: the mean of x²", lambda z: (z * z).mean(0)),
        ("variance", "absolute distances from the mean where squares belong", mad),
        ("deviation", "divided by n − 1 in place of n", lambda z: z.std(0, ddof=1)),
        ("deviation", "the deviation of each row", lambda z: z.std(1)),
        ("deviation", "this is the variance: the root is missing", lambda z: z.var(0)),
        ("deviation", "the mean absolute distance, not the deviation", mad),
    )
]

TABLE = "normalized table"
BATCH_NORM: list[Planted] = [
    ("standardize_columns", TABLE, "the variance is divided by n − 1 in place of n",
     lambda z: (z - z.mean(0)) / z.std(0, ddof=1)),
    ("standardize_columns", TABLE, "normalized along the rows: that is layer norm",
     lambda z: ((z.T - z.mean(1)) / z.std(1)).T),
    ("standardize_columns", TABLE, "divided by the variance: the root is missing",
     lambda z: (z - z.mean(0)) / z.var(0)),
    ("standardize_columns", TABLE, "the division by σ is missing", lambda z: z - z.mean(0)),
    ("standardize_columns", TABLE, "the mean is not subtracted", lambda z: z / z.std(0)),
    ("standardize_columns", TABLE, "one mean and deviation for the whole table", lambda z: (z - z.mean()) / z.std()),
    ("standardize_columns", TABLE, "the sign is flipped: μ − x", lambda z: (z.mean(0) - z) / z.std(0)),
    ("batch_norm", "batch norm", "ε stands outside the root",
     lambda z, g, b, e: (z - z.mean(0)) / (z.std(0) + e) * g + b),
    ("batch_norm", "batch norm", "ε is missing", lambda z, g, b, e: (z - z.mean(0)) / z.std(0) * g + b),
    ("batch_norm", "batch norm", "normalized along the rows",
     lambda z, g, b, e: ((z.T - z.mean(1)) / np.sqrt(z.var(1) + e)).T * g + b),
    ("batch_norm", "batch norm", "the variance is divided by n − 1 in place of n",
     lambda z, g, b, e: (z - z.mean(0)) / np.sqrt(z.var(0, ddof=1) + e) * g + b),
    ("batch_norm", "batch norm", "β is added before γ multiplies",
     lambda z, g, b, e: ((z - z.mean(0)) / np.sqrt(z.var(0) + e) + b) * g),
    ("batch_norm", "batch norm", "γ and β are exchanged",
     lambda z, g, b, e: (z - z.mean(0)) / np.sqrt(z.var(0) + e) * b + g),
    ("batch_norm", "batch norm", "β is missing", lambda z, g, b, e: (z - z.mean(0)) / np.sqrt(z.var(0) + e) * g),
    ("batch_norm", "batch norm", "γ is missing", lambda z, g, b, e: (z - z.mean(0)) / np.sqrt(z.var(0) + e) + b),
    ("batch_norm", "batch norm", "γ and β are missing", lambda z, g, b, e: (z - z.mean(0)) / np.sqrt(z.var(0) + e)),
]  # fmt: skip


def hat(z: Any, e: float = 0.0, axis: int = 1, ddof: int = 0) -> Any:
    return (z - z.mean(axis, keepdims=True)) / np.sqrt(z.var(axis, ddof=ddof, keepdims=True) + e)


def equal_pairs(rows: Any, sign: int = 1) -> list[tuple[int, int]]:
    n = len(rows)
    return [(i, j) for i in range(n) for j in range(i + 1, n) if np.allclose(rows[i], sign * rows[j], atol=1e-9)]


TWINS, OTHER = "rows that become one", "another row, same output"
LAYER_NORM: list[Planted] = [
    ("layer_norm", "layer norm", "normalized down the columns: that is batch norm",
     lambda z, g, b, e: hat(z, e, 0) * g + b),
    ("layer_norm", "layer norm", "the variance is divided by n − 1", lambda z, g, b, e: hat(z, e, ddof=1) * g + b),
    ("layer_norm", "layer norm", "ε stands outside the root",
     lambda z, g, b, e: (z - z.mean(1, keepdims=True)) / (z.std(1, keepdims=True) + e) * g + b),
    ("layer_norm", "layer norm", "ε is missing", lambda z, g, b, e: hat(z) * g + b),
    ("layer_norm", "layer norm", "the mean is not subtracted",
     lambda z, g, b, e: z / np.sqrt(z.var(1, keepdims=True) + e) * g + b),
    ("layer_norm", "layer norm", "γ and β are exchanged", lambda z, g, b, e: hat(z, e) * b + g),
    ("layer_norm", "layer norm", "γ and β are missing", lambda z, g, b, e: hat(z, e)),
    ("identical_rows", TWINS, "finds only rows that are equal before layer norm", lambda z: equal_pairs(z)),
    ("identical_rows", TWINS, "finds only rows that are equal before layer norm",
     lambda z: equal_pairs(hat(z, axis=0))),
    ("identical_rows", TWINS, "compares the rows without their mean, but not divided by σ",
     lambda z: equal_pairs(z - z.mean(1, keepdims=True))),
    ("identical_rows", TWINS, "counts the rows from 1", lambda z: {(i + 1, j + 1) for i, j in equal_pairs(hat(z))}),
    ("identical_rows", TWINS, "lists each pair twice",
     lambda z: [pair for i, j in equal_pairs(hat(z)) for pair in ((i, j), (j, i))]),
    ("identical_rows", TWINS, "takes opposite rows for equal ones",
     lambda z: equal_pairs(hat(z)) + equal_pairs(hat(z), sign=-1)),
    ("identical_rows", TWINS, "[(0, 1)] where [(1, 2)] belong, on the lecture's table", lambda z: [(0, 1)]),
    ("identical_rows", TWINS, "no pairs where [(1, 2)] belong, on the lecture's table", lambda z: []),
    ("identical_rows", TWINS, "returns an int that is no list of pairs (i, j)", lambda z: 3),
    ("identical_rows", TWINS, "returns None", lambda z: None),
    ("another_row", OTHER, "this is the same row: return a different one", lambda row: row),
    ("another_row", OTHER, "a constant row has σ = 0", lambda row: 0 * row),
    ("another_row", OTHER, "the output is the opposite", lambda row: 3 - 2 * row),
    ("another_row", OTHER, "its layer norm is another one", lambda row: row**2),
    ("another_row", OTHER, "must have the shape (3,); yours has (2,)", lambda row: row[:2]),
    ("another_row", OTHER, "is not finite: inf at [1]", lambda row: np.where(row == 5, np.inf, row)),
    ("another_row", OTHER, "returns a str where numbers belong", lambda row: "row"),
]  # fmt: skip


def spike(n: int) -> Any:
    return np.eye(n)[0]


def judge(claim: float, x: Any, i: int, *, sign: bool = True, size: bool = True, any_size: bool = False) -> str:
    """The right verdict on a claim, or one that leaves something out."""
    if sign and claim * (x[i] - x.mean()) < 0:
        return "sign"
    if size and (any_size or x[i] == x.max()) and claim < 1 / np.sqrt(len(x) - 1):
        return "size"
    return "nothing"


BOUND, REACHED, EXCLUDED = "the least largest value", "numbers that reach the bound", "what rules a claim out"
IMPOSSIBLE: list[Planted] = [
    ("smallest_largest", BOUND, "1/√n: the bound when σ² is divided by n − 1", lambda n: 1 / np.sqrt(n)),
    ("smallest_largest", BOUND, "1/√(n + 1)", lambda n: 1 / np.sqrt(n + 1)),
    ("smallest_largest", BOUND, "1/(n − 1): the root is missing", lambda n: 1 / (n - 1)),
    ("smallest_largest", BOUND, "√(n − 1): the most that the largest can be", lambda n: np.sqrt(n - 1)),
    ("smallest_largest", BOUND, "zero: no positive number at all", lambda n: 0),
    ("smallest_largest", BOUND, "0.5 where 1 belongs, on n = 2", lambda n: 0.5),
    ("reaching", REACHED, "must have the shape (2,) for n = 2; yours has (3,)", lambda n: np.arange(n + 1.0)),
    ("reaching", REACHED, "all numbers are equal", lambda n: np.ones(n)),
    ("reaching", REACHED, "the largest is as large as can be", spike),
    ("reaching", REACHED, "for n = 3 the largest normalizes to 1.22474; it can be as small as 0.707107",
     lambda n: np.arange(1.0 * n)),
    ("reaching", REACHED, "is not finite: nan at [0], for n = 2", lambda n: np.full(n, np.nan)),
    ("reaching", REACHED, "returns None", lambda n: None),
    ("ruled_out_by", EXCLUDED, "the bound is used for numbers that are not the largest",
     lambda c, x, i: judge(c, x, i, any_size=True)),
    ("ruled_out_by", EXCLUDED, "the sign is looked at, the size is not", lambda c, x, i: judge(c, x, i, size=False)),
    ("ruled_out_by", EXCLUDED, "the size is looked at, the sign is not", lambda c, x, i: judge(c, x, i, sign=False)),
    ("ruled_out_by", EXCLUDED, "a wrong sign of the largest is called size",
     lambda c, x, i: "size" if judge(c, x, i, sign=False) == "size" else judge(c, x, i)),
    ("ruled_out_by", EXCLUDED, "the sign of the number is compared, not that of its distance from the mean",
     lambda c, x, i: "sign" if c * x[i] < 0 else judge(c, x, i, sign=False)),
    ("ruled_out_by", EXCLUDED, "every claim is ruled out",
     lambda c, x, i: "size" if judge(c, x, i) == "nothing" else judge(c, x, i)),
    ("ruled_out_by", EXCLUDED, "'nothing' where 'size' belongs: 7 of [7. 2. 1. 7. 3.] → 0.36?",
     lambda c, x, i: "nothing"),
    ("ruled_out_by", EXCLUDED, "must be 'sign', 'size' or 'nothing'; yours is 'Sign'", lambda c, x, i: "Sign"),
    ("ruled_out_by", EXCLUDED, "must be 'sign', 'size' or 'nothing'; yours is a bool", lambda c, x, i: True),
    ("ruled_out_by", EXCLUDED, "must be 'sign', 'size' or 'nothing'; yours is an array of float64", lambda c, x, i: x),
    ("ruled_out_by", EXCLUDED, "returns None", lambda c, x, i: None),
]  # fmt: skip


def fit(f: Any, z: Any) -> tuple[Any, Any]:
    solved = np.linalg.lstsq(np.c_[f, np.ones(len(f))], z, rcond=None)[0]
    return solved[:-1], solved[-1]


def through_origin(f: Any, z: Any) -> Any:
    return np.linalg.lstsq(f, z, rcond=None)[0]


def left(f: Any, z: Any) -> Any:
    weight, bias = fit(f, z)
    return z - f @ weight - bias


def total(z: Any) -> Any:
    return ((z - z.mean(0)) ** 2).sum(0)


PROOF = "the proof"
NO_LAYER: list[Planted] = [
    ("best_layer", "weight", "the bias is left out", lambda f, z: (through_origin(f, z), fit(f, z)[1])),
    ("best_layer", "weight", "the weight is transposed", lambda f, z: (fit(f, z)[0].T, fit(f, z)[1])),
    ("best_layer", "weight", "an exact fit of the first rows only",
     lambda f, z: (fit(f[:3], z[:3])[0], fit(f, z)[1])),
    ("best_layer", "weight", "the bias is still in the weight",
     lambda f, z: (np.vstack(fit(f, z)), fit(f, z)[1])),
    ("best_layer", "bias", "the mean of z", lambda f, z: (fit(f, z)[0], z.mean(0))),
    ("best_layer", "bias", "zero: the bias is left out", lambda f, z: (fit(f, z)[0], np.zeros(3))),
    ("best_layer", "bias", "what a fit through the origin leaves on average",
     lambda f, z: (fit(f, z)[0], (z - f @ through_origin(f, z)).mean(0))),
    ("r_squared", "R²", "1 − R²: the share that is left", lambda f, z: (left(f, z) ** 2).sum(0) / total(z)),
    ("r_squared", "R²", "R, not R²", lambda f, z: np.sqrt(1 - (left(f, z) ** 2).sum(0) / total(z))),
    ("r_squared", "R²", "the total is taken around 0", lambda f, z: 1 - (left(f, z) ** 2).sum(0) / (z**2).sum(0)),
    ("r_squared", "R²", "one number for the whole table", lambda f, z: 1 - (left(f, z) ** 2).sum() / total(z).sum()),
    ("r_squared", "R²", "the sum of the squared residuals", lambda f, z: (left(f, z) ** 2).sum(0)),
    ("r_squared", "R²", "the fit leaves out the bias",
     lambda f, z: 1 - ((z - f @ through_origin(f, z)) ** 2).sum(0) / total(z)),
    ("proof", PROOF, "there is nothing to prove here: return None", lambda f, z: left(f, z)[:, 0]),
    ("proof", PROOF, "returns None, but no linear layer gives this table", lambda f, z: None),
    ("proof", PROOF, "must have the shape (5,), a weight for each row; yours has (5, 3)", left),
    ("proof", PROOF, "all weights are 0", lambda f, z: np.zeros(len(f))),
    ("proof", PROOF, "the combination of the rows of f does not vanish", lambda f, z: np.arange(len(f)) - len(f) / 2),
    ("proof", PROOF, "the weights do not sum to 0", lambda f, z: z[:, 0] - f @ through_origin(f, z)[:, 0]),
    ("proof", PROOF, "the combination of the rows of z vanishes as well",
     lambda f, z: left(f, z)[:, 0] if len(f) == 5 else np.linalg.svd(np.c_[f, np.ones(7), z].T)[2][-1]),
    ("proof", PROOF, "is not finite: nan at [0]", lambda f, z: np.full(len(f), np.nan)),
    ("proof", PROOF, "returns a str where numbers belong", lambda f, z: "3r₁ − 2r₂ − 2r₃ + r₄"),
]  # fmt: skip


def masked(x: Any, m: Any, g: Any, b: Any, e: float, rows: Any = None, ddof: int = 0) -> Any:
    """Batch norm with the statistics of some rows, and 0 at the pads."""
    rows = x[m] if rows is None else rows
    return np.where(m[:, None], (x - rows.mean(0)) / np.sqrt(rows.var(0, ddof=ddof) + e) * g + b, 0)


MASKED_NORM: list[Planted] = [
    ("masked_batch_norm", "forward", expected, wrong)
    for expected, wrong in (
        ("the pads enter the statistics", lambda x, m, g, b, e: masked(x, m, g, b, e, x)),
        ("the pads enter the statistics, and their output is not 0",
         lambda x, m, g, b, e: (x - x.mean(0)) / np.sqrt(x.var(0) + e) * g + b),
        ("the pads are set to 0 but still counted", lambda x, m, g, b, e: masked(x, m, g, b, e, x * m[:, None])),
        ("the output of the pads is not 0",
         lambda x, m, g, b, e: (x - x[m].mean(0)) / np.sqrt(x[m].var(0) + e) * g + b),
        ("the output of the pads is β", lambda x, m, g, b, e: masked(x, m, g, 0, e) + b),
        ("the variance is divided by n − 1", lambda x, m, g, b, e: masked(x, m, g, b, e, ddof=1)),
        ("ε is missing", lambda x, m, g, b, e: masked(x, m, g, b, 0)),
        ("the mask is inverted", lambda x, m, g, b, e: masked(x, ~m, g, b, e)),
        ("normalized along the rows", lambda x, m, g, b, e: np.where(m[:, None], hat(x, e) * g + b, 0)),
        ("the pads are left out of the result", lambda x, m, g, b, e: masked(x, m, g, b, e)[m]),
    )
]  # fmt: skip


def softmax(scores: Any) -> Any:
    e = np.exp(scores - scores.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def scores(x: Any) -> Any:
    return x @ x.T / np.sqrt(x.shape[1])


def over_keys(s: Any, keys: Any) -> Any:
    e = np.exp(s) * keys
    return e / np.maximum(e.sum(1, keepdims=True), 1e-300)


ATTENTION: list[tuple[str, Callable[..., Any]]] = [
    ("no mask at all", lambda x, m: softmax(scores(x))),
    ("the pads' rows are 0, but words still attend to pads", lambda x, m: softmax(scores(x)) * m[:, None]),
    ("the keys are masked, but the pads' own rows are not 0", lambda x, m: over_keys(scores(x), m)),
    ("the keys are masked by −1e9, and the pads' own rows are not 0", lambda x, m: softmax(scores(x) - 1e9 * ~m)),
    ("weights of pads are set to 0 after the softmax", lambda x, m: softmax(scores(x)) * np.outer(m, m)),
    ("scores of pads are set to 0, not to −∞", lambda x, m: softmax(scores(x) * m) * m[:, None]),
    ("the scores are not divided by √d", lambda x, m: over_keys(x @ x.T, m) * m[:, None]),
    ("the scores are divided by d, not by √d", lambda x, m: over_keys(x @ x.T / x.shape[1], m) * m[:, None]),
    ("the softmax runs down the columns", lambda x, m: (over_keys(scores(x), m) * m[:, None]).T),
    ("the mask is inverted", lambda x, m: over_keys(scores(x), ~m) * ~m[:, None]),
]  # fmt: skip

PLANTED = [
    (number, *planted)
    for number, mistakes in (
        (1, COLUMN_STATISTICS), (2, BATCH_NORM), (3, LAYER_NORM), (4, IMPOSSIBLE), (5, NO_LAYER), (11, MASKED_NORM)
    )
    for planted in mistakes
]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "function", "label", "expected", "wrong"),
    PLANTED,
    ids=[f"{p[0]}-{p[2]}-{p[3]}" for p in PLANTED],
)
def test_a_planted_mistake_gets_its_name(
    only_fault: OnlyFault, number: int, function: str, label: str, expected: str, wrong: Callable[..., Any]
) -> None:
    only_fault(number, function, label, expected, wrong)


@pytest.mark.parametrize(("expected", "weights"), ATTENTION, ids=[name for name, _ in ATTENTION])
def test_a_mistake_in_attention_is_named_in_weights_and_output(
    grade: Grade, expected: str, weights: Callable[..., Any]
) -> None:
    verdicts = grade(12, masked_attention=lambda x, m: (weights(x, m), weights(x, m) @ x))
    assert verdicts["weights"].message.startswith(expected)
    assert verdicts["output"].message.startswith(expected)
    assert all(v.code for v in verdicts.values())
