"""The encoder of a Transformer, with a choice of normalization: TransformerEncoderLayer and TransformerEncoder.

The choice is the lecture's comparison in one argument:

============== ==================================================================================
``norm=``      what is normalized together
============== ==================================================================================
"layer"        the features of one position (LayerNorm): no other position matters
"rms"          the same, without subtracting a mean (RMSNorm)
"batch"        each feature over all positions of the batch, pads included (BatchNorm1d)
"masked_batch" each feature over all real positions: pads enter no statistic and come out as 0
"none"         nothing
============== ==================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from .. import functional as F
from ..engine.details.array import Array
from ..engine.tensor import Data, Optional, Tensor, as_tensor
from ..errors import InputError, OperandError
from .attention import MultiheadAttention
from .containers import ModuleList
from .linear import Linear
from .module import Module
from .norm import LayerNorm, RMSNorm
from .parameter import check_sizes, parameter_dtype
from .parameterless import Dropout, Identity
from .running_norm import BatchNorm1d

Activation = Callable[[Tensor], Tensor]
ACTIVATIONS: dict[str, Activation] = {"relu": F.relu, "gelu": F.gelu}
ENCODER_NORMS: dict[str, Callable[[int, float, bool, Any], Module]] = {
    "layer": lambda n, eps, bias, dtype: LayerNorm(n, eps, bias=bias, dtype=dtype),
    "rms": lambda n, eps, bias, dtype: RMSNorm(n, eps, dtype=dtype),
    "batch": lambda n, eps, bias, dtype: BatchNorm1d(n, eps, dtype=dtype, channel_axis=-1),
    "masked_batch": lambda n, eps, bias, dtype: BatchNorm1d(n, eps, dtype=dtype, channel_axis=-1),
    "none": lambda n, eps, bias, dtype: Identity(),
}


class TransformerEncoderLayer(Module):
    """Self-attention, then a feed-forward network, each with a residual connection and a normalization.

    Formula: x ← norm1(x + attention(x)); x ← norm2(x + linear2(activation(linear1(x)))). With ``norm_first``:
    x ← x + attention(norm1(x)); x ← x + linear2(activation(linear1(norm2(x)))).
    Shapes: with ``batch_first=True``, src (batch, time, d_model), result the same. Without it, PyTorch's default, time
    comes first. Without a batch: (time, d_model).
    Source: Vaswani et al. 2017, section 3.1; ``norm_first`` is Xiong et al. 2020, "On layer normalization in the
    Transformer architecture". PyTorch's ``TransformerEncoderLayer`` has no ``norm``.

    Parameters
    ----------
    d_model, nhead, dim_feedforward : features, attention heads, features inside the feed-forward network
    dropout : probability in [0, 1), after attention weights, after each part, and inside the feed-forward network
    activation : "relu", "gelu", or a function of a Tensor
    norm : what is normalized together: by "layer" or "rms" the features of one position, by "batch" each feature over
        the batch, pads included, by "masked_batch" without the pads, by "none" nothing

    Raises
    ------
    InputError
        norm or activation is another word; sizes and dropout as in :class:`MultiheadAttention`.
    ShapeError, OperandError
        As in :class:`MultiheadAttention`; with "masked_batch" the mask of pads must be boolean.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> layer = tg.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm="masked_batch")
    >>> pads = [[False, False, True], [False, False, False]]
    >>> encoded = layer(tg.ones((2, 3, 8)), src_key_padding_mask=pads)
    >>> encoded.shape, encoded[0, 2].tolist()
    ((2, 3, 8), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        dtype: Any = None,
        *,
        norm: str = "layer",
    ) -> None:
        check_sizes("TransformerEncoderLayer", d_model=d_model, nhead=nhead, dim_feedforward=dim_feedforward)
        if norm not in ENCODER_NORMS:
            raise InputError(
                f"TransformerEncoderLayer: norm must be one of {', '.join(ENCODER_NORMS)}; got {norm!r}. "
                "Choose one of them."
            )
        if not callable(activation) and activation not in ACTIVATIONS:
            raise InputError(
                f"TransformerEncoderLayer: activation must be 'relu', 'gelu' or a function; got {activation!r}. "
                "Pass a function of tg.functional."
            )
        dtype = parameter_dtype(dtype)
        self.norm_first, self.batch_first, self.norm = norm_first, batch_first, norm
        self.activation = activation if callable(activation) else ACTIVATIONS[activation]
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias=bias, batch_first=batch_first, dtype=dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, dtype=dtype)
        self.norm1 = ENCODER_NORMS[norm](d_model, layer_norm_eps, bias, dtype)
        self.norm2 = ENCODER_NORMS[norm](d_model, layer_norm_eps, bias, dtype)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)

    def forward(
        self, src: Data, src_mask: Optional = None, src_key_padding_mask: Optional = None, is_causal: bool = False
    ) -> Tensor:
        """Return the encoded positions; masks as those of :class:`MultiheadAttention`, True where *not* to attend."""
        x = as_tensor(src)
        real = self._real(x, src_key_padding_mask)

        def attend(x: Tensor) -> Tensor:
            found, _ = self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)
            return self.dropout1(found)

        def feed_forward(x: Tensor) -> Tensor:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        if self.norm_first:
            x = x + attend(self._normalized(self.norm1, x, real))
            return x + feed_forward(self._normalized(self.norm2, x, real))
        x = self._normalized(self.norm1, x + attend(x), real)
        return self._normalized(self.norm2, x + feed_forward(x), real)

    def _normalized(self, norm: Module, x: Tensor, real: Array | None) -> Tensor:
        """Return x normalized; batch norms see it as (batch, time, features), with the mask of real positions."""
        normalized: Tensor = norm(x) if real is None else norm(x, real)
        return normalized

    def _real(self, x: Tensor, src_key_padding_mask: Optional) -> Array | None:
        """Return where x has real positions, in the order of its axes, if the norm wants to know and there are pads."""
        if self.norm != "masked_batch" or src_key_padding_mask is None:
            return None
        pads = as_tensor(src_key_padding_mask).data
        if pads.dtype.kind != "b":
            raise OperandError(
                "norm='masked_batch' must be told the pads by a boolean src_key_padding_mask, True at pads; got dtype "
                f"{pads.dtype}. Use mask.astype(bool)."
            )
        return ~pads if self.batch_first or x.ndim == 2 else ~pads.T

    def label(self) -> str:
        """Return ``TransformerEncoderLayer, layer norm first``."""
        return f"TransformerEncoderLayer, {self.norm} norm {'first' if self.norm_first else 'last'}"


