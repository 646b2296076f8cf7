"""MultiheadAttention: several attentions side by side, each on a share of the features; and its masks, merged into one.

A boolean mask of the layer says True where attention is *forbidden*; the merged one, like that of
``scaled_dot_product_attention``, True where it is allowed. Masks of numbers are added to the scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from ..context import scope
from ..engine.details.array import Array
from ..engine.tensor import Data, Optional, Tensor, as_tensor
from ..errors import InputError, OperandError, ShapeError
from ..functional.attention import attention_weights
from ..ops import elementwise as e
from ..ops.layout import concatenate, pad
from . import init
from .linear import Linear
from .module import Module
from .parameter import Parameter, check_sizes, parameter_dtype

Scores = tuple[int, int, int, int]
"""(batch, heads, queries, keys)."""


class MultiheadAttention(Module):
    """Scaled dot-product attention in ``num_heads`` subspaces of the features.

    Formula: for each head softmax(q kᵀ/√d) v, where q, k and v are projections of query, key and value to
    d = embed_dim / num_heads features; the heads are joined, and projected again.
    Shapes: with ``batch_first=True``, query (batch, queries, embed_dim), key (batch, keys, kdim), value
    (batch, keys, vdim), result (batch, queries, embed_dim), weights (batch, queries, keys). Without it, PyTorch's
    default, time comes first: (queries, batch, embed_dim). Without a batch: (queries, embed_dim).
    Source: Vaswani et al. 2017, "Attention is all you need", section 3.2.2; PyTorch's ``MultiheadAttention``.

    Parameters
    ----------
    dropout : probability in [0, 1) with which a weight is dropped in training
    bias : whether the projections have one
    add_bias_kv : append one learned key and value, ``bias_k`` and ``bias_v``
    add_zero_attn : append a key and a value of zeros
    kdim, vdim : features of key and value, embed_dim when left out. Otherwise the three input projections have weights
        of their own: ``q_proj_weight``, ``k_proj_weight``, ``v_proj_weight`` in place of ``in_proj_weight``

    Raises
    ------
    InputError
        num_heads does not divide embed_dim, a size is not a positive integer, or dropout lies outside [0, 1).
    ShapeError, OperandError
        Query, key, value or a mask does not fit, or a mask is neither boolean nor floating; when called.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> attention = tg.nn.MultiheadAttention(8, num_heads=2, batch_first=True)
    >>> x = tg.ones((2, 5, 8))
    >>> pads = [[False] * 5, [False, False, True, True, True]]
    >>> out, weights = attention(x, x, x, key_padding_mask=pads)
    >>> out.shape, weights.shape, weights[1, 0]
    ((2, 5, 8), (2, 5, 5), Tensor([0.5, 0.5, 0. , 0. , 0. ], shape=(5,), dtype=float64, op=getitem))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None
    out_proj: Linear

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        dtype: Any = None,
    ) -> None:
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.add_zero_attn = add_zero_attn
        check_sizes("MultiheadAttention", embed_dim=embed_dim, num_heads=num_heads, kdim=self.kdim, vdim=self.vdim)
        if embed_dim % num_heads:
            raise InputError(
                f"MultiheadAttention: embed_dim must be divisible by num_heads; got embed_dim={embed_dim} and "
                f"num_heads={num_heads}. Each head takes an equal share of the features."
            )
        if not 0 <= dropout < 1:
            raise InputError(f"MultiheadAttention: dropout must lie in [0, 1); got {dropout}. 0 switches it off.")
        dtype = parameter_dtype(dtype)
        packed = self.kdim == self.vdim == embed_dim
        for name, shape, wanted in [
            ("in_proj_weight", (3 * embed_dim, embed_dim), packed),
            ("q_proj_weight", (embed_dim, embed_dim), not packed),
            ("k_proj_weight", (embed_dim, self.kdim), not packed),
            ("v_proj_weight", (embed_dim, self.vdim), not packed),
            ("in_proj_bias", (3 * embed_dim,), bias),
            ("bias_k", (1, 1, embed_dim), add_bias_kv),
            ("bias_v", (1, 1, embed_dim), add_bias_kv),
        ]:
            self.register_parameter(name, Parameter(np.zeros(shape, dtype)) if wanted else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the projections anew; biases become 0."""
        self.out_proj.reset_parameters()
        for name, parameter in self.named_parameters():
            if name.endswith("proj_weight"):
                init.xavier_uniform_(parameter)
            elif name in ("bias_k", "bias_v"):
                init.xavier_normal_(parameter)
            elif name.endswith("bias"):
                init.zeros_(parameter)

    def forward(
        self,
        query: Data,
        key: Data,
        value: Data,
        key_padding_mask: Optional = None,
        need_weights: bool = True,
        attn_mask: Optional = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the result and the weights, (batch, queries, keys), or None unless ``need_weights``.

        Parameters
        ----------
        key_padding_mask : (batch, keys). Boolean, True at *pads*, to which nothing may attend; or added to the scores
        attn_mask : (queries, keys) or (batch · num_heads, queries, keys). Boolean, True where a query may *not* attend;
            or added to the scores
        average_attn_weights : whether to average the weights over heads; else (batch, num_heads, queries, keys)
        is_causal : no query may attend to a later key; holds in addition to ``attn_mask``

        The masks' True is PyTorch's, and the opposite of ``scaled_dot_product_attention``'s. A query that may attend to
        nothing gets zero weights, so that its result is the bias of ``out_proj``, and sends no gradient back.
        """
        q, k, v = as_tensor(query), as_tensor(key), as_tensor(value)
        batched = q.ndim != 2
        if not batched and k.ndim == v.ndim == 2:
            q, k, v = (x.reshape(1, *x.shape) for x in (q, k, v))
            key_padding_mask = None if key_padding_mask is None else as_tensor(key_padding_mask).reshape(1, -1)
        elif not self.batch_first and q.ndim == k.ndim == v.ndim == 3:
            q, k, v = (x.swapaxes(0, 1) for x in (q, k, v))
        self._check(q, k, v, batched)
        q, k, v = self._project(q, k, v)
        k, v, extra = self._with_extra_keys(k, v)
        q, k, v = (self._heads(x) for x in (q, k, v))
        batch, heads, queries, _ = q.shape
        mask = merged_mask(key_padding_mask, attn_mask, is_causal, (batch, heads, queries, k.shape[2]), extra)
        if mask is not None and mask.dtype.kind == "f":
            mask = mask.astype(q.dtype)
        with scope("attention", "function"):
            weights = attention_weights(q, k, mask)
            weights = F.dropout(weights, self.dropout, self.training)
            context = weights @ v
        out = self.out_proj(context.transpose(0, 2, 1, 3).reshape(batch, queries, self.embed_dim))
        if not batched:
            out = out[0]
        elif not self.batch_first:
            out = out.swapaxes(0, 1)
        if not need_weights:
            return out, None
        if average_attn_weights:
            weights = weights.mean(1)
        return out, weights if batched else weights[0]

    def _check(self, q: Tensor, k: Tensor, v: Tensor, batched: bool) -> None:
        """Raise unless query, key and value, batch first, fit each other and the layer."""
        expected = (self.embed_dim, self.kdim, self.vdim)
        given = (q, k, v)
        if any(x.ndim != 3 or x.shape[-1] != n for x, n in zip(given, expected, strict=True)):
            order = "(batch, time, features)" if self.batch_first else "(time, batch, features)"
            got = ", ".join(str(x.shape if batched else x.shape[1:]) for x in given)
            raise ShapeError(
                f"MultiheadAttention: query, key and value must be {order}, or all (time, features), with "
                f"{self.embed_dim}, {self.kdim} and {self.vdim} features; got {got} (batch first). "
                "Check embed_dim, kdim, vdim and batch_first."
            )
        if not q.shape[0] == k.shape[0] == v.shape[0] or k.shape[1] != v.shape[1]:
            raise ShapeError(
                "MultiheadAttention: query, key and value must have one batch size, key and value one length; got "
                f"{q.shape}, {k.shape} and {v.shape} (batch first). Check the order of the axes: batch_first="
                f"{self.batch_first}."
            )

    def _project(self, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values for all heads."""
        weights: list[Any] = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        results = []
        for i, (x, name) in enumerate(zip((q, k, v), ("q_proj", "k_proj", "v_proj"), strict=True)):
            share = slice(i * self.embed_dim, (i + 1) * self.embed_dim)
            with scope(name, f"Linear {x.shape[-1]}→{self.embed_dim}"):
                weight = self.in_proj_weight[share] if self.in_proj_weight is not None else weights[i]
                results.append(F.linear(x, weight, None if self.in_proj_bias is None else self.in_proj_bias[share]))
        return results[0], results[1], results[2]

    def _with_extra_keys(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, int]:
        """Return keys and values with the learned ones and the zeros that were asked for, and how many these are."""
        extra: list[tuple[Any, Any]] = []
        if self.bias_k is not None and self.bias_v is not None:
            repeats = np.ones((k.shape[0], 1, 1), k.dtype)
            extra.append((self.bias_k * repeats, self.bias_v * repeats))
        if self.add_zero_attn:
            nothing = np.zeros((k.shape[0], 1, self.embed_dim), k.dtype)
            extra.append((nothing, nothing))
        if extra:
            k, v = (concatenate([x, *more], 1) for x, more in zip((k, v), zip(*extra, strict=True), strict=True))
        return k, v, len(extra)

    def _heads(self, x: Tensor) -> Tensor:
        """Return (batch, time, embed_dim) as (batch, head, time, d)."""
        return x.reshape(*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads).transpose(0, 2, 1, 3)

    def label(self) -> str:
        """Return ``MultiheadAttention 8, 2 heads``."""
        return f"MultiheadAttention {self.embed_dim}, {self.num_heads} heads"

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, batch_first={self.batch_first}"


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
            permitted = ~mask.data
            allowed = permitted if allowed is None else allowed & permitted
        else:
            added = mask if added is None else added + mask
    if is_causal:
        earlier = np.tri(scores[2], scores[3], dtype=bool)
        earlier[:, keys:] = True
        allowed = earlier if allowed is None else allowed & earlier
    if added is None:
        return None if allowed is None else as_tensor(allowed)
    return added if allowed is None else e.where(allowed, added, -np.inf)


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


def of_masks_kind(mask: Data, name: str) -> Tensor:
    """Return a mask as a Tensor; raise unless it is boolean or floating."""
    tensor = as_tensor(mask)
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
        return as_tensor(np.pad(mask.data, width))
    return pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, extra)])
