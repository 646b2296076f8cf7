"""Mistakes in what couples the entries of a row: softmax, and means and deviations inside larger functions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..measure.step_ladder import Array
from .evidence import Evidence, Finding, amount, axes_of, axis_sets, but_for, grouped


def softmax_mistake(e: Evidence) -> Iterator[Finding | None]:
    """Recognize a softmax (or its logarithm) whose coupling term is missing or has the wrong sign."""
    if not (e.complete and e.same_shape and e.known.all()):
        return
    out = e.outputs[0]
    rows = e.cotangents.reshape(-1, *e.x.shape)
    with np.errstate(all="ignore"):
        exponential = np.exp(out)
    for axis in range(e.x.ndim):
        where = axis + 1
        for label, direct, coupling in (
            ("softmax", out * rows, out * np.sum(out * rows, axis=where, keepdims=True)),
            ("log-softmax", rows, exponential * np.sum(rows, axis=where, keepdims=True)),
        ):
            right = (direct - coupling).reshape(e.numeric.shape)
            if np.isfinite(right).all() and not np.any(np.abs(right - e.numeric) > 2 * e.bar):
                yield from _coupling(e, f"{label} along axis {axis}", direct, coupling)


def _coupling(e: Evidence, which: str, direct: Array, coupling: Array) -> Iterator[Finding]:
    formula = "dx = y · (g − Σ g y)" if which.startswith("softmax") else "dx = g − softmax(x) · Σ g"
    why = f"raising one input lowers all other outputs of the row: {formula}, and each row of the gradient sums to 0"
    for predicted, code, what, how in (
        (direct, "coupling-missing", "is missing", "without it"),
        (direct + coupling, "coupling-sign", "has the wrong sign", "with + for −"),
    ):
        leftover = e.agrees(predicted.reshape(e.yours.shape))
        if leftover is not None:
            evidence = f"{how} the formula gives exactly yours, leftover {amount(leftover)}"
            yield Finding(code, f"the coupling of the {which} {what}", evidence, why, leftover)


def lost_mean_path(e: Evidence) -> Iterator[Finding]:
    """Find a residual that is constant along an axis, where the true gradient sums to zero."""
    for where, leftover, yours, _ in _lost_paths(e, mean=True, variance=False):
        tilt = np.max(np.abs(yours.mean(axis=-1)), initial=0.0)
        yield but_for(
            leftover,
            "mean-path-missing",
            f"the path through the MEAN is missing along {where}",
            f"yours − numeric is constant along {where} in every row",
            "adding a constant to a row does not change the output, so each row of the gradient must sum to 0; the "
            f"mean of a row of yours is up to {tilt:.2g}",
        )


def lost_variance_path(e: Evidence) -> Iterator[Finding]:
    """Find a residual proportional to x minus its mean, where scaling a row leaves the output as it is."""
    for where, leftover, _, along in _lost_paths(e, mean=False, variance=True):
        yield but_for(
            leftover,
            "variance-path-wrong",
            f"the path through the VARIANCE is wrong along {where} (missing, or with another sign or n)",
            "yours − numeric is proportional to x̂ in every row",
            "scaling a row does not change the output, so each row of the gradient must be orthogonal to x̂; yours "
            f"gives up to {np.max(np.abs(along)):.2g}",
        )


def lost_statistics(e: Evidence) -> Iterator[Finding]:
    """Find a residual in the span of 1 and x̂: both statistics were treated as constants."""
    for where, leftover, *_ in _lost_paths(e, mean=True, variance=True):
        yield but_for(
            leftover,
            "statistics-constant",
            f"mean and variance are treated as constants: both paths are missing along {where}",
            "yours − numeric is a constant plus a multiple of x̂ in every row",
            "each row of the gradient must sum to 0 and be orthogonal to x̂, because neither shifting nor scaling "
            "the row changes the output",
        )


def _lost_paths(e: Evidence, mean: bool, variance: bool) -> Iterator[tuple[str, float, Array, Array]]:
    """Explain the residual by what lost paths leave: the same number in each row, a multiple of x̂, or both.

    Yield the axes, what is left relative to the gradient, yours, and how much of x̂ is in the residual. Only where the
    true gradient has nothing of that kind. Arrays are ``(cotangents, groups, n)``, n at least 3.
    """
    if not e.known.all():
        return
    for axes in axis_sets(e.x.ndim):
        yours, numeric, bars = (
            grouped(values[: e.random].reshape(-1, *e.x.shape), axes)
            for values in (e.yours, e.numeric, e.bar + e.doubt)
        )
        residual, room = yours - numeric, 2 * bars
        x = grouped(e.x[None], axes)
        c = x - x.mean(axis=-1, keepdims=True)
        size = np.sqrt((c**2).sum(axis=-1, keepdims=True))
        if x.shape[-1] < 2 + mean + variance or (variance and np.any(size == 0)):
            continue
        if mean and np.any(np.abs(numeric.sum(axis=-1)) > room.sum(axis=-1)):
            continue
        unit = c / size if variance else np.zeros_like(c)
        if variance and np.max(np.abs((numeric * unit).sum(axis=-1))) > 1e-2 * e.largest:
            continue
        along = (residual * unit).sum(axis=-1, keepdims=True)
        rest = residual - mean * residual.mean(axis=-1, keepdims=True) - along * unit
        if not np.any(np.abs(rest) > (mean + 2 * variance) * room):
            yield axes_of(axes), float(np.max(np.abs(rest), initial=0.0)) / e.largest, yours, along
