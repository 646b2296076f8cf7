"""Linear: x Wᵀ + b."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import functional as F
from ..engine.tensor import Data, Tensor
from . import init
from .module import Module
from .parameter import Parameter, check_sizes, parameter_dtype


class Linear(Module):
    """A linear map of the features, plus a bias.

    Formula: y = x Wᵀ + b; ``weight`` W and ``bias`` b are drawn from ±1/√in_features.
    Shapes: x (…, in_features), ``weight`` (out_features, in_features), ``bias`` (out_features), y (…, out_features).
    Source: PyTorch's ``Linear``.

    Raises
    ------
    InputError
        A size is not a positive integer.
    ShapeError
        The last axis of x is not in_features; when called.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> layer = tg.nn.Linear(2, 3)
    >>> layer
    Linear(in_features=2, out_features=3, bias=True)
    >>> _ = layer.load_state_dict({"weight": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], "bias": [0.0, 0.0, 10.0]})
    >>> layer([2.0, 3.0]).tolist()
    [2.0, 3.0, 15.0]
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: Any = None) -> None:
        check_sizes("Linear", in_features=in_features, out_features=out_features)
        dtype = parameter_dtype(dtype)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(np.zeros((out_features, in_features), dtype))
        self.register_parameter("bias", Parameter(np.zeros(out_features, dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        # A leaky relu of slope √5 gives the bound 1/√in_features, by which PyTorch arrives at it.
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features)
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Data) -> Tensor:
        """Return x Wᵀ + b."""
        return F.linear(x, self.weight, self.bias)

    def label(self) -> str:
        """Return ``Linear 2→3``."""
        return f"Linear {self.in_features}→{self.out_features}"

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
