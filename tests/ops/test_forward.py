"""What every primitive computes, against a reference written another way: entry by entry, in Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.engine.primitive import PRIMITIVES

Array = np.ndarray


def entrywise(f: Callable[..., Any]) -> Callable[..., Array]:
    """The reference of a broadcasting function, from a function of Python numbers."""

    def reference(*xs: Any, **params: Any) -> Array:
        together = np.broadcast(*xs) if len(xs) > 1 else xs[0]
        shape = together.shape
        wide = [np.broadcast_to(x, shape) for x in xs]
        result = np.empty(shape)
        for at in np.ndindex(shape):
            result[at] = f(*(w[at].item() for w in wide), **params)
        return result

    return reference


def rowwise(f: Callable[[list[float]], float]) -> Callable[..., Array]:
    """The reference of a reduction, from a function of a list of numbers."""

    def reference(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = tuple(a + x.ndim if a < 0 else a for a in axes)
        kept = tuple(1 if a in axes else n for a, n in enumerate(x.shape))
        rows: dict[Any, list[float]] = {at: [] for at in np.ndindex(kept)}
        for at in np.ndindex(x.shape):
            rows[tuple(0 if a in axes else i for a, i in enumerate(at))].append(x[at].item())
        result = np.empty(kept)
        for at, row in rows.items():
            result[at] = f(row)
        return result if keepdims else result.reshape([n for a, n in enumerate(kept) if a not in axes])

    return reference


def gathered(shape: Any, source: Callable[..., float]) -> Array:
    """An array of a shape whose entries come from a function of their position."""
    result = np.empty(shape)
    for at in np.ndindex(*result.shape):
        result[at] = source(at)
    return result


def reshape(x: Array, shape: Any) -> Array:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    known = math.prod(n for n in shape if n >= 0)
    entries: Iterator[float] = iter(x.ravel().tolist())
    return gathered([x.size // known if n < 0 else n for n in shape], lambda at: next(entries))


def transpose(x: Array, axes: Any = None) -> Array:
    order = [a % x.ndim for a in axes] if axes else list(range(x.ndim))[::-1]
    return gathered([x.shape[a] for a in order], lambda at: x[tuple(at[order.index(a)] for a in range(x.ndim))])


def broadcast_to(x: Array, shape: Any) -> Array:
    def source(at: Any) -> float:
        return x[tuple(0 if n == 1 else i for i, n in zip(at[len(shape) - x.ndim :], x.shape, strict=True))]

    return gathered(shape, source)


def summed_to(x: Array, shape: Any) -> Array:
    kept = (1,) * (x.ndim - len(shape)) + tuple(shape)
    result = np.zeros(kept, x.dtype)
    for at in np.ndindex(x.shape):
        result[tuple(0 if n == 1 else i for i, n in zip(at, kept, strict=True))] += x[at]
    return result.reshape(shape)


def concatenate(*xs: Array, axis: int = 0) -> Array:
    first = [np.moveaxis(x, axis, 0).tolist() for x in xs]
    rest = [n for a, n in enumerate(xs[0].shape) if a != axis % xs[0].ndim]
    rows = [row for x in first for row in x]
    return np.moveaxis(np.array(rows, dtype=float).reshape(len(rows), *rest), 0, axis)


def stack(*xs: Array, axis: int = 0) -> Array:
    return np.moveaxis(np.array([x.tolist() for x in xs], dtype=float).reshape(len(xs), *xs[0].shape), 0, axis)


def flip(x: Array, axis: Any = None) -> Array:
    axes = range(x.ndim) if axis is None else [a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
    return gathered(x.shape, lambda at: x[tuple(x.shape[a] - 1 - i if a in axes else i for a, i in enumerate(at))])


def roll(x: Array, shift: Any, axis: Any = None) -> Array:
    if axis is None:
        return roll(x.reshape(-1), (shift,), (0,)).reshape(x.shape)
    by = dict(zip(axis, shift, strict=True)) if isinstance(axis, tuple) else {axis: shift}
    return gathered(x.shape, lambda at: x[tuple((i - by.get(a, 0)) % x.shape[a] for a, i in enumerate(at))])


def pad(x: Array, width: Any, value: float = 0.0) -> Array:
    def source(at: Any) -> float:
        inner = tuple(i - before for i, (before, _) in zip(at, width, strict=True))
        return x[inner] if all(0 <= i < n for i, n in zip(inner, x.shape, strict=True)) else value

    return gathered([n + before + after for n, (before, after) in zip(x.shape, width, strict=True)], source)


def matmul(x: Array, y: Array) -> Array:
    left, right = (x[None] if x.ndim == 1 else x), (y[:, None] if y.ndim == 1 else y)
    result = (left[..., :, :, None] * right[..., None, :, :]).sum(-2)
    result = result[..., 0] if y.ndim == 1 else result
    return result[..., 0, :] if x.ndim == 1 and y.ndim > 1 else result[..., 0] if x.ndim == 1 else result


def einsum(*xs: Array, subscripts: str) -> Array:
    """Sum over all values of all letters; a letter of length 1 stands still; ``...`` becomes the letters A, B, …"""
    left, arrow, right = subscripts.partition("->")
    terms = left.split(",")
    dots = [x.ndim - len(t.replace("...", "")) if "..." in t else 0 for x, t in zip(xs, terms, strict=True)]
    free = "ABCDEFG"[: max(dots)]
    terms = [t.replace("...", free[max(dots) - n :]) for t, n in zip(terms, dots, strict=True)]
    letters = sorted({c for t in terms for c in t})
    once = [c for c in letters if "".join(terms).count(c) == 1 and c not in free]
    right = right.replace("...", free) if arrow else free + "".join(once)
    length = {
        c: max(n for x, t in zip(xs, terms, strict=True) for n, d in zip(x.shape, t, strict=True) if d == c)
        for c in letters
    }
    result = np.zeros([length[c] for c in right])
    for at in product(*(range(length[c]) for c in letters)):
        value = dict(zip(letters, at, strict=True))
        entries = [
            x[tuple(0 if n == 1 else value[c] for c, n in zip(t, x.shape, strict=True))]
            for x, t in zip(xs, terms, strict=True)
        ]
        result[tuple(value[c] for c in right)] += math.prod(entries)
    return result


def running_sum(x: Array, axis: Any = None) -> Array:
    if axis is None:
        x, axis = x.reshape(-1), 0
    rows = np.moveaxis(x, axis, -1)
    sums = gathered(rows.shape, lambda at: math.fsum(rows[at[:-1]][: at[-1] + 1]))
    return np.moveaxis(sums, -1, axis)


def getitem(x: Array, index: Any) -> Array:
    """Find out which entry goes where with integers, then move the numbers one at a time."""
    places = np.arange(x.size).reshape(x.shape)[index]
    entries = x.ravel().tolist()
    return gathered(np.shape(places), lambda at: entries[np.asarray(places)[at]])


def scatter_add(x: Array, index: Any, shape: Any) -> Array:
    places = np.asarray(np.arange(math.prod(shape)).reshape(shape)[index])
    entries = [0.0] * math.prod(shape)
    for at in np.ndindex(places.shape):
        entries[places[at]] += x[at].item()
    return np.array(entries).reshape(shape)


def windows(x: Array, size: Any, stride: Any, dilation: Any) -> Array:
    n = len(size)
    lead, positions = x.shape[: x.ndim - n], x.shape[x.ndim - n :]
    starts = [range(0, m - d * (k - 1), s) for m, k, s, d in zip(positions, size, stride, dilation, strict=True)]

    def source(at: Any) -> float:
        first, entry = at[len(lead) : len(lead) + n], at[len(lead) + n :]
        return x[(*at[: len(lead)], *(s[i] + d * j for s, i, d, j in zip(starts, first, dilation, entry, strict=True)))]

    return gathered([*lead, *map(len, starts), *size], source)


def overlap_add(x: Array, stride: Any, dilation: Any, shape: Any) -> Array:
    n, result = len(stride), np.zeros(shape)
    lead = len(shape) - n
    for at in np.ndindex(x.shape):
        places = zip(at[lead : lead + n], stride, at[lead + n :], dilation, strict=True)
        result[(*at[:lead], *(s * i + d * j for i, s, j, d in places))] += x[at]
    return result


def each_matrix(f: Callable[[Array], Any]) -> Callable[..., Array]:
    """The reference of a function of stacks of matrices, from a function of one."""

    def reference(x: Array, **params: Any) -> Array:
        results = [f(m, **params) for m in x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:])]
        shape = np.shape(results[0] if results else f(np.eye(*x.shape[-2:]), **params))
        return np.array(results).reshape((*x.shape[:-2], *shape))

    return reference


def determinant(m: Array) -> float:
    """Leibniz: the sum over all permutations, with their signs."""
    n = len(m)
    orders = list(permutations(range(n)))
    signs = [(-1) ** sum(a > b for i, a in enumerate(order) for b in order[i:]) for order in orders]
    return math.fsum(
        sign * math.prod(m[i, j] for i, j in enumerate(order)) for sign, order in zip(signs, orders, strict=True)
    )


def inverse(m: Array) -> Array:
    """Cramer: the cofactors over the determinant."""
    n, det = len(m), determinant(m)
    minors = [[determinant(np.delete(np.delete(m, j, 0), i, 1)) for j in range(n)] for i in range(n)]
    return np.array([[(-1) ** (i + j) * minors[i][j] / det for j in range(n)] for i in range(n)]).reshape(n, n)


def solution(x: Array, y: Array) -> Array:
    return np.matmul(each_matrix(inverse)(x), y)


def lower_root(m: Array, upper: bool = False) -> Array:
    """Cholesky and Banachiewicz, row by row."""
    m = m.T if upper else m
    root = np.zeros_like(m)
    for i in range(len(m)):
        for j in range(i + 1):
            rest = m[i, j] - math.fsum(root[i, k] * root[j, k] for k in range(j))
            root[i, j] = math.sqrt(rest) if i == j else rest / root[j, j]
    return root.T if upper else root


def values_and_vectors(m: Array, UPLO: str = "L") -> Array:
    """LAPACK's own, of the triangle that is read; what they are is tested with the decompositions."""
    values, vectors = np.linalg.eigh(m, UPLO)
    return np.vstack([values, vectors])


