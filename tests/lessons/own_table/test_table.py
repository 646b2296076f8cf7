"""Rows are found by label or number."""

from __future__ import annotations

import pytest

from tinygrad_norm.errors import TableError
from tinygrad_norm.lessons.own_table.table import find_row


def test_by_label_then_by_number() -> None:
    labels = [["Hi", "you", "1"], ["a", "b", "c"]]
    assert find_row(labels, 3, "you", "t.csv") == 1
    assert find_row(labels, 3, " c ", "t.csv") == 2
    assert find_row(labels, 3, "1", "t.csv") == 2
    assert find_row(labels, 3, "2", "t.csv") == 1


@pytest.mark.parametrize("wanted", ["0", "4", "-1", "x", "1.0", "²"])
def test_no_such_row(wanted: str) -> None:
    with pytest.raises(TableError, match=r"t\.csv: there is no row .* from 1 to 3"):
        find_row([["a", "b", "c"]], 3, wanted, "t.csv")


def test_a_label_twice() -> None:
    with pytest.raises(TableError, match="3 rows are labeled 'pad', such as 2 and 3; give the number"):
        find_row([["a", "pad", "pad", "pad"]], 4, "pad", "t.csv")
