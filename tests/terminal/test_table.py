"""Columns stand in line, on the side that is asked for."""

from __future__ import annotations

from tinygrad_norm.terminal.table import aligned


def test_the_last_side_is_that_of_all_columns_after_it() -> None:
    assert aligned([("a", "b", "c"), ("aa", "bbb", "cccc")], "lr") == ["a     b     c", "aa  bbb  cccc"]


def test_a_column_of_text_at_the_end_leaves_no_blanks() -> None:
    assert aligned([("1", "x"), ("10", "longer")], "rl") == [" 1  x", "10  longer"]
    assert aligned([("", "a"), ("b", "")], "l") == ["   a", "b"]


def test_no_rows_are_no_lines() -> None:
    assert aligned([], "l") == []
