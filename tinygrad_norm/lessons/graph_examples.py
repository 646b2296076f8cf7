"""Graphs worth looking at: each layer by name, with parameters and inputs small enough to read.

``EXAMPLES`` is what the command ``graph`` draws by name and what the gallery shows; ``ARRAYS`` are the names that an
expression can use without saying what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from .. import functional, nn
from ..engine.tensor import Tensor
from ..ops import elementwise as e
from .lecture.notes import FEATURES, OUTPUTS, WORKED_BIAS, WORKED_WEIGHT

QUERIES = ((1.0, 0.0, 0.5), (0.0, 1.0, -0.5))
KEYS = ((1.0, 0.5, 0.0), (0.5, 1.0, 0.0), (0.0, 0.0, 1.0))
VALUES = ((1.0, 0.0), (0.0, 1.0), (2.0, -1.0))

NUMBERS = {"x": 2.0, "y": -3.0, "w": 0.5, "b": 1.0}
TABLES = {"f": FEATURES, "z": OUTPUTS, "q": QUERIES, "k": KEYS, "v": VALUES}
ARRAYS: Mapping[str, Any] = MappingProxyType({**NUMBERS, **TABLES})
"""Small numbers, the lecture's tables f (5×2) and z (5×3), and queries, keys and values for attention."""


@dataclass(frozen=True)
class ToDraw:
    """A function to draw, one line about it, its arguments by name, and options of ``tg.draw`` besides.

    The function makes its own parameters, anew in every call.
    """

    function: Callable[..., Any]
    what: str
    inputs: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)


def parameter(name: str, values: Any) -> Tensor:
    """Return a named tensor to be learned."""
    return Tensor(np.asarray(values, dtype=float), requires_grad=True, name=name)


def affine(features: int) -> tuple[Tensor, Tensor]:
    """Return γ and β of a normalization."""
    return parameter("weight", np.ones(features)), parameter("bias", np.zeros(features))


def neuron(x: Tensor) -> Tensor:
    """Return tanh(x · w + b)."""
    w, b = parameter("w", -3.0), parameter("b", 6.8)
    return e.tanh(x * w + b)


def linear(f: Tensor) -> Tensor:
    """Return the linear layer of the lecture's two worked rows."""
    return functional.linear(f, parameter("weight", np.transpose(WORKED_WEIGHT)), parameter("bias", WORKED_BIAS))


def layer_norm(z: Tensor) -> Tensor:
    """Return layer normalization over three features."""
    return functional.layer_norm(z, 3, *affine(3))


def rms_norm(z: Tensor) -> Tensor:
    """Return RMS normalization over three features."""
    weight, _ = affine(3)
    return functional.rms_norm(z, 3, weight, 1e-5)


def batch_norm(z: Tensor) -> Tensor:
    """Return batch normalization with the statistics of the batch."""
    return functional.batch_norm(z, None, None, *affine(3), training=True)


def batch_norm_eval(z: Tensor) -> Tensor:
    """Return batch normalization with running statistics."""
    running_mean = Tensor(np.mean(OUTPUTS, axis=0), name="running_mean")
    running_var = Tensor(np.var(OUTPUTS, axis=0, ddof=1), name="running_var")
    return functional.batch_norm(z, running_mean, running_var, *affine(3), training=False)


def batch_norm_masked(z: Tensor, mask: Tensor) -> Tensor:
    """Return batch normalization with the statistics of the real rows only."""
    return functional.batch_norm(z, None, None, *affine(3), training=True, mask=mask)


def group_norm(x: Tensor) -> Tensor:
    """Return group normalization of four channels in two groups."""
    return functional.group_norm(x, 2, *affine(4))


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return scaled dot-product attention."""
    return functional.scaled_dot_product_attention(q, k, v)


def masked_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Return attention that may not look at the last key."""
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def cross_entropy(logits: Tensor, classes: Tensor) -> Tensor:
    """Return the mean of −log softmax at the right classes."""
    return functional.cross_entropy(logits, classes)


