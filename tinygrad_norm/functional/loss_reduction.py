"""How a loss for each entry becomes one number: the ``reduction`` that all losses share, and their shape check."""

from __future__ import annotations

from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, ShapeError
from .activation import floating

REDUCTIONS = ("mean", "sum", "none")


def reduced(losses: Tensor, reduction: str, name: str, allowed: tuple[str, ...] = REDUCTIONS) -> Tensor:
    """Return the losses' mean or sum, or the losses themselves; ``batchmean`` divides the sum by the batch size."""
    if reduction not in allowed:
        raise InputError(
            f"{name}: reduction must be one of {', '.join(allowed)}; got {reduction!r}. Choose one of them."
        )
    if reduction == "none":
        return losses
    if not losses.size and reduction != "sum":
        raise InputError(
            f"{name}: a mean must have something to average; got losses of shape {losses.shape}. "
            "Skip empty batches, or use reduction='sum'."
        )
    if reduction == "batchmean":
        return losses.sum() / (losses.shape[0] if losses.ndim else 1)
    return losses.mean() if reduction == "mean" else losses.sum()


def matching(x: Data, target: Data, name: str) -> tuple[Tensor, Tensor]:
    """Return prediction and target as Tensors of one shape; raise where broadcasting would pair them up wrongly."""
    x, target = floating(x), as_tensor(target)
    if target.dtype.kind != "f":
        target = target.astype(x.dtype)
    if x.shape != target.shape:
        raise ShapeError(
            f"{name}: the target must have the prediction's shape {x.shape}; got {target.shape}. "
            "Reshape one of them: broadcasting would compare every entry with every other."
        )
    return x, target
