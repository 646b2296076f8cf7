"""Dropout: entries set to zero at random while training (Srivastava et al. 2014)."""

from __future__ import annotations

import numpy as np

from ..engine.details.array import Array
from ..engine.tensor import Data, Tensor
from ..errors import InputError
from ..random import generator
from .composition import composed, floating


@composed
def dropout(input: Data, p: float = 0.5, training: bool = True) -> Tensor:
    """Return x with entries dropped at random and the others enlarged: the mean of every entry stays what it is.

    Formula: y = x · b / (1 − p), where each b is 0 with probability p, else 1; y = x unless ``training``.
    Shapes: input (…), result (…). ``tg.manual_seed`` decides which entries are dropped.
    Source: Srivastava et al. 2014, "Dropout"; scaled in training, not in evaluation, as in PyTorch.

    Raises
    ------
    InputError
        p lies outside [0, 1].

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.functional.dropout(tg.ones(8), 0.5).tolist()
    [2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    x = floating(input)
    if not 0 <= p <= 1:
        raise InputError(f"dropout: p must be a probability in [0, 1]; got {p}. 0 switches it off.")
    if not training or p == 0:
        return x
    if p == 1:
        return x * np.zeros(x.shape, x.dtype)
    # Numbers of single precision are enough to decide by, and quicker to draw.
    kept = generator().random(x.shape, dtype=np.float32) >= p
    factors: Array = kept * x.dtype.type(1 / (1 - p))
    return x * factors
