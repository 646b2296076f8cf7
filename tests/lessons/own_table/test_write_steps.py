"""What is written reads back exactly."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_norm.lessons.own_table.normalize_table import AXES, NormChoices, normalize_table
from tinygrad_norm.lessons.own_table.own_table import OwnTable
from tinygrad_norm.lessons.own_table.read_table import read_table
from tinygrad_norm.lessons.own_table.write_steps import csv_parts, json_parts, quoted

TableOf = Callable[..., OwnTable]


def random_table(table_of: TableOf, rows: int, **facts: object) -> OwnTable:
    numbers = np.random.default_rng(3).normal(size=(rows, 3))
    return table_of(numbers, [f"t, {i}" for i in range(rows)], **facts)


@pytest.mark.parametrize("layout", [{}, {"delimiter": ";", "decimal": ","}, {"decimal": ","}, {"header": False}])
def test_csv_reads_back_exactly(table_of: TableOf, tmp_path: Path, layout: dict[str, object]) -> None:
    table = random_table(table_of, 2005, **layout)
    told: list[float] = []
    with (tmp_path / "out.csv").open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_parts(table, table.numbers, lambda _, part: told.append(part)))
    again = read_table(str(tmp_path / "out.csv"), delimiter=table.layout.delimiter, decimal=table.layout.decimal)
    assert again.numbers.tobytes() == table.numbers.tobytes()
    assert (again.texts, again.columns) == (table.texts, table.columns)
    assert len(told) == 3


def test_text_columns_keep_their_places(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    content = 'a,"x, y",1.0,b,2.0,c\nd,"say ""no""",3.0,,4.0,"e\nf"\n'
    source.write_bytes(content.encode())
    table = read_table(str(source), header=False)
    assert "".join(csv_parts(table, table.numbers)) == content


# A file with a NUL is refused as binary before any cell is read, and Python 3.10's csv module does the same.
@given(cell=st.text(st.characters(exclude_characters="\0", codec="utf-8")), delimiter=st.sampled_from(",;\t|"))
def test_quoting_is_that_of_the_csv_module(cell: str, delimiter: str) -> None:
    line = quoted([cell], delimiter)[0] + delimiter + "1\n"
    lines = io.StringIO(line, newline="")
    assert next(csv.reader(lines, delimiter=delimiter, strict=True)) == [cell, "1"]


@pytest.mark.parametrize("kind", AXES)
def test_json_has_everything_exactly(table_of: TableOf, kind: str) -> None:
    real = np.arange(1003) % 3 > 0
    table = random_table(table_of, 1003, real=real)
    result = normalize_table(table, NormChoices(kind, weight=(1.0, 2.0, 0.1)), (4, 2))
    told: list[float] = []
    parts = list(json_parts(table, result, lambda _, part: told.append(part)))
    assert max(map(len, parts)) < 1003 * 3 * 25 * 1.2  # no part holds more than one chunk of one array
    data = json.loads("".join(parts), parse_constant=pytest.fail)
    assert (data["file"], data["columns"]) == ("t.csv", ["z1", "z2", "z3"])
    assert (data["kind"], data["ddof"], data["eps"]) == (kind, 0, 1e-5)
    assert (data["weight"], data["bias"]) == ([1.0, 2.0, 0.1], None)
    assert data["layout"]["delimiter"] == ","
    assert data["text"] == {"1": {"name": "token", "cells": table.texts[table.columns[0]]}}
    assert data["real"] == real.tolist()
    for step in result.steps:
        expected = step.values.ravel() if step.is_statistic else step.values
        found = data["steps"][step.name.replace(" ", "_")]
        np.testing.assert_array_equal(found, expected, strict=False)
        assert np.ndim(found) == (1 if step.is_statistic else 2)
    gradient = data["gradient"]
    assert (gradient["row"], gradient["column"]) == (5, "z3")
    np.testing.assert_array_equal(gradient["x"], result.gradient["x"])
    np.testing.assert_array_equal(gradient["weight"], result.gradient["weight"])
    assert gradient["bias"] is None
    assert told == sorted(told)
    assert 0 < told[-1] < 1


def test_json_of_one_row_is_a_list_of_rows(table_of: TableOf) -> None:
    table = table_of([[1, 2]])
    data = json.loads("".join(json_parts(table, normalize_table(table, NormChoices()))))
    assert data["steps"]["x"] == [[1.0, 2.0]]
    assert data["steps"]["mean"] == [1.5]
    assert (data["real"], data["text"]) == (None, {})
