"""What LAPACK computes, differentiated: inverse, solve, determinant, Cholesky, eigh, svd, qr, pseudoinverse.

All take stacks of matrices. The rules are written with operations that record, so that every order of derivative is
right. Most are found in M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008); the others name their source. What gives several results is one operation here, whose
result holds them below one another; the functions of NumPy's names cut it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.details.summation import sum_to
from ..engine.primitive import NUMPY, composition, primitive
from ..engine.tensor import Data, Tensor, as_tensor, wrap
from ..errors import InputError, OperandError, ShapeError
from ..samples import sample, samples_at
from .constants import plain, untracked
from .layout import concatenate


def lapack(function: Callable[..., Any], x: Array, *others: Any, square: bool = True, **options: Any) -> Any:
    """Return what a function of ``np.linalg`` returns; its errors become ours."""
    if x.ndim < 2 or (square and x.shape[-2] != x.shape[-1]):
        raise ShapeError(
            f"x must be a {'square ' * square}matrix or a stack of them; got shape {x.shape}. Reshape it, or add axes."
        )
    half = x.dtype == np.float16  # which LAPACK has not: computed in float32
    try:
        result = function(*(a.astype(np.float32) if half else a for a in (x, *others)), **options)
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"every matrix must have what is asked for; got shape {x.shape}: {error}. "
            "Look at its values and at np.linalg.cond(x.data); perhaps add a small multiple of np.eye(n)."
        ) from error
    if not half:
        return result
    return tuple(r.astype(x.dtype) for r in result) if isinstance(result, tuple) else result.astype(x.dtype)


@cache
def named(function: Callable[..., Any]) -> Any:
    """Return the class in which a function of ``np.linalg`` returns its results, a named tuple."""
    return type(function(np.eye(1)))


def _inv(x: Array, /) -> Array:
    result: Array = lapack(np.linalg.inv, x)
    return result


inv = primitive(
    _inv,
    numpy=(np.linalg.inv,),
    vjp=lambda g, out: (-(out.mT @ g @ out.mT),),
    formula="x⁻¹",
    rule=("−x⁻ᵀ ḡ x⁻ᵀ",),
    samples=samples_at("3x3, 1x1, 2x5x5, 0x3x3, 2x0x0", "regular"),
)


def _solve(x: Array, y: Array, /) -> Array:
    result: Array = lapack(np.linalg.solve, x, y)
    return result


def _solve_by_left(g: Any, out: Any, x: Any) -> Any:
    return sum_to(-(solve_all.on(x.mT, g) @ out.mT), x.shape)


def _solve_by_right(g: Any, x: Any, y_shape: Shape) -> Any:
    return sum_to(solve_all.on(x.mT, g), y_shape)


solve_all = primitive(
    _solve,
    name="solve",
    vjp=(_solve_by_left, _solve_by_right),
    formula="x⁻¹ y",
    rule=("−(x⁻ᵀ ḡ) outᵀ", "x⁻ᵀ ḡ"),
    samples=samples_at("3x3 3x2, 2x3x3 3x2, 3x3 2x3x1, 2x1x3x3 5x3x2, 0x3x3 0x3x2, 2x0x0 2x0x3", "regular"),
)


@composition(np.linalg.solve)
def solve(a: Data, b: Data) -> Tensor:
    """Return x with ``a @ x = b``; b is a vector or a stack of matrices, as in NumPy."""
    b = as_tensor(b)
    return solve_all(a, b.reshape(-1, 1))[..., 0] if b.ndim == 1 else solve_all(a, b)


def _det(x: Array, /) -> Any:
    return lapack(np.linalg.det, x)


def cofactors(x: Any) -> Any:
    """Return the signed determinants of x without row i and column j: the derivative of det at any x."""
    n = x.shape[-1]
    if n == 1:
        return np.ones_like(x)
    others = np.array([[j for j in range(n) if j != i] for i in range(n)])
    minors = x[..., others[:, None, :, None], others[None, :, None, :]]
    return det.on(minors) * ((-1.0) ** np.add.outer(np.arange(n), np.arange(n))).astype(x.dtype)


def _det_rule(g: Any, out: Any, x: Any) -> Any:
    n, values = x.shape[-1], plain(x).astype(float)
    # A determinant may be 0 by underflow alone; and where x is nearly singular, |x| x⁻ᵀ loses its digits.
    by_inverse = bool(np.all(np.isfinite(np.linalg.slogdet(values)[1])))
    if by_inverse and 0 < n <= 16:
        by_inverse = bool(np.all(np.linalg.cond(values) < 1e6))
    if not by_inverse and n > 64:
        raise InputError(f"a singular matrix must have at most 64 rows; got {n}. Use np.linalg.slogdet, or a minor.")
    slopes = out[..., None, None] * inv.on(x).mT if by_inverse else cofactors(x)
    return (g[..., None, None] * slopes,)


det = primitive(
    _det,
    numpy=(np.linalg.det,),
    vjp=_det_rule,
    formula="|x|",
    rule=("ḡ · |x| x⁻ᵀ",),
    samples=[*samples_at("3x3, 1x1, 2x5x5, 0x3x3, 2x0x0", "regular"), *samples_at("3x3, 2x2x2, 1x1", "zero")],
    note="Where x is singular, or nearly so, the rule uses the determinants of its minors.",
)


def _logabsdet(x: Array, /) -> Any:
    return lapack(np.linalg.slogdet, x)[1]


logabsdet = primitive(
    _logabsdet,
    vjp=lambda g, x: (g[..., None, None] * inv.on(x).mT,),
    formula="log |det x|",
    rule=("ḡ · x⁻ᵀ",),
    samples=samples_at("3x3, 1x1, 2x5x5, 0x3x3", "regular"),
)


@composition(np.linalg.slogdet)
def slogdet(x: Data) -> Any:
    """Return the sign of the determinant, without a gradient, and the logarithm of its absolute value."""
    size = logabsdet(x)
    return named(np.linalg.slogdet)(wrap(lapack(np.linalg.slogdet, as_tensor(x).data)[0], None), size)


def lower_part(g: Any) -> Any:
    """Return the cotangent of a symmetric matrix as one of its lower triangle, the only one that LAPACK reads."""
    once = np.eye(g.shape[-1], dtype=g.dtype)
    return np.tril(g + g.mT) * (1 - 0.5 * once)


def _cholesky(x: Array, /, upper: bool = False) -> Array:
    result: Array = lapack(np.linalg.cholesky, x.mT if upper else x)
    return result.mT if upper else result


def _cholesky_rule(g: Any, out: Any, upper: bool) -> Any:
    if upper:
        g, out = g.mT, out.mT
    n = out.shape[-1]
    half = np.tril(out.mT @ g) * (1 - 0.5 * np.eye(n, dtype=out.dtype))
    inner = solve_all.on(out.mT, half + half.mT)
    cotangent = lower_part(0.5 * solve_all.on(out.mT, inner.mT))
    return (cotangent.mT if upper else cotangent,)


cholesky = primitive(
    _cholesky,
    numpy=(np.linalg.cholesky,),
    vjp=_cholesky_rule,
    formula="L with L Lᵀ = x",
    rule=("L⁻ᵀ Φ(Lᵀ ḡ) L⁻¹ in the lower triangle",),
    samples=[*samples_at("3x3, 1x1, 2x5x5, 0x3x3", "regular"), sample((3, 3), domain="regular", upper=True)],
    note="Only the lower triangle is read (with upper=True the upper). Rule: I. Murray, arXiv:1602.07527 (2016).",
)


def divided(x: Any, gap: Any, size: Any, wanted: Any) -> Any:
    """Return x / gap; where a gap is 0 up to rounding, NaN if it is wanted (no derivative is there) and 0 if not."""
    closed = np.abs(plain(gap)) <= 4 * gap.shape[-1] * np.finfo(gap.dtype).eps * size
    quotient = np.where(closed, 0, x) / np.where(closed, 1, gap)
    lost = closed & wanted
    return np.where(lost, np.nan, quotient) if np.any(lost) else quotient


def largest(x: Any) -> Array:
    """Return the largest absolute value of each matrix."""
    result: Array = np.max(np.abs(plain(x)), axis=(-2, -1), keepdims=True, initial=0)
    return result


def turned(*by_vectors: Any) -> Array:
    """Return for which columns a cotangent asks how they turn, as rows."""
    result: Array = np.any(np.stack([np.any(plain(g) != 0, -2, keepdims=True) for g in by_vectors]), 0)
    return result


def pairs(columns: Array) -> Array:
    """Return which pairs of two columns are touched."""
    return (columns | columns.mT) & ~np.eye(columns.shape[-1], dtype=bool)


def skew(x: Any) -> Any:
    """Return x − xᵀ."""
    return x - x.mT


def diagonals(x: Any) -> Any:
    """Return the matrices with these diagonals."""
    return x[..., None] * np.eye(x.shape[-1], dtype=x.dtype)


def _eigh(x: Array, /, UPLO: str = "L") -> Array:
    values, vectors = lapack(np.linalg.eigh, x, UPLO=UPLO)
    return np.concatenate([values[..., None, :], vectors], -2)


def _eigh_rule(g: Any, out: Any, UPLO: str) -> Any:
    values, vectors, by_vectors = out[..., 0, :], out[..., 1:, :], g[..., 1:, :]
    gap, size = values[..., None, :] - values[..., None], largest(out[..., :1, :])
    turning = divided(0.5 * skew(vectors.mT @ by_vectors), gap, size, pairs(turned(by_vectors)))
    cotangent = lower_part(vectors @ (turning + diagonals(g[..., 0, :])) @ vectors.mT)
    return (cotangent if UPLO in "Ll" else cotangent.mT,)


EQUAL = "Vectors of values that are equal up to rounding have no derivative: NaN where a cotangent asks for it."
eigh_below = primitive(
    _eigh,
    name="eigh",
    vjp=_eigh_rule,
    formula="λ and V with V diag(λ) Vᵀ = x",
    rule=("V (diag λ̄ + F ∘ VᵀV̄) Vᵀ, F = 1/(λⱼ − λᵢ), in the lower triangle",),
    samples=[*samples_at("3x3, 1x1, 2x3x3, 0x3x3", "regular"), sample((3, 3), domain="regular", UPLO="U")],
    note=f"Only one triangle is read. {EQUAL}",
)


@composition(np.linalg.eigh)
def eigh(x: Data, UPLO: str = "L") -> Any:
    """Return the eigenvalues, ascending, and the eigenvectors of symmetric matrices."""
    if UPLO not in ("L", "U", "l", "u"):
        raise OperandError(f"eigh: UPLO must be 'L' or 'U', the triangle to read; got {UPLO!r}. Leave it out.")
    both = eigh_below(x, UPLO=UPLO)
    return named(np.linalg.eigh)(both[..., 0, :], both[..., 1:, :])


@composition(np.linalg.eigvalsh)
def eigvalsh(x: Data, UPLO: str = "L") -> Tensor:
    """Return the eigenvalues of symmetric matrices, ascending."""
    values: Tensor = eigh(x, UPLO)[0]
    return values


def _svd(x: Array, /) -> Array:
    left, values, right = lapack(np.linalg.svd, x, square=False, full_matrices=False)
    return np.concatenate([left, values[..., None, :], right.mT], -2)


def _svd_rule(g: Any, out: Any, x_shape: Shape) -> Any:
    m, n = x_shape[-2:]
    left, values, right = out[..., :m, :], out[..., m, :], out[..., m + 1 :, :]
    by_left, by_right = g[..., :m, :], g[..., m + 1 :, :]
    size, asked = largest(out[..., m : m + 1, :]), turned(by_left, by_right)
    row, column = values[..., None, :], values[..., None]
    one, two = skew(left.mT @ by_left), skew(right.mT @ by_right)
    turning = divided(one + two, row - column, size, pairs(asked)) + divided(
        one - two, row + column, size, pairs(asked)
    )
    cotangent = left @ (0.5 * turning + diagonals(g[..., m, :])) @ right.mT
    # What leaves the space of the vectors there are.
    if m > n:
        cotangent = cotangent + divided(by_left - left @ (left.mT @ by_left), row, size, asked) @ right.mT
    if n > m:
        cotangent = cotangent + left @ divided(by_right - right @ (right.mT @ by_right), row, size, asked).mT
    return (cotangent,)


svd_below = primitive(
    _svd,
    name="svd",
    vjp=_svd_rule,
    formula="U, σ and V with U diag(σ) Vᵀ = x",
    rule=("U (diag σ̄ + what turns U and V) Vᵀ",),
    samples=samples_at("3x3, 1x1, 5x3, 3x5, 2x3x2, 0x3x2", "regular"),
    note=f'{EQUAL} Rule: J. Townsend, "Differentiating the singular value decomposition" (2016).',
)


@composition(np.linalg.svd)
def svd(x: Data, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Return U, the singular values (descending) and Vᵀ; or the values alone."""
    x = as_tensor(x)
    both = svd_below(x)
    m, n = x.shape[-2:]
    if not compute_uv:
        return both[..., m, :]
    if full_matrices and m != n:
        raise OperandError(
            f"svd on a Tensor must have full_matrices=False where a matrix is not square; got shape {x.shape}. The "
            "further vectors are arbitrary and have no gradient: write np.linalg.svd(x, full_matrices=False)."
        )
    return named(np.linalg.svd)(both[..., :m, :], both[..., m, :], both[..., m + 1 :, :].mT)


