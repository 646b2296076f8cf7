"""Functions of Tensors and modules: orders, parameters, buffers, and which recorded operation is to blame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Report, user_functions
from tinygrad_norm.gradcheck.user_functions import arguments, positional_names

F = tg.functional
X = np.random.default_rng(0).standard_normal((3, 5))
W = np.random.default_rng(1).standard_normal(5)


class Linear:
    """A module as the check sees one: callable, with named parameters."""

    def __init__(self, seed: int = 0, dtype: Any = np.float64) -> None:
        rng = np.random.default_rng(seed)
        self.weight = tg.Tensor(rng.standard_normal((7, 5)), requires_grad=True, dtype=dtype)
        self.bias = tg.Tensor(rng.standard_normal(7), requires_grad=True, dtype=dtype)
        self.frozen = tg.Tensor(2.0, dtype=dtype)

    def named_parameters(self) -> Iterator[tuple[str, tg.Tensor]]:
        yield "layer.weight", self.weight
        yield "layer.bias", self.bias
        yield "frozen", self.frozen

    def forward(self, x: Any) -> tg.Tensor:
        return F.linear(x, self.weight, self.bias) * self.frozen

    def __call__(self, x: Any) -> tg.Tensor:
        return self.forward(x)


class Counting(Linear):
    """A module with buffers that every forward pass changes, one a Tensor and one an array."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = tg.Tensor(np.zeros(7))
        self.count = np.zeros(1)

    def named_buffers(self) -> Iterator[tuple[str, Any]]:
        yield "mean", self.mean
        yield "count", self.count

    def forward(self, x: Any) -> tg.Tensor:
        y = super().forward(x)
        self.count += 1
        self.mean = tg.Tensor(self.mean.numpy() + y.numpy().mean(0))
        return y


def layer_norm(x: Any, weight: Any) -> tg.Tensor:
    return F.layer_norm(x, 5, weight)


def test_a_composition_is_right_to_the_third_order() -> None:
    report = tg.gradcheck(layer_norm, (X, W), order=3)
    assert report.ok, report
    assert {e.order for e in report.entries} == {1, 2, 3}
    assert [e.name for e in report.entries if e.order == 2] == ["x", "weight", "g"]
    assert "second order, x (3, 5): right" in str(report)


def test_tensors_lists_and_narrow_numbers_are_fine_and_stay_as_they_are() -> None:
    x = tg.Tensor(X.astype(np.float32), requires_grad=True)
    before = x.numpy()
    assert tg.gradcheck(tg.exp, x).ok
    assert tg.gradcheck(tg.exp, [x]).ok
    assert tg.gradcheck(lambda x, n: x**n, (x, 3)).ok
    assert tg.gradcheck(lambda x, axis: x.sum(axis), (X, 0)).ok
    assert tg.gradcheck(tg.multiply, (2.5, X)).ok
    assert np.array_equal(x.numpy(), before)
    assert x.dtype == np.float32
    assert x.grad is None


def test_wrt_picks_inputs_by_name_or_number() -> None:
    assert [e.name for e in tg.gradcheck(layer_norm, (X, W), wrt="weight").entries] == ["weight"]
    assert [e.name for e in tg.gradcheck(layer_norm, (X, W), wrt=[1, "x"]).entries] == ["weight", "x"]
    assert [e.name for e in tg.gradcheck(layer_norm, (X, W), wrt=-1).entries] == ["weight"]


def test_several_outputs_and_unused_inputs() -> None:
    report = tg.gradcheck(lambda a, b: (tg.exp(a), a.sum(axis=0), tg.Tensor(b.numpy())), (X, W), wrt="a")
    assert report.ok
    assert tg.gradcheck(lambda a, b: (tg.exp(a), tg.sin(b)), (X, W), order=2).ok
    assert [e.name for e in tg.gradcheck(lambda g: (g * 2, g * 3), X, order=2).entries[1:]] == ["g", "g0", "g1"]
    assert [e.name for e in tg.gradcheck(lambda g: g * g, X, order=2).entries[1:]] == ["g", "g′"]


def test_a_module_is_checked_by_its_parameters_and_left_as_it_was() -> None:
    module = Linear(dtype=np.float32)
    kept = [p.numpy() for _, p in module.named_parameters()]
    report = tg.gradcheck(module, X, order=2)
    assert report.ok, report
    assert [e.name for e in report.entries if e.order == 1] == ["x", "layer.weight", "layer.bias"]
    for (_, parameter), before in zip(module.named_parameters(), kept, strict=True):
        assert np.array_equal(parameter.numpy(), before)
        assert parameter.dtype == np.float32
        assert parameter.grad is None
    assert [e.name for e in tg.gradcheck(module, X, wrt=["layer.bias", "x"]).entries] == ["x", "layer.bias"]
    labels = np.array([1, 0, 2])
    assert tg.gradcheck(Picking(), (X, labels)).ok


class Picking(Linear):
    """A module with an integer input."""

    def forward(self, x: Any, labels: Any = None) -> tg.Tensor:
        y = super().forward(x)
        return y[np.arange(3), np.asarray(labels)]

    def __call__(self, x: Any, labels: Any = None) -> tg.Tensor:
        return self.forward(x, labels)