def settled(module: nn.Module) -> nn.Module:
    """Return a module with parameters of one decimal, the same every time: its own were random."""
    rng = np.random.default_rng(0)
    for parameter in module.parameters():
        parameter.data = np.round(rng.standard_normal(parameter.shape) * 0.5, 1)
    return module


def multihead_attention(x: Tensor) -> Any:
    """Return self-attention with two heads."""
    return settled(nn.MultiheadAttention(4, 2, batch_first=True))(x, x, x, need_weights=False)[0]


def encoder_layer(src: Tensor) -> Any:
    """Return what one layer of a Transformer's encoder makes of tokens."""
    return settled(nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True))(src)


def encoder(src: Tensor) -> Any:
    """Return what a Transformer's encoder of three layers makes of tokens."""
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    return settled(nn.TransformerEncoder(layer, 3))(src)


REAL = np.array([True, True, True, False, False])
PADDED = {"z": (*OUTPUTS[:3], (0, 0, 0), (0, 0, 0)), "mask": REAL}
BACK = {"gradients": True}
SHADED = {**BACK, "mask": REAL}
TOKENS = (((0.1, -0.1, 0.6, 0.1), (-0.5, 0.4, 1.3, 0.9), (-0.7, -1.3, -0.6, 0.0)),)
LOGITS = ((2.0, 1.0, 0.1), (0.5, 2.5, 1.0))
CLASSIFIED = {"logits": LOGITS, "classes": np.array([0, 2])}
CHANNELS = ((1.0, 2.0, 5.0, 3.0), (0.0, 4.0, 2.0, 2.5))
ATTENDED = {"q": QUERIES, "k": KEYS, "v": VALUES}
MASKED = {**ATTENDED, "mask": np.array([True, True, False])}


EXAMPLES: Mapping[str, ToDraw] = MappingProxyType(
    {
        example.function.__name__: example
        for example in (
            ToDraw(neuron, "one neuron: tanh(x · w + b)", {"x": 2.0}),
            ToDraw(linear, "a linear layer with two features and three neurons", {"f": FEATURES}, BACK),
            ToDraw(functional.relu, "max(x, 0)", {"x": [-2.0, 0.0, 3.0]}, BACK),
            ToDraw(functional.sigmoid, "1 / (1 + e⁻ˣ)", {"x": 0.5}),
            ToDraw(functional.gelu, "x · Φ(x)", {"x": 0.5}),
            ToDraw(functional.silu, "x · sigmoid(x)", {"x": 0.5}),
            ToDraw(functional.softmax, "eˣ / Σ eˣ along a row", {"x": LOGITS}, BACK),
            ToDraw(cross_entropy, "the loss of a classifier", CLASSIFIED),
            ToDraw(layer_norm, "layer norm of the lecture's 5×3 table", {"z": OUTPUTS}, BACK),
            ToDraw(rms_norm, "RMS norm of the lecture's 5×3 table", {"z": OUTPUTS}, BACK),
            ToDraw(batch_norm, "batch norm in training, of the 5×3 table", {"z": OUTPUTS}, BACK),
            ToDraw(batch_norm_eval, "batch norm with running statistics", {"z": OUTPUTS}, BACK),
            ToDraw(batch_norm_masked, "batch norm that leaves two padded rows out", PADDED, SHADED),
            ToDraw(group_norm, "group norm of four channels in two groups", {"x": CHANNELS}, BACK),
            ToDraw(attention, "scaled dot-product attention", ATTENDED, BACK),
            ToDraw(masked_attention, "attention with one key masked", MASKED, BACK),
            ToDraw(multihead_attention, "self-attention with two heads", {"x": TOKENS}, BACK),
            ToDraw(encoder_layer, "one layer of a Transformer's encoder", {"src": TOKENS}, BACK),
            ToDraw(encoder, "a Transformer's encoder of three layers", {"src": TOKENS}, BACK),
        )
    }
)
"""Everything that can be drawn by name."""
