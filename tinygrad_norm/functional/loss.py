"""Losses that compare numbers with numbers, entry by entry, with PyTorch's names and defaults.

Shapes: prediction and target alike; the result is one number, or with ``reduction="none"`` a loss for each entry.
``reduction`` is "mean", "sum" or "none". Losses over classes stand in :mod:`.cross_entropy`.
"""

from __future__ import annotations

import math

import numpy as np

from ..engine.tensor import Data, Optional, Tensor, as_tensor
from ..errors import InputError
from ..ops import elementwise as e
from .activation import floating
from .composition import composed
from .loss_reduction import matching, reduced


@composed
def mse_loss(input: Data, target: Data, reduction: str = "mean") -> Tensor:
    """Return the mean squared error (x − t)².

    Raises
    ------
    ShapeError
        Prediction and target differ in shape.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.mse_loss([1.0, 3.0], [1.0, 1.0]).item()
    2.0
    """
    x, t = matching(input, target, "mse_loss")
    return reduced((x - t).square(), reduction, "mse_loss")


@composed
def l1_loss(input: Data, target: Data, reduction: str = "mean") -> Tensor:
    """Return the mean absolute error |x − t|; the derivative at 0 is 0."""
    x, t = matching(input, target, "l1_loss")
    return reduced((x - t).abs(), reduction, "l1_loss")


@composed
def smooth_l1_loss(input: Data, target: Data, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """Return d²/(2β) where d = |x − t| < β, else d − β/2 (Girshick 2015, "Fast R-CNN", eq. 3 has β = 1).

    β = 0 is :func:`l1_loss`.
    """
    if beta < 0:
        raise InputError(f"smooth_l1_loss: beta must not be negative; got {beta}. 0 gives the absolute error.")
    x, t = matching(input, target, "smooth_l1_loss")
    difference = x - t
    if beta == 0:
        return reduced(difference.abs(), reduction, "smooth_l1_loss")
    inside = np.abs(difference.data) < beta
    losses = as_tensor(e.where(inside, difference.square() * (0.5 / beta), difference.abs() - 0.5 * beta))
    return reduced(losses, reduction, "smooth_l1_loss")


@composed
def huber_loss(input: Data, target: Data, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Return d²/2 where d = |x − t| ≤ δ, else δ(d − δ/2) (Huber 1964): β times the smooth L1 loss with β = δ."""
    if not delta > 0:
        raise InputError(f"huber_loss: delta must be positive; got {delta}. PyTorch's default is 1.")
    x, t = matching(input, target, "huber_loss")
    difference = x - t
    inside = np.abs(difference.data) <= delta
    losses = as_tensor(e.where(inside, 0.5 * difference.square(), delta * (difference.abs() - 0.5 * delta)))
    return reduced(losses, reduction, "huber_loss")


@composed
def binary_cross_entropy(input: Data, target: Data, weight: Optional = None, reduction: str = "mean") -> Tensor:
    """Return −(t log p + (1 − t) log(1 − p)) for probabilities p in [0, 1].

    A logarithm below −100 counts as −100, with gradient 0; :func:`binary_cross_entropy_with_logits` has no such edge.
    ``weight`` broadcasts and multiplies each loss.

    Raises
    ------
    InputError
        A probability lies outside [0, 1]: these were logits, most likely.
    """
    p, t = matching(input, target, "binary_cross_entropy")
    outside = ~((p.data >= 0) & (p.data <= 1))
    if outside.any():
        raise InputError(
            f"binary_cross_entropy: a probability must lie in [0, 1]; got {p.data[outside].flat[0]}. "
            "Apply sigmoid first, or use binary_cross_entropy_with_logits."
        )
    losses = -(t * bounded_log(p) + (1 - t) * bounded_log(1 - p))
    return reduced(weighted(losses, weight), reduction, "binary_cross_entropy")


def bounded_log(p: Tensor) -> Tensor:
    """Return max(log p, −100) without ever taking the logarithm of zero."""
    return p.clip(math.exp(-100), None).log()


def weighted(losses: Tensor, weight: Optional) -> Tensor:
    """Return the losses times a weight, if there is one."""
    return losses if weight is None else losses * as_tensor(weight)


@composed
def binary_cross_entropy_with_logits(
    input: Data, target: Data, weight: Optional = None, reduction: str = "mean", pos_weight: Optional = None
) -> Tensor:
    """Return the binary cross-entropy of sigmoid(x), computed from the logit x so that nothing overflows.

    Formula: (1 − t) x + (1 + (w₊ − 1) t) log(1 + e⁻ˣ). ``pos_weight`` w₊ multiplies the positive class's part.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.binary_cross_entropy_with_logits([1000.0, 0.0], [1.0, 1.0], reduction="none").tolist()
    [0.0, 0.6931471805599453]
    """
    x, t = matching(input, target, "binary_cross_entropy_with_logits")
    log_term = as_tensor(e.logaddexp(-x, 0.0))
    if pos_weight is not None:
        log_term = (1 + (as_tensor(pos_weight) - 1) * t) * log_term
    return reduced(weighted((1 - t) * x + log_term, weight), reduction, "binary_cross_entropy_with_logits")


@composed
def kl_div(input: Data, target: Data, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """Return the divergence t (log t − x) of probabilities t from log-probabilities x.

    "mean" averages over all entries, as in PyTorch; "batchmean", the divergence itself, over the first axis.
    Where t is 0 the loss is 0. With ``log_target`` the target holds logarithms.
    """
    x, t = matching(input, target, "kl_div")
    if log_target:
        losses = t.exp() * (t - x)
    else:
        zero = t.data == 0
        logarithm = as_tensor(e.where(zero, 1, t)).log() if zero.any() else t.log()
        losses = t * logarithm - t * x
    return reduced(floating(losses), reduction, "kl_div", ("mean", "batchmean", "sum", "none"))
