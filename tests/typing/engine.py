"""What type checkers make of the engine and the front door: never run, read by mypy and by pyright in the gate."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

import tinygrad_norm as tg
from tinygrad_norm import functional as F

if TYPE_CHECKING:
    from typing_extensions import assert_type

    from tinygrad_norm.gradcheck import Report

    x = tg.Tensor([1.0, 2.0], requires_grad=True)

    # An operation gives a Tensor: as an operator, a method, a function.
    assert_type(x * x, tg.Tensor)
    assert_type(2.0 * x, tg.Tensor)
    assert_type(x @ x, tg.Tensor)
    assert_type(x == x, tg.Tensor)
    assert_type(x[0], tg.Tensor)
    assert_type(-x, tg.Tensor)
    assert_type(x.sum(axis=0, keepdims=True), tg.Tensor)
    assert_type(x.var(), tg.Tensor)
    assert_type(x.T, tg.Tensor)
    assert_type(next(iter(x)), tg.Tensor)
    assert_type(tg.exp, tg.Primitive)
    assert_type(tg.exp(x), tg.Tensor)
    assert_type(tg.where(x > 0, x, 0.0), tg.Tensor)
    assert_type(tg.concatenate([x, x]), tg.Tensor)
    assert_type(tg.einsum("i,i", x, x), tg.Tensor)
    assert_type(tg.zeros((2, 3)), tg.Tensor)
    assert_type(F.softmax(x), tg.Tensor)

    # What a Tensor has.
    assert_type(x.grad, tg.Tensor | None)
    assert_type(x.shape, tuple[int, ...])
    assert_type(x.detach(), tg.Tensor)
    assert_type(float(x), float)
    assert_type(x.backward(), None)

    # Transforms.
    assert_type(tg.gradients(x.sum(), x), tg.Tensor)
    assert_type(tg.gradients(x.sum(), [x]), tuple[tg.Tensor, ...])
    assert_type(tg.jacobian(tg.exp)(x), tg.Tensor)
    assert_type(tg.hvp(lambda t: (t * t).sum(), x, x), tg.Tensor)
    assert_type(tg.jvp(tg.exp, (x,), (x,)), tuple[tg.Tensor, tg.Tensor])

    # A declaration.
    assert_type(tg.primitive(np.exp, vjp=lambda g, out: (g * out,), samples=[tg.sample((3,))]), tg.Primitive)
    assert_type(tg.elementwise(np.arcsinh, vjp=lambda g, x: (g / (1 + x * x) ** 0.5,)), tg.Primitive)

    # The rooms that are loaded when they are first used.
    assert_type(tg.draw(x), tg.Drawing)
    assert_type(tg.gradcheck(tg.exp, [x]), Report)
    assert_type(tg.check_vjp(np.exp, lambda g, x: g * np.exp(x), np.ones(3)), Report)
    assert_type(tg.assert_gradients(tg.exp, [x]), Report)

    def opened() -> Any:
        """A trace is itself."""
        with tg.trace() as t:
            assert_type(t, tg.trace)
        return t

    modules: list[ModuleType] = [tg.nn, tg.optim, tg.viz, tg.functional, tg.ops]
