"""Families of linear algebra, Fourier transforms, sorting, interpolation, implicit and iterative functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .case import Maker, Pair, fixed, keep_sum, normal, positive, put
from .elementwise import between
from .family import Family, at, slopes

Norm = Callable[..., Any]


def well_conditioned(n: int = 4, shift: float = 3.0) -> Any:
    return lambda rng: rng.standard_normal((n, n)) + shift * np.eye(n)


def symmetric(n: int = 4) -> Any:
    """Return a drawer of symmetric matrices with eigenvalues near 1, 2, 3 and so on."""

    def drawn(rng: np.random.Generator) -> Any:
        a = rng.standard_normal((n, n)) / 10
        return np.diag(np.arange(1.0, n + 1)) + a + a.T

    return drawn


def singular(smallest: float) -> Any:
    """Return a drawer of matrices whose smallest singular value is given."""

    def drawn(rng: np.random.Generator) -> Any:
        u, _, v = np.linalg.svd(rng.standard_normal((4, 4)))
        return u @ np.diag([2.0, 1.0, 0.5, smallest]) @ v

    return drawn


def solved(g: Any, y: Any, a: Any, b: Any) -> Any:
    s = np.linalg.solve(a.T, g)
    return -s @ y.T, s


def cholesky_rule(g: Any, y: Any, x: Any) -> Any:
    inner = np.tril(y.T @ np.tril(g))
    inner[np.diag_indices(len(x))] /= 2
    inverse = np.linalg.inv(y)
    s = inverse.T @ inner @ inverse
    return (s + s.T) / 2


def symmetric_part(x: Any) -> Any:
    return (x + x.T) / 2


def eigenvalues_rule(g: Any, x: Any) -> Any:
    v = np.linalg.eigh(symmetric_part(x))[1]
    return (v * g) @ v.T


def singular_values_rule(g: Any, x: Any) -> Any:
    u, _, v = np.linalg.svd(x, full_matrices=False)
    return (u * g) @ v


def cofactors(x: Any) -> Any:
    return np.linalg.det(x) * np.linalg.inv(x).T


def power_rule(g: Any, x: Any) -> Any:
    t = x.T
    return g @ t @ t + t @ g @ t + t @ t @ g


def projected(x: Any, u: Any) -> Any:
    return x - (x @ u)[:, None] * u / (u @ u)


def projected_rule(g: Any, x: Any, u: Any) -> Any:
    n, gu, xu = u @ u, g @ u, x @ u
    return projected(g, u), -(gu @ x) / n - (xu @ g) / n + 2 * (gu @ xu) * u / n**2


def ball(x: Any) -> Any:
    return x / np.maximum(np.sqrt(keep_sum(x * x)), 1)


def ball_rule(g: Any, y: Any, x: Any) -> Any:
    r = np.sqrt(keep_sum(x * x))
    return np.where(r > 1, (g - y * keep_sum(g * y)) / r, g)


def thomas(d: Any, b: Any) -> Any:
    """Solve a tridiagonal system with diagonal d and ones beside it."""
    n = len(d)
    c, y = np.zeros(n), np.zeros(n)
    for i in range(n):
        m = d[i] - (c[i - 1] if i else 0)
        c[i] = 1 / m
        y[i] = (b[i] - (y[i - 1] if i else 0)) / m
    for i in reversed(range(n - 1)):
        y[i] -= c[i] * y[i + 1]
    return y


def distances(x: Any) -> Any:
    d = x[:, None] - x
    return np.sqrt((d * d).sum(-1) + np.eye(len(x)))


def distances_rule(g: Any, y: Any, x: Any, both: bool = True) -> Any:
    w = g / y
    w = w + w.T if both else w
    return w.sum(1)[:, None] * x - w @ x


LINEAR = (
    Family(
        "inverse",
        np.linalg.inv,
        lambda g, y, x: -y.T @ g @ y.T,
        at(well_conditioned()),
        {
            ("not transposed", "not-transposed"): lambda g, y, x: -y @ g @ y,
            ("sign", "sign-flipped"): lambda g, y, x: y.T @ g @ y.T,
            ("one factor", "unnamed"): lambda g, y, x: -g @ y.T,
        },
    ),
    Family(
        "solution of a system",
        np.linalg.solve,
        solved,
        at(well_conditioned(), normal(4, 3)),
        {
            ("sign for a", "sign-flipped"): lambda g, y, a, b: (-solved(g, y, a, b)[0], solved(g, y, a, b)[1]),
            ("a not transposed for b", "not-transposed"): lambda g, y, a, b: (
                solved(g, y, a, b)[0],
                np.linalg.solve(a, g),
            ),
            ("transposed for a", "transposed"): lambda g, y, a, b: (solved(g, y, a, b)[0].T, solved(g, y, a, b)[1]),
        },
    ),
    Family(
        "solution, one vector",
        np.linalg.solve,
        lambda g, y, a, b: (-np.outer(np.linalg.solve(a.T, g), y), np.linalg.solve(a.T, g)),
        at(well_conditioned(), normal(4)),
        {
            ("a not transposed for b", "not-transposed"): lambda g, y, a, b: (
                -np.outer(np.linalg.solve(a.T, g), y),
                np.linalg.solve(a, g),
            ),
        },
    ),
    Family("solution, σ down to 1e-6", lambda a, b: np.linalg.solve(a, b), solved, at(singular(1e-6), normal(4, 3))),
    Family("solution, σ down to 1e-10", lambda a, b: np.linalg.solve(a, b), solved, at(singular(1e-10), normal(4, 3))),
    Family("inverse, σ down to 1e-12", lambda x: np.linalg.inv(x), lambda g, y, x: -y.T @ g @ y.T, at(singular(1e-12))),
    Family(
        "determinant",
        np.linalg.det,
        lambda g, x: g * cofactors(x),
        at(normal(4, 4)),
        {
            ("transposed", "transposed"): lambda g, x: g * cofactors(x).T,
            ("determinant forgotten", "known-factor"): lambda g, x: g * np.linalg.inv(x).T,
            ("trace alone", "unnamed"): lambda g, x: g * np.linalg.det(x) * np.eye(4),
        },
    ),
    Family(
        "log determinant",
        lambda x: np.linalg.slogdet(x)[1],
        lambda g, x: g * np.linalg.inv(x).T,
        at(normal(4, 4)),
        {
            ("transposed", "transposed"): lambda g, x: g * np.linalg.inv(x),
            ("not inverted", "unnamed"): lambda g, x: g * x.T,
        },
    ),
    Family(
        "Cholesky factor",
        lambda x: np.linalg.cholesky(symmetric_part(x)),
        cholesky_rule,
        at(symmetric()),
        {
            ("half of the diagonal forgotten", "unnamed"): lambda g, y, x: symmetric_part(
                np.linalg.inv(y).T @ np.tril(y.T @ np.tril(g)) @ np.linalg.inv(y)
            ),
            ("not symmetrized", "unnamed"): lambda g, y, x: (
                np.linalg.inv(y).T @ np.tril(y.T @ np.tril(g)) @ np.linalg.inv(y)
            ),
        },
    ),
    Family(
        "eigenvalues",
        lambda x: np.linalg.eigvalsh(symmetric_part(x)),
        eigenvalues_rule,
        at(symmetric()),
        {
            ("vectors transposed", "unnamed"): lambda g, x: (lambda v: (v.T * g) @ v)(
                np.linalg.eigh(symmetric_part(x))[1]
            ),
            ("order reversed", "wrong-outputs"): lambda g, x: eigenvalues_rule(g[::-1], x),
            ("values on the diagonal", "unnamed"): lambda g, x: np.diag(g),
        },
    ),
    Family(
        "singular values",
        lambda x: np.linalg.svd(x, compute_uv=False),
        singular_values_rule,
        at(normal(5, 3)),
        {
            ("sign of u", "sign-flipped"): lambda g, x: -singular_values_rule(g, x),
            ("sum of u and v", "unnamed"): lambda g, x: singular_values_rule(np.ones(3) * g.sum() / 3, x),
        },
    ),
    Family(
        "trace",
        np.trace,
        lambda g, x: g * np.eye(5, 7),
        at(normal(5, 7)),
        {
            ("to all", "leak"): lambda g, x: g + 0 * x,
            ("identity divided", "sum-as-mean"): lambda g, x: g * np.eye(5, 7) / 5,
        },
    ),
    Family(
        "quadratic form",
        lambda x, a: x @ a @ x,
        lambda g, x, a: (g * (a + a.T) @ x, g * np.outer(x, x)),
        at(normal(5), normal(5, 5)),
        {
            ("2 a x", "unnamed"): lambda g, x, a: (2 * g * a @ x, g * np.outer(x, x)),
            ("a x alone", "path-dropped"): lambda g, x, a: (g * a @ x, g * np.outer(x, x)),
            ("x not squared", "factor-missing"): lambda g, x, a: (g * (a + a.T) @ x, g * np.outer(x, np.ones(5))),
        },
    ),
    Family(
        "matrix cube",
        lambda x: x @ x @ x,
        power_rule,
        at(normal(4, 4)),
        {
            ("as of a number", "unnamed"): lambda g, x: 3 * g @ x.T @ x.T,
            ("not transposed", "not-transposed"): lambda g, x: power_rule(g, x.T),
            ("one path", "path-dropped"): lambda g, x: g @ x.T @ x.T,
        },
    ),
    Family(
        "Gram matrix",
        lambda x: x.T @ x,
        lambda g, x: x @ (g + g.T),
        at(normal(5, 3)),
        {
            ("one path", "path-dropped"): lambda g, x: x @ g,
            ("one path twice", "path-dropped"): lambda g, x: 2 * x @ g,
        },
    ),
    Family(
        "outer product",
        np.outer,
        lambda g, a, b: (g @ b, g.T @ a),
        at(normal(5), normal(7)),
        {
            ("b summed", "local-derivative-missing"): lambda g, a, b: (g.sum(1), g.T @ a),
            ("b averaged over", "sum-as-mean"): lambda g, a, b: (g @ b / 7, g.T @ a),
        },
    ),
    Family(
        "Kronecker product",
        np.kron,
        lambda g, a, b: (
            np.einsum("ikjl,kl->ij", g.reshape(2, 3, 3, 2), b),
            np.einsum("ikjl,ij->kl", g.reshape(2, 3, 3, 2), a),
        ),
        at(normal(2, 3), normal(3, 2)),
        {
            ("exchanged", "wrong-outputs"): lambda g, a, b: (
                np.einsum("ikjl,kl->ij", g.reshape(2, 3, 3, 2), b),
                np.einsum("kilj,ij->kl", g.reshape(3, 2, 2, 3), a),
            ),
        },
    ),
    Family(
        "cross product",
        lambda a, b: np.cross(a, b),
        lambda g, a, b: (np.cross(b, g), np.cross(g, a)),
        at(normal(5, 3), normal(5, 3)),
        {
            ("order of the factors", "sign-flipped"): lambda g, a, b: (np.cross(g, b), np.cross(g, a)),
        },
    ),
    Family(
        "chain of three",
        lambda a, b, c: a @ b @ c,
        lambda g, a, b, c: (g @ c.T @ b.T, a.T @ g @ c.T, (a @ b).T @ g),
        at(normal(5, 3), normal(3, 2), normal(2, 7)),
        {
            ("middle without c", "wrong-shape"): lambda g, a, b, c: (g @ c.T @ b.T, a.T @ g, (a @ b).T @ g),
            ("last without b", "wrong-shape"): lambda g, a, b, c: (g @ c.T @ b.T, a.T @ g @ c.T, a.T @ g),
            ("averaged over the rows", "sum-as-mean"): lambda g, a, b, c: (
                g @ c.T @ b.T,
                a.T @ g @ c.T,
                (a @ b).T @ g / 5,
            ),
        },
    ),
    Family(
        "projection off a vector",
        projected,
        projected_rule,
        at(normal(5, 3), normal(3)),
        {
            ("u constant", "zero"): lambda g, x, u: (projected(g, u), None),
            ("length of u constant", "length-path-missing"): lambda g, x, u: (
                projected(g, u),
                -((g @ u) @ x + (x @ u) @ g) / (u @ u),
            ),
            ("not projected", "local-derivative-missing"): lambda g, x, u: (g, projected_rule(g, x, u)[1]),
        },
    ),
    Family(
        "projection onto the ball",
        ball,
        ball_rule,
        at(put(normal(5, 3), 0.1, 0, 1, 2)),
        {
            ("as if inside", "local-derivative-missing"): lambda g, y, x: g,
            ("length constant", "path-dropped"): lambda g, y, x: g / np.maximum(np.sqrt(keep_sum(x * x)), 1),
        },
    ),
    Family(
        "tridiagonal system",
        thomas,
        lambda g, y, d, b: (-thomas(d, g) * y, thomas(d, g)),
        at(lambda rng: 3 + rng.random(6), normal(6)),
        {
            ("sign for d", "sign-flipped"): lambda g, y, d, b: (thomas(d, g) * y, thomas(d, g)),
            ("only divided", "unnamed"): lambda g, y, d, b: (-thomas(d, g) * y, g / d),
        },
    ),
    Family(
        "distances of points",
        distances,
        distances_rule,
        at(normal(5, 3)),
        {
            ("one of two ends", "path-dropped"): lambda g, y, x: distances_rule(g, y, x, False),
            ("not divided", "factor-extra"): lambda g, y, x: distances_rule(g, 1, x),
        },
    ),
    Family(
        "least squares",
        lambda b: np.linalg.lstsq(DESIGN, b, rcond=None)[0],
        lambda g, b: np.linalg.pinv(DESIGN).T @ g,
        at(normal(7)),
        {
            ("normal equations halved", "inverse-for-transpose"): lambda g, b: DESIGN @ g,
        },
    ),
    Family(
        "block matrix",
        lambda a, b: np.block([[a, b], [b.T, a.T]]),
        lambda g, a, b: (g[:3, :3] + g[3:, 3:].T, g[:3, 3:] + g[3:, :3].T),
        at(normal(3, 3), normal(3, 3)),
        {
            ("upper row alone", "contributions-overwritten"): lambda g, a, b: (g[:3, :3], g[:3, 3:]),
            ("lower row not transposed", "wrong-entries"): lambda g, a, b: (
                g[:3, :3] + g[3:, 3:],
                g[:3, 3:] + g[3:, :3],
            ),
        },
    ),
)
DESIGN = np.vander(np.linspace(-1, 1, 7), 3)


def half_spectrum(x: Any) -> Any:
    f = np.fft.rfft(x)
    return f.real, f.imag


def half_rule(g: Any, x: Any, sign: int = 1) -> Any:
    k, t = np.arange(4)[:, None], np.arange(7)
    angle = 2 * np.pi * k * t / 7
    return g[0] @ np.cos(angle) - sign * g[1] @ np.sin(angle)


def power_spectrum(x: Any) -> Any:
    return np.abs(np.fft.fft(x)) ** 2


def power_spectrum_rule(g: Any, x: Any) -> Any:
    return 2 * len(x) * np.fft.ifft(g * np.fft.fft(x)).real


COSINES = np.cos(np.pi * np.arange(7)[:, None] * (np.arange(7) + 0.5) / 7)


def trigonometric(x: Any) -> Any:
    f = np.fft.fft(x)
    return f.real - f.imag


FOURIER = (
    Family(
        "half of a spectrum",
        half_spectrum,
        half_rule,
        at(normal(7)),
        {
            ("not conjugated", "misplaced"): lambda g, x: half_rule(g, x, -1),
            ("imaginary part dropped", "contributions-overwritten"): lambda g, x: half_rule((g[0], 0 * g[1]), x),
            ("divided by n", "sum-as-mean"): lambda g, x: half_rule(g, x) / 7,
        },
    ),
    Family(
        "power spectrum",
        power_spectrum,
        power_spectrum_rule,
        at(normal(7)),
        {
            ("n forgotten", "sum-as-mean"): lambda g, x: power_spectrum_rule(g, x) / 7,
            ("2 forgotten", "known-factor"): lambda g, x: power_spectrum_rule(g, x) / 2,
            ("fft for its inverse", "misplaced"): lambda g, x: 2 * np.fft.fft(g * np.fft.fft(x)).real,
        },
    ),
    Family(
        "cosine transform",
        lambda x: COSINES @ x,
        lambda g, x: COSINES.T @ g,
        at(normal(7)),
        {
            ("not transposed", "not-transposed"): lambda g, x: COSINES @ g,
            ("by its inverse", "inverse-for-transpose"): lambda g, x: np.linalg.inv(COSINES) @ g,
        },
    ),
    Family(
        "Hartley transform",
        trigonometric,
        lambda g, x: trigonometric(g),
        at(normal(7)),
        {
            ("real part alone", "unnamed"): lambda g, x: np.fft.fft(g).real,
            ("divided by n", "sum-as-mean"): lambda g, x: trigonometric(g) / 7,
        },
    ),
    Family(
        "shifted spectrum",
        lambda x: np.fft.fftshift(x, 1),
        lambda g, x: np.fft.ifftshift(g, 1),
        at(normal(3, 7)),
        {
            ("shifted again", "permutation-not-inverted"): lambda g, x: np.fft.fftshift(g, 1),
        },
    ),
)


def scattered(order: Norm, take: Any = slice(None)) -> Norm:
    """Return the backward pass of sorting: each entry back to where it came from."""

    def rule(g: Any, x: Any) -> Any:
        dx = np.zeros_like(x)
        np.put_along_axis(dx, order(x)[:, take], g, 1)
        return dx

    return rule


def descending(x: Any) -> Any:
    return np.argsort(-x, 1)


def ascending(x: Any) -> Any:
    return np.argsort(x, 1)


def middle(g: Any, x: Any) -> Any:
    return scattered(ascending, slice(3, 4))(g[:, None], x)


def even_middle(g: Any, x: Any) -> Any:
    return scattered(ascending, slice(2, 4))(np.repeat(g[:, None] / 2, 2, 1), x)


def quantile(x: Any) -> Any:
    s = np.sort(x, 1)
    return 0.7 * s[:, 1] + 0.3 * s[:, 2]


def trimmed(g: Any, x: Any, share: float = 5) -> Any:
    return scattered(ascending, slice(1, 6))(np.repeat(g[:, None] / share, 5, 1), x)


def transport(a: Any, b: Any) -> Any:
    return np.abs(np.sort(a) - np.sort(b)).sum()


def transport_rule(g: Any, a: Any, b: Any) -> Any:
    s = g * np.sign(np.sort(a) - np.sort(b))
    da, db = np.zeros_like(a), np.zeros_like(b)
    da[np.argsort(a)], db[np.argsort(b)] = s, -s
    return da, db


SORTING = (
    Family(
        "sorting down",
        lambda x: -np.sort(-x, 1),
        scattered(descending),
        {"": [normal(3, 7)], " with ties": [put(normal(3, 7), 1.0, 1, 2, 3)]},
        {
            ("ranks for order", "permutation-not-inverted"): lambda g, x: np.take_along_axis(g, descending(x), 1),
            ("sorted up", "misplaced"): scattered(ascending),
            ("not unsorted", "misplaced"): lambda g, x: g,
        },
    ),
    Family(
        "three largest",
        lambda x: -np.sort(-x, 1)[:, :3],
        scattered(descending, slice(3)),
        at(normal(3, 7)),
        {
            ("to the first three", "wrong-entries"): lambda g, x: np.pad(g, ((0, 0), (0, 4))),
            ("to the three smallest", "wrong-entries"): scattered(ascending, slice(3)),
        },
    ),
    Family(
        "median of seven",
        lambda x: np.median(x, 1),
        middle,
        at(normal(3, 7)),
        {
            ("to all", "leak"): lambda g, x: g[:, None] + 0 * x,
            ("as a mean", "wrong-entries"): lambda g, x: g[:, None] / 7 + 0 * x,
        },
    ),
    Family(
        "median of six",
        lambda x: np.median(x, 1),
        even_middle,
        at(normal(3, 6)),
        {
            ("½ forgotten", "scale-missing"): lambda g, x: 2 * even_middle(g, x),
            ("to the lower one", "wrong-entries"): lambda g, x: scattered(ascending, slice(2, 3))(g[:, None], x),
        },
    ),
    Family(
        "quantile",
        quantile,
        lambda g, x: scattered(ascending, slice(1, 3))(np.stack([0.7 * g, 0.3 * g], 1), x),
        at(normal(3, 7)),
        {
            ("weights exchanged", "wrong-entries"): lambda g, x: scattered(ascending, slice(1, 3))(
                np.stack([0.3 * g, 0.7 * g], 1), x
            ),
        },
    ),
    Family(
        "trimmed mean",
        lambda x: np.sort(x, 1)[:, 1:6].mean(1),
        trimmed,
        at(normal(3, 7)),
        {
            ("divided by all", "constant-factor"): lambda g, x: trimmed(g, x, 7),
            ("nothing trimmed", "leak"): lambda g, x: g[:, None] / 5 + 0 * x,
        },
    ),
    Family(
        "range",
        lambda x: np.ptp(x, 1),
        lambda g, x: scattered(ascending, slice(0, 7, 6))(np.stack([-g, g], 1), x),
        at(normal(3, 7)),
        {
            ("minimum's sign", "some-signs"): lambda g, x: scattered(ascending, slice(0, 7, 6))(np.stack([g, g], 1), x),
            ("maximum alone", "entries-dropped"): lambda g, x: scattered(ascending, slice(6, 7))(g[:, None], x),
        },
    ),
    Family(
        "transport in one dimension",
        transport,
        transport_rule,
        # Ranks that decide every sign, so that the mistake is one for every seed.
        at(
            lambda rng: np.array([3, 0, 5, 1, 6, 2, 4]) + rng.uniform(-0.1, 0.1, 7),
            lambda rng: np.array([6.3, 2.3, 0.3, 4.3, 0.7, 4.7, 2.7]) + rng.uniform(-0.1, 0.1, 7),
        ),
        {
            ("not sorted", "some-signs"): lambda g, a, b: (g * np.sign(a - b), g * np.sign(b - a)),
            ("sign for b", "sign-flipped"): lambda g, a, b: (transport_rule(g, a, b)[0], -transport_rule(g, a, b)[1]),
        },
    ),
)

KNOTS = np.linspace(0, 3, 7)
WHERE = np.array([0.1, 0.7, 0.7, 1.9, 2.9])
CELL = np.searchsorted(KNOTS, WHERE) - 1
SHARE = (WHERE - KNOTS[CELL]) / 0.5


def interpolation_rule(g: Any, y: Any, add: bool = True) -> Any:
    dy = np.zeros_like(y)
    for i, (k, s) in enumerate(zip(CELL, SHARE, strict=True)):
        dy[k] = g[i] * (1 - s) + (dy[k] if add else 0)
        dy[k + 1] = g[i] * s + (dy[k + 1] if add else 0)
    return dy


VALUES = np.array([0.0, 1.0, -1.0, 2.0, 0.5, 3.0, -2.0])


def slope_of(x: Any) -> Any:
    return (np.diff(VALUES) / 0.5)[np.clip(np.searchsorted(KNOTS, x, side="right") - 1, 0, 5)]


def horner(c: Any, x: Any) -> Any:
    out = np.zeros_like(x)
    for coefficient in c:
        out = out * x + coefficient
    return out


def horner_rule(g: Any, c: Any, x: Any, order: int = 1) -> Any:
    powers = np.arange(len(c))[::-1]
    dx = sum(k * a * x ** (k - 1) for k, a in zip(powers, c, strict=True) if k)
    return np.array([np.sum(g * x**k) for k in powers])[::order], g * dx


SPLINE = np.diag(np.full(5, 4.0)) + np.diag(np.ones(4), 1) + np.diag(np.ones(4), -1)


def second_difference(x: Any) -> Any:
    return x[2:] - 2 * x[1:-1] + x[:-2]


def second_rule(g: Any, x: Any, two: float = 2) -> Any:
    return np.pad(g, (2, 0)) - two * np.pad(g, (1, 1)) + np.pad(g, (0, 2))


def gradient_rule(g: Any, x: Any) -> Any:
    return np.gradient(np.eye(len(x)), axis=0).T @ g


INTERPOLATION = (
    Family(
        "interpolation by its values",
        lambda y: np.interp(WHERE, KNOTS, y),
        interpolation_rule,
        at(normal(7)),
        {
            ("overwritten", "path-dropped"): lambda g, y: interpolation_rule(g, y, False),
            ("nearest alone", "wrong-entries"): lambda g, y: np.bincount(CELL, g, 7),
            ("weights exchanged", "complement"): lambda g, y: sum(
                np.bincount(CELL + k, g * s, 7) for k, s in ((0, SHARE), (1, 1 - SHARE))
            ),
        },
    ),
    slopes(
        "interpolation by its place",
        lambda x: np.interp(x, KNOTS, VALUES),
        lambda x, _: slope_of(x),
        {"": between(0.05, 2.95), " at the knots": put(between(0.05, 2.95), 1.5, 0, 1, 2)},
        wrong={
            ("not divided by the spacing", "half"): lambda x, _: slope_of(x) / 2,
            ("of the next cell", "wrong-branch"): lambda x, _: slope_of(x + 0.5),
        },
    ),
    Family(
        "polynomial",
        horner,
        horner_rule,
        at(normal(4), normal(7)),
        {
            ("coefficients reversed", "flipped"): lambda g, c, x: horner_rule(g, c, x, -1),
            ("constant term's slope", "path-dropped"): lambda g, c, x: (horner_rule(g, c, x)[0], g * horner(c[:-1], x)),
        },
    ),
    Family(
        "spline's moments",
        lambda y: np.linalg.solve(SPLINE, 6 * second_difference(y)),
        lambda g, y: second_rule(6 * np.linalg.solve(SPLINE, g), y),
        at(normal(7)),
        {
            ("not solved", "inner-derivative-missing"): lambda g, y: second_rule(6 * g, y),
            ("6 forgotten", "known-factor"): lambda g, y: second_rule(np.linalg.solve(SPLINE, g), y),
        },
    ),
    Family(
        "second difference",
        second_difference,
        second_rule,
        at(normal(7)),
        {
            ("2 forgotten", "some-scaled"): lambda g, x: second_rule(g, x, 1),
            ("middle alone", "path-dropped"): lambda g, x: -2 * np.pad(g, (1, 1)),
            ("sign of the middle", "some-signs"): lambda g, x: second_rule(g, x, -2),
        },
    ),
    Family(
        "difference quotients",
        np.gradient,
        gradient_rule,
        at(normal(7)),
        {
            ("not transposed", "not-transposed"): lambda g, x: np.gradient(g),
            ("sign", "sign-flipped"): lambda g, x: -gradient_rule(g, x),
        },
    ),
    Family(
        "trapezoids",
        lambda y: np.trapezoid(y, dx=0.25),
        lambda g, y: g * 0.25 * np.array([0.5, 1, 1, 1, 1, 1, 0.5]),
        at(normal(7)),
        {
            ("ends whole", "some-scaled"): lambda g, y: g * 0.25 + 0 * y,
            ("dx forgotten", "known-factor"): lambda g, y: g * np.array([0.5, 1, 1, 1, 1, 1, 0.5]),
        },
    ),
)

W = np.array([[0.2, -0.3, 0.1], [0.4, 0.1, -0.2], [-0.1, 0.3, 0.2]])


def newton_root(x: Any) -> Any:
    y = np.ones_like(x)
    for _ in range(30):
        y = (y + x / y) / 2
    return y


def fixed_point(x: Any) -> Any:
    y = np.zeros_like(x)
    for _ in range(80):
        y = np.tanh(W @ y + x)
    return y


def loose_fixed_point(x: Any) -> Any:
    y = np.zeros_like(x)
    for _ in range(200):
        before, y = y, np.tanh(W @ y + x)
        if np.max(np.abs(y - before)) < 1e-6:
            break
    return y


def fixed_point_rule(g: Any, y: Any, x: Any, matrix: Any = W.T, implicit: float = 1.0) -> Any:
    d = 1 - y * y
    return d * np.linalg.solve(np.eye(3) - implicit * matrix * d, g)


def kepler(m: Any, e: Any) -> Any:
    x = m.copy()
    for _ in range(50):
        x = x - (x - e * np.sin(x) - m) / (1 - e * np.cos(x))
    return x


def bisection(x: Any) -> Any:
    low, high = np.zeros_like(x), np.full_like(x, 4.0)
    for _ in range(60):
        mid = (low + high) / 2
        above = mid**3 + mid > x
        low, high = np.where(above, low, mid), np.where(above, mid, high)
    return (low + high) / 2


def logistic_steps(x: Any, r: Any) -> Any:
    for _ in range(10):
        x = x + 0.1 * r * x * (1 - x)
    return x


def logistic_rule(g: Any, x: Any, r: Any, steps: int = 10, total: bool = True) -> Any:
    states = [x]
    for _ in range(9):
        states.append(states[-1] + 0.1 * r * states[-1] * (1 - states[-1]))
    dr = np.zeros_like(r)
    for state in states[::-1][:steps]:
        dr = (dr if total else 0) + g * 0.1 * state * (1 - state)
        g = g * (1 + 0.1 * r * (1 - 2 * state))
    return g, dr


def descent(x: Any) -> Any:
    """Return ten steps of gradient descent on ½ yᵀ A y − xᵀ y."""
    y = np.zeros_like(x)
    for _ in range(10):
        y = y - 0.2 * (A @ y - x)
    return y


A = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.3], [0.0, 0.3, 1.5]])


def descent_rule(g: Any, x: Any, steps: int = 10) -> Any:
    total = np.zeros_like(g)
    for _ in range(steps):
        total = total + 0.2 * g
        g = g - 0.2 * A @ g
    return total


def sinkhorn(x: Any) -> Any:
    for _ in range(3):
        x = x - np.log(np.exp(x).sum(1, keepdims=True))
        x = x - np.log(np.exp(x).sum(0, keepdims=True))
    return x


def sinkhorn_rule(g: Any, x: Any, rounds: int = 3) -> Any:
    saved = []
    for _ in range(3):
        x = x - np.log(np.exp(x).sum(1, keepdims=True))
        saved.append(x)
        x = x - np.log(np.exp(x).sum(0, keepdims=True))
        saved.append(x)
    for k, y in enumerate(saved[::-1][: 2 * rounds]):
        g = g - np.exp(y) * g.sum(k % 2, keepdims=True)
    return g


def chaotic(x: Any) -> Any:
    for _ in range(12):
        x = 3.9 * x * (1 - x)
    return x


def chaotic_rule(g: Any, x: Any) -> Any:
    for _ in range(12):
        g, x = g * 3.9 * (1 - 2 * x), 3.9 * x * (1 - x)
    return g


ITERATIVE = (
    Family(
        "Newton's root",
        newton_root,
        lambda g, y, x: g / (2 * y),
        at(positive(5, 7)),
        {
            ("½ forgotten", "known-factor"): lambda g, y, x: g / y,
            ("last step alone", "half"): lambda g, y, x: g / (4 * y),
            ("of the output's square", "power-rule"): lambda g, y, x: g / (2 * x),
        },
    ),
    Family(
        "fixed point",
        fixed_point,
        fixed_point_rule,
        at(normal(3)),
        {
            ("not transposed", "not-transposed"): lambda g, y, x: np.linalg.solve(
                np.eye(3) - (1 - y * y)[:, None] * W, (1 - y * y) * g
            ),
            ("one step", "unnamed"): lambda g, y, x: (1 - y * y) * g,
            ("sign inside", "unnamed"): lambda g, y, x: fixed_point_rule(g, y, x, implicit=-1.0),
        },
    ),
    Family("fixed point to 1e-6", loose_fixed_point, fixed_point_rule, at(normal(3))),
    Family(
        "Kepler's equation",
        kepler,
        lambda g, y, m, e: (g / (1 - e * np.cos(y)), g * np.sin(y) / (1 - e * np.cos(y))),
        at(normal(5), between(0.1, 0.6, 5)),
        {
            ("sign inside", "sign-inside"): lambda g, y, m, e: (
                g / (1 + e * np.cos(y)),
                g * np.sin(y) / (1 - e * np.cos(y)),
            ),
            ("of the input", "input-for-output"): lambda g, y, m, e: (
                g / (1 - e * np.cos(m)),
                g * np.sin(y) / (1 - e * np.cos(y)),
            ),
            ("implicit part forgotten", "local-derivative-missing"): lambda g, y, m, e: (
                g,
                g * np.sin(y) / (1 - e * np.cos(y)),
            ),
        },
    ),
    Family(
        "bisection",
        bisection,
        lambda g, y, x: g / (3 * y * y + 1),
        at(between(0.5, 9.0)),
        {
            ("upside down", "reciprocal"): lambda g, y, x: g * (3 * y * y + 1),
            ("of the input", "input-for-output"): lambda g, y, x: g / (3 * x * x + 1),
        },
    ),
    Family(
        "Euler steps",
        logistic_steps,
        logistic_rule,
        at(between(0.1, 0.9, 3, 5), positive(3, 5)),
        {
            ("last step left out", "path-dropped"): lambda g, x, r: logistic_rule(g, x, r, 9),
            ("rate overwritten", "path-dropped"): lambda g, x, r: logistic_rule(g, x, r, 10, False),
        },
    ),
    Family(
        "gradient descent, unrolled",
        descent,
        descent_rule,
        at(normal(3)),
        {
            ("to the solution", "unnamed"): lambda g, x: np.linalg.solve(A, g),
            ("last step left out", "path-dropped"): lambda g, x: descent_rule(g, x, 9),
        },
    ),
    Family(
        "Sinkhorn",
        sinkhorn,
        sinkhorn_rule,
        at(normal(3, 4)),
        {
            ("one round", "unnamed"): lambda g, x: sinkhorn_rule(g, x, 1),
            ("passed on", "local-derivative-missing"): lambda g, x: g,
        },
    ),
    Family(
        "chaotic map",
        chaotic,
        chaotic_rule,
        at(between(0.1, 0.9)),
        {
            ("sign in each step", "some-signs"): lambda g, x: chaotic_rule(g, x) * np.sign(1 - 2 * x),
        },
    ),
)

FAMILIES = (*LINEAR, *FOURIER, *SORTING, *INTERPOLATION, *ITERATIVE)


def writes_into_output(g: Any, y: Any, x: Any) -> Any:
    y *= y
    return g * (1 - y)


def writes_into_input(g: Any, x: Any) -> Any:
    x *= 2
    return g * x


def sorts_its_index(x: Any, index: Any) -> Any:
    index.sort()
    return x[index]


def sorts_its_index_rule(g: Any, x: Any, index: Any) -> Any:
    dx = np.zeros_like(x)
    np.add.at(dx, np.sort(index), g)
    return dx


def scales_its_constant(x: Any, shift: Any) -> Any:
    shift -= shift[0]
    return x * x + shift


def drops_at_random(rng: np.random.Generator) -> Pair:
    noise = np.random.default_rng(1)
    return np.tanh, lambda g, y, x: g * (1 - y * y) * (noise.random(y.shape) < 0.9), (rng.standard_normal((3, 5)),)


def counts_its_calls(rng: np.random.Generator) -> Pair:
    calls = [0]

    def f(x: Any) -> Any:
        calls[0] += 1
        return x * calls[0]

    return f, lambda g, x: g * calls[0], (rng.standard_normal((3, 5)),)


UNFIT: dict[tuple[str, str], Maker] = {
    ("backward writes into the output", "output-changed"): fixed(np.tanh, writes_into_output, normal(3, 5)),
    ("backward writes into the input", "input-changed"): fixed(np.square, writes_into_input, normal(3, 5)),
    ("forward sorts an index it was given", "argument-changed"): fixed(
        sorts_its_index, sorts_its_index_rule, normal(5, 3), lambda _: np.array([3, 0, 4, 1])
    ),
    ("forward writes into integers", "argument-changed"): fixed(
        scales_its_constant, lambda g, x, s: 2 * g * x, normal(3, 5), lambda _: np.array([3, 1, 4, 1, 5])
    ),
    ("backward drops at random", "another-answer"): drops_at_random,
    ("forward counts its calls", "random"): counts_its_calls,
    ("backward clips g", "not-linear"): fixed(np.sin, lambda g, x: np.clip(g, -1, 1) * np.cos(x), normal(5, 7)),
    ("backward rounds to integers", "not-linear"): fixed(np.square, lambda g, x: (2 * g * x).astype(int), normal(5, 7)),
    ("backward averages g", "unnamed"): fixed(np.sin, lambda g, x: g.mean() * np.cos(x), normal(5, 7)),
    ("root at zero", "gradient-not-finite"): fixed(
        lambda x: np.sqrt(np.abs(x)), lambda g, y, x: g * np.sign(x) / (2 * y), put(normal(5, 7), 0.0, 3)
    ),
    ("norm of a zero row, divided by it", "gradient-not-finite"): fixed(
        lambda x: np.sqrt(keep_sum(x * x)), lambda g, y, x: g * x / y, put(normal(3, 5), 0.0, *range(5))
    ),
    ("gradient of g cast to float32", "float32"): fixed(
        np.sin, lambda g, x: g.astype(np.float32) * np.cos(x), normal(5, 7)
    ),
    ("log of zeros", "not-finite"): fixed(np.log, lambda g, x: g / x, put(positive(5, 7), 0.0, 2)),
    ("one wrong entry of 1500", "unnamed"): fixed(
        np.sin, lambda g, x: g * np.cos(x) * np.where(np.arange(1500) == 777, 2, 1).reshape(30, 50), normal(30, 50)
    ),
    ("first row alone is right", "scaled-rows"): fixed(
        np.tanh, lambda g, y, x: g * (1 - y * y) * (1.01 ** np.arange(5))[:, None], normal(5, 7)
    ),
    ("off by 1e-7", "constant-factor"): fixed(np.exp, lambda g, y, x: g * y * (1 + 1e-7), normal(5, 7)),
    ("off by 1e-5 of the largest", "term-missing"): fixed(np.exp, lambda g, y, x: g * y + 1e-5 * g, normal(5, 7)),
    ("a tiny gradient beside a large one", "zero"): fixed(
        lambda a, b: a + 1e-9 * b * b, lambda g, a, b: (g, None), normal(5, 7), normal(5, 7)
    ),
}
