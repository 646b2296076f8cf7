"""Which rows of a table are real and which are pads."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...errors import TableError
from .table import OwnTable, find_column, quote

ZEROS = "zeros"
"""Instead of a mask column: a row is a pad if all its numbers are 0."""

_MEANINGS = {
    "1": True, "1.0": True, "true": True,
    "0": False, "0.0": False, "false": False,
}  # fmt: skip


def real_rows(table: OwnTable, mask: str) -> npt.NDArray[np.bool_]:
    """Return for each row whether it is real.

    Parameters
    ----------
    table
        The mask column, if one is meant, must have been read as text.
    mask
        A column by name or number, whose cells are 1 or true for a real row and 0 or false for a pad;
        or "zeros": the rows whose numbers are all 0 are pads.

    Raises
    ------
    TableError
        There is no such column, a cell is none of these, or every row is a pad.
    """
    if mask == ZEROS:
        real: npt.NDArray[np.bool_] = (table.numbers != 0).any(axis=1)
    else:
        column = find_column(table.columns, mask, table.source)
        meanings = [_MEANINGS.get(cell.strip().lower()) for cell in table.text(column)]
        if None in meanings:
            index = meanings.index(None)
            raise TableError(
                f"{table.source}, line {table.lines[index]}, {column.place}: a mask must be 1 or true "
                "for a real row, 0 or false for a pad; got "
                f"{quote(table.text(column)[index])}; correct the cell"
            )
        real = np.array(meanings, dtype=bool)
    if not real.any():
        raise TableError(f"{table.source}: every row is a pad by the mask {quote(mask)}; at least one must be real")
    return real
