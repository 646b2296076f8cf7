"""The linear layer as a function."""

from __future__ import annotations

from ..engine.tensor import Data, Optional, Tensor, as_tensor
from ..errors import ShapeError
from .composition import composed


@composed
def linear(x: Data, weight: Data, bias: Optional = None) -> Tensor:
    """Return x times a matrix, plus a bias.

    Formula: y = x Wᵀ + b, that is ``x @ weight.T + bias``.
    Shapes: x (…, in_features), weight (out_features, in_features), bias (out_features), result (…, out_features).
    Source: PyTorch's ``linear``.

    Raises
    ------
    ShapeError
        The last axis of x is not the weight's in_features, or the bias does not have shape (out_features).

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.linear([2.0, 3.0], [[1.0, 2.0], [0.0, 1.0]], [-1.0, 2.0])
    Tensor([7., 5.], shape=(2,), dtype=float64)
    """
    x, weight = as_tensor(x), as_tensor(weight)
    if weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"linear: the last axis of x must be the weight's in_features; got x {x.shape} and weight {weight.shape} "
            "(out_features, in_features). Transpose the weight, or check in_features."
        )
    product = x @ weight.T
    if bias is None:
        return product
    bias = as_tensor(bias)
    if bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"linear: the bias must have shape {weight.shape[:1]}, one entry for each output; got {bias.shape}. "
            "Reshape it, or pass None to leave it out."
        )
    return product + bias
