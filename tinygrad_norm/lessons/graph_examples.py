"""Graphs worth looking at: each layer by name, with parameters and inputs small enough to read.

``EXAMPLES`` is what the command ``graph`` draws by name and what the gallery shows; ``ARRAYS`` are the names that an
expression can use without saying what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    """Something to draw.

    Attributes
    ----------
    name, what : its name, and one line about it
    build : callable
        Returns the function or module, with new parameters.
    inputs : mapping
        The arguments, by name.
    options : mapping
        What ``tg.draw`` is told besides: ``gradients``, ``mask``.
    """

    name: str
    what: str
    build: Callable[[], Callable[..., Any]]
    inputs: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)


def parameter(name: str, values: Any) -> Tensor:
    """Return a named tensor to be learned."""
    return Tensor(np.asarray(values, dtype=float), requires_grad=True, name=name)


def of_one(function: Callable[[Any], Tensor]) -> Callable[[], Callable[[Any], Tensor]]:
    """Return what builds a function without parameters."""

    def build() -> Callable[[Any], Tensor]:
        def apply(x: Any) -> Tensor:
            return function(x)

        apply.__name__ = function.__name__
        return apply

    return build


def neuron() -> Callable[..., Tensor]:
    """Return one neuron: tanh(x · w + b)."""
    w, b = parameter("w", -3.0), parameter("b", 6.8)

    def neuron(x: Tensor) -> Tensor:
        return e.tanh(x * w + b)

    return neuron


def linear() -> Callable[..., Tensor]:
    """Return the linear layer of the lecture's two worked rows."""
    weight, bias = parameter("weight", np.transpose(WORKED_WEIGHT)), parameter("bias", WORKED_BIAS)

    def linear(f: Tensor) -> Tensor:
        return functional.linear(f, weight, bias)

    return linear


def affine(features: int) -> tuple[Tensor, Tensor]:
    """Return γ and β of a normalization."""
    return parameter("weight", np.ones(features)), parameter("bias", np.zeros(features))


def layer_norm() -> Callable[..., Tensor]:
    """Return layer normalization over three features."""
    weight, bias = affine(3)

    def layer_norm(z: Tensor) -> Tensor:
        return functional.layer_norm(z, 3, weight, bias)

    return layer_norm


def rms_norm() -> Callable[..., Tensor]:
    """Return RMS normalization over three features."""
    weight, _ = affine(3)

    def rms_norm(z: Tensor) -> Tensor:
        return functional.rms_norm(z, 3, weight, 1e-5)

    return rms_norm


def batch_norm() -> Callable[..., Tensor]:
    """Return batch normalization with the statistics of the batch."""
    weight, bias = affine(3)

    def batch_norm(z: Tensor) -> Tensor:
        return functional.batch_norm(z, None, None, weight, bias, training=True)

    return batch_norm


def batch_norm_eval() -> Callable[..., Tensor]:
    """Return batch normalization with running statistics."""
    weight, bias = affine(3)
    running_mean = Tensor(np.mean(OUTPUTS, axis=0), name="running_mean")
    running_var = Tensor(np.var(OUTPUTS, axis=0, ddof=1), name="running_var")

    def batch_norm_eval(z: Tensor) -> Tensor:
        return functional.batch_norm(z, running_mean, running_var, weight, bias, training=False)

    return batch_norm_eval


def batch_norm_masked() -> Callable[..., Tensor]:
    """Return batch normalization with the statistics of the real rows only."""
    weight, bias = affine(3)

    def batch_norm_masked(z: Tensor, mask: Tensor) -> Tensor:
        return functional.batch_norm(z, None, None, weight, bias, training=True, mask=mask)

    return batch_norm_masked


def group_norm() -> Callable[..., Tensor]:
    """Return group normalization of four channels in two groups."""
    weight, bias = affine(4)

    def group_norm(x: Tensor) -> Tensor:
        return functional.group_norm(x, 2, weight, bias)

    return group_norm