def test_a_module_is_restored_even_if_it_raises() -> None:
    module = Linear(dtype=np.float32)
    with pytest.raises(tg.ShapeError):
        tg.gradcheck(module, np.ones((3, 4)))
    assert module.weight.dtype == np.float32


def test_buffers_are_put_back_and_the_change_is_noted() -> None:
    module = Counting()
    report = tg.gradcheck(module, X)
    assert report.ok, report
    assert any("changes its buffers (mean, count)" in note for note in report.notes)
    assert np.array_equal(module.mean.numpy(), np.zeros(7))
    assert module.count[0] == 0


def test_attention_with_a_bias_that_cancels_is_fine() -> None:
    """The bias of the keys has no influence: softmax does not feel a shift."""

    class Attention(Linear):
        def forward(self, x: Any) -> tg.Tensor:
            k = F.linear(x, self.weight, self.bias)
            return F.scaled_dot_product_attention(x @ np.ones((5, 7)) * X[:, :1], k, k * 0 + 1.5 * x[:, :1])

        def __call__(self, x: Any) -> tg.Tensor:
            return self.forward(x)

    report = tg.gradcheck(Attention(), X)
    assert report.ok, report
    (bias,) = [e for e in report.entries if e.name == "layer.bias"]
    assert bias.status == "vacuous"
    assert "VACUOUS, it cancels out of the output" in str(report)


def test_the_sum_of_a_layer_norm_is_refused_with_the_reason() -> None:
    report = tg.gradcheck(lambda x: F.layer_norm(x, 5).sum(), X)
    assert report.vacuous
    assert "Here the sum of what layer_norm returns does not depend on its input" in report.refused
    plain = tg.gradcheck(lambda x: (x - x).sum(), X)
    assert plain.vacuous
    assert "Here" not in plain.refused
    assert tg.gradcheck(lambda x: (x - x)[0, 0], X).vacuous


def wrong_tanh(g: Any, x: Any) -> Any:
    return (g * (1 - x * x),)


def declare(name: str, vjp: Any) -> Any:
    return tg.primitive(lambda x, /: np.tanh(x), vjp=vjp, name=name, samples=[tg.sample((2, 3))], elementwise=True)


@pytest.mark.usefixtures("planted")
def test_the_operation_with_a_wrong_rule_is_named_with_its_place() -> None:
    bad = declare("bad_tanh", wrong_tanh)

    def model(x: Any) -> Any:
        with tg.scope("encoder"), tg.scope("mlp"):
            return bad(x * 2.0).sum(axis=1)

    report = tg.gradcheck(model, X)
    assert report.status == "wrong"
    (node,) = report.nodes
    assert (node.number, node.primitive, node.path, node.input) == (2, "bad_tanh", "encoder.mlp", "x")
    assert report.finding is not None
    assert report.finding.code == "wrong-rule"
    assert report.cause == (
        "the backward rule of bad_tanh for x is wrong in encoder.mlp: the formula is right but takes the input where "
        "the output belongs"
    )
    assert "(operation 2 of the run fails by itself, at its actual values)" in str(report)
    twice = tg.gradcheck(lambda x: bad(bad(x)), X)
    assert [n.number for n in twice.nodes] == [1, 2]
    assert "(1 more)" in str(twice)


@pytest.mark.usefixtures("planted")
def test_a_rule_that_is_right_once_and_wrong_twice_is_found_at_the_second_order() -> None:
    """It saves a plain array, as frameworks do that reuse a detached deviation."""
    bad = declare("detached_tanh", lambda g, x: (g * (1 - np.tanh(np.asarray(x)) ** 2),))
    assert tg.gradcheck(bad, X).ok
    report = tg.gradcheck(lambda x: bad(x * 3.0), X, order=2)
    assert report.status == "wrong"
    assert [n.primitive for n in report.nodes] == ["detached_tanh"]
    assert [e.order for e in report.entries if e.status == "wrong"] == [2]


@pytest.mark.usefixtures("planted")
def test_a_rule_that_is_not_linear_is_named_with_its_place() -> None:
    bad = declare("ungainly", lambda g, x: (np.sign(g) * (1 - np.tanh(x) ** 2),))
    report = tg.gradcheck(lambda x: bad(x) * 2.0, X)
    assert report.faults[0].code == "not-linear"
    (node,) = report.nodes
    assert (node.primitive, node.number, node.input) == ("ungainly", 1, "")
    assert "WRONG: the backward rule of ungainly is wrong: the backward pass is not linear" in str(report)


def test_a_fault_that_no_operation_has_blames_none() -> None:
    calls = [0]

    def moody(x: Any) -> Any:
        calls[0] += 1
        y = tg.exp(x)
        # The values are the same in every call, the gradient is not.
        return y if calls[0] % 2 else y.detach() + 0.0 * x

    report = tg.gradcheck(moody, X)
    assert report.faults[0].code == "another-answer"
    assert report.nodes == ()
    assert report.place is None


