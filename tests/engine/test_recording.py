"""What an operation says when it cannot be done: which one, where, with what, and the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg

A, B = np.ones((2, 5)), np.ones((4, 8))


ERRORS: dict[type[Exception], list[tuple[Any, ...]]] = {
    tg.ShapeError: [
        (
            lambda: tg.Tensor(A) @ B,
            r"matmul in encoder.attention: the last axis of the left operand \(5\) must equal the second-last of the "
            r"right \(4\); got \(2, 5\) @ \(4, 8\). Transpose one of them, or check the layer's in_features",
        ),
        (lambda: tg.Tensor(A) @ np.ones(4), r"\(5\) must equal the only axis of the right \(4\)"),
        (lambda: tg.Tensor(A) @ 2.0, r"matmul in .*both operands must have an axis; got shape \(\). Use \*"),
        (
            lambda: tg.Tensor(A) + B,
            r"add in encoder.attention: the inputs must fit together; got shapes \(2, 5\) and \(4, 8\): "
            r"operands could not be broadcast.*Shapes broadcast when they are equal, or 1",
        ),
        (lambda: tg.Tensor(A).sum(axis=2), r"sum in .*axis=2.*axis 2 is out of bounds.*See help\(tg.sum\)"),
        (lambda: tg.Tensor(A).reshape(3, 3), r"reshape in .*shape=\(3, 3\).*cannot reshape array of size 10"),
        (lambda: tg.Tensor(A).transpose(0, 0), "transpose in .*repeated axis"),
        (lambda: tg.concatenate([A, B]), r"concatenate in .*shapes \(2, 5\) and \(4, 8\).*See help\(tg.concatenate\)"),
        (lambda: tg.stack([A, B]), r"stack in .*all input arrays must have the same shape.*See help\(tg.stack\)"),
        (lambda: tg.broadcast_to(A, (3, 5)), r"broadcast_to in .*shape=\(3, 5\)"),
        (lambda: tg.broadcast_to(A[:1], (5,)), r"must have at least the 2 axes of \(1, 5\); got \(5,\). Reshape"),
        (lambda: tg.Tensor(np.ones((0, 2))).max(), "max in .*zero-size array"),
        (lambda: tg.roll(A, (1, 2), axis=(0, 5)), "roll in .*out of bounds"),
        (lambda: tg.flip(A, 4), "flip in .*out of bounds"),
        (lambda: tg.Tensor(A) > B, r"greater: the operands must fit.*\(2, 5\) and \(4, 8\).*Check shapes and"),
        (lambda: tg.Tensor(A).argmax(axis=2), r"argmax: .*got shapes \(2, 5\).*axis 2 is out of bounds"),
    ],
    tg.IndexRangeError: [
        (lambda: tg.Tensor(A)[2], "getitem in .*index 2 is out of bounds.*An index counts from 0"),
        (lambda: tg.Tensor(A)[:, :, 0], "getitem in .*too many indices"),
        (lambda: tg.Tensor(A)[1.5], "getitem in .*integer"),
        (lambda: tg.Tensor(A)["a"], "getitem in "),
        (lambda: tg.Tensor(A)[np.ones((3, 5), bool)], "getitem in .*boolean index did not match"),
    ],
    tg.InputError: [
        (
            lambda: tg.Tensor([1, 2]) ** -1,
            "power in .*Integers to negative integer powers.* at the dtypes int64 and int64",
        ),
        (lambda: tg.Tensor(A) * 10**400, r"multiply in .*too large to convert.*Every number must fit"),
        (lambda: tg.Tensor(A) == 10**5000, "equal: .*too large to convert"),
        (lambda: tg.Tensor(A).clip(0, 10**400), r"clip in .*upper=10000.*…: int too large"),
        (lambda: tg.Tensor(A).clip(0, 10**5000), r"clip in .*upper=a huge number: int too large"),
    ],
    tg.OperandError: [
        (lambda: -tg.Tensor([True]), "negative in .*boolean negative.*Look at the values, and at the dtypes bool"),
        (
            lambda: tg.exp(None),
            "exp must get numbers.*got NoneType. Look whether the function that it comes from ends without",
        ),
        (lambda: tg.Tensor([1.0]) & 1, r"bitwise_and: the operands must fit.*got shapes \(1,\) and \(\): ufunc"),
    ],
}


@pytest.mark.parametrize(
    ("error", "compute", "message"), [(error, *row) for error, rows in ERRORS.items() for row in rows]
)
def test_an_error_names_the_operation_its_place_and_the_shapes(
    compute: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with tg.scope("encoder"), tg.scope("attention"), pytest.raises(error, match=message):
        compute()


def test_outside_every_scope_no_place_is_named() -> None:
    with pytest.raises(tg.ShapeError, match=r"^add: the inputs"):
        tg.Tensor(A) + B


def test_the_original_error_is_kept_as_the_cause() -> None:
    with pytest.raises(tg.ShapeError) as caught:
        tg.Tensor(A) + B
    assert isinstance(caught.value.__cause__, ValueError)
    assert isinstance(caught.value, tg.TinygradNormError)


def test_a_result_is_recorded_only_where_a_gradient_can_flow() -> None:
    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    assert (x * 2).node is not None
    assert x.astype(np.int64).node is None
    assert (x > 1).node is None
    assert np.argmax(x).node is None
    assert (tg.Tensor([1.0]) * 2).node is None


def test_a_node_knows_its_primitive_parameters_and_parents() -> None:
    x = tg.Tensor(A, requires_grad=True)
    y = x.sum(axis=0, keepdims=True)
    node = y.node
    assert node is not None
    assert node.primitive is tg.PRIMITIVES["sum"]
    assert node.params == {"axis": 0, "keepdims": True}
    assert node.parents == (x.node,)
    assert node.shapes == ((2, 5),)
    assert node.order > x.node.order


def test_a_scope_is_one_object_a_call() -> None:
    x = tg.Tensor(1.0, requires_grad=True)

    def layer() -> tg.Tensor:
        with tg.scope("layer", "function"):
            return x * 2 + (x * 3)

    first, second = layer(), layer()
    assert first.node.scope is not second.node.scope
    assert first.node.scope.path == second.node.scope.path == "layer"
    assert first.node.parents[0].scope is first.node.scope
    assert first.node.scope.kind == "function"


def test_a_number_that_fits_no_float() -> None:
    with pytest.raises(
        tg.InputError, match=r"multiply: the inputs must fit .* too large .*Every number must fit the dt"
    ):
        tg.Tensor([1.0], requires_grad=True) * 10**400


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyError, AssertionError, OSError, NameError, RuntimeError])
def test_whatever_a_function_of_the_user_raises_is_told_with_its_place(planted: None, kind: type[Exception]) -> None:
    def fails(*args: Any) -> Any:
        raise kind("boom")

    shapes = [tg.sample((2,))]
    forward = tg.primitive(lambda x, /: fails(x), vjp=lambda g: (g,), name="forward", samples=shapes)
    rule = tg.primitive(lambda x, /: x * 2, vjp=lambda g: (fails(g),), name="rule", samples=shapes)
    with tg.scope("encoder"):
        with pytest.raises(tg.InputError, match=r"forward in encoder: .*shapes \(2,\): .*boom.*Correct the forward"):
            forward(A[0, :2])
        y = rule(tg.Tensor(A[0, :2], requires_grad=True))
    with pytest.raises(tg.VJPError, match=rf"the VJP of rule in encoder .*{kind.__name__}: .*boom.*Correct the rule"):
        y.backward(A[0, :2])


def test_what_numpy_is_asked_to_raise_is_named_and_still_its_kind() -> None:
    x = tg.Tensor([0.0], requires_grad=True)
    y = tg.sqrt(x)
    with np.errstate(all="raise"):
        for call, name in ((lambda: tg.log(x), "log: "), (lambda: y.backward(), "the VJP of sqrt")):
            with pytest.raises(FloatingPointError, match=rf"{name}.*divide by zero") as caught:
                call()
            assert isinstance(caught.value, tg.AnomalyError)
