"""The networks that the labs train: a deep perceptron for digits and a Transformer encoder for reviews.

:class:`Perceptron` has one of :data:`NORMS`, or a batch norm of small groups (:class:`GhostBatchNorm`), between each
linear layer and its ReLU; :class:`ReviewClassifier` has one of :data:`REVIEW_NORMS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import functional as F
from ... import nn
from ...engine.details.array import Array
from ...engine.tensor import Data, Optional, Tensor, as_tensor
from ...ops import elementwise as e
from ...random import generator
from .closed_forms import normalized_by_paths
from .digits import CLASSES, PIXELS
from .reviews import LONGEST, VOCABULARY

DTYPE = np.float32
MEAN_OF_NOISE = 0.75
"""Noise moves a unit's mean by up to this much of its deviation…"""
SCALE_OF_NOISE = 1.25
"""…and multiplies its deviation by 1 up to this much, anew in every step;"""
JITTER = 0.1
"""and every sample differs from that by about this much."""


class NoisyBatchNorm(nn.BatchNorm1d):
    """Batch norm that undoes at random what it has done (Santurkar et al. 2018): other means and scales each step."""

    def forward(self, x: Data, mask: Optional = None) -> Tensor:
        """Return x normalized; in training shifted and scaled, at random for each unit, a little for each sample."""
        normalized = super().forward(x, mask)
        if not self.training:
            return normalized
        rng, (cases, units), dtype = generator(), normalized.shape, normalized.dtype
        mean = rng.uniform(-MEAN_OF_NOISE, MEAN_OF_NOISE, units) + rng.uniform(-JITTER, JITTER, (cases, units))
        scale = rng.uniform(1.0, SCALE_OF_NOISE, units) + JITTER * rng.standard_normal((cases, units))
        return normalized * scale.astype(dtype) + mean.astype(dtype)


class DetachedLayerNorm(nn.LayerNorm):
    """Layer norm with the same values, whose mean and deviation send no gradient back (Xu et al. 2019)."""

    def forward(self, x: Data) -> Tensor:
        """Return x normalized; only the direct path of the gradient remains."""
        whole = as_tensor(x)
        constant = whole.detach()
        normalized = normalized_by_paths(whole, constant, constant, axis=-1, eps=self.eps)
        return normalized * self.weight + self.bias


class GhostBatchNorm(nn.BatchNorm1d):
    """Batch norm within groups of a batch (Hoffer et al. 2017): the step is that of the whole batch, the noise is not.

    Shapes: x (batch, features) with a batch that `size` divides.
    """

    def __init__(self, num_features: int, size: int) -> None:
        super().__init__(num_features, dtype=DTYPE)
        self.size = size

    def forward(self, x: Data, mask: Optional = None) -> Tensor:
        """Return x normalized by the statistics of its group; in evaluation by the running ones."""
        if not self.training:
            return super().forward(x, mask)
        whole = as_tensor(x)
        groups = whole.reshape(-1, self.size, self.num_features)
        mean = groups.mean(1, keepdims=True)
        centered = groups - mean
        variance = centered.square().mean(1, keepdims=True)
        self.track(mean.data.mean((0, 1)), variance.data.mean((0, 1)) * (self.size / (self.size - 1)))
        normalized = (centered / (variance + self.eps).sqrt()).reshape(whole.shape)
        return normalized * self.weight + self.bias


MakeNorm = Callable[[int], nn.Module]

NORMS: Mapping[str, MakeNorm] = {
    "none": lambda units: nn.Identity(),
    "batch": lambda units: nn.BatchNorm1d(units, dtype=DTYPE),
    "noisy batch": lambda units: NoisyBatchNorm(units, dtype=DTYPE),
    "layer": lambda units: nn.LayerNorm(units, dtype=DTYPE),
    "rms": lambda units: nn.RMSNorm(units, dtype=DTYPE),
    "detached layer": lambda units: DetachedLayerNorm(units, dtype=DTYPE),
}


class Perceptron(nn.Module):
    """Linear layers, each followed by a norm and a ReLU, and a linear one that gives the scores.

    Weights are drawn as He et al. 2015 recommend for ReLU, biases are 0; without a norm this is what lets a deep
    network begin to train at all.

    Shapes: x (batch, 64), result (batch, 10). After a call, ``last_input`` holds what the last ReLU was given.
    """

    def __init__(self, make_norm: MakeNorm, depth: int, width: int) -> None:
        sizes = [PIXELS, *[width] * depth]
        self.linear = nn.ModuleList(nn.Linear(n, width, dtype=DTYPE) for n in sizes[:-1])
        self.norm = nn.ModuleList(make_norm(width) for _ in range(depth))
        self.scores = nn.Linear(width, CLASSES, dtype=DTYPE)
        for layer in self.linear:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        self.last_input: Array = np.empty((0, width), DTYPE)

    def forward(self, x: Array) -> Tensor:
        """Return the scores."""
        hidden = as_tensor(x)
        for linear, norm in zip(self.linear, self.norm, strict=True):
            given = norm(linear(hidden))
            hidden = F.relu(given)
        self.last_input = given.data
        scores: Tensor = self.scores(hidden)
        return scores


REVIEW_NORMS = ("layer", "rms", "batch", "masked_batch", "none")


class ReviewClassifier(nn.Module):
    """Scores for the two sentiments of a review: an encoder of words and their places, its mean, a linear layer.

    Shapes: ids and pads (batch, time), result (batch, 2). ``norm`` is that of ``nn.TransformerEncoderLayer``. Pads
    enter as rows of zeros, as in the lecture; no word attends to them, and they are left out of the mean.
    """

    FEATURES, HEADS, HIDDEN, LAYERS = 32, 4, 64, 2

    def __init__(self, norm: str, dtype: Any = None) -> None:
        self.words = nn.Embedding(len(VOCABULARY), self.FEATURES, padding_idx=0, dtype=dtype)
        # Where a word stands shall not drown what it is: training starts sooner.
        self.places = nn.Embedding(LONGEST, self.FEATURES, dtype=dtype)
        nn.init.normal_(self.places.weight, std=0.3)
        layer = nn.TransformerEncoderLayer(
            self.FEATURES, self.HEADS, self.HIDDEN, dropout=0.0, batch_first=True, norm=norm, dtype=dtype
        )
        self.encoder = nn.TransformerEncoder(layer, self.LAYERS)
        self.head = nn.Linear(self.FEATURES, 2, dtype=dtype)

    def forward(self, ids: Array, pads: Array) -> Tensor:
        """Return the scores."""
        real = ~pads[..., None]
        places = np.where(pads, 0, np.arange(ids.shape[1]))
        x = as_tensor(e.where(real, self.words(ids) + self.places(places), 0))
        x = self.encoder(x, src_key_padding_mask=pads)
        mean = as_tensor(e.where(real, x, 0)).sum(1) / real.sum(1).astype(x.dtype)
        scores: Tensor = self.head(mean)
        return scores
