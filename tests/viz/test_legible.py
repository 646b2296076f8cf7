"""How numbers, arrays and names are shown, and that nothing in a name stays invisible."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_norm.viz.graph_view import NodeView, Value
from tinygrad_norm.viz.legible import (
    beginning_of,
    end_of,
    first_bad,
    number,
    padded_rows,
    role,
    shape_text,
    statistics,
    value_line,
    value_of,
    visible,
)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (1.23456, "1.235"),
        (-1e-5, "−1e−5"),
        (123456.0, "1.235e5"),
        (np.float32(0.1), "0.1"),
        (float("nan"), "NaN"),
        (float("inf"), "∞"),
        (-float("inf"), "−∞"),
        (7, "7"),
        (-123456, "−123456"),
        (np.True_, "True"),
    ],
)
def test_numbers(given: Any, shown: str) -> None:
    assert number(given) == shown


# Four digits of a number next to the largest would round it up to infinity.
@given(st.floats(-1e308, 1e308))
def test_a_number_reads_back_to_four_digits(x: float) -> None:
    back = float(number(x).replace("−", "-"))
    # Half a unit in the fourth digit; below the smallest normal number there are fewer digits to keep.
    assert abs(back - x) <= 5.0001e-4 * abs(x) + 5e-324
    assert "-" not in number(x)


@pytest.mark.parametrize(
    ("shape", "lines"),
    [((), 1), ((3,), 1), ((5, 3), 5), ((1, 2, 2), 2), ((2, 2, 3), 4), ((3, 1), 3), ((8,), 1), ((4, 8), 4)],
)
def test_small_arrays_are_tables(shape: tuple[int, ...], lines: int) -> None:
    value = value_of(np.arange(float(np.prod(shape))).reshape(shape))
    assert len(value.rows) == lines
    assert value.summary == ""


@pytest.mark.parametrize("shape", [(9,), (11, 1), (6, 6), (2, 3, 8)])
def test_large_arrays_are_summed_up(shape: tuple[int, ...]) -> None:
    value = value_of(np.full(shape, 2.0))
    assert value.rows == ()
    assert value.summary.startswith("mean 2, deviation 0, norm ")


def test_summaries_of_other_kinds() -> None:
    assert statistics(np.array([True, False, True])) == "2 of 3 True"
    assert statistics(np.array([4, -9])) == "from −9 to 4"
    assert value_of(np.zeros((0, 4))).summary == "empty"
    assert statistics(np.array([np.inf, 1.0])) == "mean ∞, deviation NaN, norm ∞"


@pytest.mark.parametrize(
    ("array", "where"),
    [([1.0, 2.0], ""), ([[1.0, np.nan]], "NaN at (0, 1)"), ([np.inf], "∞ at (0,)"), (np.nan, "NaN"), ([1, 2], "")],
)
def test_the_first_bad_number(array: Any, where: str) -> None:
    assert first_bad(np.asarray(array)) == where


def test_pads_are_the_rows_that_the_mask_leaves_out() -> None:
    mask = np.array([[True, False], [True, True]])
    assert padded_rows((2, 2, 3), mask) == {1}
    assert padded_rows((2, 2, 2, 1), mask) == {2, 3}
    assert padded_rows((2, 3), mask) == frozenset()
    assert padded_rows((2, 2), mask) == frozenset()
    assert value_of(np.zeros((2, 2, 3)), mask).pads == {1}


def test_a_value_in_value_line() -> None:
    assert value_line(Value((("3",),))) == "3"
    assert value_line(Value((("1", "2"),))) == "[1 2]"
    assert value_line(Value((("1", "2"), ("3", "4")))) == "[1 2; 3 4]"
    assert value_line(Value(summary="mean 0")) == "mean 0"


def test_shapes() -> None:
    assert shape_text((np.int64(2), 3)) == "(2, 3)"
    assert shape_text(()) == "()"


def test_rounding_errors_beside_large_entries_are_called_so() -> None:
    assert value_of(np.array([7.8, -5.5e-17, 0.0, 1e-9])).rows == (("7.8", "≈0", "0", "1e−9"),)
    assert value_of(np.array([np.inf, 1.0, -1e-20])).rows == (("∞", "1", "≈0"),)
    assert value_of(np.array([np.nan])).rows == (("NaN",),)
    assert value_of(np.array([1e-17])).rows == (("1e−17",),)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("encoder.weight", "encoder.weight"),
        ("x̂ = γ · 名前 שלום", "x̂ = γ · 名前 שלום"),
        ("a\nb\tc\0", "a\\u{a}b\\u{9}c\\u{0}"),
        ("\u202e\u2066\ud800\ue000", "\\u{202e}\\u{2066}\\u{d800}\\u{e000}"),
        ("a\u00a0b", "a b"),
    ],
)
def test_what_cannot_be_seen_is_written_out(given: str, shown: str) -> None:
    assert visible(given) == shown


@given(st.text())
def test_nothing_invisible_is_left(text: str) -> None:
    shown = visible(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in shown)
    shown.encode("utf-8")


def test_shortening_keeps_the_end_or_the_beginning() -> None:
    assert end_of("abc", 3) == beginning_of("abc", 3) == "abc"
    assert end_of("abcd", 3) == "…cd"
    assert beginning_of("abcd", 3) == "ab…"


def test_roles() -> None:
    assert role(NodeView("multiply_1", "operation", "multiply_1", "multiply", "×")) == "×"
    assert role(NodeView("multiply_1", "operation", "y", "multiply", "×", output=True)) == "multiply, output"
    assert role(NodeView("m", "module", "m", output=True)) == "module, output"
    assert role(NodeView("x", "input", "x", output=True)) == "input"
