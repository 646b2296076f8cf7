"""matmul and einsum in every combination of axes; einsum's subscripts are drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_norm as tg
from tinygrad_norm.ops.linalg import contract, explicit_subscripts


@given(
    shapes=hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, min_side=0, max_side=3),
    seed=st.integers(0, 2**32 - 1),
)
def test_matmul(shapes: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (rng.integers(-4, 5, s).astype(float) for s in shapes.input_shapes)
    a, b = tg.Tensor(x, requires_grad=True), tg.Tensor(y, requires_grad=True)
    product = a @ b
    assert product.shape == (x @ y).shape
    assert np.array_equal(product, x @ y)
    # Bilinear, so each gradient is an exact adjoint: ⟨dx @ y, u⟩ = ⟨dx, ā⟩.
    u = rng.integers(-4, 5, product.shape).astype(float)
    da, db = tg.gradients(product, [a, b], u)
    dx, dy = (rng.integers(-4, 5, s).astype(float) for s in shapes.input_shapes)
    assert np.sum((dx @ y) * u) == np.sum(dx * np.asarray(da))
    assert np.sum((x @ dy) * u) == np.sum(dy * np.asarray(db))


def test_a_cheaper_order_is_looked_for_only_where_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(np, "einsum", lambda *xs, optimize: looked.append(optimize))
    contract("ij,jk->ik", np.ones((64, 64)), np.ones((64, 64)))
    contract("ij,jk->ik", np.ones((64, 65)), np.ones((65, 2)))
    contract("ij->ji", np.ones((64, 65)))
    assert looked == [False, True, False]


@st.composite
def contraction(draw: st.DrawFn) -> tuple[str, list[tuple[int, ...]]]:
    """Subscripts with repeated letters, letters that only one operand has, lengths of one that stretch, and ``...``."""
    letters = "abcd"
    lengths = {c: draw(st.integers(1, 3)) for c in letters}
    dots = tuple(draw(st.lists(st.integers(1, 2), max_size=2)))
    terms, shapes = [], []
    for _ in range(draw(st.integers(1, 3))):
        term = "".join(draw(st.lists(st.sampled_from(letters), max_size=3)))
        # A repeated letter keeps one length; the others may shrink to one and be stretched.
        shape = [lengths[c] if term.count(c) > 1 or draw(st.booleans()) else 1 for c in term]
        if dots and draw(st.booleans()):
            at, kept = draw(st.integers(0, len(term))), draw(st.integers(0, len(dots)))
            middle = [n if draw(st.booleans()) else 1 for n in dots[len(dots) - kept :]]
            term, shape = f"{term[:at]}...{term[at:]}", [*shape[:at], *middle, *shape[at:]]
        terms.append(term)
        shapes.append(tuple(shape))
    if draw(st.booleans()):
        return ",".join(terms), shapes
    used = sorted(set("".join(terms)) - {"."})
    result = "".join(draw(st.permutations(draw(st.lists(st.sampled_from(used), unique=True)) if used else [])))
    if any("..." in t for t in terms):
        at = draw(st.integers(0, len(result)))
        result = f"{result[:at]}...{result[at:]}"
    return f"{','.join(terms)}->{result}", shapes


@settings(max_examples=150)
@given(drawn=contraction(), seed=st.integers(0, 2**32 - 1))
def test_einsum(drawn: Any, seed: int) -> None:
    subscripts, shapes = drawn
    rng = np.random.default_rng(seed)
    xs = [rng.integers(-3, 4, s).astype(float) for s in shapes]
    try:
        expected = np.einsum(subscripts, *xs)
    except ValueError:  # lengths that NumPy's einsum does not stretch either
        assume(False)
    leaves = [tg.Tensor(x, requires_grad=True) for x in xs]
    y = np.einsum(subscripts, *leaves)
    assert y.shape == expected.shape
    assert np.array_equal(y, expected)
    u = tg.Tensor(rng.integers(-3, 4, expected.shape).astype(float), requires_grad=True)
    found = tg.gradients(y, leaves, u, create_graph=True)
    # Linear in each operand, so each gradient is an exact adjoint.
    for i, g in enumerate(found):
        other = rng.integers(-3, 4, shapes[i]).astype(float)
        moved = np.einsum(subscripts, *xs[:i], other, *xs[i + 1 :])
        assert np.sum(moved * u.data) == np.sum(other * g.data)
        # And the adjoint of the adjoint: the result's own derivative by ū.
        if g.requires_grad:
            assert np.array_equal(tg.gradients(g, u, other), moved)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "expected"),
    [
        ("ij,jk", [(2, 3), (3, 4)], (["ij", "jk"], "ik")),
        ("ba", [(2, 3)], (["ba"], "ab")),
        (" i j -> j i ", [(2, 3)], (["ij"], "ji")),
        ("...i,...i->...", [(5, 2, 3), (2, 3)], (["YZi", "Zi"], "YZ")),
        ("...,...", [(2,), ()], (["Z", ""], "Z")),
        ("Z...->...Z", [(2, 3)], (["ZY"], "YZ")),
        ("ii", [(3, 3)], (["ii"], "")),
    ],
)
def test_subscripts_made_explicit(subscripts: str, shapes: Any, expected: Any) -> None:
    terms, result = explicit_subscripts(subscripts, tuple(shapes))
    assert (terms, result) == expected


@pytest.mark.parametrize(
    ("subscripts", "shapes", "message"),
    [
        (
            "ij",
            [(2, 2), (2,)],
            r"einsum: the subscripts must name one term for each operand; got 1 in 'ij' for 2 operand.*Separate",
        ),
        (
            "ijk",
            [(2, 2)],
            r"einsum: each term must name every axis of its operand; got 'ijk' for shape \(2, 2\) in 'ijk'. Add "
            r"letters",
        ),
        ("i", [(2, 2)], r"each term must name every axis of its operand; got 'i'"),
        (
            "ijk...",
            [(2, 2)],
            r"a term must have no more letters than its operand has axes; got 'ijk...' for shapes .*Remove a",
        ),
        (
            "ij,jk",
            [(2, 3), (2, 3)],
            r"einsum: the inputs must fit together; got shapes \(2, 3\) and \(2, 3\), subscripts='ij,jk'",
        ),
        ("i->ij", [(2,)], r"einsum: the inputs must fit together"),
    ],
)
def test_errors_of_einsum(subscripts: str, shapes: Any, message: str) -> None:
    with pytest.raises(tg.ShapeError, match=message):
        tg.einsum(subscripts, *(tg.ones(s) for s in shapes))


def test_einsum_without_subscripts() -> None:
    with pytest.raises(
        tg.OperandError, match=r"einsum must get its subscripts as a string first; got Tensor. Write einsum\("
    ):
        tg.einsum(tg.ones(2), tg.ones(2))
    with pytest.raises(tg.OperandError, match=r"einsum\(a, \[0, 1\], b, \[1, 2\], \[0, 2\]\) with at most 26 numbers"):
        tg.einsum(tg.ones(2))


@pytest.mark.parametrize(
    ("lists", "subscripts"),
    [
        ([[0, 1], [1, 2], [0, 2]], "ab,bc->ac"),
        ([[5, 9], [9, 2]], "bc,ca"),
        ([(1, 1), (1, 0), []], "bb,ba->"),
        ([[..., 0], [0, 7], [7, ...]], "...a,ab->b..."),
    ],
)
def test_einsum_with_lists_of_numbers(lists: Any, subscripts: str, rng: np.random.Generator) -> None:
    x, y = rng.standard_normal((2, 3, 3))
    operands = [tg.Tensor(x, requires_grad=True), lists[0], tg.Tensor(y), lists[1], *lists[2:]]
    result, expected = np.einsum(*operands), tg.einsum(subscripts, *operands[:4:2])
    assert np.array_equal(result.data, expected.data)
    np.testing.assert_allclose(result.data, np.einsum(x, lists[0], y, lists[1], *lists[2:]), rtol=1e-13)
    assert result.requires_grad


def test_a_large_contraction_takes_the_path_through_blas(rng: np.random.Generator) -> None:
    x, y = rng.standard_normal((70, 80)), rng.standard_normal((80, 3))
    np.testing.assert_allclose(np.asarray(tg.einsum("ij,jk->ik", x, y)), x @ y, rtol=1e-12, atol=1e-12)
