"""Matrix products: ``matmul`` for everything that is one, ``einsum`` for every other contraction."""

from __future__ import annotations

from math import prod as product
from typing import Any

import numpy as np

from ...errors import ShapeError
from ..details.array import Array, Shape
from ..details.samples import samples_at
from ..details.summation import sum_to
from ..primitive import primitive
from .indexing import scatter_add
from .shape import broadcast_to


def _matmul(x: Array, y: Array, /) -> Any:
    if x.ndim == 2 and y.ndim == 2 and x.shape[1] == y.shape[0]:
        # The same product as np.matmul's, and for small matrices in a third of the time.
        return x.dot(y)
    if not (x.ndim and y.ndim):
        raise ShapeError("both operands must have an axis; got shape (). Use * for a factor.")
    if x.shape[-1] != y.shape[-2 if y.ndim > 1 else 0]:
        raise ShapeError(
            f"the last axis of the left operand ({x.shape[-1]}) must equal the "
            f"{'second-last' if y.ndim > 1 else 'only axis'} of the right ({y.shape[-2 if y.ndim > 1 else 0]}); "
            f"got {x.shape} @ {y.shape}. Transpose one of them, or check the layer's in_features."
        )
    if x.ndim > 2 and y.ndim == 2 and x.flags.c_contiguous:
        # One large product instead of one for each matrix of the stack.
        return x.reshape(product(x.shape[:-1]), x.shape[-1]).dot(y).reshape(*x.shape[:-1], y.shape[-1])
    return np.matmul(x, y)


def _matmul_by_left(g: Any, x_shape: Shape, y: Any) -> Any:
    if y.ndim == 1:
        return sum_to(np.expand_dims(g, -1) * y, x_shape)
    if len(x_shape) == 1:
        # (k) @ (..., k, n) -> (..., n)
        return sum_to(matmul.on(y, np.expand_dims(g, -1)).reshape((*y.shape[:-2], *x_shape)), x_shape)
    return sum_to(matmul.on(g, y.mT), x_shape)


def _matmul_by_right(g: Any, x: Any, y_shape: Shape) -> Any:
    if x.ndim == 1:
        return (
            sum_to(np.expand_dims(x, -1) * np.expand_dims(g, -2 if len(y_shape) > 1 else 0), y_shape)
            if len(y_shape) > 1
            else g * x
        )
    if len(y_shape) == 1:
        return sum_to(np.expand_dims(g, -1) * x, y_shape)
    if len(y_shape) == 2 and x.ndim > 2:
        # The sum over the stack is part of one large product.
        rows = product(x.shape[:-1])
        flat_x, flat_g = x.reshape(rows, x.shape[-1]), g.reshape(rows, g.shape[-1])
        return matmul.on(flat_x.mT, flat_g)
    return sum_to(matmul.on(x.mT, g), y_shape)


matmul = primitive(
    _matmul,
    numpy=(np.matmul,),
    vjp=(_matmul_by_left, _matmul_by_right),
    symbol="@",
    formula="x @ y",
    rule=("ḡ @ yᵀ", "xᵀ @ ḡ"),
    samples=samples_at(
        "3x5 5x2, 5 5, 5 5x2, 3x5 5, 7x3x5 5x2, 7x3x5 7x5x2, 7x1x3x5 2x5x3, 3x5 7x5x2, 5 7x5x2, 7x3x5 5, "
        "1x3x5 7x5x2, 0x5 5x2, 3x0 0x2, 2x3x0 0x5, 2x0x3 3x5"
    ),
)


