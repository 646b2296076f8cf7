"""Faults of the code under test that have their own message; the clear-cut ones are in the corpus."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Report
from tinygrad_norm.gradcheck.hygiene import adjoint_gap
from tinygrad_norm.gradcheck.numpy_pair import hand_written

X = np.random.default_rng(3).standard_normal((3, 5))


def check(backward: Any, forward: Any = np.square, x: np.ndarray = X) -> Report:
    return tg.check_vjp(forward, backward, x)


def test_a_fault_is_told_with_evidence_and_a_reason() -> None:
    text = str(check(lambda g, x: 2 * x))
    assert "WRONG: the gradient is not multiplied by the incoming gradient g" in text
    assert "(−1024 g gives the same answer as g)" in text
    assert "why: the chain rule multiplies by g" in text


def test_after_a_backward_pass_that_is_no_linear_map_nothing_else_is_said() -> None:
    report = check(lambda g, x: np.tanh(g) * 2 * x)
    assert [fault.code for fault in report.faults] == ["not-linear"]
    assert report.entries == ()
    assert report.status == "wrong"


def test_a_gradient_that_is_not_additive_is_found_although_it_scales() -> None:
    assert check(lambda g, x: np.cbrt(np.mean(g**3)) * 2 * x).faults[0].code == "not-linear"


def test_the_place_of_what_is_not_finite() -> None:
    with np.errstate(all="ignore"):
        report = check(lambda g, x: g / x, np.log, np.array([[1.0, 2.0, -1.0]]))
    assert "the first is output[0, 2]" in report.faults[0].evidence
    two = tg.check_vjp(lambda x: (x, np.full(2, np.nan)), lambda g, x: g[0], X)
    assert "the first is output 1[0]" in two.faults[0].evidence
    inf = check(lambda g, x: np.where(x == X[1, 2], np.inf, 2 * g * x))
    assert inf.faults[0].code == "gradient-not-finite"
    assert "the first is x[1, 2]" in inf.faults[0].evidence
    assert "mistake" not in str(inf)


def test_writing_to_a_read_only_array_is_a_layout_fault() -> None:
    def backward(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        kept = g.copy()
        g[...] = 0
        g[...] = kept
        return 2 * g * x

    report = check(backward)
    assert [fault.code for fault in report.faults] == ["layout"]
    assert "read-only" in report.faults[0].name
    assert "ValueError" in report.faults[0].evidence


def test_sharing_memory_is_a_note_not_a_fault() -> None:
    report = tg.check_vjp(np.add, lambda g, a, b: (g, g), (X, X.copy()))
    assert report.ok
    assert any("is g itself" in note for note in report.notes)
    assert any("the gradients of" in note and "share memory" in note for note in report.notes)
    assert "note: the gradient of" in str(report)


def test_a_gradient_of_another_shape_for_another_cotangent_is_refused() -> None:
    with pytest.raises(tg.OperandError, match="whatever the cotangent"):
        check(lambda g, x: 2 * g * x if g[0, 0] > 0 else np.zeros(2))


def test_an_ill_conditioned_gradient_is_not_called_nonlinear() -> None:
    """Far from zero the two means cancel; what rounding leaves differs from call to call by its own size."""
    x = 1e7 + X

    def backward(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        c = x - x.mean(-1, keepdims=True)
        result: np.ndarray = g * (c - c.mean(-1, keepdims=True)) - (g * c).mean(-1, keepdims=True)
        return result

    report = tg.check_vjp(lambda v: 0.5 * (v - v.mean(-1, keepdims=True)) ** 2, backward, x)
    assert report.faults == ()


def test_products_that_cancel_are_not_called_nonlinear_either() -> None:
    """g x − g m, far from zero: b(g + h) and b(g) + b(h) differ by the rounding of large products."""

    def backward(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        d = g * x - g * x.mean(-1, keepdims=True)
        return d - d.mean(-1, keepdims=True)

    report = tg.check_vjp(lambda v: 0.5 * (v - v.mean(-1, keepdims=True)) ** 2, backward, 1e7 + X)
    assert report.faults == ()


def test_a_gradient_in_float32_is_not_called_nonlinear() -> None:
    report = check(lambda g, x: (2 * g * x).astype(np.float32))
    assert report.faults == ()
    assert report.finding is not None
    assert report.finding.code == "float32"


def test_a_part_in_a_million_that_is_not_linear_is_found() -> None:
    def backward(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        result: np.ndarray = 2 * g * x + 1e-6 * np.cbrt(np.mean(g**3))
        return result

    assert check(backward).faults[0].code == "not-linear"


def test_a_single_cotangent_of_the_users_own_is_tried_with_the_other_sign() -> None:
    report = tg.check_vjp(np.square, lambda g, x: np.abs(g) * 2 * x, X, cotangent=np.ones((3, 5)))
    assert [fault.code for fault in report.faults] == ["not-linear"]


def test_another_gradient_for_another_memory_order_is_a_layout_fault_and_rounding_is_none() -> None:
    def wrong_when(strided: float) -> Any:
        return lambda g, x: 2 * g * x * (1.0 if g.flags.c_contiguous else 1 + strided)

    assert [fault.code for fault in check(wrong_when(1e-9)).faults] == ["layout"]
    assert "not contiguous" in check(wrong_when(1e-9)).faults[0].name
    assert check(wrong_when(1e-12)).ok


def test_the_adjoint_identity_needs_no_differences(rng: np.random.Generator) -> None:
    a = rng.standard_normal((3, 5))
    x = rng.standard_normal(5)
    assert adjoint_gap(hand_written(lambda v: a @ v, lambda g, v: a.T @ g, x), seed=0) < 1e-15
    wrong = a.copy()
    wrong[1, 2] += 1e-9
    assert adjoint_gap(hand_written(lambda v: a @ v, lambda g, v: wrong.T @ g, x), seed=0) > 1e-12
    assert adjoint_gap(hand_written(lambda v: 0 * v, lambda g, v: 0 * g, x), seed=0) == 0.0


@pytest.mark.parametrize("seed", [0, 7])
def test_data_drawn_from_the_seed_of_the_check_are_not_its_cotangents(seed: int) -> None:
    x, seen = np.random.default_rng(seed).standard_normal((3, 5)), []

    def backward(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        seen.append(np.max(np.abs(np.corrcoef(g.ravel(), x.ravel())[0, 1])))
        return 2 * g * x

    assert tg.check_vjp(np.square, backward, x, seed=seed).ok
    assert max(seen) < 0.99


def test_gradients_near_the_largest_number_are_linear() -> None:
    assert not tg.check_vjp(np.exp, lambda g, y, x: g * y, 703 + X).faults


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_of_large_terms_that_cancel_is_linear(seed: int) -> None:
    def softmax(x: np.ndarray) -> np.ndarray:
        e = np.exp(x - x.max())
        result: np.ndarray = e / e.sum()
        return result

    x = np.random.default_rng(seed).standard_normal(7) + 30.0 * np.eye(7)[0]  # one weight is nearly 1
    report = tg.check_vjp(softmax, lambda g, y, x: y * (g - np.sum(g * y)), x, seed=seed)
    assert not report.faults, report


def test_a_cotangent_cast_to_float32_loses_precision_and_is_linear() -> None:
    report = check(lambda g, x: g.astype(np.float32) * 2 * x)
    assert report.finding is not None
    assert report.finding.code == "float32"