@composition(np.linalg.svdvals)
def svdvals(x: Data) -> Tensor:
    """Return the singular values, descending."""
    values: Tensor = svd(x, compute_uv=False)
    return values


def _qr(x: Array, /) -> Array:
    return np.concatenate(lapack(np.linalg.qr, x, square=False), -2)


def _qr_rule(g: Any, out: Any, x_shape: Shape) -> Any:
    m = x_shape[-2]
    q, r, by_q = out[..., :m, :], out[..., m:, :], g[..., :m, :]
    inner = r @ np.triu(g[..., m:, :]).mT - by_q.mT @ q
    symmetric = np.tril(inner) + np.tril(inner, -1).mT
    return (solve_all.on(r, (by_q + q @ symmetric).mT).mT,)


qr_below = primitive(
    _qr,
    name="qr",
    vjp=_qr_rule,
    formula="Q and R with Q R = x",
    rule=("(Q̄ + Q copyltu(R R̄ᵀ − Q̄ᵀ Q)) R⁻ᵀ",),
    samples=samples_at("3x3, 1x1, 5x3, 2x3x2, 0x3x2", "regular"),
    note="For tall matrices of full rank. Rule: S. F. Walter and L. Lehmann, arXiv:1001.1654 (2010).",
)


@composition(np.linalg.qr)
def qr(x: Data, mode: str = "reduced") -> Any:
    """Return an orthonormal Q and an upper triangular R with ``Q @ R = x``; with mode "r" only R."""
    x = as_tensor(x)
    m, n = x.shape[-2:] if x.ndim > 1 else (0, 0)
    if mode not in ("reduced", "r") and not (mode == "complete" and m <= n):
        raise OperandError(
            f"qr on a Tensor must have the mode 'reduced' or 'r'; got {mode!r} for shape {x.shape}. The columns that "
            "others add are arbitrary and have no gradient: leave mode out."
        )
    both = qr_below(x[..., :m] if m < n else x)
    q, r = both[..., :m, :], both[..., m:, :]
    if m < n:  # the first columns determine Q
        r = concatenate([r, q.mT @ x[..., m:]], -1)
    return r if mode == "r" else named(np.linalg.qr)(q, r)


