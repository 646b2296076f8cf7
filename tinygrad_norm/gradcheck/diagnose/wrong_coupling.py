"""Mistakes in what couples the entries of a row: softmax, and means and deviations inside larger functions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..measure.step_ladder import Array
from .evidence import Evidence, Finding, amount, axes_of, axis_sets


def softmax_mistake(e: Evidence) -> Finding | None:
    """Recognize a softmax (or its logarithm) whose coupling term is missing or has the wrong sign."""
    if not (e.complete and e.same_shape and e.known.all()):
        return None
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
            if not np.isfinite(right).all() or np.any(np.abs(right - e.numeric) > 2 * e.bar):
                continue
            found = _coupling(e, axis, label, direct, coupling)
            if found is not None:
                return found
    return None


def _coupling(e: Evidence, axis: int, label: str, direct: Array, coupling: Array) -> Finding | None:
    why = (
        "raising one input lowers all other outputs of the row: "
        + ("dx = y · (g − Σ g y)" if label == "softmax" else "dx = g − softmax(x) · Σ g")
        + ", and each row of the gradient sums to 0"
    )
    for times, code, name in (
        (0.0, "coupling-missing", f"the coupling of the {label} along axis {axis} is missing"),
        (-1.0, "coupling-sign", f"the coupling of the {label} along axis {axis} has the wrong sign"),
    ):
        leftover = e.agrees((direct - times * coupling).reshape(e.yours.shape))
        if leftover is not None:
            return Finding(
                code,
                name,
                f"without it the formula gives exactly yours, leftover {amount(leftover)}"
                if times == 0.0
                else f"with + for − the formula gives exactly yours, leftover {amount(leftover)}",
                why,
                leftover,
            )
    return None


def lost_mean_path(e: Evidence) -> Finding | None:
    """Find a residual that is constant along an axis, where the true gradient sums to zero."""
    for axes, residual, numeric, yours in _groups(e):
        level = residual.mean(axis=-1, keepdims=True)
        if np.any(np.abs(residual - level) > _room(e, axes)):
            continue
        if np.any(np.abs(numeric.sum(axis=-1)) > _room(e, axes).sum(axis=-1)):
            continue
        tilt = np.max(np.abs(yours.mean(axis=-1)), initial=0.0)
        return Finding(
            "mean-path-missing",
            f"the path through the MEAN is missing along {axes_of(axes)}",
            f"yours − numeric is constant along {axes_of(axes)} in every row; leftover "
            f"{_leftover(e, residual - level)}",
            "adding a constant to a row does not change the output, so each row of the gradient must sum to 0; the "
            f"mean of a row of yours is up to {tilt:.2g}",
            float(np.max(np.abs(residual - level))) / e.largest,
        )
    return None


def lost_variance_path(e: Evidence) -> Finding | None:
    """Find a residual proportional to x minus its mean, where scaling a row leaves the output as it is."""
    for axes, residual, numeric, _ in _groups(e):
        x = _rows(e.x[None], axes)
        c = x - x.mean(axis=-1, keepdims=True)
        size = np.sqrt((c**2).sum(axis=-1, keepdims=True))
        if np.any(size == 0):
            continue
        unit = c / size
        along = (residual * unit).sum(axis=-1, keepdims=True)
        rest = residual - along * unit
        if np.any(np.abs(rest) > 2 * _room(e, axes)):
            continue
        steep = np.abs((numeric * unit).sum(axis=-1, keepdims=True))
        if np.max(steep) > 1e-2 * e.largest:
            continue
        return Finding(
            "variance-path-wrong",
            f"the path through the VARIANCE is wrong along {axes_of(axes)} (missing, or with another sign or n)",
            f"yours − numeric is proportional to x̂ in every row; leftover {_leftover(e, rest)}",
            "scaling a row does not change the output, so each row of the gradient must be orthogonal to x̂; yours "
            f"gives up to {np.max(np.abs(along)):.2g}",
            float(np.max(np.abs(rest))) / e.largest,
        )
    return None


def lost_statistics(e: Evidence) -> Finding | None:
    """Find a residual in the span of 1 and x̂: both statistics were treated as constants."""
    for axes, residual, numeric, _ in _groups(e):
        x = _rows(e.x[None], axes)
        if x.shape[-1] < 4:
            continue
        c = x - x.mean(axis=-1, keepdims=True)
        size = np.sqrt((c**2).sum(axis=-1, keepdims=True))
        if np.any(size == 0):
            continue
        unit = c / size
        level = residual.mean(axis=-1, keepdims=True)
        along = (residual * unit).sum(axis=-1, keepdims=True)
        rest = residual - level - along * unit
        if np.any(np.abs(rest) > 3 * _room(e, axes)):
            continue
        if np.any(np.abs(numeric.sum(axis=-1)) > _room(e, axes).sum(axis=-1)):
            continue
        if np.max(np.abs((numeric * unit).sum(axis=-1))) > 1e-2 * e.largest:
            continue
        return Finding(
            "statistics-constant",
            f"mean and variance are treated as constants: both paths are missing along {axes_of(axes)}",
            f"yours − numeric is a constant plus a multiple of x̂ in every row; leftover {_leftover(e, rest)}",
            "each row of the gradient must sum to 0 and be orthogonal to x̂, because neither shifting nor scaling "
            "the row changes the output",
            float(np.max(np.abs(rest))) / e.largest,
        )
    return None


def _groups(e: Evidence) -> Iterator[tuple[tuple[int, ...], Array, Array, Array]]:
    """Yield axes and (residual, numeric, yours) as ``(cotangents, groups, n)`` for groups of at least 3 entries."""
    if not e.known.all() or e.x.ndim == 0:
        return
    for axes in axis_sets(e.x.ndim):
        if int(np.prod([e.x.shape[a] for a in axes])) < 3:
            continue
        yours, numeric = (_rows(v[: e.random].reshape(-1, *e.x.shape), axes) for v in (e.yours, e.numeric))
        yield axes, yours - numeric, numeric, yours


def _rows(values: Array, axes: tuple[int, ...]) -> Array:
    """Return ``(cotangents, *shape)`` as ``(cotangents, groups, n)`` with ``axes`` gathered into n."""
    ndim = values.ndim - 1
    kept = [a + 1 for a in range(ndim) if a not in axes]
    gathered = [a + 1 for a in axes]
    count = int(np.prod([values.shape[a] for a in gathered]))
    rows: Array = values.transpose(0, *kept, *gathered).reshape(len(values), -1, count)
    return rows


def _room(e: Evidence, axes: tuple[int, ...]) -> Array:
    room = (e.bar + e.doubt)[: e.random].reshape(-1, *e.x.shape)
    return 2 * _rows(room, axes)


def _leftover(e: Evidence, rest: Array) -> str:
    return amount(float(np.max(np.abs(rest), initial=0.0)) / e.largest)
