from __future__ import annotations

import pytest

from tinygrad_norm.engine.tensor import Tensor
from tinygrad_norm.lessons.document.lesson import PAD, Row
from tinygrad_norm.lessons.lecture.notes import Token
from tinygrad_norm.lessons.lecture.tensor_tables import floats, tensor_rows, token_table

TOKENS = (Token("Hi", (0, 0, 0), (0, 0, 0)), Token(PAD, (0, 0, 0), (0, 0, 0)))


def test_rows_of_a_tensor() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert tensor_rows(("a", PAD), x) == (Row("a", (1.0, 2.0)), Row(PAD, (3.0, 4.0), pad=True))
    assert floats(x) == (1.0, 2.0, 3.0, 4.0)
    with pytest.raises(ValueError, match="zip"):
        tensor_rows(("a",), x)


@pytest.mark.parametrize("rows", [[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [[1.0, 2.0, 3.0]]])
def test_a_token_table_may_leave_out_the_pads(rows: list[list[float]]) -> None:
    table = token_table("k", "t", TOKENS, Tensor(rows))
    assert table.rows[0] == Row("Hi", (1.0, 2.0, 3.0))
    empty = (0.0, 0.0, 0.0) if len(rows) == 2 else (None, None, None)
    assert table.rows[1] == Row(PAD, empty, pad=True)
