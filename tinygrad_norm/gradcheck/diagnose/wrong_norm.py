"""Mistakes in the backward pass of a normalization, told apart by rebuilding it with each of them.

For ``y = γ (x − μ)/σ + β`` with μ and σ over some axes of x, the Jacobian of one group of n entries is

    ∂yᵢ/∂xⱼ = dᵢ (δᵢⱼ − 1/n − κ cᵢ cⱼ),   c = x − μ,  d = γ/σ,  κ = 1/(n σ²),  σ² = var + eps

(without the 1/n for a norm that does not center). :func:`recognize_norm` finds d and κ, and from them γ, σ and eps. The
right backward pass, for h = γ g and x̂ = (x − μ)/σ, is ``dx = (h − mean(h) − x̂ · mean(h x̂)) / σ``: a direct path, a
path through the mean and a path through the variance. :func:`norm_mistake` names what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..measure.step_ladder import Array
from ..verdict import Flags
from .evidence import Evidence, Finding, Indices, amount, axes_of, axis_sets, but_for, grouped


@dataclass(frozen=True)
class Norm:
    """A normalization found in a numeric Jacobian; arrays have the shape of x or broadcast to it.

    ``axes`` are normalized over, ``where`` says so in words, ``centered`` is c, ``scale`` is d, ``sigma`` is σ
    including eps. Entries put together by their influence (``regrouped``) have axes of their own, which no words name.
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
    where: str
    regrouped: bool = False

    @property
    def x_hat(self) -> Array:
        """x̂, normalized and without γ and β."""
        return self.centered / self.sigma

    @property
    def gain(self) -> Array:
        """γ, in the shape of x."""
        return self.scale * self.sigma

    def mean(self, values: Array, axes: tuple[int, ...] | None = None) -> Array:
        """Return the mean over the normalized axes (or others) of values with a leading axis of rows."""
        over = tuple(a + 1 for a in (self.axes if axes is None else axes))
        mean: Array = values.mean(axis=over, keepdims=True)
        return mean


def recognize_norm(e: Evidence) -> Norm | None:
    """Return the normalization that the numeric Jacobian shows, or None."""
    if not (e.complete and e.same_shape and e.known.all()):
        return None
    large = (some for some in axis_sets(e.x.ndim) if np.prod([e.x.shape[a] for a in some]) >= 3)
    fits = (_fit(e, some, centers) for some in large for centers in (True, False))
    return next((norm for norm in fits if norm is not None), None)


def _fit(e: Evidence, axes: tuple[int, ...], centers: bool) -> Norm | None:
    """Fit d and κ group by group: two numbers for each output from n equations."""
    (groups,) = grouped(np.arange(e.x.size).reshape(1, *e.x.shape), axes)
    x, count = e.x.ravel(), groups.shape[1]
    variances, shrink, scale, centered = np.zeros((4, x.size))
    inside = np.zeros(e.jacobian.shape, dtype=bool)
    for group in groups:
        block = np.ix_(group, group)
        inside[block] = True
        c = x[group] - (x[group].mean() if centers else 0.0)
        centered[group] = c
        variances[group] = np.mean(c**2)
        base = np.eye(count) - (1 / count if centers else 0.0)
        # ∂yᵢ/∂x = dᵢ · baseᵢ + bᵢ · c with bᵢ = −κ dᵢ cᵢ
        d, b = np.zeros((2, count))
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
    seen = shrink > 0
    if not seen.any() or np.any(np.abs(e.jacobian) > e.allowed, where=~inside):
        return None
    across = inside & ~np.eye(x.size, dtype=bool)
    if not np.any(np.abs(e.jacobian) > 100 * e.allowed, where=across):
        return None  # elementwise: any number times x xᵀ would fit
    eps = _eps(count, shrink[seen], variances[seen])
    if eps is None:
        return None
    c, d, variance = (values.reshape(e.x.shape) for values in (centered, scale, variances))
    return Norm(e.x, axes, count, centers, c, d, np.sqrt(variance + eps), variance, eps, axes_of(axes))