def explicit_subscripts(subscripts: str, shapes: tuple[Shape, ...]) -> tuple[list[str], str]:
    """Return the letters of each operand and of the result, with ``...`` spelled out in capital letters."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise ShapeError(
            f"the subscripts must name one term for each operand; got {len(terms)} in {subscripts!r} for "
            f"{len(shapes)} operand(s). Separate the terms with commas."
        )
    free = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in subscripts]
    counts = [len(s) - len(t.replace("...", "")) if "..." in t else 0 for t, s in zip(terms, shapes, strict=True)]
    most = max(counts)
    if min(counts) < 0:
        raise ShapeError(
            f"a term must have no more letters than its operand has axes; got {subscripts!r} for shapes {shapes}. "
            f"Remove a "
            "letter."
        )
    dots = "".join(reversed(free[:most]))
    expanded = [t.replace("...", dots[most - n :]) for t, n in zip(terms, counts, strict=True)]
    for term, shape in zip(expanded, shapes, strict=True):
        if len(term) != len(shape):
            raise ShapeError(
                f"each term must name every axis of its operand; got {term!r} for shape {shape} in {subscripts!r}."
                " Add letters or '...'."
            )
    if arrow:
        result = right.replace("...", dots)
    else:
        joined = "".join(expanded)
        result = dots + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in dots))
    return expanded, result


def contract(subscripts: str, *xs: Any) -> Any:
    """Return ``np.einsum``; through BLAS where the work is large enough to pay for finding the path."""
    large = max((x.size for x in xs), default=0) > 4096
    return np.einsum(subscripts, *xs, optimize=large and len(xs) > 1)


def _einsum(*xs: Array, subscripts: str = "") -> Any:
    terms, result = explicit_subscripts(subscripts, tuple(x.shape for x in xs))
    return contract(f"{','.join(terms)}->{result}", *xs)


def _einsum_rule(g: Any, xs: tuple[Any, ...], xs_shape: tuple[Shape, ...], subscripts: str) -> Any:
    terms, result = explicit_subscripts(subscripts, xs_shape)
    return tuple(_einsum_by(g, result, terms, xs, xs_shape, k) for k in range(len(xs)))


def _einsum_by(g: Any, result: str, terms: list[str], xs: tuple[Any, ...], shapes: tuple[Shape, ...], k: int) -> Any:
    """Contract ḡ with the other operands; spread over what only this operand had; return to diagonals."""
    others = [(t, x) for i, (t, x) in enumerate(zip(terms, xs, strict=True)) if i != k]
    term, shape = terms[k], shapes[k]
    letters = "".join(dict.fromkeys(term))
    found = [c for c in letters if c in result or any(c in t for t, _ in others)]
    inputs = ",".join([result, *(t for t, _ in others)])
    cotangent = einsum_all.on(g, *(x for _, x in others), subscripts=f"{inputs}->{''.join(found)}")
    length = dict(zip(term, shape, strict=True))
    # A letter of length one here may have been stretched to another operand's length.
    cotangent = sum_to(
        cotangent, tuple(1 if length[c] == 1 else n for c, n in zip(found, cotangent.shape, strict=True))
    )
    # A letter that only this operand had was summed: its cotangent is the same all along.
    cotangent = cotangent.reshape(tuple(cotangent.shape[found.index(c)] if c in found else 1 for c in letters))
    cotangent = broadcast_to.on(cotangent, shape=tuple(length[c] for c in letters))
    if len(letters) == len(term):
        return cotangent
    # A repeated letter read a diagonal: put the cotangent back on it.
    places = np.indices(tuple(length[c] for c in letters), sparse=True)
    from_letter = dict(zip(letters, places, strict=True))
    return scatter_add.on(cotangent, index=tuple(from_letter[c] for c in term), shape=shape)


CONTRACTIONS = [
    ("ij,jk->ik", "3x5 5x2"),
    ("ij->ji", "3x5"),
    ("ii->i", "5x5"),
    ("ii", "3x3"),
    ("ij->", "3x5"),
    ("ij->j", "3x5"),
    ("i,j->ij", "3 5"),
    ("i,i", "5 5"),
    ("bij,bjk->bik", "2x3x5 2x5x7"),
    ("...ij,...jk", "2x3x5 5x7"),
    ("ij,ij->ij", "3x5 3x5"),
    ("ij,jk,kl->il", "2x3 3x5 5x7"),
    ("iij,j->ij", "3x3x5 5"),
    ("bthd,bshd->bhts", "2x3x1x5 2x7x1x5"),
    ("ij,j->ij", "3x5 1"),
    ("ik,j->ij", "3x2 5"),
    ("i...,i...->...", "3x5 3x1"),
]
einsum_all = primitive(
    _einsum,
    vjp=_einsum_rule,
    formula="Σ over the letters that the result lacks",
    rule=("ḡ contracted with the others",),
    samples=[point for subscripts, shapes in CONTRACTIONS for point in samples_at(shapes, subscripts=subscripts)],
)
