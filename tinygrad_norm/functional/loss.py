"""Losses: between numbers, between probabilities, and over classes. PyTorch's, ``input`` first, then ``target``.

Between numbers and probabilities, input and target have one shape, (batch, …). Over classes (``cross_entropy``,
``nll_loss``) the input is (classes), (batch, classes) or (batch, classes, positions…); a target of class numbers is of
that shape without the axis of classes, a target of probabilities of that shape.

``reduction`` is shared by all: "mean" or "sum" over the losses gives one number, of shape (), and "none" one loss for
each entry or position. An InputError is raised for another word, and for a mean of no losses at all.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.details.array import Array, some
from ..engine.tensor import Data, Optional, Tensor, as_tensor
from ..errors import IndexRangeError, InputError, OperandError, ShapeError
from ..ops import elementwise as e
from ..ops.layout import moveaxis
from ..ops.picking import getitem
from ..ops.statistics import narrowed, widened
from .activation import log_softmax
from .composition import composed, floating

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
        return narrowed(widened(losses).sum() / (losses.shape[0] if losses.ndim else 1), losses)
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


@composed
def mse_loss(input: Data, target: Data, reduction: str = "mean") -> Tensor:
    """Return the mean squared error.

    Formula: (x − t)² for input x and target t, then the mean.
    Shapes: input and target (batch, …), result () or, with ``reduction="none"``, as the input; in [0, ∞).
    Source: PyTorch's ``mse_loss``; Goodfellow, Bengio & Courville 2016, "Deep learning", section 5.1.4.

    Parameters
    ----------
    reduction : how the losses become one number: their "mean", their "sum", or "none", each stays as it is

    Raises
    ------
    ShapeError
        Input and target differ in shape: nothing is broadcast.
    InputError
        reduction is another word, or there is nothing to average.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.mse_loss([1.0, 3.0], [1.0, 1.0]).item()
    2.0
    >>> tg.functional.mse_loss([1.0, 3.0], [1.0, 1.0], reduction="none").tolist()
    [0.0, 4.0]
    """
    x, t = matching(input, target, "mse_loss")
    return reduced((x - t).square(), reduction, "mse_loss")


@composed
def l1_loss(input: Data, target: Data, reduction: str = "mean") -> Tensor:
    """Return the mean absolute error.

    Formula: |x − t| for input x and target t, then the mean; the derivative at 0 is 0.
    Shapes: input and target (batch, …), result () or, with ``reduction="none"``, as the input; in [0, ∞).
    Source: PyTorch's ``l1_loss``. Reduction and errors are those of :func:`mse_loss`.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.l1_loss([1.0, 3.0], [1.0, 0.0]).item()
    1.5
    """
    x, t = matching(input, target, "l1_loss")
    return reduced((x - t).abs(), reduction, "l1_loss")


@composed
def smooth_l1_loss(input: Data, target: Data, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """Return the absolute error, squared near 0, so that its derivative is continuous.

    Formula: d²/(2β) where d = |x − t| < β, else d − β/2; then the mean. β = 0 is :func:`l1_loss`.
    Shapes: input and target (batch, …), result () or, with ``reduction="none"``, as the input; in [0, ∞).
    Source: Girshick 2015, "Fast R-CNN", eq. 3, which has β = 1. Reduction is that of :func:`mse_loss`.

    Raises
    ------
    InputError, ShapeError
        beta is negative; and as in :func:`mse_loss`.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.smooth_l1_loss([0.5, 3.0], [0.0, 0.0], reduction="none").tolist()
    [0.125, 2.5]
    """
    if beta < 0:
        raise InputError(f"smooth_l1_loss: beta must not be negative; got {beta}. 0 gives the absolute error.")
    x, t = matching(input, target, "smooth_l1_loss")
    difference = x - t
    if beta == 0:
        return reduced(difference.abs(), reduction, "smooth_l1_loss")
    inside = np.abs(difference.data) < beta
    losses = e.where(inside, difference.square() * (0.5 / beta), difference.abs() - 0.5 * beta)
    return reduced(losses, reduction, "smooth_l1_loss")


@composed
def huber_loss(input: Data, target: Data, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Return the squared error near 0, the absolute one beyond δ: β times the smooth L1 loss with β = δ.

    Formula: d²/2 where d = |x − t| ≤ δ, else δ(d − δ/2); then the mean.
    Shapes: input and target (batch, …), result () or, with ``reduction="none"``, as the input; in [0, ∞).
    Source: Huber 1964, "Robust estimation of a location parameter". Reduction is that of :func:`mse_loss`.

    Raises
    ------
    InputError, ShapeError
        delta is not positive; and as in :func:`mse_loss`.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.huber_loss([1.0, 3.0], [0.0, 0.0], reduction="none", delta=2.0).tolist()
    [0.5, 4.0]
    """
    if not delta > 0:
        raise InputError(f"huber_loss: delta must be positive; got {delta}. PyTorch's default is 1.")
    x, t = matching(input, target, "huber_loss")
    difference = x - t
    inside = np.abs(difference.data) <= delta
    losses = e.where(inside, 0.5 * difference.square(), delta * (difference.abs() - 0.5 * delta))
    return reduced(losses, reduction, "huber_loss")


