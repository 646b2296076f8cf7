"""How values are shown: a Tensor's repr, and the small table it becomes in a notebook."""

from __future__ import annotations

import numpy as np

from .details.array import Array
from .tape import Node

SHOWN_ENTRIES = 1000
TABLE_ROWS, TABLE_COLUMNS = 12, 12


def array_text(array: Array, indent: str) -> str:
    """Return the numbers of an array as NumPy prints them, shortened when there are many."""
    return np.array2string(array, separator=", ", prefix=indent, threshold=SHOWN_ENTRIES, edgeitems=3)


def tensor_text(array: Array, name: str | None, node: Node | None) -> str:
    """Return a Tensor's repr: values, shape, dtype, name, and the operation that made it."""
    facts = [f"shape={array.shape}", f"dtype={array.dtype}"]
    if name:
        facts.append(f"name={name!r}")
    if node is not None:
        facts.append(f"op={node.primitive.name}" if node.primitive else "requires_grad=True")
    values = array_text(array, "Tensor(")
    separator = ",\n       " if "\n" in values else ", "
    return f"Tensor({values}{separator}{', '.join(facts)})"


def tensor_html(array: Array, name: str | None, node: Node | None) -> str:
    """Return a Tensor as an HTML table of its last two axes; large ones by their statistics."""
    from html import escape  # its table of entities would be a tenth of the import of this package

    made_by = node.primitive.name if node and node.primitive else None
    caption = escape(" ".join(filter(None, [name, f"{array.shape} {array.dtype}", made_by])))
    if array.ndim > 2 or array.size == 0 or array.size > TABLE_ROWS * TABLE_COLUMNS:
        summary = "empty"
        if array.size:
            values = array.astype(np.float64)
            summary = (
                f"mean {values.mean():.4g}, deviation {values.std():.4g}, from {values.min():.4g} to {values.max():.4g}"
            )
        return f"<div><code>Tensor {caption}</code><br>{summary}</div>"
    rows = np.atleast_2d(array)
    cells = "".join(
        "<tr>" + "".join(f"<td style='text-align:right'>{v:.6g}</td>" for v in row) + "</tr>" for row in rows.tolist()
    )
    return f"<table><caption><code>Tensor {caption}</code></caption>{cells}</table>"