def attention() -> Callable[..., Tensor]:
    """Return scaled dot-product attention."""

    def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(q, k, v)

    return attention


def masked_attention() -> Callable[..., Tensor]:
    """Return attention that may not look at the last key."""

    def masked_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    return masked_attention


def cross_entropy() -> Callable[..., Tensor]:
    """Return the mean of −log softmax at the right classes."""

    def cross_entropy(logits: Tensor, classes: Tensor) -> Tensor:
        return functional.cross_entropy(logits, classes)

    return cross_entropy


def settled(module: nn.Module) -> nn.Module:
    """Return a module with parameters of one decimal, the same every time: its own were random."""
    rng = np.random.default_rng(0)
    for parameter in module.parameters():
        parameter.data = np.round(rng.standard_normal(parameter.shape) * 0.5, 1)
    return module


def multihead_attention() -> Callable[..., Any]:
    """Return self-attention with two heads."""
    attention = settled(nn.MultiheadAttention(4, 2, batch_first=True))

    def multihead_attention(x: Tensor) -> Any:
        return attention(x, x, x, need_weights=False)[0]

    return multihead_attention


def encoder_layer() -> Callable[..., Any]:
    """Return one layer of a Transformer's encoder."""
    return settled(nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True))


def encoder() -> Callable[..., Any]:
    """Return a Transformer's encoder of three layers."""
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    return settled(nn.TransformerEncoder(layer, 3))


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


def table_of(examples: Sequence[ToDraw]) -> Mapping[str, ToDraw]:
    """Return examples by name."""
    return MappingProxyType({example.name: example for example in examples})


EXAMPLES = table_of(
    [
        ToDraw("neuron", "one neuron: tanh(x · w + b)", neuron, {"x": 2.0}),
        ToDraw("linear", "a linear layer with two features and three neurons", linear, {"f": FEATURES}, BACK),
        ToDraw("relu", "max(x, 0)", of_one(functional.relu), {"x": [-2.0, 0.0, 3.0]}, BACK),
        ToDraw("sigmoid", "1 / (1 + e⁻ˣ)", of_one(functional.sigmoid), {"x": 0.5}),
        ToDraw("gelu", "x · Φ(x)", of_one(functional.gelu), {"x": 0.5}),
        ToDraw("silu", "x · sigmoid(x)", of_one(functional.silu), {"x": 0.5}),
        ToDraw("softmax", "eˣ / Σ eˣ along a row", of_one(functional.softmax), {"x": LOGITS}, BACK),
        ToDraw("cross_entropy", "the loss of a classifier", cross_entropy, CLASSIFIED),
        ToDraw("layer_norm", "layer norm of the lecture's 5×3 table", layer_norm, {"z": OUTPUTS}, BACK),
        ToDraw("rms_norm", "RMS norm of the lecture's 5×3 table", rms_norm, {"z": OUTPUTS}, BACK),
        ToDraw("batch_norm", "batch norm in training, of the 5×3 table", batch_norm, {"z": OUTPUTS}, BACK),
        ToDraw("batch_norm_eval", "batch norm with running statistics", batch_norm_eval, {"z": OUTPUTS}, BACK),
        ToDraw("batch_norm_masked", "batch norm that leaves two padded rows out", batch_norm_masked, PADDED, SHADED),
        ToDraw("group_norm", "group norm of four channels in two groups", group_norm, {"x": CHANNELS}, BACK),
        ToDraw("attention", "scaled dot-product attention", attention, ATTENDED, BACK),
        ToDraw("masked_attention", "attention with one key masked", masked_attention, MASKED, BACK),
        ToDraw("multihead_attention", "self-attention with two heads", multihead_attention, {"x": TOKENS}, BACK),
        ToDraw("encoder_layer", "one layer of a Transformer's encoder", encoder_layer, {"src": TOKENS}, BACK),
        ToDraw("encoder", "a Transformer's encoder of three layers", encoder, {"src": TOKENS}, BACK),
    ]
)
"""Everything that can be drawn by name."""