@composed
def binary_cross_entropy(input: Data, target: Data, weight: Optional = None, reduction: str = "mean") -> Tensor:
    """Return how unlikely the probabilities p call targets of two classes.

    Formula: −(t log p + (1 − t) log(1 − p)), then the mean. A logarithm below −100 counts as −100, with gradient 0;
    :func:`binary_cross_entropy_with_logits` has no such edge.
    Shapes: input p and target t (batch, …), in [0, 1]; weight broadcasts to them; result () or, with
    ``reduction="none"``, as the input.
    Source: PyTorch's ``binary_cross_entropy``; Goodfellow, Bengio & Courville 2016, "Deep learning", section 6.2.2.2.

    Parameters
    ----------
    weight : multiplies each loss
    reduction : see :func:`mse_loss`

    Raises
    ------
    InputError
        A probability lies outside [0, 1]: these were logits, most likely. And as in :func:`mse_loss`.
    ShapeError
        Input and target differ in shape.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.functional.binary_cross_entropy([0.5, 0.9, 0.0], [1.0, 1.0, 1.0], reduction="none"), 4).tolist()
    [0.6931, 0.1054, 100.0]
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

    Formula: (1 − t) x + (1 + (w₊ − 1) t) log(1 + e⁻ˣ), then the mean; w₊ is ``pos_weight``.
    Shapes: input x and target t (batch, …), t in [0, 1]; weight and pos_weight broadcast to them; result () or, with
    ``reduction="none"``, as the input.
    Source: PyTorch's ``binary_cross_entropy_with_logits``. Reduction and errors are those of :func:`mse_loss`.

    Parameters
    ----------
    weight : multiplies each loss
    pos_weight : multiplies the positive class's part of the loss

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.binary_cross_entropy_with_logits([1000.0, 0.0], [1.0, 1.0], reduction="none").tolist()
    [0.0, 0.6931471805599453]
    """
    x, t = matching(input, target, "binary_cross_entropy_with_logits")
    log_term = e.logaddexp(-x, 0.0)
    if pos_weight is not None:
        log_term = (1 + (as_tensor(pos_weight) - 1) * t) * log_term
    return reduced(weighted((1 - t) * x + log_term, weight), reduction, "binary_cross_entropy_with_logits")


