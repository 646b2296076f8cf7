"""``tg.gradients``, the form on the tape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


def test_one_in_one_out_a_sequence_a_tuple() -> None:
    x, y = leaf(2.0), leaf(3.0)
    z = x * y
    assert tg.gradients(z, x).item() == 3.0
    assert [g.item() for g in tg.gradients(z, (x, y))] == [3.0, 2.0]
    assert isinstance(tg.gradients(z, [x]), tuple)
    assert tg.gradients(z, []) == ()


def test_inputs_in_the_middle_and_outputs_that_are_inputs() -> None:
    x = leaf(2.0)
    h = x * x
    y = h * h * x
    assert [g.item() for g in tg.gradients(y, [h, x, y])] == [2 * 4.0 * 2.0, 16.0 + 2 * 4.0 * 2.0 * 4.0, 1.0]
    assert tg.gradients(h, h).item() == 1.0


def test_several_outputs_with_cotangents() -> None:
    x = leaf([1.0, 2.0])
    y, z = x * x, x.sum()
    assert tg.gradients([y, z], x, [[1.0, 10.0], 100.0]).tolist() == [102.0, 140.0]
    assert tg.gradients([z, z], x).tolist() == [2.0, 2.0]
    assert tg.gradients([y.sum(), z, y.sum()], x, [None, 5.0, None]).tolist() == [9.0, 13.0]


def test_an_input_that_is_not_reached_gets_zeros() -> None:
    x, other = leaf([1.0, 2.0], dtype=np.float32), leaf(np.ones((2, 3)))
    found = tg.gradients((x * x).sum(), [other, x])
    assert found[0].tolist() == [[0.0] * 3] * 2
    assert found[1].tolist() == [2.0, 4.0]
    assert tg.gradients(other.sum(), x).dtype == np.float32


def without_grad(x: tg.Tensor) -> tg.Tensor:
    with tg.no_grad():
        return x * x


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (
            lambda x: tg.gradients((x**3).sum(), x).sum(),
            "made by a backward pass that was not recorded. Pass create_graph",
        ),
        (lambda x: without_grad(x).sum(), "computed under no_grad. Compute it outside"),
        (lambda x: x.detach().sum() * 2, r"detached. Use the Tensor before detach\(\)"),
        (lambda x: x.argmax(), "computed from plain values"),
        (lambda x: tg.Tensor(x.data**2).sum(), "computed from plain values. Make its inputs with requires_grad=True"),
        (lambda x: np.zeros_like(x).sum(), "computed from plain values"),
    ],
)
def test_an_output_without_a_graph(output: Any, why: str) -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(
        tg.GraphError, match=f"an output must be differentiated along a graph; got T.*, which was {why}"
    ):
        tg.gradients(output(x), x)
    with pytest.raises(tg.GraphError, match=f"an output must be differentiated .* which was {why}"):
        tg.gradients([x.sum(), output(x)], x)
    with pytest.raises(tg.GraphError, match=f"backward\\(\\) must start .* which was {why}"):
        output(x).backward()


def test_a_gradient_that_is_constant_has_the_gradient_zero() -> None:
    x = leaf([1.0, 2.0])
    assert tg.hessian(lambda t: (3 * t).sum())(x).tolist() == [[0.0, 0.0]] * 2
    assert tg.jacobian(lambda t: 2 * tg.grad(lambda s: (3 * s).sum())(t) + 1)(x).tolist() == [[0.0, 0.0]] * 2
    slope = tg.gradients((3 * x).sum(), x, create_graph=True)
    assert tg.gradients(slope.sum(), x).tolist() == [0.0, 0.0]


def test_create_graph_connects_cotangents_too() -> None:
    x, u = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    pulled = tg.gradients(x * x, x, u, create_graph=True)
    assert tg.gradients(pulled.sum(), u).tolist() == [2.0, 4.0]
    assert tg.gradients(pulled.sum(), x).tolist() == [6.0, 8.0]
