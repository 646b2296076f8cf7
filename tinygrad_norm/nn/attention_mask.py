"""Which query may attend to which key: the masks of an attention layer, merged into one.

A boolean mask of the layer says True where attention is *forbidden*; the merged one, like that of
``scaled_dot_product_attention``, True where it is allowed. Masks of numbers are added to the scores.
"""

from __future__ import annotations

import numpy as np

from ..engine.details.array import Array
from ..engine.tensor import Optional, Tensor, as_tensor
from ..errors import OperandError, ShapeError
from ..ops import elementwise as e
from ..ops.layout import pad

Scores = tuple[int, int, int, int]
"""(batch, heads, queries, keys)."""


def merged_mask(
    key_padding_mask: Optional, attn_mask: Optional, is_causal: bool, scores: Scores, extra: int
) -> Tensor | None:
    """Return all masks as one that broadcasts to the scores, or None; the last ``extra`` keys are never masked."""
    keys = scores[3] - extra
    given = [
        padding_mask(key_padding_mask, (scores[0], keys), extra),
        pair_mask(attn_mask, (*scores[:3], keys), extra),
    ]
    allowed: Array | None = None
    added: Tensor | None = None
    for mask in given:
        if mask is None:
            continue
        if mask.dtype.kind == "b":
            permitted = ~np.asarray(mask.data)
            allowed = permitted if allowed is None else allowed & permitted
        else:
            added = mask if added is None else added + mask
    if is_causal:
        earlier = np.tri(scores[2], scores[3], dtype=bool)
        earlier[:, keys:] = True
        allowed = earlier if allowed is None else allowed & earlier
    if added is None:
        return None if allowed is None else as_tensor(allowed)
    return added if allowed is None else as_tensor(e.where(allowed, added, -np.inf))


def padding_mask(mask: Optional, expected: tuple[int, int], extra: int) -> Tensor | None:
    """Return the mask of pads with axes for heads and queries, and columns for the extra keys."""
    if mask is None:
        return None
    checked = of_masks_kind(mask, "key_padding_mask")
    if checked.shape != expected:
        raise ShapeError(
            f"key_padding_mask must be (batch, keys) = {expected}; got {checked.shape}. "
            "It holds True at pads and False at real positions."
        )
    return with_columns(checked, extra).reshape(expected[0], 1, 1, expected[1] + extra)


def pair_mask(mask: Optional, scores: Scores, extra: int) -> Tensor | None:
    """Return the mask of pairs of query and key with axes for batch and heads, and columns for the extra keys."""
    if mask is None:
        return None
    checked = of_masks_kind(mask, "attn_mask")
    batch, heads, queries, keys = scores
    if checked.shape not in ((queries, keys), (batch * heads, queries, keys)):
        raise ShapeError(
            f"attn_mask must be (queries, keys) = {(queries, keys)} or (batch · heads, queries, keys) = "
            f"{(batch * heads, queries, keys)}; got {checked.shape}. A mask of pads goes into key_padding_mask."
        )
    wide = with_columns(checked, extra)
    return wide if checked.ndim == 2 else wide.reshape(batch, heads, queries, keys + extra)


def of_masks_kind(mask: Optional, name: str) -> Tensor:
    """Return a mask as a Tensor; raise unless it is boolean or floating."""
    tensor = as_tensor(mask)  # type: ignore[arg-type]  # None was dealt with
    if tensor.dtype.kind not in "bf":
        raise OperandError(
            f"{name} must be boolean (True: may not attend) or floating (added to the scores); got dtype "
            f"{tensor.dtype}. Use mask.astype(bool), and check which way round True is."
        )
    return tensor


def with_columns(mask: Tensor, extra: int) -> Tensor:
    """Return a mask with columns for the extra keys, which it neither forbids nor changes."""
    if not extra:
        return mask
    if mask.dtype.kind == "b":
        width = [(0, 0)] * (mask.ndim - 1) + [(0, extra)]
        return as_tensor(np.pad(np.asarray(mask.data), width))
    return pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, extra)])
