"""Every step by hand, the output as the layers give it, the gradient as differences give it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm.errors import InputError, TableError
from tinygrad_norm.lessons.own_table.normalize_table import AXES, NormalizedTable, NormChoices, normalize_table
from tinygrad_norm.lessons.own_table.own_table import OwnTable

TableOf = Callable[..., OwnTable]

LECTURE = [[7, 5, 4], [2, 3, 4], [1, 2, 3], [7, 5, 6], [3, 3, 4]]


def steps_of(result: NormalizedTable) -> dict[str, npt.NDArray[np.float64]]:
    return {step.name: step.values for step in result.steps}


def test_batch_norm_by_hand(table_of: TableOf) -> None:
    steps = steps_of(normalize_table(table_of(LECTURE), NormChoices("batch", eps=0)))
    assert list(steps) == ["x", "mean", "centered", "variance", "normalized", "output"]
    np.testing.assert_allclose(steps["mean"], [[4, 18 / 5, 21 / 5]], rtol=1e-15)
    np.testing.assert_allclose(steps["centered"][:, 0], [3, -2, -3, 3, -1], rtol=1e-15)
    np.testing.assert_allclose(steps["variance"], [[32 / 5, 36 / 25, 24 / 25]], rtol=1e-15)
    np.testing.assert_allclose(steps["output"][:, 0], np.array([3, -2, -3, 3, -1]) / 6.4**0.5, rtol=1e-15)
    np.testing.assert_allclose(steps["output"][:, 1], [7 / 6, -1 / 2, -4 / 3, 7 / 6, -1 / 2], rtol=1e-14)


def test_layer_norm_by_hand(table_of: TableOf) -> None:
    steps = steps_of(normalize_table(table_of(LECTURE), NormChoices("layer", eps=0)))
    np.testing.assert_allclose(steps["mean"][:, 0], [16 / 3, 3, 2, 6, 10 / 3], rtol=1e-15)
    np.testing.assert_allclose(steps["variance"][:, 0], [14 / 9, 2 / 3, 2 / 3, 2 / 3, 2 / 9], rtol=1e-14)
    np.testing.assert_allclose(steps["output"][0], np.array([5, -1, -4]) / 14**0.5, rtol=1e-14)
    assert (steps["output"][1] == steps["output"][2]).all()


def test_rms_norm_by_hand(table_of: TableOf) -> None:
    steps = steps_of(normalize_table(table_of([[3, 4], [1, 7]]), NormChoices("rms", eps=0)))
    assert list(steps) == ["x", "mean square", "normalized", "output"]
    np.testing.assert_array_equal(steps["mean square"], [[12.5], [25]])
    np.testing.assert_allclose(steps["output"], [[3 / 12.5**0.5, 4 / 12.5**0.5], [1 / 5, 7 / 5]], rtol=1e-15)


def test_ddof_eps_weight_and_bias_by_hand(table_of: TableOf) -> None:
    choices = NormChoices("batch", ddof=1, eps=1.0, weight=(3.0, -1.0), bias=(0.5, 2.0))
    result = normalize_table(table_of([[1, 0], [5, 2]]), choices, entry=(1, 0))
    steps = steps_of(result)
    np.testing.assert_array_equal(steps["variance"], [[8, 2]])
    np.testing.assert_allclose(steps["normalized"], [[-2 / 3, -1 / 3**0.5], [2 / 3, 1 / 3**0.5]], rtol=1e-15)
    np.testing.assert_allclose(steps["output"], [[-1.5, 2 + 1 / 3**0.5], [2.5, 2 - 1 / 3**0.5]], rtol=1e-15)
    np.testing.assert_allclose(result.gradient["weight"], [2 / 3, 0], rtol=1e-15)
    np.testing.assert_array_equal(result.gradient["bias"], [1, 0])
    # y = 3 u/√(2u² + 1) with u = (x₂ − x₁)/2, so y′(u) = 3/(2u² + 1)^(3/2) = 1/9 at u = 2.
    np.testing.assert_allclose(result.gradient["x"], [[-1 / 18, 0], [1 / 18, 0]], rtol=1e-14)


def test_pad_rows_of_batch_norm(table_of: TableOf) -> None:
    real = [True, False, True, False]
    numbers = [[1, 4], [1e300, -1e300], [3, 8], [0, 0]]
    result = normalize_table(table_of(numbers, real=real), NormChoices("batch", eps=0, bias=(5.0, 5.0)))
    steps = steps_of(result)
    np.testing.assert_array_equal(steps["mean"], [[2, 6]])
    np.testing.assert_array_equal(steps["variance"], [[1, 4]])
    np.testing.assert_array_equal(steps["output"], [[4, 4], [0, 0], [6, 6], [0, 0]])
    assert not result.gradient["x"][[1, 3]].any()


def test_pad_rows_of_layer_norm_are_rows(table_of: TableOf) -> None:
    choices = NormChoices("layer", bias=(1.0, 2.0))
    masked = normalize_table(table_of([[1, 4], [0, 0]], real=[True, False]), choices)
    np.testing.assert_array_equal(masked.output[1], [1, 2])
    np.testing.assert_array_equal(masked.output, normalize_table(table_of([[1, 4], [0, 0]]), choices).output)


@st.composite
def problems(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a seed and everything that may be chosen."""
    kind = draw(st.sampled_from([*AXES]))
    rows, columns = draw(st.integers(2, 6)), draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weight, bias = draw(st.booleans()), draw(st.booleans()) and kind != "rms"
    real = np.ones(rows, dtype=bool)
    real[2:] = rng.random(rows - 2) < 0.5
    return {
        "x": rng.normal(1.0, 2.0, (rows, columns)),
        "choices": NormChoices(
            kind,
            eps=draw(st.sampled_from([1e-5, 0.1])),
            weight=tuple(rng.normal(size=columns).tolist()) if weight else None,
            bias=tuple(rng.normal(size=columns).tolist()) if bias else None,
        ),
        "real": real if draw(st.booleans()) else None,
        "entry": (draw(st.integers(0, rows - 1)), draw(st.integers(0, columns - 1))),
        "rng": rng,
    }


