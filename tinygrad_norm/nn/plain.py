"""Layers without parameters: Identity, Flatten, Dropout."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import functional as F
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, ShapeError
from .module import Module


class Identity(Module):
    """Return the input; stands where a layer is left out. Takes and ignores any arguments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: Data) -> Tensor:
        """Return x."""
        return as_tensor(x)


class Flatten(Module):
    """Join neighboring axes into one.

    Shapes: x (batch, a, b, …), result (batch, a · b · …) with the default axes 1 to the last.
    """

    def __init__(self, start_axis: int = 1, end_axis: int = -1) -> None:
        self.start_axis, self.end_axis = start_axis, end_axis

    def forward(self, x: Data) -> Tensor:
        """Return x with the axes joined."""
        x = as_tensor(x)
        start, end = (a + x.ndim if a < 0 else a for a in (self.start_axis, self.end_axis))
        if not 0 <= start <= end < x.ndim:
            raise ShapeError(
                f"Flatten: the axes {self.start_axis} to {self.end_axis} must be axes of x, in this order; got x of "
                f"shape {x.shape}. Add a batch axis, or choose other axes."
            )
        return x.reshape(*x.shape[:start], prod(x.shape[start : end + 1]), *x.shape[end + 1 :])

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"start_axis={self.start_axis}, end_axis={self.end_axis}"


class Dropout(Module):
    """In training, set each entry to 0 with probability p and divide the others by 1 − p (Srivastava et al. 2014)."""

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise InputError(f"Dropout: p must be a probability in [0, 1]; got {p}. 0 switches it off.")
        self.p = p

    def forward(self, x: Data) -> Tensor:
        """Return x with entries dropped, or x in evaluation."""
        return F.dropout(x, self.p, self.training)

    def label(self) -> str:
        """Return ``Dropout 0.5``."""
        return f"Dropout {self.p}"

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"p={self.p}"