def _eps(count: int, kappa: Array, variances: Array) -> float | None:
    """Return what must be added to the variances for κ = 1/(n (var + eps)), None if no one number will do."""
    eps_each = 1 / (count * kappa) - variances
    # The group with the smallest variance knows eps best.
    eps = float(eps_each[np.argmin(variances)])
    relative = np.abs(eps_each - eps) / (variances + abs(eps))
    if np.any(relative > 1e-5) or eps < -1e-7 * np.min(variances):
        return None
    # An eps below the precision of the fit is indistinguishable from none.
    return eps if eps > 1e-9 * np.min(variances) else 0.0


#: What the difference to the numeric gradient looks like for the best-known mistakes.
RESIDUALS = {
    "mean-path-missing": "yours − numeric is the same number along every row",
    "variance-path-missing": "yours − numeric is proportional to x̂ in every row",
    "variance-path-sign": "yours − numeric is proportional to x̂ in every row, twice what a missing path would leave",
    "statistics-constant": "yours − numeric is a constant plus a multiple of x̂ in every row",
}
REBUILT = "rebuilt with this mistake, the backward pass of this normalization is exactly yours"


def norm_mistake(e: Evidence) -> Iterator[Finding | None]:
    """Name what is wrong in the backward pass of a normalization."""
    norm = recognize_norm(e)
    if norm is None:
        groups = _connected(e.touched | e.touched.T) if e.complete and e.same_shape and e.known.all() else []
        regrouped = _by_groups(e, groups)
        norm = None if regrouped is None else recognize_norm(regrouped)
        if regrouped is None or norm is None:
            return
        norm = replace(norm, where=_varying(groups, e.x.shape), regrouped=True)
        e = regrouped
    rows = e.cotangents.reshape(-1, *e.x.shape)
    # The fit inherits the bars of the Jacobian, and a prediction those of the fit.
    slack = np.broadcast_to(8 * np.max(e.bar) * np.sum(np.abs(e.cotangents), axis=1, keepdims=True), e.yours.shape)
    formula = _right_rule(norm)
    for code, name, why, predicted in _candidates(norm, rows):
        evidence = RESIDUALS.get(code, REBUILT)
        shown = _seen_in(e, norm) if code in RESIDUALS else ""
        found = e.named(predicted.reshape(e.yours.shape), slack, code, name, evidence, why + shown)
        yield found and replace(found, formula=formula)
    found = _coefficients(e, norm, rows, slack)
    yield found and replace(found, formula=formula)


def _right_rule(norm: Norm) -> str:
    where = norm.where
    if norm.centers:
        return f"dx = (γg − mean(γg) − x̂ · mean(γg x̂)) / σ, means along {where}, x̂ = (x − mean(x)) / σ"
    return f"dx = (γg − x̂ · mean(γg x̂)) / r, means along {where}, r = √(mean(x²) + eps), x̂ = x / r"


def _varying(groups: Sequence[Indices], shape: tuple[int, ...]) -> str:
    """Return in words along which axes of x the entries of a group lie."""
    places = [np.unravel_index(group, shape) for group in groups]
    return axes_of(tuple(a for a in range(len(shape)) if any(np.ptp(place[a]) > 0 for place in places)))


def _by_groups(e: Evidence, groups: Sequence[Indices]) -> Evidence | None:
    """Return the same evidence with one row for each group of entries that influence each other, or None.

    That is how a group norm looks, or one that leaves out pads. Entries without influence are left out.
    """
    sizes = {len(g) for g in groups}
    if len(sizes) != 1 or min(sizes) < 3:
        return None
    order = np.concatenate(groups)
    outside = np.setdiff1d(np.arange(e.x.size), order)
    if np.any(np.abs(e.believed[outside]) > e.allowed[outside]):
        return None
    shape = (len(groups), sizes.pop())
    inputs = list(e.problem.inputs)
    inputs[e.position] = e.x.ravel()[order].reshape(shape)
    rows = np.concatenate([np.arange(e.random), e.random + order])
    chosen = {
        name: getattr(e, name)[np.ix_(rows, order)] for name in ("cotangents", "yours", "numeric", "bar", "doubt")
    }
    outputs = (e.outputs[0].ravel()[order].reshape(shape),)
    return replace(
        e, problem=e.problem.at(tuple(inputs)), outputs=outputs, still=e.still[np.ix_(order, order)], **chosen
    )


