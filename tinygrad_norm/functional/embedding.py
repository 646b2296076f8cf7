"""From token ids to vectors: ``embedding`` looks rows up, ``one_hot`` writes them out."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.details.array import Array, some
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import IndexRangeError, InputError, OperandError, ShapeError
from ..ops import elementwise as e
from ..ops.picking import getitem
from .composition import composed


@composed
def embedding(input: Any, weight: Data, padding_idx: int | None = None) -> Tensor:
    """Return the rows of ``weight`` that the ids name; the cotangents of an id that occurs several times add up.

    Formula: y[…, j] = weight[input[…], j].
    Shapes: input (…) of integers in [0, ids), weight (ids, features), result (…, features).
    Source: Bengio et al. 2003, "A neural probabilistic language model", section 2; PyTorch's ``embedding``.

    Parameters
    ----------
    padding_idx : an id whose row gets no gradient; negative ones count from the end

    Raises
    ------
    IndexRangeError
        An id has no row.
    InputError
        padding_idx has no row.
    OperandError
        The ids are not integers.
    ShapeError
        weight is not (ids, features).

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.embedding([1, 0], [[0.2, 0.45, 0.71], [0.4, 0.3, 0.8]])
    Tensor([[0.4 , 0.3 , 0.8 ],
            [0.2 , 0.45, 0.71]],
           shape=(2, 3), dtype=float64)
    """
    table = as_tensor(weight)
    if table.ndim != 2:
        raise ShapeError(
            f"embedding: weight must be (ids, features); got shape {table.shape}. Give one row for each id."
        )
    ids = checked_ids(input, table.shape[0], "embedding")
    rows = getitem(table, ids)
    if padding_idx is None:
        return rows
    if not -table.shape[0] <= padding_idx < table.shape[0]:
        raise InputError(
            f"embedding: padding_idx must be one of the {table.shape[0]} ids; got {padding_idx}. Pass None for no pads."
        )
    pads = ids == padding_idx % table.shape[0]
    # The same values, but a constant where there is a pad.
    return e.where(pads[..., None], rows.data, rows) if some(pads) else rows


def checked_ids(input: Any, count: int, name: str) -> Array:
    """Return ids as integers; raise if one is negative, too large, or not an integer."""
    ids = as_tensor(input).data
    if ids.dtype.kind not in "iu" and ids.size:
        raise OperandError(f"{name}: ids must be integers; got dtype {ids.dtype}. Convert them with astype(int).")
    wrong = (ids < 0) | (ids >= count)
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise IndexRangeError(
            f"{name}: an id must lie in [0, {count}); got {ids[wrong].flat[0]} at position {at}. "
            "Enlarge the table, or map unknown tokens to an id of their own."
        )
    return ids.astype(np.intp)


def one_hot(input: Any, num_classes: int = -1) -> Tensor:
    """Return for each class number a row of zeros with a one in its place; integers, without a gradient.

    Formula: y[…, j] = 1 if j = input[…], else 0.
    Shapes: input (…) of integers in [0, classes), result (…, classes). ``num_classes=-1`` is one more than the largest.
    Source: PyTorch's ``one_hot``, whose ``tensor`` is our input.

    Raises
    ------
    IndexRangeError
        A class number is negative, or not below num_classes.
    InputError
        There are no class numbers, and num_classes is not given.
    OperandError
        The class numbers are not integers.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.one_hot([0, 2]).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    ids = as_tensor(input).data
    if num_classes == -1:
        if not ids.size:
            raise InputError(
                f"one_hot: num_classes must be given where there are no class numbers; got shape {ids.shape}. "
                "Pass num_classes=."
            )
        num_classes = int(ids.max()) + 1
    checked = checked_ids(ids, num_classes, "one_hot")
    return as_tensor((checked[..., None] == np.arange(num_classes)).astype(np.int64))