@pytest.mark.usefixtures("planted")
def test_an_operation_without_any_rule_is_passed_over() -> None:
    steps = tg.primitive(
        lambda x, /: np.floor(x), vjp=(None,), name="steps", samples=[tg.sample((2, 3))], elementwise=True
    )
    report = tg.gradcheck(lambda x: steps(x) + tg.tanh(x) * x.detach(), X)
    assert report.finding is not None
    assert report.finding.code == "off-the-tape"


def test_too_many_operations_are_not_checked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from tinygrad_norm.gradcheck import blame

    monkeypatch.setattr(blame, "MOST_NODES", 2)
    report = tg.gradcheck(lambda x: tg.exp(x) * tg.tanh(x).detach() * 2.0 * 3.0, X)
    assert report.status == "wrong"
    assert any("operations are too many to re-check one by one" in note for note in report.notes)


def test_a_computation_that_leaves_the_tape_is_told_from_a_wrong_rule() -> None:
    report = tg.gradcheck(lambda x: 3.0 * tg.exp(x) * tg.tanh(x.detach()), X)
    assert report.finding is not None
    assert report.finding.code == "off-the-tape"
    assert "detach()" in str(report)
    assert report.nodes == ()


def test_an_engine_that_combines_wrongly_is_told_from_wrong_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    right = user_functions.gradients

    def doubled_for(inputs: int) -> Any:
        def gradients(ys: Any, xs: Any, *rest: Any, **options: Any) -> Any:
            return [g * (2.0 if len(xs) == inputs else 1.0) for g in right(ys, xs, *rest, **options)]

        return gradients

    def f(a: Any, b: Any, c: Any) -> Any:
        return tg.exp(a) + tg.sin(b) * c

    # An operation has two inputs at most, the function has three.
    monkeypatch.setattr(user_functions, "gradients", doubled_for(3))
    report = tg.gradcheck(f, (X, X.copy(), W))
    assert report.finding is not None
    assert report.finding.code == "engine"
    assert report.entries[0].finding is not None
    assert report.entries[0].finding.code == "twice"
    # At the second order g is one more.
    monkeypatch.setattr(user_functions, "gradients", doubled_for(4))
    higher = tg.gradcheck(f, (X, X.copy(), W), order=2)
    assert higher.finding is not None
    assert higher.finding.code == "engine"
    assert {e.order for e in higher.entries if e.status == "wrong"} == {2}


def test_kinks_that_meet_are_no_fault() -> None:
    """At zero all hidden units of this network are at their kink at once."""
    w1 = np.random.default_rng(2).standard_normal((5, 11))
    w2 = np.random.default_rng(3).standard_normal((11, 1))
    for seed in range(5):
        assert tg.gradcheck(lambda x: F.relu(x @ w1) @ w2, np.zeros((1, 5)), seed=seed).ok
    # Here they cancel: the function is x, smooth, while each relu has the slope 0.
    report = tg.gradcheck(lambda x: F.relu(x) - F.relu(-x), np.zeros((1, 5)))
    assert report.ok, report
    assert any("several kinks meet at this point" in note for note in report.notes)


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


def test_backward_may_take_the_output_and_be_called_by_position() -> None:
    def with_out(g: Any, out: Any, x: Any) -> Any:
        return g * out

    def by_count(a: Any, b: Any, c: Any) -> Any:
        return a * b

    assert tg.check_vjp(np.exp, with_out, X).ok
    assert tg.check_vjp(np.exp, by_count, X).ok
    assert tg.check_vjp(np.exp, lambda *args: args[0] * np.exp(args[1]), X).ok
    two = tg.check_vjp(lambda x: (np.exp(x), np.sin(x)), lambda g, out, x: g[0] * out[0] + g[1] * np.cos(x), X)
    assert two.ok
    # A built-in function without a signature gets g and the inputs.
    assert tg.check_vjp(lambda x: 1.0 * x, lambda g, x: np.positive(g), X).ok


def test_gradients_may_be_given_for_all_inputs_or_the_floating_ones() -> None:
    labels = np.array([0, 2, 1])

    def pick(x: Any, i: Any) -> Any:
        return x[np.arange(3), i]

    def place(g: Any, x: Any, i: Any) -> Any:
        dx = np.zeros_like(x)
        dx[np.arange(3), i] = g
        return dx

    assert tg.check_vjp(pick, place, (X, labels)).ok
    assert tg.check_vjp(pick, lambda g, x, i: (place(g, x, i), None), (X, labels)).ok
    product = tg.check_vjp(lambda a, b: a * b, lambda g, a, b: [g * a], (X, X.copy()), wrt="b")
    assert product.ok


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


def test_names_are_numbers_where_a_function_tells_none() -> None:
    assert arguments([[[1.0], [2.0]], "text"])[0].shape == (2, 1)
    assert positional_names(max, 2) == ("input 0", "input 1")
    assert positional_names(lambda x: x, 2) == ("x", "input 1")


def test_what_the_users_code_raises_is_not_wrapped() -> None:
    def broken(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        tg.gradcheck(broken, X)
