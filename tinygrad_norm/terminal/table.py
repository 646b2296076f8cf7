"""How text stands in columns: :func:`aligned`, the one way in which the package lines up a table of texts."""

from __future__ import annotations

import unicodedata
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
    widths = [max(map(places, column)) for column in zip(*rows, strict=True)]
    sides = sides.ljust(len(widths), sides[-1])
    lines = []
    for row in rows:
        blanks = [" " * (width - places(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [b + c if s == "r" else c + b for c, b, s in zip(row, blanks, sides, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def folds_of(columns: Sequence[Sequence[str]], width: int) -> list[list[int]]:
    """Return which columns stand beside each other in so many places: the first, and as many of the others as fit.

    >>> folds_of([["a"], ["bb"], ["cc"], ["dd"]], 9)
    [[0, 1, 2], [0, 3]]
    """
    widths = [max(map(places, column)) for column in columns]
    folds, used = [[0]], widths[0]
    for k in range(1, len(columns)):
        used += 2 + widths[k]
        if used > width and len(folds[-1]) > 1:
            folds.append([0])
            used = widths[0] + 2 + widths[k]
        folds[-1].append(k)
    return folds


def places(text: str) -> int:
    """Return how many places of a terminal a text takes: none for a combining mark, two for a wide letter.

    >>> places("x̂"), places("平均")
    (1, 4)
    """
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)
