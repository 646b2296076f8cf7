"""Losses over classes, from logits: ``cross_entropy``, and ``nll_loss`` from log-probabilities.

Shapes: input (classes), (batch, classes) or (batch, classes, positions…); a target of class numbers is of that shape
without the axis of classes, a target of probabilities of that shape. The result is one number, or with
``reduction="none"`` a loss for each position.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.details.array import Array
from ..engine.tensor import Data, Optional, Tensor, as_tensor
from ..errors import IndexRangeError, InputError, OperandError, ShapeError
from ..ops import elementwise as e
from ..ops.layout import moveaxis
from ..ops.picking import getitem
from .activation import floating, log_softmax
from .composition import composed
from .loss_reduction import reduced


@composed
def cross_entropy(
    input: Data,
    target: Data,
    weight: Optional = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return −Σ p log softmax(x): how unlikely the logits x call the target.

    Parameters
    ----------
    input : logits, unnormalized; see the module for shapes
    target : class numbers, or probabilities p (floating, of the input's shape)
    weight : a factor for each class. "mean" then divides by the targets' weights, not by their number
    ignore_index : a class number whose positions do not count: the label of pads, for example
    label_smoothing : ε in [0, 1]: the target becomes (1 − ε) p + ε / classes (Szegedy et al. 2016, section 7)

    Raises
    ------
    IndexRangeError
        A target is no class.
    InputError
        Every target is ``ignore_index``, so that there is nothing to average.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.cross_entropy([[2.0, 0.0, 0.0]], [0]).item()
    0.2395447662218847
    """
    x = with_classes_last(input, "cross_entropy")
    if not 0 <= label_smoothing <= 1:
        raise InputError(
            f"cross_entropy: label_smoothing must lie in [0, 1]; got {label_smoothing}. 0 switches it off."
        )
    factors = class_weights(weight, x, "cross_entropy")
    log_p = log_softmax(x, -1)
    t = as_tensor(target)
    if t.dtype.kind == "f":
        return soft_cross_entropy(log_p, t, factors, reduction, label_smoothing)
    classes, counted = class_targets(t, x, ignore_index, "cross_entropy")
    result = picked_loss(log_p, classes, counted, factors, reduction, "cross_entropy")
    if label_smoothing == 0:
        return result
    spread = -(log_p if factors is None else log_p * factors).sum(-1)
    smooth = averaged(spread, counted, factors, classes, reduction, "cross_entropy")
    return result * (1 - label_smoothing) + smooth * (label_smoothing / x.shape[-1])


@composed
def nll_loss(
    input: Data, target: Data, weight: Optional = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """Return minus the target's log-probability; the input holds log-probabilities (:func:`cross_entropy` logits).

    Parameters and shapes are those of :func:`cross_entropy` with class numbers.
    """
    log_p = with_classes_last(input, "nll_loss")
    factors = class_weights(weight, log_p, "nll_loss")
    classes, counted = class_targets(as_tensor(target), log_p, ignore_index, "nll_loss")
    return picked_loss(log_p, classes, counted, factors, reduction, "nll_loss")


def with_classes_last(input: Data, name: str) -> Tensor:
    """Return the input with its axis of classes (1, or 0 if it is the only one) as the last."""
    x = floating(input)
    if not x.ndim or not x.shape[1 if x.ndim > 1 else 0]:
        raise ShapeError(
            f"{name}: the input must be (classes), (batch, classes) or (batch, classes, positions…) with at least one "
            f"class; got shape {x.shape}. Give one score for each class."
        )
    return x if x.ndim <= 2 else moveaxis(x, 1, -1)


def class_weights(weight: Optional, x: Tensor, name: str) -> Tensor | None:
    """Return the weights of the classes, or raise if there is not one for each."""
    if weight is None:
        return None
    factors = floating(weight)
    if factors.shape != x.shape[-1:]:
        raise ShapeError(
            f"{name}: weight must hold one factor for each of the {x.shape[-1]} classes; got shape {factors.shape}. "
            "To weigh positions, use reduction='none' and multiply."
        )
    return factors.astype(x.dtype)


def class_targets(target: Tensor, x: Tensor, ignore_index: int, name: str) -> tuple[Array, Array]:
    """Return the target classes, with 0 for ignored ones, and where a position counts."""
    classes = np.asarray(target.data)
    if classes.dtype.kind not in "iu":
        raise OperandError(
            f"{name}: a target must hold class numbers as integers; got dtype {classes.dtype}. Use astype(int)."
        )
    if classes.shape != x.shape[:-1]:
        raise ShapeError(
            f"{name}: the target must have the input's shape without its axis of {x.shape[-1]} classes, "
            f"{x.shape[:-1]}; got {classes.shape}. Give one class number for each position."
        )
    counted = classes != ignore_index
    wrong = counted & ((classes < 0) | (classes >= x.shape[-1]))
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise IndexRangeError(
            f"{name}: a target must be a class in [0, {x.shape[-1]}) or ignore_index={ignore_index}; got "
            f"{classes[wrong].flat[0]} at position {at}. Count the classes from 0."
        )
    return np.where(counted, classes, 0).astype(np.intp), counted


def picked_loss(
    log_p: Tensor, classes: Array, counted: Array, factors: Tensor | None, reduction: str, name: str
) -> Tensor:
    """Return minus the log-probability of each position's class, weighted and reduced."""
    grid: Any = np.ogrid[tuple(slice(n) for n in classes.shape)]
    losses = -getitem(log_p, (*grid, classes))
    if factors is not None:
        losses = losses * getitem(factors, classes)
    return averaged(losses, counted, factors, classes, reduction, name)


def averaged(
    losses: Tensor, counted: Array, factors: Tensor | None, classes: Array, reduction: str, name: str
) -> Tensor:
    """Return the losses reduced; a mean divides by the number, or the weight, of the positions that count."""
    if not counted.all():
        losses = as_tensor(e.where(counted, losses, 0))
    elif factors is None:
        return reduced(losses, reduction, name)
    if reduction != "mean":
        return reduced(losses, reduction, name)
    if not counted.any():
        raise InputError(
            f"{name}: a mean must have at least one target that counts; got only ignore_index in shape "
            f"{counted.shape}. Skip this batch, or use reduction='sum'."
        )
    if factors is None:
        return losses.sum() / int(np.count_nonzero(counted))
    return losses.sum() / (getitem(factors, classes) * counted).sum()


def soft_cross_entropy(
    log_p: Tensor, target: Tensor, factors: Tensor | None, reduction: str, label_smoothing: float
) -> Tensor:
    """Return the cross-entropy with a target of probabilities; the mean is over positions, whatever the weights."""
    p = with_classes_last(target, "cross_entropy")
    if p.shape != log_p.shape:
        raise ShapeError(
            "cross_entropy: a floating-point target must hold probabilities of the input's shape; got "
            f"shape {target.shape} for {log_p.shape[-1]} classes. Class numbers must be integers."
        )
    if label_smoothing > 0:
        p = p * (1 - label_smoothing) + label_smoothing / log_p.shape[-1]
    losses = -(p * (log_p if factors is None else log_p * factors)).sum(-1)
    if reduction == "mean":
        return reduced(losses, "sum", "cross_entropy") / max(math.prod(losses.shape), 1)
    return reduced(losses, reduction, "cross_entropy")