def singular_below(m: Array) -> Array:
    left, values, right = np.linalg.svd(m, full_matrices=False)
    return np.vstack([left, values, right.T])


def pseudoinverse(m: Array) -> Array:
    """By the normal equations."""
    return inverse(m.T @ m) @ m.T if m.shape[0] >= m.shape[1] else m.T @ inverse(m @ m.T)


def fourier(z: Array, axis: int = -1, inverse: bool = False) -> Array:
    """The sums, written out."""
    whole = np.moveaxis(z[..., 0] + 1j * z[..., 1], axis, -1)
    n = whole.shape[-1]
    waves = np.exp((2j if inverse else -2j) * np.pi / n * np.outer(range(n), range(n)))
    result = np.moveaxis(whole @ waves / (n if inverse else 1), -1, axis)
    return np.stack([result.real, result.imag], -1)


def half_fourier(x: Array, axis: int = -1) -> Array:
    whole = fourier(np.stack([x, np.zeros_like(x)], -1), axis)
    axis %= x.ndim
    return np.take(whole, range(x.shape[axis] // 2 + 1), axis)


def half_back(z: Array, n: int, axis: int = -1) -> Array:
    """The other half are the conjugates; the imaginary parts at both ends count for nothing."""
    half = np.moveaxis(z[..., 0] + 1j * z[..., 1], axis, -1)
    ends = half[..., [0, n // 2]].real
    half = np.concatenate([ends[..., :1], half[..., 1 : (n + 1) // 2], *([ends[..., 1:]] if n % 2 == 0 else [])], -1)
    whole = np.concatenate([half, half[..., 1 : (n + 1) // 2][..., ::-1].conj()], -1)
    back = fourier(np.stack([whole.real, whole.imag], -1), inverse=True)[..., 0]
    return np.moveaxis(back, -1, axis)


REFERENCES: dict[str, Callable[..., Array]] = {
    "inv": each_matrix(inverse),
    "solve": solution,
    "det": each_matrix(determinant),
    "logabsdet": each_matrix(lambda m: math.log(abs(determinant(m)))),
    "cholesky": each_matrix(lower_root),
    "eigh": each_matrix(values_and_vectors),
    "svd": each_matrix(singular_below),
    "qr": each_matrix(lambda m: np.vstack(np.linalg.qr(m))),
    "pinv": each_matrix(pseudoinverse),
    "fft_pair": fourier,
    "rfft_pair": half_fourier,
    "irfft_pair": half_back,
    "add": entrywise(lambda x, y: x + y),
    "subtract": entrywise(lambda x, y: x - y),
    "multiply": entrywise(lambda x, y: x * y),
    "divide": entrywise(lambda x, y: x / y),
    "remainder": entrywise(lambda x, y: x % y),
    "negative": entrywise(lambda x: -x),
    "positive": entrywise(lambda x: x),
    "square": entrywise(lambda x: x * x),
    "sqrt": entrywise(math.sqrt),
    "power": entrywise(math.pow),
    "exp": entrywise(math.exp),
    "expm1": entrywise(math.expm1),
    "log": entrywise(math.log),
    "log1p": entrywise(math.log1p),
    "sin": entrywise(math.sin),
    "cos": entrywise(math.cos),
    "tanh": entrywise(math.tanh),
    "arctan": entrywise(math.atan),
    "tan": entrywise(math.tan),
    "sinh": entrywise(math.sinh),
    "cosh": entrywise(math.cosh),
    "erf": entrywise(math.erf),
    "logaddexp": entrywise(lambda x, y: math.log(math.exp(x) + math.exp(y))),
    "logaddexp2": entrywise(lambda x, y: math.log2(2**x + 2**y)),
    "exp2": entrywise(lambda x: 2.0**x),
    "log2": entrywise(math.log2),
    "log10": entrywise(math.log10),
    "cbrt": entrywise(lambda x: math.copysign(abs(x) ** (1 / 3), x)),
    "arcsin": entrywise(math.asin),
    "arccos": entrywise(math.acos),
    "arcsinh": entrywise(math.asinh),
    "arccosh": entrywise(math.acosh),
    "arctanh": entrywise(math.atanh),
    "hypot": entrywise(math.hypot),
    "arctan2": entrywise(math.atan2),
    "ceil": entrywise(math.ceil),
    "trunc": entrywise(math.trunc),
    "round": entrywise(lambda x, decimals=0: float(round(x, decimals))),
    "heaviside": entrywise(lambda x, y: y if x == 0 else float(x > 0)),
    "copysign": entrywise(math.copysign),
    "fmod": entrywise(math.fmod),
    "absolute": entrywise(abs),
    "sign": entrywise(lambda x: math.copysign(1.0, x)),
    "floor": entrywise(math.floor),
    "relu": entrywise(lambda x: x if x > 0 else 0.0),
    "clip": entrywise(
        lambda x, lower=None, upper=None: max(
            x if upper is None else min(x, upper), -math.inf if lower is None else lower
        )
    ),
    "maximum": entrywise(max),
    "minimum": entrywise(min),
    "masked": entrywise(lambda x, mask: x if mask else 0.0),
    "sum_product": lambda x, y, shape: summed_to(entrywise(lambda a, b: a * b)(x, y), shape),
    "where": entrywise(lambda condition, x, y: x if condition else y),
    "sum": rowwise(math.fsum),
    "mean": rowwise(lambda row: math.fsum(row) / len(row)),
    "prod": rowwise(math.prod),
    "max": rowwise(max),
    "min": rowwise(min),
    "cumsum": running_sum,
    "reshape": reshape,
    "transpose": transpose,
    "broadcast_to": broadcast_to,
    "concatenate": concatenate,
    "stack": stack,
    "flip": flip,
    "roll": roll,
    "pad": pad,
    "astype": lambda x, dtype, origin: np.array([np.dtype(dtype).type(v) for v in x.ravel()]).reshape(x.shape),
    "matmul": matmul,
    "einsum": einsum,
    "getitem": getitem,
    "scatter_add": scatter_add,
    "windows": windows,
    "overlap_add": overlap_add,
}


@pytest.mark.parametrize("name", REFERENCES)
def test_forward(case: Any, name: str) -> None:
    made = PRIMITIVES[name]
    for point in made.samples:
        at = case(made, point)
        expected = REFERENCES[name](*at.xs, **at.params)
        result = made(*at.xs, **at.params)
        assert type(result) is tg.Tensor, point
        assert result.shape == expected.shape, point
        assert result.dtype == (point.params.get("dtype") or np.float64), point
        np.testing.assert_allclose(np.asarray(result), expected, rtol=2e-15 * 50, atol=1e-15 * 50, err_msg=str(point))
        assert not result.requires_grad, point


def test_every_primitive_has_a_reference_and_every_reference_a_primitive() -> None:
    assert {name for name, made in PRIMITIVES.items() if made.native} == set(REFERENCES)
