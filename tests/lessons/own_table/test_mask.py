"""Pads by a column or by rows of zeros."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tinygrad_norm.errors import TableError
from tinygrad_norm.lessons.own_table.mask import real_rows
from tinygrad_norm.lessons.own_table.table import OwnTable

TableOf = Callable[..., OwnTable]


def test_a_column(table_of: TableOf) -> None:
    cells = ["1", "0", "true", "False", " TRUE ", "0.0", "1.0"]
    table = table_of([[1.0]] * 7, cells)
    wanted = [True, False, True, False, True, False, True]
    assert real_rows(table, "token").tolist() == wanted
    assert real_rows(table, "1").tolist() == wanted


def test_rows_of_zeros(table_of: TableOf) -> None:
    assert real_rows(table_of([[0, 1], [0, -0.0], [1e-300, 0]]), "zeros").tolist() == [True, False, True]


@pytest.mark.parametrize("cell", ["yes", "", "2", "nan", "pad\n"])
def test_a_cell_that_is_no_mask(table_of: TableOf, cell: str) -> None:
    with pytest.raises(TableError, match=r"t\.csv, line 3, column 1 \('token'\): a mask must be") as caught:
        real_rows(table_of([[1.0]] * 2, ["1", cell]), "token")
    assert "\n" not in str(caught.value)


def test_only_pads(table_of: TableOf) -> None:
    with pytest.raises(TableError, match="every row is a pad by the mask 'zeros'"):
        real_rows(table_of([[0.0]] * 2), "zeros")
    with pytest.raises(TableError, match="every row is a pad by the mask 'token'"):
        real_rows(table_of([[1.0]] * 2, ["0", "0"]), "token")


def test_zeros_is_never_a_column_by_name(table_of: TableOf) -> None:
    table = table_of([[0.0], [1.0]], ["1", "0"])
    column = replace(table.text_columns[0], header="zeros")
    table = replace(table, text_columns=(column,))
    assert real_rows(table, "zeros").tolist() == [False, True]
    assert real_rows(table, "1").tolist() == [True, False]