@composed
def kl_div(input: Data, target: Data, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """Return the Kullback–Leibler divergence of probabilities t from log-probabilities x.

    Formula: t (log t − x), 0 where t is 0; then the mean over all entries, as in PyTorch, or with
    ``reduction="batchmean"`` the sum divided by the batch size, which is the divergence itself.
    Shapes: input x, in (−∞, 0], and target t, in [0, 1], (batch, classes) or any one shape; result () or, with
    ``reduction="none"``, as the input.
    Source: Kullback & Leibler 1951, "On information and sufficiency"; PyTorch's ``kl_div``.

    Parameters
    ----------
    reduction : "mean", "batchmean", "sum" or "none"
    log_target : whether the target holds logarithms of probabilities

    Raises
    ------
    InputError, ShapeError
        As in :func:`mse_loss`.

    Examples
    --------
    >>> import numpy as np, tinygrad_norm as tg
    >>> log_p = np.log([[0.5, 0.5]])
    >>> tg.functional.kl_div(log_p, [[1.0, 0.0]], reduction="batchmean").item()
    0.6931471805599453
    """
    x, t = matching(input, target, "kl_div")
    if log_target:
        losses = t.exp() * (t - x)
    else:
        zero = t.data == 0
        logarithm = e.where(zero, 1, t).log() if some(zero) else t.log()
        losses = t * logarithm - t * x
    return reduced(floating(losses), reduction, "kl_div", ("mean", "batchmean", "sum", "none"))


@composed
def cross_entropy(
    input: Data,
    target: Data,
    weight: Optional = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return how unlikely the logits x call the target.

    Formula: −Σ p log softmax(x) over the classes, then the mean; p is 1 for the target class, or the target itself.
    Shapes: input (classes), (batch, classes) or (batch, classes, positions…); target the same without the axis of
    classes, or with probabilities the same. Result () or, with ``reduction="none"``, (batch, positions…), in [0, ∞).
    Source: Goodfellow, Bengio & Courville 2016, "Deep learning", section 6.2.2.3; PyTorch's ``cross_entropy``.

    Parameters
    ----------
    input, target : logits; class numbers in [0, classes), or probabilities p (floating, of the input's shape)
    weight : a factor for each class, (classes). "mean" then divides by the targets' weights, not by their number
    ignore_index : a class number whose positions do not count: the label of pads, for example
    reduction : see :func:`mse_loss`
    label_smoothing : ε in [0, 1]: the target becomes (1 − ε) p + ε / classes (Szegedy et al. 2016, section 7)

    Raises
    ------
    IndexRangeError
        A target is no class.
    InputError
        Every target is ``ignore_index``, so that there is nothing to average; label_smoothing lies outside [0, 1].
    OperandError
        The target is neither floating nor of integers.
    ShapeError
        Target or weight does not fit the input, or there are no classes.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.functional.cross_entropy([[2.0, 0.0, 0.0]], [0]).item()
    0.2395447662218847
    >>> tg.round(tg.functional.cross_entropy([[2.0, 0.0, 0.0]] * 2, [1, -100], reduction="none"), 4).tolist()
    [2.2395, 0.0]
    """
    given = with_classes_last(input, "cross_entropy")
    x = widened(given)
    if not 0 <= label_smoothing <= 1:
        raise InputError(
            f"cross_entropy: label_smoothing must lie in [0, 1]; got {label_smoothing}. 0 switches it off."
        )
    factors = class_weights(weight, x, "cross_entropy")
    log_p = log_softmax(x, -1)
    t = as_tensor(target)
    if t.dtype.kind == "f":
        return narrowed(soft_cross_entropy(log_p, t, factors, reduction, label_smoothing), given)
    classes, counted = class_targets(t, x, ignore_index, "cross_entropy")
    result = picked_loss(log_p, classes, counted, factors, reduction, "cross_entropy")
    if label_smoothing > 0:
        spread = -(log_p if factors is None else log_p * factors).sum(-1)
        smooth = averaged_losses(spread, counted, factors, classes, reduction, "cross_entropy")
        result = result * (1 - label_smoothing) + smooth * (label_smoothing / x.shape[-1])
    return narrowed(result, given)


@composed
def nll_loss(
    input: Data, target: Data, weight: Optional = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """Return minus the log-probability of the target class.

    Formula: −x[target] for log-probabilities x, then the mean; of ``log_softmax`` it is :func:`cross_entropy`.
    Shapes: input (batch, classes, positions…), in (−∞, 0], target (batch, positions…) of class numbers; result () or,
    with ``reduction="none"``, as the target.
    Source: PyTorch's ``nll_loss``. Parameters and errors are those of :func:`cross_entropy` with class numbers.

    Examples
    --------
    >>> import numpy as np, tinygrad_norm as tg
    >>> log_p = np.log([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]])
    >>> tg.round(tg.functional.nll_loss(log_p, [0, 2], reduction="none"), 4).tolist()
    [0.6931, 1.3863]
    """
    given = with_classes_last(input, "nll_loss")
    log_p = widened(given)
    factors = class_weights(weight, log_p, "nll_loss")
    classes, counted = class_targets(as_tensor(target), log_p, ignore_index, "nll_loss")
    return narrowed(picked_loss(log_p, classes, counted, factors, reduction, "nll_loss"), given)


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
    classes = target.data
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
    return averaged_losses(losses, counted, factors, classes, reduction, name)


def averaged_losses(
    losses: Tensor, counted: Array, factors: Tensor | None, classes: Array, reduction: str, name: str
) -> Tensor:
    """Return the losses reduced; a mean divides by the number, or the weight, of the positions that count."""
    if some(~counted):
        losses = e.where(counted, losses, 0)
    elif factors is None:
        return reduced(losses, reduction, name)
    if reduction != "mean":
        return reduced(losses, reduction, name)
    if not counted.any():
        raise InputError(
            f"{name}: a mean must have at least one target that counts; got only ignore_index in shape "
            f"{counted.shape}. Skip this batch, or use reduction='sum'."
        )
    weights = counted.astype(losses.dtype) if factors is None else getitem(factors, classes) * counted
    return losses.sum() / weights.sum()


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
