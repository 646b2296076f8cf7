"""The model of the labs: words and their places into an encoder, the mean of its real positions into a linear layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn
from ...engine.details.array import Array
from ...engine.tensor import Tensor, as_tensor
from ...ops import elementwise as e
from .reviews import LONGEST, VOCABULARY


class ReviewClassifier(nn.Module):
    """Scores for the two sentiments of each review.

    Shapes: ids and pads (batch, time), result (batch, 2). ``norm`` is that of ``nn.TransformerEncoderLayer``. Pads
    enter as rows of zeros, as in the lecture; no word attends to them, and they are left out of the mean.
    """

    def __init__(
        self, norm: str = "layer", features: int = 32, heads: int = 4, hidden: int = 64, layers: int = 2,
        norm_first: bool = False, dtype: Any = None,
    ) -> None:  # fmt: skip
        self.words = nn.Embedding(len(VOCABULARY), features, padding_idx=0, dtype=dtype)
        # Where a word stands shall not drown what it is: training starts sooner.
        self.places = nn.Embedding(LONGEST, features, dtype=dtype)
        nn.init.normal_(self.places.weight, std=0.3)
        layer = nn.TransformerEncoderLayer(
            features, heads, hidden, dropout=0.0, batch_first=True, norm_first=norm_first, norm=norm, dtype=dtype
        )
        self.encoder = nn.TransformerEncoder(layer, layers)
        self.head = nn.Linear(features, 2, dtype=dtype)

    def forward(self, ids: Array, pads: Array) -> Tensor:
        """Return the scores."""
        real = ~pads[..., None]
        places = np.where(pads, 0, np.arange(ids.shape[1]))
        x = as_tensor(e.where(real, self.words(ids) + self.places(places), 0))
        x = self.encoder(x, src_key_padding_mask=pads)
        mean = as_tensor(e.where(real, x, 0)).sum(1) / real.sum(1).astype(x.dtype)
        scores: Tensor = self.head(mean)
        return scores
