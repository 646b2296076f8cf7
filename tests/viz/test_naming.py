from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.viz.naming import (
    Ids,
    formula_of,
    index_text,
    literal_text,
    mentions_all,
    parameter_text,
    substituted,
)


def test_ids_are_unique_and_safe() -> None:
    ids = Ids()
    assert [ids.counted("matmul"), ids.counted("matmul")] == ["matmul_1", "matmul_2"]
    assert [ids.named("x"), ids.named("x"), ids.named("x")] == ["x", "x_2", "x_3"]
    assert ids.named("matmul_3") == "matmul_3"
    assert ids.counted("matmul") == "matmul_4"
    assert ids.named('a:b"<\\N') == "a_b___N"
    assert ids.named("") == "unnamed"
    assert ids.named("encoder.q-proj") == "encoder.q-proj"


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("x − y", "a − b"),
        ("√x", "√a"),
        ("ḡ · 2x", "ḡ · 2 · a"),
        ("exp(x − out)", "exp(a − out)"),
        ("xᵀ @ ḡ", "aᵀ @ ḡ"),
        ("eˣ", "eˣ"),
        ("max(x, 0)", "max(a, 0)"),
        ("x² + x_shape", "a² + x_shape"),
    ],
)
def test_names_are_put_into_formulas(formula: str, result: str) -> None:
    assert substituted(formula, {"x": "a", "y": "b"}) == result


def test_a_name_that_looks_like_an_argument_is_not_replaced_again() -> None:
    assert substituted("x − y", {"x": "y", "y": "x"}) == "y − x"


def test_whether_a_formula_names_its_arguments() -> None:
    assert mentions_all("x @ y", ("x", "y"))
    assert not mentions_all("eˣ", ("x",))


def formula(function: Any, *arguments: str) -> str:
    """The formula of the last operation that a call records."""
    with tg.trace() as t:
        function()
    record = t.records[-1]
    return formula_of(SimpleNamespace(primitive=record.primitive, params=record.params), arguments)


def test_formulas_with_parameters() -> None:
    x = tg.Tensor(np.ones((3, 4)))
    assert formula(lambda: x.mean(axis=-1, keepdims=True), "z") == "Σ z / n, axis −1"
    assert formula(lambda: x.sum(), "z") == "Σ z"
    assert formula(lambda: tg.exp(x), "z") == "exp(z)"
    assert formula(lambda: x[1:, None, 0], "z") == "z[1:, None, 0]"
    assert formula(lambda: x.reshape(4, 3), "z") == "z in another shape, shape (4, 3)"
    assert formula(lambda: tg.concatenate([x, x]), "a", "b") == "concatenate(a, b), axis 0"
    assert formula(lambda: tg.einsum("ij,kj->ik", x, x), "a", "b") == "einsum(a, b), subscripts ij,kj->ik"


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (2, "2"),
        (slice(1, 5, 2), "1:5:2"),
        ((..., None, slice(None)), "..., None, :"),
        ((np.array([0, 2]), 1), "array (2,), 1"),
        (np.array([True, False]), "mask (2,)"),
    ],
)
def test_indices(index: Any, text: str) -> None:
    assert index_text(index) == text


def test_parameters_and_literals() -> None:
    assert parameter_text(0.30000001) == "0.3"
    assert parameter_text(np.zeros((2, 2))) == "array (2, 2)"
    assert parameter_text("x" * 50) == "x" * 39 + "…"
    assert literal_text(-2, ()) == "(−2)"
    assert literal_text(np.float64(0.5), ()) == "0.5"
    assert literal_text(None, ()) == "const"
    assert literal_text(None, (3,)) == "const (3,)"
    assert literal_text(np.zeros((2, 3)), (2, 3)) == "array (2, 3)"
