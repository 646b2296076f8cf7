"""PyTorch's encoder with other norms than its own, in particular batch norm that is shown the real rows only."""

from __future__ import annotations

from typing import Any

import torch


class LastAxisBatchNorm(torch.nn.BatchNorm1d):
    """Batch norm over (batch, time, features)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.reshape(-1, x.shape[-1])).reshape(x.shape)


class MaskedBatchNorm(torch.nn.BatchNorm1d):
    """Batch norm that is shown the real rows only."""

    real: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = torch.zeros_like(x)
        out[self.real] = super().forward(x[self.real])
        return out


def encoder_layer(*args: Any, norm: str = "layer", real: torch.Tensor | None = None, **kwargs: Any) -> torch.nn.Module:
    layer = torch.nn.TransformerEncoderLayer(*args, **kwargs)
    made = {
        "layer": None,
        "batch": LastAxisBatchNorm,
        "masked_batch": MaskedBatchNorm,
        "rms": torch.nn.RMSNorm,
        "none": lambda n, **_: torch.nn.Identity(),
    }[norm]
    if made is not None:
        layer.norm1, layer.norm2 = made(args[0], eps=1e-5), made(args[0], eps=1e-5)
    if norm == "masked_batch":
        layer.norm1.real = layer.norm2.real = real
    return layer


def encoder(*args: Any, num_layers: int, final: bool, **kwargs: Any) -> torch.nn.Module:
    layer = torch.nn.TransformerEncoderLayer(*args, **kwargs)
    norm = torch.nn.LayerNorm(args[0]) if final else None
    return torch.nn.TransformerEncoder(layer, num_layers, norm, enable_nested_tensor=False)