@given(problem=problems())
@settings(deadline=None)
def test_the_output_is_that_of_the_layers(table_of: TableOf, problem: dict[str, Any]) -> None:
    x, choices, real = problem["x"], problem["choices"], problem["real"]
    result = normalize_table(table_of(x, real=real), choices)
    if choices.kind == "batch":
        layer = tg.functional.batch_norm(x, weight=choices.weight, bias=choices.bias, eps=choices.eps, mask=real)
    elif choices.kind == "layer":
        layer = tg.functional.layer_norm(x, x.shape[1], choices.weight, choices.bias, choices.eps)
    else:
        layer = tg.functional.rms_norm(x, x.shape[1], choices.weight, choices.eps)
    # Both round each of about ten operations on numbers of order 10 once: some 1e-15 times that.
    np.testing.assert_allclose(result.output, layer.numpy(), rtol=1e-12, atol=1e-12)


@given(problem=problems(), ddof=st.integers(0, 1))
@settings(deadline=None)
def test_the_gradient_is_that_of_differences(table_of: TableOf, problem: dict[str, Any], ddof: int) -> None:
    x, real, entry, rng = problem["x"], problem["real"], problem["entry"], problem["rng"]
    choices = replace(problem["choices"], ddof=0 if problem["choices"].kind == "rms" else ddof, eps=0.1)
    gradient = normalize_table(table_of(x, real=real), choices, entry).gradient
    directions = {"x": rng.normal(size=x.shape)}
    directions |= {
        name: rng.normal(size=x.shape[1]) for name in ("weight", "bias") if getattr(choices, name) is not None
    }
    h = 1e-5

    def at(distance: float) -> float:
        moved = {
            name: tuple((np.array(getattr(choices, name)) + distance * directions[name]).tolist())
            for name in directions
            if name != "x"
        }
        table = table_of(x + distance * directions["x"], real=real)
        return float(normalize_table(table, replace(choices, **moved), entry).output[entry])

    slope = (at(h) - at(-h)) / (2 * h)
    found = sum(float((gradient[name] * v).sum()) for name, v in directions.items())
    # eps 0.1 keeps third derivatives below 1e4: the differences are off by h² · 1e4 / 6 at most.
    assert found == pytest.approx(slope, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("kind", AXES)
def test_only_the_row_or_column_of_the_entry_has_a_gradient(table_of: TableOf, kind: Any) -> None:
    x = np.random.default_rng(0).normal(size=(4, 5))
    nonzero = normalize_table(table_of(x), NormChoices(kind), entry=(2, 1)).gradient["x"] != 0
    own = np.zeros((4, 5), dtype=bool)
    own[:, 1] |= kind == "batch"
    own[2] |= kind != "batch"
    np.testing.assert_array_equal(nonzero, own)


def test_nothing_passed_in_changes(table_of: TableOf) -> None:
    table = table_of(LECTURE)
    before = table.numbers.copy()
    normalize_table(table, NormChoices("layer"))
    np.testing.assert_array_equal(table.numbers, before)


def test_progress_is_reported(table_of: TableOf) -> None:
    told: list[tuple[str, float]] = []
    normalize_table(table_of(LECTURE), NormChoices(), on_progress=lambda *what: told.append(what))
    assert told == [("normalizing", 0.0), ("differentiating", 0.5)]


@pytest.mark.parametrize(
    ("numbers", "choices", "message"),
    [
        ([[1, 2]], NormChoices("batch"), "batch norm must have at least two real rows.*got 1"),
        ([[1], [2]], NormChoices("layer", ddof=1), "layer norm with ddof 1 must have more columns.*got 1"),
        ([[1, 2]], NormChoices(eps=-1.0), "eps must be a finite number of at least 0; got -1"),
        ([[1, 2]], NormChoices(eps=float("nan")), "eps must be a finite number of at least 0; got nan"),
        ([[1, 2]], NormChoices("rms", ddof=1), "rms norm must be used without a ddof"),
        ([[1, 2]], NormChoices("rms", bias=(1.0, 1.0)), "rms norm must be used without a bias"),
        ([[1, 2]], NormChoices(weight=(1.0,)), "weight must have one number for each of the 2 columns.*got 1"),
        ([[1, 2]], NormChoices(bias=(1.0,) * 3), "bias must have one number for each of the 2 columns.*got 3"),
        ([[1, 2]], NormChoices(bias=(1.0, float("inf"))), "bias must be of finite numbers; got"),
    ],
)
def test_choices_that_do_not_fit(table_of: TableOf, numbers: Any, choices: NormChoices, message: str) -> None:
    with pytest.raises(InputError, match=message):
        normalize_table(table_of(numbers), choices)


@pytest.mark.parametrize(
    ("numbers", "choices", "message"),
    [
        ([[1, 2], [0.1, 0.1]], NormChoices(eps=0), "t.csv, line 3: the variance is 0 and eps is 0, so the result"),
        ([[1, 0.1], [2, 0.1], [3, 0.1]], NormChoices("batch", eps=0), "t.csv, column 2 ('z2'): the variance is 0"),
        ([[1, 2], [0, 0]], NormChoices("rms", eps=0), "t.csv, line 3: the mean square is 0 and eps is 0"),
        ([[1, 2], [1e200, 0]], NormChoices(), "t.csv, line 3: the variance is too large for a 64-bit float"),
        ([[1, 2], [1e308, 1e308]], NormChoices("batch"), "t.csv, column 1 ('z1'): the variance is too large"),
        ([[1, 2], [1e200, 0]], NormChoices("rms"), "t.csv, line 3: the mean square is too large"),
        ([[1, 2], [1, 2.5]], NormChoices(weight=(1e308, 1.0), bias=(-1e308, 0.0)), "t.csv, line 2, column 1 ('z1'): "),
        ([[1e-160, 3e-160]], NormChoices(eps=0), "t.csv: the gradient of the entry in line 2, column 1 ('z1') is not"),
    ],
)
def test_results_that_are_no_numbers(table_of: TableOf, numbers: Any, choices: NormChoices, message: str) -> None:
    with pytest.raises(TableError, match=re.escape(message)):
        normalize_table(table_of(numbers), choices)


def test_a_constant_column_of_pads_is_no_obstacle(table_of: TableOf) -> None:
    table = table_of([[1, 5], [2, 5], [3, 6]], real=[True, True, False])
    with pytest.raises(TableError, match="column 2"):
        normalize_table(table, NormChoices("batch", eps=0))
