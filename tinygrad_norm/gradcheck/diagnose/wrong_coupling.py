"""Mistakes in what couples the entries of a row: softmax, and means and deviations inside larger functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..measure.step_ladder import Array
from .evidence import Evidence, Finding, axes_of, axis_sets, but_for, grouped


def softmax_mistake(e: Evidence) -> Iterator[Finding | None]:
    """Recognize a softmax or its logarithm, perhaps at a temperature, whose coupling term is missing or wrong."""
    if not (e.complete and e.same_shape and e.known.all()):
        return
    rows = e.cotangents.reshape(-1, *e.x.shape)
    y = e.outputs[0]
    with np.errstate(all="ignore"):
        exponential = np.exp(y)
        for axis in range(e.x.ndim):
            for which, direct, coupling in (
                ("softmax", y * rows, y * _sum(y * rows, axis)),
                ("log-softmax", rows, exponential * _sum(rows, axis)),
            ):
                right = (direct - coupling).reshape(e.numeric.shape)
                scale = float(np.sum(right * e.numeric) / np.sum(right * right))
                if np.isfinite(scale) and np.all(np.abs(scale * right - e.numeric) <= 2 * e.bar + e.doubt):
                    yield from _coupling(e, which, axis, scale, rows)


def _sum(values: Array, axis: int) -> Array:
    total: Array = np.sum(values, axis=axis + 1, keepdims=True)
    return total


def _coupling(e: Evidence, which: str, axis: int, scale: float, g: Array) -> Iterator[Finding | None]:
    """Yield what may be wrong with ``dx = y (g − Σ g y)`` or ``dx = g − exp(y) Σ g``, each rebuilt with the mistake."""
    y = e.outputs[0]
    where = f"the coupling of the {which} along axis {axis}"
    others = [a for a in range(e.x.ndim) if a != axis]
    if which == "softmax":
        formula, direct, coupling = "dx = y · (g − Σ g y)", y * g, y * _sum(y * g, axis)
        more = [
            ("outer-missing", f"{where} is there, but not multiplied by y", g - _sum(y * g, axis)),
            ("coupling-wrong", f"{where} sums g where g y belongs", y * (g - _sum(g, axis))),
            *(("wrong-axis", f"{where} runs along axis {a}", y * (g - _sum(y * g, a))) for a in others),
        ]
    else:
        exponential = np.exp(y)
        formula, direct, coupling = "dx = g − exp(y) · Σ g", g, exponential * _sum(g, axis)
        more = [
            ("coupling-wrong", f"{where} is not multiplied by the softmax", g - _sum(g, axis)),
            ("coupling-wrong", f"{where} takes the logarithm y where exp(y) belongs", g - y * _sum(g, axis)),
            *(("wrong-axis", f"{where} runs along axis {a}", g - exponential * _sum(g, a)) for a in others),
        ]
    # The scale inherits the bars of the Jacobian, and a prediction those of the scale.
    loose = float(np.max(e.bar)) / e.largest
    why = f"raising one input lowers all other outputs of the row: {formula}, and each row of the gradient sums to 0"
    for code, name, predicted in (
        ("coupling-missing", f"{where} is missing", direct),
        ("coupling-sign", f"{where} has the wrong sign", direct + coupling),
        ("coupling-wrong", f"{where} has a mean in place of a sum", direct - coupling / e.x.shape[axis]),
        *more,
    ):
        evidence = "rebuilt with this mistake, the formula gives exactly yours"
        flat = scale * predicted.reshape(e.yours.shape)
        found = e.named(flat, e.bar + loose * np.abs(flat), code, name, evidence, why)
        yield found and replace(found, formula=f"{formula}, Σ along axis {axis}")


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


def lost_length_path(e: Evidence) -> Iterator[Finding]:
    """Find a residual proportional to x itself, where scaling a row leaves the output as it is."""
    for where, leftover, _, along in _lost_paths(e, mean=False, variance=True, center=False):
        yield but_for(
            leftover,
            "length-path-missing",
            f"the path through the length ‖x‖ along {where} is wrong or missing",
            "yours − numeric is proportional to x in every row",
            "scaling a row does not change the output, so each row of the gradient must be orthogonal to x; yours "
            f"gives up to {np.max(np.abs(along)):.2g}",
        )


def _lost_paths(
    e: Evidence, mean: bool, variance: bool, center: bool = True
) -> Iterator[tuple[str, float, Array, Array]]:
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
        c = x - center * x.mean(axis=-1, keepdims=True)
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
