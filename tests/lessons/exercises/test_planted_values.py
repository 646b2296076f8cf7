"""Planted mistakes in values: each must get the name it has, and cost no other point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Mistakes = dict[tuple[int, str, str], dict[str, Callable[..., Any]]]
"""By exercise, function and label: the wrong functions, by the name that each must get."""

Grade = Callable[..., Any]
OnlyFault = Callable[..., Any]


def statistics(label: str, wrong: Callable[..., Any]) -> Callable[..., Any]:
    """Column statistics of which one is computed in another way."""
    right: dict[str, Callable[..., Any]] = {"mean": np.mean, "variance": np.var, "deviation": np.std}
    return lambda z: tuple(wrong(z) if name == label else f(z, 0) for name, f in right.items())


def mad(z: Any) -> Any:
    return abs(z - z.mean(0)).mean(0)


def hat(z: Any, e: float = 0.0, axis: int = 1, ddof: int = 0) -> Any:
    return (z - z.mean(axis, keepdims=True)) / np.sqrt(z.var(axis, ddof=ddof, keepdims=True) + e)


COLUMN_STATISTICS: Mistakes = {
    (1, "column_statistics", "mean"): {
        "the mean of each row": lambda z: z.mean(1),
        "the mean of the whole table": lambda z: z.mean(),
        "the sum: it is not divided by the number of rows": lambda z: z.sum(0),
        "divided by the number of columns": lambda z: z.sum(0) / len(z[0]),
        "the median, not the mean": lambda z: np.median(z, 0),
    },
    (1, "column_statistics", "variance"): {
        "divided by n − 1 in place of n": lambda z: ((z - z.mean(0)) ** 2).sum(0) / (len(z) - 1),
        "the variance of each row": lambda z: z.var(1),
        "this is the deviation: one root too many": lambda z: z.std(0),
        "the sum of squares: it is not divided by n": lambda z: ((z - z.mean(0)) ** 2).sum(0),
        "the mean is not subtracted: the mean of x²": lambda z: (z * z).mean(0),
        "absolute distances from the mean where squares belong": mad,
    },
    (1, "column_statistics", "deviation"): {
        "divided by n − 1 in place of n": lambda z: z.std(0, ddof=1),
        "the deviation of each row": lambda z: z.std(1),
        "this is the variance: the root is missing": lambda z: z.var(0),
        "the mean absolute distance, not the deviation": mad,
    },
}

BATCH_NORM: Mistakes = {
    (2, "standardize_columns", "normalized table"): {
        "the variance is divided by n − 1 in place of n": lambda z: (z - z.mean(0)) / z.std(0, ddof=1),
        "normalized along the rows: that is layer norm": lambda z: ((z.T - z.mean(1)) / z.std(1)).T,
        "divided by the variance: the root is missing": lambda z: (z - z.mean(0)) / z.var(0),
        "the division by σ is missing": lambda z: z - z.mean(0),
        "the mean is not subtracted": lambda z: z / z.std(0),
        "one mean and deviation for the whole table": lambda z: (z - z.mean()) / z.std(),
        "the sign is flipped: μ − x": lambda z: (z.mean(0) - z) / z.std(0),
    },
    (2, "batch_norm", "batch norm"): {
        "ε stands outside the root": lambda z, g, b, e: (z - z.mean(0)) / (z.std(0) + e) * g + b,
        "ε is missing": lambda z, g, b, e: (z - z.mean(0)) / z.std(0) * g + b,
        "normalized along the rows": lambda z, g, b, e: ((z.T - z.mean(1)) / np.sqrt(z.var(1) + e)).T * g + b,
        "the variance is divided by n − 1 in place of n": lambda z, g, b, e: hat(z, e, 0, ddof=1) * g + b,
        "β is added before γ multiplies": lambda z, g, b, e: ((z - z.mean(0)) / np.sqrt(z.var(0) + e) + b) * g,
        "γ and β are exchanged": lambda z, g, b, e: (z - z.mean(0)) / np.sqrt(z.var(0) + e) * b + g,
        "β is missing": lambda z, g, b, e: (z - z.mean(0)) / np.sqrt(z.var(0) + e) * g,
        "γ is missing": lambda z, g, b, e: (z - z.mean(0)) / np.sqrt(z.var(0) + e) + b,
        "γ and β are missing": lambda z, g, b, e: (z - z.mean(0)) / np.sqrt(z.var(0) + e),
    },
}


def equal_pairs(rows: Any, sign: int = 1) -> list[tuple[int, int]]:
    n = len(rows)
    return [(i, j) for i in range(n) for j in range(i + 1, n) if np.allclose(rows[i], sign * rows[j], atol=1e-9)]


def centered(z: Any) -> Any:
    return z - z.mean(1, keepdims=True)


LAYER_NORM: Mistakes = {
    (3, "layer_norm", "layer norm"): {
        "normalized down the columns: that is batch norm": lambda z, g, b, e: hat(z, e, 0) * g + b,
        "the variance is divided by n − 1": lambda z, g, b, e: hat(z, e, ddof=1) * g + b,
        "ε stands outside the root": lambda z, g, b, e: centered(z) / (z.std(1, keepdims=True) + e) * g + b,
        "ε is missing": lambda z, g, b, e: hat(z) * g + b,
        "the mean is not subtracted": lambda z, g, b, e: z / np.sqrt(z.var(1, keepdims=True) + e) * g + b,
        "γ and β are exchanged": lambda z, g, b, e: hat(z, e) * b + g,
        "γ and β are missing": lambda z, g, b, e: hat(z, e),
    },
    (3, "identical_rows", "rows that become one"): {
        "finds only rows that are equal before layer norm": lambda z: equal_pairs(z),
        "finds only rows that are equal before layer norm (or": lambda z: equal_pairs(hat(z, axis=0)),
        "compares the rows without their mean, but not divided by σ": lambda z: equal_pairs(centered(z)),
        "counts the rows from 1": lambda z: {(i + 1, j + 1) for i, j in equal_pairs(hat(z))},
        "lists each pair twice": lambda z: [p for i, j in equal_pairs(hat(z)) for p in ((i, j), (j, i))],
        "takes opposite rows for equal ones": lambda z: equal_pairs(hat(z)) + equal_pairs(hat(z), sign=-1),
        "[(0, 1)] where [(1, 2)] belong, on the lecture's table": lambda z: [(0, 1)],
        "no pairs where [(1, 2)] belong, on the lecture's table": lambda z: [],
        "returns an int that is no list of pairs (i, j)": lambda z: 3,
        "returns None": lambda z: None,
    },
    (3, "another_row", "another row, same output"): {
        "this is the same row: return a different one": lambda row: row,
        "a constant row has σ = 0": lambda row: 0 * row,
        "the output is the opposite": lambda row: 3 - 2 * row,
        "its layer norm is another one": lambda row: row**2,
        "must have the shape (3,); yours has (2,)": lambda row: row[:2],
        "is not finite: inf at [1]": lambda row: np.where(row == 5, np.inf, row),
        "returns a str where numbers belong": lambda row: "row",
    },
}


def judge(claim: float, x: Any, i: int, *, sign: bool = True, size: bool = True, any_size: bool = False) -> str:
    """The right verdict on a claim, or one that leaves something out."""
    if sign and claim * (x[i] - x.mean()) < 0:
        return "sign"
    if size and (any_size or x[i] == x.max()) and claim < 1 / np.sqrt(len(x) - 1):
        return "size"
    return "nothing"


def by_sign_of_x(claim: float, x: Any, i: int) -> str:
    return "sign" if claim * x[i] < 0 else judge(claim, x, i, sign=False)


def first_largest(claim: float, x: Any, i: int) -> str:
    alone = x.copy()
    alone[i] += 1e-9 if i == np.argmax(x) else -1e-9
    return judge(claim, alone, i)


def size_first(claim: float, x: Any, i: int) -> str:
    return "size" if judge(claim, x, i, sign=False) == "size" else judge(claim, x, i)


IMPOSSIBLE: Mistakes = {
    (4, "smallest_largest", "the least largest value"): {
        "1/√n: the bound when σ² is divided by n − 1": lambda n: 1 / np.sqrt(n),
        "1/√(n + 1)": lambda n: 1 / np.sqrt(n + 1),
        "1/(n − 1): the root is missing": lambda n: 1 / (n - 1),
        "√(n − 1): the most that the largest can be": lambda n: np.sqrt(n - 1),
        "zero: no positive number at all": lambda n: 0,
        "0.5 where 1 belongs, on n = 2": lambda n: 0.5,
    },
    (4, "reaching", "numbers that reach the bound"): {
        "must have the shape (2,) for n = 2; yours has (3,)": lambda n: np.arange(n + 1.0),
        "all numbers are equal": lambda n: np.ones(n),
        "the largest is as large as can be": lambda n: np.eye(n)[0],
        "for n = 3 the largest normalizes to 1.22474; it can be as small as 0.707107": lambda n: np.arange(1.0 * n),
        "is not finite: nan at [0], for n = 2": lambda n: np.full(n, np.nan),
        "returns None": lambda n: None,
    },
    (4, "ruled_out_by", "what rules a claim out"): {
        "the bound is used for numbers that are not the largest": lambda *c: judge(*c, any_size=True),
        "the sign is looked at, the size is not": lambda *c: judge(*c, size=False),
        "the size is looked at, the sign is not": lambda *c: judge(*c, sign=False),
        "a wrong sign of the largest is called size": size_first,
        "of several largest numbers only the first counts": first_largest,
        "the sign of the number is compared, not that of its distance from the mean": by_sign_of_x,
        "every claim is ruled out": lambda *c: "sign" if judge(*c) == "sign" else "size",
        "'nothing' where 'size' belongs: 7 of [7. 2. 1. 7. 3.] → 0.36?": lambda c, x, i: "nothing",
        "must be 'sign', 'size' or 'nothing'; yours is 'Sign'": lambda c, x, i: "Sign",
        "must be 'sign', 'size' or 'nothing'; yours is a bool": lambda c, x, i: True,
        "must be 'sign', 'size' or 'nothing'; yours is an array of float64": lambda c, x, i: x,
        "returns None": lambda c, x, i: None,
    },
}


def fit(f: Any, z: Any) -> tuple[Any, Any]:
    solved = np.linalg.lstsq(np.c_[f, np.ones(len(f))], z, rcond=None)[0]
    return solved[:-1], solved[-1]


def through_origin(f: Any, z: Any) -> Any:
    return np.linalg.lstsq(f, z, rcond=None)[0]


def left(f: Any, z: Any) -> Any:
    weight, bias = fit(f, z)
    return z - f @ weight - bias


def left_by_origin(f: Any, z: Any) -> Any:
    return z - f @ through_origin(f, z)


def total(z: Any) -> Any:
    return ((z - z.mean(0)) ** 2).sum(0)


def vanishing(f: Any, z: Any) -> Any:
    """Weights of the rows that make those of z vanish as well, where there are any."""
    return left(f, z)[:, 0] if len(f) == 5 else np.linalg.svd(np.c_[f, np.ones(7), z].T)[2][-1]


NO_LAYER: Mistakes = {
    (5, "best_layer", "weight"): {
        "the bias is left out": lambda f, z: (through_origin(f, z), fit(f, z)[1]),
        "the weight is transposed": lambda f, z: (fit(f, z)[0].T, fit(f, z)[1]),
        "an exact fit of the first rows only": lambda f, z: (fit(f[:3], z[:3])[0], fit(f, z)[1]),
        "the bias is still in the weight": lambda f, z: (np.vstack(fit(f, z)), fit(f, z)[1]),
    },
    (5, "best_layer", "bias"): {
        "the mean of z": lambda f, z: (fit(f, z)[0], z.mean(0)),
        "zero: the bias is left out": lambda f, z: (fit(f, z)[0], np.zeros(3)),
        "what a fit through the origin leaves on average": lambda f, z: (fit(f, z)[0], left_by_origin(f, z).mean(0)),
    },
    (5, "r_squared", "R²"): {
        "1 − R²: the share that is left": lambda f, z: (left(f, z) ** 2).sum(0) / total(z),
        "R, not R²": lambda f, z: np.sqrt(1 - (left(f, z) ** 2).sum(0) / total(z)),
        "the total is taken around 0": lambda f, z: 1 - (left(f, z) ** 2).sum(0) / (z**2).sum(0),
        "one number for the whole table": lambda f, z: 1 - (left(f, z) ** 2).sum() / total(z).sum(),
        "the sum of the squared residuals": lambda f, z: (left(f, z) ** 2).sum(0),
        "the fit leaves out the bias": lambda f, z: 1 - (left_by_origin(f, z) ** 2).sum(0) / total(z),
    },
    (5, "proof", "the proof"): {
        "there is nothing to prove here: return None": lambda f, z: left(f, z)[:, 0],
        "returns None, but no linear layer gives this table": lambda f, z: None,
        "must have the shape (5,), a weight for each row; yours has (5, 3)": left,
        "all weights are 0": lambda f, z: np.zeros(len(f)),
        "the combination of the rows of f does not vanish": lambda f, z: np.arange(len(f)) - len(f) / 2,
        "the weights do not sum to 0": lambda f, z: left_by_origin(f, z)[:, 0],
        "the combination of the rows of z vanishes as well": vanishing,
        "is not finite: nan at [0]": lambda f, z: np.full(len(f), np.nan),
        "returns a str where numbers belong": lambda f, z: "3r₁ − 2r₂ − 2r₃ + r₄",
    },
}


def plain(x: Any, rows: Any, g: Any, b: Any, e: float) -> Any:
    """Batch norm with the statistics of some rows."""
    return (x - rows.mean(0)) / np.sqrt(rows.var(0) + e) * g + b


def masked(x: Any, m: Any, g: Any, b: Any, e: float, rows: Any = None, ddof: int = 0) -> Any:
    """The same, or with another divisor, and 0 at the pads."""
    rows = x[m] if rows is None else rows
    return np.where(m[:, None], (x - rows.mean(0)) / np.sqrt(rows.var(0, ddof=ddof) + e) * g + b, 0)


MASKED_NORM: Mistakes = {
    (11, "masked_batch_norm", "forward"): {
        "the pads enter the statistics": lambda x, m, g, b, e: masked(x, m, g, b, e, x),
        "the pads enter the statistics, and their output is not 0": lambda x, m, g, b, e: plain(x, x, g, b, e),
        "the pads are set to 0 but still counted": lambda x, m, g, b, e: masked(x, m, g, b, e, x * m[:, None]),
        "the output of the pads is not 0": lambda x, m, g, b, e: plain(x, x[m], g, b, e),
        "the output of the pads is β": lambda x, m, g, b, e: masked(x, m, g, 0, e) + b,
        "the variance is divided by n − 1": lambda x, m, g, b, e: masked(x, m, g, b, e, ddof=1),
        "ε is missing": lambda x, m, g, b, e: masked(x, m, g, b, 0),
        "the mask is inverted": lambda x, m, g, b, e: masked(x, ~m, g, b, e),
        "normalized along the rows": lambda x, m, g, b, e: np.where(m[:, None], hat(x, e) * g + b, 0),
        "the pads are left out of the result": lambda x, m, g, b, e: masked(x, m, g, b, e)[m],
    },
}


def softmax(scores: Any) -> Any:
    e = np.exp(scores - scores.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def scores(x: Any) -> Any:
    return x @ x.T / np.sqrt(x.shape[1])


def over_keys(s: Any, keys: Any) -> Any:
    e = np.exp(s) * keys
    return e / np.maximum(e.sum(1, keepdims=True), 1e-300)


ATTENTION: dict[str, Callable[..., Any]] = {
    "no mask at all": lambda x, m: softmax(scores(x)),
    "the pads' rows are 0, but words still attend to pads": lambda x, m: softmax(scores(x)) * m[:, None],
    "the keys are masked, but the pads' own rows are not 0": lambda x, m: over_keys(scores(x), m),
    "the keys are masked by −1e9, and the pads' own rows are not 0": lambda x, m: softmax(scores(x) - 1e9 * ~m),
    "weights of pads are set to 0 after the softmax": lambda x, m: softmax(scores(x)) * np.outer(m, m),
    "scores of pads are set to 0, not to −∞": lambda x, m: softmax(scores(x) * m) * m[:, None],
    "the scores are not divided by √d": lambda x, m: over_keys(x @ x.T, m) * m[:, None],
    "the scores are divided by d, not by √d": lambda x, m: over_keys(x @ x.T / x.shape[1], m) * m[:, None],
    "the scores are divided by √n": lambda x, m: over_keys(x @ x.T / np.sqrt(len(x)), m) * m[:, None],
    "the softmax runs down the columns": lambda x, m: (over_keys(scores(x), m) * m[:, None]).T,
    "the mask is inverted": lambda x, m: over_keys(scores(x), ~m) * ~m[:, None],
}

PLANTED = [
    (number, function, label, expected, statistics(label, wrong) if number == 1 else wrong)
    for mistakes in (COLUMN_STATISTICS, BATCH_NORM, LAYER_NORM, IMPOSSIBLE, NO_LAYER, MASKED_NORM)
    for (number, function, label), group in mistakes.items()
    for expected, wrong in group.items()
]


@pytest.mark.parametrize(
    ("number", "function", "label", "expected", "wrong"),
    PLANTED,
    ids=[f"{p[0]}-{p[2]}-{p[3]}" for p in PLANTED],
)
def test_a_planted_mistake_gets_its_name(
    only_fault: OnlyFault, number: int, function: str, label: str, expected: str, wrong: Callable[..., Any]
) -> None:
    only_fault(number, function, label, expected, wrong)


def down(s: Any) -> Any:
    e = np.exp(s - s.max(0))
    return e / e.sum(0)


DOWN: dict[str, Callable[..., Any]] = {
    "keys at −∞": lambda x, m: down(np.where(m, scores(x), -np.inf)) * m[:, None],
    "and 0/0 made 0": lambda x, m: np.nan_to_num(down(np.where(m, scores(x), -np.inf))) * m[:, None],
    "keys at −1e9": lambda x, m: down(np.where(m, scores(x), -1e9)) * m[:, None],
    "keys less 1e9": lambda x, m: down(scores(x) - 1e9 * ~m) * m[:, None],
}


@pytest.mark.parametrize("weights", DOWN.values(), ids=DOWN)
def test_a_softmax_down_the_columns_is_named_however_the_keys_are_masked(
    grade: Grade, weights: Callable[..., Any]
) -> None:
    def written(x: Any, m: Any) -> Any:
        w = weights(x, m)
        w[~m] = 0
        return w, w @ x

    verdicts = grade(12, masked_attention=written)
    assert verdicts["weights"].message == "the softmax runs down the columns"
    assert not verdicts["output"].passed


@pytest.mark.parametrize(("expected", "weights"), ATTENTION.items(), ids=ATTENTION)
def test_a_mistake_in_attention_is_named_in_weights_and_output(
    grade: Grade, expected: str, weights: Callable[..., Any]
) -> None:
    verdicts = grade(12, masked_attention=lambda x, m: (weights(x, m), weights(x, m) @ x))
    assert verdicts["weights"].message.startswith(expected)
    assert verdicts["output"].message.startswith(expected)
    assert all(v.code for v in verdicts.values())
