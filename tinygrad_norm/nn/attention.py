"""MultiheadAttention: several attentions side by side, each on a share of the features."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from ..context import scope
from ..engine.tensor import Data, Optional, Tensor, as_tensor
from ..errors import InputError, ShapeError
from ..functional.attention import attention_weights
from ..ops.layout import concatenate
from . import init
from .attention_mask import merged_mask
from .default_dtype import parameter_dtype
from .linear import Linear
from .module import Module
from .parameter import Parameter
from .sizes import check_sizes


class MultiheadAttention(Module):
    """Scaled dot-product attention in ``num_heads`` subspaces (Vaswani et al. 2017, section 3.2.2).

    Queries, keys and values are projected, cut into heads of d = embed_dim / num_heads features, attended
    (softmax(q kᵀ/√d) v), joined, and projected again.

    Shapes, with ``batch_first=True``: query (batch, queries, embed_dim), key (batch, keys, kdim), value
    (batch, keys, vdim), result (batch, queries, embed_dim). Without it, PyTorch's default, time comes first:
    (queries, batch, embed_dim). Without a batch: (queries, embed_dim).

    Parameters
    ----------
    dropout : probability with which a weight is dropped in training
    bias : whether the projections have one
    add_bias_kv : append one learned key and value, ``bias_k`` and ``bias_v``
    add_zero_attn : append a key and a value of zeros
    kdim, vdim : features of key and value, embed_dim when left out. Otherwise the three input projections have weights
        of their own: ``q_proj_weight``, ``k_proj_weight``, ``v_proj_weight`` in place of ``in_proj_weight``

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
        extra = 0
        if self.bias_k is not None and self.bias_v is not None:
            repeats = np.ones((k.shape[0], 1, 1), k.dtype)
            k, v = concatenate([k, self.bias_k * repeats], 1), concatenate([v, self.bias_v * repeats], 1)
            extra += 1
        if self.add_zero_attn:
            nothing = np.zeros((k.shape[0], 1, self.embed_dim), k.dtype)
            k, v = concatenate([k, nothing], 1), concatenate([v, nothing], 1)
            extra += 1
        q, k, v = (self._heads(x) for x in (q, k, v))
        mask = merged_mask(
            key_padding_mask, attn_mask, is_causal, (q.shape[0], q.shape[1], q.shape[2], k.shape[2]), extra
        )
        if mask is not None and mask.dtype.kind == "f":
            mask = mask.astype(q.dtype)
        with scope("attention", "function"):
            weights = attention_weights(q, k, mask)
            weights = F.dropout(weights, self.dropout, self.training)
            context = weights @ v
        joined = context.transpose(0, 2, 1, 3).reshape(q.shape[0], q.shape[2], self.embed_dim)
        out = self.out_proj(joined)
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

    def _heads(self, x: Tensor) -> Tensor:
        """Return (batch, time, embed_dim) as (batch, head, time, d)."""
        return x.reshape(*x.shape[:2], self.num_heads, -1).transpose(0, 2, 1, 3)

    def label(self) -> str:
        """Return ``MultiheadAttention 8, 2 heads``."""
        return f"MultiheadAttention {self.embed_dim}, {self.num_heads} heads"

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, batch_first={self.batch_first}"
