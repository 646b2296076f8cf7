"""Matrix products: the engine's ``matmul`` for everything that is one, ``einsum`` for every other contraction."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.details.summation import sum_to
from ..engine.primitive import primitive
from ..engine.primitives.indexing import scatter_add
from ..engine.primitives.linalg import *  # noqa: F403  # this room offers it
from ..engine.primitives.shape import broadcast_to
from ..errors import ShapeError
from ..samples import samples_at


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
