"""Rows are found by label or number, pads by a column or by rows of zeros."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tinygrad_norm.errors import TableError
from tinygrad_norm.lessons.own_table.own_table import Column, OwnTable, find_row, masked

TableOf = Callable[..., OwnTable]


def labeled(table_of: TableOf, *labels: list[str]) -> OwnTable:
    """Return a table whose columns of text are ``labels``."""
    texts = {Column(number, None): cells for number, cells in enumerate(labels, 2)}
    return replace(table_of([[1.0]] * len(labels[0])), texts=texts)


def test_by_label_then_by_number(table_of: TableOf) -> None:
    table = labeled(table_of, ["Hi", "you", "1"], ["a", "b", "c"])
    assert find_row(table, "you") == 1
    assert find_row(table, " c ") == 2
    assert find_row(table, "1") == 2
    assert find_row(table, "2") == 1


@pytest.mark.parametrize("wanted", ["0", "4", "-1", "x", "1.0", "²"])
def test_no_such_row(table_of: TableOf, wanted: str) -> None:
    with pytest.raises(TableError, match=r"t\.csv: there is no row .* from 1 to 3"):
        find_row(labeled(table_of, ["a", "b", "c"]), wanted)


def test_a_label_twice(table_of: TableOf) -> None:
    with pytest.raises(TableError, match="3 rows are labeled 'pad', such as 2 and 3; give the number"):
        find_row(labeled(table_of, ["a", "pad", "pad", "pad"]), "pad")


def real_in(table: OwnTable, mask: str) -> list[bool]:
    real = masked(table, mask).real
    assert real is not None
    return [*map(bool, real)]


def test_a_column(table_of: TableOf) -> None:
    cells = ["1", "0", "true", "False", " TRUE ", "0.0", "1.0"]
    table = table_of([[1.0]] * 7, cells)
    wanted = [True, False, True, False, True, False, True]
    assert real_in(table, "token") == wanted
    assert real_in(table, "1") == wanted


def test_rows_of_zeros(table_of: TableOf) -> None:
    assert real_in(table_of([[0, 1], [0, -0.0], [1e-300, 0]]), "zeros") == [True, False, True]


@pytest.mark.parametrize("cell", ["yes", "", "2", "nan", "pad\n"])
def test_a_cell_that_is_no_mask(table_of: TableOf, cell: str) -> None:
    with pytest.raises(TableError, match=r"t\.csv, line 3, column 1 \('token'\): a mask must be") as caught:
        masked(table_of([[1.0]] * 2, ["1", cell]), "token")
    assert "\n" not in str(caught.value)


def test_only_pads(table_of: TableOf) -> None:
    with pytest.raises(TableError, match="every row is a pad by the mask 'zeros'"):
        masked(table_of([[0.0]] * 2), "zeros")
    with pytest.raises(TableError, match="every row is a pad by the mask 'token'"):
        masked(table_of([[1.0]] * 2, ["0", "0"]), "token")


def test_zeros_is_never_a_column_by_name(table_of: TableOf) -> None:
    table = table_of([[0.0], [1.0]], ["1", "0"])
    column = replace(table.columns[0], header="zeros")
    table = replace(table, columns=(column, *table.columns[1:]), texts={column: ["1", "0"]})
    assert real_in(table, "zeros") == [False, True]
    assert real_in(table, "1") == [True, False]


def test_a_mask_is_no_label(table_of: TableOf) -> None:
    table = table_of([[0.0], [1.0]], ["1", "0"])
    assert masked(table, "token").labels == []
    assert masked(table, "zeros").labels == [["1", "0"]]
