"""Scaled dot-product attention with exact masks (Vaswani et al. 2017, "Attention is all you need", eq. 1)."""

from __future__ import annotations

import math

import numpy as np

from ..engine.tensor import Data, Optional, Tensor, as_tensor
from ..errors import InputError, ShapeError
from ..ops import elementwise as e
from .activation import softmax
from .composition import composed, floating
from .dropout import dropout


@composed
def scaled_dot_product_attention(
    q: Data,
    k: Data,
    v: Data,
    attn_mask: Optional = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """Return for each query a mean of the values, weighted by how well the keys match it.

    Formula: softmax(q kᵀ · scale + mask) v. Masks are exact: a masked weight is 0, not small. A query that may attend
    to nothing gets zero weights, a zero output and a zero gradient.
    Shapes: q (…, queries, d), k (…, keys, d), v (…, keys, d_v), result (…, queries, d_v); the leading axes broadcast.
    Source: Vaswani et al. 2017, "Attention is all you need", eq. 1. Our q, k, v are PyTorch's query, key, value.

    Parameters
    ----------
    attn_mask : boolean (True: may attend) or floating (added to the scores), broadcasting to (…, queries, keys)
    dropout_p : the probability in [0, 1) with which a weight is dropped, as by :func:`dropout`
    is_causal : a query attends to no later key; not together with ``attn_mask``
    scale : 1/√d when left out

    Raises
    ------
    ShapeError
        Queries and keys differ in d, keys and values in length, or the mask does not broadcast.
    InputError
        The mask holds integers, or comes together with ``is_causal``; ``dropout_p`` lies outside [0, 1).

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> x = tg.Tensor([[1.0, 0.0], [0.0, 0.0]])
    >>> tg.functional.scaled_dot_product_attention(x, x, x, attn_mask=[[True, False], [False, False]])
    Tensor([[1., 0.],
            [0., 0.]],
           shape=(2, 2), dtype=float64)
    """
    q, k, v = floating(q), floating(k), floating(v)
    weights = attention_weights(q, k, attn_mask, is_causal, scale)
    if not 0 <= dropout_p < 1:
        raise InputError(f"attention: dropout_p must lie in [0, 1); got {dropout_p}. 0 switches it off.")
    return dropout(weights, dropout_p) @ v


@composed
def attention_weights(
    q: Data, k: Data, attn_mask: Optional = None, is_causal: bool = False, scale: float | None = None
) -> Tensor:
    """Return the weights softmax(q kᵀ · scale + mask) of :func:`scaled_dot_product_attention`."""
    q, k = floating(q), floating(k)
    if q.ndim < 2 or k.ndim < 2 or q.shape[-1] != k.shape[-1]:
        raise ShapeError(
            "attention: queries and keys must be (…, length, d) with the same d; got "
            f"{q.shape} and {k.shape}. Check the projections."
        )
    # Scaling the queries gives the scores that scaling the scores would, with d instead of keys entries a query.
    scaled = q * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    scores = scaled @ k.mT
    if is_causal:
        if attn_mask is not None:
            raise InputError("attention: is_causal must stand alone; got an attn_mask too. Combine them into one mask.")
        attn_mask = np.tri(*scores.shape[-2:], dtype=bool)
    if attn_mask is None:
        return softmax(scores, -1)
    mask = as_tensor(attn_mask)
    try:
        fits = np.broadcast_shapes(mask.shape, scores.shape) == scores.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"attention: attn_mask must broadcast to (…, queries, keys) = {scores.shape}; got {mask.shape}. "
            "Insert axes of length 1 for heads or queries."
        )
    if mask.dtype.kind in "iu":
        raise InputError(
            "attention: attn_mask must be boolean (True: may attend) or floating (added to the scores); got "
            f"{mask.dtype}, which could mean either. Write mask != 0."
        )
    if mask.dtype.kind == "b":
        return softmax(e.where(mask, scores, -np.inf), -1)
    return softmax(scores + mask, -1)
