from __future__ import annotations

import dataclasses

import pytest

from tinygrad_norm.engine.tensor import Tensor
from tinygrad_norm.lessons.document.lesson import Claim, Fact, Row, Table
from tinygrad_norm.lessons.lecture.tables import PAD, Token
from tinygrad_norm.lessons.lecture.tensor_tables import floats, rows_of, token_table

TOKENS = (Token("Hi", (0, 0, 0), (0, 0, 0)), Token(PAD, (0, 0, 0), (0, 0, 0)))


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


def test_rows_of_a_tensor() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert rows_of(("a", PAD), x) == (Row("a", (1.0, 2.0)), Row(PAD, (3.0, 4.0), pad=True))
    assert floats(x) == (1.0, 2.0, 3.0, 4.0)
    with pytest.raises(ValueError, match="zip"):
        rows_of(("a",), x)


@pytest.mark.parametrize("rows", [[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [[1.0, 2.0, 3.0]]])
def test_a_token_table_may_leave_out_the_pads(rows: list[list[float]]) -> None:
    table = token_table("k", "t", TOKENS, Tensor(rows))
    assert table.rows[0] == Row("Hi", (1.0, 2.0, 3.0))
    empty = (0.0, 0.0, 0.0) if len(rows) == 2 else (None, None, None)
    assert table.rows[1] == Row(PAD, empty, pad=True)
