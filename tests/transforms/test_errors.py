"""The errors of every transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_norm as tg


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


ERRORS: dict[type[Exception], list[tuple[Any, ...]]] = {
    tg.GraphError: [
        (lambda x: tg.gradients(x * 1, tg.Tensor(1.0)), "input 0 must be a Tensor that requires a gradient; got"),
        (lambda x: tg.gradients(x.sum(), [x, 3.0]), "input 1 must be a Tensor.*got 3.0. Make it with requires_grad"),
        (lambda x: tg.gradients(x, x), r"must start from a single number; got shape \(2,\).*cotangents="),
    ],
    tg.ShapeError: [
        (lambda x: tg.gradients(x, x, [1.0]), r"cotangent of a result must have its shape \(2,\); got \(1,\)"),
        (lambda x: tg.gradients([x, x], x, [[1.0, 1.0]]), r"one cotangent for each of the 2 output\(s\); got 1"),
        (lambda x: tg.grad(lambda t: t)(x), "grad must get a function that returns a Tensor of one number; got shape"),
        (lambda x: tg.grad(lambda t: 3.0)(x), "of one number; got float. Sum it to a loss, or use tg.jacobian"),
        (lambda x: tg.grad(lambda t: (t, t))(x), "of one number; got tuple"),
        (lambda x: tg.vjp(tg.exp, x)[1](), r"pullback must get one cotangent for each of the 1 output\(s\); got 0"),
        (lambda x: tg.vjp(tg.exp, x)[1](1.0), r"must have its shape \(2,\); got \(\)"),
        (lambda x: tg.jvp(tg.exp, (x,), (1.0,)), r"a tangent must have its point's shape \(2,\); got \(\). Reshape"),
        (lambda x: tg.hessian(lambda t: t)(x), r"of one number; got shape \(2,\)"),
        (lambda x: tg.hvp(lambda t: t, x, x), "of one number"),
        (lambda x: tg.hvp(lambda t: t.sum(), x, 1.0), r"must have its shape \(2,\); got \(\)"),
    ],
    tg.OperandError: [
        (lambda x: tg.gradients(3.0, x), "gradients must get a Tensor, or a tuple of them.*; got float"),
        (lambda x: tg.gradients([x, None], x), "gradients must get .*got NoneType. Compute it with"),
        (lambda x: tg.grad(lambda t: t, 1)(x), "argnums must name positional arguments; got 1 for a call with 1"),
        (lambda x: tg.grad(lambda t: t, (0, -2))(x), "argnums must name .*got -2.*Count from 0"),
        (lambda x: tg.grad(lambda t: t)({"a": 1}), "a Tensor's data must be"),
        (lambda x: tg.vjp(lambda t: 1.0, x), "vjp must get a Tensor, or a tuple of them, .*got float"),
        (lambda x: tg.jvp(tg.exp, x, x), "jvp must get a tuple of points and a tuple of tangents.*got Tensor and"),
        (lambda x: tg.jvp(tg.exp, (x,), ()), "jvp must get .* of the same length"),
        (lambda x: tg.jvp(lambda t: (t, t), (x,), (x,)), "jvp must get a function that returns one Tensor; got"),
        (lambda x: tg.jacobian(lambda t: [t])(x), "jacobian must get a function that returns one.*got list. Use tg"),
    ],
}


@pytest.mark.parametrize(
    ("error", "call", "message"), [(error, *row) for error, rows in ERRORS.items() for row in rows]
)
def test_errors(call: Callable[[tg.Tensor], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(leaf([1.0, 2.0]))