def _pinv(x: Array, /, rcond: Any = None, hermitian: bool = False, rtol: Any = None) -> Array:
    if hermitian:
        raise OperandError("pinv of a Tensor must have hermitian=False; got True. Leave it out: it saves only time.")
    options = {"rcond": rcond} if rtol is None else {"rtol": rtol}
    result: Array = lapack(np.linalg.pinv, x, square=False, **options)
    return result


def _pinv_rule(g: Any, out: Any, x: Any) -> Any:
    turned = g.mT
    beside = turned - x @ (out @ turned)
    below = turned - (turned @ out) @ x
    return (beside @ (out @ out.mT) + (out.mT @ out) @ below - out.mT @ g @ out.mT,)


pinv = primitive(
    _pinv,
    numpy=(np.linalg.pinv,),
    vjp=_pinv_rule,
    formula="x⁺",
    rule=("−x⁺ᵀ ḡ x⁺ᵀ + (I − x x⁺) ḡᵀ x⁺x⁺ᵀ + x⁺ᵀx⁺ ḡᵀ (I − x⁺x)",),
    samples=samples_at("3x3, 5x3, 3x5, 2x3x2, 0x3x2", "regular"),
    note="The derivative at constant rank. Rule: G. H. Golub and V. Pereyra, SIAM J. Numer. Anal. 10 (1973).",
)

NUMPY[np.linalg.matrix_rank] = untracked(np.linalg.matrix_rank)
