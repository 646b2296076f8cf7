"""What a declaration promises, how it is refused, and that the battery catches a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.engine.primitive import FUNCTIONS, NUMPY, PRIMITIVES
from tinygrad_norm.samples import sample

pytestmark = pytest.mark.usefixtures("planted")
MATRIX = [sample((3, 5))]


def declare(vjp: Any, forward: Any = None, samples: Any = MATRIX, **how: Any) -> tg.Primitive:
    return tg.primitive(forward or (lambda x, /: x * x), vjp=vjp, samples=samples, name="planted", **how)


# A declaration that is refused


def test_a_primitive_without_a_sample() -> None:
    with pytest.raises(tg.VJPError, match=r"'planted' must come with at least one sample.*got none. Pass samples="):
        declare(lambda g, x: (2 * g * x,), samples=[])


def test_a_sample_with_too_many_shapes() -> None:
    with pytest.raises(
        tg.VJPError, match=r"every sample of primitive 'planted' must have 1 shape.*got Sample.*Write tg"
    ):
        declare(lambda g, x: (2 * g * x,), samples=[sample((3,), (3,))])


def test_a_sample_with_an_unknown_parameter() -> None:
    with pytest.raises(tg.VJPError, match=r"parameters out of \(\); got Sample\(.*'axis': 0"):
        declare(lambda g, x: (2 * g * x,), samples=[sample((3,), axis=0)])


def test_a_tuple_with_too_few_rules() -> None:
    with pytest.raises(tg.VJPError, match=r"one rule for each of its 2 inputs; got 1. Use None"):
        declare((lambda g: g,), lambda x, y, /: x + y, samples=[sample((3,), (3,))])


@pytest.mark.parametrize("name", ["multiply", "where", "var", "getitem", None])
def test_a_name_that_is_taken_or_missing(name: str | None) -> None:
    before = dict(FUNCTIONS)
    with pytest.raises(
        tg.VJPError, match=r"a name of its own; got '[a-z<>]+', which is a function .* Pass another name="
    ):
        tg.primitive(lambda x, /: x, vjp=lambda g: (g,), samples=MATRIX, name=name)
    assert before == FUNCTIONS


def test_a_learner_may_declare_their_own_again() -> None:
    declare(lambda g: (g,))
    second = declare(lambda g, x: (2 * g * x,))
    assert PRIMITIVES["planted"] is second
    assert not second.native


def test_another_declaration_of_a_ufunc_does_not_take_it_over() -> None:
    mine = tg.elementwise(np.exp, vjp=lambda g: (g,), samples=MATRIX, name="my_exp")
    assert NUMPY[np.exp] is tg.exp
    assert tg.grad(lambda x: np.exp(x))(1.0).item() == pytest.approx(np.e)
    assert tg.grad(mine)(1.0).item() == 1.0


def test_a_new_ufunc_is_dispatched_to_its_latest_declaration() -> None:
    pair = [tg.sample((3, 5), (3, 5))]
    tg.elementwise(np.ldexp, vjp=(lambda g: g, None), samples=pair)
    tg.elementwise(np.ldexp, vjp=(lambda g, y: g * 2.0**y, None), samples=pair)
    assert tg.grad(lambda x: np.ldexp(x, 3))(0.6).item() == 8.0


# A declaration that is accepted


def test_what_a_declaration_knows() -> None:
    made = declare(
        (lambda g, y, scale: g * y * scale, None),
        lambda x, y, /, scale=2.0: x * y * scale,
        samples=[sample((3,), (3,), scale=3.0)],
        formula="x · y · s",
        rule=("ḡ · y · s", ""),
    )
    assert (made.name, made.symbol, made.arity, made.params) == ("planted", "planted", 2, ("scale",))
    assert made.inputs == ("x", "y")
    assert made.saves == (("y", "scale"), ())
    assert not made.variadic
    assert repr(made) == "<primitive planted: x · y · s>"
    assert repr(declare(lambda g: (g,))) == "<primitive planted>"
    assert made(2.0, 5.0).item() == 20.0
    assert made(2.0, 5.0, 3.0).item() == made(2.0, 5.0, scale=3.0).item() == 30.0
    x = tg.Tensor(2.0, requires_grad=True)
    y = tg.Tensor(5.0, requires_grad=True)
    assert [g.item() for g in tg.gradients(made(x, y), [x, y])] == [10.0, 0.0]


# A call


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tg.exp(), r"exp takes 1 input\(s\); got 0 positional argument\(s\). See help\(tg.exp\)"),
        (lambda: tg.exp(1.0, 2.0), r"exp takes 1 input\(s\); got 2 positional"),
        (lambda: tg.add(1.0), r"add takes 2 input\(s\); got 1 positional"),
        (lambda: tg.sum([1.0], 0, True, 3), r"sum takes 1 input\(s\) and the parameters axis, keepdims; got 4"),
        (lambda: tg.sum([1.0], dtype=int), r"sum takes the parameters \(axis, keepdims\); got dtype. Leave them out"),
    ],
)
def test_a_call_with_the_wrong_arguments(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(tg.OperandError, match=message):
        call()


def test_on_follows_its_operands() -> None:
    array = np.array([1.0, 4.0])
    assert type(tg.sqrt.on(array)) is np.ndarray
    assert type(tg.sqrt.on(4.0)) is np.float64
    tracked = tg.sqrt.on(tg.Tensor(array, requires_grad=True))
    assert tracked.requires_grad
    assert type(tg.sum.on(array, axis=0)) is np.float64


# The sweep checks what a rule returns


def gradient_of(made: tg.Primitive) -> Any:
    return tg.grad(lambda t: made(t).sum())(np.ones((2, 3)))


@pytest.mark.parametrize("returned", [lambda g: g, lambda g: [g], lambda g: (g, g), lambda g: (), lambda g: None])
def test_a_joint_rule_must_return_one_cotangent_an_input(returned: Any) -> None:
    made = declare(lambda g: returned(g))
    with pytest.raises(
        tg.VJPError, match=r"planted must return a tuple with one cotangent for each of its 1 input\(s\); got"
    ):
        gradient_of(made)


def test_the_shape_of_a_cotangent_is_never_repaired() -> None:
    with tg.scope("model"):
        made = declare(lambda g: (g.sum(axis=0),))
        with pytest.raises(
            tg.VJPError,
            match=r"VJP of planted in model must return a cotangent of shape \(2, 3\) for input 0; got \(3,\). "
            r"Correct the rule",
        ):
            gradient_of(made)


def test_an_elementwise_cotangent_is_summed_but_not_stretched() -> None:
    made = declare(lambda g: (np.sum(g, axis=0),), elementwise=True)
    with pytest.raises(tg.VJPError, match=r"shape \(2, 3\) for input 0; got \(3,\)"):
        gradient_of(made)
    too_many = declare(lambda g: (g[None] * np.ones((7, 1, 1)),), lambda x, /: 7 * x, elementwise=True)
    assert np.array_equal(gradient_of(too_many), np.full((2, 3), 7.0))


def test_a_cotangent_may_be_a_python_number_or_none() -> None:
    number = declare(lambda g, x: (float(2 * g * x),))
    assert tg.grad(number)(3.0).item() == 6.0
    nothing = declare(lambda g: (None,))
    assert np.array_equal(gradient_of(nothing), np.zeros((2, 3)))


def test_only_the_rules_that_are_needed_run() -> None:
    ran: list[str] = []

    def rule(name: str) -> Callable[..., Any]:
        return lambda g: ran.append(name) or g

    made = declare((rule("x"), rule("y")), lambda x, y, /: x + y, samples=[sample((3,), (3,))], elementwise=True)
    x, y = (tg.Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    made(x, [3.0, 4.0]).sum().backward()
    assert ran == ["x"]
    total = made(x, y).sum()
    tg.gradients(total, y)
    assert ran == ["x", "y"]
    total.backward()
    assert ran == ["x", "y", "x", "y"]


def test_a_rule_may_use_tg_functions() -> None:
    made = declare(lambda g, x: (g * tg.cos(x),), np.sin, elementwise=True)
    assert tg.grad(made)(1.0).item() == pytest.approx(np.cos(1.0))
    assert tg.grad(tg.grad(made))(1.0).item() == pytest.approx(-np.sin(1.0))


# What a forward function and a rule receive belongs to the tape


def double_in_place(g: Any) -> Any:
    g *= 2
    return (g,)


def square_in_place(g: Any, x: Any) -> Any:
    x *= g
    return (2 * x,)


@pytest.mark.parametrize(
    ("forward", "vjp"), [(lambda x, /: 2 * x, double_in_place), (lambda x, /: x * x, square_in_place)]
)
def test_a_rule_that_writes_into_what_it_receives(forward: Any, vjp: Any) -> None:
    made = declare(vjp, forward)
    x = tg.Tensor(np.ones((3, 5)), requires_grad=True)
    with tg.scope("model"):
        y = made(x) + x.sum()
    with pytest.raises(
        tg.VJPError, match=r"VJP of planted in model .* got ValueError: output array is read-only. What a"
    ):
        y.sum().backward()
    assert x.grad is None
    assert np.all(x.data == 1)


def test_a_forward_function_that_writes_into_what_it_receives() -> None:
    made = declare(lambda g: (g,), lambda x, /: np.exp(x, out=x))
    x = tg.Tensor(np.ones((3, 5)), requires_grad=True)
    with pytest.raises(
        tg.ShapeError, match=r"planted: .* read-only. What a forward function receives belongs to the tape"
    ):
        made(x)
    assert np.all(x.data == 1)
