"""Recognizes a normalization by its numeric Jacobian.

For ``y = γ (x − μ)/σ + β`` with μ and σ over some axes of x, the Jacobian of one group of n entries is

    ∂yᵢ/∂xⱼ = dᵢ (δᵢⱼ − 1/n − κ cᵢ cⱼ),   c = x − μ,  d = γ/σ,  κ = 1/(n σ²),  σ² = var + eps

(without the 1/n for a norm that does not center). :func:`recognize` finds d and κ, and from them γ, σ and eps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..ladder import Array
from .evidence import Evidence, axis_sets

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Norm:
    """A normalization found in a numeric Jacobian; arrays have the shape of x or broadcast to it.

    ``axes`` are normalized over, ``centered`` is c, ``scale`` is d, ``sigma`` is σ including eps.
    """

    x: Array
    axes: tuple[int, ...]
    count: int
    centers: bool
    centered: Array
    scale: Array
    sigma: Array
    variance: Array
    eps: float

    @property
    def gain(self) -> Array:
        """γ, in the shape of x."""
        return self.scale * self.sigma

    def mean(self, values: Array, axes: tuple[int, ...] | None = None) -> Array:
        """Return the mean over the normalized axes (or others) of values with a leading axis of rows."""
        over = tuple(a + 1 for a in (self.axes if axes is None else axes))
        mean: Array = values.mean(axis=over, keepdims=True)
        return mean


def recognize(e: Evidence) -> Norm | None:
    """Return the normalization that the numeric Jacobian shows, or None."""
    if not (e.complete and e.same_shape and e.known.all()) or e.x.ndim == 0:
        return None
    for some in axis_sets(e.x.ndim):
        if int(np.prod([e.x.shape[a] for a in some])) < 3:
            continue
        for centers in (True, False):
            norm = _fit(e, some, centers)
            if norm is not None:
                return norm
    return None


def _fit(e: Evidence, axes: tuple[int, ...], centers: bool) -> Norm | None:
    """Fit d and κ group by group: two numbers for each output from n equations."""
    groups = _groups(e.x.shape, axes)
    x, count = e.x.ravel(), groups.shape[1]
    variances, shrink = np.zeros(x.size), np.zeros(x.size)
    scale, centered = np.zeros(x.size), np.zeros(x.size)
    inside = np.zeros(e.jacobian.shape, dtype=bool)
    usable = []
    for group in groups:
        block = np.ix_(group, group)
        inside[block] = True
        c = x[group] - (x[group].mean() if centers else 0.0)
        centered[group] = c
        variances[group] = np.mean(c**2)
        base = np.eye(count) - (1 / count if centers else 0.0)
        # ∂yᵢ/∂x = dᵢ · baseᵢ + bᵢ · c with bᵢ = −κ dᵢ cᵢ
        d = np.zeros(count)
        b = np.zeros(count)
        for i in range(count):
            design = np.stack([base[i], c], axis=1)
            (d[i], b[i]), *_ = np.linalg.lstsq(design, e.jacobian[group[i], group], rcond=None)
        fitted = d[:, None] * base + b[:, None] * c
        if np.any(np.abs(fitted - e.jacobian[block]) > 4 * e.allowed[block]):
            return None
        scale[group] = d
        weight = float(np.sum((d * c) ** 2))
        if weight > 0:
            kappa = -float(np.sum(b * d * c)) / weight
            slack = 8 * np.max(e.allowed[block]) / (np.max(np.abs(c)) or 1.0)
            if kappa <= 0 or np.any(np.abs(b + kappa * d * c) > slack):
                return None
            shrink[group] = kappa
            usable.append(group)
    if not usable or np.any(np.abs(e.jacobian) > e.allowed, where=~inside):
        return None
    across = inside & ~np.eye(x.size, dtype=bool)
    if not np.any(np.abs(e.jacobian) > 100 * e.allowed, where=across):
        return None  # elementwise: any number times x xᵀ would fit
    return _assemble(e, axes, centers, count, centered, scale, variances, shrink, usable)


def _assemble(
    e: Evidence,
    axes: tuple[int, ...],
    centers: bool,
    count: int,
    centered: Array,
    scale: Array,
    variances: Array,
    shrink: Array,
    usable: list[Indices],
) -> Norm | None:
    seen = np.concatenate(usable)
    eps_each = 1 / (count * shrink[seen]) - variances[seen]
    # The group with the smallest variance knows eps best.
    eps = float(eps_each[np.argmin(variances[seen])])
    relative = np.abs(eps_each - eps) / (variances[seen] + abs(eps))
    if np.any(relative > 1e-5) or eps < -1e-7 * np.min(variances[seen]):
        return None
    # An eps below the precision of the fit is indistinguishable from none.
    eps = eps if eps > 1e-9 * np.min(variances[seen]) else 0.0
    shape = e.x.shape
    variance = variances.reshape(shape)
    sigma = np.sqrt(variance + eps)
    c, d = centered.reshape(shape), scale.reshape(shape)
    return Norm(e.x, axes, count, centers, c, d, sigma, variance, eps)


def _groups(shape: tuple[int, ...], axes: tuple[int, ...]) -> Indices:
    """Return the flat indices of each group as rows."""
    index = np.arange(int(np.prod(shape))).reshape(shape)
    kept = [a for a in range(len(shape)) if a not in axes]
    count = int(np.prod([shape[a] for a in axes]))
    groups: Indices = index.transpose(*kept, *axes).reshape(-1, count)
    return groups
