"""Answers that are no numbers, or not the right ones: one line each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.lessons.exercises.exercise_parts import Verdict

Grade = Callable[..., dict[str, Verdict]]


def right(z: Any) -> Any:
    return z.mean(0), z.var(0), z.std(0)


def changes_its_argument(z: Any) -> Any:
    z -= z.mean(0)
    return right(z)


def raises(z: Any) -> Any:
    return right(z)[7]


def exits(z: Any) -> Any:
    sys.exit(0)


def recurses(z: Any) -> Any:
    return recurses(z)


def generator(z: Any) -> Any:
    yield from right(z)


THREE = "where 3 belong: mean, variance, deviation, in this order"


@pytest.mark.parametrize(
    ("answer", "message", "code"),
    [
        (lambda z: None, "returns None: the return statement is missing, or was not reached", "none"),
        (lambda z: ..., "not written yet", "not-written"),
        (lambda z: right(z)[:2], f"returns 2 values {THREE}", "wrong-count"),
        (lambda z: z, f"returns an array of float64 {THREE}", "wrong-count"),
        (lambda z: "4", f"returns a str {THREE}", "wrong-count"),
        (generator, f"returns a generator {THREE}", "wrong-count"),
        (changes_its_argument, "changes its arguments; work on a copy (x = x - 1 in place of x -= 1)", "input-changed"),
        (raises, "IndexError: tuple index out of range", "raises"),
        (exits, "ends the program (sys.exit); return a value instead", "raises"),
        (recurses, "calls itself without end (RecursionError)", "raises"),
        (lambda: 0, "TypeError: <lambda>() takes 0 positional arguments but 1 was given", "raises"),
        ("no function", "there is no function column_statistics in the file", "missing"),
    ],
)
def test_an_answer_that_cannot_be_compared(grade: Grade, answer: Any, message: str, code: str) -> None:
    verdicts = grade(1, column_statistics=answer)
    assert [(v.passed, v.message, v.code) for v in verdicts.values()] == [(False, message, code)] * 3


@pytest.mark.parametrize(
    ("mean", "message", "code"),
    [
        (lambda z: None, "returns None: the return statement is missing, or was not reached", "none"),
        (lambda z: "4", "returns a str where numbers belong", "wrong-type"),
        (lambda z: z.mean(0) > 0, "returns an array of bool where numbers belong", "wrong-type"),
        (lambda z: z.mean(0) + 1j, "returns an array of complex128 where numbers belong", "wrong-type"),
        (lambda z: True, "returns a bool where numbers belong", "wrong-type"),
        (lambda z: [1, [2, 3]], "returns a list where numbers belong", "wrong-type"),
        (lambda z: [object()] * 3, "returns a list where numbers belong", "wrong-type"),
        (lambda z: z[:1], "must have the shape (3,); yours has (1, 3)", "wrong-shape"),
        (lambda z: np.zeros(10**6), "must have the shape (3,); yours has (1000000,)", "wrong-shape"),
        (lambda z: z.mean(0) * np.nan, "is not finite: nan at [0], on the lecture's table", "not-finite"),
        (
            lambda z: z.mean(0) / np.eye(z.shape[1])[0],
            "is not finite: inf at [1], on the lecture's table",
            "not-finite",
        ),
        (
            lambda z: [4.0, 3.6, 4.2],
            "gives the same numbers whatever it is given; compute them from the arguments",
            "hard-coded",
        ),
        (
            lambda z: [4.0, 3.6, 4.19],
            "gives the same numbers whatever it is given; compute them from the arguments",
            "hard-coded",
        ),
        (lambda z: [4.0, 4.0, 4.0], "4 where 3.6 belongs at [1], on the lecture's table", ""),
        (lambda z: z.mean(0).round(2), "rounded to 2 decimals; return every digit", "rounded"),
        (lambda z: z.astype(np.float32).mean(0), "computed in float32; use float64 throughout", "float32"),
        (lambda z: z.mean(0) + 0.25, "4.25 where 4 belongs at [0], on the lecture's table", ""),
    ],
)
def test_one_of_the_values_is_wrong(grade: Grade, mean: Any, message: str, code: str) -> None:
    verdicts = grade(1, column_statistics=lambda z: (mean(z), z.var(0), z.std(0)))
    assert (verdicts["mean"].passed, verdicts["mean"].message, verdicts["mean"].code) == (False, message, code)
    assert verdicts["variance"].passed
    assert verdicts["deviation"].passed


@pytest.mark.parametrize(
    "form",
    [
        list,
        tg.Tensor,
        lambda array: np.array([Fraction(x) for x in array]),
        lambda array: array.astype(np.longdouble),
        np.ndarray.tolist,
    ],
)
def test_numbers_may_come_in_any_form(grade: Grade, form: Any) -> None:
    verdicts = grade(1, column_statistics=lambda z: [form(value) for value in right(z)])
    assert all(v.passed for v in verdicts.values())


@pytest.mark.parametrize(
    ("backward", "message", "code"),
    [
        (lambda g, x: None, "returns None: the return statement is missing, or was not reached", "none"),
        (lambda g, x: "g", "returns a str where numbers belong", "wrong-type"),
        (lambda g, x: (g, x), "returns a tuple where numbers belong", "wrong-type"),
        (lambda g, x: g[:, None] * x @ x, "ValueError: matmul: Input operand 1 has a mismatch in its core", "raises"),
        (lambda g: g, "TypeError: <lambda>() takes 1 positional argument but 2 were given", "raises"),
        (
            lambda g, x: g[: 1 + (g[0] > 0)],
            "OperandError: gradcheck: the gradient of x must have the shape (5, 7)",
            "raises",
        ),
        (lambda g, x: x * np.nan, "the gradient of x is not finite", "gradient-not-finite"),
    ],
)
def test_a_backward_pass_that_cannot_be_checked(grade: Grade, backward: Any, message: str, code: str) -> None:
    verdict = grade(7, mean_backward=backward)["through the mean"]
    assert verdict.message.startswith(message)
    assert verdict.code == code


def test_warnings_of_an_answer_are_no_errors(grade: Grade) -> None:
    verdicts = grade(2, standardize_columns=lambda z: (z - z.mean(0)) / z.std(0) + 0 * np.log(np.zeros(1)).clip(0))
    assert verdicts["normalized table"].passed


def test_an_answer_that_makes_numpy_raise_harms_only_itself(grade: Grade) -> None:
    def strict(z: Any) -> Any:
        np.seterr(all="raise")
        return right(z)

    before = np.geterr()
    assert all(v.passed for v in grade(1, column_statistics=strict).values())
    assert np.geterr() == before
