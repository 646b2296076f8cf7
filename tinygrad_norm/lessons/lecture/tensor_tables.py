"""Tensors as the small labeled tables of the lecture, pads marked; and the notes' tables as Tensors."""

from __future__ import annotations

from collections.abc import Sequence

from ...engine.tensor import Tensor
from ..document.lesson import PAD, Row, Table
from ..document.numerals import CellValue
from .notes import DIMENSION_NAMES, OUTPUTS, Token

NEURONS = Tensor(OUTPUTS).astype(float)
"""The 5×3 table ``(row, neuron)``."""

ROW_LABELS = tuple(str(i + 1) for i in range(len(OUTPUTS)))


def attention_outputs(tokens: Sequence[Token]) -> Tensor:
    """Return the attention outputs ``(token, feature)``."""
    return Tensor([token.output for token in tokens])


def tensor_rows(labels: Sequence[str], values: Tensor) -> tuple[Row, ...]:
    """Return one row for each row of a ``(row, column)`` Tensor.

    >>> tensor_rows(("a", "b"), Tensor([[1.0, 2.0], [3.0, 4.0]]))[1]
    Row(label='b', values=(3.0, 4.0), pad=False)
    """
    return tuple(Row(label, tuple(row), label == PAD) for label, row in zip(labels, values.tolist(), strict=True))


def token_table(
    key: str, title: str, tokens: Sequence[Token], values: Tensor, formats: str = ".4f", note: str = ""
) -> Table:
    """Return a table with one row for each token.

    `values` has a row for each token, or for each token that is no pad: then pads show no value.
    """
    given = iter(values.tolist())
    complete = len(values) == len(tokens)
    empty: tuple[CellValue, ...] = (None,) * len(DIMENSION_NAMES)
    rows = tuple(
        Row(token.word, tuple(next(given)) if complete or not token.is_pad else empty, token.is_pad) for token in tokens
    )
    return Table(key, title, DIMENSION_NAMES, rows, "token", formats, note)


def floats(values: Tensor) -> tuple[float, ...]:
    """Return the entries of a Tensor, one row after the other."""
    return tuple(float(value) for value in values.numpy().ravel())
