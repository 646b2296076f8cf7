"""Functions composed of primitives, with PyTorch's names and defaults (``axis`` for its ``dim``)."""

from .activation import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)  # fmt: skip
from .attention import scaled_dot_product_attention
from .batch_norm import batch_norm
from .linear import linear
from .norm import group_norm, instance_norm, layer_norm, rms_norm

__all__ = [
    "batch_norm", "elu", "gelu", "group_norm", "instance_norm", "layer_norm", "leaky_relu", "linear",
    "log_softmax", "logsumexp", "relu", "rms_norm", "scaled_dot_product_attention", "sigmoid", "silu", "softmax",
    "softplus", "tanh",
]  # fmt: skip