class TransformerEncoder(Module):
    """Several encoder layers one after the other, copies of one, and if given a normalization after the last.

    Formula: y = norm(layerₙ(… layer₁(x))). All copies start with the same parameters, as in PyTorch.
    Shapes: src (batch, time, d_model), result the same; order, masks and errors as for the encoder layer.
    Source: Vaswani et al. 2017, section 3.1; PyTorch's ``TransformerEncoder``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> layer = tg.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    >>> encoder = tg.nn.TransformerEncoder(layer, num_layers=2, norm=tg.nn.LayerNorm(4))
    >>> encoded = encoder([[[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]]])
    >>> encoded.shape, tg.round(abs(encoded.mean(-1)), 6).tolist()
    ((1, 2, 4), [[0.0, 0.0]])
    """

    def __init__(self, encoder_layer: TransformerEncoderLayer, num_layers: int, norm: Module | None = None) -> None:
        check_sizes("TransformerEncoder", num_layers=num_layers)
        self.layers = ModuleList(deepcopy(encoder_layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm: Module | None = norm

    def forward(
        self, src: Data, mask: Optional = None, src_key_padding_mask: Optional = None, is_causal: bool = False
    ) -> Tensor:
        """Return the encoded positions."""
        x = as_tensor(src)
        for layer in self.layers:
            x = layer(x, mask, src_key_padding_mask, is_causal)
        return x if self.norm is None else self.norm(x)

    def label(self) -> str:
        """Return ``TransformerEncoder, 2 layers``."""
        return f"TransformerEncoder, {self.num_layers} layers"
