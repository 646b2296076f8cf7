"""What is written reads back exactly, and a file is replaced whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_norm.errors import TableError
from tinygrad_norm.lessons.own_table.choices import KINDS, Choices
from tinygrad_norm.lessons.own_table.export import csv_lines_to, json_parts, quoted, replacing, write_csv
from tinygrad_norm.lessons.own_table.reader import read_table
from tinygrad_norm.lessons.own_table.steps import compute_steps
from tinygrad_norm.lessons.own_table.table import OwnTable

TableOf = Callable[..., OwnTable]


def random_table(table_of: TableOf, rows: int, **layout: object) -> OwnTable:
    numbers = np.random.default_rng(3).normal(size=(rows, 3))
    return table_of(numbers, [f"t, {i}" for i in range(rows)], **layout)


@pytest.mark.parametrize("layout", [{}, {"delimiter": ";", "decimal": ","}, {"decimal": ","}, {"header": False}])
def test_csv_reads_back_exactly(table_of: TableOf, tmp_path: Path, layout: dict[str, object]) -> None:
    table = random_table(table_of, 2005, **layout)
    told: list[float] = []
    write_csv(table, table.numbers, str(tmp_path / "out.csv"), lambda _, part: told.append(part))
    again = read_table(str(tmp_path / "out.csv"), delimiter=table.layout.delimiter, decimal=table.layout.decimal)
    assert again.numbers.tobytes() == table.numbers.tobytes()
    assert (again.texts, again.columns) == (table.texts, table.columns)
    assert len(told) == 3
    assert list(tmp_path.iterdir()) == [tmp_path / "out.csv"]


@pytest.mark.parametrize(
    ("encoding", "marked"), [("utf-8", False), ("cp1252", False), ("utf-8-sig", True), ("utf-16", True)]
)
def test_the_mark_of_utf8_stays(table_of: TableOf, tmp_path: Path, encoding: str, marked: bool) -> None:
    table = table_of([[1.5]], ["ä"], encoding=encoding)
    write_csv(table, table.numbers, str(tmp_path / "out.csv"))
    expected = ("\ufeff" if marked else "") + "token,z1\nä,1.5\n"
    assert (tmp_path / "out.csv").read_bytes() == expected.encode()


def test_text_columns_keep_their_places(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    content = 'a,"x, y",1.0,b,2.0,c\nd,"say ""no""",3.0,,4.0,"e\nf"\n'
    source.write_bytes(content.encode())
    table = read_table(str(source), header=False)
    out = io.StringIO()
    csv_lines_to(out, table, table.numbers)
    assert out.getvalue() == content


# A file with a NUL is refused as binary before any cell is read, and Python 3.10's csv module does the same.
@given(cell=st.text(st.characters(exclude_characters="\0", codec="utf-8")), delimiter=st.sampled_from(",;\t|"))
def test_quoting_is_that_of_the_csv_module(cell: str, delimiter: str) -> None:
    line = quoted(cell, delimiter) + delimiter + "1\n"
    lines = io.StringIO(line, newline="")
    assert next(csv.reader(lines, delimiter=delimiter, strict=True)) == [cell, "1"]


def write_and_fail(file: TextIO, failure: Exception) -> None:
    file.write("new")
    file.flush()
    raise failure


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old", encoding="utf-8")
    for failure in (KeyError(), OSError(28, "disk full")):
        with pytest.raises((KeyError, TableError)) as caught, replacing(str(target), "utf-8") as file:
            write_and_fail(file, failure)
    assert "out.csv: cannot write the file: disk full; name a file in" in str(caught.value)
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["", "missing/out.csv"])
def test_where_no_file_can_be(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    message = r"cannot write the file: .*; name a file in a folder"
    with pytest.raises(TableError, match=message), replacing(path, "utf-8"):
        pass


@pytest.mark.parametrize("kind", KINDS)
def test_json_has_everything_exactly(table_of: TableOf, kind: str) -> None:
    table = random_table(table_of, 1003)
    choices = Choices(kind, weight=(1.0, 2.0, 0.1))  # type: ignore[arg-type]
    real = np.arange(1003) % 3 > 0
    result = compute_steps(table, choices, real, (4, 2))
    told: list[float] = []
    parts = list(json_parts(table, result, lambda _, part: told.append(part)))
    assert max(map(len, parts)) < 1003 * 3 * 25 * 1.2  # no part holds more than one chunk of one array
    data = json.loads("".join(parts), parse_constant=pytest.fail)
    assert {k: data[k] for k in ("file", "kind", "ddof", "eps", "weight", "bias", "columns")} == {
        "file": "t.csv", "kind": kind, "ddof": 0, "eps": 1e-5, "weight": [1.0, 2.0, 0.1], "bias": None,
        "columns": ["z1", "z2", "z3"],
    }  # fmt: skip
    assert data["layout"]["delimiter"] == ","
    assert data["text"] == {"1": {"name": "token", "cells": table.texts[0]}}
    assert data["real"] == real.tolist()
    for step in result.steps:
        expected = step.values.ravel() if step.is_statistic else step.values
        np.testing.assert_array_equal(data["steps"][step.name], expected, strict=False)
        assert np.ndim(data["steps"][step.name]) == (1 if step.is_statistic else 2)
    gradient = data["gradient"]
    assert (gradient["row"], gradient["column"]) == (5, "z3")
    np.testing.assert_array_equal(gradient["x"], result.gradient.x)
    np.testing.assert_array_equal(gradient["weight"], result.gradient.weight)
    assert gradient["bias"] is None
    assert told == sorted(told)
    assert 0 < told[-1] < 1


def test_json_of_one_row_is_a_list_of_rows(table_of: TableOf) -> None:
    table = table_of([[1, 2]])
    data = json.loads("".join(json_parts(table, compute_steps(table, Choices()))))
    assert data["steps"]["x"] == [[1.0, 2.0]]
    assert data["steps"]["mean"] == [1.5]
    assert (data["real"], data["text"]) == (None, {})