def _connected(neighbors: Flags) -> list[Indices]:
    """Return the entries that influence each other, those without any influence left out."""
    label = np.where(neighbors.any(axis=1), np.arange(len(neighbors)), -1)
    while True:
        smallest = np.where(neighbors, np.where(label >= 0, label, len(label))[None], len(label)).min(axis=1)
        spread = np.where(label >= 0, np.minimum(label, smallest), -1)
        if np.array_equal(spread, label):
            return [np.flatnonzero(label == k) for k in np.unique(label[label >= 0])]
        label = spread


def _seen_in(e: Evidence, norm: Norm) -> str:
    """Return what the rows of yours give where they must give 0."""
    rows = e.yours[: e.random].reshape(-1, *e.x.shape)
    over = tuple(a + 1 for a in norm.axes)
    total = float(np.max(np.abs(rows.sum(over))))
    product = float(np.max(np.abs((rows * norm.centered / norm.sigma).sum(over))))
    small = 1e-6 * e.largest
    shown = [f"sum to {total:.2g}"] if total > small and norm.centers else []
    shown += [f"times x̂ give {product:.2g}"] if product > small else []
    return f"; rows of yours {' and '.join(shown)}" if shown else ""


ORTHOGONAL = (
    "shifting a row does not change the output, so each row of the gradient sums to 0; scaling a row does not "
    "change it either (up to eps), so each row is orthogonal to x̂"
)


def _backward(
    norm: Norm, g: Array, sigma: Array, x_hat: Array, axes: tuple[int, ...] | None = None, ddof: int = 0
) -> Array:
    """Return the right formula with the wrong ingredients: another σ, x̂, set of axes or divisor."""
    factor = norm.count / (norm.count - ddof)
    mean_path = norm.mean(g, axes) if norm.centers else 0.0
    out: Array = (g - mean_path - factor * x_hat * norm.mean(g * x_hat, axes)) / sigma
    return out


def _candidates(norm: Norm, rows: Array) -> Iterator[tuple[str, str, str, Array]]:
    """Yield code, name, explanation and prediction of each mistake, the simple ones first."""
    where = f"along {norm.where}"
    sigma, x_hat, g = norm.sigma, norm.x_hat, norm.gain * rows
    along_mean = norm.mean(g) if norm.centers else np.zeros_like(norm.mean(g))
    along_var = x_hat * norm.mean(g * x_hat)
    mean_path, other_path = "the path through the MEAN", f"the path through the {'VARIANCE' if norm.centers else 'RMS'}"
    if norm.centers:
        why = "the mean depends on every entry of its row: " + ORTHOGONAL
        yield "mean-path-missing", f"{mean_path} is missing {where}", why, (g - along_var) / sigma
        name = f"both statistics are treated as constants: the paths through mean and variance are missing {where}"
        why = "mean and variance depend on every entry of the row: " + ORTHOGONAL
        yield "statistics-constant", name, why, g / sigma
        why = "the mean is subtracted, so its path is too: " + ORTHOGONAL
        yield "mean-path-sign", f"{mean_path} has the wrong sign {where}", why, (g + along_mean - along_var) / sigma
    why = "the scale depends on every entry of its row: " + ORTHOGONAL
    yield "variance-path-missing", f"{other_path} is missing {where}", why, (g - along_mean) / sigma
    why = "a larger deviation makes the output smaller, so this path is subtracted: " + ORTHOGONAL
    wrong_sign = (g - along_mean + along_var) / sigma
    yield "variance-path-sign", f"{other_path} has the wrong sign {where}", why, wrong_sign
    why = "the output is (x − μ)/σ, so the gradient carries 1/σ"
    undivided = _backward(norm, g, np.ones_like(sigma), x_hat)
    yield "sigma-missing", f"the division by σ {where} is missing", why, undivided
    why = "the gradient carries 1/σ once; the second one sits inside x̂"
    yield "sigma-twice", f"divided by σ {where} once too often", why, _backward(norm, g, sigma**2, x_hat)
    right = _backward(norm, rows, sigma, x_hat)
    why = "y = γ x̂ + β, so everything that flows back to x̂ is γ g: multiply first, then take the means"
    yield "gain-missing", "γ is forgotten: the incoming gradient is not multiplied by the weight", why, right
    yield "gain-after", "γ is multiplied after the means instead of before", why, norm.gain * right
    yield from _eps_candidates(norm, g)
    yield from _count_candidates(norm, g)
    yield from _axis_candidates(norm, g)


