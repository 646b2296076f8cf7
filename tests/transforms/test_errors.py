"""The errors of every transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_norm as tg


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: tg.gradients(x * 1, tg.Tensor(1.0)), tg.GraphError, r"input 0 must be a Tensor that requires a "
         r"gradient; got T"),
        (lambda x: tg.gradients(x.sum(), [x, 3.0]), tg.GraphError, r"input 1 must be a Tensor.*got 3.0. Make it with "
         r"requires_grad"),
        (lambda x: tg.gradients(x, x), tg.GraphError, r"must start from a single number; got shape "
         r"\(2,\).*cotangents="),
        (lambda x: tg.gradients(x, x, [1.0]), tg.ShapeError, r"cotangent of a result must have its shape \(2,\); got "
         r"\(1,\)"),
        (lambda x: tg.gradients([x, x], x, [[1.0, 1.0]]), tg.ShapeError, r"one cotangent for each of the 2 "
         r"output\(s\); got 1"),
        (lambda x: tg.gradients(3.0, x), tg.OperandError, r"gradients must get a Tensor, or a tuple of them.*; got "
         r"float"),
        (lambda x: tg.gradients([x, None], x), tg.OperandError, r"gradients must get .*got NoneType. Compute it with"),
        (lambda x: tg.grad(lambda t: t)(x), tg.ShapeError, r"grad must get a function that returns a Tensor of one "
         r"number; got shape"),
        (lambda x: tg.grad(lambda t: 3.0)(x), tg.ShapeError, r"of one number; got float. Sum it to a loss, or use "
         r"tg.jacobian"),
        (lambda x: tg.grad(lambda t: (t, t))(x), tg.ShapeError, r"of one number; got tuple"),
        (lambda x: tg.grad(lambda t: t, 1)(x), tg.OperandError, r"argnums must name positional arguments; got 1 for "
         r"a call with 1"),
        (lambda x: tg.grad(lambda t: t, (0, -2))(x), tg.OperandError, r"argnums must name .*got -2.*Count from 0"),
        (lambda x: tg.grad(lambda t: t)({"a": 1}), tg.OperandError, r"a Tensor's data must be"),
        (lambda x: tg.vjp(lambda t: 1.0, x), tg.OperandError, r"vjp must get a Tensor, or a tuple of them, .*got "
         r"float"),
        (lambda x: tg.vjp(tg.exp, x)[1](), tg.ShapeError, r"pullback must get one cotangent for each of the 1 "
         r"output\(s\); got 0"),
        (lambda x: tg.vjp(tg.exp, x)[1](1.0), tg.ShapeError, r"must have its shape \(2,\); got \(\)"),
        (lambda x: tg.jvp(tg.exp, x, x), tg.OperandError, r"jvp must get a tuple of points and a tuple of "
         r"tangents.*got Tensor and"),
        (lambda x: tg.jvp(tg.exp, (x,), ()), tg.OperandError, r"jvp must get .* of the same length"),
        (lambda x: tg.jvp(tg.exp, (x,), (1.0,)), tg.ShapeError, r"a tangent must have its point's shape \(2,\); got "
         r"\(\). Reshape"),
        (lambda x: tg.jvp(lambda t: (t, t), (x,), (x,)), tg.OperandError, r"jvp must get a function that returns one "
         r"Tensor; got tup"),
        (lambda x: tg.jacobian(lambda t: [t])(x), tg.OperandError, r"jacobian must get a function that returns "
         r"one.*got list. Use tg"),
        (lambda x: tg.hessian(lambda t: t)(x), tg.ShapeError, r"of one number; got shape \(2,\)"),
        (lambda x: tg.hvp(lambda t: t, x, x), tg.ShapeError, r"of one number"),
        (lambda x: tg.hvp(lambda t: t.sum(), x, 1.0), tg.ShapeError, r"must have its shape \(2,\); got \(\)"),
    ],
)  # fmt: skip
def test_errors(call: Callable[[tg.Tensor], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(leaf([1.0, 2.0]))
