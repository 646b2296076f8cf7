"""The public checks: orders, what a failure raises, and how bad calls are answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Report

F = tg.functional
X = np.random.default_rng(0).standard_normal((3, 5))
W = np.random.default_rng(1).standard_normal(5)


def layer_norm(x: Any, weight: Any) -> tg.Tensor:
    return F.layer_norm(x, 5, weight)


def test_a_composition_is_right_to_the_third_order() -> None:
    report = tg.gradcheck(layer_norm, (X, W), order=3)
    assert report.ok, report
    assert {e.order for e in report.entries} == {1, 2, 3}
    assert [e.name for e in report.entries if e.order == 2] == ["x", "weight", "g"]
    assert "second order, x (3, 5): right" in str(report)


def test_a_gradient_that_is_not_finite_points_to_detect_anomaly() -> None:
    report = tg.gradcheck(tg.sqrt, np.array([0.0, 1.0, 2.0, 3.0]))
    assert report.faults[0].code == "gradient-not-finite"
    assert any("tg.detect_anomaly()" in note for note in report.notes)


def test_dropout_is_random_and_the_message_says_what_to_do() -> None:
    def dropout(x: Any) -> Any:
        return x * (np.random.default_rng().random(x.shape) < 0.5)

    report = tg.gradcheck(dropout, X)
    assert report.faults[0].code == "random"
    assert "module.eval()" in str(report)


def test_assert_gradients_raises_with_the_report_and_returns_it() -> None:
    assert isinstance(tg.assert_gradients(tg.exp, X), Report)
    assert tg.assert_gradients(np.exp, X, backward=lambda g, out, x: g * out, seed=3).seed == 3
    with pytest.raises(AssertionError, match="the gradients are wrong\nWRONG: a part of the computation"):
        tg.assert_gradients(lambda x: x * x.detach(), X)
    with pytest.raises(AssertionError, match="the check proves nothing"):
        tg.assert_gradients(lambda x: F.softmax(x).sum(), X)
    with pytest.raises(AssertionError, match="the gradients could not be checked"):
        tg.assert_gradients(lambda v: 1e8 + 1e-8 * v, X, backward=lambda g, v: 2e-8 * g)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tg.gradcheck(tg.exp, X, order=4), "order must be 1, 2 or 3; got 4"),
        (lambda: tg.gradcheck(tg.exp, np.arange(3)), "at least one input must hold floating-point numbers"),
        (lambda: tg.gradcheck(tg.exp, ()), "got no inputs at all"),
        (lambda: tg.gradcheck(tg.exp, X, wrt="y"), "wrt must name or number an input; got 'y'"),
        (lambda: tg.gradcheck(tg.exp, X, wrt=3), "wrt must name or number an input; got 3"),
        (lambda: tg.gradcheck(lambda x, i: x, (X, np.arange(3)), wrt="i"), "i is int64 (3,)"),
        (lambda: tg.gradcheck(tg.exp, X, cotangent=np.ones(3)), "cotangent must have the shape of the output, (3, 5)"),
        (
            lambda: tg.gradcheck(lambda x: x.numpy(), X),
            "must return a Tensor or a tuple of Tensors; got float64 (3, 5)",
        ),
        (lambda: tg.check_vjp(lambda x: "text", lambda g, x: g, X), "forward must return real numbers"),
        (lambda: tg.check_vjp(lambda x: 1j * x, lambda g, x: g, X), "got complex128 (3, 5)"),
        (lambda: tg.check_vjp(np.exp, lambda g, x: "text", X), "must be an array of real numbers; got str"),
        (lambda: tg.check_vjp(np.exp, lambda g, x: (g, g, g), X), "one gradient for each of the 1 inputs"),
    ],
)
def test_bad_calls_are_answered_in_three_parts(call: Any, message: str) -> None:
    with pytest.raises(tg.TinygradNormError) as error:
        call()
    text = str(error.value)
    assert text.startswith("gradcheck: ")
    assert message in text
    assert text.endswith(".")
