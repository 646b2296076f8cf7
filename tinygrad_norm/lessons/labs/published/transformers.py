"""Encoders with the norm after each residual sum (Post-LN) or before each part (Pre-LN), as in Xiong et al. 2020.

Weights are drawn from Xavier normal distributions and biases are 0, as in their section 3. Pre-LN has one more norm at
the end.
"""

from __future__ import annotations

import numpy as np

from .... import functional as F
from .... import nn
from ....engine.details.array import Array
from ....engine.tensor import Tensor, as_tensor
from ....random import generator
from .digits import CLASSES

DTYPE = np.float32
ROWS = COLUMNS = 8
"""A digit is a sentence of 8 words, its rows, of 8 features."""


class Encoder(nn.Module):
    """Encoder layers one after the other, each with weights of its own.

    Shapes: x (batch, time, features), result the same.
    """

    def __init__(self, depth: int, features: int, pre: bool, heads: int = 4) -> None:
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                features, heads, 2 * features, dropout=0.0, batch_first=True, norm_first=pre, dtype=DTYPE
            )
            for _ in range(depth)
        )
        self.last_norm = nn.LayerNorm(features, dtype=DTYPE) if pre else nn.Identity()
        draw_weights(self.layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the encoded positions."""
        for layer in self.layers:
            x = layer(x)
        encoded: Tensor = self.last_norm(x)
        return encoded


class DigitTransformer(nn.Module):
    """Scores for a digit that is read row by row: linear, learned places, encoder, mean over the rows, linear.

    Shapes: images (batch, 64), result (batch, 10).
    """

    def __init__(self, depth: int, features: int, pre: bool) -> None:
        self.words = nn.Linear(COLUMNS, features, dtype=DTYPE)
        self.places = nn.Parameter((0.1 * generator().standard_normal((ROWS, features))).astype(DTYPE))
        self.encoder = Encoder(depth, features, pre)
        self.scores = nn.Linear(features, CLASSES, dtype=DTYPE)

    def forward(self, images: Array) -> Tensor:
        """Return the scores."""
        rows = as_tensor(images.reshape(-1, ROWS, COLUMNS))
        encoded = self.encoder(self.words(rows) + self.places)
        scores: Tensor = self.scores(encoded.mean(1))
        return scores


def draw_weights(module: nn.Module) -> None:
    """Draw every matrix anew from a Xavier normal distribution and set every bias to 0; norms are left alone."""
    for name, parameter in module.named_parameters():
        if parameter.ndim == 2:
            nn.init.xavier_normal_(parameter)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def last_layer_gradient(depth: int, features: int, pre: bool, rng: np.random.Generator) -> float:
    """Return the norm of the gradient of the last feed-forward matrix of an untrained encoder, for one random case.

    The case is a sentence of eight random words; the loss that of naming a random class from the first one. The
    generator of ``manual_seed`` draws the weights.
    """
    encoder = Encoder(depth, features, pre)
    head = nn.Linear(features, CLASSES, dtype=DTYPE)
    draw_weights(head)
    x = rng.standard_normal((1, ROWS, features)).astype(DTYPE)
    loss = F.cross_entropy(head(encoder(as_tensor(x))[:, 0]), rng.integers(0, CLASSES, 1))
    loss.backward()
    (*_, last) = encoder.layers
    gradient: Tensor = last.linear2.weight.grad
    return float(np.linalg.norm(gradient.numpy()))
