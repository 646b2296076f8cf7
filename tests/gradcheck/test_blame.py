"""After a failure: which recorded operation is to blame, and when none is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import blame, user_functions

F = tg.functional
X = np.random.default_rng(0).standard_normal((3, 5))
W = np.random.default_rng(1).standard_normal(5)


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

    def detached(x: Any) -> Any:
        return x.data if isinstance(x, tg.Tensor) else x

    bad = declare("detached_tanh", lambda g, x: (g * (1 - np.tanh(detached(x)) ** 2),))
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
    def f(x: Any) -> Any:
        return tg.exp(x) * tg.tanh(x).detach() * 2.0 * 3.0

    monkeypatch.setattr(blame, "MOST_NODES", 5)
    report = tg.gradcheck(f, X)
    assert report.finding is not None
    assert report.finding.code == "off-the-tape"
    monkeypatch.setattr(blame, "MOST_NODES", 4)
    report = tg.gradcheck(f, X)
    assert report.status == "wrong"
    assert report.place is None
    assert "5 operations are too many to re-check one by one" in report.notes


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


def test_the_sum_of_a_layer_norm_is_refused_with_the_reason() -> None:
    report = tg.gradcheck(lambda x: F.layer_norm(x, 5).sum(), X)
    assert report.vacuous
    assert "Here the sum of what layer_norm returns does not depend on its input" in report.refused
    plain = tg.gradcheck(lambda x: (x - x).sum(), X)
    assert plain.vacuous
    assert "Here" not in plain.refused
    assert tg.gradcheck(lambda x: (x - x)[0, 0], X).vacuous
