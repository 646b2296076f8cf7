"""How text stands in columns: :func:`aligned`, the one way in which the package lines up a table of texts."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], sides: str) -> list[str]:
    r"""Return each row of cells as a line, every column as wide as its widest cell, with two blanks between.

    Parameters
    ----------
    rows : sequence of sequences of str
        As many cells in each; headings are a row like any other.
    sides : str
        The side that the cells of a column stand on, "l" or "r", a letter for each column; the last one is also that of
        all columns after it.

    Examples
    --------
    >>> print("\n".join(aligned([("norm", "loss", "steps"), ("layer", "0.25", "9")], "lr")))
    norm   loss  steps
    layer  0.25      9
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    put = [str.rjust if side == "r" else str.ljust for side in sides.ljust(len(widths), sides[-1])]
    return ["  ".join(f(cell, w) for f, cell, w in zip(put, row, widths, strict=True)).rstrip() for row in rows]
