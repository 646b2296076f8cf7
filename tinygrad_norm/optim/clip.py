"""Gradient clipping: one gradient vector, over all parameters, shortened to a largest length; or entry by entry."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite

import numpy as np

from ..engine.details.array import Array
from ..engine.tensor import Tensor, wrap
from ..errors import AnomalyError, InputError


def clip_grad_norm_(
    parameters: Iterable[Tensor] | Tensor,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Shorten all gradients together where their common norm is larger than ``max_norm``; return the norm before.

    Formula: g ← g · min(1, max_norm / (‖g‖ + 1e-6)), where ‖g‖ is the p-norm of all entries of all gradients.
    Shapes: parameters (…) with gradients (…), any axes each; result ().
    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1. Call it between ``backward()`` and ``step()``.

    Parameters
    ----------
    norm_type : p of the p-norm, positive; ``math.inf`` for the largest entry
    error_if_nonfinite : whether to raise on a NaN or an infinity here; ``step()`` does in any case

    Raises
    ------
    InputError
        norm_type is not positive, or max_norm negative.
    AnomalyError
        The norm is not finite, with ``error_if_nonfinite``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> w = tg.nn.Parameter([3.0, 4.0])
    >>> (w * w).sum().backward()
    >>> tg.optim.clip_grad_norm_([w], 1.0).item()
    10.0
    >>> tg.round(w.grad, 4).tolist()
    [0.6, 0.8]
    """
    if not norm_type > 0 or not max_norm >= 0:
        raise InputError(
            f"clip_grad_norm_: norm_type must be positive and max_norm not negative; got norm_type={norm_type}, "
            f"max_norm={max_norm}. The usual norm_type is 2."
        )
    due = with_gradients(parameters)
    total = norm_of([np.asarray(grad.data) for _, grad in due], norm_type)
    if error_if_nonfinite and not isfinite(total):
        raise AnomalyError(
            f"clip_grad_norm_: the norm of the gradient must be finite; got {total}. "
            "Look at the loss under tg.detect_anomaly()."
        )
    factor = max_norm / (total + 1e-6)
    if not factor >= 1:
        for p, grad in due:
            p.grad = wrap((np.asarray(grad.data) * np.float64(factor)).astype(p.dtype, copy=False), None)
    return Tensor(total)


def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float) -> None:
    """Cut every entry of every gradient off at ``clip_value``, up and down.

    Formula: g ← min(max(g, −clip_value), clip_value). A NaN stays one.
    Shapes: parameters (…) with gradients (…), any axes each.
    Source: PyTorch's ``clip_grad_value_``. Call it between ``backward()`` and ``step()``.

    Raises
    ------
    InputError
        clip_value is negative.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> w = tg.nn.Parameter([3.0, 0.25])
    >>> (w * w).sum().backward()
    >>> tg.optim.clip_grad_value_([w], 1.0)
    >>> w.grad.tolist()
    [1.0, 0.5]
    """
    if not clip_value >= 0:
        raise InputError(
            f"clip_grad_value_: clip_value must not be negative; got {clip_value}. Give the largest size of an entry."
        )
    for p, grad in with_gradients(parameters):
        p.grad = wrap(np.clip(np.asarray(grad.data), -clip_value, clip_value), None)


def with_gradients(parameters: Iterable[Tensor] | Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return the parameters that have a gradient, with it."""
    given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [(p, p.grad) for p in given if p.grad is not None]


def norm_of(gradients: list[Array], norm_type: float) -> float:
    """Return the p-norm of all entries, computed in double precision whatever the gradients' dtype."""
    largest = max((float(np.abs(g).max()) for g in gradients if g.size), default=0.0)
    if norm_type == inf or largest == 0 or not isfinite(largest):
        return largest
    # Parts of the largest entry: no power of theirs overflows, and the largest do not vanish.
    parts = [np.abs(g.astype(np.float64)) / largest for g in gradients]
    powers = sum(float(np.vdot(g, g) if norm_type == 2 else np.sum(g**norm_type)) for g in parts)
    return float(largest * powers ** (1 / norm_type))