def _eps_candidates(norm: Norm, g: Array) -> Iterator[tuple[str, str, str, Array]]:
    if norm.eps <= 0:
        return
    outside = np.sqrt(norm.variance) + norm.eps
    without = np.sqrt(norm.variance)
    why = f"the forward pass uses σ = √(var + eps) with eps ≈ {norm.eps:.3g}; use the same σ on the way back"
    with np.errstate(all="ignore"):
        for hat in (norm.centered / outside, norm.x_hat):
            name = "eps stands outside the root: σ + eps where √(var + eps) belongs"
            yield "eps-outside", name, why, _backward(norm, g, outside, hat)
        for hat in (norm.centered / without, norm.x_hat):
            yield "eps-missing", "eps is forgotten on the way back", why, _backward(norm, g, without, hat)


def _count_candidates(norm: Norm, g: Array) -> Iterator[tuple[str, str, str, Array]]:
    n, x_hat = norm.count, norm.x_hat
    sample = np.sqrt(norm.variance * n / (n - 1) + norm.eps)
    name = f"n and n − 1 are confused (n = {n})"
    why = (
        "the forward pass normalizes with the population variance (divides by n); the backward pass must use the same n"
    )
    for sigma, hat, ddof in (
        (norm.sigma, x_hat, 1),
        (sample, norm.centered / sample, 0),
        (sample, norm.centered / sample, 1),
        (sample, x_hat, 0),
        (sample, x_hat, 1),
    ):
        yield "n-minus-one", name, why, _backward(norm, g, sigma, hat, ddof=ddof)
    factor = n / (n - 1)
    everything = g - factor * norm.mean(g) - factor * x_hat * norm.mean(g * x_hat)
    yield "n-minus-one", name, why, everything / norm.sigma


def _axis_candidates(norm: Norm, g: Array) -> Iterator[tuple[str, str, str, Array]]:
    for other in axis_sets(0 if norm.regrouped else norm.x.ndim):
        if other == norm.axes:
            continue
        name = f"works along {axes_of(other)} instead of {norm.where}"
        why = "layer norm takes statistics over the features of each row, batch norm over the batch for each feature"
        yield "wrong-axis", name, why, _backward(norm, g, norm.sigma, norm.x_hat, other)
        # Everything along the other axes, the statistics too.
        c = norm.x - norm.x.mean(axis=other, keepdims=True)
        sigma = np.sqrt(np.mean(c**2, axis=other, keepdims=True) + norm.eps)
        yield "wrong-axis", name, why, _backward(replace(norm, centers=True), g, sigma, c / sigma, other)


def _coefficients(e: Evidence, norm: Norm, rows: Array, slack: Array) -> Finding | None:
    """Fit how much of each path is there; name the path whose coefficient is not 1."""
    x_hat, g = norm.x_hat, norm.gain * rows
    parts = [g / norm.sigma, -x_hat * norm.mean(g * x_hat) / norm.sigma]
    if norm.centers:
        parts.append(np.broadcast_to(-norm.mean(g) / norm.sigma, g.shape))
    design = np.stack([p.ravel() for p in parts], axis=1)
    weights, *_ = np.linalg.lstsq(design, e.yours.ravel(), rcond=None)
    leftover = e.agrees((design @ weights).reshape(e.yours.shape), slack)
    if leftover is None:
        return None
    labels = ("direct path", "path through the VARIANCE", "path through the MEAN")
    off = [(label, w) for label, w in zip(labels, weights, strict=False) if abs(w - 1) > 1e-6]
    if not off:
        return None
    n = norm.count
    if all(min(abs(w - n / (n - 1)), abs(w - (n - 1) / n)) < 1e-6 for _, w in off):
        why = "the forward pass divides by one of them, the backward pass by the other"
        return but_for(leftover, "n-minus-one", f"n and n − 1 are confused (n = {n})", REBUILT, why)
    shown = " and ".join(
        f"the {label} is {f'multiplied by {w:.6g}' if abs(w) > 1e-6 else 'missing'}" for label, w in off
    )
    return Finding(
        "path-coefficient",
        f"{shown} along {norm.where}",
        f"with these coefficients the backward pass gives exactly yours, leftover {amount(leftover)}",
        "every path has coefficient 1 when the means are taken over n entries: " + ORTHOGONAL,
        leftover,
    )
