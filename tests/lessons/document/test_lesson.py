from __future__ import annotations

import dataclasses

import pytest

from tinygrad_norm.lessons.document.lesson import Claim, Fact, Row, Table


def test_a_sentence_is_filled_from_its_values() -> None:
    assert Fact("k", "{a:.1f} of {b}", {"a": -0.25, "b": 3}).sentence == "−0.2 of 3"
    claim = Claim("k", "2 + 2 = {5}", "slip", "{sum}", "by {how}", {"sum": 4, "how": "counting"})
    assert (claim.says, claim.true_sentence, claim.reason) == ("2 + 2 = {5}", "4", "by counting")


def test_cells_take_the_format_of_their_column() -> None:
    table = Table("k", "t", ("a", "b", "c"), (Row("r", (1.0, 0.5, "text")),), formats=(".2f", ".0%", ""))
    assert table.cells() == (("1.00", "50%", "text"),)
    assert dataclasses.replace(table, formats=".1f").cells() == (("1.0", "0.5", "text"),)


def test_a_table_must_be_rectangular() -> None:
    with pytest.raises(ValueError, match=r"table k: rows of \{1, 2\} values, 2 columns"):
        Table("k", "t", ("a", "b"), (Row("r", (1, 2)), Row("s", (1,))))
