r"""How numbers, arrays, shapes and names are written so that a person can read them.

A :func:`number` has four significant digits; :func:`value_of` gives a small array as the table it is and a large one by
its statistics; :func:`visible` writes out what cannot be seen in names, labels and messages, which others wrote and
which are untrusted: as ``\u{202e}``, so that no name can end a label, hide a part of it or turn it round.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..engine.details.array import Array, Shape
from .graph_view import NodeView, Value

MOST_NUMBERS, MOST_ROWS, MOST_COLUMNS = 32, 10, 8
"""An array within these limits is shown as a table."""
MOST_NAMES = 2
ROUNDING = "≈0"
"""What is shown of an entry that is only the rounding error of an array's larger ones."""

INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""The categories of control characters, lone surrogates, marks that change the reading direction and the like."""


def number(x: Any) -> str:
    """Return a number with four significant digits and a true minus sign.

    >>> number(-0.267261), number(2.0), number(1e-5), number(123456.0), number(float("inf")), number(True)
    ('−0.2673', '2', '1e−5', '1.235e5', '∞', 'True')
    """
    if not isinstance(x, float):
        if isinstance(x, (bool, np.bool_)):
            return str(bool(x))
        if isinstance(x, (int, np.integer)):
            return str(int(x)).replace("-", "−")
    value = float(x)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"
    text = f"{value:.4g}"
    if "e" in text:
        digits, exponent = text.split("e")
        text = f"{digits}e{int(exponent)}"
    return "0" if text == "-0" else text.replace("-", "−")


def bytes_text(count: int) -> str:
    """Return how much memory something takes, in decimal units.

    >>> bytes_text(120), bytes_text(2400), bytes_text(3_140_000)
    ('120 B', '2.4 kB', '3.14 MB')
    """
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


@lru_cache(maxsize=1024)
def shape_text(shape: Shape | None) -> str:
    """Return a shape as Python writes it; a single number has the shape ().

    >>> shape_text((5, 3)), shape_text((3,)), shape_text(None)
    ('(5, 3)', '(3,)', '(?)')
    """
    return "(?)" if shape is None else str(tuple(int(n) for n in shape))


def first_bad(array: Array) -> str:
    """Return where the first NaN or infinity stands, empty if all is finite.

    >>> first_bad(np.array([1.0, np.nan]))
    'NaN at (1,)'
    """
    if array.dtype.kind != "f":
        return ""
    finite = np.isfinite(array)
    if finite.all():
        return ""
    at = tuple(int(i) for i in np.argwhere(~finite)[0])
    return f"{number(array[at])} at {at}" if at else number(array[()])


def value_of(array: Array, mask: Array | None = None) -> Value:
    """Return an array as it is shown; ``mask`` is True at real positions and shades the rows of the others.

    >>> value_of(np.array([[7.0, 5.0], [-2.0, 0.25]])).rows
    (('7', '5'), ('−2', '0.25'))
    >>> value_of(np.zeros((100, 2))).summary
    'mean 0, deviation 0, norm 0'
    """
    if array.size == 0:
        return Value(summary="empty")
    columns = array.shape[-1] if array.ndim else 1
    if array.size > MOST_NUMBERS or array.size > MOST_ROWS * columns or columns > MOST_COLUMNS:
        return Value(summary=statistics(array))
    # So few numbers are handled faster as Python's than as an array.
    numbers = array.ravel().tolist()
    noise = noise_level(numbers) if array.dtype.kind == "f" else 0.0
    texts = [ROUNDING if 0 < abs(x) < noise else number(x) for x in numbers]
    rows = tuple(tuple(texts[i : i + columns]) for i in range(0, len(texts), columns))
    return Value(rows, "", frozenset() if mask is None else padded_rows(array.shape, mask))


def noise_level(numbers: Sequence[float]) -> float:
    """Return below what an entry is a rounding error beside the largest: some 450 steps of float64 around it.

    Such digits differ from machine to machine and mean nothing; ``to_json()`` has them.
    """
    return 1e-13 * max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)


def statistics(array: Array) -> str:
    """Return mean, deviation and norm in words; for integers and booleans the range or the count."""
    if array.dtype.kind == "b":
        return f"{int(np.count_nonzero(array))} of {array.size} True"
    if array.dtype.kind in "iu":
        return f"from {number(array.min())} to {number(array.max())}"
    values = array.astype(np.float64)
    with np.errstate(all="ignore"):
        facts = (values.mean(), values.std(), np.linalg.norm(values.ravel()))
    mean, deviation, norm = (number(f) for f in facts)
    return f"mean {mean}, deviation {deviation}, norm {norm}"


def padded_rows(shape: Shape, mask: Array | None) -> frozenset[int]:
    """Return which lines of a table are padding: those of an array whose leading axes are the mask's."""
    if mask is None or len(shape) <= mask.ndim or shape[: mask.ndim] != mask.shape:
        return frozenset()
    each = math.prod(shape[mask.ndim : -1])
    return frozenset(int(i) for i in np.flatnonzero(np.repeat(~mask.ravel(), each)))


def value_line(value: Value, brackets: bool = True) -> str:
    """Return a value in one line: the number, the rows of the table, or the summary.

    >>> table = Value((("7", "5"), ("−2", "0")))
    >>> value_line(table), value_line(table, brackets=False)
    ('[7 5; −2 0]', '7 5; −2 0')
    """
    if not value.rows:
        return value.summary
    line = "; ".join(map(" ".join, value.rows))
    return f"[{line}]" if brackets and (len(value.rows), len(value.rows[0])) != (1, 1) else line


def type_text(node: NodeView) -> str:
    """Return shape and dtype, as far as they are known."""
    return " ".join(filter(None, [shape_text(node.shape) if node.shape is not None else "", node.dtype]))


def role(node: NodeView) -> str:
    """Return what a node is, in a word as well as in a color."""
    if node.kind != "operation":
        return f"{node.kind}, output" if node.output and node.kind == "module" else node.kind
    name = node.operation if node.title != node.id else node.symbol
    return f"{name}, output" if node.output else name


def some(names: tuple[str, ...]) -> str:
    """Return the first few names and how many more there are.

    >>> some(("a", "b", "c", "d"))
    'a, b +2 more'
    """
    more = f" +{len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def visible(text: str) -> str:
    r"""Return text with every character visible; letters of every script stay as they are.

    >>> visible("a\nb\u202ec"), visible("שלום x̂")
    ('a\\u{a}b\\u{202e}c', 'שלום x̂')
    """
    if text.isprintable():
        return text
    shown = text.replace("\u00a0", " ")
    return "".join(f"\\u{{{ord(c):x}}}" if unicodedata.category(c) in INVISIBLE else c for c in shown)


def end_of(text: str, most: int) -> str:
    """Return the last characters of a text, so many at most: that is where two paths differ.

    >>> end_of("encoder.layers.0.attention", 16)
    '…ers.0.attention'
    """
    return text if len(text) <= most else "…" + text[-(most - 1) :]


def beginning_of(text: str, most: int) -> str:
    """Return the first characters of a text, so many at most."""
    return text if len(text) <= most else text[: most - 1] + "…"
